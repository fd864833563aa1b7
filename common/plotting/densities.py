"""The pictures that the 1-D posts draw of their trained networks, each with its numbers beside it as .npz."""

import numpy as np

from common.evaluation import outcomes
from common.plotting import figures


def curves(evaluation, bins, train_state, row):
    """What is drawn of one run: D on the grid [points], an incomplete last batch left at 0, and the histogram of G [bins]."""
    surfaces = (surface[0] for surface in outcomes.surfaces_of(evaluation, train_state, [row]))
    points = len(evaluation.grid)
    decision, generated = (np.pad(surface, (0, points - len(surface))) for surface in surfaces)
    return decision, figures.density(generated, bins)


def final(directory, title, evaluation, bins, real, train_state):
    """Writes figure.png, the final distributions of the first run; arguments as for `ensemble`."""
    decision, generated = curves(evaluation, bins, train_state, 0)
    if not np.isfinite(decision).all():
        title += ': diverged, not finite'
    arrays = {'title': title, 'grid': evaluation.grid, 'decision': decision, 'real': real, 'generated': generated}
    figures.write(directory / 'figure.png', figures.distributions, arrays | {'places': bins.places})


def ensemble(directory, title, evaluation, bins, real, seeds, train_state, table, history):
    """Writes ensemble.png: the spread over seeds.

    Args:
      directory, title: where, and the heading.
      evaluation: `outcomes.Evaluation`.
      bins: `figures.Bins`.
      real: the data's density, [bins].
      seeds: [runs].
      players: `training.TrainState` of NumPy arrays.
      table: {column: [runs]} of results.csv.
      history: {name: array}.
    """
    finite = np.flatnonzero(table['finite'])
    order = finite[np.argsort(table['wasserstein'][finite])]
    places = {'best': order[:1], 'median': order[len(order) // 2 :][:1], 'worst': order[-1:]}  # empty if every run diverged
    examples = {
        f'{k} (seed {seeds[rows[0]]})': curves(evaluation, bins, train_state, rows[0])[1]
        for k, rows in places.items()
        if rows.size
    }
    arrays = {'title': title, 'real': real, 'places': bins.places, 'truth': [evaluation.truth.mean(), evaluation.truth.std()]}
    arrays |= {name: table[name] for name in ('mean', 'std', 'finite', 'success')}
    arrays |= {'labels': np.array(list(examples), str)} | examples
    if finite.size and 'wasserstein' in history:  # it may have been stopped before the game
        quantiles = np.quantile(history['wasserstein'][finite], figures.BANDS, axis=0)
        arrays |= {'step': history['step'], 'wasserstein': quantiles}
    figures.write(directory / 'ensemble.png', figures.ensemble, arrays)


def draw_film(path, title, evaluation, bins, real, frames, shown):
    """Writes the animation's numbers, and gives the generator that draws it frame by frame.

    Args:
      path: ends in .gif or .mp4.
      title, evaluation, bins, real: as for `ensemble`.
      frames: [(iteration, `training.TrainState` of one run)].
      shown: (left, right, top) of the axes.
    """
    drawn = [curves(evaluation, bins, train_state, 0) for _, train_state in frames]
    decision, generated = (np.array(values) for values in zip(*drawn, strict=True))
    every = slice(None, None, len(evaluation.grid) // 500)  # 500 points of D's surface are plenty to draw
    arrays = {'title': title, 'grid': evaluation.grid[every], 'step': np.array([step for step, _ in frames])}
    arrays |= {'decision': decision[:, every].astype(np.float32), 'real': real, 'generated': generated.astype(np.float32)}
    return figures.write(path, figures.animation, arrays | {'places': bins.places, 'shown': shown})
