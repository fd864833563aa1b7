"""The command line of Aylien's post: python -m reproductions.aylien."""

from absl import flags

import reproductions.aylien
from common import training
from common.evaluation import outcomes
from common.nn.random import Stream
from common.plotting import densities
from common.program import cli, commands, progress, session
from common.storage import saved_model
from reproductions.aylien import claims as aylien_claims
from reproductions.aylien import figures, gan, replay


def define_flags():
    """The command line of this post."""
    opts = cli.common_flags()
    flags.DEFINE_enum(
        'variant',
        gan.DEFAULT_VARIANT,
        list(gan.VARIANTS),
        'Which published state of the program (the post: 2016-08).',
        flag_values=opts,
    )
    flags.DEFINE_integer(
        'seed', gan.SEED, "First seed (the post's program: 42).", lower_bound=0, upper_bound=2**32 - 1, flag_values=opts
    )
    flags.DEFINE_bool('minibatch', False, 'Minibatch discrimination in D (the post shows both).', flag_values=opts)
    flags.DEFINE_integer('hidden_size', 4, 'Hidden units h of G; D has 2h (the post: 4).', lower_bound=1, flag_values=opts)
    flags.DEFINE_list('d_hidden_sizes', None, "Widths of D's hidden layers (the post: 2h,2h,2h).", flag_values=opts)
    flags.DEFINE_float('learning_rate', None, "Initial rate (default: the variant's; the post: 0.005).", flag_values=opts)
    flags.DEFINE_integer(
        'pretrain_steps', None, "Steps of D's pre-training (default: the variant's; the post's program: 1000).", lower_bound=0,
        upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_float('mu', 4.0, 'Mean of the data (the post: 4).', flag_values=opts)
    flags.DEFINE_float('sigma', 0.5, 'Deviation of the data (the post: 0.5).', flag_values=opts)
    flags.DEFINE_integer(
        'log_every', None,
        'Steps between records, whose mean losses are printed for a solo run (default: 10 for a solo run, as in the post, '
        'else about a hundred records).', lower_bound=1, upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'anim_every', None, 'Steps between frames (default: about 120 frames; the post: 1).', lower_bound=1,
        upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_string(
        'anim_path', None, 'Draw the animation to this .gif, or .mp4 where ffmpeg is found (the post: none).', flag_values=opts
    )
    return opts


def settings_from_flags(opts):
    """The settings of the command line. Raises cli.UserError, in one line, where they make no sense."""
    cli.positive(opts, 'learning_rate')
    cli.check_normal(opts)
    settings = gan.make_settings(
        opts.variant, opts.minibatch, opts.hidden_size, cli.sizes(opts, 'd_hidden_sizes'), opts.mu, opts.sigma,
        batch_size=opts.batch_size, learning_rate=opts.learning_rate, pretrain_steps=opts.pretrain_steps,
    )  # fmt: skip
    if settings.minibatch and len(settings.d_hidden_sizes) < 2:
        raise cli.UserError('--d_hidden_sizes: minibatch discrimination takes the place of the last of them; name two or more')
    if settings.minibatch and settings.batch_size < 2:
        raise cli.UserError(f'--batch_size={settings.batch_size}: minibatch discrimination compares samples; use 2 or more')
    if settings.batch_size > gan.PLOT_POINTS:
        raise cli.UserError(f'--batch_size={settings.batch_size} is more than the {gan.PLOT_POINTS:,} points that are drawn')
    return settings


def networks(settings):
    """The widths of D's layers and of G's."""
    return (1, *settings.d_hidden_sizes, 1), (1, settings.hidden_size, 1)


def comparisons(settings, runs):
    """Bytes that minibatch discrimination holds: every sample of a batch is compared with every other."""
    return 4 * min(runs, training.GROUP) * gan.KERNELS * settings.batch_size**2 if settings.minibatch else 0


def main(argv):
    """Runs what the command line asks for; returns the exit status."""
    opts = define_flags()
    cli.parse(opts, argv, reproductions.aylien.__doc__)
    if opts.replay:
        decided = ['variant', 'minibatch', 'hidden_size', 'd_hidden_sizes', 'batch_size']
        return commands.run_replay(opts, 'aylien', replay.replay_trace, decided)
    if opts.claims:
        return commands.run_claims(opts, 'aylien', aylien_claims.measure, aylien_claims.ENSEMBLES)
    settings = settings_from_flags(opts)
    num_steps = opts.num_steps or gan.VARIANTS[settings.variant].num_steps
    cli.check_memory(opts, networks(settings), settings.batch_size, comparisons(settings, opts.runs))
    seeds = cli.seeds(opts)
    devices = commands.strategy(opts)
    directory = commands.output_directory(opts, 'aylien', devices)
    anim_path = cli.animation_path(opts, directory)
    every = log_every = opts.log_every or (10 if opts.runs == 1 else max(10, num_steps // 100))
    frames, add_frame = densities.film(gan.make_evaluation(settings), gan.BINS)
    if anim_path:
        every = opts.anim_every or max(1, num_steps // 120)
    trained = session.train(
        opts, devices, gan.make_experiment(settings), directory, settings._asdict(), num_steps, every, log_every,
        add_frame if anim_path else None,
    )  # fmt: skip
    table = outcomes.results_table(gan.make_evaluation(settings), seeds, trained.players, trained.history)
    effective = settings._asdict() | {
        'num_steps': num_steps,
        'log_every': log_every,
        'anim_every': every if anim_path else None,
    }
    commands.write_results(opts, 'aylien', directory, effective, trained, table)
    figures.draw(settings, directory, seeds, trained, table)
    if frames:
        title, shown = f'{settings.variant}, seed {seeds[0]}', (-6, 6, 1.4)  # the axes of the post's animation
        evaluation = gan.make_evaluation(settings)
        film = densities.draw_film(anim_path, title, evaluation, gan.BINS, figures.real_density(settings), frames, shown)
        progress.drawing(film, len(frames), anim_path)
    targets = {'mean': settings.mu, 'std': settings.sigma, 'wasserstein': 0, 'd_mean': 0.5}
    commands.summary(table, targets)
    saved_model.of_run(opts, trained, gan.generator, lambda seeds, number: gan.noise(settings, seeds, Stream.FIGURE, number))
    print(f'files in {directory}/')
    return session.exit_status(trained)


if __name__ == '__main__':
    cli.run(main)
