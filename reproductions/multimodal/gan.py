"""The GAN of the multi-modal post, meant to be read beside it.

From top to bottom: data, noise, networks, losses, schedule, outcomes.
"""

import functools
import itertools
from typing import Any

import numpy as np
import scipy.stats
import tensorflow as tf

from common import remedies, training
from common.evaluation import claims, metrics, outcomes
from common.nn import layers, losses, random
from common.nn.random import Stream
from common.plotting import figures
from common.sizes import minibatch_group
from reproductions.aylien import gan as aylien
from reproductions.aylien.settings import NOISE_RANGE, PLOT_POINTS, PRETRAIN_RANGE
from reproductions.aylien.settings import Settings as AylienSettings
from reproductions.aylien.settings import make_settings as make_aylien_settings
from reproductions.multimodal.settings import AYLIEN, EARLY_RECORDS, Settings

# --- Data and noise -----------------------------------------------------------------------------------------------------------


def real_samples(settings: Settings, seeds: tf.Tensor, step: tf.Tensor, count: int, stream: Stream = Stream.DATA) -> tf.Tensor:
    """Real samples, [runs, 1, count].

    Modes are dealt round-robin across batches: sample k of step t comes from mode (t * count + k) mod modes. If the number of
    modes divides the batch, each has equally many samples; otherwise counts differ by at most one, and the modes that get one
    sample less take turns. Without `equal_modes` they are drawn at random.
    """
    modes = settings.modes
    mode = (tf.range(count) + tf.cast(step, tf.int32) % modes * count) % modes
    if settings.equal_modes is not True:
        drawn = tf.cast(random.uniform(seeds, Stream.MODES, step, count) * modes, tf.int32)
        mode = tf.where(tf.reshape(settings.equal_modes, [-1, 1]), mode, drawn)
    mean, std = (of_mode(values, mode) for values in (settings.means, settings.deviations))
    return (mean + std * random.normal(seeds, stream, step, count))[:, None, :]


def of_mode(values: tuple[float, ...] | tf.Tensor, mode: tf.Tensor) -> tf.Tensor:
    """The value of each sample's mode: values [modes], or [runs, 1, modes] if runs differ; mode [runs or 1, n]."""
    if not tf.is_tensor(values):
        return tf.gather(np.float32(values), mode)
    return tf.reduce_sum(values * tf.one_hot(mode, values.shape[2]), axis=2)


def noise(settings: Settings, seeds: tf.Tensor, stream: Stream, step: tf.Tensor) -> tf.Tensor:
    """Aylien's stratified noise, [runs, 1, batch]."""
    return random.stratified(seeds, stream, step, settings.batch_size, settings.noise_range)


