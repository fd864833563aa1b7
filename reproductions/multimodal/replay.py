"""Replays recorded runs of Aylien's program, because the multi-modal post published no program of its own.

With one mode at 4 and Aylien's generator, this post is Aylien's program of that time, so it must reproduce those recordings.
"""

import pathlib

from common.evaluation import replay
from reproductions.aylien import gan as aylien_gan
from reproductions.aylien import replay as aylien_replay
from reproductions.multimodal import gan
from reproductions.multimodal.settings import AYLIEN, make_settings


def as_multimodal(settings: aylien_gan.Settings) -> gan.Settings:
    """Aylien's settings converted to this post's. Raises replay.BadTrace for a version the post did not start from."""
    if settings.variant != AYLIEN:
        raise replay.BadTrace(f'is of another version of the program than {AYLIEN}, from which this post starts')
    return make_settings(
        modes=1, hidden_sizes=(settings.hidden_size,), activation='softplus', minibatch=settings.minibatch,
        means=(settings.mu,), deviations=(settings.sigma,), batch_size=settings.batch_size,
        learning_rate=settings.learning_rate, pretrain_steps=settings.pretrain_steps,
    )  # fmt: skip


def replay_trace(path: str | pathlib.Path) -> dict[str, list]:
    """Repeats a recorded run of Aylien's program with this post's functions: the columns of replay.csv.

    Raises:
      replay.BadTrace: the file is not a usable trace.
    """
    return aylien_replay.replay_trace(
        path,
        make_train_step=lambda settings: gan.make_train_step(as_multimodal(settings)),
        make_pretrain_step=lambda settings: gan.make_pretrain_step(as_multimodal(settings)),
    )
