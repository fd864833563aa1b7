"""The explorer: its numbers, and what is recorded for it."""

import base64
import re
import shutil

import numpy as np
import pytest
from helpers.post_checks import call, rows_of

from common.plotting import densities
from common.program import cli
from common.storage import checkpoints, files, networks
from reproductions import __main__ as suite
from reproductions import api, contract
from reproductions.aylien import __main__ as aylien_main
from reproductions.explorer import contents
from reproductions.mnist import __main__ as mnist_main
from reproductions.report import contents as report_contents
from reproductions.report import page as report_page

SHORT = ('--num_steps=40', '--pretrain_steps=0', '--log_every=5', '--runs=6', '--seed=30')  # of the fixture `recorded`


def explore(*words):
    return cli.call(suite.main, ['reproductions', 'explore', *map(str, words)])


def decoded(found):
    """Curves as [moments, runs, 3, points]."""
    curves = found['curves']
    runs, points = len(found['seed']), len(curves['x'])
    values = np.frombuffer(base64.b64decode(curves['values']), np.uint8).reshape(-1, runs, 3, points)
    scales = np.frombuffer(base64.b64decode(curves['scales']), '<f4').reshape(-1, runs, 3, 2)
    low, high = scales[..., :1], scales[..., 1:]
    return np.where(values == 255, np.nan, low + (high - low) * values / 254)


# --- What is recorded ---------------------------------------------------------------------------------------------------------


def test_recording_changes_nothing_else_and_ends_with_the_networks_of_the_checkpoint(recorded, tmp_path):
    assert call(aylien_main, *SHORT, f'--output_dir={tmp_path}') == 0
    assert rows_of(tmp_path) == rows_of(recorded)
    plain, more = (files.read_npz(path / 'history.npz') for path in (tmp_path, recorded))
    assert {name: values.tolist() for name, values in plain.items()} == {name: more[name].tolist() for name in plain}
    assert more['networks/step'].tolist() == [0, 15, 25, 39]  # records 0, 2.67, 5.33 and 8 of 0, 5, ..., 35, 39
    _, state = checkpoints.newest(recorded)
    for name in 'dg':
        last = networks.found(f'networks/{name}', more, (..., -1))
        final = networks.found(f'state/train_state/{name}', state)
        assert len(last) == len(final) > 1
        for mine, theirs in zip(last, final, strict=True):
            np.testing.assert_array_equal(mine.w, theirs.w)
            np.testing.assert_array_equal(mine.b, theirs.b)


def test_a_resumed_run_keeps_what_was_recorded(recorded, tmp_path):
    shutil.copytree(recorded, tmp_path / 'again')
    assert call(aylien_main, *SHORT, '--record_networks=4', '--resume', f'--output_dir={tmp_path}/again') == 0
    before, after = (files.read_npz(path / 'history.npz') for path in (recorded, tmp_path / 'again'))
    assert {name: values.tolist() for name, values in before.items()} == {n: values.tolist() for n, values in after.items()}
    assert call(aylien_main, *SHORT, '--record_networks=5', '--resume', f'--output_dir={tmp_path}/again') == 2


def test_what_cannot_be_recorded(tmp_path, capsys, monkeypatch):
    assert call(aylien_main, '--num_steps=3', '--pretrain_steps=0', '--record_networks=50', f'--output_dir={tmp_path}/few') == 0
    assert 'note: --record_networks=50 keeps 2: there are no more records; see --log_every' in capsys.readouterr().err
    assert call(mnist_main, '--record_networks=3') == 2
    assert 'error: --record_networks=3 is for the small networks' in capsys.readouterr().err
    monkeypatch.setattr('common.program.checks.machine_memory', lambda: 2**30)
    assert call(aylien_main, '--runs=10000', '--record_networks=100') == 2
    assert 'would take 1 GiB of memory or more' in capsys.readouterr().err


# --- What the page holds ------------------------------------------------------------------------------------------------------


def test_curves_of_every_moment(recorded):
    found = contents.of(recorded)
    values, result = decoded(found), api.Result(recorded)
    assert values.shape == (4, 6, 3, densities.SEEN) and found['curves']['steps'] == [0, 15, 25, 39]
    mapped, x = values[-1, :, 2], np.array(found['curves']['x'])
    for row in range(6):
        low, high = np.quantile(mapped[row], [0, 1])
        assert abs(mapped[row].mean() - result.table['mean'][row]) < 0.01 * (high - low)  # G over the evenly spaced noise
        inside = (np.abs(mapped[row]) < 8).mean()  # two of these points may be just across an end of the axis
        assert values[-1, row, 1].sum() * (x[1] - x[0]) == pytest.approx(inside, abs=2 / densities.SEEN)
    assert (values[:, :, 0] >= 0).all() and (values[:, :, 0] <= 1).all()
    assert found['command'].endswith('reproductions.aylien --pretrain_steps=0 --num_steps=40')
    assert found['columns']['mean'] == pytest.approx(result.table['mean'].tolist(), rel=1e-4)


def test_histograms_are_densities():
    x = np.linspace(-3.5, 3.5, 8)
    samples = np.array([[0.1, 0.9, 2.5, 100.0], [np.nan, 0, 0, 0]])
    found = densities.histograms(samples, x)
    assert found[0].tolist() == [0, 0, 0, 0, 0.5, 0, 0.25, 0] and np.isnan(found[1]).all()


