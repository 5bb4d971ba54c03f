"""What the commands that change keys have in common: find and plan, ask, carry out, print what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from keyadmin.cli.confirm import confirm
from keyadmin.cli.keys.dry_run import dry_run as dry
from keyadmin.cli.keys.view import ShownKey, show_changed, to_json
from keyadmin.cli.render import Column, View, show_list
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.keys.change import KeyChange, Started
from keyadmin.keys.rehearse import allowed
from keyadmin.keys.several import ChangeOutcome, execute_all, failure, find_all, rehearse_all
from keyadmin.model.key import Key

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

Planner = Callable[["Cloud", list[Key]], Awaitable[list[KeyChange]]]


def each(plan: Callable[[Key], KeyChange]) -> Planner:
    """A planner that needs nothing but the keys."""

    async def planned(cloud: Cloud, found: list[Key]) -> list[KeyChange]:
        return [plan(key) for key in found]

    return planned


def change_keys(
    context: typer.Context,
    names: Sequence[str],
    plan: Planner,
    *,
    yes: bool,
    dry_run: bool,
    wait: bool = True,
    unseen: bool = True,
) -> list[ChangeOutcome]:
    """Change the keys that `names` mean and print them; with `dry_run` say what would be done.

    Nothing is changed before all are found, planned and, where a plan asks, confirmed; what was shown is what is changed.
    With `unseen` the permission to change a key suffices where it is named by its id: it need not be read first. Raises
    Problem where one could not be changed (exit code 3 where others were).
    """
    session = current(context)

    async def prepare(cloud: Cloud) -> tuple[list[KeyChange], list[ChangeOutcome] | None]:
        found = await find_all(cloud, names, partial(session.project, cloud), unseen=unseen)
        changes = await plan(cloud, found)
        if dry_run:
            return changes, await rehearse_all(cloud, changes)
        if yes or not any(change.asks for change in changes):
            return changes, await execute_all(cloud, changes, wait=wait)
        if len(changes) == 1:
            await allowed(cloud, changes[0])  # nobody is asked about what a constraint refuses
        return changes, None

    changes, outcomes = run(context, prepare)
    if outcomes is None:  # asked between two connections: Ctrl-C does not reach a prompt inside the event loop
        confirm(session, question(changes), yes=False)
        outcomes = run(context, lambda cloud: execute_all(cloud, changes, wait=wait))
    _show(session, outcomes, dry_run=dry_run)
    if problem := failure(outcomes):
        raise problem
    return outcomes


def question(changes: Sequence[KeyChange]) -> str:
    """What is asked before: each change with what goes by it."""
    parts = [f"{change.words[0].upper()}{change.words[1:]}" + (f": {change.asks}" if change.asks else "") for change in changes]
    if len(parts) == 1:
        return f"{parts[0]}. Go on?"
    return "\n".join([*parts, f"Go on with these {len(parts)} keys?"])


def _show(session: Session, outcomes: Sequence[ChangeOutcome], *, dry_run: bool) -> None:
    for outcome in outcomes:
        for note in outcome.change.notes:
            session.console.note(f"{outcome.change.key.key_id}: {note}.", always=True)
    if dry_run:
        _show_dry(session, outcomes)
        return
    if len(outcomes) == 1:
        if outcomes[0].result is not None:
            show_changed(session, outcomes[0].result)
        return
    view = View[ChangeOutcome](
        (
            Column("ID", lambda one: one.change.key.key_id),
            Column("Project", lambda one: one.change.key.project),
            Column("Status", _status, lambda one: "red" if one.problem else None),
            Column("Detail", lambda one: one.problem.message if one.problem else one.change.words, fold=True),
        ),
        lambda one: _json(session, one),
    )
    show_list(session, outcomes, view)


def _show_dry(session: Session, outcomes: Sequence[ChangeOutcome]) -> None:
    good = [outcome for outcome in outcomes if outcome.problem is None]
    if good:
        dry(session, good[0].change.key.project, [outcome.change.words for outcome in good])
    for change in (outcome.change for outcome in good if outcome.change.asks):
        session.console.note(f"{change.key.key_id}: {change.asks}.", always=True)
    for text in dict.fromkeys(text for outcome in good for text in outcome.unknown):
        session.console.warning(text)


def _status(outcome: ChangeOutcome) -> str:
    if outcome.problem is not None:
        return "failed"
    return "started" if isinstance(outcome.result, Started) else "done"


def _json(session: Session, outcome: ChangeOutcome) -> dict[str, Any]:
    """The key with `status` (`done`, `started`, `failed`); of one that failed its names, `cause` and `message`."""
    key, problem = outcome.change.key, outcome.problem
    if problem is not None:
        out: dict[str, Any] = {"name": key.name, "displayName": key.display_name, "project": key.project}
        return out | {"status": "failed", "cause": problem.cause.value, "message": problem.message} | session.mark
    if isinstance(outcome.result, Started):
        started = {"name": outcome.result.name, "operation": outcome.result.operation, "done": not outcome.result.operation}
        return started | {"status": "started"} | session.mark
    assert outcome.result is not None
    return to_json(session, ShownKey(outcome.result)) | {"status": "done"}
