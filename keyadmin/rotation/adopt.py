"""The use case `rotation adopt`: keys are marked as keyadmin's to rotate, and what somebody wrote on them is set right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from keyadmin.access.advice import advice
from keyadmin.keys import resolve
from keyadmin.model.key import Key
from keyadmin.model.lineage import CAUSE, HIGHEST, PUBLISHED, VOID, Lineage, Member, State, claims, parse_successor
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.changes import write
from keyadmin.rotation.decide import Action, RotationTerms, decide
from keyadmin.rotation.find import Selection
from keyadmin.rotation.job import Job, Shared
from keyadmin.rotation.permitted import permitted
from keyadmin.rotation.pins import changed
from keyadmin.rotation.refusal import MARK, not_permitted
from keyadmin.rotation.rotate import member_of
from keyadmin.rotation.scope import RotationScope, plan_run

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class AdoptPlan:
    """The keys that are marked, each with its lineage as it was read, and what could not be checked."""

    selection: Selection
    lineages: tuple[tuple[Key, Lineage], ...]

    now: datetime

    @property
    def words(self) -> str:
        """What a dry run says."""
        marked = [key.key_id for key, lineage in self.lineages if to_mark(key, lineage, self.now)]
        rest = [key.key_id for key, _ in self.lineages if key.key_id not in marked]
        left = f", and leave {', '.join(rest)}, marked already, as it is" if rest else ""
        return f"adopt {', '.join(marked) or 'no key'}{left}"


@dataclass(frozen=True)
class AdoptResult:
    """What became of the plan: the keys as they are now, and the ones that could not be marked."""

    keys: tuple[Key, ...]
    failed: tuple[tuple[Key, Problem], ...] = ()


async def plan_adopt(
    cloud: Cloud, names: Sequence[str], project: Callable[[], Awaitable[str]], observer: Observer = SILENT
) -> AdoptPlan:
    """What `rotation adopt KEY...` would mark. Reads only: one listing a key. Raises Problem."""
    found = [await resolve.in_lineage(cloud, name, project, observer) for name in names]
    return AdoptPlan(Selection(), tuple((one.key, one.lineage) for one in found), cloud.now())


async def plan_adopt_all(cloud: Cloud, scope: RotationScope, observer: Observer = SILENT) -> AdoptPlan:
    """What `rotation adopt` would mark: all that the policy selects. Reads only: one listing a project. Raises Problem."""
    found = await plan_run(cloud, scope, observer)
    chosen = tuple((one.chosen.lineage.newest.key, one.chosen.lineage) for one in found.planned)
    return AdoptPlan(found.selection, chosen, cloud.now())


def to_mark(key: Key, lineage: Lineage, now: datetime) -> bool:
    """Whether anything is to be written on it or, where a claim takes it out of the count, beside it."""
    member = member_of(lineage, key)
    stuck = decide(lineage, RotationTerms(), now).action is Action.STUCK
    return member in lineage.in_question or stuck or not member.claimed


async def rehearse_adopt(cloud: Cloud, plan: AdoptPlan) -> AdoptResult:
    """What marking the keys would be refused for, as far as reads can tell. Raises Problem for missing credentials alone."""
    failed: list[tuple[Key, Problem]] = []
    for key, lineage in plan.lineages:
        if to_mark(key, lineage, plan.now):
            try:
                await permitted(cloud, key.project, [MARK])
            except Problem as problem:
                failed.append((key, _told(problem)))
    return AdoptResult(tuple(key for key, _ in plan.lineages), tuple(failed))


def _told(problem: Problem) -> Problem:
    """A refusal in the words of a dry run and of the run, with what to do."""
    if problem.cause is not Cause.MISSING_IAM_PERMISSION or problem.permission != MARK or problem.project is None:
        return problem
    told = replace(problem, message=not_permitted(MARK, problem.project))
    return replace(told, fix=advice(replace(told, fix=()), "rotate")).with_traceback(problem.__traceback__)


async def execute_adopt(cloud: Cloud, plan: AdoptPlan, *, pinned: bool = True) -> AdoptResult:
    """Mark each key of the plan. One that was changed since, or that may not be changed, is left alone and said."""
    done: list[Key] = []
    failed: list[tuple[Key, Problem]] = []
    for key, lineage in plan.lineages:
        try:
            conflict = await changed(cloud, lineage, creates=False) if pinned else None
            if conflict is not None:
                raise conflict
            done.append(await _adopt(cloud, key, lineage))
        except Problem as problem:
            failed.append((key, _told(replace(problem, project=key.project))))
    return AdoptResult(tuple(done), tuple(failed))


async def _adopt(cloud: Cloud, key: Key, lineage: Lineage) -> Key:
    """Write what a key is in its lineage on it: a founder is generation 1, a successor what its id says. Raises Problem.

    A successor is verified and handed over again by the next run, as nothing of what was written before is trusted; all
    older keys that live are its predecessors then. Where an older key claims that it was rolled back to, that claim goes first.
    """
    job = Job(Shared(cloud, Observer()), lineage, RotationTerms())
    if not to_mark(key, lineage, cloud.now()):
        return member_of(lineage, key).key
    if member_of(lineage, key) in lineage.in_question:
        await _take_back(job, key.key_id)
    member = job.member(key.key_id)
    before = [other for other in job.lineage.members if other.generation < member.generation]
    replaced = next((other for other in before if other.live), before[-1] if before else None)
    predecessor = replaced.key.key_id if replaced else None
    state = State.VERIFYING if parse_successor(key.key_id) else State.RETIRED
    kept = {name: value for name, value in member.key.annotations.items() if name not in (PUBLISHED, CAUSE)}
    annotations = kept | claims(lineage.id, member.generation, predecessor, state, lineage.founder_id)
    return replace(await write(job, member, annotations), project=key.project)


async def _take_back(job: Job, key_id: str) -> None:
    """Take the claims back by which a key does not count; their numbers stay used, and deleted keys stay rolled back from."""
    adopted = job.member(key_id)
    for keeper in job.lineage.members:
        if keeper.live and keeper.generation < adopted.generation <= keeper.void_up_to:
            still = _dead_above(job.lineage, keeper, adopted)
            annotations = {name: value for name, value in keeper.key.annotations.items() if name != VOID}
            annotations |= {HIGHEST: str(keeper.highest)} | ({VOID: str(still)} if still else {})
            job.put(await write(job, keeper, annotations))


def _dead_above(lineage: Lineage, keeper: Member, adopted: Member) -> int:
    """The last of the deleted generations right above `keeper` and below `adopted`; 0 = the next works, or there is none."""
    last = 0
    for member in lineage.members:
        if keeper.generation < member.generation < adopted.generation:
            if member.live:
                break
            last = member.generation
    return last
