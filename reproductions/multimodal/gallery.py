"""The figures and tables of the multi-modal post."""

import functools
import hashlib
import pathlib
import tempfile

import numpy as np

from common import markdown
from common.devices import processes
from common.evaluation import claims
from common.plotting import figures
from common.storage import files
from reproductions.gallery import ROOT, Map, Part, Picture, command, keep, map_pictures, maps
from reproductions.multimodal import claims as multimodal_claims
from reproductions.multimodal import figures as multimodal_figures
from reproductions.multimodal import gan
from reproductions.multimodal.inference import gallery as inferred
from reproductions.multimodal.settings import NUM_STEPS, make_settings

KEPT_IN = ROOT / 'output' / 'multimodal_arms'
SEED = 2000  # of the ensembles; the default was chosen on seeds below 1,200
KEPT = ('seed', 'success', 'wasserstein', 'modes_covered', 'mode_mass_error', 'between_mass', 'mode_width', 'peak_height',
        'first_step_below', 'convergence_step')  # fmt: skip


def train(arms: dict[str, gan.Settings], name: str, out: pathlib.Path, runs: int) -> None:
    """Trains every arm with at most 200 seeds and saves its outcomes as <name>.npz, for the parts that only evaluate and draw.

    Arms that are done are kept in output/multimodal_arms/, so that it can be stopped at any time; empty that after a change.
    """
    runs = min(runs, 200)
    kept = {arm: KEPT_IN / f'{name_of_arm(arm, settings, runs)}.npz' for arm, settings in arms.items()}
    left = {file: (arm, arms[arm]) for arm, file in kept.items() if not file.exists()}  # two arms may have the same settings
    KEPT_IN.mkdir(parents=True, exist_ok=True)
    processes.on_all_cores(train_arm, [(file, *arm, runs) for file, arm in left.items()], name, ' ensembles')
    arrays = {f'{arm}/{column}': values for arm, file in kept.items() for column, values in files.read_npz(file).items()}
    files.write_npz(out / f'{name}.npz', arrays)


def name_of_arm(name: str, settings: gan.Settings, runs: int) -> str:
    """Of its file: what determines the outcomes."""
    steps = multimodal_claims.steps_of(name)
    return hashlib.sha256(repr((settings, runs, steps)).encode()).hexdigest()[:16]


def train_arm(file: pathlib.Path, name: str, settings: gan.Settings, runs: int) -> None:
    """Trains one arm and writes the columns `KEPT` of its outcomes."""
    table = multimodal_claims.train_arms({name: settings}, SEED, runs)[name]
    files.write_npz(file, {column: table[column].astype(np.float32) for column in KEPT})


def choice_arms() -> dict[str, gan.Settings]:
    """The arms of all choices: {'choice: arm': settings}."""
    return {
        f'{name}: {arm}': settings
        for name in multimodal_claims.CHOICES
        for arm, settings in multimodal_claims.choice_arms(name).items()
    }


def evaluated(out: pathlib.Path) -> None:
    """The claims, and width against modes, from the saved outcomes."""
    tables = multimodal_claims.load_arms(out / 'arms.npz')
    rows = multimodal_claims.judge(tables)
    claims.write(out, rows)
    draw_widths(tables, out)


def draw_widths(tables: dict[str, dict[str, np.ndarray]], out: pathlib.Path) -> None:
    """widths.png and .npz: convergence by number of modes and width of the hidden layers."""
    modes, widths = multimodal_claims.MODES, multimodal_claims.WIDTHS
    by_width = {m: {width: tables[f'{m} modes, width {width}'] for width in widths} for m in modes}
    arrays = {
        'runs': len(tables['M2']['seed']),
        'width': widths,
        'modes': modes,
        'labels': [multimodal_figures.counted(m) for m in modes],
        'converged': [[multimodal_claims.all_modes_converged(m, t).mean() for t in by_width[m].values()] for m in modes],
        'covered': [[np.nanmean(t['modes_covered']) / m for t in by_width[m].values()] for m in modes],
        'needed': [multimodal_claims.width_needed(m, by_width[m]) for m in modes],
    }
    figures.write(out / 'widths.png', multimodal_figures.widths, arrays)


