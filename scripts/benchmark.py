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
import functools
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np
from checkout import ROOT
from pieces import matmul_flops, perceptron_products, pieces, products_alone

from common import training, varied
from common.devices import distribution
from common.settings import REMEDY_NUMBERS
from reproductions import contract

HERE = ROOT / 'scripts'
CASES = [case for name in contract.NAMES for case in contract.part(name, 'comparison').SPEED]
HAS_TORCH, HAS_JAX = (importlib.util.find_spec(name) is not None for name in ('torch', 'jax'))


def in_process(*command):
    """The JSON that a Python script prints on its last line. Ends the benchmark with what the script says if it fails."""
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, encoding='utf-8', cwd=ROOT)
    if done.returncode:
        raise SystemExit(f'{done.stderr}{" ".join(map(str, command))} failed with status {done.returncode}')
    return json.loads(done.stdout.splitlines()[-1])


def suite_throughput(case, runs, name, repeats):
    """Seed-steps/s of the suite's own loop, recording included; the median of the repeats.

    Like the baseline it is compiled and initialized before the clock starts. `name` is the strategy's: a compiled loop keeps
    one core busy, and `mirrored` shards the runs over two logical devices and so over two cores.
    """
    post = contract.part(case.post, 'gan')
    strategy = distribution.make_strategy(name, runs, logical_devices=2)
    settings = post.make_settings(**case.settings)
    experiment = post.make_experiment(settings, *case.arguments())
    seeds = np.arange(runs, dtype=np.uint32)
    every = case.every or (10 if runs == 1 else 50)
    state = training.initial_state(experiment, strategy, seeds)

    def train():
        start = time.perf_counter()
        calls = list(training.train(experiment, strategy, seeds, case.steps[runs], every, state))
        distribution.to_host(strategy, calls[-1][0])
        return runs * case.steps[runs] / (time.perf_counter() - start)

    train()
    return statistics.median(train() for _ in range(repeats))


# --- throughput ---------------------------------------------------------------------------------------------------------------


class Throughput(NamedTuple):
    """What was measured for a case, in steps/s: of one run for the baselines, summed over all runs otherwise."""

    baseline: tuple[float, float]  # before everything else and after it
    others: dict[str, float]  # {label: steps/s}
    matmul: list[float]  # flop/s of large matrix products, for the cases that depend on them


def throughput(post, repeats):
    """Prints, for each case, the throughput and its ratio to the baseline."""
    for case in CASES:
        if post in (None, case.post):
            products = perceptron_products(*case.perceptrons) if case.perceptrons else []
            print_throughput(case, products, measure(case, products, repeats))


def measure(case, products, repeats):
    """`Throughput` of a case whose step makes these matrix products (none: they do not matter)."""
    script, *flags = baseline_command(case)
    before = in_process(HERE / script, *flags)['steps_per_second']
    others, matmul = {}, []
    for runs in case.steps:
        others[f'suite, {runs_label(runs)}'] = suite_throughput(case, runs, 'cpu', repeats)
        if products and runs == 1:
            matmul.append(matmul_flops())  # not earlier: it would fix TensorFlow's devices
    most = max(case.steps)
    others[f'suite, {most:,} runs, 2 logical devices'] = suite_throughput(case, most, 'mirrored', repeats)
    others |= other_frameworks(case, repeats)
    if products:
        others["the suite's matrix products alone"] = products_alone(products, repeats)
        matmul.append(matmul_flops())
    after = in_process(HERE / script, *flags)['steps_per_second']
    return Throughput((before, after), others, matmul)


def baseline_command(case):
    """(script, flags...) of a case's baseline: in PyTorch, if the post was and it is installed."""
    return case.torch if case.torch and HAS_TORCH else case.baseline


def runs_label(runs):
    return f'{runs:,} run{"s" * (runs > 1)}'


def other_frameworks(case, repeats):
    """{label: steps/s} of the case in JAX, Keras and PyTorch, as far as it is written in them and they are installed."""
    found = {}
    if HAS_JAX and case.jax:
        script, *flags = case.jax
        for runs, steps in case.steps.items():
            sizes = [f'--runs={runs}', f'--steps={steps}', f'--repeats={repeats}']
            result = in_process(HERE / script, *sizes, *flags)
            found[f'JAX jit(vmap(scan)), {runs_label(runs)}'] = result['seed_steps_per_second']
    for script, *flags in case.others:
        if HAS_TORCH or 'torch' not in script:
            found[' '.join((script, *flags))] = in_process(HERE / script, *flags)['steps_per_second']
    return found


