"""A generative adversarial network of plain layers on MNIST (2017): 784 pixels, no convolution.

The generator takes 100 numbers of noise to 784 pixels through 200 and 500 units, the discriminator goes the other way. Both
play for 500,000 iterations. The post shows a sheet of digits; here they are also judged in numbers, by a classifier trained on
real digits.

  python -m reproductions.mnist                           the post: 500,000 iterations
  python -m reproductions.mnist --num_steps=20000         fewer
  python -m reproductions.mnist --runs=8                  eight seeds at once, for how often training collapses
  python -m reproductions.mnist --data=bundled            on 8,000 bundled digits, without the network
  python -m reproductions.mnist --learning_rate=0.0002 --beta1=0.5    a gentler training of the same networks
  python -m reproductions.mnist --animation               also the training as a GIF
  python -m reproductions.mnist --resume                  goes on where Ctrl-C stopped
  python -m reproductions.mnist --replay=TRACE.npz        step by step against a recorded run of the post's listing
  python -m reproductions.mnist --claims                  the post's claims, measured over 8 seeds x 50,000 iterations

Files go to --output_dir: config.json, results.csv (a row a seed), references.json, history.npz, the figures, checkpoint/.
"""

import functools
import itertools
import sys
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags

from common import (
    app,
    claims,
    classifier,
    cli,
    cluster,
    export,
    figures,
    image_metrics,
    layers,
    losses,
    mnist_data,
    optimizers,
    random,
    results,
    training,
)
from common.random import Stream
from reproductions import mnist_drawing

# --- What was published -------------------------------------------------------------------------------------------------------


class Variant(NamedTuple):
    """The program as the post lists it."""

    d_widths: tuple[int, ...]
    g_widths: tuple[int, ...]  # the first is the noise
    batch_size: int
    num_steps: int
    learning_rate: float
    beta1: float


VARIANTS = {'post': Variant((784, 500, 200, 1), (100, 200, 500, 784), 128, 500_000, 0.001, 0.9)}
DEFAULT_VARIANT = 'post'
HELD_OUT = 12  # one training digit in so many is held out, at the head: TensorFlow 1's reader holds out 5,000 of 60,000


class Settings(NamedTuple):
    """Everything that decides what is computed, but for seeds, data and the number of iterations."""

    variant: str
    d_widths: tuple[int, ...]
    g_widths: tuple[int, ...]
    batch_size: int
    learning_rate: float
    beta1: float  # Adam's, of its first moment


def make_settings(variant=DEFAULT_VARIANT, **changes):
    """The settings of a variant; `changes` may name any other field, and None stands for the post's own value."""
    published = VARIANTS[variant]
    settings = Settings(
        variant, published.d_widths, published.g_widths, published.batch_size, published.learning_rate, published.beta1
    )
    return settings._replace(**{name: value for name, value in changes.items() if value is not None})


# --- Data and noise -----------------------------------------------------------------------------------------------------------


def training_digits(digits):
    """What the GAN (and the classifier) is trained on: images uint8 [n, 784] and labels [n], the head held out."""
    first = len(digits.x_train) // HELD_OUT
    return digits.x_train[first:], digits.y_train[first:]


