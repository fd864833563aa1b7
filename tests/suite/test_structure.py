"""The structure of the code: files of one sitting, arrows that go down only, imports at the top."""

import ast
import configparser
import graphlib

import pytest
from helpers.paths import ROOT

FOLDERS = ('common', 'reproductions', 'scripts', 'tests')
LONGEST, LONGEST_GAN = 350, 300  # lines
MODULES = {
    '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__'): path
    for folder in FOLDERS[:3]
    for path in (ROOT / folder).rglob('*.py')
}


def tree_of(path):
    return ast.parse(path.read_text(encoding='utf-8'))


def imported(tree):
    """Names of the modules, and of the objects in them, that a piece of code imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f'{node.module}.{name.name}' for name in node.names)


def arrows():
    """{module: modules that it imports}, of the suite's own."""
    found = {}
    for name, path in MODULES.items():
        names = set(imported(tree_of(path)))
        found[name] = {each if each in MODULES else each.rpartition('.')[0] for each in names} & MODULES.keys()
    return found


def test_files_can_be_read_in_one_sitting():
    lengths = {
        str(path.relative_to(ROOT)): path.read_text(encoding='utf-8').count('\n')
        for folder in FOLDERS
        for path in (ROOT / folder).rglob('*.py')
    }
    assert len(lengths) > 100
    assert [name for name, lines in lengths.items() if lines > (LONGEST_GAN if name.endswith('/gan.py') else LONGEST)] == []


def test_every_package_is_installed():
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg', encoding='utf-8')
    folders = {name for name, path in MODULES.items() if path.name == '__init__.py'}
    assert len(folders) > 15 and folders <= set(setup['options']['packages'].split())


def test_there_is_no_import_circle_and_common_knows_no_post():
    found = arrows()
    assert sum(map(len, found.values())) > 200
    assert len(list(graphlib.TopologicalSorter(found).static_order())) == len(MODULES)  # raises CycleError at a circle
    assert {
        name for name in found for other in found[name] if name.startswith('common') and not other.startswith('common')
    } == set()
    with pytest.raises(graphlib.CycleError):
        list(graphlib.TopologicalSorter(found | {'common.sizes': {'common.training'}}).static_order())


def test_imports_inside_functions_only_spare_users_the_loading_of_tensorflow():
    """They are in the `main` of a command, after its flags were checked, in the API, and where a large library is optional."""
    inside = {
        (name, function.name)
        for name, path in MODULES.items()
        for function in ast.walk(tree_of(path))
        if isinstance(function, ast.FunctionDef) and any(imported(function))
    }
    commands = {(name, function) for name, function in inside if name.endswith(('.__main__', '.command'))}
    assert {function for _, function in commands} == {'main', 'execute', 'load_digits'}
    others = {
        ('common.quiet', 'import_tensorflow'),
        ('common.plotting.figures', 'filming'),
        ('reproductions.result', 'to_pandas'),
    }
    others |= {('reproductions.api', name) for name in ('replay', 'sweep', 'run')}
    others |= {('reproductions.result', name) for name in ('plot', 'sample', 'networks', 'read')}
    assert inside - commands == others
