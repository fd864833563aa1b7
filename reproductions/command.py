"""The command of a post, from top to bottom: python -m reproductions.<post>."""

import sys

from absl.flags import FlagValues

from common import quiet
from common.program import checks, flags
from common.program.cli import UserError
from common.say import say
from common.settings import fields
from reproductions import contract, declaration
from reproductions.declaration import Post


def run(post: Post, argv: list[str]) -> int:
    """Runs a command line; returns the exit status."""
    return execute(post, flags.parse(post.flags, argv, post.file))


def execute(post: Post, opts: FlagValues) -> int:
    """Trains a post, or replays a trace, or measures claims; returns the exit status.

    Raises:
      UserError: the flags make no sense together, or the command cannot run; nothing has been written then.
      files.CannotWrite: a file cannot be written. LostWorker: another worker has ended.
    """
    declared = fields(post.settings.Settings).items()
    decided = [name for name, field in declared if field.has_flag] + ['num_steps', 'data']
    flags.refuse_conflicts(opts, decided, claims_train=post.claim_steps is not None)
    if opts.replay and post.no_trace:
        raise UserError(f'--replay={opts.replay} cannot be used here: {post.no_trace}; leave it out')
    settings = declaration.settings_of(post, opts)
    if opts.claims and post.claim_steps and not opts['runs'].present:
        opts.runs = post.claim_runs
    num_steps, animation = declaration.steps_of(post, opts, settings), checks.animation_path(opts)
    every, print_every, film_every = post.pace(opts, num_steps)
    declaration.check(post, opts, settings, num_steps, every)
    quiet.import_tensorflow()
    from common.evaluation import outcomes
    from common.program import command, session
    from reproductions import accepted_numbers

    if opts.replay:
        return command.replay_trace(post.name, opts, contract.part(post.name, 'replay').replay_trace)
    claims = contract.part(post.name, 'claims')
    if opts.claims and post.claim_steps is None:
        return command.measure_claims(post.name, opts, claims.measure, claims.ENSEMBLES)
    gan, figures = contract.part(post.name, 'gan'), contract.part(post.name, 'figures')
    if remark := post.remark(settings):
        say(remark)
    data = post.load(opts, settings)
    resume_key, batch = post.resume_key(opts, data), post.sharded_batch(settings)
    with command.begin(post.name, opts, settings, num_steps, every, resume_key, batch) as run:
        animation = animation or (run.directory / 'animation.gif' if opts.animation else None)
        experiment = gan.make_experiment(settings, *data)
        judge = command.on_chief(run, lambda: gan.judge(settings, *data))
        if judge and judge.doubt:
            print(f'note: {judge.doubt}', file=sys.stderr)
        trained = session.train(
            run, experiment, print_every, film_every if animation else None, judge and judge.watch,
            post.due and post.due(opts, num_steps),
        )  # fmt: skip
        table = outcomes.results_table(judge, run.seeds, trained.train_state, trained.history)
        effective = {'log_every': every, 'anim_every': film_every if animation else None}
        command.write(run, trained, table, {name: value for name, value in effective.items() if name in opts} | judge.config)
        figures.draw(command.Finished(settings, run.directory, run.seeds, trained, table, judge))
        command.animate(run, trained, animation, figures.draw_animation, judge.frames)
        judge.summarize(judge, table)
        if opts.claims:
            say(claims.of_training(run.directory, table, trained.history, judge))
        command.export(run, trained, gan, post.conditional(settings))
        if afterword := judge.afterword(table):
            say(afterword)
        return command.finish(run, trained, accepted_numbers.in_proportion(post.name, settings, num_steps, table, data))
