"""How a post declares its command; needs no TensorFlow, so that --help and wrong flags answer at once."""

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from absl.flags import FlagValues

from common.evaluation import Columns
from common.program import checks, flags
from common.program.cli import UserError
from common.program.flags import Flag
from common.settings import changed, fields, flat
from common.sizes import GROUP, MOST, SEEDS


class Post(NamedTuple):
    """A post: its flags, and what its command does that others do not."""

    name: str
    file: str  # of the package; its docstring is the text above --help
    settings: types.ModuleType  # its `settings`: Settings, VARIANTS, make_settings, checked
    flags: tuple[Flag, ...]  # of `table`
    pace: Callable  # (opts, num_steps) -> steps between records, between printed losses, between frames of an animation
    networks: Callable  # settings -> layer widths of each network, inputs and outputs included
    memory: Callable = lambda settings, runs: 0  # bytes beside those of training
    group: Callable = lambda settings: GROUP  # runs that a CPU advances together at most
    at_once: int = 4 * GROUP  # runs that a sweep trains together at most, as far as they fit the memory
    claim_runs: int = 200  # of --claims, unless --runs says otherwise
    claim_times: int = 1  # the largest ensemble of --claims has so many times the runs
    claim_steps: int | None = None  # given by a post whose claims are judged by the runs of one training of so many steps
    columns: Columns = Columns()
    published: bool = True  # whether there was a program to reproduce; if not, maps mark our default
    remark: Callable = lambda settings: ''  # a line before training
    load: Callable = lambda opts, settings: ()  # its data set, further arguments of gan.make_experiment and gan.judge
    resume_key: Callable = lambda opts, data: {}  # {name: value}: what its numbers depend on besides the settings
    due: Callable | None = None  # (opts, num_steps) -> (iterations done -> what `Judge.watch` is to record then, a tuple)
    sharded_batch: Callable = lambda settings: None  # size of a batch that devices may share, its losses being means over it
    no_networks: str = ''  # why --record_networks is refused
    traces: str = ''  # the post whose recorded runs it replays, if not its own
    no_trace: str = ''  # why there is no recorded run of the author's program, and so no replay
    conditional: Callable = lambda settings: False  # whether G is given labels, by gan.labels(settings)


def seed_flag(default: int, text: str) -> Flag:
    """The flag of the first seed."""
    return Flag('seed', int, default, text, 0, SEEDS - 1)


def table(settings: types.ModuleType, first: Sequence[Flag], last: Sequence[Flag] = ()) -> tuple[Flag, ...]:
    """A post's own flags: the variant, `first` (the seed), the other settings, `last`."""
    variant, *others = flags.of_settings(settings.Settings, settings.VARIANTS)
    return (variant, *first, *others, *last)


def settings_of(post: Post, opts: FlagValues) -> Any:
    """The settings of a command line. Raises UserError if they make no sense."""
    declared = fields(post.settings.Settings).items()
    values = {name: opts[name].value for name, field in declared if field.has_flag}
    given = {name: value for name, value in values.items() if opts[name].present}
    if not values['instance_noise']:
        checks.unused(given, ('noise_steps',), 'there is no --instance_noise')
    settings = post.settings.checked(post.settings.make_settings(**values), given)
    if settings.remedies.instance_noise and settings.remedies.noise_steps is None:
        settings = changed(settings, {'noise_steps': opts.num_steps or settings.default_steps})
    return settings


def recorded_settings(post: Post, config: Mapping[str, Any]) -> Any:
    """The settings of a config.json; a field that an older one lacks has its variant's value."""
    known = {name: value for name, value in config['flags'].items() if name in fields(post.settings.Settings)}
    return post.settings.make_settings(**{n: tuple(value) if isinstance(value, list) else value for n, value in known.items()})


def data_of(post: Post, given: Mapping[str, Any], settings: Any) -> tuple[tuple, dict[str, Any]]:
    """(the data set, what the numbers depend on besides settings, seeds and steps) of a command with these flags."""
    opts = flags.given((*post.flags, *flags.COMMON), given)
    data = post.load(opts, settings)
    return data, post.resume_key(opts, data)


def steps_of(post: Post, opts: FlagValues, settings: Any) -> int:
    """The number of adversarial iterations of a command."""
    return opts.num_steps or (post.claim_steps if opts.claims else None) or settings.default_steps


def check(post: Post, opts: FlagValues, settings: Any, num_steps: int, every: int) -> None:
    """Raises UserError if a command cannot run: too few seeds for a claim, invalid seeds or paths, too little memory.

    `every`: steps between records.
    """
    if opts.claims and post.claim_steps is None:
        checks.claim_runs(opts, post.claim_runs, post.claim_times)
        return
    if opts.replay:
        return
    if opts.record_networks and post.no_networks:
        raise UserError(f'--record_networks={opts.record_networks} {post.no_networks}')
    if num_steps * max(settings.d_steps, settings.g_steps) > MOST:
        raise UserError(f'--num_steps={num_steps} is too many: at most 2^31 updates of a network can be counted; use fewer')
    checks.seeds(opts)
    checks.outputs(opts)
    records = (flat(settings).get('pretrain_steps', 0) + num_steps) // every
    more = post.memory(settings, opts.runs)
    checks.memory(opts, post.networks(settings), settings.batch_size, records, more, post.group(settings))
