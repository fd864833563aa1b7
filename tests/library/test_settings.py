"""A declared setting: what its annotation says, and the defaults, flags and identity that follow from it."""

import pathlib
from typing import Annotated, NamedTuple

import numpy as np
import pytest

from common import settings
from common.program import cli, flags
from common.settings import (
    BATCH_SIZE,
    EVALUATED,
    FRACTION,
    IMPLIED,
    OF_ALL,
    POSITIVE,
    Between,
    Derived,
    Kind,
    OneOf,
    PerRun,
    Remedies,
)

VARIANTS = {
    'new': {},
    'old': {'rate': 0.5, 'size': 2, 'steps': Derived(lambda s: 10 * s.size), 'average': 0.9},
}


class Settings(NamedTuple):
    """A setting of every kind."""

    variant: Annotated[str, OneOf(VARIANTS), 'Version.'] = 'new'
    size: Annotated[int, Between(1, 9), 'Units.'] = 3
    widths: Annotated[tuple[int, ...], 'Units of each layer.'] = Derived(lambda s: (s.size, 2 * s.size))
    places: Annotated[tuple[float, ...], IMPLIED, 'Means.'] = (0.0, 1.5)
    rate: Annotated[float, POSITIVE, PerRun('float32'), EVALUATED, 'Learning rate.'] = 0.1
    decay: Annotated[float, POSITIVE, Between(None, 1), 'Its factor.'] = 0.95
    momentum: Annotated[float, FRACTION, PerRun('float64'), 'Momentum.'] = 0.9
    mean: Annotated[float, 'Mean.'] = -1.0
    activation: Annotated[str, OneOf(['tanh', 'relu']), 'Activation.'] = 'tanh'
    plain: Annotated[bool, 'Without frills.'] = False
    remedies: Remedies = Remedies()
    batch_size: BATCH_SIZE = 12
    steps: Annotated[int, IMPLIED] = 100
    glorot: bool = False


OWN = ('variant', 'size', 'widths', 'places', 'rate', 'decay', 'momentum', 'mean', 'activation', 'plain')
HAVE_FLAGS = {*OWN, *Remedies._fields, 'batch_size'}
TABLE = (*flags.of_settings(Settings, VARIANTS), flags.Flag('output', Kind.PATH, None, 'Where it goes.'))


def make(*variant, **changes):
    return settings.make(Settings, VARIANTS, *variant, **changes)


# --- Declarations -------------------------------------------------------------------------------------------------------------


def test_fields_are_what_the_annotations_say():
    declared = settings.fields(Settings)
    assert (
        list(declared) == [*OWN, *Remedies._fields, 'batch_size', 'steps', 'glorot'] and settings.fields(Settings) is declared
    )
    assert {name: declared[name].kind for name in (*OWN, 'batch_size', 'glorot')} == {
        'variant': ('new', 'old'), 'size': int, 'widths': Kind.WIDTHS, 'places': Kind.NUMBERS, 'rate': POSITIVE,
        'decay': POSITIVE, 'momentum': FRACTION, 'mean': float, 'activation': ('tanh', 'relu'), 'plain': bool,
        'batch_size': int, 'glorot': bool,
    }  # fmt: skip
    assert [declared[name].bounds for name in ('size', 'decay', 'rate')] == [(1, 9), (None, 1), (None, None)]
    assert (declared['size'].default, declared['size'].text, declared['glorot'].text) == (3, 'Units.', '')
    marks = {name: field.marks for name, field in declared.items() if field.marks}
    assert marks == {'places': {IMPLIED}, 'rate': {EVALUATED}, 'batch_size': {OF_ALL}, 'steps': {IMPLIED}}
    assert {name for name, field in declared.items() if field.has_flag} == HAVE_FLAGS


def test_numbers_that_may_differ_from_run_to_run():
    remedies = settings.numbers(Remedies)
    assert settings.numbers(Settings) == {'rate': 'float32', 'momentum': 'float64'} | remedies
    assert set(Remedies._fields) - set(remedies) == {'noise_steps', 'spectral_norm'} and remedies['average'] == 'float64'


# --- Settings -----------------------------------------------------------------------------------------------------------------


def test_defaults_follow_from_the_variant_and_from_other_fields():
    new, old = make(), make('old')
    assert new == make('new') and (new.size, new.widths, new.rate, new.steps, new.remedies.average) == (3, (3, 6), 0.1, 100, 0)
    assert (old.variant, old.size, old.widths, old.rate, old.steps, old.remedies.average) == ('old', 2, (2, 4), 0.5, 20, 0.9)
    wider = make('old', size=5, average=0.0)
    assert (wider.widths, wider.steps, wider.remedies) == ((5, 10), 50, Remedies())
    assert make(size=5, widths=(7,), steps=9)[1:3] == (5, (7,)) and make('old', steps=9).steps == 9
    assert hash(new) == hash(make())


def test_none_keeps_the_variants_value():
    assert make('old', rate=None, widths=None, average=None, steps=None) == make('old')


def test_what_is_not_declared_is_refused():
    with pytest.raises(KeyError, match='1999'):
        make('1999')
    with pytest.raises(ValueError, match='size_of_g'):
        make(size_of_g=3)
    with pytest.raises(TypeError):
        settings.make(Settings, VARIANTS, 'new', 3)  # only the variant has a place


