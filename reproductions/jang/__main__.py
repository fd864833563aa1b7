"""The command line of Jang's post: python -m reproductions.jang."""

from absl.flags import FlagValues

import reproductions.jang
from common import quiet
from common.program import checks, cli
from common.program.flags import (
    D_RATE,
    D_STEPS,
    FRACTION,
    G_RATE,
    G_STEPS,
    INIT_SCALE,
    MOST,
    POSITIVE,
    REMEDIES,
    WIDTHS,
    Flag,
    parse,
)
from common.sizes import CHUNK, SEEDS
from reproductions.aylien.__main__ import comparisons
from reproductions.aylien.settings import group
from reproductions.jang.settings import (
    CLAMP,
    DECAY,
    DEFAULT,
    HALF_RANGE,
    LEARNING_RATE,
    MOMENTUM,
    MU,
    NUM_STEPS,
    NUMBERS,
    OUTPUT_SCALE,
    PLOT_POINTS,
    SIGMA,
    VARIANTS,
    Settings,
    make_settings,
)

FLAGS = (
    Flag('variant', tuple(VARIANTS), DEFAULT, 'Published version of the program (the post: 2016-06).'),
    Flag('seed', int, 0, 'First seed (the post: none given).', 0, SEEDS - 1),
    Flag('sort', bool, None, "Sort the samples of each batch (default: the variant's; the post: yes)."),
    Flag('stratify', bool, True, 'Use stratified noise, on a jittered grid, instead of independent noise (the post: yes).'),
    Flag('activation', ('tanh', 'relu'), 'tanh', 'Activation of the hidden layers (the post: tanh).'),
    Flag('hidden_sizes', WIDTHS, None, 'Widths of the hidden layers, the same for D and G (the post: 6,5).'),
    Flag('learning_rate', POSITIVE, LEARNING_RATE, 'Initial learning rate (the post: 0.001).'),
    D_RATE,
    G_RATE,
    Flag('momentum', FRACTION, MOMENTUM, 'Momentum of gradient descent (the post: 0.6).'),
    Flag('decay', POSITIVE, DECAY, 'Factor of the learning rate after each quarter of training (the post: 0.95).', most=1),
    INIT_SCALE,
    Flag('noise_range', POSITIVE, HALF_RANGE, 'Noise covers +- this (the post: 5).'),
    Flag('output_scale', POSITIVE, OUTPUT_SCALE, "G's samples lie within +- this (the post: 5)."),
    Flag('clamp', float, CLAMP, "D's probabilities are clipped to clamp .. 1 - clamp (the post: 0.01).", 0, 0.49),
    Flag('mu', float, MU, 'Mean of the data (the post: -1).'),
    Flag('sigma', POSITIVE, SIGMA, 'Standard deviation of the data (the post: 1).'),
    D_STEPS,
    G_STEPS,
    Flag('minibatch', bool, False, 'Use minibatch discrimination in D (the post: no).'),
    *REMEDIES,
    Flag('pretrain_steps', int, 1000, "Steps of D's pre-training (the post: 1000).", 0, MOST),
    Flag('log_every', int, None, 'Iterations between records of the losses, which a single-seed run prints (default: record '
         'each, as in the post, and print ten; with several seeds, about 200 records in all).', 1, MOST),
)  # fmt: skip
DECIDED_BY_TRACE = (
    'variant', 'sort', 'stratify', 'activation', 'hidden_sizes', 'batch_size', 'pretrain_steps', 'd_steps', 'g_steps', *NUMBERS,
)  # fmt: skip
CLAIM_RUNS, CLAIM_TIMES = 200, 5  # J2 needs five times as many seeds


def settings_from_flags(opts: FlagValues) -> Settings:
    """The settings from the flags. Raises cli.UserError if they make no sense."""
    checks.normal(opts, 'mu', 'sigma')
    settings = make_settings(
        opts.variant, sort=opts.sort, stratify=opts.stratify, activation=opts.activation,
        hidden_sizes=checks.widths(opts, 'hidden_sizes') or None, batch_size=opts.batch_size, d_steps=opts.d_steps,
        g_steps=opts.g_steps, pretrain_steps=opts.pretrain_steps, num_steps=opts.num_steps, minibatch=opts.minibatch,
        **checks.values(opts, NUMBERS), **checks.remedies(opts, NUM_STEPS),
    )  # fmt: skip
    checks.minibatch(settings)
    return settings


def check(opts: FlagValues, settings: Settings, num_steps: int, every: int) -> None:
    """Raises cli.UserError if the command cannot run: too few seeds for a claim, invalid seeds or paths, too little memory."""
    if opts.claims:
        checks.claim_runs(opts, CLAIM_RUNS, CLAIM_TIMES)
    if opts.claims or opts.replay:
        return
    checks.seeds(opts)
    checks.outputs(opts)
    records = (settings.pretrain_steps + num_steps) // every
    more = comparisons(settings, opts.runs)
    more += 4 * min(opts.runs, CHUNK) * PLOT_POINTS * max(settings.hidden_sizes)  # surfaces, in the evaluation
    checks.memory(opts, [(1, *settings.hidden_sizes, 1)] * 2, settings.batch_size, records, more, group(settings))


def main(argv: list[str]) -> int:
    """Runs the command; returns the exit status."""
    opts = parse(FLAGS, argv, reproductions.jang.__file__, DECIDED_BY_TRACE)
    settings = settings_from_flags(opts)
    num_steps = settings.num_steps
    every = opts.log_every or (1 if opts.runs == 1 else max(10, num_steps // 200))
    print_every, frame_every = opts.log_every or max(1, num_steps // 10), max(1, num_steps // 120)
    check(opts, settings, num_steps, every)
    quiet.import_tensorflow()
    from common.program import command, session
    from reproductions import accepted_numbers
    from reproductions.jang import claims, figures, gan, replay

    if opts.replay:
        return command.replay_trace('jang', opts, replay.replay_trace)
    if opts.claims:
        return command.measure_claims('jang', opts, claims.measure, claims.ENSEMBLES)
    with command.begin('jang', opts, settings, num_steps) as run:
        experiment = gan.make_experiment(settings)
        trained = session.train(run, experiment, every, print_every, film_every=frame_every if opts.animation else None)
        table = gan.results_table(settings, run.seeds, trained.train_state, trained.history)
        command.write(run, trained, table, {'log_every': every})
        figures.draw(settings, run.directory, run.seeds, trained, table)
        command.animate(run, trained, run.directory / 'animation.gif', figures.draw_animation)
        command.summary(table, {'mean': settings.mu, 'std': settings.sigma, 'wasserstein': 0, 'd_mean': 0.5})
        command.export(run, trained, gan.generator, gan.noise)
        proportion = accepted_numbers.in_proportion('jang', settings, num_steps, table['success'][0])
        return command.finish(run, trained, proportion)


if __name__ == '__main__':
    cli.run(main)
