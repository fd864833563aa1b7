"""What is tried: the remedies, and their strengths."""

from typing import Any, NamedTuple

from common.program import flags
from common.settings import learning_rate
from reproductions import contract, declaration

CHOICE_SEED, FRESH_SEED = 1_000_000, 2_000_000  # first seeds; no other page, test or table of the suite uses these
RUNS = 1000  # held-out seeds
PART = 250  # of them are trained before the outcomes are saved; of Dev Nag's these take ten minutes of a core


class Remedy(NamedTuple):
    """One row of the table of a post."""

    name: str
    title: str  # in figure and tables
    flag: str  # that applies it
    strengths: tuple[float, ...]  # values of the flag to choose from; of a learning rate, multiples of the post's


PUBLISHED = Remedy('published', 'as published', 'init_scale', (1,))  # a flag at its default: the post itself
REMEDIES = (
    Remedy('label_smoothing', 'label smoothing', 'label_smoothing', (0.03, 0.1, 0.3)),
    Remedy('instance_noise', 'instance noise', 'instance_noise', (0.1, 0.3, 1, 3)),
    Remedy('gradient_penalty', 'gradient penalty (R1)', 'gradient_penalty', (0.01, 0.1, 1, 10)),
    Remedy('dragan', 'DRAGAN', 'dragan', (0.01, 0.1, 1, 10)),
    Remedy('spectral_norm', 'spectral normalization', 'spectral_norm', (True,)),
    Remedy('minibatch', 'minibatch discrimination', 'minibatch', (True,)),
    Remedy('historical_averaging', 'historical averaging', 'historical_averaging', (0.0001, 0.001, 0.01, 0.1)),
    Remedy('average', 'average of G', 'average', (0.9, 0.99, 0.999)),
    Remedy('d_learning_rate', "D's learning rate", 'd_learning_rate', (0.25, 0.5, 2, 4, 8, 16)),
    Remedy('g_learning_rate', "G's learning rate", 'g_learning_rate', (0.25, 0.5, 2, 4, 8, 16)),
    Remedy('d_steps', 'updates of D', 'd_steps', (2, 5)),
    Remedy('g_steps', 'updates of G', 'g_steps', (2, 5)),
)


def seeds_of(post: str, runs: int) -> int:
    """How many held-out seeds a post is given, where --runs is `runs`."""
    return runs // contract.trial_of(post).one_in


def settings_of(post: str) -> Any:
    """The settings of a post as it is tried."""
    declared = contract.post(post)
    opts = flags.given((*declared.flags, *flags.COMMON), contract.trial_of(post).flags)
    return declaration.settings_of(declared, opts)


def remedies_of(post: str) -> tuple[Remedy, ...]:
    """What is tried for a post, the published setting first, with the values of its flags."""
    trial, tried = contract.trial_of(post), [PUBLISHED]
    for remedy in REMEDIES:
        strengths = trial.strengths.get(remedy.name, remedy.strengths)
        if remedy.flag.endswith('learning_rate'):
            rate = learning_rate(settings_of(post), remedy.flag)
            strengths = tuple(float(f'{multiple * rate:.6g}') for multiple in strengths)
        if strengths:
            tried.append(remedy._replace(strengths=strengths))
    return tuple(tried)
