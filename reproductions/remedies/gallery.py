"""The committed figure and table of the remedies."""

import pathlib
import shutil

from common.program import cli
from reproductions.gallery import ROOT, Picture
from reproductions.remedies import command, figures


def remedies(runs: int, out: pathlib.Path) -> None:
    """Measures what neither output/remedies nor the committed table has yet; copies table and figure."""
    directory = ROOT / 'output' / 'remedies'
    if (out / 'remedies.csv').exists() and not (directory / 'remedies.csv').exists():
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(out / 'remedies.csv', directory)
    if cli.call(command.main, ['remedies', f'--runs={runs}', f'--output_dir={directory}']):
        raise SystemExit('failed: remedies')
    for name in ('remedies.csv', 'remedies.npz', 'remedies.png', 'remedies.md'):
        shutil.copy(directory / name, out / name)


PARTS = {'remedies': remedies}
PICTURES = {
    'remedies.png': Picture('remedies', figures.draw, 'How often each post succeeds with each remedy', in_post=False),
}
