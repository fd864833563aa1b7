"""Random streams: published known answers, the same bits in every mode, no word used twice, the right distributions."""

import itertools

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from helpers import numpy_random

from common.nn import random
from common.nn.random import Stream

SEEDS = [0, 1, 42, 2**32 - 1]


def sample(function, *arguments, mode='eager'):
    seeds = tf.constant(SEEDS, tf.uint32)
    wrapped = {
        'eager': lambda f: f,
        'graph': tf.function,
        'xla': lambda f: tf.function(f, jit_compile=True),
    }[mode](lambda seeds: function(seeds, *arguments))
    return wrapped(seeds).numpy()


@pytest.mark.parametrize(
    ('counter', 'key', 'expected'),  # Random123's known-answer vectors for threefry2x32, 20 rounds
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_published_answers(counter, key, expected):
    words = random.threefry_2x32(*([tf.constant(word, tf.uint32) for word in pair] for pair in (key, counter)))
    assert tuple(int(word) for word in words) == expected
    assert numpy_random.threefry(*key, *counter) == expected


@pytest.mark.parametrize('mode', ['eager', 'graph', 'xla'])
def test_bits_and_uniform_equal_numpy(mode):
    for stream, step in itertools.product((Stream.WEIGHTS_G, Stream.NOISE_G), (0, 7, 100_000)):
        np.testing.assert_array_equal(
            sample(random.bits, stream, step, 33, mode=mode), numpy_random.bits(SEEDS, stream, step, 33)
        )
        np.testing.assert_array_equal(
            sample(random.uniform, stream, step, 33, mode=mode), numpy_random.uniform(SEEDS, stream, step, 33)
        )


@pytest.mark.parametrize('mode', ['eager', 'graph', 'xla'])
def test_normal_equals_numpy_to_the_bit_and_the_quantile_to_1e_5(mode):
    ours = sample(random.normal, Stream.DATA, 3, 2001, mode=mode)
    mirror = numpy_random.normal(SEEDS, Stream.DATA, 3, 2001, random._HEIGHTS, random._SLOPES)
    np.testing.assert_array_equal(ours, mirror)
    np.testing.assert_allclose(ours, numpy_random.exact_normal(SEEDS, Stream.DATA, 3, 2001), rtol=0, atol=1e-5)


def test_normal_table_is_close_to_the_quantile_in_every_segment():
    octave, segment, offset = np.meshgrid(np.arange(31), np.arange(256), [0, 1365, 2048, 4095], indexing='ij')
    table = random._HEIGHTS[octave * 256 + segment] + random._SLOPES[octave * 256 + segment] * offset
    tail = 2.0 ** (octave - 32) * (1 + (segment + offset / 4096) / 256)
    np.testing.assert_allclose(table, -scipy.stats.norm.ppf(tail), rtol=0, atol=1e-5)


def test_a_sample_does_not_depend_on_how_many_are_taken():
    np.testing.assert_array_equal(sample(random.normal, 1, 2, 8), sample(random.normal, 1, 2, 500)[:, :8])


def test_no_word_is_used_twice_across_runs_streams_and_steps():
    words = np.concatenate([sample(random.bits, stream, step, 40) for stream in Stream for step in (0, 1, 2, 149)])
    assert words.size == 4 * len(Stream) * 4 * 40
    assert len(np.unique(words)) == words.size


def test_uniform_and_normal_have_their_distributions():
    seeds = tf.constant(np.arange(200, dtype=np.uint32))
    uniform = random.uniform(seeds, Stream.NOISE_D, 5, 5000).numpy().ravel().astype(float)
    normal = random.normal(seeds, Stream.DATA, 5, 5000).numpy().ravel().astype(float)
    assert uniform.min() >= 0 and uniform.max() < 1
    assert scipy.stats.kstest(uniform, 'uniform').pvalue > 1e-3
    assert scipy.stats.kstest(normal, 'norm').pvalue > 1e-3
    assert abs(scipy.stats.kurtosis(normal)) < 4 * np.sqrt(24 / normal.size)
    correlation = np.corrcoef(normal[:-1], normal[1:])[0, 1]
    assert abs(correlation) < 4 / np.sqrt(normal.size)


def test_stratified_noise_is_a_grid_with_a_small_jitter():
    noise = sample(random.stratified, Stream.NOISE_D, 0, 12, 8.0)
    jitter = noise[:, 0] - np.linspace(-8, 8, 12)
    assert noise.shape == (4, 1, 12)
    assert jitter.min() > -1e-6 and jitter.max() < 0.01 + 1e-6
    assert jitter.std() == pytest.approx(0.01 / np.sqrt(12), rel=0.3)


@pytest.mark.parametrize('size', [1, 2, 100, 7334])
def test_permuted_is_one_to_one(size):
    found = sample(random.permuted, Stream.ORDER, np.full(size, 3), np.arange(size), size)
    np.testing.assert_array_equal(np.sort(found, axis=1), np.broadcast_to(np.arange(size), (len(SEEDS), size)))


@pytest.mark.parametrize('mode', ['eager', 'graph', 'xla'])
def test_permuted_is_the_same_in_every_mode(mode):
    number, positions = np.array([0, 0, 7, 2**31]), np.array([0, 999, 5, 5])
    expected = numpy_random.permuted(SEEDS, Stream.ORDER, number, positions, 1000)
    np.testing.assert_array_equal(sample(random.permuted, Stream.ORDER, number, positions, 1000, mode=mode), expected)


@pytest.mark.parametrize('size', [5, 24])
def test_permuted_is_uniform(size):
    """Over 4,000 permutations, elements at each position and at pairs of neighboring positions (chi-squared, p > 1e-4)."""
    count = 1000
    number, positions = np.repeat(np.arange(count), size), np.tile(np.arange(size), count)
    found = sample(random.permuted, Stream.ORDER, number, positions, size).reshape(-1, size)
    for position in range(size):
        assert scipy.stats.chisquare(np.bincount(found[:, position], minlength=size)).pvalue > 1e-4
    pairs = found[:, :-1] * size + found[:, 1:]
    counts = np.bincount(pairs.ravel(), minlength=size * size).reshape(size, size)
    assert scipy.stats.chisquare(counts[~np.eye(size, dtype=bool)]).pvalue > 1e-4 and not np.diag(counts).any()
