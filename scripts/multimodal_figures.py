"""The figures and tables of the multi-modal post: a function (runs, directory) for each part."""

import pathlib
import tempfile

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from parts import command, keep
from tqdm import tqdm

from common import claims, figures, results
from reproductions import multimodal, multimodal_claims

SEED = 1000  # of the ensembles; the defaults were chosen on the first 200 seeds
SIX = (  # colours of Okabe and Ito, and markers, for six numbers of modes
    (figures.BLUE, 'o'),
    (figures.ORANGE, 's'),
    (figures.GREEN, '^'),
    ('#CC79A7', 'D'),
    ('#E69F00', 'v'),
    ('#56B4E9', 'P'),
)
KEPT = ('seed', 'success', 'wasserstein', 'modes_covered', 'mode_mass_error', 'between_mass', 'mode_width', 'peak_height',
        'first_step_below', 'convergence_step')  # fmt: skip


def train(arms, runs, path):
    """Trains every arm and keeps its outcomes at `path`, for the parts that only judge and draw."""
    arrays = {}
    for arm, settings in tqdm(arms.items(), desc=path.stem, unit=' ensembles'):
        table = multimodal_claims.train_arms({arm: settings}, SEED, runs)[arm]
        arrays |= {f'{arm}/{column}': table[column].astype(np.float32) for column in KEPT}
    results.write_npz(path, arrays)


def choice_arms():
    """The arms of every choice: {'choice: arm': settings}."""
    return {
        f'{name}: {arm}': settings
        for name in multimodal_claims.CHOICES
        for arm, settings in multimodal_claims.choice_arms(name).items()
    }


def judged(runs, out):
    """The claims, and the width against the modes, from the kept outcomes."""
    del runs
    tables = multimodal_claims.load_arms(out / 'arms.npz')
    rows = multimodal_claims.judge(tables)
    results.write_json(out / 'claims.json', claims.as_json(rows))
    results.write_text(out / 'claims.md', claims.as_markdown(rows))
    draw_widths(tables, out)


def draw_widths(tables, out):
    """widths.png and .npz: what becomes of so many modes with hidden layers of such widths."""
    shown = {modes: colour for modes, colour in zip(multimodal_claims.MODES, SIX, strict=True)}
    arrays = {'width': np.array(multimodal_claims.WIDTHS)}
    for modes in shown:
        by_width = [tables[f'{modes} modes, width {width}'] for width in multimodal_claims.WIDTHS]
        arrays |= {
            f'{modes}/converged': np.array([multimodal_claims.all_modes_converged(modes, t).mean() for t in by_width]),
            f'{modes}/covered': np.array([np.nanmean(t['modes_covered']) / modes for t in by_width]),
            f'{modes}/needed': np.array(
                multimodal_claims.width_needed(modes, dict(zip(multimodal_claims.WIDTHS, by_width, strict=True)))
            ),
        }
    results.write_npz(out / 'widths.npz', arrays)
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(12, 4), layout='constrained')
        left, middle, right = figure.subplots(1, 3)
        for modes, (colour, marker) in shown.items():
            label = multimodal.counted(modes)
            left.plot(arrays['width'], arrays[f'{modes}/converged'], color=colour, marker=marker, label=label)
            middle.plot(arrays['width'], arrays[f'{modes}/covered'], color=colour, marker=marker, label=label)
            needed = arrays[f'{modes}/needed']
            top = max(multimodal_claims.WIDTHS)
            right.plot(modes, needed if np.isfinite(needed) else top, marker, color=colour)
            if np.isnan(needed):
                right.annotate('', (modes, 2 * top), (modes, top), arrowprops={'arrowstyle': '->', 'color': colour})
        runs = len(tables['M2']['seed'])
        left.set(title=f'Converged with every mode ({runs} seeds each)', ylabel='share of seeds', ylim=(0, 1.02))
        middle.set(title='Modes covered at the end (mean)', ylabel='share of the modes', ylim=(0, 1.02))
        for axes in (left, middle):
            axes.set(xlabel='units of each hidden layer of G', xscale='log', xticks=arrays['width'])
            axes.set_xticks(arrays['width'], arrays['width'], minor=False)
            axes.minorticks_off()
        middle.legend(loc='lower center', ncols=2, fontsize=8.5)
        line = np.array([1, max(shown)])
        right.plot(line, 4 * line, color=figures.GREY, linestyle=':', label="the post's rule, 4 units a mode")
        right.set(
            title='Width needed (arrow: more than any tried)', xlabel='modes', ylabel='units of each hidden layer of G',
            xscale='log', yscale='log', ylim=(1.5, 3 * top),
        )  # fmt: skip
        right.set_xticks(list(shown), list(shown))
        right.set_yticks(arrays['width'], arrays['width'])
        right.minorticks_off()
        right.legend(loc='lower right', fontsize=8.5)
        figures.save(figure, out / 'widths.png')


def choices(runs, out):
    """choices.md, from the kept outcomes: how much the verdicts move with what the post leaves open."""
    del runs
    trained = multimodal_claims.load_arms(out / 'choices.npz')
    lines = [
        '| choice | 1 mode: by 30, 5,000 | 2 modes: by 30, 5,000 | 3 modes: by 300, 5,000 | 5 modes: 5,000 '
        '| M1 | M2 | M3 | M6 |',
        '|' + '---|' * 9,
    ]
    for name in multimodal_claims.CHOICES:
        tables = {arm: trained[f'{name}: {arm}'] for arm in multimodal_claims.choice_arms(name)}
        cells = [choice_cell(tables[f'{modes} modes'], step) for modes, step in multimodal_claims.STATED.items()]
        five = np.isfinite(tables['5 modes']['convergence_step']).mean()
        verdicts = [row.verdict.value for row in multimodal_claims.judge_choice(tables)]
        lines.append(f'| {" | ".join([name, *cells, f"{five:.0%}", *verdicts])} |')
    results.write_text(out / 'choices.md', '\n'.join(lines) + '\n')


