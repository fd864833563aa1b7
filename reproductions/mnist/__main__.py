"""The command line of the MNIST post: python -m reproductions.mnist."""

import sys

import numpy as np
import tensorflow as tf
from absl import flags

import reproductions.mnist
from common import training
from common.devices import cluster
from common.evaluation import claims
from common.nn.random import Stream
from common.program import cli, commands, progress, session
from common.storage import files, saved_model
from reproductions.mnist import claims as mnist_claims
from reproductions.mnist import dataset, figures, gan, quality, replay


def define_flags():
    """The command line of this post."""
    opts = cli.common_flags()
    flags.DEFINE_enum(
        'variant', gan.DEFAULT_VARIANT, list(gan.VARIANTS), 'The program as the post lists it.', flag_values=opts
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
    size = len(gan.training_digits(digits)[0])
    if opts.batch_size and opts.batch_size > size:
        raise cli.UserError(f'--batch_size={opts.batch_size} is more than the {size:,} digits there are to train on')
    return gan.make_settings(opts.variant, batch_size=opts.batch_size, learning_rate=opts.learning_rate, beta1=opts.beta1)


def load_digits(opts):
    """The digits of --data; tells the user in one line where they are not what he may expect."""
    try:
        digits, notice = dataset.load(opts.data)
    except dataset.BadData as error:
        remedy = 'name a Keras mnist.npz, a directory with the four IDX files, bundled or auto'
        raise cli.UserError(f'--data={opts.data}: {error}; {remedy}') from error
    judged = np.bincount(gan.training_digits(digits)[1][: len(digits.x_test)])
    if len(digits.x_test) < 2 or judged.sum() - judged.max() < 2:  # a covariance is taken of them, without any one class too
        raise cli.UserError(f'--data={opts.data} has too few digits to judge others by; give more of each class')
    if notice:
        print(f'note: {notice}', file=sys.stderr)
    return digits


def intervals(runs, num_steps, eval_every):
    """Iterations from record to record and from sheet to sheet. Records fall on every evaluation and every sheet."""
    most = max(1, min(gan.MOST_BETWEEN, gan.CALL // runs))
    every = max(size for size in range(1, most + 1) if eval_every % size == 0)
    return every, every * max(1, round(num_steps / figures.FILM_FRAMES / every))


def main(argv):
    """Runs what the command line asks for; returns the exit status."""
    opts = define_flags()
    cli.parse(opts, argv, reproductions.mnist.__doc__)
    if opts.replay:
        return commands.run_replay(
            opts, 'mnist', replay.replay_trace, ['variant', 'batch_size', 'learning_rate', 'beta1', 'data']
        )
    if opts.claims and not opts['runs'].present:
        opts.runs = mnist_claims.RUNS
    num_steps = opts.num_steps or (mnist_claims.STEPS if opts.claims else gan.VARIANTS[opts.variant].num_steps)
    digits = load_digits(opts)
    settings = settings_from_flags(opts, digits)
    cli.check_memory(opts, (settings.d_widths, settings.g_widths), settings.batch_size, group=gan.GROUP)
    seeds = cli.seeds(opts)
    devices = commands.strategy(opts, settings.batch_size)
    directory = commands.output_directory(opts, 'mnist', devices)
    experiment = gan.make_experiment(settings, gan.make_game(settings, gan.training_digits(digits)[0]))
    judge = None
    if cluster.is_chief(devices):  # the later workers of a cluster judge nothing
        judge = quality.make_judge(digits)
        judge.references['untrained'] = untrained(settings, judge, experiment, seeds[:1])
    every, sheet_every = intervals(opts.runs, num_steps, opts.eval_every)
    decides = settings._asdict() | {'eval_every': opts.eval_every, 'data_sha256': digits.sha256}
    trained = session.train(
        opts, devices, experiment, directory, decides, num_steps, every, max(every, num_steps // 10 // every * every),
        *quality.watcher(settings, judge, seeds, num_steps, sheet_every, opts.eval_every),
    )  # fmt: skip
    table = quality.results_table(settings, judge, seeds, trained.players, trained.history)
    effective = settings._asdict() | {'runs': opts.runs, 'num_steps': num_steps, 'digits': digits.name}
    effective['classifier'] = judge.classifier.name
    commands.write_results(opts, 'mnist', directory, effective, trained, table)
    accuracy = {'classifier': {'accuracy': judge.classifier.accuracy}}
    files.write_json(directory / 'references.json', accuracy | judge.references)
    figures.draw(settings, directory, digits, judge, seeds, trained)
    if opts.animation and 'sheet_step' in trained.history:
        path = directory / 'animation.gif'
        progress.drawing(figures.draw_film(path, trained.history, seeds[0]), len(trained.history['sheet_step']), path)
    summary(table, judge)
    if opts.claims:
        print(mnist_claims.write(directory, mnist_claims.measure(table, trained.history, judge.references)))
    saved_model.of_run(
        opts,
        trained,
        gan.generator,
        lambda seeds, number: gan.noise(settings, seeds, Stream.FIGURE, number, settings.batch_size),
    )
    print(f'files in {directory}/')
    return session.exit_status(trained)


def untrained(settings, judge, experiment, seeds):
    """What the evaluation finds of the first run before training: the ceiling of the Fréchet distance. {column: number}."""
    d, g = tf.nest.map_structure(lambda value: value.numpy(), experiment.init(tf.constant(seeds)))
    columns, _ = quality.evaluate(settings, judge, seeds, training.Players(0, d, g, (), ()))
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
