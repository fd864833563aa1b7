"""The command line of the explorer: python -m reproductions explore DIRECTORY."""

import pathlib

import reproductions.explorer
from common import quiet
from common.program import checks, cli, flags
from common.program.flags import PATH, Flag

FLAGS = (Flag('page', PATH, None, 'Where the page goes (default: explore.html in the directory).'),)


def main(argv: list[str]) -> int:
    """Runs the command; `argv` follows `explore`. Returns the exit status."""
    words = list(argv) or ['--help']
    place = -1 if words[0].startswith('-') else 0  # the directory is the first word or the last
    directory = '' if words[place].startswith('-') else words.pop(place)
    opts = flags.parse(FLAGS, ['explore', *words], reproductions.explorer.__file__, shared=())
    if not directory:
        raise cli.UserError('explore: name the directory of a finished training or sweep, such as output/aylien')
    path = pathlib.Path(flags.local_path('directory', directory))
    place = checks.file_to_write(opts, 'page') if opts.page else None
    quiet.import_tensorflow()
    from reproductions.explorer import contents, page

    try:
        found = contents.of(path)
    except ValueError as error:
        raise cli.UserError(f'explore: {error}; train or sweep first') from error
    print(page.write(place, found) if place else page.write_into(path, found))
    return 0
