"""The figures of the 1-D posts, each with its numbers beside it as .npz."""

import pathlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from common.evaluation import outcomes
from common.plotting import figures
from common.program.command import Finished
from common.training import TrainState


def curves(
    evaluation: outcomes.Evaluation, bins: figures.Bins, train_state: TrainState, row: int
) -> tuple[np.ndarray, np.ndarray]:
    """The curves of one run: D on the grid [points], 0 in an incomplete last batch, and the histogram of G [bins]."""
    surfaces = (surface[0] for surface in outcomes.surfaces_of(evaluation, train_state, [row]))
    points = len(evaluation.grid)
    decision, generated = (np.pad(surface, (0, points - len(surface))) for surface in surfaces)
    return decision, figures.density(generated, bins)


class Curves(NamedTuple):
    """What can be seen of the networks of some runs; a curve that is not finite is NaN."""

    x: np.ndarray  # [points], data values
    decision: np.ndarray  # D at x, [runs, points]
    density: np.ndarray  # of G's samples at x, [runs, points]
    z: np.ndarray  # [points], noise
    mapped: np.ndarray  # G at z, [runs, points]
    real: np.ndarray  # density of the data at x, [points]
    title: str = "Densities, and D's decision"  # of the chart of the first three


SEEN, SAMPLES = 64, 2048  # points of each of `Curves`; of G for its density


def places_within(half: float) -> np.ndarray:
    """x of `Curves` from -half to half: the middles of equal intervals, [points]."""
    return outcomes.middles(SEEN, half).numpy()[0, 0].astype(float)


def curves_of_many(evaluation: outcomes.Evaluation, noise_range: float, d: Any, g: Any) -> Curves:
    """The curves of all runs of d and g, which are evaluated on `evaluation`'s grid, scaled to the noise for G."""
    decision, generated = (surface.numpy() for surface in evaluation.surfaces(d, g))
    half = evaluation.grid[-1]
    x = places_within(half)
    at = np.linspace(0, decision.shape[1] - 1, SEEN).round().astype(int)
    places = evaluation.grid[at]
    decided = np.stack([np.interp(x, places, row) for row in decision[:, at]])
    real = evaluation.truth.pdf(x)
    return Curves(x, decided, histograms(generated, x), places * noise_range / half, generated[:, at], real)


def joined(parts: Sequence[Curves]) -> Curves:
    """The curves of several groups of runs as one."""
    by_run = ('decision', 'density', 'mapped')
    return parts[0]._replace(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in by_run})


def histograms(samples: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Densities of samples [runs, n] in bins around the evenly spaced x, [runs, points]; NaN for runs that are not finite."""
    width, finite = x[1] - x[0], np.isfinite(samples).all(axis=1)
    bins = np.floor((np.where(finite[:, None], samples, 0) - x[0]) / width + 0.5)
    inside = (bins >= 0) & (bins < len(x))
    places = (np.arange(len(samples))[:, None] * len(x) + np.where(inside, bins, 0)).astype(int)
    counts = np.bincount(places.ravel(), inside.ravel(), minlength=len(samples) * len(x)).reshape(len(samples), -1)
    return np.where(finite[:, None], counts / (samples.shape[1] * width), np.nan)


def final(run: Finished, title: str, bins: figures.Bins, real: np.ndarray) -> None:
    """Writes figure.png, the final distributions of the first run; arguments as for `ensemble`."""
    evaluation = run.judge.evaluation
    decision, generated = curves(evaluation, bins, run.trained.train_state, 0)
    if not np.isfinite(decision).all():
        title += ': diverged, not finite'
    arrays = {'title': title, 'grid': evaluation.grid, 'decision': decision, 'real': real, 'generated': generated}
    figures.write(run.directory / 'figure.png', figures.distributions, arrays | {'places': bins.places})


def ensemble(run: Finished, title: str, bins: figures.Bins, real: np.ndarray) -> None:
    """Writes ensemble.png, the spread over seeds, if there are several. Raises files.CannotWrite.

    Args:
      run: what to draw.
      title: of the figure.
      bins: of the histograms.
      real: the data's density, [bins].
    """
    if len(run.seeds) == 1:
        return
    evaluation, table, history = run.judge.evaluation, run.table, run.trained.history
    finite = np.flatnonzero(table['finite'])
    order = finite[np.argsort(table['wasserstein'][finite])]
    ranks = {'best': order[:1], 'median': order[len(order) // 2 :][:1], 'worst': order[-1:]}  # empty if every run diverged
    examples = {
        f'{k} (seed {run.seeds[rows[0]]})': curves(evaluation, bins, run.trained.train_state, rows[0])[1]
        for k, rows in ranks.items()
        if rows.size
    }
    arrays = {'title': title, 'real': real, 'places': bins.places, 'truth': [evaluation.truth.mean(), evaluation.truth.std()]}
    arrays |= {name: table[name] for name in ('mean', 'std', 'finite', 'success')}
    arrays |= {'labels': np.array(list(examples), str)} | examples
    if finite.size and 'wasserstein' in history:  # absent if stopped during pre-training
        quantiles = np.quantile(history['wasserstein'][finite], figures.BANDS, axis=0)
        arrays |= {'step': history['step'], 'wasserstein': quantiles}
    figures.write(run.directory / 'ensemble.png', figures.ensemble, arrays)


def draw_film(
    path: pathlib.Path,
    title: str,
    evaluation: outcomes.Evaluation,
    bins: figures.Bins,
    real: np.ndarray,
    frames: Sequence[tuple[int, TrainState]],
    shown: Sequence[float],
) -> Iterator[Any]:
    """Writes the numbers of an animation and returns the generator that draws it frame by frame.

    Args:
      path: ends in .gif or .mp4.
      title: as for `ensemble`, like evaluation, bins and real.
      frames: [(iteration, `TrainState` of one run, NumPy arrays)].
      shown: limits of the axes: left, right, top.
    """
    drawn = [curves(evaluation, bins, train_state, 0) for _, train_state in frames]
    decision, generated = (np.array(values) for values in zip(*drawn, strict=True))
    every = slice(None, None, len(evaluation.grid) // 500)  # 500 points of D's surface are enough to plot
    arrays = {'title': title, 'grid': evaluation.grid[every], 'step': np.array([step for step, _ in frames])}
    arrays |= {'decision': decision[:, every].astype(np.float32), 'real': real, 'generated': generated.astype(np.float32)}
    return figures.write(path, figures.animation, arrays | {'places': bins.places, 'shown': shown})
