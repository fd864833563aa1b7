"""The command line of Jang's post: python -m reproductions.jang."""

import functools

from absl import flags

import reproductions.jang
from common.evaluation import outcomes
from common.nn.random import Stream
from common.plotting import densities
from common.program import cli, commands, progress, session
from common.storage import saved_model
from reproductions.jang import claims as jang_claims
from reproductions.jang import figures, gan, replay


def define_flags():
    """The command line of this post."""
    opts = cli.common_flags()
    flags.DEFINE_enum(
        'variant',
        gan.DEFAULT_VARIANT,
        list(gan.VARIANTS),
        'Which published state of the program (the post: 2016-06).',
        flag_values=opts,
    )
    flags.DEFINE_integer('seed', 0, 'First seed (the post: none).', lower_bound=0, upper_bound=2**32 - 1, flag_values=opts)
    flags.DEFINE_bool(
        'sort', None, "Sort the samples of each batch (default: the variant's; the post: yes).",
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_bool('stratify', True, 'Noise on a jittered grid, not independent (the post: yes).', flag_values=opts)
    flags.DEFINE_enum('activation', 'tanh', ['tanh', 'relu'], 'Of the hidden layers (the post: tanh).', flag_values=opts)
    flags.DEFINE_list('hidden_sizes', None, 'Widths of the hidden layers of D and of G (the post: 6,5).', flag_values=opts)
    flags.DEFINE_float('learning_rate', gan.LEARNING_RATE, 'Initial rate (the post: 0.001).', flag_values=opts)
    flags.DEFINE_integer(
        'pretrain_steps', 1000, "Steps of D's pre-training (the post: 1000).", lower_bound=0, upper_bound=2**31 - 1,
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'log_every', None, 'Iterations between records (default: 1 for a solo run, as in the post, else about 200 records).',
        lower_bound=1, upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    return opts


def settings_from_flags(opts):
    """The settings of the command line. Raises cli.UserError, in one line, where they make no sense."""
    cli.positive(opts, 'learning_rate')
    return gan.make_settings(
        opts.variant, sort=opts.sort, stratify=opts.stratify, activation=opts.activation,
        hidden_sizes=cli.sizes(opts, 'hidden_sizes') or None, batch_size=opts.batch_size, learning_rate=opts.learning_rate,
        pretrain_steps=opts.pretrain_steps, num_steps=opts.num_steps,
    )  # fmt: skip


def main(argv):
    """Runs what the command line asks for; returns the exit status."""
    opts = define_flags()
    cli.parse(opts, argv, reproductions.jang.__doc__)
    if opts.replay:
        decided = ['variant', 'sort', 'stratify', 'activation', 'hidden_sizes', 'batch_size', 'learning_rate', 'pretrain_steps']
        return commands.run_replay(opts, 'jang', replay.replay_trace, decided)
    if opts.claims:
        return commands.run_claims(opts, 'jang', jang_claims.measure, jang_claims.ENSEMBLES, 200, jang_claims.MORE)
    settings = settings_from_flags(opts)
    num_steps = settings.num_steps
    surfaces = 4 * min(opts.runs, outcomes.CHUNK) * gan.PLOT_POINTS * max(settings.hidden_sizes)  # in the evaluation
    cli.check_memory(opts, [(1, *settings.hidden_sizes, 1)] * 2, settings.batch_size, surfaces)
    seeds = cli.seeds(opts)
    devices = commands.strategy(opts)
    directory = commands.output_directory(opts, 'jang', devices)
    every = opts.log_every or (1 if opts.runs == 1 else max(10, num_steps // 200))
    frames, add_frame = densities.film(gan.make_evaluation(settings), gan.BINS)
    if opts.animation:
        every = max(1, num_steps // 120)
    trained = session.train(
        opts, devices, gan.make_experiment(settings), directory, settings._asdict(), num_steps, every, max(1, num_steps // 10),
        add_frame if opts.animation else None,
    )  # fmt: skip
    table = outcomes.results_table(gan.make_evaluation(settings), seeds, trained.players, trained.history)
    commands.write_results(opts, 'jang', directory, settings._asdict() | {'log_every': every}, trained, table)
    figures.draw(settings, directory, seeds, trained, table)
    if frames:
        path, real = directory / 'animation.gif', gan.TRUTH.pdf(gan.BINS.places)
        title, shown = f'{settings.variant}, seed {seeds[0]}', (-gan.HALF_RANGE, gan.HALF_RANGE, 1.0)
        progress.drawing(
            densities.draw_film(path, title, gan.make_evaluation(settings), gan.BINS, real, frames, shown), len(frames), path
        )
    commands.summary(table, {'mean': gan.MU, 'std': gan.SIGMA, 'wasserstein': 0, 'd_mean': 0.5})
    saved_model.of_run(
        opts,
        trained,
        functools.partial(gan.generator, settings),
        lambda seeds, number: gan.noise(settings, seeds, Stream.FIGURE, number),
    )
    print(f'files in {directory}/')
    return session.exit_status(trained)


if __name__ == '__main__':
    cli.run(main)
