"""What a run would end with, as far as reads can tell: what a dry run says, in the words of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyadmin.access.checks import MOST_KEYS
from keyadmin.access.permissions import API_KEYS
from keyadmin.keys import provision
from keyadmin.model.observer import SILENT
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.rotation.create import allowed, first_needed, migrating, replaced, successor
from keyadmin.rotation.decide import Action, Decision
from keyadmin.rotation.engine import explained, left
from keyadmin.rotation.job import Job, Shared
from keyadmin.rotation.permitted import permitted
from keyadmin.rotation.publish import to_remember
from keyadmin.rotation.refusal import BIND, CREATE, DELETE, MARK, READ_STRING, full
from keyadmin.rotation.retire import left_behind, splits, to_go, use_check
from keyadmin.rotation.run import job_for

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.handover.sink import SinkSpec
    from keyadmin.model.lineage import Lineage
    from keyadmin.rotation.decide import RotationTerms
    from keyadmin.rotation.options import RunOptions
    from keyadmin.rotation.plan import Planned
    from keyadmin.rotation.scope import RunPlan


@dataclass(frozen=True)
class Foresight:
    """What would come of a lineage: what is done next with it, and the problem that would stop that."""

    decision: Decision
    problem: Problem | None = None
    unknown: str = ""
    """Why it is not known whether the organisation's constraints let it through; empty where it is, or was not asked."""


async def foresee(
    cloud: Cloud,
    lineage: Lineage,
    terms: RotationTerms,
    specs: tuple[SinkSpec, ...],
    decision: Decision,
    options: RunOptions,
    *,
    living: int = 0,
    leaked: str = "",
) -> Foresight:
    """Look at what the next step would be refused for: sinks, permissions, room, use. Reads only; raises Problem for missing
    credentials alone. `living` = how many keys the project has.
    """
    job = job_for(Shared(cloud, SILENT), lineage, terms, specs, options, leaked)
    job.action = decision.action
    if decision.action is Action.STUCK:
        return Foresight(decision, left(job, decision).problem)
    try:
        if decision.action in (Action.CREATE, Action.PUBLISH, Action.RETIRE, Action.UNDO):
            for sink in job.sinks:
                await sink.preflight()
        if decision.action is Action.CREATE:
            return Foresight(decision, unknown=await _creates(job, living))
        if decision.action is Action.PUBLISH:
            await _publishes(job)
        elif decision.action is Action.RETIRE:
            for sink in job.sinks:
                await sink.preflight_retiring()
            return Foresight(await _retires(job) or decision)
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return Foresight(decision, explained(job, problem))
    return Foresight(decision)


async def foresee_run(cloud: Cloud, plan: RunPlan, options: RunOptions) -> list[tuple[Planned, Foresight]]:
    """The same for each lineage that a run would advance. Raises Problem for missing credentials alone."""
    from keyadmin.cloud.pace import gather_limited

    async def one(planned: Planned) -> tuple[Planned, Foresight]:
        lineage, keys = planned.chosen.lineage, plan.selection.keys
        if planned.chosen.refusal is not None:
            return planned, Foresight(planned.decision, planned.problem)
        living = keys.get(lineage.project, 0)
        specs = planned.chosen.specs
        return planned, await foresee(cloud, lineage, planned.terms, specs, planned.decision, options, living=living)

    return await gather_limited(plan.due, one)


async def _creates(job: Job, living: int) -> str:
    """Raises Problem where the successor cannot be made, or could not be handed over and marked; else what `allowed` says."""
    await permitted(job.cloud, job.lineage.project, first_needed(job))
    if migrating(job):
        await provision.look(job.cloud, successor(job), SILENT)
    binds = migrating(job) or replaced(job).key.key_type == "auth"
    await permitted(job.cloud, job.lineage.project, [CREATE, *([BIND] if binds else [])])
    unknown = await allowed(job)
    if living >= MOST_KEYS:
        project = job.lineage.project
        status = "RESOURCE_EXHAUSTED"
        raise Problem(Cause.KEY_QUOTA_EXCEEDED, full(project), status=status, service=API_KEYS, project=project)
    await permitted(job.cloud, job.lineage.project, _retiring_at_once(job))  # the string of a new key comes with it
    return unknown


async def _publishes(job: Job) -> None:
    """Raises Problem where the newest key cannot be handed over or marked."""
    noted = [MARK] if to_remember(job.lineage) is not None else []
    await permitted(job.cloud, job.lineage.project, [*noted, READ_STRING, MARK, *_retiring_at_once(job)])


def _retiring_at_once(job: Job) -> list[str]:
    """What deleting takes that follows in the same run; with a grace period it is another run's matter."""
    return [DELETE] if job.terms.emergency else []


async def _retires(job: Job) -> Decision | None:
    """A Decision where the old key is kept: sinks were left with it, or it is used. Raises Problem."""
    newest, project = job.lineage.newest, job.lineage.project
    if to_go(job) or job.sinks:
        await permitted(job.cloud, project, [READ_STRING])
    if (waiting := left_behind(job, newest)) is not None:
        return waiting
    for old in to_go(job):
        _, waiting = await use_check(job, old, newest)
        if waiting is not None:
            return waiting
    deletes = any(not splits(old, newest) or job.leaked for old in to_go(job))
    await permitted(job.cloud, project, [*([DELETE] if deletes else []), MARK])
    return None
