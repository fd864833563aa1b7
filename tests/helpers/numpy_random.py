"""A NumPy implementation of `common.nn.random`, in double precision where it computes: the expected values."""

import numpy as np
import scipy.special

ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24]


def threefry(k0, k1, c0, c1):
    """Threefry-2x32 with 20 rounds on Python integers; returns two words."""
    mask = 0xFFFFFFFF
    keys = [k0, k1, k0 ^ k1 ^ 0x1BD11BDA]
    x, y = (c0 + k0) & mask, (c1 + k1) & mask
    for i in range(20):
        x = (x + y) & mask
        rotation = ROTATIONS[i % 8]
        y = (((y << rotation) | (y >> (32 - rotation))) & mask) ^ x
        if i % 4 == 3:
            j = i // 4 + 1
            x, y = (x + keys[j % 3]) & mask, (y + keys[(j + 1) % 3] + j) & mask
    return x, y


def bits(seeds, stream, step, count):
    """uint32 [runs, count]."""
    return np.array([[threefry(seed, stream, step, i)[0] for i in range(count)] for seed in seeds], np.uint32)


def uniform(seeds, stream, step, count):
    """float32 [runs, count]."""
    return ((bits(seeds, stream, step, count) >> 8) / 2.0**24).astype(np.float32)


def exact_normal(seeds, stream, step, count):
    """The quantile that the table of `common.nn.random.normal` approximates, float64 [runs, count]."""
    word = bits(seeds, stream, step, count)
    tail = ((word >> 1) | 1) / 2.0**32
    return np.where(word & 1, -1, 1) * scipy.special.ndtri(tail)


def normal(seeds, stream, step, count, heights, slopes):
    """The table's value, float32 [runs, count], given its two columns."""
    word = bits(seeds, stream, step, count)
    mantissa, exponent = np.frexp(((word >> 1) | 1).astype(np.float32))
    scaled = (mantissa.astype(np.float64) * 2 - 1) * 256
    segment = np.minimum((exponent - 1) * 256 + np.floor(scaled).astype(int), len(heights) - 1)
    offset = np.floor((scaled - np.floor(scaled)) * 4096)
    size = (heights[segment].astype(np.float64) + slopes[segment] * offset).astype(np.float32)
    return np.where(word & 1, size, -size)


def permuted(seeds, stream, number, positions, size, rounds=8):
    """int [runs, count]: a Feistel network, applied until the value is in range."""
    half = max(1, -(-(size - 1).bit_length() // 2))
    mask = 2**half - 1

    def encipher(seed, number, value):
        high, low = value >> half, value & mask
        for i in range(rounds):
            high, low = low, high ^ (threefry(seed, stream, number, i << 16 | low)[0] & mask)
        return high << half | low

    def walk(seed, number, value):
        while (value := encipher(seed, number, value)) >= size:
            pass
        return value

    return np.array([[walk(seed, int(n), int(p)) for n, p in zip(number, positions, strict=True)] for seed in seeds])
