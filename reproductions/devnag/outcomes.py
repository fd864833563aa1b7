"""How the runs of Dev Nag's post end: what is judged, what counts as success, and the columns of results.csv."""

import functools

import numpy as np
import tensorflow as tf

from common import training
from common.devices import distribution
from common.evaluation import metrics
from common.nn.random import Stream
from reproductions.devnag import gan

RUNS_AT_ONCE = 50  # evaluated; a hidden layer of theirs on all draws takes 10 MB, or 100 MB with 50 units


def truth(settings):
    """The data's distribution."""
    return metrics.gaussian(settings.mu, settings.sigma)


def success_bound(settings):
    """A run ends well if its Wasserstein distance to the data is below a quarter of the data's deviation.

    The post's words are a Gaussian shape, a mean of 4 and a deviation in the right ballpark. A Gaussian passes if its mean is
    within a quarter of a deviation or its width within 31 %; a uniform distribution with the data's mean and deviation passes
    (0.15 deviations away), two points do not (0.54), so that a hollow shape fails even if its first moments are right.
    """
    return settings.sigma / 4


@functools.cache
def make_evaluation(settings):
    """Compiled (seeds, d, g) -> G on 10,000 fresh draws of U(0, 1), [runs, 10,000], and D's decisions on them, [runs, batches].

    The batches are consecutive; an incomplete last one is left out.
    """
    batches = gan.DRAWS // settings.batch_size

    @tf.function(jit_compile=True, autograph=False)
    def evaluate(seeds, d, g):
        samples = gan.generator(settings, g, gan.noise(seeds, Stream.FIGURE, 0, gan.DRAWS))[:, 0]
        whole = tf.reshape(samples[:, : batches * settings.batch_size], [-1, 1, settings.batch_size])  # a batch a row
        views = tf.reshape(gan.view(settings, whole), [seeds.shape[0], batches, -1])
        return samples, gan.discriminator(settings, d, tf.transpose(views, [0, 2, 1]))[:, 0]

    return evaluate


def evaluate_rows(settings, seeds, players, rows):
    """`make_evaluation` for some runs, as NumPy arrays; `players` are `training.Players` of NumPy arrays."""
    d, g = tf.nest.map_structure(lambda value: tf.constant(value[rows]), (players.d, players.g))
    return tuple(value.numpy() for value in make_evaluation(settings)(tf.constant(seeds[rows]), d, g))


def results_table(settings, seeds, players, history):
    """The columns of results.csv, a value a run.

    Args:
      settings: `Settings`.
      seeds: uint32 [runs].
      players: `training.Players` of NumPy arrays.
      history: {name: array}, joined records of `training.train`.

    Returns:
      {column: [runs]}. A run is finite if its samples and D's decisions on them are; losses are means over the last 100 rounds
      of the loss of a round's last update.
    """
    parts = []
    for rows in np.array_split(np.arange(len(seeds)), -(-len(seeds) // RUNS_AT_ONCE)):
        samples, decisions = evaluate_rows(settings, seeds, players, rows)
        columns = {'finite': np.isfinite(samples).all(axis=1) & np.isfinite(decisions).all(axis=1)}
        columns |= metrics.describe(samples, truth(settings))
        columns |= {'d_mean': decisions.mean(axis=1), 'd_min': decisions.min(axis=1), 'd_max': decisions.max(axis=1)}
        parts.append(columns)
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    finite = table.pop('finite')
    success = finite & (table['wasserstein'] < success_bound(settings))
    table = {'seed': seeds, 'finite': finite.astype(int), 'success': success.astype(int)} | table
    return table | {name: training.settled_mean(history['step'], history[name]) for name in ('loss_d', 'loss_g')}


def train_many(settings, seed, runs, num_steps=None):
    """Trains seeds seed .. seed+runs-1 on the CPU: (columns of results.csv, history, `training.Players` of NumPy arrays)."""
    seeds = np.arange(seed, seed + runs, dtype=np.uint32)
    strategy = distribution.make_strategy('cpu', runs)
    num_steps = num_steps or gan.VARIANTS[settings.variant].num_steps
    state, parts = None, []
    for state, records in training.train(gan.make_experiment(settings), strategy, seeds, num_steps, every=1):  # noqa: B007
        parts.append(records)
    _, players = distribution.to_host(strategy, state)
    history = training.join_records(parts)
    return results_table(settings, seeds, players, history), history, players
