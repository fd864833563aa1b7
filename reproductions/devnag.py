"""Dev Nag, "Generative Adversarial Networks (GANs) in 50 lines of code (PyTorch)" (2017): a GAN learns N(4, 1.25).

D is given a whole batch at once, by way of its first four moments, and gives one decision. A round is 20 updates of D and then
20 of G. The post's run of 5,000 rounds ends with N(4, 1.25) nearly recovered, and so do eight of its ten runs.

  python -m reproductions.devnag                          the post: 5,000 rounds, their losses, the figures
  python -m reproductions.devnag --runs=10                the post's ten runs, in a grid
  python -m reproductions.devnag --runs=200               two hundred at once, with bands over seeds
  python -m reproductions.devnag --preprocess=raw         what else D can be given: raw, variances, diffs
  python -m reproductions.devnag --variant=2017-02        the program as it first appeared (ELU, Adam)
  python -m reproductions.devnag --animation              also the training as a GIF
  python -m reproductions.devnag --replay=TRACE.npz       update by update against a recorded run of the author's program
  python -m reproductions.devnag --claims --runs=200      the post's claims, measured

Files go to --output_dir: config.json, results.csv (a row a seed), history.npz, figure.png, checkpoint/.
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags

from common import app, cli, distribution, export, figures, layers, losses, metrics, optimizers, random, training
from common.random import Stream
from reproductions import devnag_drawing

# --- What was published -------------------------------------------------------------------------------------------------------


class Variant(NamedTuple):
    """One published state of the program, devnag/pytorch-generative-adversarial-networks on GitHub."""

    published: str  # commit
    views: tuple[str, ...]  # what D can be given of a batch; the first is the one that was published switched on
    g_hidden_size: int
    d_hidden_size: int
    g_activations: tuple[str, str]  # of the two hidden layers; G's output is linear
    d_activations: tuple[str, str]  # likewise; D's output is a sigmoid
    optimizer: str
    learning_rate: float
    batch_size: int
    num_steps: int  # rounds
    d_steps: int  # updates of D in a round
    g_steps: int  # updates of G after them


VARIANTS = {
    '2018-11': Variant(
        '26db8c9', ('moments', 'raw', 'variances', 'diffs'), 5, 10, ('tanh', 'tanh'), ('sigmoid', 'sigmoid'),
        'momentum', 0.001, 500, 5000, 20, 20,
    ),
    '2017-02': Variant(
        'a01e362', ('variances',), 50, 50, ('elu', 'sigmoid'), ('elu', 'elu'), 'adam', 0.0002, 100, 30_000, 1, 1
    ),
}  # fmt: skip
DEFAULT_VARIANT = '2018-11'
SEED = 0  # the post has none

MOST_UPDATES = 10_000  # of a network in a round, which is one compiled call at least: some seconds, in which nothing stops it
DRAWS = 10_000  # of U(0, 1), on which the final G is judged


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds and the number of rounds."""

    variant: str
    preprocess: str
    batch_size: int
    d_steps: int
    g_steps: int
    learning_rate: float
    momentum: float
    mu: float
    sigma: float


