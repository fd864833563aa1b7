"""The commands of the report: which they are, and running those that are not done."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time

from tqdm import tqdm

from common.program import progress
from common.storage import checkpoints, files, versions
from reproductions import posts


def make_jobs(runs, data):
    """Everything the report runs, post by post."""
    return [job for name in posts.NAMES for job in posts.part(name, 'comparison').jobs(runs, data)]


# --- Running ------------------------------------------------------------------------------------------------------------------


versions_used = functools.cache(versions.versions)  # they are asked for before and after every command


def record_of(job):
    """What must be the same for a finished job not to be run again."""
    return {'command': job.command, 'versions': versions_used()}


def is_done(job, directory):
    """Whether the job was finished here, as it would be run now."""
    try:
        done = json.loads((directory / 'done.json').read_text(encoding='utf-8'))
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
    same = begun.exists() and begun.read_text(encoding='utf-8') == json.dumps(record_of(job))
    going_on = ['--resume'] if same and checkpoints.exists(directory) and '--claims' not in job.flags else []
    files.write_text(begun, json.dumps(record_of(job)))
    command = [sys.executable, '-m', f'reproductions.{job.post}', *job.flags, f'--output_dir={directory}', *going_on]
    threads = str(max(1, (os.cpu_count() or 1) // processes))
    environment = {'TF_NUM_INTRAOP_THREADS': threads, 'TF_NUM_INTEROP_THREADS': threads} | os.environ
    with open(directory / 'log.txt', 'w', encoding='utf-8') as log:
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
    lines = (directory / 'log.txt').read_text(encoding='utf-8').splitlines() or ['no output']
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
    pending.sort(key=lambda job: -job.seconds)  # the longest first, so that no core is left with it at the end
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