def print_throughput(case, products, measured):
    """Prints the table of a case."""
    baseline = statistics.mean(measured.baseline)
    before, after = measured.baseline
    print(f'\n{case.title}, {case.updates} updates per step: seed-steps/s, and ratio to the baseline')
    label = 'PyTorch, one thread' if baseline_command(case) == case.torch else 'one session.run per update'
    print(f'  {label:38} {baseline:12,.0f} {1:8.0f}   ({before:,.0f} before, {after:,.0f} after)')
    flops = sum(2 * rows * inner * columns for _, rows, inner, columns in products)
    for name, steps_per_second in measured.others.items():
        line = f'  {name:38} {steps_per_second:12,.0f} {steps_per_second / baseline:8.{2 if products else 0}f}'
        if measured.matmul:
            line += f'   {steps_per_second * flops / statistics.mean(measured.matmul):.0%} of the matrix product throughput'
        print(line, flush=True)
    if measured.matmul:
        gflops = ' and '.join(f'{value / 1e9:.0f}' for value in measured.matmul)
        print(f'  {flops / 1e9:.3f} Gflop per step; 1,024 x 1,024 products: {gflops} Gflop/s')


# --- memory, scaling, pieces, startup -----------------------------------------------------------------------------------------


def memory(post, repeats):
    """Prints the peak resident memory of whole commands, each of which is run once."""
    del repeats
    flags = {'aylien': ['--variant=2017-06', '--log_every=50'], 'mnist': ['--eval_every=500']}
    sizes = {'aylien': ((1, 5000), (1024, 5000), (10_000, 500)), 'mnist': ((1, 1000), (8, 100))}
    print('\npeak memory of the whole command')
    for name, (runs, steps) in [(name, size) for name, all_sizes in sizes.items() for size in all_sizes]:
        if post not in (None, name):
            continue
        script = (
            'import resource, sys, tempfile, time\nfrom common.program import cli\n'
            f'from reproductions.{name} import __main__ as post\n'
            'with tempfile.TemporaryDirectory() as path:\n'
            '    start = time.perf_counter()\n'
            f'    sizes = ["--runs={runs}", "--num_steps={steps}", f"--output_dir={{path}}"]\n'
            f'    cli.call(post.main, ["{name}", *sizes, *{flags[name]}])\n'
            'peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20\n'
            'print(f\'{{"gib": {peak}, "seconds": {time.perf_counter() - start}}}\')\n'
        )
        found = in_process('-c', script)
        print(f'  {name}, {runs:6,} runs x {steps:,} steps: {found["gib"]:.2f} GiB, {found["seconds"]:.1f} s after the imports')


SCALES = (1, 16, 256, 4096, 65_536)


