"""What `rotation run` and `rotation migrate` have in common: from the scope to the outcomes, the notices and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from keyadmin.cli.render import show_data, show_list
from keyadmin.cli.rotation.common import Scope, survey
from keyadmin.cli.rotation.options import manner_of
from keyadmin.cli.rotation.view import outcome_view, tell_errors
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.handover.sink import build
from keyadmin.problem import Exit, Problem
from keyadmin.rotation import run as rotations
from keyadmin.rotation.decide import Action
from keyadmin.rotation.find import Found
from keyadmin.rotation.job import Event, Outcome
from keyadmin.rotation.notices import Notifier, notifier, write_metrics
from keyadmin.rotation.run import Planned

if TYPE_CHECKING:
    from datetime import datetime

    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class Wishes:
    """The options of a run beside its scope."""

    limit: int | None = None
    force_use: bool = False
    notify: str | None = None
    metrics: str | None = None


@dataclass(frozen=True)
class Done:
    """What came of a run. `now` = the server's time at its end."""

    found: Found
    planned: Sequence[Planned]
    outcomes: Sequence[Outcome]
    now: datetime


def carry_out(context: typer.Context, wanted: Scope, wishes: Wishes) -> int:
    """Advance what is due, tell of it, and give back the exit code: 3 where something failed."""
    session = current(context)
    notice = notifier(wishes.notify, session.observer) if wishes.notify else None

    def emit(event: Event) -> None:
        if session.format == "jsonl":
            show_data(session, event.to_json())
        if notice is not None:
            notice(event)

    manner = manner_of(session, emit=emit, force_use=wishes.force_use)

    async def work(cloud: Cloud) -> Done:
        found, planned = await survey(cloud, wanted, session.observer)
        for place, problem in found.errors.items():
            emit(Event.failure(cloud.now(), "look", problem, place, "" if " " in place else place))  # a rule, or a project
        for one in planned:  # a sink that is not allowed here is wrong usage, said before anything is done
            if one.due:
                build(one.chosen.specs, cloud, flagged=manner.flagged, emit=manner.write_line)
        outcomes = await rotations.run(cloud, planned, manner, session.observer, wishes.limit)
        return Done(found, planned, outcomes, cloud.now())

    try:
        done = run(context, work)
    except Problem as problem:
        emit(Event.failure(session.now(), "run", problem))
        if notice is not None:
            notice.send()
        raise
    if session.format != "jsonl":
        show_list(session, done.outcomes, outcome_view(session))
    _tell(session, done, wishes)
    _notices(session, done, wishes, notice)
    return Exit.FOUND if done.found.errors or any(one.problem for one in done.outcomes) else Exit.OK


def _tell(session: Session, done: Done, wishes: Wishes) -> None:
    tell_errors(session, done.found)
    for one in done.outcomes:
        for fix in (one.problem.fix if one.problem else ()) or one.ways_out:
            session.talk.note(f"{one.lineage.newest.key.key_id}: {fix}", always=True)
    elsewhere = [one for one in done.planned if not one.here and one.decision.action not in (Action.REST, Action.GONE)]
    for machine in sorted({one.chosen.rule.machine or "" for one in elsewhere}):
        count = sum(1 for one in elsewhere if one.chosen.rule.machine == machine)
        session.talk.note(f"Left to the machine {machine}, which has their sinks: {count} that are due.")
    due = sum(1 for one in done.planned if one.due and one.decision.action is Action.CREATE)
    if wishes.limit is not None and due > wishes.limit:
        session.talk.note(f"Not begun because of --limit: {due - wishes.limit}.")


def _notices(session: Session, done: Done, wishes: Wishes, notice: Notifier | None) -> None:
    """A notice that fails is a warning: what was rotated is rotated."""
    if notice is not None:
        notice.send()
    if wishes.metrics:
        try:
            write_metrics(
                Path(wishes.metrics), rotations.afterwards(done.planned, done.outcomes, done.now), done.now, done.found
            )
        except Problem as problem:
            session.talk.warning(problem.message)
