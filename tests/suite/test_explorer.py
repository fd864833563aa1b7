"""The explorer: its numbers, what is recorded for it, the page in a browser."""

import base64
import json
import pathlib
import re
import shutil

import numpy as np
import pytest
from helpers.paths import CHROMIUM
from helpers.post_checks import call, rows_of

from common.plotting import densities
from common.program import cli
from common.storage import checkpoints, files, networks
from reproductions import __main__ as suite
from reproductions import api, contract
from reproductions.aylien import __main__ as aylien_main
from reproductions.explorer import contents, page
from reproductions.mnist import __main__ as mnist_main
from reproductions.report import contents as report_contents
from reproductions.report import page as report_page

# Keeps the copy button's next label: the clipboard answers late, and the label lasts only 1.5 s.
KEEP_LABEL = """() => {
  const copy = document.getElementById('copy');
  new MutationObserver(() => { window.label ||= copy.textContent; }).observe(copy, {childList: true});
}"""
SHORT = ('--num_steps=40', '--pretrain_steps=0', '--log_every=5', '--runs=6', '--seed=30')


@pytest.fixture(scope='module')
def recorded(tmp_path_factory):
    """The directory of six seeds whose networks are kept at four moments."""
    directory = tmp_path_factory.mktemp('recorded')
    assert call(aylien_main, *SHORT, '--record_networks=4', f'--output_dir={directory}') == 0
    return directory


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


# --- In a browser -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def browser():
    """Chromium; the tests of the page's behavior need it."""
    playwright_api = pytest.importorskip('playwright.sync_api', reason="needs pip install '.[browser]'")
    if CHROMIUM is None:
        pytest.skip('needs Chromium or Chrome')
    with playwright_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox'])
        yield running
        running.close()


@pytest.fixture
def shown(browser, tmp_path):
    """Opens the page of some contents, as a file; fails on any message of the console."""
    messages, opened = [], []

    def show(found, width=1280):
        path = tmp_path / 'explore.html'
        page.write(path, found)
        opened.append(browser.new_page(viewport={'width': width, 'height': 900}))
        opened[-1].on('console', lambda message: messages.append(message.text))
        opened[-1].on('pageerror', lambda error: messages.append(str(error)))
        opened[-1].goto(path.as_uri())
        return opened[-1]

    yield show
    for each in opened:
        each.close()
    assert messages == []


def made_up(runs, moments=20):
    """The page of many seeds, of which every tenth has diverged."""
    rng = np.random.default_rng(0)
    outcome = rng.integers(1, 3, runs)
    outcome[::10] = 0
    columns = {name: np.where(outcome == 0, np.nan, rng.normal(4, 1, runs)).tolist() for name in ('mean', 'std', 'wasserstein')}
    points = densities.SEEN
    values, scales = contents.as_bytes(rng.random((moments * runs, 3, points)))
    values.reshape(moments, runs, 3, points)[:, ::10] = 255
    x = np.linspace(-8, 8, points).tolist()
    curves = {'steps': list(range(moments)), 'x': x, 'z': x, 'real': [0.1] * points, 'title': 'Densities'}
    curves |= {'values': contents.text_of(values), 'scales': contents.text_of(scales)}
    losses = rng.random((runs, 100))
    losses[::10] = np.nan
    return {
        'kind': 'training', 'title': f'made up: {runs} seeds', 'command': 'python -m reproductions.aylien',
        'seed': list(range(runs)), 'outcome': outcome.tolist(), 'columns': columns, 'axes': ('mean', 'std'), 'curves': curves,
        'history': {name: contents.history_of(np.arange(100), losses) for name in ('loss_d', 'loss_g')},
    }  # fmt: skip


@pytest.mark.statistical
def test_a_thousand_seeds_are_small_and_fast(shown, tmp_path):
    """Below 10 MB; a redraw takes less than a tenth of a second, the longest that feels immediate (Nielsen 1993)."""
    shown_page = shown(made_up(1000))
    assert (tmp_path / 'explore.html').stat().st_size < 10e6
    for _ in range(10):
        shown_page.keyboard.press('ArrowRight')
    times = shown_page.evaluate("performance.getEntriesByName('redraw').map(entry => entry.duration)")
    assert len(times) >= 11 and np.median(times) < 100


