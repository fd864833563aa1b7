"""Which programs are compatible with the multi-modal post: evidence and prior by hand, the simulation against the post's own
training, and whether the method finds a program that is known."""

import numpy as np
import pytest
import tensorflow as tf
from helpers.paths import ROOT

from common import training
from common.devices import distribution
from common.nn.random import Stream
from common.settings import identity
from common.storage import files
from reproductions.multimodal import gan
from reproductions.multimodal import settings as multimodal_settings
from reproductions.multimodal.inference import evidence, gallery, posterior, prior, simulation
from reproductions.multimodal.inference.evidence import ARMS, DEFAULT, Reading

FIGURES = ROOT / 'figures' / 'multimodal'


# --- The prior ----------------------------------------------------------------------------------------------------------------


def test_priors_add_up_and_have_reasons():
    for unknown in prior.UNKNOWNS.values():
        assert sum(unknown.weights.values()) == pytest.approx(1) and len(unknown.weights) > 1 and len(unknown.why) > 20


def test_draws_are_many_and_follow_the_prior():
    settings = prior.draw()
    count = len(settings['std'])
    assert count >= 2000 and {len(values) for values in settings.values()} == {count}
    assert (settings['reach'] >= prior.LEAST_GAP * settings['std']).all()
    weight = prior.shape_weights(settings)
    assert weight.sum() == pytest.approx(1)
    for name in ('layers', 'activation', 'batch_size', 'pretrain', 'learning_rate', 'noise_range', 'alone', 'equal_modes'):
        wanted = np.array(list(prior.UNKNOWNS[name].weights.values()))
        found = posterior.prior_marginal(settings, name)
        np.testing.assert_allclose(found, wanted, atol=4 * np.sqrt(0.25 / count))
    again = prior.draw()
    assert all((again[name] == values).all() for name, values in settings.items())


def test_networks_without_pretraining_come_last_in_each_shape():
    settings = prior.draw(10)
    for _, rows in simulation.by_shape(settings):
        assert (settings['pretrain'][rows] == 'nothing').tolist() == [False] * 7 + [True] * 3


# --- The evidence -------------------------------------------------------------------------------------------------------------

STEPS = np.array([0, 5, 10, 15, 20, 25, 30, 35])


def test_convergence_is_the_first_record_from_which_a_run_stays_close():
    distance = np.array([
        [3, 0.9, 3, 3, 0.9, 0.9, 0.9, 3],  # close for a moment at 5, for ten steps from 20 on
        [3, 3, 3, 3, 3, 3, 3, 0.5],
        [3, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan],
    ])  # fmt: skip
    assert evidence.converged_at(STEPS, distance, 1.0, 0).tolist() == [1, 7, 8]
    assert evidence.converged_at(STEPS, distance, 1.0, 10).tolist() == [4, 7, 8]
    assert evidence.converged_at(STEPS, distance, 0.6, 0).tolist() == [8, 7, 8]


def test_a_run_agrees_with_what_is_said_of_its_network():
    reading = Reading(eye=1.0, factor=2.0, held=0, tries=1)
    distance = np.full([3, len(STEPS)], 3.0)
    distance[0, 2], distance[1, 7] = 0.5, 0.5  # at steps 10 and 35, the third never
    tall, flat = np.full_like(distance, 1.5), np.full_like(distance, 0.5)
    early, late = ARMS['one']._replace(stated=10), ARMS['fewer']._replace(stated=40)
    assert evidence.agrees(early, STEPS, distance, tall, reading).tolist() == [True, False, False]
    assert evidence.agrees(early, STEPS, distance, flat, reading).tolist() == [False, False, False]
    assert evidence.agrees(late, STEPS, distance, flat, reading).tolist() == [False, True, False]
    assert evidence.agrees(ARMS['own1'], STEPS, distance, tall, reading).tolist() == [False, False, True]


def test_likelihood_by_hand():
    hits = {'one': np.array([16.0, 8]), 'two': np.array([16.0, 8]), 'three': np.array([16.0, 0]), 'fewer': np.array([4.0, 0])}
    shown = np.array([(16.5 / 17) ** 3, (8.5 / 17) ** 2 * 0.5 / 17])
    expected = np.log(1 - (1 - shown) ** 2) + np.log(np.array([4.5, 0.5]) / 17)
    np.testing.assert_allclose(evidence.log_likelihood(hits, 16, DEFAULT), expected)
    assert evidence.aylien_log_likelihood({0.03: 256}, 512)[0.03] == pytest.approx(np.log(0.25))


def test_the_default_reading_is_one_of_the_readings():
    assert DEFAULT in evidence.READINGS and len(set(evidence.READINGS)) == len(evidence.READINGS) == 54


# --- What the post leaves open, in the program --------------------------------------------------------------------------------


