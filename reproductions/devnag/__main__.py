"""The command line of Dev Nag's post: python -m reproductions.devnag."""

from absl.flags import FlagValues

import reproductions.devnag
from common import quiet
from common.program import checks, cli
from common.program.flags import D_RATE, EPSILON, FRACTION, G_RATE, INIT_SCALE, MOST, PATH, POSITIVE, REMEDIES, Flag, parse
from common.sizes import SEEDS
from reproductions.devnag.settings import (
    BETA1,
    BETA2,
    DEFAULT,
    DRAWS,
    MOMENTUM,
    MOST_UPDATES,
    NUMBERS,
    SEED,
    VARIANTS,
    Settings,
    default_steps,
    make_settings,
)

FLAGS = (
    Flag('variant', tuple(VARIANTS), DEFAULT, 'Published version of the program (the post: 2018-11).'),
    Flag('seed', int, SEED, 'First seed (the post: none given).', 0, SEEDS - 1),
    Flag('preprocess', VARIANTS[DEFAULT].views, None, "What D sees of a batch (default: the variant's; the post: moments; "
         '2017-02 has only variances).'),
    Flag('d_steps', int, None, "Updates of D per round (default: the variant's; the post: 20).", 1, MOST_UPDATES),
    Flag('g_steps', int, None, "Updates of G per round (default: the variant's; the post: 20).", 1, MOST_UPDATES),
    Flag('learning_rate', POSITIVE, None, "Learning rate (default: the variant's; the post: 0.001)."),
    D_RATE,
    G_RATE,
    Flag('momentum', FRACTION, MOMENTUM, 'Momentum of gradient descent (the post: 0.9).'),
    Flag('beta1', FRACTION, BETA1, "Adam's beta1, for 2017-02 (that program: 0.9)."),
    Flag('beta2', FRACTION, BETA2, "Adam's beta2, for 2017-02 (that program: 0.999)."),
    EPSILON,
    INIT_SCALE,
    Flag('noise_range', POSITIVE, 1.0, 'Noise is uniform from 0 to this (the post: 1).'),
    *REMEDIES,
    Flag('minibatch', bool, False, 'Refused: minibatch discrimination compares the samples that D decides on one by one, but '
         'this D decides on a whole batch and sees its spread already.'),
    Flag('mu', float, 4.0, 'Mean of the data (the post: 4).'),
    Flag('sigma', POSITIVE, 1.25, 'Standard deviation of the data (the post: 1.25).'),
    Flag('log_every', int, None, 'Rounds between records of the losses, which a single-seed run prints (default: record each '
         "and print every hundredth, as the post's program does).", 1, MOST),
    Flag('anim_every', int, None, 'Rounds between animation frames (default: about 120 frames in all).', 1, MOST),
    Flag('anim_path', PATH, None, 'Write the animation to this .gif file, or .mp4 if ffmpeg is installed.'),
)  # fmt: skip
DECIDED_BY_TRACE = ('variant', 'preprocess', 'batch_size', 'd_steps', 'g_steps', 'num_steps', *NUMBERS)
CLAIM_RUNS = 200


def settings_from_flags(opts: FlagValues) -> Settings:
    """The settings from the flags. Raises cli.UserError if they make no sense."""
    checks.normal(opts, 'mu', 'sigma')
    if opts.preprocess not in (None, *VARIANTS[opts.variant].views):
        raise cli.UserError(f'--preprocess={opts.preprocess}: the program of {opts.variant} has only variances')
    if opts.minibatch:
        raise cli.UserError('--minibatch is not defined here: D decides on a whole batch, whose spread it sees; leave it out')
    unused = {'adam': ('momentum',), 'momentum': ('beta1', 'beta2', 'epsilon')}[VARIANTS[opts.variant].optimizer]
    checks.unused(opts, unused, f'the program of {opts.variant} uses {VARIANTS[opts.variant].optimizer}')
    settings = make_settings(
        opts.variant, preprocess=opts.preprocess, batch_size=opts.batch_size, d_steps=opts.d_steps, g_steps=opts.g_steps,
        **checks.values(opts, NUMBERS), **checks.remedies(opts, VARIANTS[opts.variant].num_steps),
    )  # fmt: skip
    if settings.batch_size < 2:
        raise cli.UserError(f'--batch_size={settings.batch_size}: D needs the spread of a batch; use 2 or more')
    if settings.batch_size > DRAWS:
        raise cli.UserError(f'--batch_size={settings.batch_size} is more than the {DRAWS:,} samples that G is evaluated on')
    return settings


def check(opts: FlagValues, settings: Settings, num_steps: int, every: int) -> None:
    """Raises cli.UserError if the command cannot run: too few seeds for a claim, invalid seeds or paths, memory, updates."""
    if opts.claims:
        checks.claim_runs(opts, CLAIM_RUNS)
    if opts.claims or opts.replay:
        return
    if num_steps * max(settings.d_steps, settings.g_steps) > MOST:
        raise cli.UserError(f'--num_steps={num_steps} is too many: at most 2^31 updates of a network can be counted; use fewer')
    checks.seeds(opts)
    checks.outputs(opts)
    published = VARIANTS[settings.variant]
    networks = [(published.d_hidden_size,) * 2, (published.g_hidden_size,) * 2]
    checks.memory(opts, networks, settings.batch_size, num_steps // every)


def main(argv: list[str]) -> int:
    """Runs the command; returns the exit status."""
    opts = parse(FLAGS, argv, reproductions.devnag.__file__, DECIDED_BY_TRACE)
    settings = settings_from_flags(opts)
    num_steps = opts.num_steps or default_steps(settings)
    every, print_every = opts.log_every or 1, opts.log_every or 100
    animation_path, anim_every = checks.animation_path(opts), opts.anim_every or max(1, num_steps // 120)
    check(opts, settings, num_steps, every)
    quiet.import_tensorflow()
    from common.program import command, session
    from reproductions import accepted_numbers
    from reproductions.devnag import claims, figures, gan, replay

    if opts.replay:
        return command.replay_trace('devnag', opts, replay.replay_trace)
    if opts.claims:
        return command.measure_claims('devnag', opts, claims.measure, claims.ENSEMBLES)
    with command.begin('devnag', opts, settings, num_steps) as run:
        animation_path = animation_path or (run.directory / 'animation.gif' if opts.animation else None)
        experiment = gan.make_experiment(settings)
        trained = session.train(run, experiment, every, print_every, film_every=anim_every if animation_path else None)
        table = gan.results_table(settings, run.seeds, trained.train_state, trained.history)
        command.write(run, trained, table, {'log_every': every, 'anim_every': anim_every if animation_path else None})
        figures.draw(settings, run.directory, run.seeds, trained, table)
        command.animate(run, trained, animation_path, figures.draw_animation)
        targets = {'mean': settings.mu, 'std': settings.sigma, 'skewness': 0, 'kurtosis': 0, 'wasserstein': 0, 'd_mean': 0.5}
        command.summary(table, targets)
        command.export(run, trained, gan.generator, gan.noise)
        proportion = accepted_numbers.in_proportion('devnag', settings, num_steps, table['success'][0])
        return command.finish(run, trained, proportion)


if __name__ == '__main__':
    cli.run(main)