def choices(out: pathlib.Path) -> None:
    """choices.md, from the saved outcomes: how the verdicts depend on what the post leaves open."""
    trained = multimodal_claims.load_arms(out / 'choices.npz')
    head = ['choice', '1 mode: by 30, 5,000', '2 modes: by 30, 5,000', '3 modes: by 300, 5,000', '5 modes: 5,000']
    rows = []
    for name in multimodal_claims.CHOICES:
        tables = {arm: trained[f'{name}: {arm}'] for arm in multimodal_claims.choice_arms(name)}
        cells = [choice_cell(tables[f'{modes} modes'], step) for modes, step in multimodal_claims.STATED.items()]
        five = np.isfinite(tables['5 modes']['convergence_step']).mean()
        verdicts = [row.verdict.value for row in multimodal_claims.judge_choice(tables)]
        rows.append([name, *cells, f'{five:.0%}', *verdicts])
    files.write_text(out / 'choices.md', markdown.table([*head, 'M1', 'M2', 'M3', 'M6'], rows))


def choice_cell(table: dict[str, np.ndarray], step: int) -> str:
    """Share of seeds below the threshold at least once by the post's step, and share converged within 5,000."""
    return f'{np.mean(table["first_step_below"] <= step):.0%}, {np.isfinite(table["convergence_step"]).mean():.0%}'


def one_mode(out: pathlib.Path) -> None:
    """one_mode.md, from the saved outcomes: how close the untrained generator is to one mode, by the mode's location."""
    head = ['activation, mean', 'below the threshold after one update', 'by step 30', 'at least once', 'converged within 5,000']
    rows = []
    for arm, table in multimodal_claims.load_arms(out / 'one_mode.npz').items():
        first = table['first_step_below']
        shares = (first == 0, first <= 30, np.isfinite(first), np.isfinite(table['convergence_step']))
        rows.append([arm, *(f'{share.mean():.0%}' for share in shares)])
    files.write_text(out / 'one_mode.md', markdown.table(head, rows))


def one_number_of_modes(modes: int, out: pathlib.Path, runs: int) -> None:
    """The ensemble for one number of modes, and final distributions and animation of one seed."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        command('multimodal', scratch / 'many', f'--modes={modes}', f'--runs={runs}', f'--seed={SEED}')
        train_shown(modes, files.read_csv(scratch / 'many' / 'results.csv'), scratch / 'one')
        keep(scratch, out, f'modes{modes}')


def train_shown(modes: int, table: dict[str, np.ndarray], directory: pathlib.Path) -> None:
    """Trains the seed that is shown: of those that converge in the ensemble the one nearest to the median step, if also alone.

    Large products round differently alone, so a seed may converge in the ensemble and not alone.
    """
    steps = table['convergence_step']
    median = np.quantile(steps[np.isfinite(steps)], 0.5, method='lower')
    for row in np.argsort(np.abs(steps - median), kind='stable'):
        command('multimodal', directory, f'--modes={modes}', f'--seed={table["seed"][row]:.0f}', '--animation')
        if np.isfinite(files.read_csv(directory / 'results.csv')['convergence_step'][0]):
            return


def data(out: pathlib.Path) -> None:
    """The data with one, two and three modes."""
    settings = [make_settings(modes=modes) for modes in multimodal_claims.STATED]
    real = {multimodal_figures.counted(len(one.means)): multimodal_figures.real_density(one) for one in settings}
    arrays = {'labels': list(real), 'places': gan.bins(settings[0]).places}  # one to three modes share the same bins
    figures.write(out / 'data.png', multimodal_figures.data, arrays | real)


def convergence(out: pathlib.Path) -> None:
    """convergence.png and outcomes.md, from the ensembles' results: when seeds with one, two and three modes converge."""
    tables = {modes: files.read_csv(out / f'modes{modes}_results.csv') for modes in multimodal_claims.STATED}
    title = f'When {len(tables[1]["seed"]):,} seeds each come within one std of the data'
    labelled = {multimodal_figures.counted(modes): table for modes, table in tables.items()}
    multimodal_figures.draw_convergence(out / 'convergence.png', title, labelled, NUM_STEPS)
    head = ['modes', 'the post', 'was below the threshold at least once by then', 'converged by then', 'converged within 5,000',
            'step of those: median', 'quartiles', 'never']  # fmt: skip
    rows = []
    for modes, table in tables.items():
        stated, steps = multimodal_claims.STATED[modes], table['convergence_step']
        low, middle, high = np.quantile(steps[np.isfinite(steps)], [0.25, 0.5, 0.75])
        shares = (table['first_step_below'] <= stated, steps <= stated, np.isfinite(steps))
        cells = [f'{e.value:.1%} [{e.low:.1%}, {e.high:.1%}]' for e in map(claims.proportion, shares)]
        never = f'{np.isinf(steps).mean():.1%}'
        rows.append([modes, f'step {stated}', *cells, f'{middle:,.0f}', f'{low:,.0f} .. {high:,.0f}', never])
    files.write_text(out / 'outcomes.md', markdown.table(head, rows))


