"""Training speed of the posts' GANs, relative to how the posts ran them, measured in the same invocation.

  python scripts/benchmark.py                     throughput of every post: the baseline, one run, 1,024 runs
  python scripts/benchmark.py --post=jang         throughput of one post
  python scripts/benchmark.py memory              peak memory at 1,024 runs x 5,000 steps and at 10,000 runs (Aylien), and MNIST
  python scripts/benchmark.py scaling             throughput and memory for 1 to 65,536 runs, on one device and on two (Aylien)
  python scripts/benchmark.py pieces              what an update spends its time on, at 200 runs (Dev Nag)
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
import importlib.util
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from checkout import ROOT

from reproductions import posts

HERE = ROOT / 'scripts'
CASES = [case for name in posts.NAMES for case in posts.part(name, 'comparison').SPEED]
HAS_TORCH, HAS_JAX = (importlib.util.find_spec(name) is not None for name in ('torch', 'jax'))


def in_process(*command):
    """The JSON that a Python script prints on its last line."""
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


def suite_throughput(case, runs, name, repeats):
    """Seed-steps/s of the suite's own loop, recording included; the median of the repeats.

    Like the baseline it is compiled and initialized before the clock starts. `name` is the strategy's: a compiled loop keeps
    one core busy, and `mirrored` shards the runs over two logical devices and so over two cores.
    """
    import numpy as np

    from common import training
    from common.devices import distribution
    from reproductions import posts

    post = posts.part(case.post, 'gan')
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


def matmul_flops():
    """Throughput of 1,024 x 1,024 matrix products in single precision, in flop/s: the faster of NumPy and TensorFlow."""
    import numpy as np
    import tensorflow as tf

    def flops(a):
        start = time.perf_counter()
        for _ in range(20):
            b = a @ a
        np.asarray(b)
        return 20 * 2 * 1024**3 / (time.perf_counter() - start)

    a = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    return max(statistics.median(flops(matrix) for _ in range(5)) for matrix in (a, tf.constant(a)))


def perceptron_products(batch, d_widths, g_widths):
    """The matrix products that an iteration needs: [(form, rows, inner, columns)], with `form` as in `products_alone`.

    D's update: a forward pass ('NN') over real and generated images together, the gradients with respect to its weights ('NT')
    and to its layers' inputs ('TN'), except the images. G's update: one forward pass of G, which serves both updates, a forward
    pass of D, the gradient with respect to D's input, and G's gradients, except with respect to the noise.
    """

    def forward(widths, columns):
        return [('NN', b, a, columns) for a, b in itertools.pairwise(widths)]

    def weight_gradients(widths, columns):
        return [('NT', b, columns, a) for a, b in itertools.pairwise(widths)]

    def input_gradients(widths, columns):
        return [('TN', a, b, columns) for a, b in itertools.pairwise(widths)]

    update_d = forward(d_widths, 2 * batch) + weight_gradients(d_widths, 2 * batch) + input_gradients(d_widths[1:], 2 * batch)
    update_g = forward(g_widths, batch) + forward(d_widths, batch) + input_gradients(d_widths, batch)
    return update_d + update_g + weight_gradients(g_widths, batch) + input_gradients(g_widths[1:], batch)


def products_alone(products, repeats, times=100):
    """Steps/s if a step were nothing but its matrix products, compiled by XLA and independent of each other.

    A yardstick, not a bound: within a step, products share operands, which are then in the caches. A form has one letter per
    operand: N for [rows, inner] and [inner, columns], T for their transposes.
    """
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)

    def operand(letter, rows, columns):
        return tf.constant(rng.normal(size=(rows, columns) if letter == 'N' else (columns, rows)), tf.float32)

    left = [operand(form[0], rows, inner) for form, rows, inner, _ in products]
    right = [operand(form[1], inner, columns) for form, _, inner, columns in products]

    @tf.function(jit_compile=True, autograph=False)
    def repeated(left, right):
        def body(k, left, previous):
            del previous
            results = [
                tf.matmul(a, b, transpose_a=form[0] == 'T', transpose_b=form[1] == 'T')
                for a, b, (form, *_) in zip(left, right, products, strict=True)
            ]
            # the operands change slightly, so that no product is hoisted out of the loop
            left = [tf.tensor_scatter_nd_update(a, [[0, 0]], [1e-9 * c[0, 0]]) for a, c in zip(left, results, strict=True)]
            return k + 1, left, results

        zeros = [tf.zeros([rows, columns]) for _, rows, _, columns in products]
        return tf.while_loop(lambda k, *_: k < times, body, (tf.constant(0), left, zeros))[2]

    def steps_per_second():
        start = time.perf_counter()
        repeated(left, right)[0].numpy()
        return times / (time.perf_counter() - start)

    steps_per_second()
    return statistics.median(steps_per_second() for _ in range(repeats))


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


PIECES_RUNS, PIECES_TIMES = 200, 100


def pieces_of_devnag():
    """{name: function of (x, update)}: the pieces of an update, x being the activations of a hidden unit, [runs, 10, 500]."""
    import numpy as np
    import tensorflow as tf

    from common.nn.random import Stream
    from reproductions.devnag import gan as devnag

    settings, seeds = devnag.make_settings(), tf.constant(np.arange(PIECES_RUNS, dtype=np.uint32))
    g, d = devnag.init_generator(settings, seeds), devnag.init_discriminator(settings, seeds)

    def loss_gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(g)
            loss = devnag.loss_of_g(settings, d, g, x[:, :1])
        gradients = tf.nest.flatten(tape.gradient(loss, g))
        return tf.concat([tf.reshape(gradient, [PIECES_RUNS, -1]) for gradient in gradients], axis=1)

    return {
        '500 uniform samples': lambda x, k: devnag.noise(settings, seeds, Stream.NOISE_D, k, 500),
        '500 normal samples': lambda x, k: devnag.real_samples(settings, seeds, k, 500),
        'ten tanh of 500': lambda x, k: tf.tanh(x),
        'moments of 500': lambda x, k: devnag.moments(x[:, :1]),
        'G forward': lambda x, k: devnag.generator(settings, g, x[:, :1]),
        "G's loss and its gradients": lambda x, k: loss_gradients(x),
    }


def pieces(post, repeats):
    """Prints what each piece of one of Dev Nag's updates costs alone, on inputs that are in memory as they are in the loop."""
    del post
    import numpy as np
    import tensorflow as tf

    hidden = tf.constant(np.random.default_rng(0).normal(size=(PIECES_RUNS, 10, 500)), tf.float32)
    print(f'\npieces of an update at {PIECES_RUNS} runs, microseconds per run')
    for name, piece in pieces_of_devnag().items():

        @tf.function(jit_compile=True, autograph=False)
        def repeated(x, piece=piece):
            def body(k, x, previous):
                del previous
                result = piece(x, k)
                x += 1e-6 * tf.reshape(result, [PIECES_RUNS, -1])[:, :1, None]  # so that no piece is hoisted out of the loop
                return k + 1, x, result

            return tf.while_loop(lambda k, *_: k < PIECES_TIMES, body, (tf.constant(0), x, tf.zeros_like(piece(x, 0))))[2]

        def seconds(repeated=repeated):
            start = time.perf_counter()
            repeated(hidden).numpy()
            return time.perf_counter() - start

        seconds()
        median = statistics.median(seconds() for _ in range(repeats))
        print(f'  {name:26} {median / PIECES_TIMES / PIECES_RUNS * 1e6:6.2f}')


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
    parser.add_argument('what', nargs='*', help='throughput, scaling, memory, pieces, startup (default: throughput)')
    parser.add_argument('--post', choices=sorted({case.post for case in CASES}), help='measure only this post')
    parser.add_argument('--repeats', type=int, default=3, help='measurements of each number; the median is printed (default 3)')
    arguments = parser.parse_args()
    measurements = {'throughput': throughput, 'scaling': scaling, 'memory': memory, 'pieces': pieces, 'startup': startup}
    for what in arguments.what or ['throughput']:
        if what not in measurements:
            parser.error(f'{what!r} is not one of {", ".join(measurements)}')
        measurements[what](arguments.post, arguments.repeats)


if __name__ == '__main__':
    main()
