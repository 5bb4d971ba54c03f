"""`keyadmin audit undo`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.audit.fix.journal import read_journal
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.plan_file import read_plan
from keyadmin.audit.fix.scope import check_world
from keyadmin.audit.fix.undo import UndoOutcome, UndoPlan, execute_undo, foresee_undo, in_order, plan_undo
from keyadmin.cli.audit import fix_view
from keyadmin.cli.audit.fix_files import place_of
from keyadmin.cli.audit.fix_options import UndoKeys
from keyadmin.cli.confirm import confirm, would
from keyadmin.cli.options import ChargeProjects, DryRun, Yes
from keyadmin.cli.render import show_data
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.text import counted
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Exit, Problem, usage
from keyadmin.rotation.job import Event

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

_TOLD: Final = 10
Which = Annotated[str, typer.Argument(metavar="RUN|PLAN", help="The id of a run, or the file of its plan.")]


def undo(
    context: typer.Context,
    which: Which,
    key: UndoKeys = None,
    charge_projects: ChargeProjects = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> int:
    """Revert what a run of audit fix changed, last change first.

    Keys get their earlier restrictions back if they still have those that the run wrote; deleted keys are restored within
    30 days. What somebody else has changed since then is left alone. Migrations and rotations are not undone: it prints
    the command that rolls each of them back. It asks first and says how many keys will be open again. Exit code 3: a key
    could not be reverted.
    """
    session = current(context)
    session.charge_each = charge_projects
    path = place_of(which)
    plan = read_plan(path)
    only = _named(plan, key or ())
    if not (yes or dry_run or session.interactive):
        raise usage(
            "there is no terminal, so keyadmin cannot ask whether to open keys again", "add --yes to do it without asking"
        )

    async def look(cloud: Cloud) -> UndoPlan:
        check_world(plan, cloud)
        return await plan_undo(cloud, plan, read_journal(path, plan.run), session.observer, only)

    async def both(cloud: Cloud) -> tuple[UndoPlan, list[UndoOutcome]]:
        wanted = await look(cloud)
        return wanted, await _done(cloud, session, wanted, path)

    if yes and not dry_run:
        wanted, outcomes = run(context, both)
    else:
        wanted = run(context, look)
        if session.format == "table" or dry_run:
            fix_view.show_targets(session, wanted.targets)
        if dry_run:
            would(session, _question(wanted), document=False)
            left, unknown = run(context, lambda cloud: foresee_undo(cloud, wanted))
            fix_view.tell_unknown(session, unknown, "key")
            return _ended(session, wanted, left)
        if wanted.targets:
            _tell_beforehand(context, session, wanted)
            confirm(session, f"{_question(wanted)[:1].upper()}{_question(wanted)[1:]}?", yes=False)
        outcomes = run(context, lambda cloud: _done(cloud, session, wanted, path))
    if session.format != "jsonl":
        fix_view.show_undone(session, in_order(outcomes))
    return _ended(session, wanted, outcomes)


async def _done(cloud: Cloud, session: Session, wanted: UndoPlan, path: Path) -> list[UndoOutcome]:
    def emit(event: Event) -> None:
        if session.format == "jsonl":
            show_data(session, event.to_json())

    return await execute_undo(cloud, wanted, path, session.observer, emit)


def _tell_beforehand(context: typer.Context, session: Session, wanted: UndoPlan) -> None:
    """What an undo would leave, and what is not known of that, before the question."""
    left, unknown = run(context, lambda cloud: foresee_undo(cloud, wanted))
    if left:
        session.console.warning(f"{counted(len(left), 'key')} could not be put back as things stand")
        for reason in _reasons(left):
            session.console.note(f"  {reason}", always=True)
    fix_view.tell_unknown(session, unknown, "key")


def _reasons(trouble: Sequence[UndoOutcome]) -> list[str]:
    out = [f"{each.change.project} {each.change.key_id}: {each.detail} [{each.cause}]" for each in trouble[:_TOLD]]
    return [*out, f"and {len(trouble) - _TOLD} more"] if len(trouble) > _TOLD else out


def _named(plan: FixPlan, texts: Sequence[str]) -> frozenset[str]:
    """The keys of the run that `--key` names. Raises usage()."""
    out = set()
    for text in texts:
        hits = sorted({each.name for each in plan.changes if text in (each.name, each.key_id, each.display_name)})
        if len(hits) != 1:
            what = "no key" if not hits else f"{len(hits)} keys"
            raise usage(f"--key {text}: it names {what} of the run {plan.run}", "write the key's full name")
        out.add(hits[0])
    return frozenset(out)


def _question(wanted: UndoPlan) -> str:
    if len(wanted.targets) == 1:
        opened = f"it is {'' if wanted.opened else 'not '}open again afterwards"
    elif wanted.opened:
        opened = f"{wanted.opened} of them {'is' if wanted.opened == 1 else 'are'} open again afterwards"
    else:
        opened = "none of them is open again afterwards"
    opened += ", to whoever has the key" if wanted.opened else ""
    return f"put back {counted(len(wanted.targets), 'key')} of the run {wanted.plan.run}; {opened}"


def _ended(session: Session, wanted: UndoPlan, outcomes: Sequence[UndoOutcome]) -> int:
    """The exit code: 3, with the reasons, where a key was not put back."""
    for change, command in wanted.rollbacks:
        words = f"{change.project} {change.key_id} was replaced ({change.kind}), which is not undone here; roll it back"
        again = " (then this undo again, for its former restrictions)" if change.name in wanted.plan.firsts else ""
        session.console.note(f"{words}: {command}{again}", always=True)
    trouble = [each for each in outcomes if each.status in ("skipped", "failed")]
    if not trouble:
        return Exit.OK
    first = trouble[0]
    raise Problem(
        Cause(first.cause),
        f"{counted(len(trouble), 'key')} could not be put back",
        project=first.change.project,
        fix=(f"see one as it is now: {typed('keys describe', first.change.key_id, project=first.change.project)}",),
        exit_code=Exit.FOUND,
        notes=_reasons(trouble),
    )
