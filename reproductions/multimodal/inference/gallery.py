"""Measures and writes which programs are compatible with the multi-modal post: two parts of `scripts/make_figures.py`."""

import pathlib
from typing import Any

import numpy as np

from common import markdown
from common.plotting import figures
from common.storage import files
from reproductions.gallery import ROOT, Part, Picture
from reproductions.multimodal.inference import evidence, posterior, prior, simulation
from reproductions.multimodal.inference import figures as inferred_figures
from reproductions.multimodal.inference.evidence import ARMS, DEFAULT, READINGS

TRAINED = ROOT / 'output' / 'multimodal_inferred'
NOT_TRAINED = 255  # in the committed hits
NAMES = tuple(ARMS)
JUDGED = tuple(dict.fromkeys(reading._replace(tries=1) for reading in READINGS))  # hits do not depend on `tries`


def trained(out: pathlib.Path) -> None:
    """Trains everything, in about 40 minutes of two cores; keeps what is done in output/ and can be stopped at any time.

    Writes inferred_runs.npz: hits of every setting by reading and statement, and those of the most compatible ones with fresh
    seeds.
    """
    settings = prior.draw()
    simulation.train(TRAINED, settings, simulation.all_shapes(settings))
    records = posterior.load(TRAINED, len(settings['std']), simulation.all_shapes(settings))
    aylien = aylien_hits()
    hits = hits_by_reading(records)
    chosen = posterior.likeliest(np.stack([
        posterior.weights(settings, hits_in(hits, reading, evidence.FOR_ALL), reading, aylien_in(aylien, reading))
        for reading in READINGS
    ]))  # fmt: skip
    rest = simulation.the_rest(settings, chosen)
    simulation.train(TRAINED, settings, rest)
    found = posterior.load(TRAINED, len(settings['std']), rest)
    for name, counts in hits_by_reading(found).items():
        counts[:, np.setdiff1d(np.arange(counts.shape[1]), chosen)] = NOT_TRAINED
        hits[name] = counts
    arrays = {f'hits/{name}': counts for name, counts in hits.items()} | {'chosen': chosen} | aylien
    known = np.arange(0, len(settings['std']), prior.PER_SHAPE)  # a setting of every shape
    recovered = posterior.recovery(settings, records, known, DEFAULT)
    arrays |= {f'recovered/{name}': values for name, values in recovered.items()}
    arrays |= fresh(settings, arrays)
    files.write_npz(out / 'inferred_runs.npz', arrays)


def aylien_hits() -> dict[str, np.ndarray]:
    """How many seeds of Aylien's program converge, by reading: {'aylien/<rate>': [JUDGED]}."""
    found = {}
    for rate in prior.UNKNOWNS['learning_rate'].weights:
        values = simulation.aylien_converged(rate)
        records = [evidence.converged_at(values['step'], values['distance'], one.eye, one.held) for one in JUDGED]
        found[f'aylien/{rate}'] = np.array([(record < len(values['step'])).sum() for record in records])
    return found


def hits_by_reading(records: posterior.Records) -> dict[str, np.ndarray]:
    """{arm: uint8 [JUDGED, settings]}: fewer than `NOT_TRAINED` seeds."""
    each = [posterior.hits_of(records, one) for one in JUDGED]
    return {name: np.stack([hits[name] for hits in each]).astype(np.uint8) for name in records}


def judged(reading: evidence.Reading) -> int:
    """Where a reading's hits are, an index of `JUDGED`."""
    return JUDGED.index(reading._replace(tries=1))


