"""What decides whether the MNIST GAN collapses: the cells, when a run counts as collapsed, and the table."""

import numpy as np
import pytest
from helpers.paths import ROOT

from common.settings import identity
from common.storage import files
from reproductions.mnist import collapse, dataset, quality
from reproductions.mnist import settings as mnist_settings


def test_cells_differ_from_the_listing_in_what_they_name():
    assert len(set(collapse.CELLS)) == 24
    listing, june = (identity(mnist_settings.make_settings(name)) for name in ('post', '2018-06'))
    assert identity(collapse.settings_of(collapse.Cell(2, False, 0.001, False))) == listing
    assert identity(collapse.settings_of(collapse.Cell(1, True, 0.001, False))) | {'variant': '2018-06'} == june
    deep = collapse.settings_of(collapse.Cell(2, True, 0.00005, True))
    assert deep.d_widths == (794, 500, 200, 1) and deep.g_widths == (110, 200, 500, 784)
    assert (deep.learning_rate, deep.glorot, deep.beta1) == (0.00005, True, 0.9)


def test_variation_by_hand():
    """Two classes of two images each, of two pixels: 0 and 1 within class 0, always 0.5 within class 1."""
    images, labels = np.array([[0, 0], [1, 1], [0.5, 0.5], [0.5, 0.5]], np.float32), np.array([0, 0, 1, 1])
    assert collapse.variation(images, labels, conditional=True) == pytest.approx(0.25)
    assert collapse.variation(images, labels, conditional=False) == pytest.approx(np.std([0, 1, 0.5, 0.5]))


def test_collapsed_since_the_last_check_from_which_it_stays():
    found = {
        'step': np.array([1, 101, 201, 301]),
        'variation': np.array([[1, 0.05, 0.5, 0.01], [1, 0.09, 0.01, 0], [1, 0, 0, 0.1]]),
    }
    table = collapse.outcomes_of(collapse.CELLS[0], found, None, np.arange(3), None, stopped=True)
    assert table['collapsed'].tolist() == [1, 1, 0]
    np.testing.assert_array_equal(table['since'], [301, 101, np.nan])
    assert np.isnan(table['frechet']).all() and np.isnan(table['success']).all()


@pytest.mark.statistical
def test_the_listing_stops_early_and_one_hidden_layer_does_not_collapse(monkeypatch):
    """Two seeds each, on the bundled digits: the first cell stops, the last is evaluated after its 600 iterations."""
    digits = dataset.bundled()
    evaluator = quality.make_evaluator(digits)
    listing = collapse.train_cell(collapse.Cell(2, False, 0.001, False), digits, evaluator, runs=2, most=2_000)
    assert listing['collapsed'].all() and listing['step'][-1] == 501 and (listing['since'] == 101).all()
    one = collapse.train_cell(collapse.Cell(1, True, 0.001, False), digits, evaluator, runs=2, most=600)
    assert not one['collapsed'].any() and one['step'][-1] == 600 and np.isfinite(one['frechet']).all()
    assert ((one['recognized'] >= 0) & (one['recognized'] <= 1)).all()


def test_a_cell_without_files_keeps_its_rows(tmp_path):
    """So that training can go on from the committed grid.csv."""
    table = files.read_csv(ROOT / 'figures' / 'mnist' / 'grid.csv')
    first, second = (collapse.of_cell(table, cell) for cell in collapse.CELLS[:2])
    files.write_csv(tmp_path / 'grid.csv', {name: np.concatenate([first[name], second[name]]) for name in first})
    assert list(collapse.done(tmp_path)) == list(collapse.CELLS[:2]) and collapse.done(tmp_path / 'none') == {}
    found = {'step': np.array([101]), 'seed': np.arange(16), 'collapsed': np.ones(16), 'since': np.full(16, 101.0)}
    (tmp_path / 'cells').mkdir()
    path = tmp_path / 'cells' / f'{collapse.CELLS[1].name}.npz'
    files.write_npz(path, found | {name: np.full(16, 7.0) for name in collapse.JUDGED})
    collapse.write_results(tmp_path / 'cells', tmp_path)
    after = files.read_csv(tmp_path / 'grid.csv')
    np.testing.assert_equal(collapse.of_cell(after, collapse.CELLS[0]), first)
    assert (collapse.of_cell(after, collapse.CELLS[1])['frechet'] == 7).all() and len(after['seed']) == 32


def test_the_committed_table_is_that_of_the_committed_runs():
    """Sixteen seeds of every cell; depth separates those that collapse, but for Glorot's weights at a low learning rate."""
    table = files.read_csv(ROOT / 'figures' / 'mnist' / 'grid.csv')
    assert collapse.as_markdown(table) == (ROOT / 'figures' / 'mnist' / 'grid.md').read_text(encoding='utf-8')
    for cell in collapse.CELLS:
        part = collapse.of_cell(table, cell)
        assert part['seed'].tolist() == list(range(collapse.RUNS))
        if cell.hidden == 2:
            patience = collapse.PATIENCE[cell.learning_rate < collapse.RATES[0]]
            assert part['collapsed'].all() and (part['iterations'] - part['since']).min() >= patience - collapse.EVERY
        elif not cell.glorot or cell.learning_rate == collapse.RATES[0]:
            assert not part['collapsed'].any()
    assert table['collapsed'].sum() == 192 + 22
