"""The claims of the multi-modal post, measured over many seeds.

The verdict rules were written before the seeds they apply to were trained; the defaults were chosen on other seeds.
"""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats

from common.evaluation import Verdict, claims, outcomes
from common.storage import files
from reproductions.multimodal import figures, gan
from reproductions.multimodal.settings import NUM_STEPS, default_modes, make_settings

STATED = {1: 30, 2: 30, 3: 300}  # the step by which the post's run with that many modes converges
MODES = (1, 2, 3, 5, 10, 15)  # for M4: the post's own, more, and as many as it hopes to reach
WIDTHS = (2, 4, 8, 12, 20, 40, 60)  # of every hidden layer: 4 units per mode for each of `MODES`, and one smaller
SLOW_STEPS = 20_000  # for Aylien's own generator: the learning rate has then decayed to a thousandth


def own_generator(modes: int) -> gan.Settings:
    """Aylien's generator on the post's data."""
    return make_settings(modes=modes, hidden_sizes=(4,), activation='softplus')


def smaller_generators(changes: Callable[[int], dict[str, Any]] = lambda modes: {}) -> dict[str, gan.Settings]:
    """M2: one mode with a layer removed; M3: three modes with the last two layers of 2h units: {claim: settings}.

    `changes(modes)` replace our choices for what the post leaves open.
    """
    layers = changes(1).get('layers', 3)
    return {
        'M2': make_settings(modes=1, **changes(1) | {'layers': layers - 1}),
        'M3': make_settings(modes=3, **changes(3) | {'hidden_sizes': (12,) * (layers - 2) + (8, 8)}),
    }


ARMS = (
    {
        f'{modes} modes, width {width}': make_settings(modes=modes, hidden_sizes=(width,) * 3)
        for modes in MODES
        for width in WIDTHS
    }
    | smaller_generators()
    | {f'{modes} modes, own': own_generator(modes) for modes in STATED}
)
ENSEMBLES = len(ARMS)


def measure(seed: int, runs: int, tick: Callable[[], Any] = lambda: None) -> list[claims.Measurement]:
    """Measures all claims over seeds seed .. seed+runs-1: a list of `claims.Measurement`. Calls `tick` after each ensemble."""
    return judge(train_arms(ARMS, seed, runs, tick))


def train_arms(
    arms: dict[str, gan.Settings], seed: int, runs: int, tick: Callable[[], Any] = lambda: None
) -> dict[str, claims.Table]:
    """The columns of results.csv of every arm: {arm: {column: [runs]}}."""
    tables = {}
    for name, settings in arms.items():
        tables[name] = outcomes.train_many(gan, settings, seed, runs, steps_of(name)).table
        tick()
    return tables


def steps_of(arm: str) -> int:
    """How long an arm is trained."""
    return SLOW_STEPS if arm.endswith('own') else NUM_STEPS


def load_arms(path: pathlib.Path) -> dict[str, claims.Table]:
    """Outcomes of arms as `multimodal.gallery` saves them: {arm: {column: [runs]}}."""
    tables = {}
    for name, values in files.read_npz(path).items():
        arm, column = name.rsplit('/', 1)
        tables.setdefault(arm, {})[column] = values.astype(np.float64)
    return tables


def judge(tables: dict[str, claims.Table]) -> list[claims.Measurement]:
    """All claims from the outcomes of every arm."""
    by_width = {modes: {width: tables[f'{modes} modes, width {width}'] for width in WIDTHS} for modes in MODES}
    post = {modes: by_width[modes][4 * modes] for modes in STATED}
    return [
        converge_early(post),
        layer_removed(post[1], tables['M2']),
        layers_narrowed(post[3], tables['M3']),
        width_grows_with_modes(by_width),
        own_generator_is_weak(post, {modes: tables[f'{modes} modes, own'] for modes in STATED}),
        peaks_are_taller(post),
    ]


