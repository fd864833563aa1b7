"""The command line of the explorer: python -m reproductions explore DIRECTORY."""

import pathlib

import reproductions.explorer
from common import quiet
from common.program import cli, flags
from common.program.flags import PATH, Flag

FLAGS = (Flag('page', PATH, None, 'Where the page goes (default: explore.html in the directory).'),)


def main(argv: list[str]) -> int:
    """Runs the command; `argv` follows `explore`. Returns the exit status."""
    argv = argv or ['--help']
    words = [word for word in argv if word.startswith('-')]
    opts = flags.parse(FLAGS, ['explore', *words], reproductions.explorer.__file__, shared=())
    directory, *more = [word for word in argv if not word.startswith('-')] or ['']
    if more:
        raise cli.UserError(f'explore {directory} {more[0]}: name one directory')
    if not directory:
        raise cli.UserError('explore: name the directory of a finished training or sweep, such as output/aylien')
    path = pathlib.Path(flags.local_path('directory', directory))
    quiet.import_tensorflow()
    from reproductions.explorer import contents, page

    try:
        found = contents.of(path)
    except ValueError as error:
        raise cli.UserError(f'explore: {error}; train or sweep first') from error
    target = pathlib.Path(opts.page) if opts.page else path / 'explore.html'
    page.write(target, found)
    print(target)
    return 0
