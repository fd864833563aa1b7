"""The explorer's page in a browser."""

import json
import pathlib

import numpy as np
import pytest
from helpers.paths import CHROMIUM

from common.plotting import densities
from common.program import cli
from reproductions import __main__ as suite
from reproductions.explorer import contents, page

# Keeps the copy button's next label: the clipboard answers late, and the label lasts only 1.5 s.
KEEP_LABEL = """() => {
  const copy = document.getElementById('copy');
  new MutationObserver(() => { window.label ||= copy.textContent; }).observe(copy, {childList: true});
}"""


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
