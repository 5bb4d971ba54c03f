"""A run as it is shown: events as they happen, outcomes, what a person has to know, notices and metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from keyadmin.cli.render import show_data, show_list
from keyadmin.cli.reveal import reveal
from keyadmin.cli.rotation.options import manner_of
from keyadmin.cli.rotation.view import ended, outcome_view, tell_plan, tell_resting, tell_ways
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.streams import refuse_lost_output, write_at_once
from keyadmin.handover.sink import SinkSpec
from keyadmin.model.lineage import State
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString
from keyadmin.rotation.decide import Action
from keyadmin.rotation.job import Event
from keyadmin.rotation.notices import Notifier, write_metrics
from keyadmin.rotation.plan import afterwards
from keyadmin.rotation.run import execute_run
from keyadmin.rotation.scope import RotationScope, RunPlan, RunResult, plan_run

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.model.lineage import Lineage
    from keyadmin.unattended.destinations import Notices


@dataclass(frozen=True)
class RunRequest:
    """The options of a run beside its scope."""

    force_use: bool = False
    notices: Notices | None = None
    metrics: str | None = None


class Strings:
    """What the sink stdout prints in a run of many lineages: a line that is said whose it is, or a field for programs."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.by_key: dict[str, str] = {}

    def check(self, specs: Sequence[SinkSpec]) -> None:
        """Raises usage() where a table for programs has no place for key strings, Problem where nobody would read them."""
        if not any(spec.sink.prints for spec in specs):
            return
        refuse_lost_output()
        if self._session.format in ("csv", "markdown"):
            raise usage(
                f"--format {self._session.format} has no place for the key strings that the sink stdout prints",
                "add --format json, jsonl or yaml, whose objects have the field keyString",
            )

    def write_key(self, lineage: Lineage, line: str) -> None:
        """Print it, or keep it for the object. Raises Problem where it would reach nobody."""
        if self._session.format != "table":
            refuse_lost_output()
            self.by_key[f"{lineage.project}/{lineage.id}"] = line
            return
        write_at_once(line + "\n")
        told = f"This was the key string of lineage {lineage.id} of project {lineage.project}."
        self._session.console.note(told, always=True)

    def field(self, project: str, lineage: str) -> dict[str, str]:
        """The field of an object."""
        found = self.by_key.get(f"{project}/{lineage}")
        return {} if found is None else {"keyString": reveal(KeyString(found))}


class RunOutput:
    """Says what a run does while it does it, and what came of it."""

    def __init__(self, context: typer.Context, request: RunRequest) -> None:
        self._context = context
        self._session = current(context)
        self._request = request
        told = request.notices
        self._notice = Notifier(self._session.command, told, sandbox=bool(self._session.mark)) if told else None
        self._strings = Strings(self._session)

    def plan_and_run(self, scope: RotationScope) -> int:
        """Plan and execute in one connection; nobody is asked. The exit code."""

        async def work(cloud: Cloud) -> RunResult:
            plan = await plan_run(cloud, scope, self._session.observer)
            return await self._execute(cloud, plan, pinned=False)

        return self._shown(work)

    def run_planned(self, plan: RunPlan) -> int:
        """Execute exactly what was shown and confirmed. The exit code; raises Problem where one key alone was changed."""
        return self._shown(lambda cloud: self._execute(cloud, plan, pinned=True))

    async def _execute(self, cloud: Cloud, plan: RunPlan, *, pinned: bool) -> RunResult:
        manner = manner_of(self._session, force_use=self._request.force_use, pinned=pinned)
        options = replace(manner, emit=self._emit, write_key=self._strings.write_key)
        for one in plan.due:
            self._strings.check(one.chosen.specs)
        tell_plan(self._session, plan.selection, plan.due)
        tell_resting(self._session, plan)
        return await execute_run(cloud, plan, options, self._session.observer)

    def _emit(self, event: Event) -> None:
        if self._session.format == "jsonl":
            handed = event.step == "publish stdout"
            more = self._strings.field(event.project, event.lineage) if handed else {}
            show_data(self._session, event.to_json() | more)
        if self._notice is not None:
            self._notice(event)

    def _shown(self, work: Callable[[Cloud], Awaitable[RunResult]]) -> int:
        session = self._session
        try:
            done = run(self._context, work)
        except (Problem, KeyboardInterrupt) as end:
            problem = end if isinstance(end, Problem) else Problem(Cause.UNKNOWN, "interrupted")
            self._emit(Event.failure(session.now(), "run", problem))
            if self._notice is not None:
                self._notice.send()  # what was done is told: keys were made, and sinks have them
            raise
        if session.format != "jsonl":
            show_list(session, done.outcomes, outcome_view(session, self._strings.field))
        _tell(session, done)
        self._notices(done)
        if done.conflict is not None:
            raise done.conflict
        failed = [(one.lineage.newest.key, problem) for one, problem in done.failed]
        return ended(session, done.plan.selection, f"{len(failed)} of {len(done.outcomes)} rotations failed", failed)

    def _notices(self, done: RunResult) -> None:
        """A notice that fails is a warning: what was rotated is rotated."""
        if self._notice is not None:
            self._notice.send()
        if self._request.metrics:
            after = afterwards(done.plan.planned, done.outcomes, done.now)
            try:
                write_metrics(Path(self._request.metrics), after, done.now, done.plan.selection)
            except Problem as problem:
                self._session.console.warning(problem.message)


def _tell(session: Session, done: RunResult) -> None:
    waiting = [(one.lineage.newest.key, one.ways_out) for one in done.outcomes if one.problem is None and one.ways_out]
    tell_ways(session, [*waiting, *((one.lineage.newest.key, problem.fix) for one, problem in done.failed[1:])])
    ends = [one.until for one in done.outcomes if one.until is not None and one.problem is None and one.state is State.GRACE]
    if ends:
        at, last = (f"{end:%Y-%m-%d %H:%M} UTC" for end in (min(ends), max(ends)))
        all_ = "" if at == last else f" (for all of them: {last})"
        again = f"Give this command again after {at}{all_}: it retires the old keys whose grace is over."
        session.console.note(again)
    elsewhere = [one for one in done.plan.planned if not one.here and one.due_anywhere]
    for machine in sorted({one.chosen.rule.machine or "" for one in elsewhere}):
        count = sum(1 for one in elsewhere if one.chosen.rule.machine == machine)
        session.console.note(f"Left to the machine {machine}, which has their sinks: {count} that are due.")
    limit = done.plan.limit
    due = sum(1 for one in done.plan.planned if one.due and one.decision.action is Action.CREATE)
    if limit is not None and due > limit:
        session.console.note(f"Not begun because of --limit: {due - limit}.")
