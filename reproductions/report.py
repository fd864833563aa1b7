"""Runs every post over many seeds and writes one page of what came out: index.html, and its numbers in report.json.

  python -m reproductions report                        100 seeds a post, MNIST on a short schedule
  python -m reproductions report --runs=1000            the full one: many hours
  python -m reproductions report --only=aylien,jang     these posts

Two commands run side by side. Ctrl-C keeps what is done, and the same command goes on from there: a command that was finished
with the same flags and versions is not run again.
"""

import contextlib
import functools
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
from absl import flags
from tqdm import tqdm

from common import app, cli, locks, metrics, reference, results
from reproductions import aylien, aylien_claims, devnag, devnag_claims, jang, jang_claims, posts, report_page

FIRST = 1000  # seed of the ensembles
FEWEST, FULL = 100, 1000  # seeds: fewer are too few to judge a claim by; from so many on, MNIST takes its full schedule


class Job(NamedTuple):
    """One command of the report."""

    post: str
    name: str
    flags: tuple[str, ...]
    seconds: float  # on one core of the machine that the suite was measured on; only shares out the progress
    figures: dict[str, str]  # file -> caption

    @property
    def command(self):
        return ' '.join(['python -m', f'reproductions.{self.post}', *map(shlex.quote, self.flags)])

    @property
    def place(self):
        """Its directory below that of the report."""
        return pathlib.Path(self.post, self.name)


def make_jobs(runs, data):
    """Everything the report runs. Times are those of 100 seeds; claims and ensembles grow with them."""
    many, grows = (f'--runs={runs}', f'--seed={FIRST}'), runs / FEWEST
    measure, spread = ('--claims', *many), 'Where every seed ends, and its way there'
    digits = f'--data={data}'
    short = () if runs >= FULL else ('--runs=2', '--num_steps=1500', '--eval_every=250')
    gentle = ('--learning_rate=0.0002', '--beta1=0.5', '--num_steps=20000' if runs >= FULL else '--num_steps=3000')
    film = {'figure.png': 'One seed at the end of its training', 'animation.gif': 'Its training'}
    return [
        Job('jang', 'claims', measure, 830 * grows, {}),  # the longest first, so that no core is left with it at the end
        Job('multimodal', 'claims', measure, 550 * grows, {}),
        Job('devnag', 'claims', measure, 115 * grows, {}),
        Job('aylien', 'claims', measure, 80 * grows, {}),
        Job('mnist', 'claims', ('--claims', digits, '--animation', *short), 70 if short else 7000, {
            'figure.png': 'A hundred digits of one seed at the end',
            'progress.png': 'The same ten noises in the course of the training',
            'quality.png': 'What the evaluations found, a line a seed',
            'animation.gif': 'The training of one seed',
        }),
        Job('mnist', 'gentle', (digits, '--runs=1', '--eval_every=500', *gentle), 70 if short else 400, {
            'figure.png': 'The same networks trained more gently',
            'progress.png': 'The same ten noises in the course of that training',
        }),
        Job('devnag', 'many', many, 75 * grows, {
            'ensemble.png': spread, 'runs.png': 'The last batch of each of the first ten seeds',
        }),
        Job('devnag', 'one', ('--animation',), 25, film),
        Job('jang', 'many', many, 40 * grows, {'ensemble.png': spread}),
        Job('jang', 'one', ('--animation',), 30, film | {'losses.png': 'Both objectives of that seed'}),
        *(
            Job('multimodal', f'modes{modes}', (f'--modes={modes}', *many), 20 * grows, {
                'ensemble.png': spread, 'convergence.png': 'When seeds come near the data, and stay',
            })
            for modes in (1, 2, 3)
        ),
        Job('multimodal', 'one', ('--modes=3', '--animation'), 25, film),
        Job('aylien', 'plain', many, 12 * grows, {'ensemble.png': f'{spread}, without minibatch discrimination'}),
        Job('aylien', 'minibatch', ('--minibatch', *many), 15 * grows, {
            'ensemble.png': f'{spread}, with minibatch discrimination',
        }),
        Job('aylien', 'one', ('--seed=708', '--animation'), 20, {  # of 0..999, the closest to the data at step 750
            'figure.png': 'A seed that takes the course of the post, at its end', 'animation.gif': 'Its training',
        }),
    ]  # fmt: skip