@pytest.mark.statistical
def test_hover_click_select_keys_and_slider(shown, recorded):
    found = contents.of(recorded)
    shown_page = shown(found)
    title = shown_page.locator('#seed-title')
    places = shown_page.evaluate('places')
    box = shown_page.locator('#scatter').bounding_box()

    def at(place):
        return box['x'] + place[0], box['y'] + place[1]

    shown_page.mouse.move(*at(places[3]))
    assert title.inner_text().startswith(f'Seed {30 + places[3][2]}: ')
    shown_page.mouse.click(*at(places[2]))
    shown_page.mouse.move(*at(places[4]))
    assert title.inner_text().startswith(f'Seed {30 + places[2][2]}: ')  # it was kept
    shown_page.keyboard.press('ArrowRight')
    assert title.inner_text().startswith(f'Seed {31 + places[2][2]}: ')
    command = shown_page.locator('#command').inner_text()
    assert command == f'{found["command"]} --seed={31 + places[2][2]}'
    shown_page.evaluate(KEEP_LABEL)
    shown_page.locator('#copy').click()
    assert shown_page.wait_for_function('window.label').json_value() == 'Copied'
    path = shown_page.locator('#curves path').last
    last = path.get_attribute('d')
    shown_page.locator('#moment').focus()
    shown_page.keyboard.press('Home')
    assert shown_page.locator('#step').inner_text() == 'iteration 0' and path.get_attribute('d') != last
    shown_page.mouse.move(box['x'] + 57, box['y'] + 1)
    shown_page.mouse.down()
    shown_page.mouse.move(box['x'] + box['width'] - 14, box['y'] + 395, steps=4)
    shown_page.mouse.up()
    assert shown_page.locator('#selection').inner_text().startswith('6 selected, ')
    shown_page.locator('#clear').click()
    assert shown_page.locator('#selection').inner_text() == ''
    shown_page.locator('#play').click()
    shown_page.wait_for_function("document.getElementById('step').textContent !== 'iteration 0'")
    assert shown_page.locator('#play').inner_text() == 'Pause'


@pytest.mark.statistical
def test_diverged_runs_are_shown(shown):
    shown_page = shown(made_up(30), width=390)
    assert 'not finite: 3' in shown_page.locator('#legend').inner_text()
    assert shown_page.locator('.strip').text_content() == 'not finite: 3'
    assert shown_page.locator('#seed-title').inner_text() == 'Seed 0: not finite'
    assert 'not finite at this moment' in shown_page.locator('#curves').inner_text()
    assert shown_page.evaluate('document.documentElement.scrollWidth') <= 390  # nothing sticks out on a phone
    everything = made_up(4)
    everything['outcome'], nothing = [0] * 4, [None] * 4
    everything['columns'] = dict.fromkeys(everything['columns'], nothing)
    assert shown(everything).locator('.strip').text_content() == 'not finite: 4'


@pytest.mark.statistical
def test_a_cell_of_a_sweep_shows_its_seeds(shown, tmp_path):
    words = ['--vary=learning_rate=0.01,0.03', '--vary=batch_size=4,6,8', '--runs=3', '--num_steps=20', '--pretrain_steps=0']
    assert cli.call(suite.main, ['reproductions', 'sweep', 'aylien', *words, f'--output_dir={tmp_path}/sweep']) == 0
    found = contents.of(pathlib.Path(tmp_path, 'sweep'))
    assert len(found['seed']) == 18 and found['cells'][4] == '--learning_rate=0.03 --batch_size=6'
    shown_page = shown(found)
    cell = shown_page.get_by_role('button', name='--learning_rate=0.03 --batch_size=6')
    cell.focus()
    shown_page.keyboard.press('Enter')
    assert shown_page.locator('#seeds-title').inner_text() == 'Seeds of --learning_rate=0.03 --batch_size=6'
    assert 'not converged: 3' in shown_page.locator('#legend').inner_text()
    assert len(shown_page.evaluate('places')) == 3
    words = json.loads((tmp_path / 'sweep/config.json').read_text(encoding='utf-8'))['flags']
    expected = ' '.join(['python -m reproductions.aylien', *words, '--learning_rate=0.03 --batch_size=6 --seed=42'])
    assert shown_page.locator('#command').inner_text() == expected
    assert shown_page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
        '--learning_rate=0.03 --batch_size=6'
    )
    shown_page.get_by_role(
        'checkbox', name='not converged'
    ).uncheck()  # of a cell none of whose seeds is drawn, the first is described
    shown_page.get_by_role('button', name='--learning_rate=0.01 --batch_size=8').press('Enter')
    assert shown_page.evaluate('places') == []
    assert '--learning_rate=0.01 --batch_size=8 --seed=42' in shown_page.locator('#command').inner_text()


