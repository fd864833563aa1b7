"""The command line of Dev Nag's post: python -m reproductions.devnag."""

import functools

from absl import flags

import reproductions.devnag
from common.nn.random import Stream
from common.program import cli, commands, progress, session
from common.storage import saved_model
from reproductions.devnag import claims as devnag_claims
from reproductions.devnag import figures, gan, outcomes, replay


def define_flags():
    """The command line of this post."""
    opts = cli.common_flags()
    flags.DEFINE_enum(
        'variant',
        gan.DEFAULT_VARIANT,
        list(gan.VARIANTS),
        'Which published state of the program (the post: 2018-11).',
        flag_values=opts,
    )
    flags.DEFINE_integer(
        'seed', gan.SEED, 'First seed (the post sets none).', lower_bound=0, upper_bound=2**32 - 1, flag_values=opts
    )
    flags.DEFINE_enum(
        'preprocess', None, list(gan.VARIANTS[gan.DEFAULT_VARIANT].views),
        "What D is given of a batch (default: the variant's; the post: moments; 2017-02 has variances only).", flag_values=opts,
    )  # fmt: skip
    for network in 'dg':
        flags.DEFINE_integer(
            f'{network}_steps', None, f"Updates of {network.upper()} in a round (default: the variant's; the post: 20).",
            lower_bound=1, upper_bound=gan.MOST_UPDATES, flag_values=opts,
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
    if opts.preprocess not in (None, *gan.VARIANTS[opts.variant].views):
        raise cli.UserError(f'--preprocess={opts.preprocess}: the program of {opts.variant} has variances only')
    settings = gan.make_settings(
        opts.variant, preprocess=opts.preprocess, batch_size=opts.batch_size, d_steps=opts.d_steps, g_steps=opts.g_steps,
        learning_rate=opts.learning_rate, mu=opts.mu, sigma=opts.sigma,
    )  # fmt: skip
    if settings.batch_size < 2:
        raise cli.UserError(f'--batch_size={settings.batch_size}: D looks at the spread of a batch; use 2 or more')
    if settings.batch_size > gan.DRAWS:
        raise cli.UserError(f'--batch_size={settings.batch_size} is more than the {gan.DRAWS:,} draws that G is judged on')
    return settings


def networks(settings):
    """The widths of the hidden layers of D and of G."""
    published = gan.VARIANTS[settings.variant]
    return [(published.d_hidden_size,) * 2, (published.g_hidden_size,) * 2]


def main(argv):
    """Runs what the command line asks for; returns the exit status."""
    opts = define_flags()
    cli.parse(opts, argv, reproductions.devnag.__doc__)
    if opts.replay:
        decided = ['variant', 'preprocess', 'batch_size', 'd_steps', 'g_steps', 'num_steps']
        return commands.run_replay(opts, 'devnag', replay.replay_trace, decided)
    if opts.claims:
        return commands.run_claims(opts, 'devnag', devnag_claims.measure, devnag_claims.ENSEMBLES, default_runs=200)
    settings = settings_from_flags(opts)
    num_steps = opts.num_steps or gan.VARIANTS[settings.variant].num_steps
    if num_steps * max(settings.d_steps, settings.g_steps) >= 2**31:
        raise cli.UserError(f'--num_steps={num_steps} is too many: 2^31 updates of a network can be counted; use fewer')
    cli.check_memory(opts, networks(settings), settings.batch_size)
    seeds = cli.seeds(opts)
    devices = commands.strategy(opts)
    directory = commands.output_directory(opts, 'devnag', devices)
    anim_path = cli.animation_path(opts, directory)
    anim_every = opts.anim_every or max(1, num_steps // 120)
    frames, add_frame = figures.animation_frames(settings, seeds, anim_every)
    trained = session.train(
        opts, devices, gan.make_experiment(settings), directory, settings._asdict(), num_steps, 1, opts.log_every,
        add_frame if anim_path else None,
    )  # fmt: skip
    table = outcomes.results_table(settings, seeds, trained.players, trained.history)
    effective = settings._asdict() | {'num_steps': num_steps, 'anim_every': anim_every if anim_path else None}
    commands.write_results(opts, 'devnag', directory, effective, trained, table)
    figures.draw(settings, directory, seeds, trained.players, table, trained.history)
    if frames:
        progress.drawing(figures.draw_film(settings, anim_path, frames, seeds[0]), len(frames), anim_path)
    targets = {'mean': settings.mu, 'std': settings.sigma, 'skewness': 0, 'kurtosis': 0, 'wasserstein': 0, 'd_mean': 0.5}
    commands.summary(table, targets)
    saved_model.of_run(
        opts,
        trained,
        functools.partial(gan.generator, settings),
        lambda seeds, number: gan.noise(seeds, Stream.FIGURE, number, settings.batch_size),
    )
    print(f'files in {directory}/')
    return session.exit_status(trained)


if __name__ == '__main__':
    cli.run(main)
