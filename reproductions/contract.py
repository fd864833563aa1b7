"""The posts: their names, and the contract every post keeps, so that all other code works for any post.

A post is a folder reproductions/<name>/. All posts have the same parts:

  __init__    what the post says, with its web address: the text above --help; imports nothing
  settings    `Settings`, a NamedTuple whose annotated fields declare every setting once (`common.settings`); `VARIANTS`, what
              each published version changed; `make_settings(variant, **changes)`; `checked(settings, given)`, which refuses
              what makes no sense. Imports neither TensorFlow nor matplotlib, like __main__
  __main__    `POST`, a `declaration.Post`: its flags, paces, sizes and what else its command does; `main(argv)`
  gan         meant to be read beside the post: `generator(settings, g, z)`, `discriminator(settings, d, x)`,
              `noise(settings, seeds, stream, step)`, `make_experiment(settings, *data)`, and `judge(settings, *data)`, an
              `outcomes.Judge`; `labels(settings)` of a conditional generator. `data` is what `POST.load` gives
  figures     `draw(run)` of a `command.Finished`; `draw_animation(settings, path, frames, seed)`; what the explorer shows,
              `seen(settings, seeds, d, g)`: `densities.Curves`, or pictures, bytes [runs, height, width]; `DRAWN`, {name of a
              figure: the function that draws it}
  claims      `measure(seed, runs, tick)` and `ENSEMBLES`: the post's claims as verdicts
  replay      `replay_trace(path)`: a recorded run of the author's program, step by step, unless `POST.no_trace` says why not
  comparison  `CASES`, `jobs(runs, data)` and `shown(directory)`, whose types are below, and `short(scratch)`, the flags of a
              run that takes seconds; `SPEED` and `TRIAL` if it is timed, or tried with remedies in a way of its own
  gallery     `PARTS` and `PICTURES`: the committed figures and tables

tests/suite/test_contract.py checks this for each post.
"""

import importlib
import pathlib
import shlex
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from common.program.cli import UserError

NAMES = ('aylien', 'multimodal', 'jang', 'devnag', 'mnist')
PARTS = ('settings', 'gan', '__main__', 'figures', 'claims', 'replay', 'comparison', 'gallery')


def part(name: str, which: str) -> Any:
    """One of `PARTS` of a post, imported: the module reproductions.<name>.<which>."""
    return importlib.import_module(f'reproductions.{name}.{which}')


def post(name: str) -> Any:
    """What a post declares of its command: a `declaration.Post`. Raises UserError for a name that is none."""
    if name not in NAMES:
        raise UserError(unknown_post(repr(name)))
    return part(name, '__main__').POST


def chosen(only: Sequence[str] | None) -> list[str]:
    """The posts of --only, all without it, in the order of `NAMES`. Raises UserError for a name that is none."""
    for name in only or ():
        if name not in NAMES:
            raise UserError(unknown_post(f'--only={name}'))
    return [name for name in NAMES if name in (only or NAMES)]


def unknown_post(what: str) -> str:
    """A line that says so of a name, given as the user wrote it."""
    return f'{what} is not a post; the posts are {", ".join(NAMES)}'


# --- What a post's `comparison` gives -----------------------------------------------------------------------------------------


Outcomes = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]  # columns of results.csv, joined records of `training.train`


class Case(NamedTuple):
    """Settings of a post with their own accepted numbers, see `accepted_numbers`."""

    post: str
    variant: str
    name: str  # of the files: <post>_<name>.csv
    settings: NamedTuple
    train: Callable[..., Outcomes] | None  # of (settings, first seed, runs)
    columns: tuple[str, ...]  # compared by distribution, besides the rates
    seed: int = 1000
    runs: int = 0  # 0: only the first losses are compared
    num_steps: int | None = None  # of `train`
    shown: int | None = None  # the seed shown in the committed figure of these settings
    tested: int | None = None  # the first so many of `runs` are trained by the tests; None: all
    agreeing: float = 0.5  # more than this share of the seeds must repeat the accepted losses of the first iterations


class Job(NamedTuple):
    """One command of the report."""

    post: str
    name: str
    flags: tuple[str, ...]
    seconds: float  # expected, on one core of the reference machine; only scales the progress bar
    figures: dict[str, str]  # file -> caption

    @property
    def command(self) -> str:
        return ' '.join(['python -m', f'reproductions.{self.post}', *map(shlex.quote, self.flags)])

    @property
    def place(self) -> pathlib.Path:
        """Its directory, relative to the report's."""
        return pathlib.Path(self.post, self.name)


class Trial(NamedTuple):
    """How a post is tried with remedies, see `reproductions.remedies`."""

    flags: Mapping[str, Any] = types.MappingProxyType({})  # {flag: value} of all its commands
    one_in: int = 1  # it gets one in so many of the held-out seeds
    tried: int = 100  # seeds on which a remedy's strength is chosen
    strengths: Mapping[str, tuple[float, ...]] = types.MappingProxyType({})  # {remedy: other values}; () leaves it out


class Shown(NamedTuple):
    """What the report shows of a job's results.csv, and what it is compared with."""

    job: str  # its name
    setting: str  # the settings in words; '' for the post's own
    targets: dict[str, float | None]  # {column: value of a perfect generator}; these columns are shown
    stated: dict[str, str]  # {column: the post's statement}
    theirs: dict | None = None  # {column: [runs]} of the author's program
    columns: tuple[str, ...] = ()  # present in both and compared by a Kolmogorov-Smirnov test
    truth: Any = None  # the data's distribution; with `theirs`, success is also determined from quantiles
    bound: float | None = None  # threshold of the Wasserstein distance for success


class Speed(NamedTuple):
    """A GAN for scripts/benchmark.py to measure."""

    title: str
    post: str
    settings: dict  # for `make_settings`; without pre-training, since only adversarial steps are timed
    steps: dict[int, int]  # per measurement, which should take a second or more: {runs: steps}
    baseline: tuple[str, ...]  # a script in scripts/ that prints its steps per second, and its arguments
    torch: tuple[str, ...] = ()  # replaces the baseline where PyTorch is installed
    jax: tuple[str, ...] = ()  # the same for JAX
    others: tuple[tuple[str, ...], ...] = ()  # more scripts to time, like `baseline`
    every: int | None = None  # steps between records, if not the default of most posts
    updates: int = 2  # per step
    arguments: Callable = lambda: ()  # more arguments for `make_experiment`
    perceptrons: tuple = ()  # (batch, widths of D, widths of G), where matrix products dominate


def trial_of(name: str) -> Trial:
    """How a post is tried with remedies."""
    return vars(part(name, 'comparison')).get('TRIAL', Trial())


def speeds_of(name: str) -> tuple[Speed, ...]:
    """What of a post is timed."""
    return vars(part(name, 'comparison')).get('SPEED', ())