# --- Running ------------------------------------------------------------------------------------------------------------------


versions = functools.cache(results.versions)  # they are asked for before and after every command


def record_of(job):
    """What must be the same for a finished job not to be run again."""
    return {'command': job.command, 'versions': versions()}


def is_done(job, directory):
    """Whether the job was finished here, as it would be run now."""
    try:
        done = json.loads((directory / 'done.json').read_text())
    except (OSError, ValueError):
        return False
    return {name: done.get(name) for name in ('command', 'versions')} == record_of(job)


def start(job, directory, processes=1):
    """The job's process, in a session of its own, so that Ctrl-C reaches it only through `stop`. Its words go to log.txt.

    `processes` that run side by side have their share of the cores each as threads: two on 2 cores do 1.3 times as much in a
    second with one thread each as with two.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / 'done.json').unlink(missing_ok=True)
    begun = directory / 'begun.json'
    same = begun.exists() and begun.read_text() == json.dumps(record_of(job))
    going_on = ['--resume'] if same and (directory / 'checkpoint').is_dir() and '--claims' not in job.flags else []
    results.write_text(begun, json.dumps(record_of(job)))
    command = [sys.executable, '-m', f'reproductions.{job.post}', *job.flags, f'--output_dir={directory}', *going_on]
    threads = str(max(1, (os.cpu_count() or 1) // processes))
    environment = {'TF_NUM_INTRAOP_THREADS': threads, 'TF_NUM_INTEROP_THREADS': threads} | os.environ
    with open(directory / 'log.txt', 'w') as log:
        return subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
        )


def stop(processes):
    """Asks the processes to save and end; waits for them, and kills them after a minute."""
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()


def finish(job, directory, process, seconds):
    """Notes how the job ended: None, or the reason of its failure in one line."""
    if process.returncode == 0:
        results.write_json(directory / 'done.json', record_of(job) | {'seconds': round(seconds, 1)})
        return None
    (directory / 'begun.json').unlink(missing_ok=True)  # the next time it begins anew
    lines = (directory / 'log.txt').read_text().splitlines() or ['no output']
    return f'status {process.returncode}: {lines[-1]}'


def overall_progress(jobs):
    """A bar over all commands with the time left, on a terminal; its unit is the seconds that they are expected to take."""
    form = '{desc}: {percentage:3.0f}%|{bar}| {elapsed} gone, about {remaining} left'
    return tqdm(total=sum(job.seconds for job in jobs), desc='report', bar_format=form, smoothing=0, leave=False, disable=None)


def run_jobs(jobs, directory, processes):
    """Runs the jobs that are not done, so many at a time: {(post, name): reason} of those that failed.

    Ctrl-C and SIGTERM end the running ones, which then count as not done, and raise KeyboardInterrupt.
    """
    pending = [job for job in jobs if not is_done(job, directory / job.place)]
    running, failed, ended = [], {}, 0
    if len(pending) < len(jobs):
        print(f'{len(jobs) - len(pending)} of {len(jobs)} commands are done already')
    with app.stop_signals() as received, overall_progress(pending) as bar:
        while pending or running:
            while pending and len(running) < processes:
                job = pending.pop(0)
                running.append((job, start(job, directory / job.place, processes), time.monotonic()))
            time.sleep(0.2)
            if received:
                stop([process for _, process, _ in running])
                raise KeyboardInterrupt
            for job, process, began in [part for part in running if part[1].poll() is not None]:
                seconds = time.monotonic() - began
                reason = finish(job, directory / job.place, process, seconds)
                if reason:
                    failed[job.post, job.name] = reason
                ended += job.seconds
                bar.write(f'{job.post} {job.name}: {reason or f"done in {seconds:,.0f} s"}')
                sys.stdout.flush()  # for who follows a file
            running = [part for part in running if part[1].returncode is None]
            under_way = sum(min(time.monotonic() - began, 0.95 * job.seconds) for job, _, began in running)
            bar.update(ended + under_way - bar.n)
    return failed


# --- What came out ------------------------------------------------------------------------------------------------------------


BY_QUANTILES = 'success by quantiles'  # all that is known of the authors' runs


def describe(values):
    """Median and quartiles over the finite ones of [n] values: {'median', 'low', 'high', 'n'}; None where there is none."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {'median': float(middle), 'low': float(low), 'high': float(high), 'n': int(values.size)}


