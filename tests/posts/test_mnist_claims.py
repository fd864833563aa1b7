"""The claims of the MNIST post, on made-up outcomes."""

import numpy as np

from reproductions.mnist import claims as mnist_claims
from reproductions.mnist import quality


def ensemble_of(frechet, covered, largest, other, d_real, d_fake, runs=8):
    """A table, a history of three evaluations and references, every run the same."""
    last = dict.fromkeys(quality.COLUMNS, 0.0) | {
        'frechet': frechet, 'classes_covered': covered, 'largest_share': largest, 'nearest_other': other, 'confident': 0.9,
        'd_real': d_real, 'd_fake': d_fake,
    }  # fmt: skip
    history = {name: np.full((runs, 3), value) for name, value in last.items()}
    history['eval_step'] = np.array([0, 25_000, 49_999])
    references = {f'without_{k}': {'frechet': 5.0} for k in range(10)}
    references |= {
        name: {'nearest_other': 5.0, 'confident': 0.97, 'frechet': 0.5} for name in ('test', 'training', 'untrained')
    }
    columns = {name: history[name][:, -1] for name in quality.COLUMNS}
    return columns | quality.verdict_columns(references, columns), history, references


def verdicts(*ensemble, gentle=None):
    return [row.verdict.value for row in mnist_claims.measure(*ensemble, gentle)]


def test_claims_on_runs_that_all_succeed_all_collapse_or_differ():
    good = ensemble_of(2.0, 10, 0.15, 4.0, 0.55, 0.45)
    assert verdicts(*good) == ['reproduced'] * 3
    bad = ensemble_of(200.0, 1, 1.0, 0.0, 1.0, 0.0)
    assert verdicts(*bad) == ['not reproduced', 'not reproduced', 'cannot be tested']
    assert verdicts(*bad, gentle=good[0])[2] == 'partly'
    short = bad[1] | {'eval_step': np.array([0, 100, 49_998])}
    assert verdicts(bad[0], short, bad[2])[:2] == ['cannot be tested'] * 2
    rows = mnist_claims.measure(*bad)
    collapsed = {name: estimate for name, estimate in rows[0].measured.items() if 'collapsed' in name or 'alike' in name}
    assert [estimate.value for estimate in collapsed.values()] == [1, 1, 1]
    _, history, references = good
    for name in quality.COLUMNS:
        history[name][1:, -1] = bad[1][name][1:, -1]
    mixed = {name: history[name][:, -1] for name in quality.COLUMNS}
    mixed |= quality.verdict_columns(references, mixed)
    assert verdicts(mixed, history, references) == ['partly', 'partly', 'partly']
    assert mnist_claims.measure(mixed, history, references)[0].measured['the same at any evaluation on the way'].value == 1
