"""Speed of the posts' GANs, as ratios to the posts' way of running, measured in the same invocation.

  python scripts/benchmark.py                     the baseline, one run, 1,024 runs, of every post
  python scripts/benchmark.py --post=jang         of one post
  python scripts/benchmark.py memory              peak memory at 1,024 runs x 5,000 steps and at 10,000 runs (Aylien), and MNIST
  python scripts/benchmark.py scaling             rate and memory for 1 to 65,536 runs, on one device and over two (Aylien)
  python scripts/benchmark.py pieces              what an update spends its time on, at 200 runs (Dev Nag)
  python scripts/benchmark.py startup             the whole command beside `python -c "import tensorflow"` (Aylien)

The baseline is one `session.run` with a feed an update (session_loop.py), in a process of its own; for Dev Nag's post a plain
PyTorch loop on one thread (torch_loop.py), where PyTorch is installed; they are in baselines/. Each number is the median of
--repeats, and the baseline is measured before and after, so that a change of the machine's speed shows. If JAX is installed,
Aylien's GAN as jit(vmap(scan)) is measured too (jax_gan.py). MNIST's is also measured as a plain Keras loop (keras_loop.py) and
in PyTorch, and as a share of the rate of large matrix products (the mean of what they do after the suite's one run and at the
end), and beside its own products alone. Not measured on a GPU.
"""

import argparse
import importlib.util
import itertools
import json
import statistics
import subprocess
import sys
import time

from checkout import ROOT

from reproductions import posts

HERE = ROOT / 'scripts'
CASES = [case for name in posts.NAMES for case in posts.part(name, 'comparison').SPEED]
HAS_TORCH = importlib.util.find_spec('torch') is not None


def in_process(*command):
    """The JSON that a Python script prints on its last line."""
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


def ours(case, runs, name, repeats):
    """Seed-steps/s of the suite's own loop with its records on the way, median of the repeats.

    Like the baseline it is compiled and initialised before the clock starts. `name` is that of the strategy: a compiled loop of
    large batches keeps one core busy, and `mirrored` shares the runs out over two logical devices and so over two cores.
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
    """The rate of products of 1,024 x 1,024 matrices in single precision, the faster of NumPy's and TensorFlow's, in flop/s."""
    import numpy as np
    import tensorflow as tf

    def rate(a):
        start = time.perf_counter()
        for _ in range(20):
            b = a @ a
        np.asarray(b)
        return 20 * 2 * 1024**3 / (time.perf_counter() - start)

    a = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    return max(statistics.median(rate(matrix) for _ in range(5)) for matrix in (a, tf.constant(a)))


def perceptron_products(batch, d_widths, g_widths):
    """The matrix products that an iteration needs: [(form, rows, inner, columns)], `form` as `products_alone` has it.

    D's update: forward ('NN') over real and generated images in one pass, the gradients by its weights ('NT') and by what its
    layers are given ('TN'), but not by the images. G's: forward once for both updates, D forward, the gradient by D's inputs,
    and those of G, but none by the noise.
    """

    def forward(widths, columns):
        return [('NN', b, a, columns) for a, b in itertools.pairwise(widths)]

    def by_weights(widths, columns):
        return [('NT', b, columns, a) for a, b in itertools.pairwise(widths)]

    def by_inputs(widths, columns):
        return [('TN', a, b, columns) for a, b in itertools.pairwise(widths)]

    update_d = forward(d_widths, 2 * batch) + by_weights(d_widths, 2 * batch) + by_inputs(d_widths[1:], 2 * batch)
    update_g = forward(g_widths, batch) + forward(d_widths, batch) + by_inputs(d_widths, batch)
    return update_d + update_g + by_weights(g_widths, batch) + by_inputs(g_widths[1:], batch)


def products_alone(products, repeats, times=100):
    """Steps/s if a step were nothing but its matrix products, compiled by XLA and independent of each other.

    A yardstick and no bound: in a step products share operands, which are then in the caches. A form is the two operands' in
    turn: N for [rows, inner] and [inner, columns], T for the transposed.
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
        def body(k, left, before):
            del before
            found = [
                tf.matmul(a, b, transpose_a=form[0] == 'T', transpose_b=form[1] == 'T')
                for a, b, (form, *_) in zip(left, right, products, strict=True)
            ]
            # the operands change a little, so that no product is hoisted out of the loop
            left = [tf.tensor_scatter_nd_update(a, [[0, 0]], [1e-9 * c[0, 0]]) for a, c in zip(left, found, strict=True)]
            return k + 1, left, found

        nothing = [tf.zeros([rows, columns]) for _, rows, _, columns in products]
        return tf.while_loop(lambda k, *_: k < times, body, (tf.constant(0), left, nothing))[2]

    def rate():
        start = time.perf_counter()
        repeated(left, right)[0].numpy()
        return times / (time.perf_counter() - start)

    rate()
    return statistics.median(rate() for _ in range(repeats))


