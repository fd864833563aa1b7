"""Interested in Tech, "Generative Adversarial Networks" (2017): Aylien's GAN on one, two, three and more Gaussian modes.

The post keeps Aylien's discriminator and makes the generator wider: hidden layers of h, 2h and 3h units for one, two and three
modes. Its data and its generator were shown as pictures that are lost, so most numbers below are choices: docs/multimodal.md
says of each what the post states, why it was chosen, and what changes with it.

  python -m reproductions.multimodal --modes=3            three modes, hidden layers of 3h, 5,000 steps
  python -m reproductions.multimodal --modes=3 --runs=1000             a thousand seeds at once
  python -m reproductions.multimodal --modes=1 --layers=2              with one generator layer removed
  python -m reproductions.multimodal --modes=3 --hidden_sizes=12,8,8   with the last two layers narrowed to 2h
  python -m reproductions.multimodal --modes=3 --hidden_sizes=4 --activation=softplus   Aylien's own generator
  python -m reproductions.multimodal --means=-5,1,4 --deviations=0.5,0.2,0.7           other modes
  python -m reproductions.multimodal --modes=3 --animation             also the training as a GIF
  python -m reproductions.multimodal --claims --runs=500               the post's claims, measured

Files go to --output_dir: config.json, results.csv (a row a seed), history.npz, figure.png, checkpoint/.
"""

import functools
import itertools
from typing import NamedTuple

import numpy as np
import scipy.stats
import tensorflow as tf
from absl import flags

from common import app, claims, cli, export, figures, layers, losses, metrics, outcomes, pictures, random, training
from common.random import Stream
from reproductions import aylien, multimodal_drawing

# --- What was published -------------------------------------------------------------------------------------------------------

VARIANTS = ('2017-04',)  # the post; no program was published
AYLIEN = '2016-12'  # Aylien's program as it was then, from which D, optimiser, rate, pre-training, batch and noise are taken
SEED = 4  # the seed of which the post says that models converge with it

NUM_STEPS = 5000  # the post's limit
RECORD_EVERY = 50
EARLY_RECORDS = tuple(range(1, 402, 5))  # after every fifth step up to the 400th, where the post's convergence happens
REACH = 4.0  # the outermost means of two modes and more lie at +-4, where Aylien's single mean is
SIGMA = 0.5  # Aylien's
MOST_MODES, MOST_UNITS = 100, 1000  # that the command line takes
LEAST_DEVIATION = 1e-3  # likewise: the figures' bins are half as wide, 32,000 of them
SPACING = 8.0  # least distance of the default modes in deviations: three modes at -4, 0, 4 are that far apart


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds and the number of steps."""

    means: tuple[float, ...]  # ascending
    deviations: tuple[float, ...]
    hidden_sizes: tuple[int, ...]  # of G
    activation: str  # of G's hidden layers
    minibatch: bool  # minibatch discrimination in D, an extension
    batch_size: int
    noise_range: float
    learning_rate: float
    pretrain_steps: int


def make_settings(modes=3, hidden_size=4, layers=3, minibatch=False, **changes):
    """The settings for so many modes with G's hidden layers all of `hidden_size * modes` units, as the post has them.

    `changes` may name any field, and None stands for the default.
    """
    means, deviations = default_modes(modes)
    base = aylien.make_settings(AYLIEN, minibatch)
    settings = Settings(
        means=means,
        deviations=deviations,
        hidden_sizes=(hidden_size * modes,) * layers,
        activation='tanh',
        minibatch=minibatch,
        batch_size=-(-base.batch_size // modes) * modes,  # 12, or the next number that the modes divide
        noise_range=aylien.NOISE_RANGE,
        learning_rate=base.learning_rate,
        pretrain_steps=base.pretrain_steps,
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})


def default_modes(modes):
    """Means spread evenly and symmetrically about 0, and their deviations: (means, deviations), [modes] each."""
    if modes == 1:
        return (0.0,), (SIGMA,)
    means = np.linspace(-REACH, REACH, modes)
    return tuple(means.tolist()), (min(SIGMA, float(means[1] - means[0]) / SPACING),) * modes


# --- Data and noise -----------------------------------------------------------------------------------------------------------


def real_samples(settings, seeds, step, count, stream=Stream.DATA):
    """Equal parts of every mode, [runs, 1, count].

    Modes are dealt like cards, on from batch to batch: sample k of step t is of mode (t * count + k) mod modes. A batch that
    the modes divide has equally many of each; in any other, no two modes differ by more than one sample, and the modes that are
    short take turns.
    """
    modes = len(settings.means)
    mode = (tf.range(count) + tf.cast(step, tf.int32) % modes * count) % modes
    mean, deviation = (tf.gather(np.float32(values), mode) for values in (settings.means, settings.deviations))
    return (mean + deviation * random.normal(seeds, stream, step, count))[:, None, :]


def noise(settings, seeds, stream, step):
    """Aylien's stratified noise, [runs, 1, batch]."""
    return random.stratified(seeds, stream, step, settings.batch_size, settings.noise_range)


