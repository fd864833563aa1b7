"""The command line of the multi-modal post: python -m reproductions.multimodal."""

import functools
import itertools

import numpy as np
import scipy.stats
from absl import flags

import reproductions.multimodal
from common.evaluation import claims, metrics, outcomes
from common.nn.random import Stream
from common.plotting import densities
from common.program import cli, commands, progress, session
from common.storage import saved_model
from reproductions.aylien import __main__ as aylien_main
from reproductions.aylien import gan as aylien
from reproductions.multimodal import claims as multimodal_claims
from reproductions.multimodal import figures, gan, replay


def define_flags():
    """The command line of this post."""
    opts = cli.common_flags()
    flags.DEFINE_enum(
        'variant', gan.VARIANTS[0], gan.VARIANTS, 'Which published state of the post; there is one.', flag_values=opts
    )
    flags.DEFINE_integer(
        'seed', gan.SEED, 'First seed (the post speaks of 42 and 4).', lower_bound=0, upper_bound=2**32 - 1, flag_values=opts
    )
    flags.DEFINE_integer(
        'modes', None, 'Gaussian modes of the data (default 3; the post: 1, 2 and 3).', lower_bound=1,
        upper_bound=gan.MOST_MODES, flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_list(
        'means', None, 'Means of the modes (default: 0 for one, else evenly spread over +-4; the post shows a picture).',
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_list(
        'deviations', None, 'Their deviations, one or one a mode (default 0.5, less where modes are closer than 8 of them; '
        'the post shows a picture).', flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'hidden_size', 4, 'h: the hidden layers of G have h times the modes units (the post: 4).', lower_bound=1,
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'layers', 3, 'Hidden layers of G (the post does not say; at least three).', lower_bound=1, upper_bound=10,
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_list(
        'hidden_sizes', None, 'Widths of the hidden layers of G one by one, in place of the two.', flag_values=opts
    )
    flags.DEFINE_enum(
        'activation', 'tanh', list(gan.ACTIVATIONS), "Of G's hidden layers (the post does not say; Aylien's: softplus).",
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_bool('minibatch', False, 'Minibatch discrimination in D (the post: none).', flag_values=opts)
    flags.DEFINE_float(
        'noise_range', aylien.NOISE_RANGE, "Noise is spread over +- this (the post does not say; Aylien's: 8).",
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_float(
        'learning_rate', None, "Initial rate (the post does not say; default: Aylien's then, 0.03, or 0.005 with --minibatch).",
        flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'pretrain_steps', None, "Steps of D's pre-training (the post does not say; default: Aylien's then, 1000).",
        lower_bound=0, upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_integer(
        'log_every', gan.RECORD_EVERY, 'Steps between records (besides every fifth step up to the 400th), whose mean losses '
        'are printed for a solo run.', lower_bound=1, upper_bound=2**31 - 1, flag_values=opts,
    )  # fmt: skip
    return opts


def settings_from_flags(opts):
    """The settings of the command line. Raises cli.UserError, in one line, where they make no sense."""
    cli.positive(opts, 'learning_rate', 'noise_range')
    means, deviations = modes_from_flags(opts)
    sizes = cli.sizes(opts, 'hidden_sizes')
    if sizes and (opts['layers'].present or opts['hidden_size'].present):
        raise cli.UserError(
            f'--hidden_sizes={",".join(map(str, sizes))} gives every width; leave out --hidden_size and --layers'
        )
    settings = gan.make_settings(
        len(means), opts.hidden_size, opts.layers, opts.minibatch, means=means, deviations=deviations,
        hidden_sizes=sizes or None, activation=opts.activation, batch_size=opts.batch_size, noise_range=opts.noise_range,
        learning_rate=opts.learning_rate, pretrain_steps=opts.pretrain_steps,
    )  # fmt: skip
    if settings.minibatch and settings.batch_size < 2:
        raise cli.UserError(f'--batch_size={settings.batch_size}: minibatch discrimination compares samples; use 2 or more')
    if settings.batch_size > aylien.PLOT_POINTS:
        raise cli.UserError(f'--batch_size={settings.batch_size} is more than the {aylien.PLOT_POINTS:,} points that are drawn')
    if max(settings.hidden_sizes) > gan.MOST_UNITS:
        raise cli.UserError(
            f'hidden layers of {max(settings.hidden_sizes):,} units are too wide; use {gan.MOST_UNITS:,} or fewer'
        )
    return settings


def modes_from_flags(opts):
    """Means in ascending order and their deviations. Raises cli.UserError unless they are apart and inside the figure."""
    means = numbers(opts, 'means')
    if len(means) > gan.MOST_MODES:
        raise cli.UserError(f'--means names {len(means):,} modes; use {gan.MOST_MODES} or fewer')
    if means and opts.modes not in (None, len(means)):
        raise cli.UserError(f'--modes={opts.modes} but --means={",".join(opts.means)} names {len(means)}; leave out --modes')
    default_means, default_deviations = gan.default_modes(len(means) or opts.modes or 3)
    deviations = numbers(opts, 'deviations')
    if means and not deviations:
        deviations = (gan.SIGMA,)
    means, deviations = means or default_means, deviations or default_deviations
    if len(deviations) not in (1, len(means)) or min(deviations) < gan.LEAST_DEVIATION:
        given = ','.join(opts.deviations or [])
        raise cli.UserError(
            f'--deviations={given} must be one number from {gan.LEAST_DEVIATION:g}, or {len(means)} of them, one a mode'
        )
    deviations = deviations * (len(means) // len(deviations))
    modes = sorted(zip(means, deviations, strict=True))
    reach = metrics.MODE_REACH
    for (low, narrow), (high, wide) in itertools.pairwise(modes):
        if high - low < reach * (narrow + wide):
            raise cli.UserError(
                f'modes at {low:g} and {high:g} overlap; set --means and --deviations so that neighbours are '
                f'{reach:g} deviations of each apart, here {reach * (narrow + wide):g}'
            )
    for mean, deviation in modes:
        if abs(mean) + reach * deviation > aylien.NOISE_RANGE:
            raise cli.UserError(
                f'the mode at {mean:g} with deviation {deviation:g} leaves the figure; keep --means {reach:g} --deviations '
                f'inside +-{aylien.NOISE_RANGE:g}'
            )
    return tuple(zip(*modes, strict=True))


def numbers(opts, name):
    """The numbers of a list flag, () where it was not given. Raises cli.UserError unless they are finite."""
    words = opts[name].value
    try:
        found = tuple(float(word) for word in words or ())
    except ValueError:
        found = (np.nan,)
    if words is not None and not (found and np.isfinite(found).all()):
        raise cli.UserError(f'--{name}={",".join(words)} must be numbers, such as -4,0.5,4')
    return found


def main(argv):
    """Runs what the command line asks for; returns the exit status."""
    opts = define_flags()
    cli.parse(opts, argv, reproductions.multimodal.__doc__)
    if opts.replay:
        decided = sorted(set(opts) - set(cli.common_flags()) - {'seed'} | {'batch_size'})
        return commands.run_replay(opts, 'multimodal', replay.replay_trace, decided)
    if opts.claims:
        return commands.run_claims(opts, 'multimodal', multimodal_claims.measure, multimodal_claims.ENSEMBLES)
    settings = settings_from_flags(opts)
    num_steps = opts.num_steps or gan.NUM_STEPS
    cli.check_memory(opts, [(1, *settings.hidden_sizes, 1)], settings.batch_size, aylien_main.comparisons(settings, opts.runs))
    seeds = cli.seeds(opts)
    devices = commands.strategy(opts)
    directory = commands.output_directory(opts, 'multimodal', devices)
    frames, add_frame = densities.film(gan.make_evaluation(settings), gan.bins(settings))
    trained = session.train(
        opts, devices, gan.make_experiment(settings), directory, settings._asdict(), num_steps, opts.log_every, opts.log_every,
        add_frame if opts.animation else None,
    )  # fmt: skip
    table = outcomes.results_table(gan.make_evaluation(settings), seeds, trained.players, trained.history)
    table |= gan.convergence(settings, opts.runs, trained.history)
    effective = settings._asdict() | {'modes': len(settings.means), 'num_steps': num_steps}
    commands.write_results(opts, 'multimodal', directory, effective, trained, table)
    figures.draw(settings, directory, seeds, trained, table)
    if frames:
        path, shown = directory / 'animation.gif', (-aylien.NOISE_RANGE, aylien.NOISE_RANGE, 1.4)
        title = f'{figures.counted(len(settings.means))}, seed {seeds[0]}'
        film = densities.draw_film(
            path, title, gan.make_evaluation(settings), gan.bins(settings), figures.real_density(settings), frames, shown
        )
        progress.drawing(film, len(frames), path)
    commands.summary(table, targets(settings))
    saved_model.of_run(
        opts,
        trained,
        functools.partial(gan.generator, settings),
        lambda seeds, number: gan.noise(settings, seeds, Stream.FIGURE, number),
    )
    print(f'{converged(table)}\nfiles in {directory}/')
    return session.exit_status(trained)


def converged(table):
    """When the runs of results.csv converged, as a line of text."""
    steps = table['convergence_step'][np.isfinite(table['convergence_step'])]
    if len(table['seed']) == 1:
        return f'converged at step {steps[0]:,.0f}' if steps.size else 'did not converge, or did not stay so'
    share = claims.proportion(np.isfinite(table['convergence_step']))
    text = f'converged: {steps.size:,} of {share.n:,} = {share.value:.1%} [{share.low:.1%}, {share.high:.1%}]'
    if steps.size:
        text += ', at step {1:,.0f} ({0:,.0f} .. {2:,.0f})'.format(*np.quantile(steps, [0.25, 0.5, 0.75]))
    return text


def targets(settings):
    """What the columns of the summary would be if G were the data's distribution."""
    data = gan.truth(settings)
    within = 1 - 2 * scipy.stats.norm.sf(metrics.MODE_REACH)
    return {
        'mean': float(data.mean()),
        'std': float(data.std()),
        'wasserstein': 0,
        'modes_covered': len(settings.means),
        'mode_mass_error': 0,
        'between_mass': 1 - within,
        'peak_height': 1,
        'd_mean': 0.5,
    }


if __name__ == '__main__':
    cli.run(main)