def throughput(post, repeats):
    """Prints the table of ratios."""
    has_jax = importlib.util.find_spec('jax') is not None
    for case in CASES:
        if post not in (None, case.post):
            continue
        script, *flags = start = case.torch if case.torch and HAS_TORCH else case.baseline
        products = perceptron_products(*case.perceptrons) if case.perceptrons else []
        flops = sum(2 * rows * inner * columns for _, rows, inner, columns in products)
        before = in_process(HERE / script, *flags)['steps_per_second']
        rows, peaks = {}, []
        for runs in case.steps:
            rows[f'suite, {runs:,} run{"s" * (runs > 1)}'] = ours(case, runs, 'cpu', repeats)
            if products and runs == 1:
                peaks.append(matmul_flops())  # not before: it would fix TensorFlow's devices
        most = max(case.steps)
        rows[f'suite, {most:,} runs, 2 logical devices'] = ours(case, most, 'mirrored', repeats)
        if has_jax and case.jax:
            jax, *jax_flags = case.jax
            for runs, steps in case.steps.items():
                sizes = [f'--runs={runs}', f'--steps={steps}', f'--repeats={repeats}']
                rate = in_process(HERE / jax, *sizes, *jax_flags)['seed_steps_per_second']
                rows[f'JAX jit(vmap(scan)), {runs:,} run{"s" * (runs > 1)}'] = rate
        for other, *flags_of_other in case.others:
            if 'torch' in other and not HAS_TORCH:
                continue
            rows[' '.join((other, *flags_of_other))] = in_process(HERE / other, *flags_of_other)['steps_per_second']
        if products:
            rows['the matrix products of the suite alone'] = products_alone(products, repeats)
            peaks.append(matmul_flops())
        after = in_process(HERE / script, *flags)['steps_per_second']
        baseline = statistics.mean((before, after))
        peak = statistics.mean(peaks) if peaks else None
        print(f'\n{case.title}, {case.updates} updates a step: seed-steps/s, and times the baseline')
        label = 'PyTorch, one thread' if start == case.torch else 'session.run an update'
        print(f'  {label:38} {baseline:12,.0f} {1:8.0f}   ({before:,.0f} before, {after:,.0f} after)')
        for name, rate in rows.items():
            share = f'   {rate * flops / peak:.0%} of the rate of matrix products' if peaks else ''
            print(f'  {name:38} {rate:12,.0f} {rate / baseline:8.{2 if products else 0}f}{share}', flush=True)
        if peaks:
            rates = ' and '.join(f'{rate / 1e9:.0f}' for rate in peaks)
            print(f'  {flops / 1e9:.3f} Gflop a step; 1,024 x 1,024 products: {rates} Gflop/s')