MAPS = {
    'rate_batch_2': Map(
        'Two modes after 300 steps: % of 48 seeds that succeed',
        ('--modes=2', '--num_steps=300', '--vary=batch_size=6,12,24,60,120', '--vary=learning_rate=0.001..1:7'),
    ),
    'rate_batch_3': Map(
        'Three modes after 300 steps: % of 48 seeds that succeed',
        ('--modes=3', '--num_steps=300', '--vary=batch_size=6,12,24,60,120', '--vary=learning_rate=0.001..1:7'),
    ),
    'fresh': Map(
        'Three modes after 300 steps: % of 1,000 held-out seeds that succeed',
        (
            '--modes=3',
            '--num_steps=300',
            '--seed=100000',
            '--runs=1000',
            '--vary=batch_size=12,60,120',
            '--vary=learning_rate=0.03,0.1',
        ),
    ),
    'width_depth': Map(
        'Three modes after 5,000 steps, width (per mode) and depth of G: % of 48 seeds that succeed',
        ('--vary=layers=1,2,3,4', '--vary=hidden_size=2,4,8,16'),
    ),
}
PARTS = {
    'data': Part(data),
    **{f'modes{modes}': Part(functools.partial(one_number_of_modes, modes), trains=True) for modes in multimodal_claims.STATED},
    'convergence': Part(convergence),
    'arms': Part(functools.partial(train, multimodal_claims.ARMS, 'arms'), trains=True),
    'claims': Part(evaluated),
    'choice_arms': Part(functools.partial(train, choice_arms(), 'choices'), trains=True),
    'choices': Part(choices),
    'one_mode_arms': Part(functools.partial(train, multimodal_claims.ONE_MODE, 'one_mode'), trains=True),
    'one_mode': Part(one_mode),
    **inferred.PARTS,
    'maps': Part(functools.partial(maps, 'multimodal', MAPS)),
}
PICTURES = {
    'data.png': Picture('data', multimodal_figures.data, 'the data'),
    'convergence.png': Picture('convergence', multimodal_figures.convergence, 'when seeds converge', in_post=False),
    'widths.png': Picture('claims', multimodal_figures.widths, 'width against modes', in_post=False),
}
for modes, words in ((1, 'one mode'), (2, 'two modes'), (3, 'three modes')):
    part = f'modes{modes}'
    PICTURES |= {
        f'{part}_final.png': Picture(part, figures.distributions, f'generated and real distributions, {words}'),
        f'{part}_animation.gif': Picture(part, figures.animation, f'video of the training, {words}'),
        f'{part}_ensemble.png': Picture(part, figures.ensemble, f'the spread over seeds, {words}', in_post=False),
    }
PICTURES |= inferred.PICTURES | map_pictures(MAPS)
