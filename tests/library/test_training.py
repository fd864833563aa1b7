"""The compiled loop: counters, records, no retracing, resuming from a state."""

import numpy as np
import pytest
import tensorflow as tf

from common import training
from common.devices import distribution
from common.nn import optimizers

SEEDS = np.array([5, 6, 7], np.uint32)


def toy(d_steps=1, g_steps=1):
    """An experiment that can be computed by hand: d moves by x, g by z, and both batches are the number of the update."""

    def number(seeds, update):
        return tf.cast(seeds, tf.float32)[:, None, None] * 0 + tf.cast(update, tf.float32)

    train_step = training.TrainStep(
        generate=lambda g, z: g * z,
        loss_d=lambda d, x, fake: tf.reduce_sum(d * x, [1, 2]) + 0 * tf.reduce_sum(fake, [1, 2]),
        loss_g=lambda d, fake: tf.reduce_sum(fake, [1, 2]) + 0 * tf.reduce_sum(d, [1, 2]),
        draw_d=lambda seeds, update: (number(seeds, update), number(seeds, update)),
        draw_g=number,
        optimizer_d=optimizers.gradient_descent(1.0),
        optimizer_g=optimizers.gradient_descent(2.0),
        d_steps=d_steps,
        g_steps=g_steps,
    )
    pretrain_step = training.PretrainStep(
        loss=lambda d, x, y: tf.reduce_sum(d * x, [1, 2]),
        draw=lambda seeds, update: (number(seeds, update), number(seeds, update)),
        optimizer=optimizers.gradient_descent(1.0),
    )

    def init(seeds):
        zeros = tf.zeros([seeds.shape[0], 1, 1])
        return zeros, zeros + tf.cast(seeds, tf.float32)[:, None, None]

    return training.make_experiment(
        init, train_step, lambda state: {'g': state.g[:, 0, 0]}, pretrain_step=pretrain_step, pretrain_steps=4
    )


def train(experiment, num_steps, every, state=None):
    strategy = distribution.make_strategy('cpu', len(SEEDS))
    calls = list(training.train(experiment, strategy, SEEDS, num_steps, every, state, records_per_call=2))
    states = [distribution.to_host(strategy, state) for state, _ in calls]
    return states, training.join_records([records for _, records in calls])


def test_record_steps_are_every_nth_step_the_last_one_and_the_start_of_the_settled_part():
    assert training.record_steps(1200, 500).tolist() == [1, 501, 1001, 1100, 1200]
    assert training.record_steps(3, 1).tolist() == [1, 2, 3]
    assert training.record_steps(1, 10).tolist() == [1]
    assert training.record_steps(0, 10).tolist() == []
    assert training.record_steps(30, 20, early=(1, 6, 11, 31)).tolist() == [1, 6, 11, 21, 30]


def test_settled_mean_is_the_mean_of_the_last_hundred_steps():
    losses = np.random.default_rng(0).normal(size=(2, 1200))
    ends = training.record_steps(1200, 70)
    means = np.stack([losses[:, a:b].mean(axis=1) for a, b in zip([0, *ends[:-1]], ends, strict=True)], axis=1)
    np.testing.assert_allclose(training.settled_mean(ends - 1, means), losses[:, -100:].mean(axis=1), rtol=1e-12)


@pytest.mark.parametrize(('d_steps', 'g_steps'), [(1, 1), (3, 2)])
def test_each_network_counts_its_own_updates(d_steps, g_steps):
    states, _ = train(toy(d_steps, g_steps), num_steps=5, every=2)
    _, train_state = states[-1]
    pretrained = -(0 + 1 + 2 + 3)
    np.testing.assert_allclose(train_state.d[:, 0, 0], pretrained - sum(range(5 * d_steps)))
    np.testing.assert_allclose(train_state.g[:, 0, 0], SEEDS - 2.0 * sum(range(5 * g_steps)))
    assert train_state.step == 5


def test_without_noise_of_its_own_g_is_given_that_of_d():
    x, z = tf.ones([3, 1, 1]), tf.constant([[[7.0]], [[8.0]], [[9.0]]])
    train_step = toy().train_step._replace(draw_d=lambda seeds, update: (x, z), draw_g=None)
    state, losses = training.take_step(train_step, SEEDS, training.start_training(train_step, d=0 * x, g=x))
    np.testing.assert_allclose(state.g, 1 - 2 * z)
    np.testing.assert_allclose(losses['loss_g'], [7, 8, 9])


def test_records_are_means_since_the_previous_record_and_measures_at_the_record():
    _, history = train(toy(), num_steps=5, every=2)
    assert history['step'].tolist() == [0, 2, 4]
    g = [SEEDS - 2.0 * sum(range(n)) for n in range(6)]  # before update n
    losses = [n * g[n] for n in range(5)]
    np.testing.assert_allclose(history['loss_g'].T, [losses[0], (losses[1] + losses[2]) / 2, (losses[3] + losses[4]) / 2])
    np.testing.assert_allclose(history['g'].T, [g[1], g[3], g[5]])
    assert history['pretrain_step'].tolist() == [0, 2, 3]


def test_resuming_from_a_state_gives_the_same_bits():
    experiment = toy()
    states, whole = train(experiment, num_steps=9, every=2)
    assert [int(train_state.step) for _, train_state in states] == [0, 0, 3, 7, 9]
    for state in states[:-1]:
        resumed, rest = train(experiment, num_steps=9, every=2, state=state)
        for a, b in zip(tf.nest.flatten(states[-1]), tf.nest.flatten(resumed[-1]), strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(whole['g'][:, -rest['g'].shape[1] :], rest['g'])


def test_a_second_call_with_the_same_shapes_does_not_retrace():
    experiment = toy()
    train(experiment, num_steps=9, every=2)
    train(experiment, num_steps=9, every=2)
    train(experiment, num_steps=15, every=2)
    assert experiment.train_loop.experimental_get_tracing_count() == 1
    assert experiment.pretrain_loop.experimental_get_tracing_count() == 1


def test_groups_of_runs_give_the_same_as_all_at_once(monkeypatch):
    """Three runs in two groups, the second of which is padded."""
    _, whole = train(toy(), num_steps=5, every=2)
    monkeypatch.setattr(training, 'GROUP', 2)
    states, parts = train(toy(), num_steps=5, every=2)
    assert list(parts) == list(whole)
    for name in whole:
        np.testing.assert_array_equal(parts[name], whole[name])
    assert states[-1][1].g.shape == (3, 1, 1)
