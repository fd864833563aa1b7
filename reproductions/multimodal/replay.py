"""Recorded runs of Aylien's program, replayed: the multi-modal post published no program of its own.

With one mode at 4 and Aylien's generator this post is Aylien's program of its day, and so must follow its records.
"""

from common.evaluation import replay
from reproductions.aylien import replay as aylien_replay
from reproductions.multimodal import gan


def as_multimodal(settings):
    """Aylien's settings as this post's. Raises replay.BadTrace where they are of another program than the post starts from."""
    if settings.variant != gan.AYLIEN:
        raise replay.BadTrace(f'is of another program than this post starts from, {gan.AYLIEN}')
    return gan.make_settings(
        1, hidden_sizes=(settings.hidden_size,), activation='softplus', minibatch=settings.minibatch, means=(settings.mu,),
        deviations=(settings.sigma,), batch_size=settings.batch_size, learning_rate=settings.learning_rate,
        pretrain_steps=settings.pretrain_steps,
    )  # fmt: skip


def replay_trace(path):
    """Runs a recorded training of Aylien's program again with this post's functions: the columns of replay.csv.

    Raises:
      replay.BadTrace: the file is not usable.
    """
    return aylien_replay.replay_trace(
        path,
        make_train_step=lambda settings: gan.make_train_step(as_multimodal(settings)),
        make_pretrain_step=lambda settings: gan.make_pretrain_step(as_multimodal(settings)),
    )