def test_flat_and_changed_name_remedies_like_other_fields():
    made = settings.changed(make(), {'rate': 2.0, 'dragan': 10.0})
    assert made == make(rate=2.0)._replace(remedies=Remedies(dragan=10.0))
    assert set(settings.flat(made)) == set(settings.fields(Settings))
    assert (settings.flat(made)['rate'], settings.flat(made)['dragan']) == (2, 10)


def test_what_identifies_a_training_and_what_is_recorded():
    """What other fields imply does not identify a training; only what has a flag, or identifies one, is in config.json."""
    made = make(dragan=10.0)
    assert set(settings.identity(made)) == set(settings.fields(Settings)) - {'places', 'steps'}
    assert set(settings.recorded(made)) == set(settings.fields(Settings)) - {'steps'}
    assert settings.identity(made) == settings.identity(made._replace(places=(3.0,), steps=1))
    assert settings.identity(made) != settings.identity(make())
    assert settings.recorded(made)['dragan'] == 10 and settings.recorded(made)['places'] == (0.0, 1.5)


# --- Flags --------------------------------------------------------------------------------------------------------------------


def test_flags_of_settings():
    """No default where the variant or another field decides, and none of a list."""
    table = {flag.name: flag for flag in TABLE[:-1]}
    assert set(table) == HAVE_FLAGS - {'batch_size'}  # which all posts have
    assert {name for name, flag in table.items() if flag.default is None} == {
        'size', 'widths', 'places', 'rate', 'average', 'noise_steps',
    }  # fmt: skip
    assert table['decay'] == ('decay', POSITIVE, 0.95, 'Its factor.', None, 1)
    assert table['variant'].default == 'new' and table['size'][4:] == (1, 9)


def parsed(*words):
    """Flags of a command line."""
    return flags.parse(TABLE, ['program', *words], __file__, shared=())


@pytest.mark.parametrize(
    ('name', 'value', 'text'),
    [
        ('size', np.int64(4), '4'),
        ('size', np.array(4), '4'),
        ('size', '4', '4'),
        ('rate', np.float64(0.25), '0.25'),
        ('rate', np.float32(0.1), '0.10000000149011612'),
        ('rate', 2, '2'),
        ('mean', np.int32(-3), '-3'),
        ('mean', '1e3', '1e3'),
        ('average', 0, '0'),
        ('widths', (4, 8), '4,8'),
        ('widths', range(4, 7), '4,5,6'),
        ('widths', np.array([4, 8]), '4,8'),
        ('widths', [np.int64(4), 8], '4,8'),
        ('widths', 4, '4'),
        ('widths', '4, 8', '4, 8'),
        ('places', (0, -1.5), '0,-1.5'),
        ('places', np.linspace(-1, 1, 3), '-1,0,1'),
        ('places', np.float32(0.5), '0.5'),
        ('activation', np.str_('relu'), 'relu'),
        ('plain', True, 'true'),
        ('plain', np.bool_(True), 'true'),
        ('plain', '1', '1'),
        ('output', pathlib.Path('~/a'), '~/a'),
    ],
)
def test_values_are_those_of_a_command_line(name, value, text):
    given, wanted = flags.given(TABLE, {name: value}), parsed(f'--{name}={text}')
    assert given.flag_values_dict() == wanted.flag_values_dict() and given[name].present
    assert type(given[name].value) is type(wanted[name].value)


def test_none_leaves_a_flag_at_its_default():
    given = flags.given(TABLE, {'size': None, 'decay': None, 'rate': 0.5})
    assert given.flag_values_dict() == parsed('--rate=0.5').flag_values_dict()
    assert not given['decay'].present and given['rate'].present


@pytest.mark.parametrize(
    ('name', 'value', 'text'),
    [
        ('size', 0, '0'),
        ('size', np.int64(10), '10'),
        ('size', 2.5, '2.5'),
        ('size', 2.0, '2.0'),
        ('size', 'x', 'x'),
        ('size', True, 'True'),
        ('size', [3], '[3]'),
        ('size', 10**30, str(10**30)),
        ('rate', 0, '0'),
        ('rate', np.float32(-1), '-1.0'),
        ('rate', float('nan'), 'nan'),
        ('rate', 'fast', 'fast'),
        ('rate', True, 'True'),
        ('rate', '', ''),
        ('decay', 1.5, '1.5'),
        ('momentum', 1, '1'),
        ('mean', np.inf, 'inf'),
        ('widths', (4, 0), '4,0'),
        ('widths', (4.5,), '4.5'),
        ('widths', [1] * 21, ','.join('1' * 21)),
        ('widths', (), ''),
        ('widths', [None], 'None'),
        ('places', (0, float('nan')), '0,nan'),
        ('places', 'a,b', 'a,b'),
        ('activation', 'elu', 'elu'),
        ('activation', 3, '3'),
        ('plain', 'maybe', 'maybe'),
        ('plain', 2, '2'),
        ('average', 1.0, '1.0'),
        ('gradient_penalty', -1, '-1'),
        ('output', 'https://a.b', 'https://a.b'),
        ('sise', 3, '3'),
    ],
)
def test_wrong_values_are_refused_in_the_line_of_the_command_line(name, value, text):
    with pytest.raises(cli.UserError) as wanted:
        parsed(f'--{name}={text}')
    with pytest.raises(ValueError) as found:
        flags.given(TABLE, {name: value})
    assert str(found.value) == str(wanted.value) and '\n' not in str(found.value) and name in str(found.value)
