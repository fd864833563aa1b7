"""The command line of the report."""

import os
import pathlib
import sys

from absl import flags

import reproductions.report
from common.program import cli, commands
from common.storage import files, locks
from reproductions import posts
from reproductions.report import contents
from reproductions.report import jobs as report_jobs
from reproductions.report import page as report_page


def define_flags():
    """The command line of the report."""
    opts = flags.FlagValues()
    flags.DEFINE_integer(
        'runs', report_jobs.FEWEST,
        f'Seeds of each ensemble; from {report_jobs.FULL:,} on MNIST, too, takes its full schedule.',
        lower_bound=report_jobs.FEWEST, upper_bound=commands.MOST_CLAIM_RUNS, flag_values=opts,
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
    cli.parse(opts, argv, reproductions.report.__doc__)
    only = opts.only or posts.NAMES
    for name in only:
        if name not in posts.NAMES:
            raise cli.UserError(f'--only={name} is no post; posts are {", ".join(posts.NAMES)}')
    chosen = [name for name in posts.NAMES if name in only]
    directory = pathlib.Path(opts.output_dir).absolute()
    try:
        files.prepare_directory(directory)
        locks.take(directory)
    except locks.Taken as error:
        raise cli.UserError(
            f'--output_dir={opts.output_dir} is in use by another report; wait for its end or name another'
        ) from error
    except OSError as error:
        raise cli.UserError(f'--output_dir={opts.output_dir} cannot be written to ({error.strerror}); name another') from error
    jobs = [job for job in report_jobs.make_jobs(opts.runs, opts.data) if job.post in chosen]
    try:
        failed = report_jobs.run_jobs(jobs, directory, opts.processes)
    except KeyboardInterrupt:
        print('finished commands are kept; run the same again to go on', file=sys.stderr)
        raise
    report = contents.collect(chosen, jobs, directory, failed) | {'runs': opts.runs}
    files.write_json(directory / 'report.json', report)
    report_page.write(directory, report)
    print(f'{directory / "index.html"}')
    return 1 if failed else 0