def converge_early(post: dict[int, claims.Table]) -> claims.Measurement:
    """M1: one and two modes converge within 20-30 steps, three within 300; all well before 5000."""
    measured, by_then, first, at_once = {}, [], [], []
    for modes, step in STATED.items():
        name = figures.counted(modes)
        lasting = post[modes]['convergence_step']
        below = post[modes]['first_step_below']
        by_then.append(claims.proportion(lasting <= step))
        at_all = claims.proportion(np.isfinite(lasting))
        first.append(claims.proportion(below <= step))
        at_once.append(claims.proportion(below == 0))
        measured |= {
            f'{name}: converged by step {step}': by_then[-1],
            f'{name}: below the threshold by then, at least once': first[-1],
            f'{name}: below the threshold after one update': at_once[-1],
            f'{name}: converged within 5,000': at_all,
        }
        if at_all.value:
            measured[f'{name}: step of those that converge (median)'] = claims.median(lasting[np.isfinite(lasting)])
    there = [str(modes) for modes, share in zip(STATED, first, strict=True) if share.low > 0.5]
    some = f'with {" and ".join(there)} modes'
    verdict, reason = claims.first_true(
        (all(share.low > 0.5 for share in by_then), Verdict.REPRODUCED, 'most seeds have converged by the stated steps'),
        (len(there) == len(STATED), Verdict.PARTLY, 'most seeds get there by the stated steps, but do not stay'),
        (len(there) > 0, Verdict.PARTLY, f'{some} most seeds get there by the stated steps, but not with the others'),
        (True, Verdict.NOT_REPRODUCED, 'most seeds do not get there by the stated steps'),
    )
    if at_once[0].low > 0.5:
        reason += '. With one mode most are there before they have learnt anything'
    reason += '; over rates and batches: [the atlas](atlas.md#multi-modal)'
    stated = 'within 20-30, 20-30 and 300 steps'
    return claims.Measurement('M1', 'one, two and three modes converge early', stated, measured, verdict, reason)


def slowed(claim: str, statement: str, stated: str, full: claims.Table, reduced: claims.Table) -> claims.Measurement:
    """M2 and M3: a smaller generator converges later, by a rank test of convergence steps (never converging ranks last)."""
    kinds = {'the post': full, 'smaller': reduced}
    measured = {}
    columns = {'convergence_step': 'converged within 5,000', 'first_step_below': 'below the threshold at least once'}
    for column, what in columns.items():
        measured |= {f'{what}, {kind}': claims.proportion(np.isfinite(table[column])) for kind, table in kinds.items()}
        for kind, table in kinds.items():
            steps = table[column][np.isfinite(table[column])]
            if steps.size:
                measured[f'{what}: step, {kind} (median)'] = claims.median(steps)
    p_lasting, p_first = (
        scipy.stats.mannwhitneyu(reduced[column], full[column], alternative='greater').pvalue
        for column in ('convergence_step', 'first_step_below')
    )
    fast, slow = (claims.median(table['convergence_step']) for table in (full, reduced))
    verdict, reason = claims.first_true(
        (np.isfinite(fast.high) and slow.low >= 2 * fast.high, Verdict.REPRODUCED, 'twice as late at least'),
        (p_lasting < 0.01, Verdict.PARTLY, 'later, but not twice as late'),
        (p_first < 0.01, Verdict.PARTLY, 'below the threshold later for the first time, but it stays there no later'),
        (True, Verdict.NOT_REPRODUCED, 'no later'),
    )
    reason += f' (rank tests: p = {p_lasting:.2g}; of the first step below the threshold {p_first:.2g})'
    return claims.Measurement(claim, statement, stated, measured, verdict, reason)


def layer_removed(full: claims.Table, shallow: claims.Table) -> claims.Measurement:
    """M2: removing one generator layer, with one mode, moves convergence from step 20 to about 150."""
    return slowed('M2', 'one mode: a layer less converges later', 'step 150 instead of 20', full, shallow)


def layers_narrowed(full: claims.Table, narrow: claims.Table) -> claims.Measurement:
    """M3: narrowing the last two layers of the three-mode generator to 2h moves convergence from step 300 to 3050."""
    return slowed('M3', 'three modes: the last two layers of 2h converge later', 'step 3050 instead of 300', full, narrow)


