"""The picture of the posterior: how probable each value of each unknown is."""

import pathlib
import textwrap

import numpy as np
from matplotlib.figure import Figure

from common.plotting import figures

TITLE = "What the multi-modal post's lost program was, given all that the post states"


def unknowns(path: pathlib.Path) -> Figure:
    """A panel per unknown: bars before and after the evidence, with the range over all readings of the post.

    Data: `unknown` and `value` [bars], and `prior`, `weight`, `low` and `high` [bars].
    """
    data = figures.numbers(path)
    names = list(dict.fromkeys(data['unknown'].tolist()))
    with figures.style():
        figure = Figure(figsize=(12, 6), layout='constrained')
        figure.suptitle(TITLE)
        for name, axes in zip(names, figure.subplots(2, -(-len(names) // 2)).flat, strict=True):
            bars = data['unknown'] == name
            y, weight = np.arange(bars.sum()), data['weight'][bars]
            axes.barh(y, weight, color=figures.BLUE, label='probability')
            axes.errorbar(
                weight, y, xerr=np.clip([weight - data['low'][bars], data['high'][bars] - weight], 0, None), fmt='none',
                ecolor=figures.GREY, elinewidth=1.5, capsize=3, label='range over readings of the post',
            )  # fmt: skip
            axes.plot(data['prior'][bars], y, linestyle='none', marker='|', markersize=18, markeredgewidth=2, color='black',
                      label='before the evidence')  # fmt: skip
            axes.set_yticks(y, data['value'][bars])
            axes.set(title=textwrap.fill(name, 26), xlim=(0, 1.02))
            axes.invert_yaxis()
            axes.grid(False, axis='y')
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc='outside lower center', ncols=3)
        return figures.save(figure, path)