def make_settings(variant=DEFAULT_VARIANT, **changes):
    """The settings of a variant; `changes` may name any other field, and None stands for the variant's own value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant=variant,
        preprocess=published.views[0],
        batch_size=published.batch_size,
        d_steps=published.d_steps,
        g_steps=published.g_steps,
        learning_rate=published.learning_rate,
        momentum=0.9,
        mu=4.0,
        sigma=1.25,
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})


# --- Data and noise -----------------------------------------------------------------------------------------------------------


def real_samples(settings, seeds, step, count, stream=Stream.DATA):
    """N(mu, sigma), [runs, 1, count]."""
    return settings.mu + settings.sigma * random.normal(seeds, stream, step, count)[:, None, :]


def noise(seeds, stream, step, count):
    """U(0, 1), [runs, 1, count]."""
    return random.uniform(seeds, stream, step, count)[:, None, :]


# --- What D sees of a batch ---------------------------------------------------------------------------------------------------


@tf.custom_gradient
def moments(x):
    """Mean, population deviation, skewness and excess kurtosis of a whole batch: [runs, 1, batch] -> [runs, 4, 1].

    With z = (x - mean) / deviation, their derivatives by one of the n samples are 1 / n times 1, z,
    3 (z^2 - 1 - skewness z) / deviation and 4 (z^3 - skewness - (kurtosis + 3) z) / deviation: no sum over the batch is left
    for the way back.
    """
    mean = tf.reduce_mean(x, axis=2, keepdims=True)
    centred = x - mean
    square = tf.square(centred)
    variance = tf.reduce_mean(square, axis=2, keepdims=True)
    deviation = tf.sqrt(variance)
    skewness = tf.reduce_mean(square * centred, axis=2, keepdims=True) / (variance * deviation)
    fourth = tf.reduce_mean(square * square, axis=2, keepdims=True) / (variance * variance)

    def gradient(upstream):
        to_mean, to_deviation, to_skewness, to_kurtosis = tf.split(upstream / x.shape[2], 4, axis=1)
        three, four = 3 * to_skewness / deviation, 4 * to_kurtosis / deviation
        z = centred / deviation
        constant = to_mean - three - four * skewness
        linear = to_deviation - three * skewness - four * fourth
        return constant + z * (linear + z * (three + z * four))

    return tf.concat([mean, deviation, skewness, fourth - 3], axis=1), gradient


def view(settings, x):
    """What D is given of a whole batch, one column: [runs, 1, batch] -> [runs, features, 1].

    The mean that is taken from the samples is not differentiated, as in the original.
    """
    if settings.preprocess == 'moments':
        return moments(x)
    column = tf.transpose(x, [0, 2, 1])
    if settings.preprocess == 'raw':
        return column
    centred = column - tf.stop_gradient(tf.reduce_mean(column, axis=1, keepdims=True))
    return tf.concat([column, tf.square(centred) if settings.preprocess == 'variances' else centred], axis=1)


# --- Networks -----------------------------------------------------------------------------------------------------------------

ACTIVATIONS = {'tanh': tf.tanh, 'sigmoid': tf.sigmoid, 'elu': tf.nn.elu}


def init_generator(settings, seeds):
    """G: three linear layers, 1 -> h -> h -> 1."""
    h = VARIANTS[settings.variant].g_hidden_size
    return layers.uniform_linears(seeds, Stream.WEIGHTS_G, [(h, 1), (h, h), (1, h)])


def generator(settings, g, z):
    """[runs, 1, batch] -> [runs, 1, batch]."""
    first, second = (ACTIVATIONS[name] for name in VARIANTS[settings.variant].g_activations)
    return layers.dense(second(layers.dense(first(layers.dense(z, g[0])), g[1])), g[2])


def init_discriminator(settings, seeds):
    """D: three linear layers, features -> h -> h -> 1."""
    h = VARIANTS[settings.variant].d_hidden_size
    features = {'moments': 4, 'raw': settings.batch_size}.get(settings.preprocess, 2 * settings.batch_size)
    return layers.uniform_linears(seeds, Stream.WEIGHTS_D, [(h, features), (h, h), (1, h)])


def discriminator(settings, d, views):
    """The probability that a whole batch is real, for each of the batches side by side: [runs, features, n] -> [runs, 1, n]."""
    first, second = (ACTIVATIONS[name] for name in VARIANTS[settings.variant].d_activations)
    return tf.sigmoid(layers.dense(second(layers.dense(first(layers.dense(views, d[0])), d[1])), d[2]))


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def losses_of_d(settings, d, g, x, z):
    """D's losses on a real and on a generated batch, each [runs]; D is trained on their sum."""
    views = tf.concat([view(settings, x), view(settings, generator(settings, g, z))], axis=2)
    real, fake = tf.split(discriminator(settings, d, views)[:, 0], 2, axis=1)
    return losses.binary_cross_entropy(real, 1)[:, 0], losses.binary_cross_entropy(fake, 0)[:, 0]


def loss_of_g(settings, d, g, z):
    """G's loss [runs]: its batch labelled as real."""
    decision = discriminator(settings, d, view(settings, generator(settings, g, z)))
    return losses.binary_cross_entropy(decision, 1)[:, 0, 0]


