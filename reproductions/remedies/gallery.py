"""The committed figure and table of the remedies."""

import pathlib
import shutil

from common.program import cli
from reproductions.gallery import ROOT, Picture
from reproductions.remedies import command, figures


def remedies(runs: int, out: pathlib.Path) -> None:
    """Measures what is not in output/remedies yet; copies table and figure."""
    directory = ROOT / 'output' / 'remedies'
    if cli.call(command.main, ['remedies', f'--runs={runs}', f'--output_dir={directory}']):
        raise SystemExit('failed: remedies')
    for name in ('remedies.csv', 'remedies.npz', 'remedies.png', 'remedies.md'):
        shutil.copy(directory / name, out / name)


PARTS = {'remedies': remedies}
PICTURES = {
    'remedies.png': Picture('remedies', figures.draw, 'How often each post succeeds with each remedy', in_post=False),
}
