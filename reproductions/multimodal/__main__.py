"""The command line of the multi-modal post: python -m reproductions.multimodal."""

import itertools

from absl.flags import FlagValues

import reproductions.multimodal
from common import quiet
from common.evaluation import MODE_REACH
from common.program import checks, cli, flags
from common.program.flags import D_RATE, D_STEPS, G_RATE, G_STEPS, INIT_SCALE, MOST, POSITIVE, REMEDIES, WIDTHS, Flag, parse
from common.sizes import SEEDS
from reproductions.aylien.__main__ import comparisons
from reproductions.aylien.settings import DECAY, NOISE_RANGE, PLOT_POINTS, group
from reproductions.multimodal.settings import (
    ACTIVATIONS,
    DEFAULT,
    LEAST_STD,
    MOST_MODES,
    MOST_UNITS,
    NUM_STEPS,
    NUMBERS,
    PRETRAIN_TARGETS,
    RECORD_EVERY,
    SEED,
    SIGMA,
    VARIANTS,
    Settings,
    default_modes,
    default_steps,
    make_settings,
)

FLAGS = (
    Flag('variant', tuple(VARIANTS), DEFAULT, 'Values for what the post leaves open, since its program is lost: '
         f'{"; ".join(f"{name}, {variant.what}" for name, variant in VARIANTS.items())}.'),
    Flag('seed', int, SEED, 'First seed (the post mentions 42 and 4).', 0, SEEDS - 1),
    Flag('modes', int, None, 'Number of Gaussian modes of the data (default: 3; the post: 1, 2 and 3).', 1, MOST_MODES),
    Flag('means', flags.NUMBERS, None, 'Means of the modes (default: 4 for one, 0 if guessed; else evenly spaced over +-4; '
         'the post: lost image).'),
    Flag('deviations', flags.NUMBERS, None, 'Standard deviations of the modes, one for all or one per mode (default: '
         '0.5, or less for modes closer than 8 stds; the post: lost image).'),
    Flag('hidden_size', int, 4, 'h: each hidden layer of G has h units per mode (the post: 4).', 1),
    Flag('layers', int, 3, 'Number of hidden layers of G (the post: not stated, but at least three).', 1, 10),
    Flag('hidden_sizes', WIDTHS, None, "Widths of G's hidden layers, one by one; replaces --hidden_size and --layers."),
    Flag('activation', ACTIVATIONS, 'tanh', "Activation of G's hidden layers (the post: not stated; Aylien's: softplus)."),
    Flag('minibatch', bool, False, 'Use minibatch discrimination in D (the post: no).'),
    Flag('noise_range', POSITIVE, NOISE_RANGE, "Noise covers +- this (the post: not stated; Aylien's: 8)."),
    Flag('learning_rate', POSITIVE, None, "Initial learning rate (the post: not stated; default: Aylien's of that time, 0.03, "
         'or 0.005 with --minibatch).'),
    D_RATE,
    G_RATE,
    Flag('decay', POSITIVE, DECAY, "Factor of the learning rate every 150 steps (Aylien's: 0.95; the post: not stated).",
         most=1),
    INIT_SCALE,
    D_STEPS,
    G_STEPS,
    *REMEDIES,
    Flag('pretrain_steps', int, None, "Steps of D's pre-training (the post: not stated; default: Aylien's, 1000).", 0, MOST),
    Flag('pretrain_target', PRETRAIN_TARGETS, 'all', "Density that D is pre-trained on: all modes', or the first mode's alone "
         "(the post: not stated; Aylien's has one mode)."),
    Flag('equal_modes', bool, True, 'Batches of equally many samples per mode (the post: "almost equal"), or of modes drawn at '
         'random.'),
    Flag('log_every', int, RECORD_EVERY, 'Steps between records of the losses, which a single-seed run prints; in addition, '
         'every fifth step up to the 400th is recorded.', 1, MOST),
)  # fmt: skip
DECIDED_BY_TRACE = ('batch_size', *(flag.name for flag in FLAGS if flag.name != 'seed'))
CLAIM_RUNS = 200