def hits_in(hits: dict[str, np.ndarray], reading: evidence.Reading, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The hits of some arms in one reading, {arm: [settings]}."""
    return {name: hits[name][judged(reading)].astype(float) for name in names}


def aylien_in(arrays: dict[str, np.ndarray], reading: evidence.Reading) -> dict[float, float]:
    """`evidence.aylien_log_likelihood` in one reading, from arrays of which some are those of `aylien_hits`."""
    rates = prior.UNKNOWNS['learning_rate'].weights
    counts = {rate: arrays[f'aylien/{rate}'][judged(reading)] for rate in rates}
    return evidence.aylien_log_likelihood(counts, simulation.AYLIEN_RUNS)


def weights_in(settings: dict[str, np.ndarray], arrays: dict[str, np.ndarray], reading: evidence.Reading) -> np.ndarray:
    """Posterior weights in one reading, [settings], from `inferred_runs.npz`; 0 for settings that were not chosen."""
    chosen, weight = arrays['chosen'], np.zeros(len(settings['std']))
    hits = {name: arrays[f'hits/{name}'][:, chosen] for name in NAMES}
    some = simulation.rows_of(settings, chosen)
    weight[chosen] = posterior.weights(some, hits_in(hits, reading, NAMES), reading, aylien_in(arrays, reading))
    return weight


# --- With held-out seeds ------------------------------------------------------------------------------------------------------


def fresh(settings: dict[str, np.ndarray], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The most compatible settings and `guessed`, last, with held-out seeds; then the best of them and `guessed` again.

    `arrays` are those of inferred_runs.npz so far.

    Returns:
      `best` [BEST] rows; 'fresh/<arm>' hits [JUDGED, BEST + 1]; 'step/<arm>' median first steps [BEST + 1]; `candidate`, an
      index of the BEST; 'again/<arm>' [JUDGED, 2], of the candidate and `guessed` with other seeds.
    """
    best = np.argsort(-weights_in(settings, arrays, DEFAULT), kind='stable')[: posterior.BEST]
    compared = posterior.stacked([simulation.rows_of(settings, best), posterior.guessed_row()])
    records = with_seeds(TRAINED / 'fresh', compared, posterior.FIRST_FRESH)
    found = hits_by_reading(records)
    log = log_likelihoods(compared, found, arrays, DEFAULT)
    candidate = int(np.argmax(log[:-1]))
    two = simulation.rows_of(compared, [candidate, posterior.BEST])
    again = hits_by_reading(with_seeds(TRAINED / 'again', two, posterior.FIRST_FRESH + posterior.FRESH))
    return {
        'best': best, 'candidate': candidate,
        **{f'fresh/{name}': values for name, values in found.items()},
        **{f'step/{name}': median_steps(values) for name, values in records.items()},
        **{f'again/{name}': values for name, values in again.items()},
    }  # fmt: skip


def with_seeds(directory: pathlib.Path, settings: dict[str, np.ndarray], seed: int) -> posterior.Records:
    """Trains all arms of each setting with `posterior.FRESH` seeds from `seed` on."""
    tasks = [simulation.Task(f'setting{row}', np.array([row]), NAMES) for row in range(len(settings['std']))]
    simulation.train(directory, settings, tasks, seed, posterior.FRESH)
    return posterior.load(directory, len(settings['std']), tasks, posterior.FRESH)


def median_steps(values: dict[str, np.ndarray]) -> np.ndarray:
    """Median step at which the runs of each setting converge by the default reading, [settings]; inf if most do not."""
    record = evidence.converged_at(values['step'], values['distance'], DEFAULT.eye, DEFAULT.held)
    return np.median(np.r_[values['step'], np.inf][record], axis=1)


def log_likelihoods(settings: dict[str, np.ndarray], hits: dict, arrays: dict, reading: evidence.Reading) -> np.ndarray:
    """Log probability of the post by setting, [settings], from hits of `posterior.FRESH` seeds; `arrays` as in `aylien_in`."""
    by_rate = aylien_in(arrays, reading)
    log = evidence.log_likelihood(hits_in(hits, reading, NAMES), posterior.FRESH, reading)
    return log + np.array([by_rate[rate] for rate in settings['learning_rate'].tolist()])


# --- Tables and the figure ----------------------------------------------------------------------------------------------------


def written(out: pathlib.Path) -> None:
    """The figure inferred.png, inferred.csv with all settings, and three tables, from inferred_runs.npz."""
    settings, arrays = prior.draw(), files.read_npz(out / 'inferred_runs.npz')
    by_reading = {reading: weights_in(settings, arrays, reading) for reading in READINGS}
    weight = by_reading[DEFAULT]
    rows = []
    for name, unknown in prior.UNKNOWNS.items():
        all_weights = np.stack([posterior.marginal(settings, each, name) for each in by_reading.values()])
        columns = (
            posterior.prior_marginal(settings, name), posterior.marginal(settings, weight, name), all_weights.min(axis=0),
            all_weights.max(axis=0),
        )  # fmt: skip
        for value, *numbers in zip(unknown.weights, *columns, strict=True):
            rows.append((unknown.what, words(value), *numbers))
    names = ('unknown', 'value', 'prior', 'weight', 'low', 'high')
    bars = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    figures.write(out / 'inferred.png', inferred_figures.unknowns, bars)
    counts = {f'agree_{name}': arrays[f'hits/{name}'][judged(DEFAULT)].astype(float) for name in NAMES}
    for values in counts.values():
        values[values == NOT_TRAINED] = np.nan
    files.write_csv(out / 'inferred.csv', settings | counts | {'weight': weight})
    files.write_text(out / 'inferred_unknowns.md', unknowns_table(settings, bars, arrays))
    files.write_text(out / 'inferred_best.md', best_table(settings, arrays, by_reading))
    files.write_text(out / 'inferred_default.md', default_text(settings, arrays))


def words(value: Any) -> str:
    """A value of an unknown as a reader would write it."""
    return {True: 'equally many', False: 'at random'}[value] if isinstance(value, bool) else str(value).removesuffix('.0')


def unknowns_table(settings: dict[str, np.ndarray], bars: dict[str, np.ndarray], arrays: dict[str, np.ndarray]) -> str:
    """What the post determines: one row per value."""
    head = ['unknown', 'value', 'before', 'after', 'over readings', 'bits', 'known programs: weight of the truth']
    rows = []
    for name, unknown in prior.UNKNOWNS.items():
        own = np.flatnonzero(bars['unknown'] == unknown.what)
        gained = posterior.bits(bars['weight'][own], bars['prior'][own])
        for i in own:
            first = i == own[0]
            rows.append([
                unknown.what if first else '', bars['value'][i], f'{bars["prior"][i]:.0%}', f'**{bars["weight"][i]:.0%}**',
                f'{bars["low"][i]:.0%} to {bars["high"][i]:.0%}', f'{gained:.2f}' if first else '',
                f'{arrays[f"recovered/{name}"].mean():.0%}' if first else '',
            ])  # fmt: skip
    return markdown.table(head, rows)


def best_table(settings: dict[str, np.ndarray], arrays: dict[str, np.ndarray], by_reading: dict) -> str:
    """The most compatible settings and `guessed`, a row each: how many held-out seeds do what the post says, and when."""
    compared = posterior.stacked([simulation.rows_of(settings, arrays['best']), posterior.guessed_row()])
    rows = []
    for row in range(posterior.BEST + 1):
        what = ', '.join(f'{name} {words(values[row].item())}' for name, values in compared.items())
        weight = '' if row == posterior.BEST else f'{by_reading[DEFAULT][arrays["best"][row]]:.1%}'
        cells = []
        for name in NAMES:
            step = arrays[f'step/{name}'][row]
            share = arrays[f'fresh/{name}'][judged(DEFAULT), row] / posterior.FRESH
            cells.append(f'{share:.0%} (median {f"{step:,.0f}" if np.isfinite(step) else "never"})')
        variant = {int(arrays['candidate']): '**`inferred`**: ', posterior.BEST: '**`guessed`**: '}.get(row, '')
        rows.append([f'{variant}{what}', weight, *cells])
    return markdown.table(['', 'weight', *(ARMS[name].statement for name in NAMES)], rows)


def default_text(settings: dict[str, np.ndarray], arrays: dict[str, np.ndarray]) -> str:
    """The verdict by the rule of `posterior`, as a sentence."""
    two = posterior.stacked([
        simulation.rows_of(settings, arrays['best'][[int(arrays['candidate'])]]), posterior.guessed_row(),
    ])  # fmt: skip
    hits = {name: arrays[f'again/{name}'] for name in NAMES}
    logs = np.stack([log_likelihoods(two, hits, arrays, reading) for reading in READINGS])
    candidate, guessed = logs[READINGS.index(DEFAULT)]
    ratio = float(np.exp(candidate - guessed))
    better = logs[:, 0] > logs[:, 1]
    verdict = 'It replaces' if posterior.clearly_better(ratio, better) else 'It does not replace'
    return (
        f'With {posterior.FRESH} seeds that nothing was chosen by, the post is {ratio:.2g} times as probable with the '
        f'candidate as with `guessed`, and more probable under {better.sum()} of {len(better)} readings. {verdict} '
        f'`guessed` as the default (rule: at least {posterior.FACTOR} times, and {posterior.AGREEING:.0%} of the readings).\n'
    )


PARTS = {'inferred_runs': Part(trained), 'inferred': Part(written)}
PICTURES = {
    'inferred.png': Picture('inferred', inferred_figures.unknowns, 'what the lost program was', in_post=False),
}
