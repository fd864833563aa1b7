"""Damaged and fabricated tables of accepted numbers are refused, or hold as many numbers as expected."""

import collections

import numpy as np
import pytest
from helpers.damage import damaged, read
from hypothesis import given
from hypothesis import strategies as st

from common.program import cli
from common.storage import files
from reproductions import accepted_numbers
from reproductions.aylien import claims as aylien_claims
from reproductions.devnag import claims as devnag_claims
from reproductions.jang import claims as jang_claims

pytestmark = pytest.mark.usefixtures('small_archives')
CASE = min((case for case in accepted_numbers.cases() if case.runs), key=lambda case: case.runs)
TABLES = {
    'outcomes': lambda: accepted_numbers.recorded_outcomes(CASE),
    'trajectory': lambda: accepted_numbers.recorded_trajectory(CASE),
    "Aylien's program": lambda: aylien_claims.original('2016-08', 'plain'),
    "Jang's program": jang_claims.original,
    "Dev Nag's program": devnag_claims.original,
    "Dev Nag's program, moments of each round": devnag_claims.original_trajectory,
}


@st.composite
def other_tables(draw, text):
    """A table with cells that are not numbers, or with missing or extra cells, rows or columns."""
    header, *rows = [line.split(',') for line in text.split()]
    for _ in range(draw(st.integers(1, 2))):
        row = draw(st.sampled_from(rows[:20]))
        cells = ['', 'nan', '-inf', '1e400', '1_0', '"', '"1', '1' * 200_000, '٣', '0x1']
        cell = draw(st.text(max_size=5) | st.sampled_from(cells))
        row[draw(st.integers(0, len(row) - 1))] = cell
    kind = draw(st.integers(0, 5))
    if kind == 0:
        header[0] = header[-1]
    elif kind == 1:
        header = header[: draw(st.integers(0, len(header)))]
    elif kind == 2:
        rows = rows[: draw(st.integers(0, len(rows)))]
    elif kind == 3:
        rows[0] = [*rows[0], '1']
    return '\n'.join(','.join(row) for row in [header, *rows]).encode('utf-8', 'surrogatepass')


def test_damaged_and_fabricated_tables(tmp_path, monkeypatch):
    """Refused, or numbers, as many in every column as expected."""
    path = tmp_path / f'{CASE.post}_{CASE.name}.csv'
    monkeypatch.setattr(accepted_numbers, 'DIRECTORY', tmp_path)
    columns = ['seed', *accepted_numbers.RATES, *CASE.columns]
    rng, seen = np.random.default_rng(0), collections.Counter()
    files.write_csv(path, {name: rng.normal(size=CASE.runs) for name in columns})
    valid = path.read_bytes()

    @given(damaged(valid) | other_tables(valid.decode()))
    def check(data):
        path.write_bytes(data)
        found = read(TABLES['outcomes'], files.BadTable)
        seen[found is not None] += 1
        assert found is None or (found.keys() >= set(columns) and {v.shape for v in found.values()} == {(CASE.runs,)})
        assert found is None or {value.dtype for value in found.values()} == {np.dtype(np.float64)}

    check()
    assert seen.total() >= 500 and seen[False] > 200 and seen[True] > 20, seen


@pytest.mark.parametrize('name', TABLES)
def test_a_reference_with_missing_columns_is_named(name, tmp_path, monkeypatch):
    monkeypatch.setattr(accepted_numbers, 'DIRECTORY', tmp_path)
    monkeypatch.setattr('importlib.resources.files', lambda package: tmp_path)
    ours = f'{CASE.post}_{CASE.name}'
    originals = ('aylien_2016-08_plain', 'jang_2016-06', 'devnag_2018-11_moments', 'devnag_2018-11_moments_trajectory')
    for file in (ours, f'{ours}_course', *originals):
        files.write_csv(tmp_path / f'{file}.csv', {'seed': [1, 2], 'finite': [1, 1]})
    with pytest.raises(files.BadTable, match=r'\.csv is damaged: it lacks'):
        TABLES[name]()


@pytest.mark.parametrize('name', TABLES)
def test_the_installed_references_are_complete(name):
    assert len({len(column) for key, column in TABLES[name]().items() if key != 'round'}) == 1


def test_a_command_ends_with_one_line_if_a_reference_is_damaged(tmp_path, capsys):
    assert cli.call(lambda argv: files.read_csv(tmp_path / 'none.csv'), ['aylien']) == 2
    error = capsys.readouterr().err
    assert error.startswith(f'error: {tmp_path}/none.csv does not exist; ') and error.count('\n') == 1