def settings_from_flags(opts: FlagValues) -> Settings:
    """The settings from the flags. Raises cli.UserError if they make no sense."""
    means, stds = modes_from_flags(opts)
    if len(means) == 1:
        checks.unused(opts, ('pretrain_target', 'equal_modes'), 'there is one mode')
    if opts.pretrain_steps == 0:
        checks.unused(opts, ('pretrain_target',), 'D is not pre-trained')
    first = (1.0, *[0.0] * (len(means) - 1))
    widths = checks.widths(opts, 'hidden_sizes')
    if widths and (opts['layers'].present or opts['hidden_size'].present):
        raise cli.UserError(
            f'--hidden_sizes={",".join(map(str, widths))} sets every width; leave out --hidden_size and --layers'
        )
    settings = make_settings(
        len(means), opts.hidden_size, opts.layers, opts.minibatch, opts.variant, means=means, deviations=stds,
        hidden_sizes=widths or None, activation=opts.activation, batch_size=opts.batch_size, d_steps=opts.d_steps,
        g_steps=opts.g_steps, pretrain_steps=opts.pretrain_steps, equal_modes=opts.equal_modes,
        pretrain_weights=first if opts.pretrain_target == 'first' else None, **checks.values(opts, NUMBERS),
        **checks.remedies(opts, NUM_STEPS),
    )  # fmt: skip
    checks.minibatch(settings)
    if settings.batch_size > PLOT_POINTS:
        raise cli.UserError(
            f'--batch_size={settings.batch_size} is more than the {PLOT_POINTS:,} points of the evaluation grid'
        )
    if max(settings.hidden_sizes) > MOST_UNITS:
        raise cli.UserError(f'hidden layers of {max(settings.hidden_sizes):,} units are too wide; use {MOST_UNITS:,} or fewer')
    return settings


def modes_from_flags(opts: FlagValues) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means in ascending order and their stds. Raises cli.UserError if modes overlap or leave the plotted range."""
    means = checks.numbers(opts, 'means')
    if len(means) > MOST_MODES:
        raise cli.UserError(f'--means names {len(means):,} modes; use {MOST_MODES} or fewer')
    if means and opts.modes not in (None, len(means)):
        raise cli.UserError(f'--modes={opts.modes} but --means={",".join(opts.means)} names {len(means)}; leave out --modes')
    default_means, default_stds = default_modes(len(means) or opts.modes or 3, opts.variant)
    stds = checks.numbers(opts, 'deviations')
    if means and not stds:
        stds = (SIGMA,)
    means, stds = means or default_means, stds or default_stds
    if len(stds) not in (1, len(means)) or min(stds) < LEAST_STD:
        given = ','.join(opts.deviations or [])
        raise cli.UserError(
            f'--deviations={given} must be one number of at least {LEAST_STD:g}, or {len(means)} of them, one per mode'
        )
    stds = stds * (len(means) // len(stds))
    modes = sorted(zip(means, stds, strict=True))
    for (low, std_low), (high, std_high) in itertools.pairwise(modes):
        if high - low < MODE_REACH * (std_low + std_high):
            raise cli.UserError(
                f'modes at {low:g} and {high:g} overlap; set --means and --deviations so that neighbors are apart '
                f'by {MODE_REACH:g} stds of each, here {MODE_REACH * (std_low + std_high):g}'
            )
    for mean, std in modes:
        if abs(mean) + MODE_REACH * std > NOISE_RANGE:
            raise cli.UserError(
                f'the mode at {mean:g} with std {std:g} leaves the figure; keep each of --means at least '
                f'{MODE_REACH:g} of its --deviations inside +-{NOISE_RANGE:g}'
            )
    return tuple(zip(*modes, strict=True))


def check(opts: FlagValues, settings: Settings, num_steps: int, every: int) -> None:
    """Raises cli.UserError if the command cannot run: too few seeds for a claim, invalid seeds or paths, too little memory."""
    if opts.claims:
        checks.claim_runs(opts, CLAIM_RUNS)
    if opts.claims or opts.replay:
        return
    checks.seeds(opts)
    checks.outputs(opts)
    records = (settings.pretrain_steps + num_steps) // every
    more = comparisons(settings, opts.runs)
    checks.memory(opts, [(1, *settings.hidden_sizes, 1)], settings.batch_size, records, more, group(settings))


def main(argv: list[str]) -> int:
    """Runs the command; returns the exit status."""
    opts = parse(FLAGS, argv, reproductions.multimodal.__file__, DECIDED_BY_TRACE)
    settings = settings_from_flags(opts)
    num_steps, every = opts.num_steps or default_steps(settings), opts.log_every
    check(opts, settings, num_steps, every)
    quiet.import_tensorflow()
    from common.program import command, session
    from reproductions import accepted_numbers
    from reproductions.multimodal import claims, figures, gan, replay

    if opts.replay:
        return command.replay_trace('multimodal', opts, replay.replay_trace)
    if opts.claims:
        return command.measure_claims('multimodal', opts, claims.measure, claims.ENSEMBLES)
    with command.begin('multimodal', opts, settings, num_steps) as run:
        trained = session.train(run, gan.make_experiment(settings), every, every, film_every=every if opts.animation else None)
        table = gan.results_table(settings, run.seeds, trained.train_state, trained.history)
        command.write(run, trained, table, {'modes': len(settings.means)})
        figures.draw(settings, run.directory, run.seeds, trained, table)
        command.animate(run, trained, run.directory / 'animation.gif', figures.draw_animation)
        command.summary(table, gan.targets(settings))
        command.export(run, trained, gan.generator, gan.noise)
        print(gan.converged(table))
        proportion = accepted_numbers.in_proportion('multimodal', settings, num_steps, table['success'][0])
        return command.finish(run, trained, proportion)


if __name__ == '__main__':
    cli.run(main)
