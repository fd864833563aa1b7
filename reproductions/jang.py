"""Eric Jang, "Generative Adversarial Nets in TensorFlow (Part I)" (2015, 2016): a GAN learns N(-1, 1).

Generator and discriminator are two tiny networks of one shape. D is first fitted to the data's density by least squares; then
both play, on real samples and noise that are sorted and stratified so that they line up.

  python -m reproductions.jang                            the post: pre-training, 10,000 iterations, its seven figures
  python -m reproductions.jang --runs=1000                a thousand seeds at once
  python -m reproductions.jang --nosort --nostratify      independent noise, which the post says fails
  python -m reproductions.jang --pretrain_steps=0         without pre-training
  python -m reproductions.jang --variant=2015-12          as first published: batches of 1,000, real samples unsorted
  python -m reproductions.jang --animation                also the training as a GIF
  python -m reproductions.jang --replay=TRACE.npz         step by step against a recorded run of the author's program
  python -m reproductions.jang --claims --runs=200        the post's claims, measured

Files go to --output_dir: config.json, results.csv (a row a seed), history.npz, the figures, checkpoint/.
"""

import functools
import itertools
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags

from common import (
    app,
    cli,
    export,
    figures,
    layers,
    losses,
    metrics,
    optimizers,
    outcomes,
    pictures,
    random,
    sorting,
    training,
)
from common.random import Stream
from reproductions import jang_drawing

# --- What was published -------------------------------------------------------------------------------------------------------


class Variant(NamedTuple):
    """One published state of the program, ericjang/genadv_tutorial on GitHub."""

    published: str  # commit
    batch_size: int  # M in the post
    sort: bool  # the real samples of a batch


VARIANTS = {
    '2016-06': Variant('52322e0', 200, True),
    '2015-12': Variant('d35a9db', 1000, False),
}
DEFAULT_VARIANT = '2016-06'

MU, SIGMA = -1.0, 1.0  # of the data
HALF_RANGE = 5.0  # noise, the samples of the pre-training and the axes of the figures cover +-5
OUTPUT_SCALE = 5.0  # of G, whose last layer ends in tanh as well
CLAMP = (0.01, 0.99)  # D's probabilities are kept inside, without a gradient outside
NUM_STEPS = 10_000
LEARNING_RATE, MOMENTUM = 0.001, 0.6
DECAY, DECAYS = 0.95, 4  # the rate is multiplied by 0.95 every quarter of the iterations, staircase
PLOT_POINTS = 5000  # at which the post draws D and G
PUBLISHED_BINS = 10  # of the post's histogram of G
PUBLISHED_PLACES = np.linspace(-5, 5, PUBLISHED_BINS)  # where the post draws it
BINS = figures.Bins(np.linspace(-5, 5, 101), np.linspace(-4.95, 4.95, 100))  # of ours


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds."""

    variant: str
    sort: bool
    stratify: bool
    activation: str
    hidden_sizes: tuple[int, ...]
    batch_size: int
    learning_rate: float
    pretrain_steps: int
    num_steps: int  # it decides the decay of the rate as well


def make_settings(variant=DEFAULT_VARIANT, **changes):
    """The settings of a variant; `changes` may name any other field, and None stands for the post's own value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant=variant,
        sort=published.sort,
        stratify=True,
        activation='tanh',
        hidden_sizes=(6, 5),
        batch_size=published.batch_size,
        learning_rate=LEARNING_RATE,
        pretrain_steps=1000,
        num_steps=NUM_STEPS,
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})


# --- Data and noise -----------------------------------------------------------------------------------------------------------


def real_samples(settings, seeds, step):
    """N(-1, 1), [runs, 1, batch], in ascending order if the settings say so."""
    return in_order(settings, MU + SIGMA * random.normal(seeds, Stream.DATA, step, settings.batch_size)[:, None, :])