def pretraining_batch(settings, seeds, step):
    """x ~ U(-5, 5), as Aylien's program draws it, and the true density at x, each [runs, 1, batch]."""
    x = aylien.PRETRAIN_RANGE * (2 * random.uniform(seeds, Stream.PRETRAIN, step, settings.batch_size)[:, None, :] - 1)
    means, deviations = (np.float32(values)[:, None] for values in (settings.means, settings.deviations))
    densities = tf.exp(-0.5 * tf.square((x - means) / deviations)) / (deviations * np.float32(np.sqrt(2 * np.pi)))
    return x, tf.reduce_mean(densities, axis=1, keepdims=True)


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_generator(settings, seeds):
    """G: linear layers 1 -> hidden sizes -> 1; weights N(0, 1), biases 0."""
    widths = [1, *settings.hidden_sizes, 1]
    return layers.normal_linears(seeds, Stream.WEIGHTS_G, [(b, a) for a, b in itertools.pairwise(widths)])


ACTIVATIONS = {'tanh': tf.tanh, 'softplus': tf.nn.softplus, 'relu': tf.nn.relu, 'sigmoid': tf.sigmoid}


def generator(settings, g, z):
    """[runs, 1, batch] -> [runs, 1, batch]."""
    *hidden, last = g
    for layer in hidden:
        z = ACTIVATIONS[settings.activation](layers.dense(z, layer))
    return layers.dense(z, last)


def aylien_settings(settings):
    """The settings of Aylien's discriminator and optimiser, which the post keeps."""
    return aylien.make_settings(AYLIEN, settings.minibatch, learning_rate=settings.learning_rate)


def discriminator(settings, d, x):
    """Aylien's: the probability that x is real, [runs, 1, batch] -> [runs, 1, batch]."""
    return aylien.discriminator(aylien_settings(settings), d, x)


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def make_game(settings):
    """The adversarial training, Aylien's losses with the plain log."""
    optimizer = aylien.make_optimizer(aylien_settings(settings))
    return training.Game(
        loss_d=lambda d, g, x, z: losses.discriminator_loss(
            discriminator(settings, d, x), discriminator(settings, d, generator(settings, g, z))
        ),
        loss_g=lambda d, g, z: losses.generator_loss(discriminator(settings, d, generator(settings, g, z))),
        draw_d=lambda seeds, step: (
            real_samples(settings, seeds, step, settings.batch_size),
            noise(settings, seeds, Stream.NOISE_D, step),
        ),
        draw_g=lambda seeds, step: noise(settings, seeds, Stream.NOISE_G, step),
        optimizer_d=optimizer,
        optimizer_g=optimizer,
    )


def make_pretraining(settings):
    """D regressed onto the true density, as in Aylien's program."""
    return training.Regression(
        loss=lambda d, x, y: losses.mean_squared_error(discriminator(settings, d, x), y),
        draw=lambda seeds, step: pretraining_batch(settings, seeds, step),
        optimizer=aylien.make_optimizer(aylien_settings(settings)),
    )


