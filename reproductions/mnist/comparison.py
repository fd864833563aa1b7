"""The MNIST post in the suite's accepted numbers, the report and the benchmark."""

import json
import pathlib

import numpy as np

from common.storage import files
from reproductions import overview
from reproductions.contract import Case, Job, Shown, Speed, Trial
from reproductions.mnist import dataset, gan
from reproductions.mnist.settings import CLAIM_STEPS, HELD_OUT, VARIANTS, make_settings
from reproductions.report import FULL

CASES = tuple(  # the listing without outcomes: all seeds collapse alike
    Case('mnist', variant, variant, make_settings(variant), None, ()) for variant in VARIANTS
)
SPEED = (
    Speed(
        'MNIST', 'mnist', {}, {1: 1000, 8: 100}, ('baselines/session_loop.py', '--post=mnist', '--steps=600'),
        others=(
            *(('baselines/keras_loop.py', f'--how={how}') for how in ('train_on_batch', 'function', 'eager')),
            ('baselines/torch_loop.py', '--post=mnist', '--steps=100'),
        ),
        every=50,  # as in the command, whose compiled calls take 400 seed-iterations
        arguments=lambda: (random_digits(55_000),),
        perceptrons=(128, (784, 500, 200, 1), (100, 200, 500, 784)),
    ),
    Speed(
        'MNIST 2018-06', 'mnist', {'variant': '2018-06'}, {1: 4000, 16: 400},
        ('baselines/session_loop.py', '--post=mnist', '--conditional', '--steps=1500'),
        every=25,  # as in the command with 16 runs
        arguments=lambda: (random_digits(55_000),),
        perceptrons=(128, (794, 128, 1), (110, 128, 784)),
    ),
)  # fmt: skip


def random_digits(count: int) -> dataset.Digits:
    """Training digits of random pixels, so many beside those held out; their content does not affect the speed."""
    rng, total = np.random.default_rng(0), count * HELD_OUT // (HELD_OUT - 1)
    images, labels = rng.integers(256, size=(total, 784), dtype=np.uint8), rng.integers(10, size=total, dtype=np.uint8)
    return dataset.Digits(images, labels, images[:10], labels[:10], dataset.UNKNOWN, '')


def in_proportion(settings: gan.Settings, digits: dataset.Digits) -> str:
    """A line that puts a single-seed run in proportion: the accepted outcomes of the post on MNIST; '' for other runs."""
    if settings != make_settings() or digits.name != 'MNIST':
        return ''
    collapsed = overview.recorded_claims()['mnist'][0]['measured']['collapsed at the end (half of the digits of one class)']
    seeds = f'{collapsed["value"] * collapsed["n"]:.0f} of the {collapsed["n"]} accepted seeds'
    return f'{seeds} of these settings end collapsed, after {CLAIM_STEPS:,} iterations; the committed figure shows --seed=0'


TRIAL = Trial(
    {'num_steps': 1000},  # the listing has collapsed by then; what draws digits is on its way
    one_in=60,
    tried=2,
    strengths={'instance_noise': (0.1, 0.3, 1), 'gradient_penalty': (0.1, 1, 10), 'dragan': (0.1, 1, 10)},
)


def short(scratch: pathlib.Path) -> list[str]:
    """Flags for a training run that takes seconds, on 380 of the bundled digits, which it writes to `scratch`."""
    digits, arrays = dataset.bundled(), {}
    for kind, count in (('train', 300), ('test', 80)):
        labels = getattr(digits, f'y_{kind}')
        rows = np.sort(np.concatenate([np.flatnonzero(labels == k)[: count // 10] for k in range(10)]))
        arrays |= {f'x_{kind}': getattr(digits, f'x_{kind}')[rows].reshape(-1, 28, 28), f'y_{kind}': labels[rows]}
    files.write_npz(scratch / 'few.npz', arrays)
    return [f'--data={scratch / "few.npz"}', '--num_steps=40', '--batch_size=16', '--eval_every=4']


def jobs(runs: int, data: str) -> list[Job]:
    """The report's commands, on a short schedule except in the full report."""
    digits, full = f'--data={data}', runs >= FULL
    short = () if full else ('--runs=2', '--num_steps=1500', '--eval_every=250')
    gentle = ('--learning_rate=0.0002', '--beta1=0.5', f'--num_steps={20000 if full else 3000}')
    drawn = f'--num_steps={20000 if full else 3000}'
    return [
        Job('mnist', 'claims', ('--claims', digits, '--animation', *short), 7000 if full else 70, {
            'figure.png': 'A hundred digits of one seed after training',
            'progress.png': 'The same ten noise vectors during training',
            'quality.png': 'What the evaluations found, one line per seed',
            'animation.gif': 'The training of one seed',
        }),
        Job('mnist', 'gentle', (digits, '--runs=1', '--eval_every=500', *gentle), 400 if full else 70, {
            'figure.png': 'The same networks trained more gently',
            'progress.png': 'The same ten noise vectors during that training',
        }),
        Job('mnist', '2018-06', ('--variant=2018-06', digits, '--runs=1', '--eval_every=500', drawn), 120 if full else 40, {
            'figure.png': "The author's program 2018-06: a row for each digit asked for",
            'progress.png': 'Ten noise vectors during its training, asked for 0 to 9',
        }),
    ]  # fmt: skip


def shown(directory: pathlib.Path) -> list[Shown]:
    """What the report shows of the ensembles, with real digits from the claims job's references.json as targets."""
    path = directory / 'claims' / 'references.json'
    real = json.loads(path.read_text(encoding='utf-8')) if path.exists() else {'test': {}, 'training': {}}
    targets = {name: real['test'].get(name) for name in ('classes_covered', 'largest_share', 'score')}
    targets |= {'frechet': real['training'].get('frechet'), 'd_real': 0.5, 'd_fake': 0.5}
    words = {'claims': "the post's training", 'gentle': 'more gently', '2018-06': '2018-06'}
    return [Shown(job, setting, targets, {'d_real': '0.5', 'd_fake': '0.5'}) for job, setting in words.items()]
