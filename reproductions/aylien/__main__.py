"""The command line of Aylien's post: python -m reproductions.aylien."""

from absl.flags import FlagValues

import reproductions.aylien
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
    PATH,
    POSITIVE,
    REMEDIES,
    WIDTHS,
    Flag,
    parse,
)
from common.sizes import CHUNK, SEEDS
from reproductions.aylien.settings import (
    BETA1,
    BETA2,
    DECAY,
    DEFAULT,
    KERNELS,
    NOISE_RANGE,
    NUMBERS,
    PLOT_POINTS,
    SEED,
    VARIANTS,
    Settings,
    default_steps,
    group,
    make_settings,
)

FLAGS = (
    Flag('variant', tuple(VARIANTS), DEFAULT, 'Published version of the program (the post: 2016-08).'),
    Flag('seed', int, SEED, "First seed (the post's program: 42).", 0, SEEDS - 1),
    Flag('minibatch', bool, False, 'Use minibatch discrimination in D (the post shows both).'),
    Flag('hidden_size', int, 4, 'Hidden units h of G; D has 2h per layer (the post: 4).', 1),
    Flag('d_hidden_sizes', WIDTHS, None, "Widths of D's hidden layers (the post: 2h,2h,2h)."),
    Flag('learning_rate', POSITIVE, None, "Initial learning rate (default: the variant's; the post: 0.005)."),
    D_RATE,
    G_RATE,
    Flag('decay', POSITIVE, DECAY, 'Factor of the learning rate every 150 steps of gradient descent (the post: 0.95).', most=1),
    Flag('beta1', FRACTION, BETA1, "Adam's beta1, for 2017-06 (the post: 0.9)."),
    Flag('beta2', FRACTION, BETA2, "Adam's beta2, for 2017-06 (the post: 0.999)."),
    EPSILON,
    INIT_SCALE,
    Flag('noise_range', POSITIVE, NOISE_RANGE, 'Noise covers +- this (the post: 8).'),
    D_STEPS,
    G_STEPS,
    *REMEDIES,
    Flag('pretrain_steps', int, None, "Steps of D's pre-training (default: the variant's; the post's program: 1000).", 0, MOST),
    Flag('mu', float, 4.0, 'Mean of the data (the post: 4).'),
    Flag('sigma', POSITIVE, 0.5, 'Standard deviation of the data (the post: 0.5).'),
    Flag('log_every', int, None, 'Steps between records of the losses, which a single-seed run prints (default: 10, as in '
         'the post; with several seeds, about 100 records in all).', 1, MOST),
    Flag('anim_every', int, None, 'Steps between animation frames (default: about 120 frames in all; the post: 1).', 1, MOST),
    Flag('anim_path', PATH, None, 'Write the animation to this .gif file, or .mp4 if ffmpeg is installed.'),
)  # fmt: skip
DECIDED_BY_TRACE = ('variant', 'minibatch', 'hidden_size', 'd_hidden_sizes', 'batch_size', 'd_steps', 'g_steps', *NUMBERS)
CLAIM_RUNS = 500


def settings_from_flags(opts: FlagValues) -> Settings:
    """The settings from the flags. Raises cli.UserError if they make no sense."""
    checks.normal(opts, 'mu', 'sigma')
    unused = {'adam': ('decay',), 'gradient descent': ('beta1', 'beta2', 'epsilon')}[VARIANTS[opts.variant].optimizer]
    checks.unused(opts, unused, f'the program of {opts.variant} uses {VARIANTS[opts.variant].optimizer}')
    settings = make_settings(
        opts.variant, opts.minibatch, opts.hidden_size, checks.widths(opts, 'd_hidden_sizes'), batch_size=opts.batch_size,
        pretrain_steps=opts.pretrain_steps, d_steps=opts.d_steps, g_steps=opts.g_steps, **checks.values(opts, NUMBERS),
        **checks.remedies(opts, VARIANTS[opts.variant].num_steps),
    )  # fmt: skip
    if settings.minibatch and len(settings.d_hidden_sizes) < 2:
        raise cli.UserError('--d_hidden_sizes: minibatch discrimination replaces the last of these layers; name two or more')
    checks.minibatch(settings)
    if settings.batch_size > PLOT_POINTS:
        raise cli.UserError(
            f'--batch_size={settings.batch_size} is more than the {PLOT_POINTS:,} points of the evaluation grid'
        )
    return settings


def check(opts: FlagValues, settings: Settings, num_steps: int, every: int) -> None:
    """Raises cli.UserError if the command cannot run: too few seeds for a claim, invalid seeds or paths, too little memory."""
    if opts.claims:
        checks.claim_runs(opts, CLAIM_RUNS)
    if opts.claims or opts.replay:
        return
    checks.seeds(opts)
    checks.outputs(opts)
    networks = [(1, *settings.d_hidden_sizes, 1), (1, settings.hidden_size, 1)]
    records = (settings.pretrain_steps + num_steps) // every
    compared = comparisons(settings, opts.runs)
    checks.memory(opts, networks, settings.batch_size, records, compared, group(settings))


def comparisons(settings: Settings, runs: int) -> int:
    """Memory of minibatch discrimination in the evaluation, in bytes: it compares every sample of a batch with every other."""
    return 4 * min(runs, CHUNK) * KERNELS * settings.batch_size**2 if settings.minibatch else 0


def main(argv: list[str]) -> int:
    """Runs the command; returns the exit status."""
    opts = parse(FLAGS, argv, reproductions.aylien.__file__, DECIDED_BY_TRACE)
    settings = settings_from_flags(opts)
    num_steps = opts.num_steps or default_steps(settings)
    every = opts.log_every or (10 if opts.runs == 1 else max(10, num_steps // 100))
    animation_path, anim_every = checks.animation_path(opts), opts.anim_every or max(1, num_steps // 120)
    check(opts, settings, num_steps, every)
    quiet.import_tensorflow()
    from common.program import command, session
    from reproductions import accepted_numbers
    from reproductions.aylien import claims, figures, gan, replay

    if opts.replay:
        return command.replay_trace('aylien', opts, replay.replay_trace)
    if opts.claims:
        return command.measure_claims('aylien', opts, claims.measure, claims.ENSEMBLES)
    with command.begin('aylien', opts, settings, num_steps) as run:
        animation_path = animation_path or (run.directory / 'animation.gif' if opts.animation else None)
        trained = session.train(
            run, gan.make_experiment(settings), every, every, film_every=anim_every if animation_path else None
        )
        table = gan.results_table(settings, run.seeds, trained.train_state, trained.history)
        command.write(run, trained, table, {'log_every': every, 'anim_every': anim_every if animation_path else None})
        figures.draw(settings, run.directory, run.seeds, trained, table)
        command.animate(run, trained, animation_path, figures.draw_animation)
        command.summary(table, {'mean': settings.mu, 'std': settings.sigma, 'wasserstein': 0, 'd_mean': 0.5})
        command.export(run, trained, gan.generator, gan.noise)
        proportion = accepted_numbers.in_proportion('aylien', settings, num_steps, table['success'][0])
        return command.finish(run, trained, proportion)


if __name__ == '__main__':
    cli.run(main)
