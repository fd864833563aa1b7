"""Sharding runs over logical CPU devices (see conftest.py)."""

import numpy as np
import pytest
import tensorflow as tf

from common.devices import distribution


def test_runs_are_sharded_evenly_and_gathered_again():
    strategy = distribution.make_strategy('mirrored', 2)
    values = {'w': np.arange(10.0).reshape(5, 2), 'step': np.int32(3)}
    shared = distribution.share_out(strategy, values)
    shards = strategy.experimental_local_results(shared['w'])
    assert [shard.shape[0] for shard in shards] == [3, 2]
    assert len({shard.device for shard in shards}) == 2
    back = distribution.to_host(strategy, shared)
    np.testing.assert_array_equal(back['w'], values['w'])
    assert back['step'] == 3
    assert distribution.first(strategy, shared['step']) == 3


def test_no_more_devices_than_runs():
    assert distribution.make_strategy('mirrored', 1).num_replicas_in_sync == 1
    assert distribution.make_strategy('mirrored', 2).num_replicas_in_sync == 2


def test_a_missing_gpu():
    if tf.config.list_logical_devices('GPU'):
        pytest.skip('there is a GPU')
    with pytest.raises(ValueError, match='no GPU was found'):
        distribution.make_strategy('gpu', 1)


def test_logical_devices_after_the_first_op():
    distribution.make_strategy('cpu', 1, logical_devices=3)  # as many as there are already: no error
    with pytest.raises(ValueError, match='already started'):
        distribution.make_strategy('cpu', 1, logical_devices=4)
