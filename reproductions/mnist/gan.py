"""The GAN of the MNIST post, meant to be read beside it.

A conditional GAN differs in one thing: the label of a digit, as ten numbers of which one is 1, follows the noise for G and the
pixels for D.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from common import remedies, training
from common.compiled import compiled
from common.evaluation import outcomes
from common.nn import layers, losses, minibatch, optimizers, random
from common.nn.random import Stream
from common.storage.saved_model import Labels
from reproductions.mnist import dataset, quality
from reproductions.mnist.settings import CALL, CLASSES, GROUP, MOST_BETWEEN, Settings

# --- Data, noise and labels ---------------------------------------------------------------------------------------------------


def batch_of(
    settings: Settings, digits: tuple[tf.Tensor, tf.Tensor], seeds: tf.Tensor, step: tf.Tensor, stream: Stream
) -> tuple[tf.Tensor, tf.Tensor]:
    """What D and G are given in an update, (x, z), with the labels of the real digits in both if they are conditional.

    `digits` are images uint8 [n, 784] and labels uint8 [n], `stream` is that of the noise. x: digits in 0 .. 1,
    [runs, 784 or 794, batch]; z: noise, [runs, 100 or 110, batch].
    """
    images, classes = digits
    indices = dataset.batch_indices(settings.batch_size, seeds, step, images.shape[0])
    x = tf.cast(tf.transpose(tf.gather(images, indices), [0, 2, 1]), tf.float32) / 255
    z = noise(settings, seeds, stream, step)
    if not settings.conditional:
        return x, z
    asked = tf.gather(classes, indices)
    return dataset.with_labels(x, asked), dataset.with_labels(z, asked)


def noise(settings: Settings, seeds: tf.Tensor, stream: Stream, step: tf.Tensor, count: int | None = None) -> tf.Tensor:
    """U(-1, 1) * `noise_range`, [runs, 100, count]; a larger `count` (default: the batch size) starts with the same columns."""
    size, count = settings.g_widths[0] - CLASSES * settings.conditional, count or settings.batch_size
    signed = 2 * random.uniform(seeds, stream, step, count * size) - 1
    return settings.noise_range * tf.transpose(tf.reshape(signed, [-1, count, size]), [0, 2, 1])


def requests(settings: Settings, seeds: tf.Tensor, stream: Stream, step: tf.Tensor, count: int) -> tf.Tensor:
    """Noise for G outside training, [runs, 100 or 110, count]; a conditional G is asked for 0, 1, ... 9, 0, 1, ... in turn."""
    z = noise(settings, seeds, stream, step, count)
    if not settings.conditional:
        return z
    return dataset.with_labels(z, tf.tile((tf.range(count) % CLASSES)[None], [z.shape[0], 1]))


def labels(settings: Settings) -> Labels:
    """How a conditional G is told what to generate."""
    return Labels(dataset.with_labels, CLASSES)


# --- Networks -----------------------------------------------------------------------------------------------------------------


def init_mlp(settings: Settings, widths: tuple[int, ...], seeds: tf.Tensor, stream: Stream) -> tuple[layers.Linear, ...]:
    """Linear layers with weights N(0, 2 / inputs), which the post calls Xavier and which are He's (2015), and biases 0.

    With `settings.glorot` the weights are N(0, 2 / (inputs + outputs)) (Glorot & Bengio 2010, equation 16).
    """
    pairs = list(itertools.pairwise(widths))
    linears = layers.normal_linears(seeds, stream, [(outputs, inputs) for inputs, outputs in pairs])
    scales = [np.float32(np.sqrt(2 / (inputs + outputs * settings.glorot))) for inputs, outputs in pairs]
    own = tuple(layer._replace(w=layer.w * scale) for layer, scale in zip(linears, scales, strict=True))
    return layers.scaled(own, settings.init_scale)


def init_discriminator(settings: Settings, seeds: tf.Tensor) -> tuple[layers.Linear, ...]:
    """D: `init_mlp`; the layer of minibatch discrimination, if used, has random numbers of its own."""
    plain = init_mlp(settings, settings.d_widths, seeds, Stream.WEIGHTS_D)
    if not settings.minibatch:
        return plain
    *_, shape, (_, inputs) = minibatch.shapes(settings.d_widths[:-1])
    projection, last = layers.normal_linears(seeds, Stream.MINIBATCH, [shape, (1, inputs)])
    return (*plain[:-1], *layers.scaled([projection], minibatch.STDDEV), *layers.scaled([last], (2 / inputs) ** 0.5))


def activations(hidden: Any, x: tf.Tensor) -> list[tf.Tensor]:
    """x, then the relu outputs of hidden layers, a list of [runs, units, batch]."""
    return list(itertools.accumulate(hidden, lambda x, layer: tf.nn.relu(layers.dense(x, layer)), initial=x))


def generator(settings: Settings, g: Any, z: tf.Tensor) -> tf.Tensor:
    """Images, the sigmoid of a linear last layer: [runs, 100 or 110, batch] -> [runs, 784, batch] in 0 .. 1."""
    del settings  # the weights determine the widths
    return tf.sigmoid(layers.dense(activations(g[:-1], z)[-1], g[-1]))


def generated(settings: Settings, g: Any, z: tf.Tensor) -> tf.Tensor:
    """What D sees of G: its images, followed by the labels that it was asked for, [runs, 784 or 794, batch]."""
    images = generator(settings, g, z)
    return tf.concat([images, z[:, -CLASSES:]], axis=1) if settings.conditional else images


def discriminator(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """The probability that an image is real: [runs, 784 or 794, batch] -> [runs, 1, batch]."""
    return tf.sigmoid(discriminator_logits(settings, d, x))


def discriminator_logits(settings: Settings, d: Any, x: tf.Tensor) -> tf.Tensor:
    """Logits of the probability that an image is real: [runs, 784 or 794, batch] -> [runs, 1, batch].

    Minibatch discrimination, if used, adds its layer behind the last hidden one. The last layer has one unit and is
    written as a product and a sum. As a `matmul`, XLA would run it and the preceding relu unvectorized on a single core (20 of
    an iteration's 3,500 microseconds each time, while the other core mostly waits).
    """
    *hidden, (w, b) = remedies.normalized(d)
    *hidden, projection = hidden if settings.minibatch else (*hidden, None)
    units = activations(hidden, x)[-1]
    if projection:
        units = minibatch.with_mean_features(units, projection)
    return tf.reduce_sum(tf.transpose(w, [0, 2, 1]) * units, axis=1, keepdims=True) + b


# --- Losses and schedule ------------------------------------------------------------------------------------------------------


def loss_of_d(settings: Settings, d: Any, x: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """D's loss on real and generated images, their sum, [runs]; both take one forward pass, unless D compares samples."""
    together = [x, fake] if settings.minibatch else [tf.concat([x, fake], axis=2)]
    logits, count = tf.concat([discriminator_logits(settings, d, each) for each in together], axis=2), x.shape[2]
    real = losses.cross_entropy_of_logits(logits[:, :, :count], 1 - settings.remedies.label_smoothing)
    return real + losses.cross_entropy_of_logits(logits[:, :, count:], 0)


def loss_of_g(settings: Settings, d: Any, fake: tf.Tensor) -> tf.Tensor:
    """G's loss: its images labelled as real, [runs]."""
    return losses.cross_entropy_of_logits(discriminator_logits(settings, d, fake), 1)


def make_train_step(settings: Settings, digits: tuple[np.ndarray, np.ndarray]) -> training.TrainStep:
    """The adversarial training on `digits`, images uint8 [n, 784] and labels [n]."""
    digits = tuple(map(tf.convert_to_tensor, digits))
    optimizer_d, optimizer_g = (
        optimizers.adam(settings.learning_rate if rate is None else rate, settings.beta1, settings.beta2, settings.epsilon)
        for rate in (settings.d_learning_rate, settings.g_learning_rate)
    )
    shared = settings.d_steps == settings.g_steps == 1  # both updates of an iteration use the same noise and labels
    return training.TrainStep(
        generate=lambda g, z: generated(settings, g, z),
        loss_d=lambda d, x, fake: loss_of_d(settings, d, x, fake),
        loss_g=lambda d, fake: loss_of_g(settings, d, fake),
        draw_d=lambda seeds, step: batch_of(settings, digits, seeds, step, Stream.NOISE_D),
        draw_g=None if shared else lambda seeds, step: batch_of(settings, digits, seeds, step, Stream.NOISE_G)[1],
        optimizer_d=optimizer_d,
        optimizer_g=optimizer_g,
        d_steps=settings.d_steps,
        g_steps=settings.g_steps,
    )


def make_experiment(settings: Settings, digits: dataset.Digits | None = None) -> training.Experiment:
    """The experiment for these settings on the training digits of `digits`, or of the bundled ones."""
    return experiment_of(settings, make_train_step(settings, dataset.training_digits(digits or dataset.bundled())))


def experiment_of(settings: Settings, train_step: training.TrainStep) -> training.Experiment:
    """The experiment for a train step of this post. There is no pre-training."""
    return remedies.make_experiment(
        settings.remedies,
        rows=settings.g_widths[-1],
        output=lambda d, x: discriminator_logits(settings, d, x),
        init=lambda seeds: (
            init_discriminator(settings, seeds),
            init_mlp(settings, settings.g_widths, seeds, Stream.WEIGHTS_G),
        ),
        train_step=train_step,
        group=GROUP,
        call=CALL,
    )


# --- Outcomes -----------------------------------------------------------------------------------------------------------------


@functools.cache
def compiled_evaluation(settings: Settings, count: int) -> Callable:
    """Compiled (seeds [1], d, g, training digits, test digits) -> (G [count, 784], {column: []}).

    One run at a time, on requests that depend on its seed alone. Digits are (images [m, 784] in 0 .. 1, labels [m]). `d_*` are
    means of D; `dead_g` is the fraction of G's hidden units that are 0 for all noise vectors, `saturated` the fraction of
    pixels where the sigmoid's derivative is below 1e-4.
    """

    @compiled
    def evaluate(seeds, d, g, train, test):
        z = requests(settings, seeds, Stream.FIGURE, 0, count)
        images = generator(settings, g, z)
        units = tf.concat(activations(g[:-1], z)[1:], axis=1)

        def mean_of_d(x):  # with minibatch discrimination in batches as in training, if there are enough digits
            count = max(x.shape[2] // settings.batch_size, 1) if settings.minibatch else 1
            batches = tf.split(x[:, :, : x.shape[2] // count * count], count, axis=2)
            return tf.reduce_mean(tf.stack([discriminator(settings, d, batch) for batch in batches]))

        def of_digits(images, labels):
            x = tf.transpose(images)[None]
            return dataset.with_labels(x, labels[None]) if settings.conditional else x

        columns = {
            'd_train': mean_of_d(of_digits(*train)),
            'd_real': mean_of_d(of_digits(*test)),
            'd_fake': mean_of_d(generated(settings, g, z)),
            'dead_g': tf.reduce_mean(tf.cast(tf.reduce_max(units, axis=2) == 0, tf.float32)),
            'saturated': tf.reduce_mean(tf.cast(images * (1 - images) < 1e-4, tf.float32)),
        }
        return tf.transpose(images[0]), columns

    return evaluate


def evaluate(
    settings: Settings, evaluator: quality.Evaluator, seeds: np.ndarray, train_state: training.TrainState
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Evaluates every run: ({column: [runs]}, sample grids uint8 [runs, 100, 784]). NaN for runs that are not finite."""
    rows, grids, names = [], [], quality.column_names(settings.conditional)
    count, test = len(evaluator.test), (evaluator.test, evaluator.test_labels)
    train = evaluator.images[:count], evaluator.labels[:count]
    for row in range(len(seeds)):
        d, g = tf.nest.map_structure(lambda value, row=row: tf.constant(value[row : row + 1]), (train_state.d, train_state.g))
        images, columns = compiled_evaluation(settings, count)(tf.constant(seeds[row : row + 1]), d, g, train, test)
        images, columns = images.numpy(), {name: value.numpy() for name, value in columns.items()}
        if np.isfinite(images).all() and np.isfinite(list(columns.values())).all():
            columns |= quality.quality(evaluator, images)
            columns |= quality.as_asked(evaluator, images, np.arange(count) % CLASSES) if settings.conditional else {}
        else:
            columns = dict.fromkeys(names, np.nan)
        rows.append([columns[name] for name in names])
        grids.append(quality.as_bytes(images[: quality.GRID_SIZE]))
    return dict(zip(names, np.array(rows, np.float64).T, strict=True)), np.stack(grids)


def samples(settings: Settings, seeds: np.ndarray, g: Any, count: int) -> np.ndarray:
    """Samples of the first len(seeds) runs on fixed noise, in 0 .. 1, float32 [len(seeds), count, 784]; see `requests`."""
    g = tf.nest.map_structure(lambda value: tf.constant(value[: len(seeds)]), g)
    z = requests(settings, tf.constant(seeds), Stream.FIGURE, 0, count)
    return generator(settings, g, z).numpy().transpose(0, 2, 1)


def sample_grid(settings: Settings, seeds: np.ndarray, g: Any) -> np.ndarray:
    """`samples` as bytes, uint8 [len(seeds), 100, 784]."""
    return quality.as_bytes(samples(settings, seeds, g, quality.GRID_SIZE))


def untrained(settings: Settings, evaluator: quality.Evaluator, seed: int) -> dict[str, float]:
    """The evaluation of a seed's untrained networks, whose Fréchet distance is the upper reference."""
    seeds = np.array([seed], np.uint32)
    d, g = make_experiment(settings, evaluator.digits).init(tf.constant(seeds))
    columns, _ = evaluate(settings, evaluator, seeds, training.TrainState(0, d, g, (), ()))
    return {name: float(values[0]) for name, values in columns.items()}


def watch(
    settings: Settings, evaluator: quality.Evaluator, due: Sequence[str], step: int, seeds: np.ndarray, train_state: Any
) -> dict[str, np.ndarray]:
    """Records of a training: sample grids of the first run, and evaluations if they are due.

    `sheet_step` [1], the iteration, and `sheets` uint8 [1, 100, 784, 1]; `eval_step` [1] and every column [runs, 1].
    """
    grids, records = None, {}
    if 'evaluation' in due:
        columns, grids = evaluate(settings, evaluator, seeds, train_state)
        records = {'eval_step': np.array([step - 1])} | {name: values[:, None] for name, values in columns.items()}
    if grids is None or grids.shape[1] < quality.GRID_SIZE:  # there are fewer test digits
        grids = sample_grid(settings, seeds[:1], train_state.g)
    return records | {'sheet_step': np.array([step - 1]), 'sheets': grids[:1, ..., None]}


def frames_of(history: dict[str, np.ndarray]) -> list[tuple[int, np.ndarray]]:
    """The first run's sample grids recorded during training: [(iteration, uint8 [100, 784])], may be []."""
    return [(step, history['sheets'][0, :, :, i]) for i, step in enumerate(history.get('sheet_step', ()))]


def judge(settings: Settings, digits: dataset.Digits | None = None) -> outcomes.Judge:
    """How runs with these settings are judged, by a classifier of these digits or of the bundled ones."""
    evaluator = quality.make_evaluator(digits or dataset.bundled())
    return outcomes.Judge(
        lambda seeds, d, g: (evaluate(settings, evaluator, seeds, training.TrainState(0, d, g, (), ()))[0], {}),
        quality.success_threshold(evaluator.references), targets={}, distance='frechet', every=MOST_BETWEEN,
        losses=('loss_d', 'loss_g'),
        verdicts=functools.partial(quality.verdict_columns, evaluator.references),
        watch=functools.partial(watch, settings, evaluator), watched=quality.column_names(settings.conditional),
        frames=frames_of, doubt=quality.doubt(evaluator), evaluation=evaluator,
        summarize=lambda judge, table: quality.summary(table, evaluator, untrained(settings, evaluator, table['seed'][0])),
        config={'digits': evaluator.digits.name, 'classifier': evaluator.classifier.name},
    )  # fmt: skip
