"""The command line of the MNIST post: python -m reproductions.mnist."""

import sys
from typing import Any

from absl.flags import FlagValues

import reproductions.mnist
from common import quiet
from common.program import checks, cli
from common.program.flags import (
    D_RATE,
    D_STEPS,
    EPSILON,
    FRACTION,
    G_RATE,
    G_STEPS,
    INIT_SCALE,
    MOST,
    POSITIVE,
    REMEDIES,
    WIDTHS,
    Flag,
    local_path,
    parse,
)
from common.sizes import SEEDS
from reproductions.aylien.__main__ import comparisons
from reproductions.mnist.settings import (
    ANIMATION_FRAMES,
    CALL,
    CLAIM_RUNS,
    CLAIM_STEPS,
    DEFAULT,
    GROUP,
    MOST_BETWEEN,
    NUMBERS,
    VARIANTS,
    Settings,
    default_steps,
    make_settings,
)

R1 = "Weight gamma of R1, a penalty on D's slope at real digits (Mescheder et al. 2018; the post: 0; repaired: 1)."
FLAGS = (
    Flag('variant', tuple(VARIANTS), DEFAULT,
         f'Program: {"; ".join(f"{name}, {variant.what}" for name, variant in VARIANTS.items())}.'),
    Flag('seed', int, 0, 'First seed (the post: none given).', 0, SEEDS - 1),
    Flag('data', str, 'auto', "Digits: auto (Keras's cache or download; without a network, bundled), bundled (8,000 + 2,000 of "
         'MNIST), or a path: a Keras mnist.npz, or a directory with the four IDX files, plain or .gz (the post: MNIST).'),
    Flag('learning_rate', POSITIVE, None, 'Learning rate of Adam, for both networks (the post: 0.001; 2018-08: 0.0001).'),
    D_RATE,
    G_RATE,
    Flag('beta1', FRACTION, None, "Adam's beta1, for both networks (the post: 0.9; 2018-08: 0.5)."),
    Flag('beta2', FRACTION, None, "Adam's beta2, for both networks (the post: 0.999; 2018-08: 0.9)."),
    EPSILON,
    INIT_SCALE,
    Flag('noise_range', POSITIVE, 1.0, 'Noise is uniform over +- this (the post: 1).'),
    Flag('hidden_sizes', WIDTHS, None, "Widths of D's hidden layers; G has the same in reverse (the post: 500,200)."),
    D_STEPS,
    G_STEPS,
    Flag('minibatch', bool, False, 'Use minibatch discrimination in D (the post: no).'),
    *(flag._replace(default=None, text=R1) if flag.name == 'gradient_penalty' else flag for flag in REMEDIES),
    Flag('eval_every', int, 2500, 'Iterations between evaluations; each takes a second or two per seed (the post: none).',
         1, MOST),
)  # fmt: skip
COLLAPSES = (
    "the post's listing collapses to one blot within 60 iterations, whatever the seed; --variant=2018-06 draws digits, as does "
    '--variant=repaired, the listing with one more term'
)
DECIDED_BY_TRACE = ('variant', 'batch_size', 'hidden_sizes', *NUMBERS, 'data')


def settings_from_flags(opts: FlagValues) -> Settings:
    """The settings from the flags. Raises cli.UserError if they make no sense."""
    widths = checks.widths(opts, 'hidden_sizes')
    settings = make_settings(
        opts.variant, widths, batch_size=opts.batch_size, d_steps=opts.d_steps, g_steps=opts.g_steps, minibatch=opts.minibatch,
        **checks.values(opts, NUMBERS), **checks.remedies(opts, VARIANTS[opts.variant].num_steps),
    )  # fmt: skip
    checks.minibatch(settings)
    return settings