def rate(values):
    """Share of [n] ones: {'share', 'n'}."""
    return {'share': float(np.mean(values)), 'n': len(values)}


def compared(setting, ours, theirs, columns, targets, stated):
    """Rows of a table of ours beside the authors' program and the post.

    Args:
      setting: what was run, in words.
      ours: {column: [runs]} of results.csv.
      theirs: {column: [runs]} of the authors' program, or None; both then have `BY_QUANTILES` too.
      columns: names that both have, which a Kolmogorov-Smirnov test compares; the rates by Fisher's.
      targets: {column: number}, what a perfect generator gives; its columns are shown.
      stated: {column: text}, what the post says.
    """
    p_values = reference.compare(ours, theirs, columns, ('finite', BY_QUANTILES)) if theirs else {}
    kept = {'ours': ours} | ({'authors': theirs} if theirs else {})
    rows = []
    rates = [name for name in ('finite', 'success', BY_QUANTILES, 'collapsed') if name in ours]
    for name in (*rates, *targets):
        summary = rate if name in rates else describe
        found = {who: summary(table[name]) if name in table else None for who, table in kept.items()}
        row = {'setting': setting, 'quantity': name, 'authors': None, **found, 'p': p_values.get(name)}
        rows.append(row | {'target': targets.get(name), 'stated': stated.get(name)})
    return rows


def comparison(post, directory):
    """The rows of `compared` for a post's ensembles in `directory`; those that failed are left out."""

    def table(name):
        path = directory / name / 'results.csv'
        return results.read_csv(path) if path.exists() else None

    def judged(outcomes, truth, bound):
        success = (outcomes['finite'] == 1) & (metrics.quantile_distance(outcomes, truth) < bound)
        return outcomes | {BY_QUANTILES: success.astype(int)}

    if post == 'aylien':
        settings = aylien.make_settings()
        rule = aylien.truth(settings), aylien.success_bound(settings)
        targets = {'mean': 4.0, 'std': 0.5, 'd_mean': None}
        cases = [
            (name, rule, aylien_claims.original('2016-08', name), aylien_claims.COMPARED, targets, {'mean': 'at 4'})
            for name in ('plain', 'minibatch')
        ]
    elif post == 'jang':
        targets = {'mean': -1.0, 'std': 1.0, 'd_mean': 0.5, 'loss_d': 2 * np.log(2), 'loss_g': np.log(2), 'pretrain_mse': 0.0}
        stated = {'loss_d': '1.386', 'loss_g': '0.693', 'd_mean': '0.5', 'pretrain_mse': 'about 0.01'}
        rule = jang.TRUTH, jang.SUCCESS_BOUND
        cases = [('many', rule, jang_claims.original(), jang_claims.COMPARED, targets, stated)]
    elif post == 'devnag':
        targets, stated = {'mean': 4.0, 'std': 1.25, 'skewness': 0.0, 'kurtosis': 0.0}, {'success': '8 of 10'}
        settings = devnag.make_settings()
        rule = devnag.truth(settings), devnag.success_bound(settings)
        cases = [('many', rule, devnag_claims.original(), devnag_claims.COMPARED, targets, stated)]
    elif post == 'multimodal':
        targets = {'convergence_step': None, 'modes_covered': None, 'wasserstein': 0.0, 'peak_height': 1.0}
        steps = {1: '20 to 30', 2: '20 to 30', 3: '300'}
        cases = [
            (f'modes{modes}', None, None, (), targets | {'modes_covered': float(modes)}, {'convergence_step': step})
            for modes, step in steps.items()
        ]
    else:
        path = directory / 'claims' / 'references.json'
        real = json.loads(path.read_text()) if path.exists() else {'test': {}, 'training': {}}
        targets = {name: real['test'].get(name) for name in ('classes_covered', 'largest_share', 'score')}
        targets |= {'frechet': real['training'].get('frechet'), 'd_real': 0.5, 'd_fake': 0.5}
        cases = [(name, None, None, (), targets, {'d_real': '0.5', 'd_fake': '0.5'}) for name in ('claims', 'gentle')]
    words = {'many': '', 'claims': "the post's training", 'gentle': 'more gently'}
    rows = []
    for name, rule, theirs, *rest in cases:
        ours = table(name)
        if ours is not None:
            if theirs:
                ours, theirs = judged(ours, *rule), judged(theirs, *rule)
            rows += compared(words.get(name, name), ours, theirs, *rest)
    return rows


