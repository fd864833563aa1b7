"""The suite called from Python: twice on one directory, in a thread, with numbers that cannot be, and beside TF_CONFIG."""

import os
import threading

import numpy as np
import pytest
from helpers.post_checks import call, rows_of

from common.devices import cluster, distribution
from common.evaluation import outcomes
from reproductions import contract
from reproductions.aylien import __main__ as aylien_main
from reproductions.mnist import quality

QUICK = ('--num_steps=3', '--pretrain_steps=0')


def test_main_a_second_time_and_in_a_thread_gives_the_same(tmp_path, monkeypatch):
    """`main` itself, without the program around it."""
    found = []

    def run():
        status = aylien_main.main(['aylien', *QUICK, f'--output_dir={tmp_path}'])
        found.append((status, rows_of(tmp_path)))

    run()
    run()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert len(found) == 3 and found[0] == found[1] == found[2] and found[0][0] == 0


@pytest.mark.parametrize('name', contract.NAMES)
@pytest.mark.parametrize(
    ('seed', 'runs', 'message'),
    [
        (0, 0, 'runs=0 must be a whole number, 1 or more'),
        (-1, 2, 'seed=-1 must be a whole number, 0 or more'),
        (2**32 - 1, 2, r'seed=4294967295, runs=2: seeds end at 2\^32 - 1'),
        (1.5, 2, r'seed=1\.5 must be a whole number'),
        (0, True, 'runs=True must be a whole number'),
        ('7', 1, "seed='7' must be a whole number"),
    ],
)
def test_numbers_that_cannot_be_are_refused_before_anything_is_computed(name, seed, runs, message, monkeypatch):
    monkeypatch.setattr(outcomes.training, 'train', lambda *args: pytest.fail('it trains'))
    monkeypatch.setattr(quality, 'make_evaluator', lambda *args: pytest.fail('it trains the classifier'))
    gan = contract.part(name, 'gan')
    with pytest.raises(ValueError, match=message):
        outcomes.train_many(gan, contract.post(name).settings.make_settings(), seed, runs)


def test_the_last_seed_is_accepted():
    outcomes.check_numbers(2**32 - 1, 1, 1, 1)
    outcomes.check_numbers(np.uint32(2**32 - 2), np.int64(2), 1, 1)
    with pytest.raises(ValueError, match='every=0'):
        outcomes.check_numbers(0, 1, 1, 0)


@pytest.mark.parametrize('config', ['{', 'a: b', '[' * 100_000])
def test_a_malformed_tf_config_is_named_beside_mirrored(config, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv('TF_CONFIG', config)
    flags = ('--strategy=mirrored', '--runs=2', f'--output_dir={tmp_path / "run"}')
    assert call(aylien_main, *QUICK, *flags) == 2
    *_, error = capsys.readouterr().err.splitlines()
    assert error.startswith('error: --strategy=mirrored: the environment variable TF_CONFIG is not JSON; correct it')
    assert not (tmp_path / 'run').exists()


def test_the_tf_config_of_a_cluster_does_not_concern_one_machine(monkeypatch):
    config = '{"cluster": {"worker": ["localhost:1", "localhost:2"]}, "task": {"type": "worker", "index": 1}}'
    monkeypatch.setenv('TF_CONFIG', config)
    strategy = distribution.make_strategy('mirrored', 2)
    assert strategy.num_replicas_in_sync == 2 and cluster.workers(strategy) == 1 and cluster.is_chief(strategy)
    assert os.environ['TF_CONFIG'] == config
