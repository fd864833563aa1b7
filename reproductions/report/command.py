"""The command line of the report."""

import os
import sys

import reproductions.report
from common import quiet
from common.program import checks
from common.program.flags import PATH, Flag, parse
from common.settings import Kind
from common.storage import files
from reproductions import contract
from reproductions.report import FEWEST, FULL

FLAGS = (
    Flag('runs', int, FEWEST, f'Seeds per ensemble; with {FULL:,} or more, MNIST also takes its full '
         'schedule.', FEWEST, checks.MOST_CLAIM_RUNS),
    Flag('only', Kind.NAMES, None, f'Only these posts, out of {", ".join(contract.NAMES)}.'),
    Flag('output_dir', PATH, 'output/report', 'Directory for the page and the files of every command.'),
    Flag('data', str, 'auto', "Digits: see the MNIST post's --data."),
    Flag('processes', int, min(os.cpu_count() or 1, 4), 'Commands to run in parallel.', 1),
)  # fmt: skip


def main(argv: list[str]) -> int:
    """Writes the report; returns the exit status: 1 if a command failed."""
    opts = parse(FLAGS, argv, reproductions.report.__file__, shared=())
    chosen = contract.chosen(opts.only)
    with checks.opened(opts, 'report') as held:
        directory = held.path.absolute()
        quiet.import_tensorflow()
        from reproductions.report import contents
        from reproductions.report import jobs as report_jobs
        from reproductions.report import page as report_page

        jobs = [job for job in report_jobs.make_jobs(opts.runs, opts.data) if job.post in chosen]
        try:
            failed = report_jobs.run_jobs(jobs, directory, opts.processes)
        except KeyboardInterrupt:
            print('finished commands are kept; run the same command again to resume', file=sys.stderr)
            raise
        contents.write_explorers([job for job in jobs if (job.post, job.name) not in failed], directory)
        report = contents.collect(chosen, jobs, directory, failed) | {'runs': opts.runs}
        files.write_json(directory / 'report.json', report)
        report_page.write(directory, report)
        print(f'{directory / "index.html"}')
        return 1 if failed else 0
