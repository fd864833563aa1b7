"""Checks shared by the tests of several posts."""

import csv
import json
import signal

import numpy as np
import pytest
import tensorflow as tf

from common import training
from common.devices import distribution
from common.evaluation import two_sample
from common.plotting import figures
from common.program import cli, flags
from common.storage import files
from reproductions import accepted_numbers

COLUMNS = [
    'seed', 'finite', 'success', 'mean', 'std', 'skewness', 'kurtosis', 'q01', 'q05', 'q25', 'q50', 'q75', 'q95', 'q99',
    'wasserstein', 'ks', 'd_mean', 'd_min', 'd_max', 'loss_d', 'loss_g', 'pretrain_mse',
]  # fmt: skip


def call(post, *arguments):
    """The exit status of a post's command line."""
    return cli.call(post.main, [post.__name__, *map(str, arguments)])


def rows_of(directory):
    """The rows of results.csv, as text."""
    with open(directory / 'results.csv', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def bad_input_is_one_line_and_status_2(post, arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call(post, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith('error: ') and error.count('\n') == 1 and message in error
    assert not list(tmp_path.rglob('*.*'))  # no file was written


def flags_of(post):
    """The flags of a post's command line and their defaults, from its `__main__`."""
    return flags.define((*post.POST.flags, *flags.COMMON))


def help_names_every_flag(post, capsys):
    with pytest.raises(SystemExit) as status:
        call(post, '--help')
    assert status.value.code == 0
    out, opts = capsys.readouterr().out, flags_of(post)
    for name in opts:
        assert f'{name}' in out and opts[name].help
    for name in ('variant', 'seed', 'runs', 'num_steps', 'batch_size', 'output_dir', 'strategy', 'logical_devices', 'resume'):
        assert name in opts


def resume_is_bit_for_bit(post, arguments, stops, changed, refusal, tmp_path, capsys, monkeypatch):
    """A run interrupted after each of `stops` calls writes its files, and resuming gives those of the uninterrupted run.

    With the flag `changed` it refuses to resume, and says `refusal`. The pictures are empty files: other tests draw them.
    """
    monkeypatch.setattr(figures, 'save', lambda figure, path: path.touch())
    assert call(post, *arguments, f'--output_dir={tmp_path / "whole"}') == 0
    real_train = training.train
    for calls in stops:
        directory = tmp_path / f'part{calls}'

        def interrupted(*args, calls=calls, **kwargs):
            for i, call_ in enumerate(real_train(*args, **kwargs | {'records_per_call': 1})):
                if i == calls:
                    signal.raise_signal(signal.SIGINT)
                yield call_

        monkeypatch.setattr(training, 'train', interrupted)
        assert call(post, *arguments, f'--output_dir={directory}') == 130
        whole, part = rows_of(tmp_path / 'whole'), rows_of(directory)
        assert [row['seed'] for row in part] == [row['seed'] for row in whole] and part != whole
        assert (directory / 'figure.png').exists()
        history = files.read_npz(directory / 'history.npz')
        steps, pretraining = (history[name] if name in history else np.zeros(0) for name in ('step', 'pretrain_step'))
        assert len(pretraining) + len(steps) == calls + 1  # one record per call
        iterations = json.loads((directory / 'config.json').read_text(encoding='utf-8'))['iterations']
        assert iterations == (steps[-1] + 1 if len(steps) else 0)
        monkeypatch.setattr(training, 'train', real_train)
        assert call(post, *arguments, '--resume', f'--output_dir={directory}') == 0
        assert rows_of(directory) == whole
        histories = [files.read_npz(place / 'history.npz') for place in (tmp_path / 'whole', directory)]
        np.testing.assert_equal(histories[1], histories[0])
    capsys.readouterr()
    assert call(post, *arguments, '--resume', changed, f'--output_dir={directory}') == 2
    assert refusal in capsys.readouterr().err


def row_of_an_ensemble_equals_the_single_run(experiment, runs, steps=20):
    """Weights and batches bit for bit, the losses of the first steps up to the order of summation."""

    def first_losses(seed, runs):
        strategy = distribution.make_strategy('cpu', runs)
        seeds = np.arange(seed, seed + runs, dtype=np.uint32)
        shared = distribution.share_out(strategy, seeds)
        weights = distribution.to_host(strategy, strategy.run(experiment.init, args=(shared,)))
        batch = [
            values.numpy()
            for values in tf.nest.flatten((experiment.train_step.draw_d(shared, 17), experiment.train_step.draw_g(shared, 17)))
        ]
        records = training.join_records([r for _, r in training.train(experiment, strategy, seeds, steps, 1)])
        return tf.nest.flatten(weights) + batch, np.stack([records['loss_d'], records['loss_g']])

    exact, losses = first_losses(40, runs)
    assert losses.shape == (2, runs, steps)
    for row in sorted({0, 1, runs - 1}):
        single_exact, single_losses = first_losses(40 + row, 1)
        for ensemble, single in zip(exact, single_exact, strict=True):
            np.testing.assert_array_equal(ensemble[row], single[0])
        np.testing.assert_allclose(losses[:, row], single_losses[:, 0], rtol=1e-5, atol=1e-5)


def outcomes_match_the_accepted_ones(post, hypotheses):
    """On the same seeds, the outcomes of every case of a post do not differ significantly from the accepted ones (Holm)."""
    p_values = {}
    for case in accepted_numbers.of(post):
        p_values |= accepted_numbers.compare(case, accepted_numbers.train(case)[0]) if case.runs else {}
    assert len(p_values) == hypotheses
    assert two_sample.rejected(p_values, accepted_numbers.FAMILY_WISE) == []


def compared_with_the_authors(case, theirs, columns, with_success):
    """P-values of a case's accepted outcomes against the authors', {column: p}; of success, of the seeds trained anew.

    The accepted outcomes have too few quantiles to judge success as the authors' must be judged, which `with_success` does.
    """
    theirs = with_success(theirs)
    found = two_sample.compare(accepted_numbers.recorded_outcomes(case), theirs, columns, ('finite',))
    return found | two_sample.compare(with_success(accepted_numbers.train(case)[0]), theirs, (), ('success',))


def power_of_comparison(ours, theirs, shift, level):
    """Fraction of 200 pairs of normal samples of these sizes, one shifted by so many stds, that differ at a level."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        a = {'x': rng.normal(size=ours), 'finite': np.ones(ours)}
        b = {'x': rng.normal(size=theirs) + shift, 'finite': np.ones(theirs)}
        found.append(two_sample.compare(a, b, ['x'])['x'] < level)
    return np.mean(found)
