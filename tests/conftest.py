"""Setup for all tests: three logical CPU devices, the profile of `hypothesis`, a few digits, and processes that do not grow.

What XLA has compiled stays in memory until its process ends, some 30 MB for every test that compiles. So pytest's processes run
no test themselves: they fork, with TensorFlow imported but unused, and the fork runs the tests one after the other until it is
large; then a new fork takes over. So no test module may run an op when it is imported. With --pdb there is no fork.
"""

import gc
import multiprocessing
import os
import resource
import signal

import hypothesis
import numpy as np
import pytest
from _pytest import runner

if 'PYTEST_XDIST_WORKER' in os.environ:  # processes that share the cores are 1.3 times as fast with one thread each as with two
    os.environ.setdefault('TF_NUM_INTRAOP_THREADS', '1')

pytest.register_assert_rewrite('helpers')

# The same 500 examples in every run, without a deadline; nothing is stored between runs.
hypothesis.settings.register_profile(
    'suite', derandomize=True, database=None, max_examples=500, deadline=None, print_blob=False,
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
hypothesis.settings.load_profile('suite')

LARGE = 2**20  # KiB; one test adds at most 0.6 of it
fork = []  # the process that runs the tests, while there is one, and the pipe to it


def pytest_configure(config):
    if config.getoption('dist', 'no') == 'no':  # not in the process that only hands tests out to others
        from common import quiet

        quiet.import_tensorflow()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Has the fork run a test, and reports what it says of it."""
    if item.config.option.usepdb:
        return split_cpu()  # None: pytest goes on as ever
    if not fork:
        item.config._tmp_path_factory.getbasetemp()  # the same directory for all forks
        gc.freeze()  # what the import of TensorFlow has made: looking for garbage in it takes a tenth of the time of the tests
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context('fork').Process(target=run_tests, args=(item.session, here, there))
        process.start()
        there.close()
        fork[:] = process, here
    process, pipe = fork
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    try:
        pipe.send([item.session.items.index(each) for each in (item, nextitem) if each])
        reports, last = pipe.recv()
    except (EOFError, OSError):
        process.join()
        message = f'the process that ran it ended with status {process.exitcode}'
        report = pytest.TestReport(item.nodeid, item.location, {}, 'failed', message, 'call')
        reports, last = [item.config.hook.pytest_report_to_serializable(config=item.config, report=report)], True
    for report in reports:
        report = item.config.hook.pytest_report_from_serializable(config=item.config, data=report)
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    if last:
        pytest_sessionfinish()
    return True


def pytest_sessionfinish():
    """Lets the fork end."""
    if fork:
        process, pipe = fork
        fork.clear()
        pipe.close()
        process.join()


def run_tests(session, there, here):
    """What the fork does: runs the tests it is told of, until it is large or is told no more."""
    there.close()
    split_cpu()
    heed_signals()
    config, last = session.config, False
    while not last:
        try:
            item, *following = (session.items[index] for index in here.recv())
        except EOFError:  # at -x
            return runner.pytest_sessionfinish(session)  # the fixtures' ends
        large = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > LARGE
        last = not following or (large and not shares_training(item, following[0]))
        reports = runner.runtestprotocol(item, log=False, nextitem=None if last else following[0])
        here.send(([config.hook.pytest_report_to_serializable(config=config, report=report) for report in reports], last))


def heed_signals():
    """Background jobs of a shell ignore Ctrl-C, jobs of `nohup` the end of their terminal, and children inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def shares_training(item, following):
    """Whether two tests are of one module that is statistical as a whole, which trains its seeds once for all its tests."""
    mark = getattr(item.module, 'pytestmark', None)
    return item.module is following.module and getattr(mark, 'name', '') == 'statistical'


def split_cpu():
    """Before TensorFlow's first op."""
    from common.devices import distribution

    distribution.make_strategy('cpu', 1, logical_devices=3)


@pytest.fixture(scope='module')
def few(tmp_path_factory):
    """The path of 300 training and 80 test digits, on which a (poor) classifier trains in a second; its cache is separate."""
    from reproductions.mnist import dataset

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        digits = dataset.bundled()
        arrays = {}
        for kind, labels, count in (('train', digits.y_train, 30), ('test', digits.y_test, 8)):
            rows = np.sort(np.concatenate([np.flatnonzero(labels == k)[:count] for k in range(10)]))
            arrays[f'x_{kind}'] = getattr(digits, f'x_{kind}')[rows].reshape(-1, 28, 28)
            arrays[f'y_{kind}'] = labels[rows]
        path = tmp_path_factory.mktemp('digits') / 'few.npz'
        np.savez(path, **arrays)
        yield path
