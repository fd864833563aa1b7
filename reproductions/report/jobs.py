"""The report's commands, and running those that are not done yet."""

import contextlib
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any

from tqdm import tqdm

from common.program import progress
from common.storage import checkpoints, files, versions
from reproductions import contract
from reproductions.contract import Job


def make_jobs(runs: int, data: str) -> list[Job]:
    """All commands of the report, post by post."""
    return [job for name in contract.NAMES for job in contract.part(name, 'comparison').jobs(runs, data)]


# --- Running ------------------------------------------------------------------------------------------------------------------


versions_used = functools.cache(versions.versions)  # cached, as they are needed before and after every command


def record_of(job: Job) -> dict[str, Any]:
    """What must be unchanged for a finished job not to be run again."""
    return {'command': job.command, 'versions': versions_used()}


def is_done(job: Job, directory: pathlib.Path) -> bool:
    """Whether this same job has finished in this directory."""
    try:
        done = json.loads((directory / 'done.json').read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return False
    return {name: done.get(name) for name in ('command', 'versions')} == record_of(job)


def start(job: Job, directory: pathlib.Path, processes: int = 1) -> subprocess.Popen:
    """Starts the job's process in its own session, so that Ctrl-C reaches it only through `stop`. Output goes to log.txt.

    `processes` in parallel share the cores: on 2 cores, two processes with one thread each are 1.3 times as fast as with two
    threads each.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / 'done.json').unlink(missing_ok=True)
    begun = directory / 'begun.json'
    same = begun.exists() and begun.read_text(encoding='utf-8') == json.dumps(record_of(job))
    resume = ['--resume'] if same and checkpoints.exists(directory) and '--claims' not in job.flags else []
    files.write_text(begun, json.dumps(record_of(job)))
    command = [sys.executable, '-m', f'reproductions.{job.post}', *job.flags, f'--output_dir={directory}', *resume]
    threads = str(max(1, (os.cpu_count() or 1) // processes))
    environment = {'TF_NUM_INTRAOP_THREADS': threads, 'TF_NUM_INTEROP_THREADS': threads} | os.environ
    with open(directory / 'log.txt', 'w', encoding='utf-8') as log:
        return subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
        )


def stop(processes: list[subprocess.Popen]) -> None:
    """Asks the processes to save and stop; kills those still running after a minute."""
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()


def finish(job: Job, directory: pathlib.Path, process: subprocess.Popen, seconds: float) -> str | None:
    """Records how the job ended; returns None, or the reason for its failure in one line."""
    if process.returncode == 0:
        files.write_json(directory / 'done.json', record_of(job) | {'seconds': round(seconds, 1)})
        return None
    (directory / 'begun.json').unlink(missing_ok=True)  # start afresh next time
    lines = (directory / 'log.txt').read_text(encoding='utf-8').splitlines() or ['no output']
    return f'status {process.returncode}: {lines[-1]}'


def overall_progress(jobs: list[Job]) -> tqdm:
    """A progress bar over all commands, on a terminal, in seconds of expected time."""
    form = '{desc}: {percentage:3.0f}%|{bar}| {elapsed} elapsed, about {remaining} left'
    return tqdm(total=sum(job.seconds for job in jobs), desc='report', bar_format=form, smoothing=0, leave=False, disable=None)


def run_jobs(jobs: list[Job], directory: pathlib.Path, processes: int) -> dict[tuple[str, str], str]:
    """Runs the unfinished jobs, `processes` at a time; returns {(post, name): reason} of those that failed.

    Ctrl-C and SIGTERM stop the running jobs, which then count as not done, and raise KeyboardInterrupt.
    """
    pending = [job for job in jobs if not is_done(job, directory / job.place)]
    pending.sort(key=lambda job: -job.seconds)  # longest first, so that no core is left alone with it at the end
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
                sys.stdout.flush()  # for readers who follow a log file
            running = [part for part in running if part[1].returncode is None]
            partial = sum(min(time.monotonic() - began, 0.95 * job.seconds) for job, _, began in running)
            bar.update(ended + partial - bar.n)
    return failed
