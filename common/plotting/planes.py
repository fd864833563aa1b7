"""The figures of posts in the plane, each with its numbers beside it as .npz."""

import pathlib
from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from common.plotting import figures
from common.program.command import Finished


def draw(run: Finished, title: str, data: np.ndarray, samples: np.ndarray) -> None:
    """Writes figure.png for the first run and, for several runs, ensemble.png. Raises files.CannotWrite.

    Args:
      run: what to draw.
      title: of the figures, to which the seeds are added.
      data: points of the true distribution, [m, 2].
      samples: of each run, [runs, n, 2].
    """
    arrays = {'title': f'{title}, seed {run.seeds[0]}', 'data': data, 'samples': samples[:1], 'labels': ['generated']}
    figures.write(run.directory / 'figure.png', points, arrays)
    if len(run.seeds) == 1:
        return
    finite, distance = np.flatnonzero(run.table['finite']), run.table[run.judge.distance]
    order = finite[np.argsort(distance[finite])]
    shown = {'best': order[:1], 'median': order[len(order) // 2 :][:1], 'worst': order[-1:]}  # empty if every run diverged
    labels = [f'{name} (seed {run.seeds[rows[0]]})' for name, rows in shown.items() if rows.size]
    rows = [rows[0] for rows in shown.values() if rows.size]
    arrays = {'title': f'{title}, {len(run.seeds):,} seeds', 'data': data, 'samples': samples[rows], 'labels': labels}
    arrays |= {'distance': distance, 'covered': run.table['modes_covered'], 'success': run.table['success']}
    figures.write(run.directory / 'ensemble.png', points, arrays)


def points(path: pathlib.Path) -> Figure:
    """Samples over the data, a panel for each run shown; of an ensemble also where each seed ends.

    Numbers:
      title: text.
      data: [m, 2].
      samples, labels: [examples, n, 2] and their texts.
      distance, covered, success: [runs], of an ensemble.
    """
    n = figures.numbers(path)
    panels = len(n['labels']) + ('distance' in n)
    reach = 1.3 * np.abs(n['data']).max()
    with figures.style():
        figure = Figure(figsize=(4.2 * panels, 4.6), layout='constrained')
        figure.suptitle(n['title'])
        axes = figure.subplots(1, panels, squeeze=False)[0]
        for one, label, samples in zip(axes, n['labels'], n['samples'], strict=False):
            one.scatter(*n['data'].T, s=4, color=figures.GREY, alpha=0.3, linewidth=0, label='data')
            one.scatter(*samples.T, s=4, color=figures.ORANGE, alpha=0.5, linewidth=0, label=label)
            one.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect='equal')
            one.legend(**figures.BELOW)
        if 'distance' in n:
            success = n['success'] == 1
            for chosen, color, label in ((~success, figures.GREY, 'not converged'), (success, figures.BLUE, 'success')):
                axes[-1].scatter(
                    n['covered'][chosen], n['distance'][chosen], s=12, color=color, alpha=0.5, linewidth=0,
                    label=f'{label}: {chosen.sum():,}',
                )  # fmt: skip
            axes[-1].set(title='One dot per seed', xlabel='modes covered', ylabel='distance to the data')
            axes[-1].legend(**figures.BELOW)
        return figures.save(figure, path)


def animation(path: pathlib.Path) -> Iterator[int]:
    """Animates training, one frame per record; yields the step of each frame once it is drawn.

    Numbers: `title`, `step` [frames], `data` [m, 2], `samples` [frames, n, 2].
    """
    n = figures.numbers(path)
    reach = 1.3 * np.abs(n['data']).max()
    with figures.filming(path, (4.2, 4.4)) as (axes, writer):
        axes.scatter(*n['data'].T, s=4, color=figures.GREY, alpha=0.3, linewidth=0)
        generated = axes.scatter(*n['samples'][0].T, s=4, color=figures.ORANGE, alpha=0.5, linewidth=0)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect='equal')
        for step, samples in zip(n['step'], n['samples'], strict=True):
            generated.set_offsets(samples)
            axes.set_title(f'{n["title"]}, step {step:,}')
            writer.grab_frame()
            yield step
