"""Speed of Dev Nag's GAN (2018-11), as ratios to a plain PyTorch loop measured in the same invocation.

  python scripts/devnag_benchmark.py                      one run, ten, and 200 at once
  python scripts/devnag_benchmark.py --torch_python=PATH  with the PyTorch of another interpreter
  python scripts/devnag_benchmark.py parts                what an update spends its time on, at 200 runs

The baseline (torch_loop.py, one thread, in a process of its own) is measured before and after. Each number is the median of
--repeats. An update is one of D or of G; a run of the post is 200,000. Not measured on a GPU.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
ROUNDS = {1: 500, 10: 200, 200: 25}  # in a measurement
UPDATES = 5000 * 40  # of a run of the post


def baseline(python):
    """Updates/s of the plain PyTorch loop, or None where PyTorch is not installed."""
    done = subprocess.run([python, str(HERE / 'torch_loop.py')], capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])['updates_per_second'] if done.returncode == 0 else None


def ours(runs, strategy_name, repeats):
    """Updates/s over all runs of the suite's own loop with its record a round, compiled and initialised before the clock.

    A compiled loop runs on one core; `mirrored` shares the runs out over two logical devices and so over two cores.
    """
    import numpy as np

    from common import distribution, training
    from reproductions import devnag

    settings = devnag.make_settings()
    experiment, strategy = devnag.make_experiment(settings), distribution.make_strategy(strategy_name, runs, logical_devices=2)
    seeds = np.arange(runs, dtype=np.uint32)
    shared = distribution.share_out(strategy, seeds)
    state = distribution.to_host(strategy, training.initial_state(experiment, strategy, shared))

    def train():
        start = time.perf_counter()
        calls = list(training.train(experiment, strategy, seeds, ROUNDS[runs], 1, state))
        distribution.to_host(strategy, calls[-1][0])
        return runs * ROUNDS[runs] * (settings.d_steps + settings.g_steps) / (time.perf_counter() - start)

    train()
    return statistics.median(train() for _ in range(repeats))


def throughput(python, repeats):
    """Prints the table of ratios."""
    before = baseline(python)
    cases = [*((runs, 'cpu') for runs in ROUNDS), (200, 'mirrored')]
    rates = {case: ours(*case, repeats) for case in cases}
    after = baseline(python)
    plain = before and statistics.mean((before, after))
    print('\n2018-11: updates/s over all runs, and times the plain PyTorch loop')
    if plain:
        print(f'  {"plain PyTorch, one thread":26} {plain:10,.0f} {1:6.0f}   ({before:,.0f} before, {after:,.0f} after)')
    else:
        print('  PyTorch is not installed: not compared')
    for (runs, strategy), rate in rates.items():
        name = f'suite, {runs} run' + 's' * (runs > 1) + ', 2 devices' * (strategy == 'mirrored')
        ratio = f'{rate / plain:6.0f}' if plain else ''
        minutes = runs * UPDATES / rate / 60
        print(f'  {name:26} {rate:10,.0f} {ratio}   5,000 rounds in {minutes:.1f} minutes')


def parts(python, repeats):
    """Prints what the pieces of an update cost alone, at 200 runs, each on numbers that lie ready as they do in the loop."""
    del python
    import numpy as np
    import tensorflow as tf

    from common.random import Stream
    from reproductions import devnag

    settings, runs, times = devnag.make_settings(), 200, 100
    seeds = tf.constant(np.arange(runs, dtype=np.uint32))
    g, d = devnag.init_generator(settings, seeds), devnag.init_discriminator(settings, seeds)
    hidden = tf.constant(np.random.default_rng(0).normal(size=(runs, 10, 500)), tf.float32)

    def loss_slopes(x):
        with tf.GradientTape() as tape:
            tape.watch(g)
            loss = devnag.loss_of_g(settings, d, g, x[:, :1])
        return tf.concat([tf.reshape(slope, [runs, -1]) for slope in tf.nest.flatten(tape.gradient(loss, g))], axis=1)

    pieces = {
        '500 uniform numbers': lambda x, k: devnag.noise(seeds, Stream.NOISE_D, k, 500),
        '500 normal numbers': lambda x, k: devnag.real_samples(settings, seeds, k, 500),
        'ten tanh of 500': lambda x, k: tf.tanh(x),
        'moments of 500': lambda x, k: devnag.moments(x[:, :1]),
        'G forward': lambda x, k: devnag.generator(settings, g, x[:, :1]),
        "G's loss and its slopes": lambda x, k: loss_slopes(x),
    }
    print(f'\npieces of an update at {runs} runs, microseconds a run')
    for name, piece in pieces.items():

        @tf.function(jit_compile=True, autograph=False)
        def repeated(x, piece=piece):
            def body(k, x, out):
                found = piece(x, k)
                return k + 1, x + 1e-6 * tf.reshape(found, [runs, -1])[:, :1, None], found  # so that no piece is hoisted

            return tf.while_loop(lambda k, *_: k < times, body, (tf.constant(0), x, tf.zeros_like(piece(x, 0))))[2]

        def seconds(repeated=repeated):
            start = time.perf_counter()
            repeated(hidden).numpy()
            return time.perf_counter() - start

        seconds()
        print(f'  {name:26} {statistics.median(seconds() for _ in range(repeats)) / times / runs * 1e6:6.2f}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', nargs='?', choices=['throughput', 'parts'], default='throughput')
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--torch_python', default=sys.executable, help='interpreter with PyTorch (default: this one)')
    arguments = parser.parse_args()
    {'throughput': throughput, 'parts': parts}[arguments.what](arguments.torch_python, arguments.repeats)


if __name__ == '__main__':
    main()
