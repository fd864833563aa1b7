"""On one device, on several and in two processes, runs give the same numbers. conftest.py makes three logical CPU devices."""

import csv
import json
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from helpers import several_devices
from helpers.paths import ROOT

sys.path.insert(0, str(ROOT / 'scripts'))

import two_workers

from common import data_parallel, training
from common.devices import cluster, distribution
from common.evaluation import two_sample
from common.program import cli
from common.storage import files
from reproductions import contract
from reproductions.aylien import __main__ as aylien_main
from reproductions.mnist import __main__ as mnist_main

SHARDED_RUNS, SHARDED_BATCH = {'rtol': 1e-5, 'atol': 1e-5}, {'rtol': 1e-4, 'atol': 1e-4}  # tolerances of losses


@pytest.fixture(scope='module')
def one_device():
    """The results on one device: name -> array, each part computed on demand."""
    found, strategy = {}, distribution.make_strategy('cpu', 1)

    def get(name):
        if name not in found:
            post, kind = name.split('/')[:2]
            found.update((several_devices.later if kind == 'later' else several_devices.trajectory)(post, strategy))
        return found[name]

    return get


def agrees(found, one_device):
    """Weights and batches bit for bit, the losses of the first iterations up to the order of summation."""
    for name, value in found.items():
        if 'exact' in name:
            np.testing.assert_array_equal(value, one_device(name))
        elif 'loss' in name and 'later' not in name:
            assert value.shape == (several_devices.RUNS, several_devices.STEPS)
            np.testing.assert_allclose(value, one_device(name), **SHARDED_RUNS)


@pytest.mark.parametrize(
    ('post', 'devices'),
    [
        pytest.param(post, 2 if post == 'devnag' else 3, marks=pytest.mark.statistical) for post in contract.NAMES
    ],  # two as below
)
def test_runs_sharded_over_logical_devices(post, devices, one_device):
    strategy = distribution.make_strategy('mirrored', devices)
    assert strategy.num_replicas_in_sync == devices
    agrees(several_devices.trajectory(post, strategy), one_device)


@pytest.mark.statistical
def test_outcomes_on_three_devices_match_those_on_one(one_device):
    strategy, p_values = distribution.make_strategy('mirrored', 3), {}
    for post in contract.NAMES:
        p_values |= outcome_p_values(several_devices.later(post, strategy), one_device)
    assert len(p_values) == 28
    assert two_sample.rejected(p_values) == []


def outcome_p_values(found, one_device):
    """{(post, column): p} of the results of `several_devices.later`, compared with the same seeds on one device."""
    p_values = {}
    for post in contract.NAMES:
        names = [name for name in found if name.startswith(f'{post}/later/')]
        if names:
            ours, theirs = ({name: table(name) for name in names} for table in (found.get, one_device))
            for table in (ours, theirs):
                table['finite'] = np.isfinite(list(table.values())).all(axis=0)
            p_values |= {(post, name): p for name, p in two_sample.compare(ours, theirs, names).items()}
    return p_values


# --- One run, its batch sharded -----------------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def one_run():
    seeds, strategy = np.array([40], np.uint32), distribution.make_strategy('cpu', 1)
    calls = training.train(several_devices.experiment('mnist'), strategy, seeds, several_devices.STEPS, 1)
    return training.join_records([records for _, records in calls])


def agrees_as_a_batch(found, one_run):
    for name in ('loss_d', 'loss_g'):
        assert found[f'sharded_batch/{name}'].shape == (1, several_devices.STEPS)
        np.testing.assert_allclose(found[f'sharded_batch/{name}'], one_run[name], **SHARDED_BATCH)


@pytest.mark.statistical
def test_a_batch_sharded_over_two_logical_devices(one_run):
    agrees_as_a_batch(several_devices.sharded_batch(distribution.make_strategy('mirrored', 2)), one_run)


@pytest.mark.statistical
def test_a_batch_sharded_over_three_logical_devices(one_run, tmp_path):
    """128 digits are 43, 43 and 42. In a process of its own: TensorFlow keeps the first group of devices that reduced a sum."""
    command = [sys.executable, several_devices.__file__, tmp_path / 'found.npz', 'mirrored', '3']
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    agrees_as_a_batch(files.read_npz(tmp_path / 'found.npz'), one_run)


