"""The report: commands are run once, failures and interruptions are reported, and the page shows what is in report.json."""

import html.parser
import json
import re
import signal
import subprocess
import threading
import time

import numpy as np
import pytest
from helpers.paths import CHROMIUM
from PIL import Image

from common.program import cli
from common.storage import checkpoints, files
from reproductions import __main__, contract, overview
from reproductions.report import contents
from reproductions.report import jobs as report_jobs
from reproductions.report import page as report_page

QUANTILES = ('q01', 'q05', 'q25', 'q50', 'q75', 'q95', 'q99')
SHORT = ('--num_steps=30', '--pretrain_steps=10')


class Page(html.parser.HTMLParser):
    """What the tests check on a page: ids, links, sources of pictures, and the text inside each element that has an id."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.sources, self.text = [], [], [], {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.handle_data(' ')
        if 'id' in attributes:
            self.ids.append(attributes['id'])
            self.text[self.ids[-1]] = ''
        if tag == 'a':
            self.links.append(attributes['href'])
        if 'src' in attributes:
            self.sources.append(attributes['src'])

    def handle_data(self, data):
        if self.ids:
            self.text[self.ids[-1]] += data


@pytest.fixture
def made_up(tmp_path):
    """A report as `collect` returns it, from made-up outcomes: (directory, report)."""
    rng = np.random.default_rng(0)
    for post in contract.NAMES:
        directory = tmp_path / post / 'claims'
        directory.mkdir(parents=True)
        files.write_json(directory / 'claims.json', overview.recorded_claims()[post])
    for name in ('plain', 'minibatch'):
        columns = {'finite': (rng.random(120) < 0.8).astype(int), 'success': np.zeros(120, int)}
        columns |= {name: rng.normal(4, 2, 120) for name in ('mean', 'std', *QUANTILES, 'd_mean')}
        (tmp_path / 'aylien' / name).mkdir()
        files.write_csv(tmp_path / 'aylien' / name / 'results.csv', columns)
    jobs = report_jobs.make_jobs(100, 'auto')
    for i, path in enumerate(tmp_path / job.place / file for job in jobs for file in job.figures):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (600 + i, 300)).save(path)
    found = contents.collect(contract.NAMES, jobs, tmp_path, {('jang', 'one'): 'status 2: error: <no>'})
    return tmp_path, found | {'runs': 100}


def test_page_is_self_contained_and_holds_every_number_and_figure(made_up):
    directory, found = made_up
    report_page.write(directory, found)
    text = (directory / 'index.html').read_text(encoding='utf-8')
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix('#') for link in page.links} <= set(page.ids) and all(link[0] == '#' for link in page.links)
    assert not re.search(r'(src|href)="(?!#|data:)|@import|url\(', text)
    figures = [figure for post in found['posts'] for job in post['jobs'] for figure in job['figures']]
    pictures = [directory / figure['file'] for figure in figures]
    assert len(pictures) == 30 and sorted(page.sources) == sorted(report_page.data_uri(file) for file in pictures)
    claims = [claim for post in found['posts'] for claim in post['claims']]
    assert len(claims) == 27
    for claim in claims:
        block = ' '.join(page.text[claim['claim']].split())
        assert claim['verdict'] in block and claim['reason'] in block
        for name, estimate in claim['measured'].items():
            shown = f'{report_page.estimate(estimate)}, n = {estimate["n"]:,}'
            assert f'{name} {shown}' in block
    assert 'Failed: python -m reproductions.jang --animation, status 2: error: <no>' in ' '.join(page.text['jang'].split())


def test_numbers_are_shown_to_three_digits():
    assert [report_page.number(value) for value in (None, 0.12345, -3.14159, 1234.5, 0.0, 2e7)] == [
        'none', '0.123', '-3.14', '1,234', '0', '2e+07',
    ]  # fmt: skip
    assert report_page.estimate({'value': 0.5, 'low': 0.25, 'high': 0.75}) == '0.5 [0.25, 0.75]'
    assert report_page.summary({'share': 0.125, 'n': 8}) == '12.5%'
    assert report_page.summary(contents.describe([1, 2, 3, np.nan])) == '2 (1.5 to 2.5)'
    assert contents.describe([np.nan]) is None


def test_comparison_is_with_the_authors_outcomes(made_up):
    """Fractions and medians equal plain arithmetic, and p is small where our outcomes are made up."""
    rows = {(row['setting'], row['quantity']): row for row in made_up[1]['posts'][0]['comparison']}
    ours = files.read_csv(made_up[0] / 'aylien' / 'plain' / 'results.csv')
    assert rows['plain', 'finite']['ours'] == {'share': ours['finite'].mean(), 'n': 120}
    assert rows['plain', 'finite']['authors'] == {'share': 1.0, 'n': 150}
    assert rows['plain', 'mean']['ours']['median'] == np.median(ours['mean'])
    assert rows['plain', 'mean']['p'] < 1e-6 and rows['plain', 'success']['p'] is None
    assert rows['plain', contents.BY_QUANTILES]['authors']['share'] == 13 / 150  # as in claim A5


def test_every_post_has_a_page_and_recorded_claims():
    assert list(overview.recorded_claims()) == list(contract.NAMES)
    for name in contract.NAMES:
        parts = overview.page_parts(name)
        assert parts['departures'].startswith('1. ') and len(parts['paragraph']) > 200 and '](' not in parts['paragraph']


def test_list_names_posts_variants_and_verdicts(capsys):
    assert cli.call(__main__.main, ['reproductions', 'list']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(contract.NAMES)
    assert '2016-08, 2016-12, 2017-06' in lines[1] and '3 reproduced, 2 partly' in lines[1]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nope'], "'nope' is not a command"),
        (['list', '--all'], 'list takes no arguments'),
        (['report', '--only=aylien,nope'], '--only=nope is not a post'),
        (['report', '--runs=99'], '--runs=99'),
        (['report', '--output_dir=/dev/null/x'], '--output_dir=/dev/null/x cannot be written to'),
        (['report', 'aylien'], "'aylien' is not a flag"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, message, capsys):
    assert cli.call(__main__.main, ['reproductions', *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith('error: ') and error.count('\n') == 1 and message in error


def tiny_jobs(*flags):
    return lambda runs, data: [
        report_jobs.Job('aylien', f'job{i}', extra, 5, {'figure.png': 'x'}) for i, extra in enumerate(flags)
    ]


@pytest.mark.statistical
def test_finished_commands_are_not_run_again_and_failures_are_reported(tmp_path, monkeypatch, capsys):
    command = ['reproductions', 'report', '--only=aylien', f'--output_dir={tmp_path}', '--processes=2']
    monkeypatch.setattr(report_jobs, 'make_jobs', tiny_jobs(SHORT, ('--learning_rate=-1',)))
    assert cli.call(__main__.main, command) == 1
    assert 'Failed: python -m reproductions.aylien --learning_rate=-1' in re.sub(
        '<.*?>', '', (tmp_path / 'index.html').read_text(encoding='utf-8')
    )
    written = (tmp_path / 'aylien' / 'job0' / 'done.json').stat().st_mtime_ns
    monkeypatch.setattr(report_jobs, 'make_jobs', tiny_jobs(SHORT, (*SHORT, '--seed=1')))
    assert cli.call(__main__.main, command) == 0
    assert '1 of 2 commands are done already' in capsys.readouterr().out
    assert (tmp_path / 'aylien' / 'job0' / 'done.json').stat().st_mtime_ns == written
    monkeypatch.setattr(report_jobs, 'make_jobs', tiny_jobs((*SHORT, '--seed=2'), (*SHORT, '--seed=1')))  # other settings
    assert cli.call(__main__.main, command) == 0
    assert (tmp_path / 'aylien' / 'job0' / 'done.json').stat().st_mtime_ns > written
    assert json.loads((tmp_path / 'report.json').read_text(encoding='utf-8'))['posts'][0]['jobs'][0]['failed'] is None


@pytest.mark.statistical
def test_ctrl_c_keeps_what_is_done_and_the_same_command_resumes(tmp_path, monkeypatch, capsys):
    command = ['reproductions', 'report', '--only=aylien', f'--output_dir={tmp_path}', '--processes=1']
    endless = ('--num_steps=2000000000', '--log_every=100000', '--checkpoint_every=1')
    monkeypatch.setattr(report_jobs, 'make_jobs', tiny_jobs(SHORT, endless))
    second = tmp_path / 'aylien' / 'job1'

    def interrupt_when_it_trains():
        timer = threading.Event()
        while not list(second.glob('checkpoint/state-*.npz')):
            timer.wait(0.1)
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt_when_it_trains)
    thread.start()
    assert cli.call(__main__.main, command) == 130
    thread.join()
    assert 'run the same command again to resume' in capsys.readouterr().err
    assert not (tmp_path / 'index.html').exists() and (tmp_path / 'aylien' / 'job0' / 'done.json').exists()
    assert (second / 'results.csv').exists() and not (second / 'done.json').exists()  # it was saved before the end
    before = checkpoints.paths(second)[-1]
    process = report_jobs.start(report_jobs.make_jobs(0, '')[1], second)
    assert process.args[-1] == '--resume'
    while checkpoints.paths(second)[-1] == before and process.poll() is None:
        time.sleep(0.1)
    report_jobs.stop([process])
    assert process.returncode == 130


@pytest.mark.skipif(CHROMIUM is None, reason='Chromium is not on the path')
@pytest.mark.parametrize('width', [390, 1200])
def test_in_a_browser_nothing_overflows_and_every_picture_is_shown(made_up, width, tmp_path_factory):
    directory, found = made_up
    measure = (
        '<script>window.onload = () => { document.title = [document.documentElement.scrollWidth, innerWidth, '
        '[...document.images].filter(i => i.naturalWidth >= 600).length].join(" "); }</script>'
    )
    page = report_page.render(directory, found).replace(' loading="lazy"', '') + measure
    (directory / 'index.html').write_text(page, encoding='utf-8')
    options = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
               '--disable-component-update', '--disable-sync', f'--user-data-dir={tmp_path_factory.mktemp("p")}']  # fmt: skip
    command = [CHROMIUM, *options, f'--window-size={width},900', '--virtual-time-budget=5000', '--dump-dom']
    command.append(f'file://{directory / "index.html"}')
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    scroll_width, inner_width, pictures = map(int, re.search('<title>(.*?)</title>', dom)[1].split())
    assert scroll_width <= inner_width and pictures == 30
