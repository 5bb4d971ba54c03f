"""What `rotation run` and `rotation migrate` have in common: from the scope to the outcomes, the notices and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from keyadmin.cli.render import show_data, show_list, write
from keyadmin.cli.rotation.common import RotationScope, survey
from keyadmin.cli.rotation.options import manner_of
from keyadmin.cli.rotation.view import ended, outcome_view, tell_plan, tell_ways
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.handover.registry import build
from keyadmin.handover.sink import SinkSpec
from keyadmin.model.key import Key
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.rotation import run as rotations
from keyadmin.rotation.decide import Action
from keyadmin.rotation.find import Selection
from keyadmin.rotation.job import Event, Outcome
from keyadmin.rotation.lineage import Lineage
from keyadmin.rotation.notices import Notifier, notifier, write_metrics
from keyadmin.rotation.plan import Planned, afterwards, within

if TYPE_CHECKING:
    from datetime import datetime

    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class RunRequest:
    """The options of a run beside its scope."""

    limit: int | None = None
    force_use: bool = False
    notify: str | None = None
    metrics: str | None = None


@dataclass(frozen=True)
class Done:
    """What came of a run. `now` = the server's time at its end."""

    found: Selection
    planned: Sequence[Planned]
    outcomes: Sequence[Outcome]
    now: datetime


class Strings:
    """What the sink stdout prints in a run of many lineages: a line that is said whose it is, or a field for programs."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.by_key: dict[str, str] = {}

    def check(self, specs: Sequence[SinkSpec]) -> None:
        """Raises usage() where the key string would stand between the lines of a table for programs."""
        if self._session.format in ("csv", "markdown") and any(spec.sink.prints for spec in specs):
            raise usage(
                f"--format {self._session.format} has no place for the key strings that the sink stdout prints",
                "add --format json, jsonl or yaml, whose objects have the field keyString",
            )

    def write_key(self, lineage: Lineage, line: str) -> None:
        """Print it, or keep it for the object."""
        if self._session.format != "table":
            self.by_key[f"{lineage.project}/{lineage.id}"] = line
            return
        write(line)
        self._session.console.note(
            f"This was the key string of lineage {lineage.id} of project {lineage.project}.", always=True
        )

    def field(self, project: str, lineage: str) -> dict[str, str]:
        """The field of an object."""
        found = self.by_key.get(f"{project}/{lineage}")
        return {} if found is None else {"keyString": found}


def carry_out(context: typer.Context, wanted: RotationScope, wishes: RunRequest) -> int:
    """Advance what is due and tell of it, and give back the exit code: 3 where something failed."""
    session = current(context)
    notice = notifier(wishes.notify, session.observer) if wishes.notify else None
    strings = Strings(session)

    def emit(event: Event) -> None:
        if session.format == "jsonl":
            handed = event.step == "publish stdout"
            show_data(session, event.to_json() | (strings.field(event.project, event.lineage) if handed else {}))
        if notice is not None:
            notice(event)

    manner = replace(manner_of(session, force_use=wishes.force_use), emit=emit, write_key=strings.write_key)

    async def work(cloud: Cloud) -> Done:
        found, planned = await survey(cloud, wanted, session.observer)
        for place, problem in found.errors.items():
            emit(Event.failure(cloud.now(), "look", problem, place, "" if " " in place else place))  # a rule, or a project
        for one in planned:  # a sink that is not allowed here is wrong usage, said before anything is done
            if one.due:
                strings.check(one.chosen.specs)
                build(one.chosen.specs, cloud, flagged=manner.flagged, emit=manner.write_line)
        tell_plan(session, found, within(planned, wishes.limit))
        outcomes = await rotations.run(cloud, planned, manner, session.observer, wishes.limit)
        return Done(found, planned, outcomes, cloud.now())

    try:
        done = run(context, work)
    except (Problem, KeyboardInterrupt) as end:
        problem = end if isinstance(end, Problem) else Problem(Cause.UNKNOWN, "interrupted")
        emit(Event.failure(session.now(), "run", problem))
        if notice is not None:
            notice.send()  # what was done is told: keys were made, and sinks have them
        raise
    if session.format != "jsonl":
        show_list(session, done.outcomes, outcome_view(session, strings.field))
    _tell(session, done, wishes)
    _notices(session, done, wishes, notice)
    failed = _failed(done)
    return ended(session, done.found, f"{len(failed)} of {len(done.outcomes)} rotations failed", failed)


def _failed(done: Done) -> list[tuple[Key, Problem]]:
    return [(one.lineage.newest.key, one.problem) for one in done.outcomes if one.problem is not None]


def _tell(session: Session, done: Done, wishes: RunRequest) -> None:
    waiting = [(one.lineage.newest.key, one.ways_out) for one in done.outcomes if one.problem is None and one.ways_out]
    tell_ways(session, [*waiting, *((key, problem.fix) for key, problem in _failed(done)[1:])])
    elsewhere = [one for one in done.planned if not one.here and one.due_anywhere]
    for machine in sorted({one.chosen.rule.machine or "" for one in elsewhere}):
        count = sum(1 for one in elsewhere if one.chosen.rule.machine == machine)
        session.console.note(f"Left to the machine {machine}, which has their sinks: {count} that are due.")
    due = sum(1 for one in done.planned if one.due and one.decision.action is Action.CREATE)
    if wishes.limit is not None and due > wishes.limit:
        session.console.note(f"Not begun because of --limit: {due - wishes.limit}.")


def _notices(session: Session, done: Done, wishes: RunRequest, notice: Notifier | None) -> None:
    """A notice that fails is a warning: what was rotated is rotated."""
    if notice is not None:
        notice.send()
    if wishes.metrics:
        try:
            write_metrics(Path(wishes.metrics), afterwards(done.planned, done.outcomes, done.now), done.now, done.found)
        except Problem as problem:
            session.console.warning(problem.message)