def all_modes_converged(modes: int, table: claims.Table) -> np.ndarray:
    """Runs that converged and cover every mode, [runs]: with many modes, one may be missing within the threshold."""
    return np.isfinite(table['convergence_step']) & (table['modes_covered'] == modes)


def width_needed(modes: int, by_width: dict[int, claims.Table]) -> float:
    """The smallest width at which at least half as many seeds converge, covering every mode, as at the best width.

    NaN if fewer than a tenth of the seeds converge at every width.
    """
    shares = {width: all_modes_converged(modes, table).mean() for width, table in by_width.items()}
    best = max(shares.values())
    return next((width for width in sorted(shares) if shares[width] >= best / 2), np.nan) if best >= 0.1 else np.nan


def width_grows_with_modes(by_width: dict[int, dict[int, claims.Table]]) -> claims.Measurement:
    """M4: the width needed grows about linearly with the number of modes."""
    needed = {modes: width_needed(modes, tables) for modes, tables in by_width.items()}
    measured = {}
    for modes, tables in by_width.items():
        shares = {width: claims.proportion(all_modes_converged(modes, table)) for width, table in tables.items()}
        best = max(shares, key=lambda width: shares[width].value)
        kind = f'{figures.counted(modes)}: converged with every mode at width'
        measured[f'{kind} {4 * modes}, the rule'] = shares[4 * modes]
        if shares[best].value:
            measured[f'{kind} {best}, the best'] = shares[best]
    found = {modes: width for modes, width in needed.items() if np.isfinite(width)}
    none = [str(modes) for modes in needed if modes not in found]
    text = ', '.join(f'{width} for {modes}' for modes, width in found.items()) or 'none'
    text = f'width needed: {text}' + (f'; with {", ".join(none)} modes no width up to {max(WIDTHS)} is enough' if none else '')
    about_linear = more = False
    if len(found) > 2:
        x, y = list(found), list(found.values())
        line = scipy.stats.linregress(x, y)
        exponent = scipy.stats.linregress(np.log(x), np.log(y)).slope
        text += f'. Line: {line.slope:.2g} units a mode, R² = {line.rvalue**2:.2f}; exponent {exponent:.2f}'
        about_linear = line.rvalue**2 > 0.9 and 0.5 < exponent < 1.5
        more = line.slope > 0
    text += '; over width and depth: [the atlas](atlas.md#multi-modal)'
    verdict, reason = claims.first_true(
        (about_linear and not none, Verdict.REPRODUCED, 'about linear'),
        (more and len(none) > 0, Verdict.PARTLY, 'more modes need more width, as far as any width is enough'),
        (more, Verdict.PARTLY, 'more modes need more width'),
        (True, Verdict.NOT_REPRODUCED, 'more modes do not need more width, or no width is enough'),
    )
    statement = 'the width needed grows about linearly with the modes'
    return claims.Measurement('M4', statement, '4 units a mode', measured, verdict, f'{reason}. {text}')


def own_generator_is_weak(post: dict[int, claims.Table], own: dict[int, claims.Table]) -> claims.Measurement:
    """M5: Aylien's own generator, unchanged, takes about four hours on this data."""
    measured, weak = {}, []
    for modes in STATED:
        name = figures.counted(modes)
        theirs = claims.proportion(np.isfinite(own[modes]['convergence_step']))
        wide = claims.proportion(np.isfinite(post[modes]['convergence_step']))
        measured |= {
            f"{name}: Aylien's generator, converged within {SLOW_STEPS:,}": theirs,
            f"{name}: the post's, converged within 5,000": wide,
        }
        weak += [str(modes)] * (theirs.high < wide.low / 2)
    some = f'with {" and ".join(weak)} modes'
    verdict, reason = claims.first_true(
        (len(weak) == len(STATED), Verdict.REPRODUCED, 'in four times the steps less than half as many seeds converge'),
        (len(weak) > 0, Verdict.PARTLY, f'{some} less than half as many converge in four times the steps'),
        (True, Verdict.NOT_REPRODUCED, 'as many or nearly as many converge'),
    )
    reason += '; the hours cannot be compared, since neither their steps nor their machine are known'
    return claims.Measurement('M5', "Aylien's own generator is too weak", 'about 4 hours', measured, verdict, reason)