def check(opts: FlagValues, settings: Settings, num_steps: int, every: int) -> None:
    """Raises cli.UserError for a command that cannot run: invalid seeds or paths, too little memory."""
    if opts.record_networks:
        raise cli.UserError(
            f'--record_networks={opts.record_networks} is for the small networks of the other posts; leave it out: '
            'progress.png, runs.png and --animation show the digits of a training'
        )
    checks.seeds(opts)
    checks.outputs(opts)
    networks, compared = (settings.d_widths, settings.g_widths), comparisons(settings, 1)
    checks.memory(opts, networks, settings.batch_size, num_steps // every, compared, group=GROUP)


def intervals(runs: int, num_steps: int, eval_every: int) -> tuple[int, int]:
    """Iterations between records and between sample grids. Every evaluation and every sample grid falls on a record."""
    most = max(1, min(MOST_BETWEEN, CALL // runs))
    every = max(size for size in range(1, most + 1) if eval_every % size == 0)
    return every, every * max(1, round(num_steps / ANIMATION_FRAMES / every))


def load_digits(opts: FlagValues, settings: Settings) -> Any:
    """The digits of --data (`dataset.Digits`); prints a note if they may not be the expected ones. Raises cli.UserError."""
    from reproductions.mnist import dataset

    try:
        digits, notice = dataset.load(local_path('data', opts.data))
    except dataset.BadData as error:
        remedy = 'name a Keras mnist.npz, a directory with the four IDX files, bundled or auto'
        raise cli.UserError(f'--data={opts.data}: {error}; {remedy}') from error
    if dataset.too_few(digits):
        raise cli.UserError(f'--data={opts.data} has too few digits to evaluate others by; give more of each class')
    size = len(dataset.training_digits(digits)[0])
    if settings.batch_size > size and opts['batch_size'].present:
        raise cli.UserError(f'--batch_size={opts.batch_size} is more than the {size:,} training digits')
    if notice:
        print(f'note: {notice}', file=sys.stderr)
    return digits


def main(argv: list[str]) -> int:
    """Runs the command; returns the exit status."""
    opts = parse(FLAGS, argv, reproductions.mnist.__file__, DECIDED_BY_TRACE)
    settings = settings_from_flags(opts)
    opts.runs = CLAIM_RUNS if opts.claims and not opts['runs'].present else opts.runs
    num_steps = opts.num_steps or (CLAIM_STEPS if opts.claims else default_steps(settings))
    every, grid_every = intervals(opts.runs, num_steps, opts.eval_every)
    print_every = max(every, num_steps // 10 // every * every)
    if not opts.replay:
        check(opts, settings, num_steps, every)
    quiet.import_tensorflow()
    from common.program import command, session
    from reproductions.mnist import claims, comparison, dataset, evaluations, figures, gan, quality, replay

    if opts.replay:
        return command.replay_trace('mnist', opts, replay.replay_trace)
    if settings == make_settings():
        print(COLLAPSES)
    digits = load_digits(opts, settings)
    batch_size = None if settings.minibatch else settings.batch_size  # of which devices may have a part each
    with command.begin('mnist', opts, settings, num_steps, batch_size) as run:
        experiment = gan.make_experiment(settings, dataset.training_digits(digits))
        evaluator = command.on_chief(run, lambda: evaluations.make_evaluator(settings, digits, experiment, run.seeds))
        if evaluator and (doubt := quality.doubt(evaluator)):
            print(f'note: {doubt}', file=sys.stderr)
        decides = {'eval_every': opts.eval_every, 'data_sha256': digits.sha256}
        watcher = evaluations.watcher(settings, evaluator, run.seeds, num_steps, grid_every, opts.eval_every)
        trained = session.train(run, experiment, every, print_every, decides, None, *watcher)
        table = gan.results_table(settings, run.seeds, trained.train_state, trained.history, evaluator)
        extra = {'runs': opts.runs, 'digits': digits.name, 'classifier': evaluator.classifier.name}
        command.write(run, trained, table, extra)
        quality.write_references(run.directory, evaluator)
        figures.draw(settings, run.directory, digits, evaluator, run.seeds, trained)
        if opts.animation:
            with_frames = trained._replace(frames=figures.frames_of(trained.history))
            command.animate(run, with_frames, run.directory / 'animation.gif', figures.draw_animation)
        quality.summary(table, evaluator)
        if opts.claims:
            print(claims.write(run.directory, table, trained.history, evaluator.references))
        command.export(run, trained, gan.generator, gan.noise, gan.labels(settings))
        return command.finish(run, trained, comparison.in_proportion(settings, digits))


if __name__ == '__main__':
    cli.run(main)
