"""The notebook runs from its first cell to its last, in a small size."""

import re

import nbformat
import pytest
from helpers.paths import ROOT

PATH = ROOT / 'docs/notebooks/class_hour.ipynb'
SMALL = 40  # seeds


def test_it_is_kept_without_outputs():
    cells = nbformat.read(PATH, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == 'code']
    assert len(code) > 10 and len(cells) > 20
    assert [cell.source for cell in code if cell.outputs or cell.execution_count] == []


@pytest.mark.statistical
def test_it_runs(tmp_path, monkeypatch):
    nbclient = pytest.importorskip('nbclient', reason="needs pip install '.[docs]'")
    notebook = nbformat.read(PATH, as_version=4)
    sizes = [cell for cell in notebook.cells if cell.source.startswith('RUNS = 1000')]
    assert len(sizes) == 1
    sizes[0].source = f'RUNS = {SMALL}'
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    nbclient.NotebookClient(notebook, timeout=600, resources={'metadata': {'path': str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get('outputs', [])]
    assert sum('image/png' in output.get('data', {}) for output in outputs) == 6
    text = ''.join(output.get('text', '') for output in outputs)
    assert [line for line in text.splitlines() if 'Warning' in line or 'Traceback' in line] == []
    single, best_of_three = (float(found) for found in re.findall(r'best of +(?:1|3): (\d+) %', text))
    assert best_of_three == pytest.approx(100 * (1 - (1 - single / 100) ** 3), abs=2)
    assert 'seed 42: not converged' in text and (tmp_path / 'aylien_many/explore.html').exists()
