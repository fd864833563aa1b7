"""What the tests train on one device, on several, and in two processes.

As a program, `several_devices.py PATH multiworker` is one worker of TF_CONFIG, and `PATH mirrored N` uses N logical devices.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from common import data_parallel, training
from common.devices import cluster, distribution
from reproductions import contract
from reproductions.mnist import gan as mnist
from reproductions.mnist import settings as mnist_settings

RUNS, STEPS = 5, 20
MANY = 100  # seeds whose outcomes are compared
LATER = 100  # updates of D after which these outcomes are compared, rounded to whole rounds
# Of MNIST, for these outcomes: the post's own networks would take hours.
SMALL = {'d_widths': (784, 24, 1), 'g_widths': (10, 24, 784), 'batch_size': 16}


def experiment(post, small=False):
    """A post's experiment, Jang's with only 100 updates of pre-training. `small`: MNIST's with small networks.

    The multi-modal post's as guessed: products of its default's size are rounded otherwise if there is only one run.
    """
    if post == 'mnist':
        return mnist.make_experiment(mnist_settings.make_settings(**SMALL if small else {}))
    gan = contract.part(post, 'gan')
    changes = {'aylien': {'minibatch': True}, 'jang': {'pretrain_steps': 100}}.get(post, {})
    if post == 'multimodal':
        changes = {'variant': 'guessed'}
    return gan.make_experiment(contract.post(post).settings.make_settings(**changes))


def trajectory(post, strategy):
    """Initial weights, the batches of an update, and the losses of the first iterations of five runs: {name: array}."""
    made, seeds = experiment(post), np.arange(40, 40 + RUNS, dtype=np.uint32)
    shared = distribution.share_out(strategy, seeds)

    def batches(seeds):
        return [draw(seeds, 17) for draw in (made.train_step.draw_d, made.train_step.draw_g) if draw]

    exact = [distribution.to_host(strategy, strategy.run(part, args=(shared,))) for part in (made.init, batches)]
    found = {f'{post}/exact{i}': value for i, value in enumerate(tf.nest.flatten(exact))}
    records = training.join_records([records for _, records in training.train(made, strategy, seeds, STEPS, 1)])
    return found | {f'{post}/{name}': records[name] for name in ('loss_d', 'loss_g')}


def sharded_batch(strategy):
    """The losses of the first iterations of one MNIST run whose batch is sharded: {name: array}."""
    calls = data_parallel.train(experiment('mnist'), strategy, np.array([40], np.uint32), STEPS, 1)
    records = training.join_records([records for _, records in calls])
    return {f'sharded_batch/{name}': records[name] for name in ('loss_d', 'loss_g')}


def later(post, strategy):
    """The last record of many seeds after a short training: {name: [runs]}."""
    seeds = np.arange(1000, 1000 + MANY, dtype=np.uint32)
    made = experiment(post, small=True)
    steps = LATER // made.train_step.d_steps
    *_, (_, records) = training.train(made, strategy, seeds, steps, steps)
    return {f'{post}/later/{name}': values[:, -1] for name, values in records.items() if name != 'step'}


def everything(strategy):
    """All of the above, except what needs several devices: {name: array}."""
    found = {}
    for post in contract.NAMES:
        found |= trajectory(post, strategy)
    for post in contract.NAMES:
        found |= later(post, strategy)
    return found


if __name__ == '__main__':
    path, strategy_name, *logical_devices = sys.argv[1:]
    devices = distribution.make_strategy(strategy_name, MANY, *map(int, logical_devices))
    computed = sharded_batch(devices) | (everything(devices) if strategy_name == 'multiworker' else {})
    if cluster.is_chief(devices):
        np.savez(path, **computed)