def noise(settings, seeds, stream, step):
    """The input of G, [runs, 1, batch]: a fixed grid over +-5 jittered by U(0, 1) * 0.01, or independent U(-5, 5)."""
    if settings.stratify:
        return random.stratified(seeds, stream, step, settings.batch_size, HALF_RANGE)
    return in_order(settings, independent(settings, seeds, stream, step))


def independent(settings, seeds, stream, step):
    """U(-5, 5), [runs, 1, batch]."""
    return HALF_RANGE * (2 * random.uniform(seeds, stream, step, settings.batch_size)[:, None, :] - 1)


def in_order(settings, samples):
    """The samples of each batch in ascending order, or as they are."""
    return sorting.ascending(samples) if settings.sort else samples


def pretraining_batch(settings, seeds, step):
    """x ~ U(-5, 5) and the true density at x, each [runs, 1, batch]."""
    x = independent(settings, seeds, Stream.PRETRAIN, step)
    return x, tf.exp(-0.5 * tf.square((x - MU) / SIGMA)) / (SIGMA * np.sqrt(2 * np.pi))


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_mlp(settings, seeds, stream):
    """The one shape of both networks: 1 -> 6 -> 5 -> 1, weights N(0, 1), biases 0."""
    widths = [1, *settings.hidden_sizes, 1]
    return layers.normal_linears(seeds, stream, [(b, a) for a, b in itertools.pairwise(widths)])


def mlp(settings, params, x):
    """tanh on every layer, the last one too: [runs, 1, batch] -> [runs, 1, batch] within +-1.

    With `activation='relu'` the hidden layers are relu and the last one stays tanh: a relu at the output could not give G a
    negative sample.
    """
    *_, hidden = hidden_units(settings, params, x)
    return tf.tanh(layers.dense(hidden, params[-1]))


def hidden_units(settings, params, x):
    """The outputs of the hidden layers, a list of [runs, width, batch]."""
    activation = {'tanh': tf.tanh, 'relu': tf.nn.relu}[settings.activation]
    units = []
    for layer in params[:-1]:
        x = activation(layers.dense(x, layer))
        units.append(x)
    return units


def generator(settings, g, z):
    """5 * mlp(z): [runs, 1, batch] -> [runs, 1, batch]."""
    return OUTPUT_SCALE * mlp(settings, g, z)


def discriminator(settings, d, x):
    """The probability that x is real, mlp(x) clamped to [0.01, 0.99]: [runs, 1, batch] -> [runs, 1, batch]."""
    return tf.clip_by_value(mlp(settings, d, x), *CLAMP)


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def make_game(settings):
    """The adversarial training. The post maximises the objectives obj_d and obj_g; the losses here are their negatives."""
    return training.Game(
        loss_d=lambda d, g, x, z: losses.discriminator_loss(
            discriminator(settings, d, x), discriminator(settings, d, generator(settings, g, z))
        ),
        loss_g=lambda d, g, z: losses.generator_loss(discriminator(settings, d, generator(settings, g, z))),
        draw_d=lambda seeds, step: (real_samples(settings, seeds, step), noise(settings, seeds, Stream.NOISE_D, step)),
        draw_g=lambda seeds, step: noise(settings, seeds, Stream.NOISE_G, step),
        optimizer_d=make_optimizer(settings),
        optimizer_g=make_optimizer(settings),
    )


def make_pretraining(settings):
    """D, not yet clamped, regressed onto the true density; its optimiser is the game's, with a counter of its own."""
    return training.Regression(
        loss=lambda d, x, y: losses.mean_squared_error(mlp(settings, d, x), y),
        draw=lambda seeds, step: pretraining_batch(settings, seeds, step),
        optimizer=make_optimizer(settings),
    )


