"""Dev Nag's post: what is recorded, and how runs are evaluated."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from helpers.post_checks import COLUMNS

from common import training
from common.evaluation import metrics, outcomes
from common.nn.random import Stream
from reproductions.devnag import figures as devnag_figures
from reproductions.devnag import gan as devnag
from reproductions.devnag import settings as devnag_settings

QUICK = devnag_settings.make_settings(batch_size=20, d_steps=2, g_steps=3)


@functools.cache
def quick(seed, rounds=12):
    return outcomes.train_many(devnag, QUICK, seed, 3, num_steps=rounds)


def test_a_record_is_of_g_at_the_start_of_the_round_on_the_last_noise_that_d_is_trained_on():
    _, history, _ = quick(7)
    assert history['step'].tolist() == list(range(12))
    _, _, train_state = quick(7, 5)
    g = tf.nest.map_structure(tf.constant, train_state.g)
    z = devnag.noise(QUICK, tf.constant([7, 8, 9], tf.uint32), Stream.NOISE_D, 2 * 6 - 1)
    samples = devnag.generator(QUICK, g, z).numpy()
    np.testing.assert_allclose(history['mean'][:, 5], samples.mean(axis=(1, 2)), rtol=1e-4)
    np.testing.assert_allclose(history['std'][:, 5], samples.std(axis=(1, 2)), rtol=1e-4)


def test_results_depend_on_the_seeds_alone():
    a, _, _ = quick(7)
    b, _, _ = outcomes.train_many(devnag, QUICK, 7, 3, num_steps=12)
    c, _, _ = quick(8)
    assert list(a) == COLUMNS[:-1]
    for name in COLUMNS[:-1]:
        np.testing.assert_array_equal(a[name], b[name])  # the same seeds, the same bits
    assert not np.intersect1d(a['mean'], c['mean'][-1:]).size  # seed 10 is not among 7, 8, 9
    np.testing.assert_allclose(a['mean'][1:], c['mean'][:-1], rtol=1e-4)


def test_outcomes_are_of_fresh_samples_and_decisions_on_their_consecutive_batches():
    settings = QUICK._replace(batch_size=30)  # 333 batches and 10 samples left over
    seeds = np.array([4, 5], np.uint32)
    d, g = devnag.init_discriminator(settings, tf.constant(seeds)), devnag.init_generator(settings, tf.constant(seeds))
    one = tf.nest.map_structure(lambda value: value[1:], (d, g))
    samples, decisions = (values.numpy() for values in devnag.evaluation(settings)(tf.constant(seeds[1:]), *one))
    assert samples.shape == (1, 10_000) and decisions.shape == (1, 333)
    z = devnag.noise(QUICK, tf.constant([5], tf.uint32), Stream.FIGURE, 0, 10_000)
    one_d, one_g = one
    np.testing.assert_allclose(samples[0], devnag.generator(settings, one_g, z)[0, 0], rtol=1e-4, atol=1e-5)
    batch = tf.constant(samples[:, None, 30:60])
    np.testing.assert_allclose(decisions[0, 1], devnag.discriminator(settings, one_d, batch)[0, 0, 0])


def test_evaluating_runs_in_parts_changes_nothing():
    whole, history, train_state = quick(7)
    seeds = np.array([7, 8, 9], np.uint32)
    parts = outcomes.results_table(devnag.judge(QUICK)._replace(at_once=2), seeds, train_state, history)
    for name in COLUMNS[:-1]:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-4, atol=1e-4)


def test_success_is_what_its_docstring_says():
    settings = devnag_settings.make_settings()
    truth, bound, probabilities = (
        devnag.truth(settings),
        devnag.success_threshold(settings),
        (np.arange(10_000) + 0.5) / 10_000,
    )
    normal, flat = truth.ppf(probabilities), 4 + 1.25 * np.sqrt(12) * (probabilities - 0.5)
    two = 4 + 1.25 * np.sign(probabilities - 0.5)
    distance = {name: metrics.wasserstein(x[None], truth)[0] / 1.25 for name, x in (('flat', flat), ('two', two))}
    assert distance['flat'] == pytest.approx(0.15, abs=0.005) and distance['two'] == pytest.approx(0.54, abs=0.005)
    for samples, passes in (
        (normal + 0.24 * 1.25, True),
        (normal + 0.26 * 1.25, False),
        (4 + 1.30 * (normal - 4), True),
        (4 + 1.32 * (normal - 4), False),
        (4 + 0.70 * (normal - 4), True),
        (4 + 0.68 * (normal - 4), False),
        (flat, True),
        (two, False),
    ):
        assert (metrics.wasserstein(samples[None], truth)[0] < bound) == passes


def test_the_last_histogram_is_of_the_last_noise_of_g():
    seeds = np.array([7, 8, 9], np.uint32)
    _, _, train_state = quick(7)
    z = devnag.noise(QUICK, tf.constant(seeds[1:]), Stream.NOISE_G, 12 * 3 - 1)
    g = tf.nest.map_structure(lambda value: tf.constant(value[1:]), train_state.g)
    found = devnag_figures.last_batches(QUICK, seeds, train_state, np.array([1, 2]))
    np.testing.assert_array_equal(found, devnag.generator(QUICK, g, z)[:, 0])


def test_a_call_is_short_and_a_second_training_does_not_retrace():
    experiment = devnag.make_experiment(QUICK)
    quick(7)
    traces = experiment.train_loop.experimental_get_tracing_count()
    outcomes.train_many(devnag, QUICK, 50, 3, num_steps=40)
    assert experiment.train_loop.experimental_get_tracing_count() == traces
    assert experiment.call * (QUICK.d_steps + QUICK.g_steps) == training.CALL