def test_modes_at_random_and_dealt():
    seeds, step = tf.constant([3, 4], tf.uint32), tf.constant(5)
    dealt = multimodal_settings.make_settings(modes=3, deviations=(1e-3,) * 3)
    at_random = dealt._replace(equal_modes=False)
    counts = {}
    for name, settings in (('dealt', dealt), ('random', at_random)):
        x = gan.real_samples(settings, seeds, step, 3000).numpy()[:, 0]
        counts[name] = np.stack([(np.abs(x - mean) < 0.1).sum(axis=1) for mean in settings.means], axis=1)
    assert (counts['dealt'] == 1000).all()
    assert (counts['random'] != 1000).any() and (counts['random'].sum(axis=1) == 3000).all()
    assert (np.abs(counts['random'] - 1000) < 4 * np.sqrt(3000 * 2 / 9)).all()


def test_modes_of_ones_own_are_those_of_the_run_alone():
    """Means, deviations, and how modes are chosen may differ from run to run."""
    seeds, step = tf.constant([3, 4], tf.uint32), tf.constant(5)
    alone = [
        multimodal_settings.make_settings(modes=3, means=(-3.0, 0.0, 3.0), deviations=(0.5,) * 3),
        multimodal_settings.make_settings(modes=3, means=(-2.0, 0.0, 2.0), deviations=(0.25,) * 3, equal_modes=False),
    ]
    both = alone[0]._replace(
        means=tf.constant([[one.means] for one in alone]), deviations=tf.constant([[one.deviations] for one in alone]),
        equal_modes=tf.constant([[[True]], [[False]]]), pretrain_weights=tf.constant([[[1 / 3] * 3], [[1.0, 0.0, 0.0]]]),
    )  # fmt: skip
    x, (places, densities) = gan.real_samples(both, seeds, step, 12), gan.pretraining_batch(both, seeds, step)
    for row, (one, weights) in enumerate(zip(alone, (None, (1.0, 0.0, 0.0)), strict=True)):
        own = tf.constant([3 + row], tf.uint32)
        np.testing.assert_array_equal(x[row], gan.real_samples(one, own, step, 12)[0])
        own_places, own_densities = gan.pretraining_batch(one._replace(pretrain_weights=weights), own, step)
        np.testing.assert_array_equal(places[row], own_places[0])
        np.testing.assert_allclose(densities[row], own_densities[0], rtol=1e-6)


def test_pretraining_on_the_first_mode_alone():
    settings = multimodal_settings.make_settings(modes=3, pretrain_weights=(1.0, 0.0, 0.0))
    x, y = gan.pretraining_batch(settings, tf.constant([3], tf.uint32), tf.constant(0))
    expected = np.exp(-0.5 * ((x.numpy() + 4) / 0.5) ** 2) / (0.5 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-12)


def test_the_order_of_modes_in_a_batch_changes_nothing():
    """So it is no unknown: a D that sees one sample at a time, and losses that are means."""
    settings, seeds = multimodal_settings.make_settings(modes=3, batch_size=12), tf.constant([3], tf.uint32)
    experiment = gan.make_experiment(settings)
    d, g = experiment.init(seeds)
    x, z = gan.real_samples(settings, seeds, 0, 12), gan.noise(settings, seeds, Stream.NOISE_D, 0)
    order = np.random.default_rng(0).permutation(12)
    fake = gan.generator(settings, g, z)
    loss = experiment.train_step.loss_d
    np.testing.assert_allclose(loss(d, tf.gather(x, order, axis=2), fake), loss(d, x, fake), rtol=1e-6)


# --- The simulation -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def few():
    """Two settings of one shape that pre-train, and one that does not."""
    settings = prior.draw()
    _, rows = next(simulation.by_shape(settings))
    return simulation.rows_of(settings, rows[[0, 1, -1]])


@pytest.mark.statistical
def test_a_simulated_run_is_the_posts_own_training(few):
    d, strategy = simulation.pretrained(simulation.with_pretraining(few), 3, runs=4), distribution.make_strategy('cpu', 4)
    found = simulation.train_arm('three', few, d, runs=4)
    for row in range(3):
        settings = prior.as_post(few, row, 3)
        calls = list(training.train(gan.make_experiment(settings), strategy, np.arange(4, dtype=np.uint32), 100, 50))
        if row < 2:  # a thousand steps magnify the last bit of a sum, and so would comparing what follows them
            own = tf.nest.flatten(training.to_host(strategy, calls[-1][0]).pretrain_state.params)
            for ours, theirs in zip(d, own, strict=True):
                np.testing.assert_allclose(ours[4 * row : 4 * row + 4], theirs, atol=2e-5)
        else:
            history = training.join_records([records for _, records in calls])
            some = np.isin(found['step'], history['step'])
            same = np.isin(history['step'], found['step'])
            assert some.sum() > 15
            np.testing.assert_allclose(
                found['distance'][row][:, some], history['wasserstein'][:, same] / settings.deviations[0], rtol=1e-5
            )


