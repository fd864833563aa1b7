"""Exports the trained generator of one run as a SavedModel that does not need this package."""

import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from common.sizes import SEEDS
from common.storage import files


def module(generator: Callable, noise: Callable, g: Any) -> tf.Module:
    """A `tf.Module` with the functions `generate` and `sample` (see `write`).

    Both work for any number of samples. They run the generator on whole batches, the shape that it was trained on, and truncate
    the last batch, so that every sample is the same as in training.

    Args:
      generator: (g, z) -> samples, [1, inputs, batch] -> [1, outputs, batch].
      noise: (seeds uint32 [1], number) -> z, [1, inputs, batch]; batch `number` (int32 scalar tensor) of the post's noise.
      g: parameters of one run, a nested structure of arrays with a runs axis of length 1.
    """
    z = noise(tf.constant([0], tf.uint32), tf.constant(0))
    _, inputs, batch = z.shape
    block = tf.TensorSpec(generator(tf.nest.map_structure(tf.constant, g), z).shape[1:], tf.float32)
    made = tf.Module()
    made.weights = [tf.Variable(value, trainable=False) for value in tf.nest.flatten(g)]

    def parameters():
        return tf.nest.pack_sequence_as(g, [tf.convert_to_tensor(weight) for weight in made.weights])

    def rows(blocks, count):  # [blocks, outputs, batch] -> [count, outputs]
        return tf.reshape(tf.transpose(blocks, [0, 2, 1]), [-1, blocks.shape[1]])[:count]

    @tf.function(input_signature=[tf.TensorSpec([None, inputs], tf.float32, 'z')], autograph=False)
    def generate(z):
        count, params = tf.shape(z)[0], parameters()
        padded = tf.pad(z, [[0, -count % batch], [0, 0]])
        blocks = tf.transpose(tf.reshape(padded, [-1, batch, inputs]), [0, 2, 1])
        return rows(tf.map_fn(lambda z: generator(params, z[None])[0], blocks, fn_output_signature=block), count)

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32, 'n'), tf.TensorSpec([], tf.int64, 'seed')], autograph=False)
    def sample(n, seed):
        in_range = tf.logical_and(seed >= 0, seed < SEEDS)
        with tf.control_dependencies(
            [
                tf.debugging.Assert(n >= 0, ['n must be 0 or more, and is', n]),
                tf.debugging.Assert(in_range, ['seed must be from 0 to 2^32 - 1, and is', seed]),
            ]
        ):
            seeds, params = tf.cast(seed, tf.uint32)[None], parameters()
        numbers = tf.range(-(-n // batch))
        blocks = tf.map_fn(lambda i: generator(params, noise(seeds, i))[0], numbers, fn_output_signature=block)
        return rows(blocks, n)

    made.generate, made.sample = generate, sample
    return made


def write(path: pathlib.Path, generator: Callable, noise: Callable, g: Any) -> None:
    """Writes a SavedModel, completely or not at all, into a directory that must not exist yet.

    It has two functions, which are also its signatures (`serving_default` is `generate`):
      generate(z): float32 [n, inputs] -> float32 [n, outputs].
      sample(n, seed): samples of n noise vectors, float32 [n, outputs]; n int32, seed int64 from 0 to 2^32 - 1. The noise is
        the post's own, batches 0, 1, 2, ..., of which the last is truncated. So noise that is arranged over a batch
        (stratified, sorted) covers its range evenly if n is a multiple of the batch size. The samples depend on the seed alone,
        and those of a smaller n are the first ones of a larger n. Other numbers are refused (InvalidArgumentError).

    Args:
      path: pathlib.Path.
      generator, noise, g: as for `module`.

    Raises:
      files.CannotWrite: it cannot be written.
    """
    made = module(generator, noise, g)
    signatures = {
        'serving_default': made.generate.get_concrete_function(),
        'generate': made.generate.get_concrete_function(),
        'sample': made.sample.get_concrete_function(),
    }
    with files.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = files.partial(path)
        temporary.mkdir()
        try:
            tf.saved_model.save(made, str(temporary), signatures)
            temporary.rename(path)
        except tf.errors.OpError as error:
            raise OSError(error.message.splitlines()[0]) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