def peaks_are_taller(post: dict[int, claims.Table]) -> claims.Measurement:
    """M6: generated peaks are taller than the data's: G puts its mass on the means."""
    measured, seen = {}, []
    for modes, table in post.items():
        success, name = table['success'] == 1, figures.counted(modes)
        if success.any():
            taller = claims.proportion(table['peak_height'][success] > 1)
            narrower = claims.proportion(table['mode_width'][success] < 1)
            seen.append(min(taller.low, narrower.low) > 0.5)
            measured |= {
                f'{name}: taller than the data': taller,
                f"{name}: generated peak over the data's (median)": claims.median(table['peak_height'][success]),
                f'{name}: narrower than the modes': narrower,
                f'{name}: width over that of the modes (median)': claims.median(table['mode_width'][success]),
            }
    verdict, reason = claims.first_true(
        (any(seen) and all(seen), Verdict.REPRODUCED, 'taller and narrower for most seeds'),
        (any(seen), Verdict.PARTLY, 'taller and narrower for most seeds, but not with every number of modes'),
        (True, Verdict.NOT_REPRODUCED, 'not both taller and narrower for most seeds'),
    )
    reason = f'of the seeds that end below the threshold, {reason}'
    statement = 'generated peaks are taller: mass on the means'
    return claims.Measurement('M6', statement, 'qualitative', measured, verdict, reason)


# --- What the post leaves open ------------------------------------------------------------------------------------------------


def fixed(**changes: Any) -> Callable[[int], dict[str, Any]]:
    """The same change for every number of modes."""
    return lambda modes: changes


CHOICES = {  # what the post leaves open, varied one at a time: modes -> changed settings
    'as chosen': fixed(),
    'activation softplus': fixed(activation='softplus'),
    'activation relu': fixed(activation='relu'),
    'activation sigmoid': fixed(activation='sigmoid'),
    'one layer more': fixed(layers=4),
    'one mode at 0, the others over ±6': lambda modes: {
        'means': (0.0,) if modes == 1 else tuple(np.linspace(-6, 6, modes).tolist())
    },
    'deviations halved': lambda modes: {'deviations': tuple(s / 2 for s in default_modes(modes)[1])},
    'batch 12': lambda modes: {'batch_size': make_settings(modes=modes, variant='guessed').batch_size},
    'batch 240': fixed(batch_size=240),
    'noise over ±4': fixed(noise_range=4.0),
    'rate 0.005': fixed(learning_rate=0.005),
    'rate 0.03': fixed(learning_rate=0.03),
    'no pre-training': fixed(pretrain_steps=0),
    'all as guessed': fixed(variant='guessed'),
    "all of Aylien's": lambda modes: (
        {'variant': 'guessed', 'activation': 'softplus'} | ({'means': (4.0,)} if modes == 1 else {})
    ),
}


ONE_MODE = {  # the mode's location determines how far the untrained generator is from it: {arm: settings}
    f'{activation}, mean {mean:g}': make_settings(modes=1, means=(mean,), activation=activation)
    for activation in ('tanh', 'softplus')
    for mean in (0.0, 1.0, 2.0, 3.0, 4.0)
}


def choice_arms(name: str) -> dict[str, gan.Settings]:
    """1, 2, 3 and 5 modes with the post's widths, and the smaller generators of M2 and M3: {arm: settings}."""
    changes = CHOICES[name]
    return {f'{modes} modes': make_settings(modes=modes, **changes(modes)) for modes in (*STATED, 5)} | smaller_generators(
        changes
    )


def judge_choice(tables: dict[str, claims.Table]) -> list[claims.Measurement]:
    """Claims M1, M2, M3 and M6 from the outcomes of a choice's arms."""
    post = {modes: tables[f'{modes} modes'] for modes in STATED}
    return [
        converge_early(post),
        layer_removed(post[1], tables['M2']),
        layers_narrowed(post[3], tables['M3']),
        peaks_are_taller(post),
    ]
