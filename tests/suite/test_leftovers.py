"""A run removes what an earlier one left in its directory, and nothing else."""

import os

import pytest
from helpers.post_checks import call

from common.storage import leftovers
from reproductions.aylien import __main__ as aylien_main
from reproductions.mnist import __main__ as mnist_main


def run(directory, *names, resumed=False):
    """What a run does that writes these files."""
    before = leftovers.snapshot(directory)
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / '.partial').write_text(f'{name} of {len(before)}', encoding='utf-8')
        (directory / '.partial').rename(directory / name)
    leftovers.settle(directory, before, resumed)


def names(directory):
    return {path.name for path in directory.iterdir()} - {leftovers.LISTING}


def test_what_is_not_written_again_is_removed(tmp_path):
    run(tmp_path / 'out', 'results.csv', 'ensemble.png')
    run(tmp_path / 'out', 'results.csv', 'figure.png')
    assert names(tmp_path / 'out') == {'results.csv', 'figure.png'}
    run(tmp_path / 'out', 'results.csv')
    assert names(tmp_path / 'out') == {'results.csv'}


def test_a_resumed_run_keeps_its_own_and_the_next_fresh_one_removes_them(tmp_path):
    run(tmp_path / 'out', 'results.csv', 'animation.gif')
    run(tmp_path / 'out', 'results.csv', 'figure.png', resumed=True)
    assert names(tmp_path / 'out') == {'results.csv', 'animation.gif', 'figure.png'}
    run(tmp_path / 'out', 'results.csv')
    assert names(tmp_path / 'out') == {'results.csv'}


@pytest.mark.parametrize('listing', ['kept', 'lost', 'not JSON', '[]'])
def test_what_is_the_users_stays(listing, tmp_path):
    run(tmp_path / 'out', 'results.csv', 'ensemble.png', 'runs.png')
    (tmp_path / 'out' / 'notes.txt').write_text('mine', encoding='utf-8')
    (tmp_path / 'out' / 'runs.png').write_text('retouched', encoding='utf-8')
    (tmp_path / 'elsewhere').write_text('', encoding='utf-8')
    (tmp_path / 'out' / 'link').symlink_to(tmp_path / 'elsewhere')
    if listing == 'lost':
        (tmp_path / 'out' / leftovers.LISTING).unlink()
    elif listing != 'kept':
        (tmp_path / 'out' / leftovers.LISTING).write_text(listing, encoding='utf-8')
    run(tmp_path / 'out', 'results.csv')
    left = {'results.csv', 'notes.txt', 'runs.png', 'link'} | (set() if listing == 'kept' else {'ensemble.png'})
    assert names(tmp_path / 'out') == left


def test_a_file_that_cannot_be_removed_is_named(tmp_path, monkeypatch):
    run(tmp_path / 'out', 'ensemble.png')
    monkeypatch.setattr(os, 'unlink', lambda *args, **kwargs: (_ for _ in ()).throw(PermissionError(13, 'Permission denied')))
    with pytest.raises(leftovers.files.CannotWrite, match=r'ensemble\.png cannot be written \(Permission denied\)'):
        leftovers.settle(tmp_path / 'out', leftovers.snapshot(tmp_path / 'out'), resumed=False)


@pytest.mark.statistical
def test_an_ensemble_and_a_film_do_not_stay_beside_a_single_run(tmp_path):
    quick = ('--num_steps=3', '--pretrain_steps=0', f'--output_dir={tmp_path}')
    assert call(aylien_main, *quick, '--runs=3', '--animation') == 0
    assert {'ensemble.png', 'animation.gif'} < names(tmp_path)
    (tmp_path / 'notes.txt').write_text('mine', encoding='utf-8')
    assert call(aylien_main, *quick) == 0
    single = {'config.json', 'results.csv', 'history.npz', 'figure.png', 'figure.npz', 'checkpoint', 'notes.txt'}
    assert names(tmp_path) == single
    assert call(aylien_main, *quick, '--resume', '--animation') == 0
    assert names(tmp_path) == single | {'animation.gif', 'animation.npz'}
    assert call(mnist_main, '--data=bundled', '--num_steps=2', f'--output_dir={tmp_path}') == 0
    assert not names(tmp_path) & {'animation.gif', 'animation.npz'} and 'notes.txt' in names(tmp_path)
