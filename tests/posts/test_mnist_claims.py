"""The claims of the MNIST post, on made-up outcomes."""

import numpy as np

from reproductions.mnist import claims as mnist_claims
from reproductions.mnist import quality


def ensemble_of(frechet, covered, largest, other, d_real, d_fake, runs=8, recognized=None):
    """A table, a history of three evaluations and references, every run the same; conditional if `recognized` is given."""
    last = dict.fromkeys(quality.COLUMNS, 0.0) | {
        'frechet': frechet, 'classes_covered': covered, 'largest_share': largest, 'nearest_other': other, 'confident': 0.9,
        'd_real': d_real, 'd_fake': d_fake,
    }  # fmt: skip
    names = quality.column_names(recognized is not None)
    last |= dict.fromkeys(names[len(quality.COLUMNS) :], recognized)
    history = {name: np.full((runs, 3), value) for name, value in last.items()}
    history['eval_step'] = np.array([0, 25_000, 49_999])
    references = {f'without_{k}': {'frechet': 5.0} for k in range(10)}
    references |= {
        name: {'nearest_other': 5.0, 'confident': 0.97, 'frechet': 0.5, 'recognized': 0.98}
        for name in ('test', 'training', 'untrained')
    }
    columns = {name: history[name][:, -1] for name in names}
    return columns | quality.verdict_columns(references, columns), history, references


def verdicts(*ensemble, others=None):
    return [row.verdict.value for row in mnist_claims.measure(*ensemble, others)]


def test_claims_on_runs_that_all_succeed_all_collapse_or_differ():
    good = ensemble_of(2.0, 10, 0.15, 4.0, 0.55, 0.45)
    assert verdicts(*good) == ['reproduced'] * 3
    bad = ensemble_of(200.0, 1, 1.0, 0.0, 1.0, 0.0)
    assert verdicts(*bad) == ['not reproduced', 'not reproduced', 'cannot be tested']
    assert verdicts(*bad, others={'another program': bad[0]})[2] == 'cannot be tested'
    assert verdicts(*bad, others={'another program': good[0]})[2] == 'reproduced'
    some = {name: np.where(np.arange(8) < 2, good[0][name], bad[0][name]) for name in good[0]}
    assert verdicts(*bad, others={'another program': some})[2] == 'partly'
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


def test_a_conditional_run_must_also_give_what_is_asked_for():
    obedient, deaf = (ensemble_of(2.0, 10, 0.15, 4.0, 0.55, 0.45, recognized=share) for share in (0.5, 0.49))
    assert verdicts(*obedient) == ['reproduced'] * 3
    assert verdicts(*deaf) == ['not reproduced', 'reproduced', 'cannot be tested']
    name = 'share recognized as the digit asked for (median; real digits 0.98)'
    assert mnist_claims.measure(*deaf)[0].measured[name].value == 0.49


def test_outcomes_as_in_the_authors_files():
    """Losses are means over the last 500 iterations, weighted by how many each record covers."""
    table = {'seed': np.arange(2), 'finite': np.ones(2), **{name: np.zeros(2) for name in mnist_claims.COMPARED}}
    history = {'step': np.array([3999, 4499, 4599, 4999]), 'loss_d': np.array([[9, 9, 1, 2], [9, 9, 3, 4]])}
    found = mnist_claims.as_original(table, history | {'loss_g': history['loss_d'] + 1})
    np.testing.assert_allclose(found['loss_d'], [1.8, 3.8])
    np.testing.assert_allclose(found['loss_g'], [2.8, 4.8])