def test_numbers_as_bytes():
    curves = np.array([[1.0, 2.0, np.nan, 3.0], [np.nan] * 4, [5.0] * 4])
    values, scales = contents.as_bytes(curves)
    assert values.tolist() == [[0, 127, 255, 254], [255] * 4, [0] * 4]
    assert scales.tolist() == [[1, 3], [0, 0], [5, 5]]


@pytest.mark.statistical
@pytest.mark.parametrize('post', [post for post in contract.NAMES if post != 'mnist'])
def test_every_post_with_a_spectral_norm_and_an_average(post, tmp_path):
    """Without --record_networks, the networks at the end are shown."""
    main, comparison = contract.part(post, '__main__'), contract.part(post, 'comparison')
    words = [*comparison.short(tmp_path), '--runs=3', '--spectral_norm', '--average=0.5', f'--output_dir={tmp_path}/out']
    assert call(main, *words) == 0
    found = contents.of(tmp_path / 'out')
    values, table = decoded(found), api.Result(tmp_path / 'out').table
    assert values.shape == (1, 3, 3, densities.SEEN) and np.isfinite(values).all()
    spread = np.ptp(values[0, :, 2], axis=1)
    np.testing.assert_allclose(values[0, :, 2].mean(axis=1), table['mean'], atol=0.02 * spread.max())


@pytest.mark.statistical
def test_digits_are_pictures(tmp_path):
    words = contract.part('mnist', 'comparison').short(tmp_path)
    assert call(mnist_main, *words, '--runs=2', f'--output_dir={tmp_path}/out') == 0
    found = contents.of(tmp_path / 'out')
    assert re.search(r'reproductions.mnist .*--data=\S+few.npz', found['command'])
    assert len(found['pictures']) == 2 and found['pictures'][0] != found['pictures'][1]
    assert found['axes'] == ('frechet', 'classes_covered') and 'curves' not in found


# --- The command --------------------------------------------------------------------------------------------------------------


def test_the_page_is_one_file(recorded, tmp_path, capsys):
    assert explore(recorded, f'--page={tmp_path}/talk.html') == 0
    assert capsys.readouterr().out == f'{tmp_path}/talk.html\n'
    text = (tmp_path / 'talk.html').read_text(encoding='utf-8')
    assert re.findall(r'(?:src|href)="([^"]*)"', text.replace(d3_of(text), '')) == ['data:,', 'https://d3js.org']
    assert 'Permission to use, copy, modify' in text and 'import(' not in text
    assert explore(recorded, '--page', f'{tmp_path}/after.html') == explore('--page', f'{tmp_path}/before.html', recorded) == 0
    assert {(tmp_path / f'{name}.html').read_text(encoding='utf-8') for name in ('after', 'before')} == {text}


def d3_of(text):
    """The part of the page that is D3, whose own code names addresses."""
    return text[text.index('<script>/* D3') : text.index("<script>'use strict'")]


def test_without_networks_there_is_one_line(recorded, tmp_path, capsys):
    shutil.copytree(recorded, tmp_path / 'lost', ignore=shutil.ignore_patterns('checkpoint', 'files.json'))
    arrays = files.read_npz(recorded / 'history.npz')
    plain = {name: values for name, values in arrays.items() if not name.startswith('networks/')}
    files.write_npz(tmp_path / 'lost/history.npz', plain)
    assert explore(tmp_path / 'lost') == 2
    error = capsys.readouterr().err
    assert error == f'error: explore: {tmp_path}/lost/checkpoint has no intact checkpoint; train or sweep first\n'


@pytest.mark.parametrize(
    ('words', 'line'),
    [
        (['nowhere'], 'explore: nowhere is not the directory of a finished training'),
        (['one', 'two'], "'two' is not a flag; a flag begins with -- and takes its value after ="),
        (['one', '--pages=x'], "Unknown command line flag 'pages'"),
        (['--page=x'], 'explore: name the directory of a finished training or sweep, such as output/aylien'),
    ],
)
def test_wrong_input_is_one_line(words, line, capsys):
    assert explore(*words) == 2
    error = capsys.readouterr().err
    assert error.startswith(f'error: {line}') and error.count('\n') == 1


def test_the_report_has_one_for_each_ensemble(recorded, tmp_path):
    jobs = [contract.Job('aylien', name, (), 1.0, {}) for name in ('many', 'one', 'claims')]
    shutil.copytree(recorded, tmp_path / 'aylien/many')
    shutil.copytree(recorded, tmp_path / 'aylien/one', ignore=shutil.ignore_patterns('files.json'))
    rows = (recorded / 'results.csv').read_text(encoding='utf-8').splitlines()
    (tmp_path / 'aylien/one/results.csv').write_text('\n'.join(rows[:2]) + '\n', encoding='utf-8')
    report_contents.write_explorers(jobs, tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob('explore.html')] == ['aylien/many/explore.html']
    found = report_contents.collect(['aylien'], jobs, tmp_path, {}) | {'runs': 6}
    assert [job['explore'] for job in found['posts'][0]['jobs']] == ['aylien/many/explore.html', None, None]
    assert '<a href="aylien/many/explore.html">Look at each seed</a>' in report_page.render(tmp_path, found)
