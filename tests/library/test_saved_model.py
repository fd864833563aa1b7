"""Exported generators give their samples in a fresh process that cannot import this package."""

import functools
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from common.nn.random import Stream
from common.storage import files, saved_model
from reproductions import contract
from reproductions.mnist import dataset
from reproductions.mnist import gan as mnist
from reproductions.mnist import settings as mnist_settings

COUNTS = (0, 1, 7, 300)
FRESH = """
import sys
sys.modules.update(dict.fromkeys(('common', 'reproductions')))  # importing them fails
import numpy as np
import tensorflow as tf
for name in sys.argv[2:]:
    model = tf.saved_model.load(f'{sys.argv[1]}/{name}')
    samples = {f'{name}_{n}': model.sample(n, 2**32 - 5).numpy() for n in (0, 1, 7, 300)}
    samples['signature'] = model.signatures['sample'](n=tf.constant(7), seed=tf.constant(2**32 - 5, tf.int64))['output_0']
    samples['other'] = model.sample(7, 3)
    z = np.load(f'{sys.argv[1]}/{name}.npz')['z']
    samples['generated'] = model.generate(tf.constant(z))
    samples['served'] = model.signatures['serving_default'](z=tf.constant(z))['output_0']
    np.savez(f'{sys.argv[1]}/{name}_samples.npz', **samples)
model, asked = tf.saved_model.load(f'{sys.argv[1]}/conditional'), np.arange(300) * 7 % 10
z = np.load(f'{sys.argv[1]}/conditional.npz')['z']
samples = {'mix': model.sample(300, 5), 'threes': model.sample(300, 5, 3), 'asked': model.sample(300, 5, label=asked)}
samples['generated'], samples['fours'] = model.generate(z), model.generate(z, 4)
signature = model.signatures['sample']
samples['signature'] = signature(n=tf.constant(300), seed=tf.constant(5, tf.int64), label=tf.constant(-1))['output_0']
samples['served'] = model.signatures['serving_default'](z=tf.constant(z), label=tf.constant(4))['output_0']
np.savez(f'{sys.argv[1]}/conditional_samples.npz', **samples)
for label in (10, -2, [1, 2]):
    try:
        model.sample(7, 5, label)
    except tf.errors.InvalidArgumentError as error:
        print(error.message)
model = tf.saved_model.load(f'{sys.argv[1]}/{sys.argv[2]}')
for n, seed in ((-5, 7), (5, -1), (5, 2**32)):
    try:
        model.sample(n, seed)
    except tf.errors.InvalidArgumentError as error:
        print(error.message.splitlines()[0] if '[' in error.message.splitlines()[0] else error.message)
"""


CONDITIONAL = mnist_settings.make_settings('2018-06')


def conditional_generator():
    """(generator, noise without labels, initial G of seed 3) of a conditional GAN."""
    _, g = mnist.experiment_of(CONDITIONAL, None).init(tf.constant([3], tf.uint32))
    return (
        functools.partial(mnist.generator, CONDITIONAL),
        lambda seeds, n: mnist.noise(CONDITIONAL, seeds, Stream.FIGURE, n),
        g,
    )


def generators():
    """{name: (generator, noise, initial G of seed 3)}; Jang's with sorted independent noise."""
    changes, found = {'jang': {'stratify': False, 'sort': True, 'batch_size': 40}, 'multimodal': {'modes': 2}}, {}
    for name in contract.NAMES:
        gan = contract.part(name, 'gan')
        settings = contract.post(name).settings.make_settings(**changes.get(name, {}))
        _, g = gan.make_experiment(settings).init(tf.constant([3], tf.uint32))
        noise = functools.partial(lambda gan, settings, seeds, n: gan.noise(settings, seeds, Stream.FIGURE, n), gan, settings)
        found[name] = functools.partial(gan.generator, settings), noise, g
    return found


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    """(directory, {name: (generator, noise, g)}): every post exported, loaded in one fresh process, and sampled there."""
    directory, found = tmp_path_factory.mktemp('exported'), generators()
    for name, (generator, noise, g) in found.items():
        saved_model.write(directory / name, generator, noise, tf.nest.map_structure(lambda value: value.numpy(), g))
        inputs = noise(tf.constant([0], tf.uint32), tf.constant(0)).shape[1]
        z = np.random.default_rng(0).uniform(-1, 1, (33, inputs)).astype(np.float32)
        np.savez(directory / f'{name}.npz', z=z)
    generator, noise, g = conditional_generator()
    labels, host = saved_model.Labels(dataset.with_labels, 10), tf.nest.map_structure(lambda value: value.numpy(), g)
    saved_model.write(directory / 'conditional', generator, noise, host, labels)
    np.savez(directory / 'conditional.npz', z=np.random.default_rng(0).uniform(-1, 1, (33, 100)).astype(np.float32))
    command = [sys.executable, '-I', '-c', FRESH, str(directory), *found]
    finished = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-2000:]
    (directory / 'refusals.txt').write_text(finished.stdout, encoding='utf-8')
    return directory, found


