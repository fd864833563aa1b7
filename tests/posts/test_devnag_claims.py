"""The claims of Dev Nag's post: ways to fail, and what counts as settled."""

import numpy as np

from reproductions.devnag import claims as devnag_claims


def test_ways_to_fail_are_distinguished():
    rows = {  # success, finite, mean, std, kurtosis
        'good': (1, 1, 4.0, 1.25, 0.0),
        'not finite': (0, 0, np.nan, np.nan, np.nan),
        'narrow peak': (0, 1, -11.0, 0.3, 0.0),
        'bimodal': (0, 1, 6.0, 1.3, -1.5),
        'wrong mean': (0, 1, 4.4, 1.25, 0.0),
        'wrong width': (0, 1, 4.0, 1.7, 0.0),
        'wrong shape': (0, 1, 4.0, 1.25, 0.0),
    }
    table = dict(zip(('success', 'finite', 'mean', 'std', 'kurtosis'), np.array(list(rows.values())).T, strict=True))
    table['seed'] = np.arange(len(rows))
    assert devnag_claims.classify(table).tolist() == list(rows)
    assert set(rows) == {'good', *devnag_claims.FAILURES}


def test_a_moment_is_settled_if_it_stays():
    late = np.full((3, 100), 1.25)
    late[1, 85] = 9  # one of the last 20 rounds, 5 %
    late[2, 85:87] = 9
    assert devnag_claims.settled(late, 1.25).tolist() == [True, True, False]