def memory(post, repeats):
    """Prints the peak resident memory of whole commands, each run once."""
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
    """Prints seed-steps/s and peak memory against the number of runs, each in a process of its own (Aylien)."""
    del post
    found = {}
    print('\nAylien 2017-06 without minibatch discrimination: seed-steps/s, share of the best, peak memory')
    for name, label in (('cpu', 'one device'), ('mirrored', 'over two logical devices')):
        for runs in SCALES[name == 'mirrored' :]:
            steps = int(min(20_000, max(100, 4_000_000 // runs)))
            script = (
                f'import json, resource, sys\nsys.path.insert(0, {str(HERE)!r})\nimport benchmark\n'
                f'case = benchmark.CASES[0]._replace(steps={{{runs}: {steps}}})\n'
                f'rate = benchmark.ours(case, {runs}, {name!r}, {repeats})\n'
                'peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n'
                'print(json.dumps({"rate": rate, "peak": peak}))\n'
            )
            found[name, runs] = in_process('-c', script)
        best = max(cell['rate'] for (strategy, _), cell in found.items() if strategy == name)
        for runs in SCALES[name == 'mirrored' :]:
            rate, peak = found[name, runs]['rate'], found[name, runs]['peak']
            print(f'  {runs:6,} runs, {label:26} {rate:12,.0f} {rate / best:5.0%} {peak / 2**30:7.2f} GiB', flush=True)
        more = found[name, SCALES[-1]]['peak'] - found[name, SCALES[-2]]['peak']
        print(f'  from {SCALES[-2]:,} to {SCALES[-1]:,} runs: {more / (SCALES[-1] - SCALES[-2]) / 1000:.1f} kB a run')


def pieces(post, repeats):
    """Prints what the pieces of an update of Dev Nag's cost alone, each on numbers that lie ready as they do in the loop."""
    del post
    import numpy as np
    import tensorflow as tf

    from common.nn.random import Stream
    from reproductions.devnag import gan as devnag

    settings, runs, times = devnag.make_settings(), 200, 100
    seeds = tf.constant(np.arange(runs, dtype=np.uint32))
    g, d = devnag.init_generator(settings, seeds), devnag.init_discriminator(settings, seeds)
    hidden = tf.constant(np.random.default_rng(0).normal(size=(runs, 10, 500)), tf.float32)

    def loss_slopes(x):
        with tf.GradientTape() as tape:
            tape.watch(g)
            loss = devnag.loss_of_g(settings, d, g, x[:, :1])
        return tf.concat([tf.reshape(slope, [runs, -1]) for slope in tf.nest.flatten(tape.gradient(loss, g))], axis=1)

    measured = {
        '500 uniform numbers': lambda x, k: devnag.noise(seeds, Stream.NOISE_D, k, 500),
        '500 normal numbers': lambda x, k: devnag.real_samples(settings, seeds, k, 500),
        'ten tanh of 500': lambda x, k: tf.tanh(x),
        'moments of 500': lambda x, k: devnag.moments(x[:, :1]),
        'G forward': lambda x, k: devnag.generator(settings, g, x[:, :1]),
        "G's loss and its slopes": lambda x, k: loss_slopes(x),
    }
    print(f'\npieces of an update at {runs} runs, microseconds a run')
    for name, piece in measured.items():

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


def startup(post, repeats):
    """Prints how long the whole command takes, as a multiple of a bare import of TensorFlow."""
    del post

    def seconds(*arguments):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)
        return time.perf_counter() - start

    pairs = [
        (seconds('-c', 'import tensorflow'), seconds('-m', 'reproductions.aylien', '--variant=2017-06')) for _ in range(repeats)
    ]
    bare, whole = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f'\nimport tensorflow {bare:.1f} s; the whole command with its figure {whole:.1f} s: {whole / bare:.1f} times')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', nargs='*', help='throughput, scaling, memory, pieces, startup (default: throughput)')
    parser.add_argument('--post', choices=sorted({case.post for case in CASES}), help='throughput of this post only')
    parser.add_argument('--repeats', type=int, default=3, help='measurements of each number (default 3)')
    arguments = parser.parse_args()
    measurements = {'throughput': throughput, 'scaling': scaling, 'memory': memory, 'pieces': pieces, 'startup': startup}
    for what in arguments.what or ['throughput']:
        if what not in measurements:
            parser.error(f'{what!r} is none of {", ".join(measurements)}')
        measurements[what](arguments.post, arguments.repeats)


if __name__ == '__main__':
    main()