def scaling(post, repeats):
    """Prints seed-steps/s and peak memory for increasing numbers of runs, each in a process of its own (Aylien)."""
    del post
    found = {}
    print('\nAylien 2017-06 without minibatch discrimination: seed-steps/s, fraction of the best, peak memory')
    for name, label in (('cpu', 'one device'), ('mirrored', 'on two logical devices')):
        for runs in SCALES[name == 'mirrored' :]:
            steps = int(min(20_000, max(100, 4_000_000 // runs)))
            script = (
                f'import json, resource, sys\nsys.path.insert(0, {str(HERE)!r})\nimport benchmark\n'
                f'case = benchmark.CASES[0]._replace(steps={{{runs}: {steps}}})\n'
                f'throughput = benchmark.suite_throughput(case, {runs}, {name!r}, {repeats})\n'
                'peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n'
                'print(json.dumps({"throughput": throughput, "peak": peak}))\n'
            )
            found[name, runs] = in_process('-c', script)
        best = max(cell['throughput'] for (strategy, _), cell in found.items() if strategy == name)
        for runs in SCALES[name == 'mirrored' :]:
            speed, peak = found[name, runs]['throughput'], found[name, runs]['peak']
            print(
                f'  {runs:6,} runs, {label:26} {speed:12,.0f} {speed / best:5.0%} {peak / 2**30:7.2f} GiB',
                flush=True,
            )
        more = found[name, SCALES[-1]]['peak'] - found[name, SCALES[-2]]['peak']
        print(f'  from {SCALES[-2]:,} to {SCALES[-1]:,} runs: {more / (SCALES[-1] - SCALES[-2]) / 1000:.1f} kB per run')


def sweep(post, repeats):
    """Prints the seed-steps/s of 1,024 runs that differ in a number, over those of 1,024 plain runs (every 1-D post).

    Each is measured in turn, `repeats` times, so that the machine's changes of speed fall on both. Then a whole sweep of
    Aylien's GAN over 65,536 runs, 32 x 32 cells of 64 seeds, in a process of its own: seconds and peak memory.
    """
    print('\nthroughput of 1,024 runs with a learning rate each over that of 1,024 plain runs (quartiles)')
    for case in CASES:
        if case.post == 'mnist' or post not in (None, case.post):
            continue
        ratios = sweep_ratios(case, max(case.steps), repeats)
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        print(f'  {case.title:40} {middle:5.2f} ({low:.2f} .. {high:.2f}), {max(case.steps):,} runs', flush=True)
    if post in (None, 'aylien'):
        print_large_sweep()


def sweep_ratios(case, runs, repeats):
    """Throughput with `runs` learning rates over that with one, measurement by measurement."""
    gan, precision = contract.part(case.post, 'gan'), contract.part(case.post, 'settings').NUMBERS
    strategy, settings = distribution.make_strategy('cpu', runs), gan.make_settings(**case.settings)
    seeds = np.arange(runs, dtype=np.uint32)
    rates = varied.Runs(seeds, {'learning_rate': np.linspace(0.5, 1, runs) * settings.learning_rate})
    plain = functools.partial(seconds, case, strategy, gan.make_experiment(settings), seeds, case.steps[runs])
    varying = varied.make_experiment(gan.make_experiment, settings, precision)
    return ratios(plain, functools.partial(seconds, case, strategy, varying, rates, case.steps[runs]), repeats)


def seconds(case, strategy, experiment, seeds, steps):
    """Wall-clock time of a training."""
    start = time.perf_counter()
    calls = list(training.train(experiment, strategy, seeds, steps, case.every or 50))
    distribution.to_host(strategy, calls[-1][0])
    return time.perf_counter() - start


def ratios(one, other, repeats):
    """Time of `one` over that of `other`, measured in turn after both have compiled."""
    one(), other()
    return [one() / other() for _ in range(repeats)]


def remedies(post, repeats):
    """Prints the time of an iteration with each remedy as a multiple of the plain one, of the largest ensemble of SPEED."""
    changes = {name: {name: 0.1} for name in REMEDY_NUMBERS} | {'spectral_norm': {'spectral_norm': True}}
    changes['instance_noise']['noise_steps'] = 1000
    print('\ntime of an iteration over that of the plain one: ' + ', '.join(changes))
    for name in contract.NAMES:
        if post not in (None, name):
            continue
        case, gan = next(case for case in CASES if case.post == name), contract.part(name, 'gan')
        runs = max(case.steps)
        strategy, seeds, found = distribution.make_strategy('cpu', runs), np.arange(runs, dtype=np.uint32), []
        steps = max(case.steps[runs] // 4, 1)
        for change in ({}, *changes.values()):
            experiment = gan.make_experiment(gan.make_settings(**case.settings | change), *case.arguments())
            found.append(functools.partial(seconds, case, strategy, experiment, seeds, steps))
        plain, *others = found
        times = [statistics.median(ratios(other, plain, repeats)) for other in others]
        print(f'  {case.title:40} {", ".join(f"{time:.2f}" for time in times)}, {runs:,} runs', flush=True)


def print_large_sweep():
    """Runs the sweep of 65,536 runs, of 100 steps each."""
    lines = [
        'import json, resource, tempfile, time',
        'from reproductions.sweeps import command',
        'start = time.perf_counter()',
        'vary = ["--vary=learning_rate=0.0005..0.5:32", "--vary=decay=0.5..1:32:linear"]',
        'short = ["--runs=64", "--num_steps=100", "--pretrain_steps=0"]',
        'with tempfile.TemporaryDirectory() as path:',
        '    command.main(["aylien", *vary, *short, f"--output_dir={path}"])',
        'peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20',
        'print(json.dumps({"gib": peak, "seconds": time.perf_counter() - start}))',
    ]
    found = in_process('-c', '\n'.join(lines))
    print(f'  a whole sweep of 65,536 runs x 100 steps: {found["seconds"]:.0f} s, {found["gib"]:.2f} GiB')


def startup(post, repeats):
    """Prints how long a whole command takes, as a multiple of a bare import of TensorFlow."""
    del post

    def seconds(*arguments):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)
        return time.perf_counter() - start

    with tempfile.TemporaryDirectory() as scratch:
        command = ['-m', 'reproductions.aylien', '--variant=2017-06', f'--output_dir={scratch}']
        pairs = [(seconds('-c', 'import tensorflow'), seconds(*command)) for _ in range(repeats)]
    bare, whole = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f'\nimport tensorflow {bare:.1f} s; the whole command with its figure {whole:.1f} s: {whole / bare:.1f} times')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'what', nargs='*', help='throughput, scaling, memory, pieces, sweep, remedies, startup (default: throughput)'
    )
    parser.add_argument('--post', choices=sorted({case.post for case in CASES}), help='measure only this post')
    parser.add_argument('--repeats', type=int, default=3, help='measurements of each number; the median is printed (default 3)')
    arguments = parser.parse_args()
    measurements = {'throughput': throughput, 'scaling': scaling, 'memory': memory, 'pieces': pieces}
    measurements |= {'sweep': sweep, 'remedies': remedies, 'startup': startup}
    for what in arguments.what or ['throughput']:
        if what not in measurements:
            parser.error(f'{what!r} is not one of {", ".join(measurements)}')
        measurements[what](arguments.post, arguments.repeats)


if __name__ == '__main__':
    main()