@pytest.mark.statistical
def test_a_sharded_batch_resumes_from_a_state_bit_for_bit():
    made, seeds = several_devices.experiment('mnist'), np.array([40], np.uint32)
    strategy = distribution.make_strategy('mirrored', 2)
    whole = [state for state, _ in data_parallel.train(made, strategy, seeds, 4, 2, records_per_call=1)]
    ((resumed, records),) = data_parallel.train(made, strategy, seeds, 4, 2, state=whole[0])
    assert records['step'].tolist() == [2, 3] and int(resumed[1].step) == 4
    for a, b in zip(tf.nest.flatten(whole[-1][1]), tf.nest.flatten(resumed[1]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_batch_is_sharded_for_a_single_run_only():
    strategy = distribution.make_strategy('mirrored', 2)
    with pytest.raises(ValueError, match='single run'):
        next(data_parallel.train(several_devices.experiment('mnist'), strategy, np.arange(2, dtype=np.uint32), 4, 2))


# --- Two processes ------------------------------------------------------------------------------------------------------------


def start_two_workers(directory, *command):
    """Starts two processes of `python command` as the workers of a cluster on this machine, with output in `directory`."""
    with open(directory / 'worker0.txt', 'wb') as first, open(directory / 'worker1.txt', 'wb') as second:
        return two_workers.start(command, (first, second))


def statuses(processes, directory, seconds=300):
    """The exit statuses; if a process does not end, all are killed and the test fails with their output."""
    try:
        return [process.wait(seconds) for process in processes]
    except subprocess.TimeoutExpired:
        pytest.fail('\n'.join((directory / f'worker{i}.txt').read_text(encoding='utf-8') for i in range(2)))
    finally:
        for process in processes:
            process.kill()


@pytest.mark.statistical
def test_two_workers_agree_with_one_device(one_device, one_run, tmp_path):
    """Every post: weights, batches and first losses; outcomes of 100 seeds; and one sharded batch."""
    processes = start_two_workers(tmp_path, several_devices.__file__, tmp_path / 'found.npz', 'multiworker')
    assert statuses(processes, tmp_path, 600) == [0, 0], (tmp_path / 'worker0.txt').read_text(encoding='utf-8')
    found = files.read_npz(tmp_path / 'found.npz')
    agrees_as_a_batch({name: found.pop(name) for name in ('sharded_batch/loss_d', 'sharded_batch/loss_g')}, one_run)
    assert {name.split('/')[0] for name in found} == set(contract.NAMES)
    agrees(found, one_device)
    p_values = outcome_p_values(found, one_device)
    assert len(p_values) == 28
    assert two_sample.rejected(p_values) == []


QUICK = ('-m', 'reproductions.aylien', '--strategy=multiworker', '--runs=5', '--pretrain_steps=20')


@pytest.mark.statistical
def test_the_chief_writes_every_run_once_and_a_lost_worker_is_reported(tmp_path):
    command = (*QUICK, '--num_steps=2000000000', '--log_every=1000', '--checkpoint_every=1', f'--output_dir={tmp_path / "run"}')
    processes = start_two_workers(tmp_path, *command)
    wait_for(tmp_path / 'run' / 'checkpoint', processes)
    processes[1].send_signal(signal.SIGTERM)  # to one worker: both stop, and the chief writes
    assert statuses(processes, tmp_path) == [128 + signal.SIGTERM] * 2
    with open(tmp_path / 'run' / 'results.csv', encoding='utf-8') as file:
        assert [row['seed'] for row in csv.DictReader(file)] == ['42', '43', '44', '45', '46']
    before = sorted((tmp_path / 'run' / 'checkpoint').iterdir())
    processes = start_two_workers(tmp_path, *command, '--resume')
    wait_for(tmp_path / 'run' / 'checkpoint', processes, before)
    processes[1].kill()
    start = time.monotonic()
    assert statuses(processes, tmp_path, 60) == [1, -signal.SIGKILL]
    assert time.monotonic() - start < 60
    assert (
        (tmp_path / 'worker0.txt')
        .read_text(encoding='utf-8')
        .endswith('error: worker 1 of TF_CONFIG was lost; start all workers again, with --resume from the last checkpoint\n')
    )


def wait_for(checkpoints, processes, before=()):
    """Returns once there is a new checkpoint."""
    while not set(checkpoints.glob('state-*.npz')) - set(before):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.2)


@pytest.mark.parametrize(
    'config',
    [
        '', '{', '[]', '{"cluster": {}}', '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
        '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": -1}}',
        '{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a", "b"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:2"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)  # fmt: skip
def test_a_wrong_tf_config_is_refused_with_one_line(config, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv('TF_CONFIG', config)
    assert cli.call(aylien_main.main, ['aylien', '--strategy=multiworker', f'--output_dir={tmp_path / "run"}']) == 2
    *_, error = capsys.readouterr().err.splitlines()
    assert error.startswith('error: --strategy=multiworker: ') and 'TF_CONFIG' in error
    assert not (tmp_path / 'run').exists()


def test_members_of_a_cluster_with_a_chief():
    config = {'cluster': {'worker': ['b:2', 'c:3'], 'chief': ['a:1']}, 'task': {'type': 'worker', 'index': 1}}
    assert cluster.members(json.dumps(config)) == (['a:1', 'b:2', 'c:3'], 2)


def test_workers_meet_and_missing_ones_are_named():
    addresses = [f'localhost:{port}' for port in two_workers.free_ports(4)]
    problems = {}

    def worker(me, members):
        try:
            cluster.meet(members, me, seconds=20 if len(members) == 3 else 0.5)
        except ValueError as error:
            problems[me] = str(error)

    threads = [threading.Thread(target=worker, args=(me, addresses[:3])) for me in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    worker(1, addresses)
    assert problems == {1: 'no word from ' + ', '.join(addresses[i] for i in (0, 2, 3)) + '; start a process on each of them'}


@pytest.mark.parametrize('flag', ['--claims', '--replay=x.npz'])
def test_what_runs_on_one_machine_is_refused(flag, capsys):
    assert cli.call(mnist_main.main, ['mnist', '--strategy=multiworker', flag]) == 2
    assert capsys.readouterr().err.count('runs on one machine') == 1
