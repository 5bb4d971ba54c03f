"""The use case `rotation rollback`: a former generation is brought back and handed over; what came after it is deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keyadmin.access.advice import advice
from keyadmin.handover.registry import build
from keyadmin.handover.sink import SinkSpec
from keyadmin.keys import resolve, verify
from keyadmin.model.command_line import typed
from keyadmin.model.key import GEMINI, Key
from keyadmin.model.lineage import VOID, Lineage, Member, State, claims, marked
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.changes import restrict, write
from keyadmin.rotation.decide import RotationTerms, split_off
from keyadmin.rotation.engine import advance
from keyadmin.rotation.find import of_lineage
from keyadmin.rotation.job import Job, Outcome, Shared
from keyadmin.rotation.options import RunOptions
from keyadmin.rotation.permitted import permitted
from keyadmin.rotation.pins import changed
from keyadmin.rotation.policy import PolicyRule
from keyadmin.rotation.publish import verified
from keyadmin.rotation.refusal import DELETE, MARK, READ_STRING, UNDELETE
from keyadmin.rotation.rotate import member_of
from keyadmin.rotation.run import job_for
from keyadmin.rotation.undo import undo

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class RollbackPlan:
    """Which key is gone back to, where it is handed to, and what becomes of those that came after it."""

    key: Key
    lineage: Lineage
    specs: tuple[SinkSpec, ...]
    selected: bool = True
    """Whether a rule of the policy selects it; without a policy nothing is missed."""

    @property
    def newer(self) -> tuple[Member, ...]:
        """What came after it and works."""
        generation = member_of(self.lineage, self.key).generation
        return tuple(member for member in self.lineage.members if member.live and member.generation > generation)

    @property
    def keeps(self) -> bool:
        """Whether what came after it is kept: sinks have it, and none was given to hand the former key to."""
        return not self.specs and any(member.sinks for member in self.newer)

    @property
    def takes(self) -> list[str]:
        """The permissions that it takes."""
        back = [UNDELETE] if self.key.delete_time is not None else []
        gone = [DELETE] if self.newer and not self.keeps else []
        return [*back, READ_STRING, MARK, *gone]

    @property
    def words(self) -> str:
        """What is asked about, and what a dry run says."""
        sinks = ", ".join(spec.text for spec in self.specs) or "no sink"
        names = ", ".join(member.key.key_id for member in self.newer) or "nothing"
        lead = "bring back" if self.key.delete_time is not None else "go back to"
        first = f"{lead} {self.key.key_id} of project {self.key.project}, hand it to {sinks}"
        if self.keeps:
            return f"{first}, and keep {names}, which sinks have, until these are given (--to SINK, or --policy)"
        return f"{first}, and delete {names}" if self.newer else first


async def plan_rollback(
    cloud: Cloud,
    name: str,
    project: Callable[[], Awaitable[str]],
    specs: Sequence[SinkSpec] = (),
    rules: Sequence[PolicyRule] = (),
    options: RunOptions | None = None,
    observer: Observer = SILENT,
) -> RollbackPlan:
    """What `rotation rollback KEY` would do. Reads only. A display name means the generation before the newest.

    Without `specs` the sinks are those of the rule that the key falls under. Raises Problem: there is nothing to go back to, a
    sink could not take it, a permission is missing: whatever can be known is looked at before the first of the steps.
    """
    told = options or RunOptions()
    key, lineage, _ = await resolve.in_lineage(cloud, name, project, observer, choose="former")
    former_member(lineage, key)
    ruled, selected = (list(specs), True) if specs or not rules else await _by_rules(cloud, key, lineage, rules)
    sinks = build(ruled, cloud, flagged=told.flagged, emit=told.write_line)
    plan = RollbackPlan(key, lineage, tuple(ruled), selected)
    try:
        for sink in sinks:
            await sink.preflight()
        await permitted(cloud, key.project, plan.takes)
    except Problem as problem:
        raise replace(problem, fix=advice(problem, "rotate")) from problem
    return plan


async def _by_rules(cloud: Cloud, key: Key, lineage: Lineage, rules: Sequence[PolicyRule]) -> tuple[list[SinkSpec], bool]:
    """The sinks that the policy has for a key of a lineage, and whether it selects it. Raises Problem: they are elsewhere."""
    chosen = await of_lineage(cloud, rules, lineage)
    if chosen is None:
        return [], False
    if not chosen.rule.here:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"the sinks of {key.key_id} belong to the machine {chosen.rule.machine}",
            project=key.project,
            fix=("run this command there", "or name the sinks that are to have it: --to SINK"),
        )
    return list(chosen.specs), True


async def execute_rollback(cloud: Cloud, plan: RollbackPlan, options: RunOptions, observer: Observer = SILENT) -> Outcome:
    """Undelete, verify, mark, hand over, delete what came after it. Raises Problem where nothing was changed.

    The intent is written on the key once it is seen to work. It is finished by the same command alone: the mark is an
    annotation, which others may write, so no run goes on with it.
    """
    key, lineage = plan.key, plan.lineage
    if options.pinned and (conflict := await changed(cloud, lineage, creates=False)) is not None:
        raise conflict
    terms = RotationTerms(max_age=None, back_to=key.key_id)
    job = job_for(Shared(cloud, observer, options.emit), lineage, terms, plan.specs, replace(options, pinned=False))
    again = typed("rotation rollback", key.key_id, project=key.project)
    with observer.half_made(f"the rollback was under way; finish it: {again}"):
        unfit = await bring_back(job, member_of(lineage, key))
        if unfit is None:
            await _mark(job, key.key_id, lineage.members[-1].generation)
            if not any(member.live for member in job.lineage.voided):  # deleted by hand: the engine would find nothing to undo
                await undo(job)
            return await advance(job)
    raise unfit  # nothing is left half made


async def _mark(job: Job, key_id: str, last: int) -> None:
    """Say on the key that what came after it no longer counts."""
    target, lineage = job.member(key_id), job.lineage
    if target.void_up_to >= last:
        return
    annotations = dict(target.key.annotations) | claims(lineage.id, target.generation, None, State.RETIRED)
    job.put(await write(job, target, marked(annotations, State.RETIRED) | {VOID: str(last)}))
    job.say(job.member(key_id), "mark", "done", f"generations up to {last} no longer count")


def former_member(lineage: Lineage, key: Key) -> Member:
    """The member to go back to. Raises Problem where there is nothing to go back from, or it was itself rolled back from."""
    target, newest = member_of(lineage, key), lineage.newest
    if target in lineage.voided:
        what = "was rolled back from"
        fix = f"make a new generation: {typed('keys rotate', newest.key.key_id, project=key.project)}"
        if target.live:
            fix = f"if it is to count again: {typed('rotation adopt', target.key.key_id, project=key.project)}"
    elif target is newest and not lineage.voided:
        what = f"is the newest generation of lineage {lineage.id}"
        former = ", ".join(member.key.key_id for member in lineage.members if member is not target)
        fix = (
            f"name a former generation: {former}" if former else "no former key is left: deleted ones are purged after 30 days"
        )
    else:
        return target
    message = f"{key.key_id} {what}: there is nothing to go back to"
    raise Problem(Cause.INVALID_ARGUMENT, message, project=key.project, fix=(fix,))


async def bring_back(job: Job, target: Member) -> Problem | None:
    """Undelete a former generation and see that it works, before anything says that it counts again.

    A Problem = it does not, and is as it was again. Raises Problem where more is left behind.
    """
    deleted, before = not target.live, target.key
    if deleted:
        job.put(await job.cloud.keys.undelete(target.key.name))
        job.say(target, "undelete", "done", "the key works again")
    newest = job.lineage.newest
    target = job.member(target.key.key_id)
    if split_off(target, newest):  # a migration took the Gemini API from it
        targets = (*(t for t in newest.key.restrictions.targets if t.service == GEMINI), *target.key.restrictions.targets)
        await restrict(job, target, targets)
        job.say(target, "restrict", "done", "it may call the Gemini API again")
    try:
        await verified(job, job.member(target.key.key_id), came_back=True)
    except Problem as problem:
        try:
            await _give_up(job, job.member(target.key.key_id), before, deleted=deleted)
        except Problem as second:
            raise _left_working(target, problem, second) from None
        return _not_gone_back_to(target, newest, problem)
    return None


async def _give_up(job: Job, target: Member, before: Key, *, deleted: bool) -> None:
    """A key that is not gone back to is as it was again: one that leaked, say, is not left working. Raises Problem."""
    if deleted:
        job.put(await job.cloud.keys.delete(target.key.name, etag=target.key.etag))
    elif target.key.restrictions != before.restrictions:
        await restrict(job, target, before.restrictions.targets)


def _left_working(target: Member, problem: Problem, second: Problem) -> Problem:
    """Nobody asked for a key that works and is not handed to anything."""
    key = target.key
    message = f"{key.key_id} is not gone back to ({problem.message}), and was left changed: {second.message}"
    way = f"if it is to work no more: {typed('keys delete', key.key_id, project=key.project)}"
    return replace(second, message=message, fix=(*advice(second, "rotate"), way), project=key.project)


def _not_gone_back_to(target: Member, newest: Member, problem: Problem) -> Problem:
    """Why, and what to do about it; making an auth key of a standard one is what was to be undone."""
    key = target.key
    ways = () if problem.cause is Cause.STANDARD_KEY_REJECTED else verify.named(problem, key).fix
    if newest.live and newest.key.key_id != key.key_id:
        ways += (f"or stay with {newest.key.key_id}: nothing was changed" if ways else f"stay with {newest.key.key_id}",)
    return replace(problem, message=f"{key.key_id} is not gone back to: {problem.message}", fix=ways, project=key.project)
