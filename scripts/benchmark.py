"""Training speed of the posts' GANs, relative to how the posts ran them, measured in the same invocation.

  python scripts/benchmark.py                     throughput of every post: the baseline, one run, 1,024 runs
  python scripts/benchmark.py --post=jang         throughput of one post
  python scripts/benchmark.py memory              peak memory at 1,024 runs x 5,000 steps and at 10,000 runs (Aylien), and MNIST
  python scripts/benchmark.py scaling             throughput and memory for 1 to 65,536 runs, on one device and on two (Aylien)
  python scripts/benchmark.py pieces              what an update spends its time on, at 200 runs (Dev Nag)
  python scripts/benchmark.py sweep               runs with learning rates of their own against a plain ensemble; 65,536 runs
  python scripts/benchmark.py remedies            an iteration with each remedy against the plain one (every post)
  python scripts/benchmark.py startup             a whole command against `python -c "import tensorflow"` (Aylien)

The baseline makes one `session.run` with a feed per update (session_loop.py), in a process of its own; for Dev Nag's post it
is a plain PyTorch loop on one thread (torch_loop.py), if PyTorch is installed. Both are in baselines/. Each number is the
median of --repeats measurements, and the baseline is measured before and after, so that a change in the machine's speed
shows. If JAX is installed, Aylien's GAN is also measured as jit(vmap(scan)) (jax_gan.py). MNIST's is also measured as a
plain Keras loop (keras_loop.py) and in PyTorch, as a fraction of the throughput of large matrix products (the mean of a
measurement after the suite's single run and one at the end), and against its own matrix products alone. Nothing was measured
on a GPU.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import statistics
import subprocess
import sys
import tempfile

import numpy as np
from checkout import ROOT
from pieces import matmul_flops, perceptron_products, pieces, products_alone
from timing import alone, ratios, seconds, typical

from common import training, varied
from common.devices import distribution
from common.program import cli
from common.settings import Remedies, numbers
from reproductions import __main__ as suite
from reproductions import contract

CASES = [case for name in contract.NAMES for case in contract.speeds_of(name)]
HAS_TORCH, HAS_JAX = (importlib.util.find_spec(name) is not None for name in ('torch', 'jax'))


def chosen(post):
    """The cases of a post; all if it is None."""
    return [case for case in CASES if post in (None, case.post)]


def experiment_of(case, **changes):
    """The experiment of a case, with some of its settings changed."""
    gan = contract.part(case.post, 'gan')
    return gan.make_experiment(contract.post(case.post).settings.make_settings(**case.settings | changes), *case.arguments())


def trainer(experiment, strategy, seeds, steps, every):
    """A function that trains from the initial state, with a record in so many steps."""
    state = training.initial_state(experiment, strategy, seeds)

    def train():
        calls = list(training.train(experiment, strategy, seeds, steps, every, state))
        distribution.to_host(strategy, calls[-1][0])

    return train


def suite_throughput(case, runs, steps, name, repeats):
    """Seed-steps/s of the suite's own loop; the median of the repeats.

    Like the baseline it is compiled and initialized before the clock starts. `name` is the strategy's: a compiled loop keeps
    one core busy, and `mirrored` shards the runs over two logical devices and so over two cores.
    """
    strategy = distribution.make_strategy(name, runs, logical_devices=2)
    seeds, every = np.arange(runs, dtype=np.uint32), case.every or (10 if runs == 1 else 50)
    train = trainer(experiment_of(case), strategy, seeds, steps, every)
    return runs * steps / typical(train, repeats)


# --- throughput ---------------------------------------------------------------------------------------------------------------


def throughput(post, repeats):
    """Prints, for each case, the throughput and its ratio to the baseline."""
    for case in chosen(post):
        products = perceptron_products(*case.perceptrons) if case.perceptrons else []
        print_throughput(case, products, *measure(case, products, repeats))


def script(name, *flags):
    """Steps/s that a script in scripts/ prints on its last line, as JSON. Ends the benchmark with what it says if it fails."""
    command = [sys.executable, str(ROOT / 'scripts' / name), *flags]
    done = subprocess.run(command, capture_output=True, text=True, encoding='utf-8', cwd=ROOT)
    if done.returncode:
        raise SystemExit(f'{done.stderr}{" ".join(command[1:])} failed with status {done.returncode}')
    [steps_per_second] = json.loads(done.stdout.splitlines()[-1]).values()
    return steps_per_second


def measure(case, products, repeats):
    """What `print_throughput` prints of a case whose step makes these matrix products (none: they do not matter)."""
    baseline = case.torch if HAS_TORCH and case.torch else case.baseline
    before, others, matmul = script(*baseline), {}, []
    labels = {runs: f'{runs:,} run{"s" * (runs > 1)}' for runs in case.steps}
    for runs, label in labels.items():
        others[f'suite, {label}'] = suite_throughput(case, runs, case.steps[runs], 'cpu', repeats)
        if products and runs == 1:
            matmul.append(matmul_flops())  # not earlier: it would fix TensorFlow's devices
    most = max(case.steps)
    others[f'suite, {most:,} runs, 2 logical devices'] = suite_throughput(case, most, case.steps[most], 'mirrored', repeats)
    for runs, label in labels.items() if HAS_JAX and case.jax else ():
        sizes = [f'--runs={runs}', f'--steps={case.steps[runs]}', f'--repeats={repeats}']
        others[f'JAX jit(vmap(scan)), {label}'] = script(*case.jax, *sizes)
    others |= {' '.join(other): script(*other) for other in case.others if HAS_TORCH or 'torch' not in other[0]}
    if products:
        others["the suite's matrix products alone"] = products_alone(products, repeats)
        matmul.append(matmul_flops())
    return (before, script(*baseline)), others, matmul


def print_throughput(case, products, baselines, others, matmul):
    """Prints the table of a case: steps/s of the baseline before and after `others`, {label: steps/s summed over all runs}.

    `products` are those of a step and `matmul` the flop/s of large ones, if they matter.
    """
    baseline, (before, after) = statistics.mean(baselines), baselines
    print(f'\n{case.title}, {case.updates} updates per step: seed-steps/s, and ratio to the baseline')
    label = 'PyTorch, one thread' if HAS_TORCH and case.torch else 'one session.run per update'
    print(f'  {label:38} {baseline:12,.0f} {1:8.0f}   ({before:,.0f} before, {after:,.0f} after)')
    flops = sum(2 * rows * inner * columns for _, rows, inner, columns in products)
    for name, steps_per_second in others.items():
        line = f'  {name:38} {steps_per_second:12,.0f} {steps_per_second / baseline:8.{2 if products else 0}f}'
        if matmul:
            line += f'   {steps_per_second * flops / statistics.mean(matmul):.0%} of the matrix product throughput'
        print(line, flush=True)
    if matmul:
        gflops = ' and '.join(f'{value / 1e9:.0f}' for value in matmul)
        print(f'  {flops / 1e9:.3f} Gflop per step; 1,024 x 1,024 products: {gflops} Gflop/s')


# --- memory, scaling, sweep, remedies, startup --------------------------------------------------------------------------------


def command(*words):
    """Runs a command of the suite, without what it prints; returns its seconds."""
    with tempfile.TemporaryDirectory() as path, contextlib.redirect_stdout(io.StringIO()):
        argv, statuses = ['reproductions', *words, f'--output_dir={path}'], []
        elapsed = seconds(lambda: statuses.append(cli.call(suite.main, argv)))
    if statuses != [0]:
        raise SystemExit(f'{" ".join(words)} failed with status {statuses[0]}')
    return elapsed


MEMORY = {  # {(post, flags): ((runs, steps), ...)}
    ('aylien', '--variant=2017-06', '--log_every=50'): ((1, 5000), (1024, 5000), (10_000, 500)),
    ('mnist', '--eval_every=500'): ((1, 1000), (8, 100)),
}


def memory(post, _repeats):
    """Prints the peak resident memory of whole commands, each of which is run once."""
    print('\npeak memory of the whole command')
    for (name, *flags), sizes in MEMORY.items():
        for runs, steps in sizes if post in (None, name) else ():
            elapsed, gib = alone(command, name, f'--runs={runs}', f'--num_steps={steps}', *flags)
            print(f'  {name}, {runs:6,} runs x {steps:,} steps: {gib:.2f} GiB, {elapsed:.1f} s after the imports')


SCALES = (1, 16, 256, 4096, 65_536)


def aylien_throughput(runs, steps, name, repeats):
    """`suite_throughput` of the first case."""
    return suite_throughput(CASES[0], runs, steps, name, repeats)


def scaling(_post, repeats):
    """Prints seed-steps/s and peak memory for increasing numbers of runs, each in a process of its own (Aylien)."""
    print('\nAylien 2017-06 without minibatch discrimination: seed-steps/s, fraction of the best, peak memory')
    for name, label, scales in (('cpu', 'one device', SCALES), ('mirrored', 'on two logical devices', SCALES[1:])):
        steps = [int(min(20_000, max(100, 4_000_000 // runs))) for runs in scales]
        cells = [alone(aylien_throughput, *sizes, name, repeats) for sizes in zip(scales, steps, strict=True)]
        best = max(speed for speed, _ in cells)
        for runs, (speed, gib) in zip(scales, cells, strict=True):
            print(f'  {runs:6,} runs, {label:26} {speed:12,.0f} {speed / best:5.0%} {gib:7.2f} GiB', flush=True)
        more = (cells[-1][1] - cells[-2][1]) * 2**30 / (scales[-1] - scales[-2])
        print(f'  from {scales[-2]:,} to {scales[-1]:,} runs: {more / 1000:.1f} kB per run')


def sweep(post, repeats):
    """Prints the seed-steps/s of 1,024 runs that differ in a number, over those of 1,024 plain runs (every 1-D post).

    Each is measured in turn, `repeats` times, so that the machine's changes of speed fall on both. Then a whole sweep of
    Aylien's GAN over 65,536 runs, 32 x 32 cells of 64 seeds, in a process of its own: seconds and peak memory.
    """
    print('\nthroughput of 1,024 runs with a learning rate each over that of 1,024 plain runs (quartiles)')
    for case in chosen(post):
        if case.post != 'mnist':
            low, middle, high = np.quantile(sweep_ratios(case, max(case.steps), repeats), [0.25, 0.5, 0.75])
            print(f'  {case.title:40} {middle:5.2f} ({low:.2f} .. {high:.2f}), {max(case.steps):,} runs', flush=True)
    if post in (None, 'aylien'):
        vary = ('--vary=learning_rate=0.0005..0.5:32', '--vary=decay=0.5..1:32:linear')
        elapsed, gib = alone(command, 'sweep', 'aylien', *vary, '--runs=64', '--num_steps=100', '--pretrain_steps=0')
        print(f'  a whole sweep of 65,536 runs x 100 steps: {elapsed:.0f} s, {gib:.2f} GiB')


def sweep_ratios(case, runs, repeats):
    """Throughput with `runs` learning rates over that with one, measurement by measurement."""
    gan, post = contract.part(case.post, 'gan'), contract.post(case.post)
    strategy, settings = distribution.make_strategy('cpu', runs), post.settings.make_settings(**case.settings)
    seeds = np.arange(runs, dtype=np.uint32)
    rates = varied.Runs(seeds, {'learning_rate': np.linspace(0.5, 1, runs) * settings.learning_rate})
    plain = trainer(experiment_of(case), strategy, seeds, case.steps[runs], case.every or 50)
    varying = varied.make_experiment(gan.make_experiment, settings, numbers(type(settings)))
    return ratios(plain, trainer(varying, strategy, rates, case.steps[runs], case.every or 50), repeats)


def remedies(post, repeats):
    """Prints the time of an iteration with each remedy as a multiple of the plain one, of the largest ensemble of SPEED."""
    changes = {name: {name: 0.1} for name in numbers(Remedies)} | {'spectral_norm': {'spectral_norm': True}}
    changes['instance_noise']['noise_steps'] = 1000
    print('\ntime of an iteration over that of the plain one: ' + ', '.join(changes))
    for name in contract.NAMES if post is None else [post]:
        case = chosen(name)[0]
        runs = max(case.steps)
        strategy, seeds = distribution.make_strategy('cpu', runs), np.arange(runs, dtype=np.uint32)
        experiments = [experiment_of(case, **change) for change in ({}, *changes.values())]
        steps, every = max(case.steps[runs] // 4, 1), case.every or 50
        plain, *others = (trainer(experiment, strategy, seeds, steps, every) for experiment in experiments)
        times = [statistics.median(ratios(other, plain, repeats)) for other in others]
        print(f'  {case.title:40} {", ".join(f"{time:.2f}" for time in times)}, {runs:,} runs', flush=True)


def startup(_post, repeats):
    """Prints how long a whole command takes, as a multiple of a bare import of TensorFlow."""

    def python(*arguments):
        return seconds(lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT))

    with tempfile.TemporaryDirectory() as scratch:
        whole = ['-m', 'reproductions.aylien', '--variant=2017-06', f'--output_dir={scratch}']
        pairs = [(python('-c', 'import tensorflow'), python(*whole)) for _ in range(repeats)]
    bare, whole = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f'\nimport tensorflow {bare:.1f} s; the whole command with its figure {whole:.1f} s: {whole / bare:.1f} times')


MEASUREMENTS = {each.__name__: each for each in (throughput, scaling, memory, pieces, sweep, remedies, startup)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', nargs='*', help=f'{", ".join(MEASUREMENTS)} (default: throughput)')
    parser.add_argument('--post', choices=sorted({case.post for case in CASES}), help='measure only this post')
    parser.add_argument('--repeats', type=int, default=3, help='measurements of each number; the median is printed (default 3)')
    arguments = parser.parse_args()
    for what in arguments.what or ['throughput']:
        if what not in MEASUREMENTS:
            parser.error(f'{what!r} is not one of {", ".join(MEASUREMENTS)}')
        MEASUREMENTS[what](arguments.post, arguments.repeats)


if __name__ == '__main__':
    main()