def collect(chosen, jobs, directory, failed):
    """Everything that the page says: what goes into report.json."""
    recorded = posts.recorded_claims()
    found = []
    for post in chosen:
        path = directory / post / 'claims' / 'claims.json'
        accepted = {claim['claim']: claim for claim in recorded[post]}
        measured = json.loads(path.read_text()) if path.exists() and (post, 'claims') not in failed else []
        own = [job for job in jobs if job.post == post]
        found.append(
            posts.page_parts(post)
            | {
                'post': post,
                'claims': [claim | {'recorded': summary_of(accepted[claim['claim']])} for claim in measured],
                'comparison': comparison(post, directory / post),
                'jobs': [
                    {
                        'name': job.name,
                        'command': job.command,
                        'failed': failed.get((post, job.name)),
                        'figures': [
                            {'file': str(job.place / file), 'caption': caption}
                            for file, caption in job.figures.items()
                            if (directory / job.place / file).exists()
                        ],
                    }
                    for job in own
                ],
            }
        )
    return {'versions': versions(), 'posts': found}


def summary_of(claim):
    """The verdict of an accepted claim, and over how many runs its first number was measured."""
    return {'verdict': claim['verdict'], 'n': next(iter(claim['measured'].values()))['n']}


# --- Command line -------------------------------------------------------------------------------------------------------------


def define_flags():
    """The command line of the report."""
    opts = flags.FlagValues()
    flags.DEFINE_integer(
        'runs', FEWEST, f'Seeds of each ensemble; from {FULL:,} on MNIST, too, takes its full schedule.', lower_bound=FEWEST,
        upper_bound=app.MOST_CLAIM_RUNS, flag_values=opts,
    )  # fmt: skip
    flags.DEFINE_list('only', None, f'Only these of the posts {", ".join(posts.NAMES)}.', flag_values=opts)
    flags.DEFINE_string('output_dir', 'output/report', 'Where the page and the files of every command go.', flag_values=opts)
    flags.DEFINE_string('data', 'auto', 'Digits of MNIST, as for the post.', flag_values=opts)
    flags.DEFINE_integer(
        'processes', min(os.cpu_count() or 1, 4), 'Commands that run side by side.', lower_bound=1, flag_values=opts
    )
    return opts


def main(argv):
    """Writes the report; returns the exit status: 1 if a command failed."""
    opts = define_flags()
    cli.parse(opts, argv, __doc__)
    only = opts.only or posts.NAMES
    for name in only:
        if name not in posts.NAMES:
            raise cli.UserError(f'--only={name} is no post; posts are {", ".join(posts.NAMES)}')
    chosen = [name for name in posts.NAMES if name in only]
    directory = pathlib.Path(opts.output_dir).absolute()
    try:
        results.prepare_directory(directory)
        locks.take(directory)
    except locks.Taken as error:
        raise cli.UserError(
            f'--output_dir={opts.output_dir} is in use by another report; wait for its end or name another'
        ) from error
    except OSError as error:
        raise cli.UserError(f'--output_dir={opts.output_dir} cannot be written to ({error.strerror}); name another') from error
    jobs = [job for job in make_jobs(opts.runs, opts.data) if job.post in chosen]
    try:
        failed = run_jobs(jobs, directory, opts.processes)
    except KeyboardInterrupt:
        print('finished commands are kept; run the same again to go on', file=sys.stderr)
        raise
    report = collect(chosen, jobs, directory, failed) | {'runs': opts.runs}
    results.write_json(directory / 'report.json', report)
    report_page.write(directory, report)
    print(f'{directory / "index.html"}')
    return 1 if failed else 0