@pytest.mark.statistical
def test_files_give_the_records_back(few, tmp_path):
    tasks = [simulation.Task('some', np.array([2, 0]), ('one',))]
    simulation.train_shape(tmp_path / 'some.npz', simulation.rows_of(few, [2, 0][::-1]), ('one',), runs=4)
    with pytest.raises(KeyError):
        posterior.load(tmp_path, 3, [simulation.Task('some', np.array([2, 0]), ('two',))], runs=4)
    records = posterior.load(tmp_path, 3, tasks, runs=4)['one']
    assert records['distance'].shape == (3, 4, 13) and np.isnan(records['distance'][1]).all()
    assert np.isfinite(records['distance'][[0, 2]].astype(float)).all()
    assert records['step'].tolist() == [*range(0, 60, 5), 59]


def test_height_of_the_peak_of_known_samples():
    even = tf.constant(np.linspace(0, 1, simulation.POINTS, dtype=np.float32)[None, None])
    width = (simulation.PEAK - 1) / (simulation.POINTS - 1)
    np.testing.assert_allclose(simulation.narrowest(even), [width], rtol=1e-5)


# --- Does the method find a known program? ------------------------------------------------------------------------------------


def made_up(settings, seed):
    """Records of runs that converge at steps which depend on three of the unknowns, with chance."""
    rng, count, found = np.random.default_rng(seed), len(settings['std']), {}
    pace = 0.03 / settings['learning_rate'] * np.where(settings['activation'] == 'tanh', 1, 4) * settings['reach'] / 4
    for name, scale in (('one', 20), ('two', 25), ('three', 100), ('fewer', 60)):
        steps = np.arange(0, ARMS[name].horizon, 5)
        at = scale * pace[:, None] * rng.lognormal(0, 0.2, [count, 16])
        distance = np.where(steps >= at[..., None], 0.5, 3.0)
        found[name] = {'step': steps, 'distance': distance, 'peak': np.full_like(distance, 2)}
    return found


def test_a_known_program_is_found():
    """The truth has more weight than before for what outcomes depend on, and no other for what they do not."""
    settings = prior.draw()
    known = np.arange(0, len(settings['std']), 20)
    found = posterior.recovery(settings, made_up(settings, 0), known, DEFAULT)
    assert found['rank'].shape == known.shape and np.median(found['rank']) < 0.1 * len(settings['std'])
    before = {name: posterior.prior_marginal(settings, name) for name in prior.UNKNOWNS}

    def expected(name):  # the weight that the truth would have without evidence, on average
        values = list(prior.UNKNOWNS[name].weights)
        return np.mean([before[name][values.index(settings[name][row].item())] for row in known])

    for name in ('learning_rate', 'reach'):
        assert found[name].mean() > 1.3 * expected(name)
    tanh = settings['activation'][known] == 'tanh'  # the others do not differ
    assert found['activation'][tanh].mean() > 1.3 * before['activation'][0]
    for name in ('noise_range', 'equal_modes', 'alone'):
        assert found[name].mean() == pytest.approx(expected(name), rel=0.1)


def test_the_likeliest_hold_the_weight_that_is_asked():
    weight = np.array([[0.5, 0.3, 0.1, 0.06, 0.04], [0.3, 0.5, 0.1, 0.06, 0.04]])
    assert posterior.likeliest(weight).tolist() == [0, 1, 2, 3]


def test_information_in_bits():
    assert posterior.bits(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == 1
    assert posterior.bits(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0


def test_the_earlier_default_is_one_of_the_settings_that_may_be_drawn():
    row = posterior.guessed_row()
    for name, unknown in prior.UNKNOWNS.items():
        assert row[name][0].item() in unknown.weights
    for modes in (1, 2, 3):
        guessed = multimodal_settings.make_settings('guessed', modes=modes)
        assert identity(prior.as_post(row, 0, modes)) == identity(guessed)


def test_the_default_is_the_candidate():
    settings, arrays = prior.draw(), files.read_npz(FIGURES / 'inferred_runs.npz')
    for modes in (1, 2, 3):
        candidate = prior.as_post(settings, arrays['best'][int(arrays['candidate'])], modes)
        assert identity(candidate) == identity(multimodal_settings.make_settings(modes=modes))


def test_the_rule_for_a_new_default():
    assert posterior.clearly_better(20.0, np.array([True] * 9 + [False]))
    assert not posterior.clearly_better(19.0, np.array([True] * 10))
    assert not posterior.clearly_better(50.0, np.array([True] * 8 + [False] * 2))


def test_the_committed_tables_follow_from_the_committed_runs(tmp_path):
    files.write_npz(tmp_path / 'inferred_runs.npz', files.read_npz(FIGURES / 'inferred_runs.npz'))
    gallery.written(tmp_path)
    for name in ('inferred_unknowns.md', 'inferred_best.md', 'inferred_default.md', 'inferred.csv'):
        assert (tmp_path / name).read_text(encoding='utf-8') == (FIGURES / name).read_text(encoding='utf-8')
    bars = files.read_npz(tmp_path / 'inferred.npz')
    assert (bars['low'] <= bars['weight'] + 1e-9).all() and (bars['weight'] <= bars['high'] + 1e-9).all()
    for unknown in prior.UNKNOWNS.values():
        assert bars['weight'][bars['unknown'] == unknown.what].sum() == pytest.approx(1)
