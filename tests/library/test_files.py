"""Files are written completely or not at all."""

import json
import os

import numpy as np
import pytest

from common.storage import files


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / 'results.csv'
    files.write_csv(path, {'a': [1, 2]})
    before = path.read_text(encoding='utf-8')
    with pytest.raises(ValueError):
        files.write_csv(path, {'a': [1, 2], 'b': [1]})  # of unequal length
    assert path.read_text(encoding='utf-8') == before
    assert [file.name for file in tmp_path.iterdir()] == ['results.csv']


def test_csv_round_trip_to_seven_digits_with_nan_and_infinity(tmp_path):
    columns = {'seed': np.arange(4), 'x': np.array([1 / 3, np.nan, -np.inf, 1e-30])}
    files.write_csv(tmp_path / 't.csv', columns)
    assert (tmp_path / 't.csv').read_text(encoding='utf-8').splitlines()[1] == '0,0.3333333'
    np.testing.assert_allclose(files.read_csv(tmp_path / 't.csv')['x'], columns['x'], rtol=1e-6)


def test_json_and_npz(tmp_path):
    files.write_json(tmp_path / 'a.json', {'b': [1, None]})
    assert json.loads((tmp_path / 'a.json').read_text(encoding='utf-8')) == {'b': [1, None]}
    files.write_npz(tmp_path / 'a.npz', {'c': np.arange(3)})
    assert files.read_npz(tmp_path / 'a.npz')['c'].tolist() == [0, 1, 2]


def test_directory_that_is_a_file_is_refused(tmp_path):
    (tmp_path / 'file').write_text('', encoding='utf-8')
    with pytest.raises(OSError):
        files.prepare_directory(tmp_path / 'file')


def test_write_errors_name_the_file_and_the_cause(tmp_path):
    for path in (tmp_path / 'none' / 'a.csv', tmp_path / 'file' / 'a.csv'):
        (tmp_path / 'file').write_text('kept', encoding='utf-8')
        with pytest.raises(files.CannotWrite, match=r'a\.csv cannot be written') as error:
            files.write_csv(path, {'a': [1]})
        assert '\n' not in str(error.value)
    assert (tmp_path / 'file').read_text(encoding='utf-8') == 'kept'


def test_only_the_partial_files_of_a_killed_process_are_removed(tmp_path):
    for name in (f'{files.PARTIAL}history-abc.npz', '.mine', 'results.csv'):
        (tmp_path / name).write_text('', encoding='utf-8')
    files.remove_partial(tmp_path)
    files.remove_partial(tmp_path / 'none')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['.mine', 'results.csv']


def test_lines_end_with_a_newline_alone(tmp_path):
    files.write_csv(tmp_path / 'a.csv', {'a': [1, 2]})
    files.write_text(tmp_path / 'a.txt', 'ä ✓\n')
    assert (tmp_path / 'a.csv').read_bytes() == b'a\n1\n2\n'
    assert (tmp_path / 'a.txt').read_bytes() == b'\xc3\xa4 \xe2\x9c\x93\n'


def test_json_has_null_where_numbers_are_not_finite(tmp_path):
    value = {'a': [float('nan'), np.float64('inf'), 1.5, (float('-inf'), True)], 'b': {'c': float('nan')}}
    files.write_json(tmp_path / 'a.json', value)
    text = (tmp_path / 'a.json').read_text(encoding='utf-8')
    assert json.loads(text, parse_constant=pytest.fail) == {'a': [None, None, 1.5, [None, True]], 'b': {'c': None}}


@pytest.mark.parametrize(('umask', 'mode'), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_the_umask_decides_who_may_read(umask, mode, tmp_path):
    before = os.umask(umask)
    try:
        files.write_npz(tmp_path / 'a.npz', {'a': np.zeros(1)})
    finally:
        os.umask(before)
    assert (tmp_path / 'a.npz').stat().st_mode & 0o777 == mode
