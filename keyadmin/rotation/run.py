"""The use case `rotation run` (and `rotation migrate`): a plan is executed, lineage by lineage, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from keyadmin.handover.registry import build, fingerprint
from keyadmin.handover.sink import SinkSpec
from keyadmin.model.lineage import Lineage
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Problem
from keyadmin.rotation.decide import Action, RotationTerms
from keyadmin.rotation.engine import advance, left, stopped
from keyadmin.rotation.find import Selection
from keyadmin.rotation.job import Event, Job, Outcome, Shared
from keyadmin.rotation.options import RunOptions
from keyadmin.rotation.pins import changed
from keyadmin.rotation.plan import Planned
from keyadmin.rotation.scope import RunPlan, RunResult

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

AT_ONCE: Final = 256
# Calls that change keys: the successor, the note on the old key and the mark; the mark; the old key and the mark; both keys.
WRITES_EACH: Final = {Action.CREATE: 3, Action.PUBLISH: 1, Action.RETIRE: 2, Action.UNDO: 2}
HALF_MADE: Final = "rotations were under way; the same command continues them"


async def execute_run(cloud: Cloud, plan: RunPlan, options: RunOptions, observer: Observer = SILENT) -> RunResult:
    """Advance every lineage of the plan that is due as far as it goes. Nothing is selected anew.

    One lineage's failure is in its outcome and stops no other. Raises usage() before anything is done for a sink that is not
    allowed here.
    """
    from keyadmin.cloud.pace import gather_limited

    _tell_errors(cloud, plan.selection, options)
    due = plan.due
    for one in due:
        build(one.chosen.specs, cloud, flagged=options.flagged, emit=options.write_line)
    shared = Shared(cloud, observer.within(), options.emit)
    if due:
        writes = sum(WRITES_EACH.get(one.decision.action, 0) for one in due)
        observer.total(len(due), "rotations", cloud.forecast(writes=writes))

    async def advance_one(one: Planned) -> Outcome:
        job = job_for(shared, one.chosen.lineage, one.terms, one.chosen.specs, options)
        try:
            return left(job, one.decision) if one.chosen.refusal is not None else await advance_pinned(job, one.decision.action)
        finally:
            observer.advance()

    with observer.half_made(HALF_MADE):
        outcomes = await gather_limited(due, advance_one, AT_ONCE)
    return RunResult(plan, tuple(outcomes), cloud.now())


def _tell_errors(cloud: Cloud, found: Selection, options: RunOptions) -> None:
    """What could not be checked is an event too: of a rule, or of a project."""
    for place, problem in found.errors.items():
        options.emit(Event.failure(cloud.now(), "look", problem, place, "" if " " in place else place))


async def advance_pinned(job: Job, action: Action) -> Outcome:
    """Advance a lineage, if it still is what was shown where somebody was asked. Never raises Problem."""
    if job.pinned:
        try:
            conflict: Problem | None = await changed(job.cloud, job.lineage, creates=action is Action.CREATE)
        except Problem as problem:
            conflict = problem
        if conflict is not None:
            return stopped(job, conflict)
    return await advance(job)


def job_for(
    shared: Shared, lineage: Lineage, terms: RotationTerms, specs: Sequence[SinkSpec], options: RunOptions, leaked: str = ""
) -> Job:
    """The work on one lineage. Raises usage() for a sink that is not allowed here."""
    emit = partial(options.write_key, lineage) if options.write_key is not None else options.write_line
    sinks = build(specs, shared.cloud, flagged=options.flagged, emit=emit)
    return Job(
        *(shared, lineage, terms, sinks),
        fingerprint=fingerprint(specs),
        verify_s=options.verify_s,
        force_use=options.force_use,
        pinned=options.pinned,
        leaked=leaked,
    )