def batch_places(settings, seeds, step, size):
    """Which digits are in the batch of an iteration, int32 [runs, batch].

    Batches follow each other without a gap through one random order of all digits after the other, so that the tail of a pass
    and the head of the next may share a batch, and none is short. The place in this sequence follows from the iteration alone.
    """
    places = tf.cast(step, tf.int64) * settings.batch_size + tf.range(settings.batch_size, dtype=tf.int64)
    return random.permuted(seeds, Stream.ORDER, places // size, places % size, size)


def real_images(settings, images, seeds, step):
    """A batch of digits, [runs, 784, batch] in 0 .. 1, out of `images`, uint8 [n, 784]."""
    batch = tf.gather(images, batch_places(settings, seeds, step, images.shape[0]))
    return tf.cast(tf.transpose(batch, [0, 2, 1]), tf.float32) / 255


def noise(settings, seeds, stream, step, count):
    """U(-1, 1), [runs, 100, count]; a larger count begins with the same columns."""
    size = settings.g_widths[0]
    signed = 2 * random.uniform(seeds, stream, step, count * size) - 1
    return tf.transpose(tf.reshape(signed, [-1, count, size]), [0, 2, 1])


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_mlp(widths, seeds, stream):
    """Linear layers with weights N(0, 2 / inputs), which the post calls Xavier's, and biases 0."""
    linears = layers.normal_linears(seeds, stream, [(b, a) for a, b in itertools.pairwise(widths)])
    scales = [np.float32(np.sqrt(2 / inputs)) for inputs in widths[:-1]]
    return tuple(layer._replace(w=layer.w * scale) for layer, scale in zip(linears, scales, strict=True))


def activations(params, x):
    """What each layer is given: x and then, through relu, the hidden units of each layer but the last, [runs, units, batch]."""
    found = [x]
    for layer in params[:-1]:
        found.append(tf.nn.relu(layers.dense(found[-1], layer)))
    return found


def generator(g, z):
    """Images, the sigmoid of a linear last layer: [runs, 100, batch] -> [runs, 784, batch] in 0 .. 1."""
    return tf.sigmoid(layers.dense(activations(g, z)[-1], g[-1]))


def discriminator_logits(d, x):
    """Logits of the probability that an image is real: [runs, 784, batch] -> [runs, 1, batch].

    The last layer, of one unit, is a product and a sum: as a `matmul` XLA runs it, and the relu before it, on one core without
    vectors (20 microseconds of the 3,500 of an iteration each time, in which the other core mostly waits).
    """
    w, b = d[-1]
    return tf.reduce_sum(tf.transpose(w, [0, 2, 1]) * activations(d, x)[-1], axis=1, keepdims=True) + b


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def loss_of_d(d, g, x, z):
    """D's loss on real and on generated images, without a half, [runs].

    D sees both in one pass: half as many products, of twice the size, keep two cores busier.
    """
    logits = discriminator_logits(d, tf.concat([x, generator(g, z)], axis=2))
    count = x.shape[2]
    real = losses.cross_entropy_of_logits(logits[:, :, :count], 1)
    return real + losses.cross_entropy_of_logits(logits[:, :, count:], 0)


def loss_of_g(d, g, z):
    """G's loss: its images labelled as real, [runs]."""
    return losses.cross_entropy_of_logits(discriminator_logits(d, generator(g, z)), 1)


def make_game(settings, images):
    """The adversarial training on `images`, uint8 [n, 784]. Both updates of an iteration draw the same noise (the post's)."""
    images = tf.constant(images)

    return training.Game(
        loss_d=loss_of_d,
        loss_g=loss_of_g,
        draw_d=lambda seeds, step: (
            real_images(settings, images, seeds, step),
            noise(settings, seeds, Stream.NOISE_D, step, settings.batch_size),
        ),
        draw_g=None,
        optimizer_d=optimizers.adam(settings.learning_rate, settings.beta1),
        optimizer_g=optimizers.adam(settings.learning_rate, settings.beta1),
    )


CALL = 400  # seed-iterations in a compiled call: one to three seconds
GROUP = 1  # runs that a CPU advances together: the 16 MB of one fill its caches; eight at once were a ninth slower
MOST_BETWEEN = 100  # iterations from record to record


def make_experiment(settings, game):
    """The game made runnable. There is no pre-training."""
    return training.Experiment(
        init=lambda seeds: (
            init_mlp(settings.d_widths, seeds, Stream.WEIGHTS_D),
            init_mlp(settings.g_widths, seeds, Stream.WEIGHTS_G),
        ),
        game=game,
        regression=training.Regression(loss=None, draw=None, optimizer=optimizers.gradient_descent(0.0)),
        pretrain_steps=0,
        fit_loop=None,
        play_loop=training.compile_loop(
            lambda seeds, state: training.play(game, seeds, state), ['loss_d', 'loss_g'], group=GROUP
        ),
        call=CALL,
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------

SHEET = 100  # generated digits of one fixed noise, shown and kept
NEAREST = 1000  # digits whose nearest training digits are looked for
COVERED = 0.01  # a class is covered if it has this share of the generated digits; the rarest has 8.9 % of the data
COLLAPSED = 0.5  # training has collapsed if one class has this share
CONFIDENT = 0.9  # probability of its class from which the classifier counts as sure of a digit
COLUMNS = (
    'classes_covered', 'largest_share', *(f'share_{i}' for i in range(10)), 'confidence', 'confident', 'score', 'frechet',
    'nearest', 'nearest_other', 'd_train', 'd_real', 'd_fake', 'dead_g', 'saturated',
)  # fmt: skip


class Judge(NamedTuple):
    """What generated digits are judged by. As many are judged as there are test digits."""

    classifier: classifier.Classifier
    images: np.ndarray  # those trained on, float32 [n, 784] in 0 .. 1
    test: np.ndarray  # test digits, likewise
    moments: image_metrics.Moments  # of the classifier's features of the test digits
    references: dict[str, dict[str, float]]  # the same numbers of real digits: see `make_judge`


def quality(judge, images):
    """The columns of results.csv that need nothing but the images, float32 [n, 784]: {name: number}."""
    probabilities, features = judge.classifier.look(images)
    shares, sure = image_metrics.class_shares(probabilities), probabilities.max(axis=1)
    some = images[:NEAREST]
    return {
        'classes_covered': int((shares >= COVERED).sum()),
        'largest_share': shares.max(),
        **{f'share_{i}': share for i, share in enumerate(shares)},
        'confidence': sure.mean(dtype=np.float64),
        'confident': (sure >= CONFIDENT).mean(),
        'score': image_metrics.entropy_score(probabilities),
        'frechet': image_metrics.frechet_distance(judge.moments, image_metrics.moments(features)),
        'nearest': image_metrics.nearest_distances(some, judge.images).mean(dtype=np.float64),
        'nearest_other': image_metrics.nearest_distances(some, some, skip_same_row=True).mean(dtype=np.float64),
    }


def scale(images):
    """Bytes as float32 in 0 .. 1."""
    scaled = images.astype(np.float32)
    scaled /= 255  # in place: all of MNIST takes 170 MB
    return scaled


def make_judge(digits):
    """The `Judge` of some digits; trains the classifier, unless it is in the cache.

    Its references are the same numbers of real digits:
      test: the test digits, with their nearest training digits; their Fréchet distance to themselves is 0.
      training: as many of the training digits, whose Fréchet distance to the test digits is the floor that a perfect generator
        comes to; for their nearest training digits they are no reference, as they are among them.
      without_k: those training digits but for class k, so the Fréchet distance of a generator that lacks one class and is
        perfect otherwise.
    """
    images, labels = training_digits(digits)
    looker = classifier.for_digits(images, labels, digits.x_test, digits.y_test)
    test, scaled = (scale(array) for array in (digits.x_test, images))
    judge = Judge(looker, scaled, test, image_metrics.moments(looker.look(test)[1]), {})
    judge.references['test'] = quality(judge, test)
    some, classes = scaled[: len(test)], labels[: len(test)]
    judge.references['training'] = quality(judge, some)
    _, features = looker.look(some)
    for k in range(mnist_data.CLASSES):
        distance = image_metrics.frechet_distance(judge.moments, image_metrics.moments(features[classes != k]))
        judge.references[f'without_{k}'] = {'frechet': distance}
    return judge


@functools.cache
def compiled_evaluation(settings, count):
    """Compiled (seeds [1], d, g, training images, test images) -> (G [count, 784], {column: []}), images [m, 784].

    One run at a time, on noise that depends on its seed alone. `d_*` are means of D; `dead_g` is the share of G's hidden units
    that are 0 for every noise, `saturated` that of its pixels where the sigmoid's slope is below 1e-4, of 1/4 at most.
    """

    @tf.function(jit_compile=True, autograph=False)
    def evaluate(seeds, d, g, train, test):
        z = noise(settings, seeds, Stream.FIGURE, 0, count)
        generated = generator(g, z)
        units = tf.concat(activations(g, z)[1:], axis=1)

        def mean_of_d(images):
            return tf.reduce_mean(tf.sigmoid(discriminator_logits(d, images)))

        columns = {
            'd_train': mean_of_d(tf.transpose(train)[None]),
            'd_real': mean_of_d(tf.transpose(test)[None]),
            'd_fake': mean_of_d(generated),
            'dead_g': tf.reduce_mean(tf.cast(tf.reduce_max(units, axis=2) == 0, tf.float32)),
            'saturated': tf.reduce_mean(tf.cast(generated * (1 - generated) < 1e-4, tf.float32)),
        }
        return tf.transpose(generated[0]), columns

    return evaluate


def evaluate(settings, judge, seeds, players):
    """Judges every run: ({column: [runs]}, sheets uint8 [runs, 100, 784]). NaN where an image or a decision is not finite.

    Args:
      settings: `Settings`.
      judge: `Judge`.
      seeds: uint32 [runs].
      players: `training.Players` of NumPy arrays.
    """
    rows, sheets = [], []
    for row in range(len(seeds)):
        d, g = tf.nest.map_structure(lambda value, row=row: tf.constant(value[row : row + 1]), (players.d, players.g))
        count = len(judge.test)
        seed = tf.constant(seeds[row : row + 1])
        images, columns = compiled_evaluation(settings, count)(seed, d, g, judge.images[:count], judge.test)
        images, columns = images.numpy(), {name: value.numpy() for name, value in columns.items()}
        if np.isfinite(images).all() and np.isfinite(list(columns.values())).all():
            columns |= quality(judge, images)
        else:
            columns = dict.fromkeys(COLUMNS, np.nan)
        rows.append([columns[name] for name in COLUMNS])
        sheets.append(as_bytes(images[:SHEET]))
    return dict(zip(COLUMNS, np.array(rows, np.float64).T, strict=True)), np.stack(sheets)


def as_bytes(images):
    """Images of 0 .. 1 as uint8; what is not finite is black."""
    return np.round(255 * np.nan_to_num(images)).astype(np.uint8)


def watcher(settings, judge, seeds, num_steps, sheet_every, eval_every):
    """(watch, watched) for `app.train`: evaluations and sheets of the first run on the way, as records.

    Both are taken after iteration 0, their interval, twice that, ..., and at the end. Records: `eval_step` [1] and every
    column [runs, 1]; `sheet_step` [1] and `sheets` uint8 [1, 100, 784, 1].
    """

    def due(step, every):
        return (step - 1) % every == 0 or step == num_steps

    def watched(step):
        return due(step, sheet_every) or due(step, eval_every)

    def watch(step, players):
        if due(step, eval_every):
            columns, sheets = evaluate(settings, judge, seeds, players)
            found = {'eval_step': np.array([step - 1])} | {name: values[:, None] for name, values in columns.items()}
        else:
            sheets, found = sheet(settings, seeds[:1], players), {}
        return found | {'sheet_step': np.array([step - 1]), 'sheets': sheets[:1, ..., None]}

    return watch, watched


def sheet(settings, seeds, players):
    """The fixed noise of some first runs through their G, uint8 [len(seeds), 100, 784]."""
    g = tf.nest.map_structure(lambda value: tf.constant(value[: len(seeds)]), players.g)
    images = generator(g, noise(settings, tf.constant(seeds), Stream.FIGURE, 0, SHEET)).numpy()
    return as_bytes(images.transpose(0, 2, 1))


def verdict_columns(references, columns):
    """{'finite', 'success', 'collapsed'} [runs or any shape] of the columns of an evaluation.

    A run has collapsed if half of its digits are of one class. It succeeds if it is finite, covers all ten classes and its
    Fréchet distance is below that of real digits without one of the classes (the class that is missed least): what is wrong
    with its digits weighs less than a missing class.
    """
    finite = np.isfinite(columns['frechet'])
    bound = success_bound(references)
    with np.errstate(invalid='ignore'):
        success = finite & (columns['classes_covered'] == mnist_data.CLASSES) & (columns['frechet'] < bound)
        collapsed = finite & (columns['largest_share'] >= COLLAPSED)
    return {'finite': finite.astype(int), 'success': success.astype(int), 'collapsed': collapsed.astype(int)}


def success_bound(references):
    """The Fréchet distance below which a run succeeds: the least of real digits without one class."""
    return min(references[f'without_{k}']['frechet'] for k in range(mnist_data.CLASSES))


def results_table(settings, judge, seeds, players, history):
    """The columns of results.csv, a value a run.

    Args:
      settings: `Settings`.
      judge: `Judge`.
      seeds: uint32 [runs].
      players: `training.Players` of NumPy arrays.
      history: {name: array}, joined records of `app.train`.

    Returns:
      {column: [runs]}. The last evaluation is used if it is of these players; losses are means over the last 100 iterations.
    """
    if 'eval_step' in history and history['eval_step'][-1] == players.step - 1:
        columns = {name: history[name][:, -1] for name in COLUMNS}
    else:
        columns, _ = evaluate(settings, judge, seeds, players)
    table = {'seed': seeds} | verdict_columns(judge.references, columns) | columns
    for name in ('loss_d', 'loss_g'):
        table[name] = training.settled_mean(history['step'], history[name])
    return table


# --- Figures ------------------------------------------------------------------------------------------------------------------

PAIRS, PATH = 8, 12  # of noises that are connected, and digits on the way
FILM_FRAMES = 120  # at most about so many sheets are kept, beside those of the evaluations


def interpolation(settings, seeds, players):
    """G on straight lines between two noises each, of the first run: uint8 [PAIRS * PATH, 784]."""
    ends = noise(settings, tf.constant(seeds[:1]), Stream.FIGURE, 1, 2 * PAIRS).numpy()[0].T.reshape(PAIRS, 2, 1, -1)
    way = np.linspace(0, 1, PATH, dtype=np.float32)[:, None]
    z = (1 - way) * ends[:, 0] + way * ends[:, 1]
    g = tf.nest.map_structure(lambda value: tf.constant(value[:1]), players.g)
    return as_bytes(generator(g, tf.constant(z.reshape(1, PAIRS * PATH, -1).transpose(0, 2, 1))).numpy()[0].T)


def draw(settings, directory, digits, judge, seeds, trained):
    """Writes the figures, each with its numbers as .npz. Sheets are of the first seed and of noise that stays the same."""
    images, _ = training_digits(digits)
    history = trained.history
    trained_for = f'seed {seeds[0]}, {int(trained.players.step):,} iterations'
    if not all(np.isfinite(value[0]).all() for value in tf.nest.flatten((trained.players.d, trained.players.g))):
        trained_for += ': diverged, not finite'
    mnist_drawing.draw_sheet(directory / 'data.png', f'Real digits ({digits.name})', images[:SHEET], 10)
    generated, path = sheet(settings, seeds[:1], trained.players)[0], interpolation(settings, seeds, trained.players)
    mnist_drawing.draw_sheet(directory / 'figure.png', f'Generated digits ({trained_for})', generated, 10)
    title = f'From one noise to another along a straight line ({trained_for})'
    mnist_drawing.draw_sheet(directory / 'interpolation.png', title, path, PATH)
    if 'sheet_step' in history:
        mnist_drawing.draw_progress(directory / 'progress.png', mnist_drawing.named(seeds[:1]), history)
    if len(seeds) > 1:
        rows = min(len(seeds), 20)
        first = sheet(settings, seeds[:rows], trained.players)[:, :12].reshape(-1, images.shape[1])
        mnist_drawing.draw_runs(directory / 'runs.png', mnist_drawing.named(seeds[:rows]), first)
    if 'loss_d' in history:
        mnist_drawing.draw_losses(directory / 'losses.png', mnist_drawing.named(seeds), history)
    if 'eval_step' in history:
        draw_quality(directory / 'quality.png', mnist_drawing.named(seeds), judge.references, history)


def draw_quality(path, whose, references, history):
    """Writes the figure of what the evaluations found, with the numbers of real and untrained digits as levels."""
    arrays = {'title': f'Quality ({whose})'} | {name: history[name] for name in ('eval_step', *COLUMNS)}
    for name, _, levels in mnist_drawing.PANELS:
        arrays |= {f'{level}/{name}': references[level][name] for level in levels}
    figures.write(path, mnist_drawing.quality, arrays)


# --- Command line -------------------------------------------------------------------------------------------------------------

CLAIM_RUNS, CLAIM_STEPS = 8, 50_000


def define_flags():
    """The command line of this post."""
    opts = cli.common_flags()
    flags.DEFINE_enum(
        'variant', DEFAULT_VARIANT, list(VARIANTS), 'The program as the post lists it.', flag_values=opts
    )  # fmt: skip
    flags.DEFINE_integer('seed', 0, 'First seed (the post: none).', lower_bound=0, upper_bound=2**32 - 1, flag_values=opts)
    flags.DEFINE_string(
        'data', 'auto',
        "Digits: auto (Keras's cache or download; without a network, bundled), bundled (8,000 + 2,000 of MNIST), or the path "
        'of a Keras mnist.npz or of a directory with the four IDX files, plain or .gz (the post: MNIST).', flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_float('learning_rate', None, 'Rate of both Adams (the post: 0.001).', flag_values=opts)
    flags.DEFINE_float(
        'beta1', None, "Decay of both Adams' first moments (the post: 0.9).", flag_values=opts
    )  # fmt: skip
    flags.DEFINE_integer(
        'eval_every', 2500, 'Iterations from one evaluation to the next; one takes a second or two a run (the post: none).',
        lower_bound=1, upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    return opts


def settings_from_flags(opts, digits):
    """The settings of the command line. Raises cli.UserError, in one line, where they make no sense."""
    cli.positive(opts, 'learning_rate')
    if opts.beta1 is not None and not 0 <= opts.beta1 < 1:
        raise cli.UserError(f'--beta1={opts.beta1} must be at least 0 and below 1')
    size = len(training_digits(digits)[0])
    if opts.batch_size and opts.batch_size > size:
        raise cli.UserError(f'--batch_size={opts.batch_size} is more than the {size:,} digits there are to train on')
    return make_settings(opts.variant, batch_size=opts.batch_size, learning_rate=opts.learning_rate, beta1=opts.beta1)


def load_digits(opts):
    """The digits of --data; tells the user in one line where they are not what he may expect."""
    try:
        digits, notice = mnist_data.load(opts.data)
    except mnist_data.BadData as error:
        remedy = 'name a Keras mnist.npz, a directory with the four IDX files, bundled or auto'
        raise cli.UserError(f'--data={opts.data}: {error}; {remedy}') from error
    judged = np.bincount(training_digits(digits)[1][: len(digits.x_test)])
    if len(digits.x_test) < 2 or judged.sum() - judged.max() < 2:  # a covariance is taken of them, without any one class too
        raise cli.UserError(f'--data={opts.data} has too few digits to judge others by; give more of each class')
    if notice:
        print(f'note: {notice}', file=sys.stderr)
    return digits


def intervals(runs, num_steps, eval_every):
    """Iterations from record to record and from sheet to sheet. Records fall on every evaluation and every sheet."""
    most = max(1, min(MOST_BETWEEN, CALL // runs))
    every = max(size for size in range(1, most + 1) if eval_every % size == 0)
    return every, every * max(1, round(num_steps / FILM_FRAMES / every))


def main(argv):
    """Runs what the command line asks for; returns the exit status."""
    opts = define_flags()
    cli.parse(opts, argv, __doc__)
    if opts.replay:
        from reproductions import mnist_replay

        return app.run_replay(
            opts, 'mnist', mnist_replay.replay_trace, ['variant', 'batch_size', 'learning_rate', 'beta1', 'data']
        )
    if opts.claims and not opts['runs'].present:
        opts.runs = CLAIM_RUNS
    num_steps = opts.num_steps or (CLAIM_STEPS if opts.claims else VARIANTS[opts.variant].num_steps)
    digits = load_digits(opts)
    settings = settings_from_flags(opts, digits)
    cli.check_memory(opts, (settings.d_widths, settings.g_widths), settings.batch_size, group=GROUP)
    seeds = cli.seeds(opts)
    devices = app.strategy(opts, settings.batch_size)
    directory = app.output_directory(opts, 'mnist', devices)
    experiment = make_experiment(settings, make_game(settings, training_digits(digits)[0]))
    judge = None
    if cluster.is_chief(devices):  # the later workers of a cluster judge nothing
        judge = make_judge(digits)
        judge.references['untrained'] = untrained(settings, judge, experiment, seeds[:1])
    every, sheet_every = intervals(opts.runs, num_steps, opts.eval_every)
    decides = settings._asdict() | {'eval_every': opts.eval_every, 'data_sha256': digits.sha256}
    trained = app.train(
        opts, devices, experiment, directory, decides, num_steps, every, max(every, num_steps // 10 // every * every),
        *watcher(settings, judge, seeds, num_steps, sheet_every, opts.eval_every),
    )  # fmt: skip
    table = results_table(settings, judge, seeds, trained.players, trained.history)
    effective = settings._asdict() | {'runs': opts.runs, 'num_steps': num_steps, 'digits': digits.name}
    effective['classifier'] = judge.classifier.name
    app.write_results(opts, 'mnist', directory, effective, trained, table)
    accuracy = {'classifier': {'accuracy': judge.classifier.accuracy}}
    results.write_json(directory / 'references.json', accuracy | judge.references)
    draw(settings, directory, digits, judge, seeds, trained)
    if opts.animation and 'sheet_step' in trained.history:
        path = directory / 'animation.gif'
        app.drawing(mnist_drawing.draw_film(path, trained.history, seeds[0]), len(trained.history['sheet_step']), path)
    summary(table, judge)
    if opts.claims:
        from reproductions import mnist_claims

        print(mnist_claims.write(directory, mnist_claims.measure(table, trained.history, judge.references)))
    export.of_run(
        opts, trained, generator, lambda seeds, number: noise(settings, seeds, Stream.FIGURE, number, settings.batch_size)
    )
    print(f'files in {directory}/')
    return app.exit_status(trained)


def untrained(settings, judge, experiment, seeds):
    """What the evaluation finds of the first run before training: the ceiling of the Fréchet distance. {column: number}."""
    d, g = tf.nest.map_structure(lambda value: value.numpy(), experiment.init(tf.constant(seeds)))
    columns, _ = evaluate(settings, judge, seeds, training.Players(0, d, g, (), ()))
    return {name: float(values[0]) for name, values in columns.items()}


def summary(table, judge):
    """Prints what came out beside the same numbers of real digits."""
    real, untrained = judge.references['test'], judge.references['untrained']
    real = real | {'frechet': judge.references['training']['frechet'], 'd_real': 0.5, 'd_fake': 0.5}
    print(f'\nclassifier: {judge.classifier.accuracy:.2%} of the test digits')
    for name in ('finite', 'success', 'collapsed'):
        estimate = claims.proportion(table[name] == 1)
        print(f'{name}: {(table[name] == 1).sum()} of {estimate.n} [{estimate.low:.1%}, {estimate.high:.1%}]')
    if not table['finite'].any():
        print('every run diverged: there is nothing finite to summarise')
        return
    print(f'{"":16}{"ours":>10}{"untrained":>11}{"target":>10}' + ('' if len(table['seed']) == 1 else '  (medians over seeds)'))
    for name in ('classes_covered', 'confident', 'score', 'frechet', 'nearest', 'nearest_other', 'd_real', 'd_fake'):
        print(f'{name:16}{np.nanmedian(table[name]):10.4g}{untrained[name]:11.4g}{real[name]:10.4g}')


if __name__ == '__main__':
    cli.run(main)