def make_optimizer(settings):
    """Gradient descent with momentum (2018) or Adam (2017), as in PyTorch."""
    if VARIANTS[settings.variant].optimizer == 'adam':
        return optimizers.adam_of_pytorch(settings.learning_rate)
    return optimizers.momentum(settings.learning_rate, settings.momentum)


def make_game(settings):
    """The adversarial training. An iteration is a round: `d_steps` updates of D, then `g_steps` of G."""
    return training.Game(
        loss_d=lambda d, g, x, z: tf.add(*losses_of_d(settings, d, g, x, z)),
        loss_g=lambda d, g, z: loss_of_g(settings, d, g, z),
        draw_d=lambda seeds, update: (
            real_samples(settings, seeds, update, settings.batch_size),
            noise(seeds, Stream.NOISE_D, update, settings.batch_size),
        ),
        draw_g=lambda seeds, update: noise(seeds, Stream.NOISE_G, update, settings.batch_size),
        optimizer_d=make_optimizer(settings),
        optimizer_g=make_optimizer(settings),
        d_steps=settings.d_steps,
        g_steps=settings.g_steps,
    )


def play_round(settings, game, seeds, state):
    """A round; beside its losses, mean and deviation [runs] of the last generated batch that D is trained on in it."""
    last = (state.step + 1) * settings.d_steps - 1
    samples = generator(settings, state.g, noise(seeds, Stream.NOISE_D, last, settings.batch_size))
    moved, recorded = training.play(game, seeds, state)
    recorded['mean'] = tf.reduce_mean(samples, axis=[1, 2])
    recorded['std'] = tf.math.reduce_std(samples, axis=[1, 2])
    return moved, recorded


