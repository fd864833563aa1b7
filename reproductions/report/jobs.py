"""The commands of the report: which they are, and running those that are not done."""

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

from tqdm import tqdm

from common.program import progress
from common.storage import checkpoints, files, versions

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


versions_used = functools.cache(versions.versions)  # they are asked for before and after every command


def record_of(job):
    """What must be the same for a finished job not to be run again."""
    return {'command': job.command, 'versions': versions_used()}


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
    going_on = ['--resume'] if same and checkpoints.exists(directory) and '--claims' not in job.flags else []
    files.write_text(begun, json.dumps(record_of(job)))
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
        files.write_json(directory / 'done.json', record_of(job) | {'seconds': round(seconds, 1)})
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
    with progress.stop_signals() as received, overall_progress(pending) as bar:
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
