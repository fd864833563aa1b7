"""Fixtures of several folders of tests."""

import numpy as np
import pytest

from reproductions.mnist import dataset


@pytest.fixture(scope='module')
def few(tmp_path_factory):
    """The path of 300 training and 80 test digits, on which a (poor) classifier trains in a second; its cache is separate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('cache')))
        digits = dataset.bundled()
        arrays = {}
        for kind, labels, count in (('train', digits.y_train, 30), ('test', digits.y_test, 8)):
            rows = np.sort(np.concatenate([np.flatnonzero(labels == k)[:count] for k in range(10)]))
            arrays[f'x_{kind}'] = getattr(digits, f'x_{kind}')[rows].reshape(-1, 28, 28)
            arrays[f'y_{kind}'] = labels[rows]
        path = tmp_path_factory.mktemp('digits') / 'few.npz'
        np.savez(path, **arrays)
        yield path