@functools.cache
def make_experiment(settings):
    """The settings made runnable; cached, so that a second training compiles nothing."""
    game = make_game(settings)
    loop = training.compile_loop(
        lambda seeds, state: play_round(settings, game, seeds, state), ['loss_d', 'loss_g', 'mean', 'std']
    )
    no_regression = training.Regression(loss=None, draw=None, optimizer=optimizers.gradient_descent(0.0))
    return training.Experiment(
        init=lambda seeds: (init_discriminator(settings, seeds), init_generator(settings, seeds)),
        game=game,
        regression=no_regression,
        pretrain_steps=0,
        fit_loop=None,
        play_loop=loop,
        call=training.CALL // (settings.d_steps + settings.g_steps),
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------

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
    batches = DRAWS // settings.batch_size

    @tf.function(jit_compile=True, autograph=False)
    def evaluate(seeds, d, g):
        samples = generator(settings, g, noise(seeds, Stream.FIGURE, 0, DRAWS))[:, 0]
        whole = tf.reshape(samples[:, : batches * settings.batch_size], [-1, 1, settings.batch_size])  # a batch a row
        views = tf.reshape(view(settings, whole), [seeds.shape[0], batches, -1])
        return samples, discriminator(settings, d, tf.transpose(views, [0, 2, 1]))[:, 0]

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
    num_steps = num_steps or VARIANTS[settings.variant].num_steps
    state, parts = None, []
    for state, records in training.train(make_experiment(settings), strategy, seeds, num_steps, every=1):  # noqa: B007
        parts.append(records)
    _, players = distribution.to_host(strategy, state)
    history = training.join_records(parts)
    return results_table(settings, seeds, players, history), history, players


# --- Figures ------------------------------------------------------------------------------------------------------------------

GALLERY = 10  # final distributions in the post's grid


def last_batches(settings, seeds, players, rows):
    """What the post draws at the end, [len(rows), batch]: the trained G on the noise of its last update."""
    update = max(int(players.step) * settings.g_steps - 1, 0)
    z = noise(tf.constant(seeds[rows]), Stream.NOISE_G, update, settings.batch_size)
    g = tf.nest.map_structure(lambda value: tf.constant(value[rows]), players.g)
    return generator(settings, g, z).numpy()[:, 0]


def draw(settings, directory, seeds, players, table, history):
    """Writes figure.png of the first seed; of several, also runs.png (up to ten final distributions) and ensemble.png.

    The numbers behind each are beside it as .npz.
    """
    shown = np.arange(min(len(seeds), GALLERY))
    samples = last_batches(settings, seeds, players, shown)
    heading = f'GAN in 50 lines ({settings.variant}, {settings.preprocess}'
    course = {'step': history['step']} | {name: history[name][0] for name in devnag_drawing.MOMENTS}
    arrays = {'title': f'{heading}, seed {seeds[0]})', 'samples': samples[0], 'truth': [settings.mu, settings.sigma]}
    figures.write(directory / 'figure.png', devnag_drawing.one, course | arrays)
    if len(seeds) == 1:
        return
    labels = [f'#{i + 1}: {table["mean"][i]:.3g} ± {table["std"][i]:.3g}' for i in shown]
    title = f'{heading}, seeds {seeds[0]} to {seeds[shown[-1]]})'
    arrays = {'title': title, 'labels': labels, 'seed': seeds[shown], 'samples': samples}
    figures.write(directory / 'runs.png', devnag_drawing.grid, arrays)
    draw_ensemble(settings, directory / 'ensemble.png', f'{heading}, {len(seeds):,} seeds)', table, history)


def draw_ensemble(settings, path, title, table, history):
    """Writes the figure of many seeds: of their moments a curve a run, or bands over the finite ones of more than ten."""
    finite = table['finite'] == 1
    banded = len(finite) > GALLERY and bool(finite.any())
    arrays = {'title': title, 'step': history['step'], 'banded': banded, 'truth': [settings.mu, settings.sigma]}
    for name in devnag_drawing.MOMENTS:
        values = history[name]
        arrays[name] = np.quantile(values[finite], figures.BANDS, axis=0) if banded else values
        arrays[f'final_{name}'] = table[name]
    figures.write(path, devnag_drawing.ensemble, arrays | {name: table[name] for name in ('finite', 'success')})


def film(settings, seeds, every):
    """A list to fill with frames of the first run, one in `every` rounds, and the function that adds one: (frames, add)."""
    frames = []

    def add(step, players):
        if (step - 1) % every == 0:
            frames.append((step - 1, evaluate_rows(settings, seeds, players, [0])[0][0]))

    return frames, add


def draw_film(settings, path, frames, seed):
    """Writes the animation's numbers, and gives the generator that draws it frame by frame."""
    edges = settings.mu + settings.sigma * np.linspace(-6, 6, 121)
    steps, samples = (np.array(values) for values in zip(*frames, strict=True))
    counts = np.stack([np.histogram(row[np.isfinite(row)], edges)[0] for row in samples])
    arrays = {'title': f'{settings.variant}, seed {seed}', 'edges': edges, 'step': steps}
    arrays |= {'density': counts / (samples.shape[1] * np.diff(edges)), 'truth': [settings.mu, settings.sigma]}
    arrays |= {'moments': np.stack([samples.mean(axis=1), samples.std(axis=1)], axis=1)}
    return figures.write(path, devnag_drawing.film, arrays)


# --- Command line -------------------------------------------------------------------------------------------------------------


def define_flags():
    """The command line of this post."""
    opts = cli.common_flags()
    flags.DEFINE_enum(
        'variant',
        DEFAULT_VARIANT,
        list(VARIANTS),
        'Which published state of the program (the post: 2018-11).',
        flag_values=opts,
    )
    flags.DEFINE_integer(
        'seed', SEED, 'First seed (the post sets none).', lower_bound=0, upper_bound=2**32 - 1, flag_values=opts
    )
    flags.DEFINE_enum(
        'preprocess', None, list(VARIANTS[DEFAULT_VARIANT].views),
        "What D is given of a batch (default: the variant's; the post: moments; 2017-02 has variances only).", flag_values=opts,
    )  # fmt: skip
    for network in 'dg':
        flags.DEFINE_integer(
            f'{network}_steps', None, f"Updates of {network.upper()} in a round (default: the variant's; the post: 20).",
            lower_bound=1, upper_bound=MOST_UPDATES, flag_values=opts,
        )  # fmt: skip
    flags.DEFINE_float('learning_rate', None, "Rate (default: the variant's; the post: 0.001).", flag_values=opts)
    flags.DEFINE_float('mu', 4.0, "The data's mean (the post: 4).", flag_values=opts)
    flags.DEFINE_float('sigma', 1.25, "The data's deviation (the post: 1.25).", flag_values=opts)
    flags.DEFINE_integer(
        'log_every', 100, "Rounds from one printed line of losses to the next (the post's program: 100).", lower_bound=1,
        upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'anim_every', None, 'Rounds from frame to frame (default: 120 frames in all).', lower_bound=1, upper_bound=2**31 - 1,
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_string('anim_path', None, 'Draw the animation here, .gif or .mp4 (with ffmpeg).', flag_values=opts)
    return opts


def settings_from_flags(opts):
    """`Settings` from the command line; raises cli.UserError for values that cannot be."""
    cli.positive(opts, 'learning_rate')
    cli.check_normal(opts)
    if opts.preprocess not in (None, *VARIANTS[opts.variant].views):
        raise cli.UserError(f'--preprocess={opts.preprocess}: the program of {opts.variant} has variances only')
    settings = make_settings(
        opts.variant, preprocess=opts.preprocess, batch_size=opts.batch_size, d_steps=opts.d_steps, g_steps=opts.g_steps,
        learning_rate=opts.learning_rate, mu=opts.mu, sigma=opts.sigma,
    )  # fmt: skip
    if settings.batch_size < 2:
        raise cli.UserError(f'--batch_size={settings.batch_size}: D looks at the spread of a batch; use 2 or more')
    if settings.batch_size > DRAWS:
        raise cli.UserError(f'--batch_size={settings.batch_size} is more than the {DRAWS:,} draws that G is judged on')
    return settings


def networks(settings):
    """The widths of the hidden layers of D and of G."""
    published = VARIANTS[settings.variant]
    return [(published.d_hidden_size,) * 2, (published.g_hidden_size,) * 2]


def main(argv):
    """Runs what the command line asks for; returns the exit status."""
    opts = define_flags()
    cli.parse(opts, argv, __doc__)
    if opts.replay:
        from reproductions import devnag_replay

        decided = ['variant', 'preprocess', 'batch_size', 'd_steps', 'g_steps', 'num_steps']
        return app.run_replay(opts, 'devnag', devnag_replay.replay_trace, decided)
    if opts.claims:
        from reproductions import devnag_claims

        return app.run_claims(opts, 'devnag', devnag_claims.measure, devnag_claims.ENSEMBLES, default_runs=200)
    settings = settings_from_flags(opts)
    num_steps = opts.num_steps or VARIANTS[settings.variant].num_steps
    if num_steps * max(settings.d_steps, settings.g_steps) >= 2**31:
        raise cli.UserError(f'--num_steps={num_steps} is too many: 2^31 updates of a network can be counted; use fewer')
    cli.check_memory(opts, networks(settings), settings.batch_size)
    seeds = cli.seeds(opts)
    devices = app.strategy(opts)
    directory = app.output_directory(opts, 'devnag', devices)
    anim_path = cli.animation_path(opts, directory)
    anim_every = opts.anim_every or max(1, num_steps // 120)
    frames, add_frame = film(settings, seeds, anim_every)
    trained = app.train(
        opts, devices, make_experiment(settings), directory, settings._asdict(), num_steps, 1, opts.log_every,
        add_frame if anim_path else None,
    )  # fmt: skip
    table = results_table(settings, seeds, trained.players, trained.history)
    effective = settings._asdict() | {'num_steps': num_steps, 'anim_every': anim_every if anim_path else None}
    app.write_results(opts, 'devnag', directory, effective, trained, table)
    draw(settings, directory, seeds, trained.players, table, trained.history)
    if frames:
        app.drawing(draw_film(settings, anim_path, frames, seeds[0]), len(frames), anim_path)
    targets = {'mean': settings.mu, 'std': settings.sigma, 'skewness': 0, 'kurtosis': 0, 'wasserstein': 0, 'd_mean': 0.5}
    app.summary(table, targets)
    export.of_run(
        opts,
        trained,
        functools.partial(generator, settings),
        lambda seeds, number: noise(seeds, Stream.FIGURE, number, settings.batch_size),
    )
    print(f'files in {directory}/')
    return app.exit_status(trained)


if __name__ == '__main__':
    cli.run(main)