@functools.cache
def make_experiment(settings):
    """The settings made runnable; cached, so that a second training compiles nothing."""
    return training.make_experiment(
        init=lambda seeds: (aylien.init_discriminator(aylien_settings(settings), seeds), init_generator(settings, seeds)),
        game=make_game(settings),
        measure=lambda state: measure(settings, state.g),
        regression=make_pretraining(settings),
        pretrain_steps=settings.pretrain_steps,
        early=EARLY_RECORDS,
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------


@functools.cache
def truth(settings):
    """The data's distribution."""
    return metrics.gaussian_mixture(settings.means, settings.deviations)


def success_bound(settings):
    """A run succeeds if its Wasserstein distance to the data is below the modes' mean deviation, and has converged at the first
    record from which on it stays there.

    The post counts a generator as converged that puts its mass on the means ("the great peaks are not incorrect"): with the
    right share on every mean it is 0.80 deviations away, and passes. Noise spread evenly over modes 8 deviations apart is 1.2
    away, three modes of which one is missing are 2.7, and a generator that is right but for a shift of more than a deviation is
    further away than that: they fail.
    """
    return float(np.mean(settings.deviations))


def measure(settings, g):
    """What is recorded on the way, [runs]: mean, deviation and Wasserstein distance of G on 256 points over the noise range."""
    samples = generator(settings, g, outcomes.middles(256, settings.noise_range))
    return {
        'mean': tf.reduce_mean(samples, axis=[1, 2]),
        'std': tf.math.reduce_std(samples, axis=[1, 2]),
        'wasserstein': metrics.wasserstein_inside(samples, truth(settings)),
    }


@functools.cache
def bins(settings):
    """The bins of the figures: Aylien's, or as many more as make them half as wide as the narrowest mode's deviation."""
    half_range = aylien.NOISE_RANGE
    count = max(len(aylien.BINS.places), int(np.ceil(4 * half_range / min(settings.deviations))))
    edges = np.linspace(-half_range, half_range, count + 1)
    return figures.Bins(edges, (edges[:-1] + edges[1:]) / 2)


def peak_height(settings, generated):
    """The generated density's tallest bin over the data's, [runs, points] -> [runs]; NaN where nothing is in range."""
    edges = bins(settings).edges
    tallest = [np.histogram(samples, edges)[0].max() / samples.size for samples in generated]
    return np.where(np.isfinite(generated).all(axis=1), tallest, np.nan) / np.diff(truth(settings).cdf(edges)).max()


@functools.cache
def make_evaluation(settings):
    """What the final networks are judged on: Aylien's grid (G's noise over its own range), the true distribution, the bound."""
    return outcomes.make_evaluation(
        discriminator=lambda d, x: discriminator(settings, d, x),
        generator=lambda g, x: generator(settings, g, x * (settings.noise_range / aylien.NOISE_RANGE)),
        grid=np.linspace(-aylien.NOISE_RANGE, aylien.NOISE_RANGE, aylien.PLOT_POINTS),
        batch_size=settings.batch_size,
        truth=truth(settings),
        success_bound=success_bound(settings),
        columns=lambda generated: (
            metrics.describe_modes(generated, settings.means, settings.deviations)
            | {'peak_height': peak_height(settings, generated)}
        ),
    )


def convergence(settings, runs, history):
    """The columns of results.csv that say when a run converged, [runs] each: see `metrics.convergence_steps`."""
    if 'step' not in history:  # stopped before the game
        return dict.fromkeys(('first_step_below', 'convergence_step'), np.full(runs, np.inf))
    first, lasting = metrics.convergence_steps(history['step'], history['wasserstein'], success_bound(settings))
    return {'first_step_below': first, 'convergence_step': lasting}


def train_many(settings, seed, runs, num_steps=NUM_STEPS, every=RECORD_EVERY):
    """Trains seeds seed .. seed+runs-1 on the CPU: (columns of results.csv, history)."""
    table, history = outcomes.train_many(make_experiment(settings), make_evaluation(settings), seed, runs, num_steps, every)
    return table | convergence(settings, runs, history), history


# --- Figures ------------------------------------------------------------------------------------------------------------------


def real_density(settings):
    """The histogram of 10,000 real samples, as the post draws the data, [bins]."""
    samples = real_samples(settings, tf.constant([SEED], tf.uint32), 0, aylien.PLOT_POINTS, Stream.FIGURE)
    return figures.density(samples.numpy().ravel(), bins(settings))


def counted(modes):
    """'1 mode', '2 modes', ..."""
    return f'{modes} mode{"s" * (modes > 1)}'


def describe(settings):
    """The setting in a few words, for titles."""
    return f'{counted(len(settings.means))}, hidden layers {"-".join(map(str, settings.hidden_sizes))} {settings.activation}'


def draw(settings, directory, seeds, trained, table):
    """Writes figure.png of the first seed and, for an ensemble, ensemble.png and convergence.png; each with its numbers."""
    evaluation, real = make_evaluation(settings), real_density(settings)
    title = f'{describe(settings)}, seed {seeds[0]}'
    pictures.final(directory, title, evaluation, bins(settings), real, trained.players)
    if len(seeds) > 1:
        title = f'{describe(settings)} ({len(seeds):,} seeds)'
        pictures.ensemble(directory, title, evaluation, bins(settings), real, seeds, trained.players, table, trained.history)
        draw_convergence(directory / 'convergence.png', title, {'': table}, int(trained.players.step))


def draw_convergence(path, title, tables, num_steps):
    """Writes the figure of when runs converge; `tables` are {label: {column: [runs]}}, no more than three."""
    columns = ('first_step_below', 'convergence_step')
    steps = {name: np.stack([table[name] for table in tables.values()]) for name in columns}
    arrays = {'title': title, 'labels': list(tables), 'num_steps': num_steps} | steps
    figures.write(path, multimodal_drawing.convergence, arrays)


# --- Command line -------------------------------------------------------------------------------------------------------------


def define_flags():
    """The command line of this post."""
    opts = cli.common_flags()
    flags.DEFINE_enum('variant', VARIANTS[0], VARIANTS, 'Which published state of the post; there is one.', flag_values=opts)
    flags.DEFINE_integer(
        'seed', SEED, 'First seed (the post speaks of 42 and 4).', lower_bound=0, upper_bound=2**32 - 1, flag_values=opts
    )
    flags.DEFINE_integer(
        'modes', None, 'Gaussian modes of the data (default 3; the post: 1, 2 and 3).', lower_bound=1, upper_bound=MOST_MODES,
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_list(
        'means', None, 'Means of the modes (default: 0 for one, else evenly spread over +-4; the post shows a picture).',
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_list(
        'deviations', None, 'Their deviations, one or one a mode (default 0.5, less where modes are closer than 8 of them; '
        'the post shows a picture).', flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'hidden_size', 4, 'h: the hidden layers of G have h times the modes units (the post: 4).', lower_bound=1,
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'layers', 3, 'Hidden layers of G (the post does not say; at least three).', lower_bound=1, upper_bound=10,
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_list(
        'hidden_sizes', None, 'Widths of the hidden layers of G one by one, in place of the two.', flag_values=opts
    )
    flags.DEFINE_enum(
        'activation', 'tanh', list(ACTIVATIONS), "Of G's hidden layers (the post does not say; Aylien's: softplus).",
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_bool('minibatch', False, 'Minibatch discrimination in D (the post: none).', flag_values=opts)
    flags.DEFINE_float(
        'noise_range', aylien.NOISE_RANGE, "Noise is spread over +- this (the post does not say; Aylien's: 8).",
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_float(
        'learning_rate', None, "Initial rate (the post does not say; default: Aylien's then, 0.03, or 0.005 with --minibatch).",
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'pretrain_steps', None, "Steps of D's pre-training (the post does not say; default: Aylien's then, 1000).",
        lower_bound=0, upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'log_every', RECORD_EVERY, 'Steps between records (besides every fifth step up to the 400th), whose mean losses are '
        'printed for a solo run.', lower_bound=1, upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    return opts


def settings_from_flags(opts):
    """The settings of the command line. Raises cli.UserError, in one line, where they make no sense."""
    cli.positive(opts, 'learning_rate', 'noise_range')
    means, deviations = modes_from_flags(opts)
    sizes = cli.sizes(opts, 'hidden_sizes')
    if sizes and (opts['layers'].present or opts['hidden_size'].present):
        raise cli.UserError(
            f'--hidden_sizes={",".join(map(str, sizes))} gives every width; leave out --hidden_size and --layers'
        )
    settings = make_settings(
        len(means), opts.hidden_size, opts.layers, opts.minibatch, means=means, deviations=deviations,
        hidden_sizes=sizes or None, activation=opts.activation, batch_size=opts.batch_size, noise_range=opts.noise_range,
        learning_rate=opts.learning_rate, pretrain_steps=opts.pretrain_steps,
    )  # fmt: skip
    if settings.minibatch and settings.batch_size < 2:
        raise cli.UserError(f'--batch_size={settings.batch_size}: minibatch discrimination compares samples; use 2 or more')
    if settings.batch_size > aylien.PLOT_POINTS:
        raise cli.UserError(f'--batch_size={settings.batch_size} is more than the {aylien.PLOT_POINTS:,} points that are drawn')
    if max(settings.hidden_sizes) > MOST_UNITS:
        raise cli.UserError(f'hidden layers of {max(settings.hidden_sizes):,} units are too wide; use {MOST_UNITS:,} or fewer')
    return settings


def modes_from_flags(opts):
    """Means in ascending order and their deviations. Raises cli.UserError unless they are apart and inside the figure."""
    means = numbers(opts, 'means')
    if len(means) > MOST_MODES:
        raise cli.UserError(f'--means names {len(means):,} modes; use {MOST_MODES} or fewer')
    if means and opts.modes not in (None, len(means)):
        raise cli.UserError(f'--modes={opts.modes} but --means={",".join(opts.means)} names {len(means)}; leave out --modes')
    default_means, default_deviations = default_modes(len(means) or opts.modes or 3)
    deviations = numbers(opts, 'deviations')
    if means and not deviations:
        deviations = (SIGMA,)
    means, deviations = means or default_means, deviations or default_deviations
    if len(deviations) not in (1, len(means)) or min(deviations) < LEAST_DEVIATION:
        given = ','.join(opts.deviations or [])
        raise cli.UserError(
            f'--deviations={given} must be one number from {LEAST_DEVIATION:g}, or {len(means)} of them, one a mode'
        )
    deviations = deviations * (len(means) // len(deviations))
    modes = sorted(zip(means, deviations, strict=True))
    reach = metrics.MODE_REACH
    for (low, narrow), (high, wide) in itertools.pairwise(modes):
        if high - low < reach * (narrow + wide):
            raise cli.UserError(
                f'modes at {low:g} and {high:g} overlap; set --means and --deviations so that neighbours are '
                f'{reach:g} deviations of each apart, here {reach * (narrow + wide):g}'
            )
    for mean, deviation in modes:
        if abs(mean) + reach * deviation > aylien.NOISE_RANGE:
            raise cli.UserError(
                f'the mode at {mean:g} with deviation {deviation:g} leaves the figure; keep --means {reach:g} --deviations '
                f'inside +-{aylien.NOISE_RANGE:g}'
            )
    return tuple(zip(*modes, strict=True))


def numbers(opts, name):
    """The numbers of a list flag, () where it was not given. Raises cli.UserError unless they are finite."""
    words = opts[name].value
    try:
        found = tuple(float(word) for word in words or ())
    except ValueError:
        found = (np.nan,)
    if words is not None and not (found and np.isfinite(found).all()):
        raise cli.UserError(f'--{name}={",".join(words)} must be numbers, such as -4,0.5,4')
    return found


def main(argv):
    """Runs what the command line asks for; returns the exit status."""
    opts = define_flags()
    cli.parse(opts, argv, __doc__)
    if opts.replay:
        from reproductions import multimodal_replay

        decided = sorted(set(opts) - set(cli.common_flags()) - {'seed'} | {'batch_size'})
        return app.run_replay(opts, 'multimodal', multimodal_replay.replay_trace, decided)
    if opts.claims:
        from reproductions import multimodal_claims

        return app.run_claims(opts, 'multimodal', multimodal_claims.measure, multimodal_claims.ENSEMBLES)
    settings = settings_from_flags(opts)
    num_steps = opts.num_steps or NUM_STEPS
    cli.check_memory(opts, [(1, *settings.hidden_sizes, 1)], settings.batch_size, aylien.comparisons(settings, opts.runs))
    seeds = cli.seeds(opts)
    devices = app.strategy(opts)
    directory = app.output_directory(opts, 'multimodal', devices)
    frames, add_frame = pictures.film(make_evaluation(settings), bins(settings))
    trained = app.train(
        opts, devices, make_experiment(settings), directory, settings._asdict(), num_steps, opts.log_every, opts.log_every,
        add_frame if opts.animation else None,
    )  # fmt: skip
    table = outcomes.results_table(make_evaluation(settings), seeds, trained.players, trained.history)
    table |= convergence(settings, opts.runs, trained.history)
    effective = settings._asdict() | {'modes': len(settings.means), 'num_steps': num_steps}
    app.write_results(opts, 'multimodal', directory, effective, trained, table)
    draw(settings, directory, seeds, trained, table)
    if frames:
        path, shown = directory / 'animation.gif', (-aylien.NOISE_RANGE, aylien.NOISE_RANGE, 1.4)
        title = f'{counted(len(settings.means))}, seed {seeds[0]}'
        film = pictures.draw_film(path, title, make_evaluation(settings), bins(settings), real_density(settings), frames, shown)
        app.drawing(film, len(frames), path)
    app.summary(table, targets(settings))
    export.of_run(
        opts,
        trained,
        functools.partial(generator, settings),
        lambda seeds, number: noise(settings, seeds, Stream.FIGURE, number),
    )
    print(f'{converged(table)}\nfiles in {directory}/')
    return app.exit_status(trained)


def converged(table):
    """When the runs of results.csv converged, as a line of text."""
    steps = table['convergence_step'][np.isfinite(table['convergence_step'])]
    if len(table['seed']) == 1:
        return f'converged at step {steps[0]:,.0f}' if steps.size else 'did not converge, or did not stay so'
    share = claims.proportion(np.isfinite(table['convergence_step']))
    text = f'converged: {steps.size:,} of {share.n:,} = {share.value:.1%} [{share.low:.1%}, {share.high:.1%}]'
    if steps.size:
        text += ', at step {1:,.0f} ({0:,.0f} .. {2:,.0f})'.format(*np.quantile(steps, [0.25, 0.5, 0.75]))
    return text


def targets(settings):
    """What the columns of the summary would be if G were the data's distribution."""
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


if __name__ == '__main__':
    cli.run(main)
