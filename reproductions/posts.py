"""The posts: their names, and the contract that lets everything else ask a post instead of knowing it.

A post is the folder reproductions/<name>/ with the same parts for all:

  __init__    what the post says, with its address: the text above --help; imports nothing
  settings    what the post fixes, variant by variant, and `make_settings`; imports neither TensorFlow nor matplotlib
  gan         to be read beside the post: `generator(settings, g, z)`, `discriminator(settings, d, x)`,
              `noise(settings, seeds, stream, step)`, `make_experiment(settings)`, where there is one `truth(settings)` and
              `success_bound(settings)`, and `train_many(settings, seed, runs, num_steps=None, every=...)`: `outcomes.Ensemble`
  __main__    `FLAGS`, a table, and `main(argv)`, the command as a story
  figures     which numbers a figure holds and how it is drawn
  claims      the post's claims as verdicts
  replay      `replay_trace(path)`: a recorded run of the author's program, step by step
  comparison  `CASES`, `SPEED`, `jobs(runs, data)` and `shown(directory)`, whose types are below, and `short(scratch)`, the
              flags of a training of seconds
  gallery     `PARTS` and `PICTURES`: the committed figures and tables

tests/suite/test_contract.py asserts this of each.
"""

import importlib
import importlib.resources
import json
import pathlib
import re
import shlex
from collections.abc import Callable
from typing import Any, NamedTuple

NAMES = ('aylien', 'multimodal', 'jang', 'devnag', 'mnist')
PARTS = ('settings', 'gan', '__main__', 'figures', 'claims', 'replay', 'comparison', 'gallery')


def part(name: str, which: str) -> Any:
    """One of `PARTS` of a post, imported: the module reproductions.<name>.<which>."""
    return importlib.import_module(f'reproductions.{name}.{which}')


# --- What a post's `comparison` says ------------------------------------------------------------------------------------------


class Case(NamedTuple):
    """A setting of a post with accepted numbers of its own, see `accepted_numbers`."""

    post: str
    variant: str
    name: str  # of its files: <post>_<name>.csv
    settings: NamedTuple
    train: Callable | None  # (settings, first seed, runs) -> columns of results.csv
    columns: tuple[str, ...]  # that are compared, besides the rates
    seed: int = 1000
    runs: int = 0  # 0: only the first losses are held
    num_steps: int | None = None  # of `train`
    shown: int | None = None  # the seed that the committed figure of these settings shows


class Job(NamedTuple):
    """One command of the report."""

    post: str
    name: str
    flags: tuple[str, ...]
    seconds: float  # on one core of the machine that the suite was measured on; only divides up the progress
    figures: dict[str, str]  # file -> caption

    @property
    def command(self) -> str:
        return ' '.join(['python -m', f'reproductions.{self.post}', *map(shlex.quote, self.flags)])

    @property
    def place(self) -> pathlib.Path:
        """Its directory below that of the report."""
        return pathlib.Path(self.post, self.name)


class Shown(NamedTuple):
    """What the report shows of a job's results.csv, and beside what."""

    job: str  # its name
    setting: str  # what was run, in words; '' for the post as it is
    targets: dict[str, float | None]  # {column: what a perfect generator gives}; these columns are shown
    stated: dict[str, str]  # {column: what the post says}
    theirs: dict | None = None  # {column: [runs]} of the author's program
    columns: tuple[str, ...] = ()  # that both have, which are compared by a Kolmogorov-Smirnov test
    truth: Any = None  # the data's distribution; with `theirs`, success is then judged by quantiles
    bound: float | None = None  # of the Wasserstein distance, for success


class Speed(NamedTuple):
    """A GAN for scripts/benchmark.py to measure."""

    title: str
    post: str
    settings: dict  # for `make_settings`; adversarial steps are measured, so there is no pre-training
    steps: dict[int, int]  # in a measurement, which takes about a second or more: {runs: steps}
    baseline: tuple[str, ...]  # a script of scripts/ that prints its steps a second, and its arguments
    torch: tuple[str, ...] = ()  # in place of the baseline where PyTorch is installed
    jax: tuple[str, ...] = ()  # the same for JAX
    others: tuple[tuple[str, ...], ...] = ()  # further scripts to measure, as `baseline`
    every: int | None = None  # steps from record to record, if not as the command line of most posts has it
    updates: int = 2  # in a step
    arguments: Callable = lambda: ()  # of `make_experiment`, after the settings
    perceptrons: tuple = ()  # (batch, widths of D, widths of G), where matrix products decide


# --- What is installed with the posts -----------------------------------------------------------------------------------------


def page(name: str) -> str:
    """The text of docs/<name>.md, in Markdown, from a checkout or from the installed package."""
    checkout = pathlib.Path(__file__).parent.parent / 'docs' / f'{name}.md'
    if checkout.exists():
        return checkout.read_text(encoding='utf-8')
    return (importlib.resources.files('reproductions.pages') / f'{name}.md').read_text(encoding='utf-8')


def page_parts(name: str) -> dict[str, str]:
    """{'title', 'paragraph', 'departures'} of a post's page: its heading, what stands below it, and the numbered list; Markdown
    but for the links, which lead into a checkout."""
    text = re.sub(r'!?\[([^]]*)\]\([^)]*\)', r'\1', page(name))
    title, paragraph, *_ = text.split('\n\n')
    section = text.split('\n## Departures\n')[1].split('\n## ')[0]
    return {'title': title.removeprefix('# '), 'paragraph': paragraph, 'departures': section[section.index('\n1. ') :].strip()}


def recorded_claims() -> dict[str, list[dict]]:
    """The accepted measurement of every claim of every post: {post: list as in claims.json}."""
    path = importlib.resources.files('reproductions.reference.suite') / 'claims.json'
    return json.loads(path.read_text(encoding='utf-8'))