@pytest.mark.statistical
@pytest.mark.parametrize('name', contract.NAMES)
def test_samples_equal_the_generators(exported, name):
    directory, found = exported
    generator, noise, g = found[name]
    theirs = files.read_npz(directory / f'{name}_samples.npz')
    seeds = tf.constant([2**32 - 5], tf.uint32)
    batch = noise(seeds, 0).shape[2]
    batches = [generator(g, noise(seeds, tf.constant(k)))[0].numpy().T for k in range(-(-300 // batch))]
    ours = np.concatenate(batches)[:300]
    assert ours.std() > 0.01 and ours.shape[1] == (784 if name == 'mnist' else 1)
    for count in COUNTS:
        assert theirs[f'{name}_{count}'].shape == (count, ours.shape[1])
        np.testing.assert_allclose(theirs[f'{name}_{count}'], ours[:count], rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(theirs['signature'], theirs[f'{name}_7'])
    assert np.abs(theirs['other'] - theirs[f'{name}_7']).max() > 1e-4
    z = files.read_npz(directory / f'{name}.npz')['z']
    given = generator(g, tf.constant(z.T[None]))[0].numpy().T
    np.testing.assert_allclose(theirs['generated'], given, rtol=1e-5, atol=2e-6)  # a batch of another size
    np.testing.assert_array_equal(theirs['served'], theirs['generated'])


@pytest.mark.statistical
def test_a_conditional_generator_gives_the_classes_asked_for(exported):
    """One label for all, one per sample, or none for an even mix in the order 0, 1, 2, ...: on the same noise."""
    theirs = files.read_npz(exported[0] / 'conditional_samples.npz')
    generator, noise, g = conditional_generator()
    seeds = tf.constant([5], tf.uint32)
    z = np.concatenate([noise(seeds, tf.constant(k)).numpy()[0].T for k in range(3)])[:300]
    given = files.read_npz(exported[0] / 'conditional.npz')['z']

    def ours(z, labels):
        return generator(g, dataset.with_labels(tf.constant(z.T[None]), tf.constant(labels)[None]))[0].numpy().T

    turns = np.arange(300)
    for name, noise_vectors, labels in (
        ('mix', z, turns % 10), ('threes', z, np.full(300, 3)), ('asked', z, turns * 7 % 10),
        ('generated', given, turns[:33] % 10), ('fours', given, np.full(33, 4)),
    ):  # fmt: skip
        np.testing.assert_allclose(theirs[name], ours(noise_vectors, labels), rtol=1e-5, atol=2e-6, err_msg=name)
    np.testing.assert_array_equal(theirs['signature'], theirs['mix'])
    np.testing.assert_array_equal(theirs['served'], theirs['fours'])
    assert np.abs(theirs['threes'] - theirs['mix']).max(axis=1).min() == 0 < np.abs(theirs['threes'] - theirs['mix']).max()


@pytest.mark.statistical
def test_numbers_out_of_range_are_refused(exported):
    text = (exported[0] / 'refusals.txt').read_text(encoding='utf-8')
    assert text.count('label must be from 0 to 9, or -1 for an even mix, and is') == 2
    assert text.count('label must be one number, or one per sample') == 1
    assert [text.count(message) for message in ('n must be 0 or more, and is] [-5]', 'seed must be from 0 to 2^32 - 1')] == [
        1,
        2,
    ]


@pytest.mark.statistical
def test_no_temporary_files_are_left(exported):
    directory, _ = exported
    assert not list(directory.glob(f'{files.PARTIAL}*'))
    assert (directory / 'aylien' / 'saved_model.pb').stat().st_size > 1000