def choice_cell(table, step):
    """Shares of seeds below the bound by the post's step, if only once, and converged within 5,000."""
    return f'{np.mean(table["first_step_below"] <= step):.0%}, {np.isfinite(table["convergence_step"]).mean():.0%}'


def one_mode(runs, out):
    """one_mode.md, from the kept outcomes: how near the untrained generator is to one mode, by where the mode is."""
    del runs
    lines = [
        '| activation, mean | below the bound after one update | by step 30 | at least once | converged within 5,000 |',
        '|---|---|---|---|---|',
    ]
    for arm, table in multimodal_claims.load_arms(out / 'one_mode.npz').items():
        first = table['first_step_below']
        shares = (first == 0, first <= 30, np.isfinite(first), np.isfinite(table['convergence_step']))
        lines.append(f'| {arm} | {" | ".join(f"{share.mean():.0%}" for share in shares)} |')
    results.write_text(out / 'one_mode.md', '\n'.join(lines) + '\n')


def one_number_of_modes(modes, runs, out):
    """The ensemble for a number of modes, and the final distributions and the animation of one seed.

    The seed is the one that converges at the median step of those that do.
    """
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        command(multimodal, scratch / 'many', f'--modes={modes}', f'--runs={runs}', f'--seed={SEED}')
        table = results.read_csv(scratch / 'many' / 'results.csv')
        steps = table['convergence_step']
        seed = int(table['seed'][steps == np.quantile(steps[np.isfinite(steps)], 0.5, method='lower')][0])
        command(multimodal, scratch / 'one', f'--modes={modes}', f'--seed={seed}', '--animation')
        keep(scratch, out, f'modes{modes}')


def data(runs, out):
    """The data of one, two and three modes."""
    del runs
    settings = {modes: multimodal.make_settings(modes) for modes in multimodal_claims.STATED}
    real = {modes: multimodal.real_density(values) for modes, values in settings.items()}
    results.write_npz(out / 'data.npz', {f'modes{modes}': values for modes, values in real.items()})
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(11, 3.2), layout='constrained')
        for axes, (modes, values) in zip(figure.subplots(1, 3, sharey=True), real.items(), strict=True):
            axes.plot(multimodal.bins(settings[modes]).places, values, color=figures.BLUE)
            axes.set(title=multimodal.counted(modes), xlabel='Data values', xlim=(-8, 8), ylim=(0, None))
        figure.axes[0].set_ylabel('Probability density')
        figures.save(figure, out / 'data.png')


def convergence(runs, out):
    """When the seeds of one, two and three modes converge, from the ensembles' results: convergence.png and outcomes.md."""
    del runs
    tables = {modes: results.read_csv(out / f'modes{modes}_results.csv') for modes in multimodal_claims.STATED}
    columns = ('first_step_below', 'convergence_step')
    groups = {multimodal.counted(modes): {c: table[c] for c in columns} for modes, table in tables.items()}
    results.write_npz(out / 'convergence.npz', {f'{g}/{c}': values for g, cols in groups.items() for c, values in cols.items()})
    title = f'When {len(tables[1]["seed"]):,} seeds each come within one deviation of the data'
    multimodal.draw_convergence(out / 'convergence.png', title, groups, multimodal.NUM_STEPS)
    lines = [
        '| modes | the post | below the bound by then, if only once | converged by then | converged within 5,000 '
        '| step of those: median | quartiles | never |',
        '|' + '---|' * 8,
    ]
    for modes, table in tables.items():
        stated, steps = multimodal_claims.STATED[modes], table['convergence_step']
        low, middle, high = np.quantile(steps[np.isfinite(steps)], [0.25, 0.5, 0.75])
        shares = (table['first_step_below'] <= stated, steps <= stated, np.isfinite(steps))
        cells = [f'{e.value:.1%} [{e.low:.1%}, {e.high:.1%}]' for e in map(claims.proportion, shares)]
        never = f'{np.isinf(steps).mean():.1%}'
        lines.append(f'| {modes} | step {stated} | {" | ".join(cells)} | {middle:,.0f} | {low:,.0f} .. {high:,.0f} | {never} |')
    results.write_text(out / 'outcomes.md', '\n'.join(lines) + '\n')


PARTS = {
    'data': data,
    'modes1': lambda runs, out: one_number_of_modes(1, runs, out),
    'modes2': lambda runs, out: one_number_of_modes(2, runs, out),
    'modes3': lambda runs, out: one_number_of_modes(3, runs, out),
    'convergence': convergence,
    'arms': lambda runs, out: train(multimodal_claims.ARMS, min(runs, 500), out / 'arms.npz'),
    'claims': judged,
    'choice_arms': lambda runs, out: train(choice_arms(), min(runs, 200), out / 'choices.npz'),
    'choices': choices,
    'one_mode_arms': lambda runs, out: train(multimodal_claims.ONE_MODE, min(runs, 200), out / 'one_mode.npz'),
    'one_mode': one_mode,
}
