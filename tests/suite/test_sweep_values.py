"""What varies in a sweep from Python: sequences of all kinds, whose values stay values."""

import numpy as np
import pandas
import pytest

from common.program import cli
from common.storage import files
from reproductions import contract
from reproductions.aylien import __main__ as aylien_main
from reproductions.sweeps import command, vary

TABLE = aylien_main.POST.flags


@pytest.mark.parametrize(
    'values',
    [np.array([[4, 4], [8, 8]]), [(4, 4), [8, 8]], (np.array([4, 4]), (8, 8)), iter([[4, 4], [8, 8]]), '4x4,8x8'],
    ids=['array', 'list', 'tuple', 'iterator', 'text'],
)
def test_widths_are_values(values):
    (one,) = vary.of_values([('d_hidden_sizes', values)], TABLE)
    assert one.values == ((4, 4), (8, 8))


def test_sequences_of_all_kinds_are_values():
    for values in (range(4, 13, 4), np.array([4, 8, 12]), pandas.Series([4, 8, 12]), (n for n in (4, 8, 12)), '4,8,12'):
        (one,) = vary.of_values([('batch_size', values)], TABLE)
        assert one.values == (4, 8, 12) and all(type(value) is int for value in one.values)
    for values in (4, np.array(4), None):
        with pytest.raises(ValueError, match=r'^--vary=batch_size=\S+: give a list of values, such as \[0\.005, 0\.05\]$'):
            vary.of_values([('batch_size', values)], TABLE)


@pytest.mark.parametrize(
    ('text', 'values', 'geometric'),
    [
        ('batch_size=4,12,48', (4, 12, 48), True),
        ('learning_rate=0.001..0.1:3', (0.001, 0.01, 0.1), True),
        ('mu=0..4:3:linear', (0.0, 2.0, 4.0), False),
        ('hidden_size=1..4:7', (1, 2, 3, 4), True),  # rounded to whole numbers, each once
        ('minibatch=true,no', (True, False), False),
        ('variant=2017-06,2016-08', ('2017-06', '2016-08'), False),
        ('d-hidden-sizes=4x4,8x8x8', ((4, 4), (8, 8, 8)), False),
        ('d_steps=1,2,3', (1, 2, 3), False),
    ],
)
def test_values(text, values, geometric):
    (one,) = vary.parse([text], TABLE)
    assert (one.values, one.geometric) == (values, geometric) and one.name == text.partition('=')[0].replace('-', '_')


def test_varied_values_keep_their_digits(tmp_path):
    """In tables, also beyond the seven digits of other numbers; the ends of a range are those that were given."""
    words = ['aylien', '--vary=mu=4.00000025,5', '--runs=1', '--num_steps=2', '--pretrain_steps=0', f'--output_dir={tmp_path}']
    assert cli.call(command.main, words) == 0
    for name in ('sweep.csv', 'results.csv'):
        assert files.read_csv(tmp_path / name)['mu'].tolist() == [4.00000025, 5]
    flag = next(flag for flag in contract.post('aylien').flags if flag.name == 'learning_rate')
    values, _ = vary.steps('0.00123456789..0.1:3', flag, '')
    assert values[0] == 0.00123456789 and values[-1] == 0.1
