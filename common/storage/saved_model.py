"""Exports the trained generator of one run as a SavedModel that does not need this package."""

import pathlib
import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from common.sizes import SEEDS
from common.storage import files


class Labels(NamedTuple):
    """How a conditional generator is told what to generate."""

    append: Callable  # (z [1, inputs, batch], labels int32 [1, batch]) -> the generator's input
    classes: int  # labels are 0 .. classes - 1


ANY = -1  # the label of an even mix: 0, 1, ..., the last class, 0, 1, ...


def module(generator: Callable, noise: Callable, g: Any, labels: Labels | None = None) -> tf.Module:
    """A `tf.Module` with the functions `generate` and `sample` (see `write`).

    Both work for any number of samples. They run the generator on whole batches, the shape that it was trained on, and truncate
    the last batch, so that every sample is the same as in training.

    Args:
      generator: (g, z) -> samples, [1, inputs, batch] -> [1, outputs, batch].
      noise: (seeds uint32 [1], number) -> z, [1, inputs, batch]; batch `number` (int32 scalar tensor) of the post's noise.
      g: parameters of one run, a nested structure of arrays with a runs axis of length 1.
      labels: for a conditional generator, whose `noise` is without them.
    """
    z = noise(tf.constant([0], tf.uint32), tf.constant(0))
    _, inputs, batch = z.shape
    made = tf.Module()
    made.weights = [tf.Variable(value, trainable=False) for value in tf.nest.flatten(g)]

    def images(params, z, asked):  # [inputs, batch], [batch] -> [outputs, batch]
        return generator(params, z[None] if labels is None else labels.append(z[None], asked[None]))[0]

    block = tf.TensorSpec(images(tf.nest.map_structure(tf.constant, g), z[0], tf.zeros([batch], tf.int32)).shape, tf.float32)

    def batched(make_z, elements, label, count):  # -> [count, outputs]; make_z: an element -> [inputs, batch]
        params = tf.nest.pack_sequence_as(g, [tf.convert_to_tensor(weight) for weight in made.weights])
        asked = tf.reshape(requested(label, labels.classes if labels else 1, count, batch), [-1, batch])
        made_blocks = tf.map_fn(
            lambda pair: images(params, make_z(pair[0]), pair[1]), (elements, asked), fn_output_signature=block
        )
        return tf.reshape(tf.transpose(made_blocks, [0, 2, 1]), [-1, block.shape[0]])[:count]

    def generate(z, label=ANY):
        count = tf.shape(z)[0]
        blocks = tf.reshape(tf.pad(z, [[0, -count % batch], [0, 0]]), [-1, batch, inputs])
        return batched(tf.transpose, blocks, label, count)

    def sample(n, seed, label=ANY):
        with tf.control_dependencies(assertions(n, seed)):
            seeds = tf.cast(seed, tf.uint32)[None]
            return batched(lambda number: noise(seeds, number)[0], tf.range(-(-n // batch)), label, n)

    z_or_n_seed = (
        [tf.TensorSpec([None, inputs], tf.float32, 'z')],
        [tf.TensorSpec([], tf.int32, 'n'), tf.TensorSpec([], tf.int64, 'seed')],
    )
    if labels:
        functions, label = (generate, sample), [tf.TensorSpec(None, tf.int32, 'label')]
    else:
        functions, label = (lambda z: generate(z), lambda n, seed: sample(n, seed)), []
    made.generate, made.sample = (
        tf.function(function, input_signature=arguments + label, autograph=False)
        for function, arguments in zip(functions, z_or_n_seed, strict=True)
    )
    return made


def assertions(n: tf.Tensor, seed: tf.Tensor) -> list[tf.Operation]:
    """What stops a sampling of `n` samples, an int32, with a `seed`, an int64, if either is out of range."""
    return [
        tf.debugging.Assert(n >= 0, ['n must be 0 or more, and is', n]),
        tf.debugging.Assert((seed >= 0) & (seed < SEEDS), ['seed must be from 0 to 2^32 - 1, and is', seed]),
    ]


def requested(label: tf.Tensor, classes: int, count: tf.Tensor, batch: int) -> tf.Tensor:
    """A class for each of `count` samples, padded to whole batches, int32 [n]; `label`: a class, `ANY`, or one per sample."""
    label = tf.cast(label, tf.int32)
    one_each = tf.equal(tf.rank(label), 0) | (tf.equal(tf.rank(label), 1) & tf.equal(tf.size(label), count))
    with tf.control_dependencies(
        [
            tf.debugging.Assert(one_each, ['label must be one number, or one per sample, and has the shape', tf.shape(label)]),
            tf.debugging.Assert(
                tf.reduce_all((label >= ANY) & (label < classes)),
                [f'label must be from 0 to {classes - 1}, or {ANY} for an even mix, and is', label],
            ),
        ]
    ):
        label = tf.broadcast_to(tf.reshape(label, [-1]), [count])
    label = tf.where(label == ANY, tf.range(count) % classes, label)
    return tf.pad(label, [[0, -count % batch]])


def write(path: pathlib.Path, generator: Callable, noise: Callable, g: Any, labels: Labels | None = None) -> None:
    """Writes a SavedModel, completely or not at all, into a directory that must not exist yet.

    It has two functions, which are also its signatures (`serving_default` is `generate`):
      generate(z): float32 [n, inputs] -> float32 [n, outputs].
      sample(n, seed): samples of n noise vectors, float32 [n, outputs]; n int32, seed int64 from 0 to 2^32 - 1. The noise is
        the post's own, batches 0, 1, 2, ..., of which the last is truncated. So noise that is arranged over a batch
        (stratified, sorted) covers its range evenly if n is a multiple of the batch size. The samples depend on the seed alone,
        and those of a smaller n are the first ones of a larger n. Other numbers are refused (InvalidArgumentError).

    Those of a conditional generator are generate(z, label) and sample(n, seed, label), where `z` is the noise without labels.
    `label` is one class for all, or one per sample [n]. It may be left out, for an even mix in the order 0, 1, 2, ...; in a
    signature, which has no defaults, -1 says so.

    Args:
      path: pathlib.Path.
      generator, noise, g, labels: as for `module`.

    Raises:
      files.CannotWrite: it cannot be written.
    """
    made = module(generator, noise, g, labels)
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
            raise OSError(files.first_line(error.message, 'no reason given')) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
