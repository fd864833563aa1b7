"""The committed figure and table of the remedies."""

import pathlib

from common.program import cli
from reproductions.gallery import Part, Picture
from reproductions.remedies import command, figures


def remedies(out: pathlib.Path, runs: int) -> None:
    """Measures in a directory of figures/ what it does not have yet."""
    if cli.call(command.main, ['remedies', f'--runs={runs}', f'--output_dir={out}']):
        raise SystemExit('failed: remedies')


PARTS = {'remedies': Part(remedies, trains=True)}
PICTURES = {
    'remedies.png': Picture('remedies', figures.draw, 'How often each post succeeds with each remedy', in_post=False),
}