def pretraining_batch(settings: Settings, seeds: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """x ~ U(-5, 5), as Aylien's program samples it, and the density there that D is to learn, each [runs, 1, batch]."""
    x = PRETRAIN_RANGE * (2 * random.uniform(seeds, Stream.PRETRAIN, step, settings.batch_size)[:, None, :] - 1)
    means, stds = (by_row(values) for values in (settings.means, settings.deviations))
    densities = tf.exp(-0.5 * tf.square((x - means) / stds)) / (stds * np.float32(np.sqrt(2 * np.pi)))
    if settings.pretrain_weights is None:
        return x, tf.reduce_mean(densities, axis=1, keepdims=True)
    return x, tf.reduce_sum(by_row(settings.pretrain_weights) * densities, axis=1, keepdims=True)


def by_row(values: tuple[float, ...] | tf.Tensor) -> np.ndarray | tf.Tensor:
    """One value per mode as rows, [modes, 1], or [runs, modes, 1] of a tensor [runs, 1, modes]."""
    return tf.transpose(values, [0, 2, 1]) if tf.is_tensor(values) else np.float32(values)[:, None]


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_generator(settings: Settings, seeds: tf.Tensor) -> tuple[layers.Linear, ...]:
    """G: linear layers 1 -> hidden sizes -> 1; weights N(0, 1), biases 0."""
    widths = [1, *settings.hidden_sizes, 1]
    shapes = [(b, a) for a, b in itertools.pairwise(widths)]
    return layers.scaled(layers.normal_linears(seeds, Stream.WEIGHTS_G, shapes), settings.init_scale)


def generator(settings: Settings, g: Any, z: tf.Tensor) -> tf.Tensor:
    """[runs, 1, batch] -> [runs, 1, batch]."""
    activation = {'tanh': tf.tanh, 'softplus': tf.nn.softplus, 'relu': tf.nn.relu, 'sigmoid': tf.sigmoid}[settings.activation]
    *hidden, last = g
    for layer in hidden:
        z = activation(layers.dense(z, layer))
    return layers.dense(z, last)


def aylien_settings(settings: Settings) -> AylienSettings:
    """Settings of Aylien's discriminator and optimizer, which the post keeps."""
    shared = ('minibatch', 'learning_rate', 'd_learning_rate', 'g_learning_rate', 'decay', 'init_scale')
    return make_aylien_settings(AYLIEN, **{name: getattr(settings, name) for name in shared})


def discriminator(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """Aylien's: the probability that x is real, [runs, 1, batch] -> [runs, 1, batch]."""
    return aylien.discriminator(aylien_settings(settings), d, x)


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def make_train_step(settings: Settings) -> training.TrainStep:
    """The adversarial training: Aylien's losses with the plain log."""
    base = aylien_settings(settings)
    return training.TrainStep(
        generate=lambda g, z: generator(settings, g, z),
        loss_d=lambda d, x, fake: losses.discriminator_loss(
            discriminator(settings, d, x), discriminator(settings, d, fake), smoothing=settings.remedies.label_smoothing
        ),
        loss_g=lambda d, fake: losses.generator_loss(discriminator(settings, d, fake)),
        draw_d=lambda seeds, step: (
            real_samples(settings, seeds, step, settings.batch_size),
            noise(settings, seeds, Stream.NOISE_D, step),
        ),
        draw_g=lambda seeds, step: noise(settings, seeds, Stream.NOISE_G, step),
        optimizer_d=aylien.make_optimizer(base, base.d_learning_rate),
        optimizer_g=aylien.make_optimizer(base, base.g_learning_rate),
        d_steps=settings.d_steps,
        g_steps=settings.g_steps,
    )


def make_pretrain_step(settings: Settings) -> training.PretrainStep:
    """Pre-training: D regressed onto the true density, as in Aylien's program."""
    return training.PretrainStep(
        loss=lambda d, x, y: losses.mean_squared_error(discriminator(settings, d, x), y),
        draw=lambda seeds, step: pretraining_batch(settings, seeds, step),
        optimizer=aylien.make_optimizer(aylien_settings(settings), settings.d_learning_rate),
    )


@functools.cache
def make_experiment(settings: Settings) -> training.Experiment:
    """The experiment for these settings; cached, so that a second run does not compile again."""
    return remedies.make_experiment(
        settings.remedies,
        rows=1,
        output=lambda d, x: aylien.discriminator_logits(aylien_settings(settings), d, x),
        init=lambda seeds: (aylien.init_discriminator(aylien_settings(settings), seeds), init_generator(settings, seeds)),
        train_step=make_train_step(settings),
        measure=lambda state: measure(settings, state.g),
        pretrain_step=make_pretrain_step(settings),
        pretrain_steps=settings.pretrain_steps,
        early=EARLY_RECORDS,
        group=minibatch_group(settings),
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------


def truth(settings: Settings) -> Any:
    """The data's distribution."""
    return mixture(settings.means, settings.deviations)


mixture = functools.cache(metrics.gaussian_mixture)  # of tuples of means and stds


def success_threshold(settings: Settings) -> float:
    """A run succeeds if its Wasserstein distance to the data is below the mean std of the modes.

    It has converged at the first record from which on it stays there. The post counts a generator as converged if it puts its
    mass on the means ("the great peaks are not incorrect"): with the right share on each mean it is 0.80 stds away and passes.
    These fail: a uniform distribution over three modes 8 stds apart (1.2 stds away), a missing middle mode of three (2.4), a
    missing outer one (4.0), and the right distribution shifted by more than one std.
    """
    return float(np.mean(settings.deviations))


def measure(settings: Settings, g: Any) -> dict[str, tf.Tensor]:
    """Recorded during training, [runs]: mean, std and Wasserstein distance of G on 256 points over the noise range."""
    samples = generator(settings, g, outcomes.middles(256, settings.noise_range))
    return {
        'mean': tf.reduce_mean(samples, axis=[1, 2]),
        'std': tf.math.reduce_std(samples, axis=[1, 2]),
        'wasserstein': metrics.wasserstein_inside(samples, truth(settings)),
    }


@functools.cache
def bins(settings: Settings) -> figures.Bins:
    """Bins for the figures: Aylien's, or enough that each is at most half the narrowest mode's std wide."""
    half_range = NOISE_RANGE
    count = max(len(aylien.BINS.places), int(np.ceil(4 * half_range / min(settings.deviations))))
    edges = np.linspace(-half_range, half_range, count + 1)
    return figures.Bins(edges, (edges[:-1] + edges[1:]) / 2)


def peak_height(settings: Settings, generated: np.ndarray) -> np.ndarray:
    """Height of the tallest bin, generated over real, [runs, points] -> [runs]; NaN for a run that is not finite."""
    edges = bins(settings).edges
    tallest = [np.histogram(samples, edges)[0].max() / samples.size for samples in generated]
    return np.where(np.isfinite(generated).all(axis=1), tallest, np.nan) / np.diff(truth(settings).cdf(edges)).max()


@functools.cache
def evaluation(settings: Settings, points: int = PLOT_POINTS) -> outcomes.Evaluation:
    """The networks on Aylien's grid, which for G is scaled to the noise."""
    return outcomes.on_grid(settings, discriminator, generator, NOISE_RANGE, points, settings.batch_size, truth(settings))


def judge(settings: Settings) -> outcomes.Judge:
    """How runs with these settings are judged."""
    return outcomes.of_grid(
        evaluation(settings),
        success_threshold(settings),
        targets(settings),
        columns=lambda generated: (
            metrics.describe_modes(generated, settings.means, settings.deviations)
            | {'peak_height': peak_height(settings, generated)}
        ),
        course=lambda history, runs: convergence(settings, runs, history),
        afterword=converged,
    )


def convergence(settings: Settings, runs: int, history: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Columns of results.csv: when each run converged, [runs] each, see `metrics.convergence_steps`."""
    if 'step' not in history:  # stopped before adversarial training
        return dict.fromkeys(('first_step_below', 'convergence_step'), np.full(runs, np.inf))
    first, lasting = metrics.convergence_steps(history['step'], history['wasserstein'], success_threshold(settings))
    return {'first_step_below': first, 'convergence_step': lasting}


def converged(table: dict[str, np.ndarray]) -> str:
    """A line of text: when the runs of results.csv converged."""
    steps = table['convergence_step'][np.isfinite(table['convergence_step'])]
    if len(table['seed']) == 1:
        return f'converged at step {steps[0]:,.0f}' if steps.size else 'did not converge, or not for good'
    share = claims.proportion(np.isfinite(table['convergence_step']))
    text = f'converged: {steps.size:,} of {share.n:,} = {share.value:.1%} [{share.low:.1%}, {share.high:.1%}]'
    if steps.size:
        text += ', at step {1:,.0f} ({0:,.0f} .. {2:,.0f})'.format(*np.quantile(steps, [0.25, 0.5, 0.75]))
    return text


def targets(settings: Settings) -> dict[str, float]:
    """Values of the summary's columns for a perfect generator."""
    data = truth(settings)
    within = 1 - 2 * scipy.stats.norm.sf(metrics.MODE_REACH)
    return {
        'mean': float(data.mean()),
        'std': float(data.std()),
        'wasserstein': 0,
        'modes_covered': len(settings.means),
        'mode_mass_error': 0,
        'between_mass': 1 - within,
        'peak_height': 1,
        'd_mean': 0.5,
    }