@pytest.mark.statistical
def test_lines_stay_in_their_charts_and_a_single_record_is_a_dot(shown):
    found = made_up(6)
    losses = np.full((6, 100), np.nan)
    losses[:, 40] = 0.7
    found['history'] = {name: contents.history_of(np.arange(100), losses) for name in ('loss_d', 'loss_g')}
    shown_page = shown(found)
    shown_page.keyboard.press('ArrowRight')
    paths = shown_page.locator('#curves path[stroke-width], #losses path[stroke-width]').count()
    assert paths == shown_page.locator('g[clip-path] > path[stroke-width]').count() == 5
    assert shown_page.locator('#losses circle').count() == 2


@pytest.mark.statistical
def test_what_never_happened_is_not_called_not_finite(shown):
    found = made_up(10)
    found['columns']['convergence_step'] = [None] * 10
    shown_page = shown(found)
    shown_page.keyboard.press('ArrowRight')
    row = shown_page.locator('.pair').last
    assert row.inner_text().split('\n')[-1] == 'none'
    shown_page.locator('#x').select_option('convergence_step')
    assert shown_page.locator('.strip').text_content() == 'not finite: 1, none: 9'
    shown_page.locator('#scatter').press('ArrowLeft')
    assert row.inner_text().split('\n')[-1] == 'not finite'


@pytest.mark.statistical
def test_the_count_of_a_selection_is_of_what_is_shown(shown):
    shown_page = shown(made_up(40))
    box = shown_page.locator('#scatter').bounding_box()
    shown_page.mouse.move(box['x'] + 57, box['y'] + 1)
    shown_page.mouse.down()
    shown_page.mouse.move(box['x'] + box['width'] - 14, box['y'] + 395, steps=4)
    shown_page.mouse.up()
    selected, finite = shown_page.evaluate('[state.brushed.size, [...state.brushed].filter(i => data.outcome[i]).length]')
    assert finite == 36 and shown_page.locator('#selection').inner_text().startswith(f'{selected} selected, ') and selected > 36
    shown_page.get_by_role('checkbox', name='not finite').uncheck()
    assert shown_page.locator('#selection').inner_text().startswith('36 selected, ')
    assert shown_page.evaluate("getComputedStyle(document.querySelector('.overlay')).touchAction") != 'none'  # a swipe scrolls


@pytest.mark.statistical
def test_ticks_lie_where_the_dots_are(shown):
    """Diverged runs span many sizes in both directions; labels are so many pixels apart that they do not overlap."""
    found, rng = made_up(100), np.random.default_rng(1)
    found['columns']['mean'] = (10 ** rng.uniform(-1, 8, 100) * rng.choice([-1, 1], 100)).tolist()
    found['columns']['std'] = (10 ** rng.uniform(-4, 5, 100)).tolist()
    shown_page = shown(found)
    for axis, (name, apart) in enumerate({'x': 44, 'y': 22}.items()):
        nodes = f"groups.{name}.selectAll('.tick').nodes()"
        at = np.sort(shown_page.evaluate(f'{nodes}.map(n => n.transform.baseVal[0].matrix.{"ef"[axis]})'))
        dots = [place[axis] for place in shown_page.evaluate('places')]
        assert len(at) >= 5 and np.diff(at).min() >= apart and at.min() < np.median(dots) < at.max()