def make_optimizer(settings):
    """Momentum with a decaying rate."""
    every = max(1, settings.num_steps // DECAYS)
    return optimizers.momentum(optimizers.exponential_decay(settings.learning_rate, DECAY, every), MOMENTUM)


@functools.cache
def make_experiment(settings):
    """The settings made runnable; cached, so that a second training compiles nothing."""
    return training.make_experiment(
        init=lambda seeds: tuple(init_mlp(settings, seeds, stream) for stream in (Stream.WEIGHTS_D, Stream.WEIGHTS_G)),
        game=make_game(settings),
        measure=lambda state: measure(settings, state.d, state.g),
        regression=make_pretraining(settings),
        pretrain_steps=settings.pretrain_steps,
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------


TRUTH = metrics.gaussian(MU, SIGMA)
SUCCESS_BOUND = SIGMA / 4
"""A run succeeds if its Wasserstein distance to the data is below a quarter of the data's deviation, and has converged at the
first record where it is. A Gaussian at the right place passes if it keeps 69 % of the width, one of the right width if it is
less than a quarter of a deviation off; noise that G passes on unchanged, U(-5, 5), is 1.84 away and a G collapsed onto the mean
0.80."""


def measure(settings, d, g):
    """What is recorded on the way, [runs] each: mean, deviation and Wasserstein distance of G on 64 points over +-5, and the
    share of hidden units of each network that are flat there (their output moves by less than a hundredth)."""
    points = outcomes.middles(64, HALF_RANGE)
    samples = generator(settings, g, points)
    edges = np.linspace(-OUTPUT_SCALE, OUTPUT_SCALE, 201)
    return {
        'mean': tf.reduce_mean(samples, axis=[1, 2]),
        'std': tf.math.reduce_std(samples, axis=[1, 2]),
        'wasserstein': metrics.wasserstein_on_grid(samples, edges, TRUTH.cdf(edges)),
        'flat_d': flat_share(settings, d, points),
        'flat_g': flat_share(settings, g, points),
    }


def flat_share(settings, params, points):
    """Share of a network's hidden units whose output moves by less than 0.01 over the points, [runs]: saturated or dead."""
    units = tf.concat(hidden_units(settings, params, points), axis=1)
    moves = tf.reduce_max(units, axis=2) - tf.reduce_min(units, axis=2)
    return tf.reduce_mean(tf.cast(moves < 0.01, tf.float32), axis=1)


@functools.cache
def make_evaluation(settings):
    """What the final networks are judged on: the grid of the post's figures, the true distribution, the bound for success."""
    return outcomes.make_evaluation(
        discriminator=lambda d, x: discriminator(settings, d, x),
        generator=lambda g, z: generator(settings, g, z),
        grid=np.linspace(-HALF_RANGE, HALF_RANGE, PLOT_POINTS),
        batch_size=PLOT_POINTS,
        truth=TRUTH,
        success_bound=SUCCESS_BOUND,
    )


def train_many(settings, seed, runs, every=50):
    """Trains seeds seed .. seed+runs-1 on the CPU: (columns of results.csv, history)."""
    return outcomes.train_many(make_experiment(settings), make_evaluation(settings), seed, runs, settings.num_steps, every)


# --- Figures ------------------------------------------------------------------------------------------------------------------


def published_histogram(generated):
    """p_g as the post draws it, [10]: the mass in each of 10 bins over G's own range, drawn against linspace(-5, 5, 10).

    Neither a density (it is not divided by the width of its bins) nor in its place (its bins are not those of the axis).
    What is not finite is in none of them.
    """
    counts, _ = np.histogram(generated[np.isfinite(generated)], bins=PUBLISHED_BINS)
    return counts / len(generated)


def surfaces(settings, seed, trained):
    """Networks of the first run on the grid of the figures, {name: [points]}.

    `d_initial` and `d_pretrained` are D's network as it is pre-trained, without the clamp; `d_start` and `d_final` are D, and
    `g_start` and `g_final` G, as adversarial training begins and at its end.
    """
    evaluation = make_evaluation(settings)
    d_initial, g_start = make_experiment(settings).init(tf.constant([seed], tf.uint32))
    players = trained.pretrained, trained.players.d, trained.players.g
    d_start, d_final, g_final = tf.nest.map_structure(lambda value: tf.constant(value[:1]), players)
    grid = tf.constant(evaluation.grid[None, None], tf.float32)
    found = {'d_initial': mlp(settings, d_initial, grid)[0], 'd_pretrained': mlp(settings, d_start, grid)[0]}
    for stage, pair in (('start', (d_start, g_start)), ('final', (d_final, g_final))):
        found[f'd_{stage}'], found[f'g_{stage}'] = evaluation.surfaces(*pair)
    return {name: values.numpy()[0] for name, values in found.items()}


def draw(settings, directory, seeds, trained, table):
    """Writes the post's seven figures of the first seed and, for an ensemble, ensemble.png; each with its numbers as .npz."""
    evaluation = make_evaluation(settings)
    grid, curves = evaluation.grid, surfaces(settings, seeds[0], trained)
    p_data, history = TRUTH.pdf(grid), trained.history
    named = f'{settings.variant}, seed {seeds[0]}'

    draw_lines(directory / 'data.png', f'The data, N({MU:g}, {SIGMA:g})', grid, {'p_data': p_data})
    for name, stage, title in (
        ('decision_before', 'initial', 'Decision boundary of D at initialisation'),
        ('decision_after', 'pretrained', f'Decision boundary of D after {settings.pretrain_steps:,} steps of pre-training'),
    ):
        drawn = {'p_data': p_data, 'decision boundary': curves[f'd_{stage}']}
        draw_lines(directory / f'{name}.png', f'{title} ({named})', grid, drawn)
    if 'pretrain_loss' in history:
        steps, curve = history['pretrain_step'], {'mean squared error': history['pretrain_loss'][0]}
        labels = {'xlabel': 'step', 'ylabel': 'loss'}
        draw_lines(directory / 'pretraining_loss.png', f"Loss of D's pre-training ({named})", steps, curve, **labels)
    if 'loss_d' in history:
        objectives = {'obj_d': -history['loss_d'][0], 'obj_g': -history['loss_g'][0]}
        levels = {'-2 ln 2': -2 * np.log(2), '-ln 2': -np.log(2)}
        labels = {'xlabel': 'iteration', 'ylabel': 'objective'}
        draw_lines(directory / 'losses.png', f'Objectives ({named})', history['step'], objectives, levels, **labels)
    for name, stage, title in (('before', 'start', 'Before training'), ('figure', 'final', 'After training')):
        generated = curves[f'g_{stage}']
        arrays = {'title': f'{title} ({named})', 'grid': grid, 'p_data': p_data, 'decision': curves[f'd_{stage}']}
        arrays |= {'generated': generated, 'density': figures.density(generated, BINS), 'places': BINS.places}
        arrays |= {'published': published_histogram(generated), 'published_places': PUBLISHED_PLACES}
        figures.write(directory / f'{name}.png', jang_drawing.state, arrays)
    if len(seeds) > 1:
        real, title = TRUTH.pdf(BINS.places), f"Jang's GAN ({settings.variant}, {len(seeds):,} seeds)"
        pictures.ensemble(directory, title, evaluation, BINS, real, seeds, trained.players, table, history)


def draw_lines(path, title, x, curves, levels=None, xlabel='Data values', ylabel='Probability density'):
    """Writes a figure of some curves {label: [points]} over x [points], with dotted levels {label: height}."""
    levels = levels or {}
    arrays = {'title': title, 'xlabel': xlabel, 'ylabel': ylabel, 'x': x, 'labels': list(curves)} | curves
    arrays |= {'level_labels': np.array(list(levels), str), 'levels': np.array(list(levels.values()), float)}
    figures.write(path, jang_drawing.lines, arrays)


# --- Command line -------------------------------------------------------------------------------------------------------------


def define_flags():
    """The command line of this post."""
    opts = cli.common_flags()
    flags.DEFINE_enum(
        'variant',
        DEFAULT_VARIANT,
        list(VARIANTS),
        'Which published state of the program (the post: 2016-06).',
        flag_values=opts,
    )
    flags.DEFINE_integer('seed', 0, 'First seed (the post: none).', lower_bound=0, upper_bound=2**32 - 1, flag_values=opts)
    flags.DEFINE_bool(
        'sort', None, "Sort the samples of each batch (default: the variant's; the post: yes).",
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_bool('stratify', True, 'Noise on a jittered grid, not independent (the post: yes).', flag_values=opts)
    flags.DEFINE_enum('activation', 'tanh', ['tanh', 'relu'], 'Of the hidden layers (the post: tanh).', flag_values=opts)
    flags.DEFINE_list('hidden_sizes', None, 'Widths of the hidden layers of D and of G (the post: 6,5).', flag_values=opts)
    flags.DEFINE_float('learning_rate', LEARNING_RATE, 'Initial rate (the post: 0.001).', flag_values=opts)
    flags.DEFINE_integer(
        'pretrain_steps', 1000, "Steps of D's pre-training (the post: 1000).", lower_bound=0, upper_bound=2**31 - 1,
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'log_every', None, 'Iterations between records (default: 1 for a solo run, as in the post, else about 200 records).',
        lower_bound=1, upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    return opts


def settings_from_flags(opts):
    """The settings of the command line. Raises cli.UserError, in one line, where they make no sense."""
    cli.positive(opts, 'learning_rate')
    return make_settings(
        opts.variant, sort=opts.sort, stratify=opts.stratify, activation=opts.activation,
        hidden_sizes=cli.sizes(opts, 'hidden_sizes') or None, batch_size=opts.batch_size, learning_rate=opts.learning_rate,
        pretrain_steps=opts.pretrain_steps, num_steps=opts.num_steps,
    )  # fmt: skip


def main(argv):
    """Runs what the command line asks for; returns the exit status."""
    opts = define_flags()
    cli.parse(opts, argv, __doc__)
    if opts.replay:
        from reproductions import jang_replay

        decided = ['variant', 'sort', 'stratify', 'activation', 'hidden_sizes', 'batch_size', 'learning_rate', 'pretrain_steps']
        return app.run_replay(opts, 'jang', jang_replay.replay_trace, decided)
    if opts.claims:
        from reproductions import jang_claims

        return app.run_claims(opts, 'jang', jang_claims.measure, jang_claims.ENSEMBLES, 200, jang_claims.MORE)
    settings = settings_from_flags(opts)
    num_steps = settings.num_steps
    surfaces = 4 * min(opts.runs, outcomes.CHUNK) * PLOT_POINTS * max(settings.hidden_sizes)  # in the evaluation
    cli.check_memory(opts, [(1, *settings.hidden_sizes, 1)] * 2, settings.batch_size, surfaces)
    seeds = cli.seeds(opts)
    devices = app.strategy(opts)
    directory = app.output_directory(opts, 'jang', devices)
    every = opts.log_every or (1 if opts.runs == 1 else max(10, num_steps // 200))
    frames, add_frame = pictures.film(make_evaluation(settings), BINS)
    if opts.animation:
        every = max(1, num_steps // 120)
    trained = app.train(
        opts, devices, make_experiment(settings), directory, settings._asdict(), num_steps, every, max(1, num_steps // 10),
        add_frame if opts.animation else None,
    )  # fmt: skip
    table = outcomes.results_table(make_evaluation(settings), seeds, trained.players, trained.history)
    app.write_results(opts, 'jang', directory, settings._asdict() | {'log_every': every}, trained, table)
    draw(settings, directory, seeds, trained, table)
    if frames:
        path, real = directory / 'animation.gif', TRUTH.pdf(BINS.places)
        title, shown = f'{settings.variant}, seed {seeds[0]}', (-HALF_RANGE, HALF_RANGE, 1.0)
        app.drawing(pictures.draw_film(path, title, make_evaluation(settings), BINS, real, frames, shown), len(frames), path)
    app.summary(table, {'mean': MU, 'std': SIGMA, 'wasserstein': 0, 'd_mean': 0.5})
    export.of_run(
        opts,
        trained,
        functools.partial(generator, settings),
        lambda seeds, number: noise(settings, seeds, Stream.FIGURE, number),
    )
    print(f'files in {directory}/')
    return app.exit_status(trained)


if __name__ == '__main__':
    cli.run(main)
