"""The use cases: plan, run and status over a policy; rotate, roll back and adopt for one key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from keyadmin.handover.sink import Sink, SinkSpec, build, fingerprint
from keyadmin.keys import resolve
from keyadmin.keys.codec import format_time
from keyadmin.keys.model import Key
from keyadmin.keys.verify import PROPAGATION_S
from keyadmin.observer import Observer
from keyadmin.problem import Cause, Problem
from keyadmin.rotation import steps
from keyadmin.rotation.decide import Action, Decision, Terms, decide
from keyadmin.rotation.engine import advance, calmed
from keyadmin.rotation.find import Chosen
from keyadmin.rotation.job import Event, Job, Outcome, Shared
from keyadmin.rotation.lineage import VOID, Lineage, Member, State, claims, marked, parse_successor, read

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

AT_ONCE: Final = 64


@dataclass(frozen=True)
class Manner:
    """How a run goes about it."""

    flagged: bool
    """Whether `--sandbox` stood on the command line (sinks outside the sandbox need it)."""
    write_line: Callable[[str], None]
    """Prints a line to stdout, for the sink of that name."""
    emit: Callable[[Event], None] = lambda event: None
    verify_s: float = PROPAGATION_S
    emergency: bool = False
    force_use: bool = False


@dataclass(frozen=True)
class Planned:
    """A lineage and what a run would do with it."""

    chosen: Chosen
    decision: Decision

    def to_json(self) -> dict[str, Any]:
        """One row of `rotation plan` and `rotation status`."""
        lineage, newest = self.chosen.lineage, self.chosen.lineage.newest
        out: dict[str, Any] = {
            "project": lineage.project,
            "lineage": lineage.id,
            "generation": newest.generation,
            "key": newest.key.name,
            "displayName": newest.key.display_name,
            "rule": self.chosen.rule.name,
            "state": state_of(lineage, self.decision).value,
            "action": self.decision.action.value,
            "why": self.decision.why,
            "sinks": [spec.text for spec in self.chosen.specs],
        }
        if newest.cause:
            out["cause"] = newest.cause
        if self.decision.until is not None:
            out["until"] = format_time(self.decision.until)
        if self.decision.ways_out:
            out["fix"] = list(self.decision.ways_out)
        return out


def state_of(lineage: Lineage, decision: Decision) -> State:
    """The state to show: stuck where the lineage was tampered with, else what the newest generation says."""
    if decision.action is Action.STUCK:
        return State.STUCK
    return lineage.newest.state or State.RETIRED


def plan(chosen: Sequence[Chosen], now: datetime, *, emergency: bool = False) -> list[Planned]:
    """What a run would do, without doing it."""
    out = []
    for one in chosen:
        decision = decide(one.lineage, replace(one.rule.terms(), emergency=emergency), now)
        if decision.action not in (Action.REST, Action.GONE) and not one.rule.here:
            why = f"its sinks belong to the machine {one.rule.machine}; {decision.why}"
            decision = Decision(Action.REST, why, until=decision.until)
        out.append(Planned(one, decision))
    return out


async def run(
    cloud: Cloud, planned: Sequence[Planned], manner: Manner, observer: Observer, limit: int | None = None
) -> list[Outcome]:
    """Advance every lineage that is not at rest as far as it goes; at most `limit` new rotations are begun.

    One lineage's failure is in its outcome and stops no other.
    """
    from keyadmin.cloud.pace import gather_limited

    begun = 0
    todo: list[Planned] = []
    for one in planned:
        if one.decision.action in (Action.REST, Action.GONE):
            continue
        if one.decision.action is Action.CREATE:
            begun += 1
            if limit is not None and begun > limit:
                continue
        todo.append(one)
    shared = Shared(cloud, observer, manner.emit)
    if todo:
        observer.total(len(todo), "rotations")

    async def advance_one(one: Planned) -> Outcome:
        try:
            terms = replace(one.chosen.rule.terms(), emergency=manner.emergency)
            return await _advance(shared, one.chosen.lineage, terms, one.chosen.specs, manner)
        finally:
            observer.advance()

    return await gather_limited(todo, advance_one, AT_ONCE)


async def _advance(shared: Shared, lineage: Lineage, terms: Terms, specs: Sequence[SinkSpec], manner: Manner) -> Outcome:
    sinks: list[Sink] = build(specs, shared.cloud, flagged=manner.flagged, emit=manner.write_line)
    job = Job(
        *(shared, lineage, terms, sinks),
        fingerprint=fingerprint(specs) if specs else "",
        verify_s=manner.verify_s,
        force_use=manner.force_use,
    )
    return await advance(job)


async def lineage_of_key(cloud: Cloud, key: Key) -> Lineage:
    """The lineage that a key belongs to. Raises Problem."""
    keys = [one async for one in cloud.keys.list(key.project, deleted=True)]
    return next(found for found in read(keys, key.project) if any(m.key.key_id == key.key_id for m in found.members))


async def named(cloud: Cloud, text: str, project: Callable[[], Awaitable[str]]) -> Key:
    """The key that `text` names. A display name that several generations of one lineage bear means the newest of them.

    Raises Problem, as `resolve.find` does.
    """
    try:
        return await resolve.find(cloud, text, project, state="any")
    except Problem as problem:
        if problem.cause is not Cause.INVALID_ARGUMENT or resolve.full_name(text) is not None:
            raise
        within = await project()
        lineages = read([key async for key in cloud.keys.list(within, deleted=True)], within)
        bearing = [one for one in lineages if any(m.live and m.key.display_name == text for m in one.members)]
        if len(bearing) != 1:
            raise
        return replace(bearing[0].newest.key, project=within)


async def rotate(
    cloud: Cloud, key: Key, terms: Terms, specs: Sequence[SinkSpec], manner: Manner, observer: Observer
) -> Outcome:
    """`keys rotate` and `keys migrate`: the same engine for one lineage; called again it goes on with what is unfinished.

    A key that has a successor already is not replaced a second time: repeating the command of a finished rotation does nothing.
    """
    lineage = await lineage_of_key(cloud, key)
    return await _advance(Shared(cloud, observer, manner.emit), lineage, for_key(terms, lineage, key), specs, manner)


def for_key(terms: Terms, lineage: Lineage, key: Key) -> Terms:
    """The terms for a command that names a key: only the newest generation can be asked to be replaced."""
    return terms if lineage.newest.key.key_id == key.key_id else calmed(terms)


async def roll_back(cloud: Cloud, key: Key, specs: Sequence[SinkSpec], manner: Manner, observer: Observer) -> Outcome:
    """Bring a former generation back: undelete, verify, hand over; what came after it is deleted. Raises Problem.

    The intent is written on the key first, so that a run that finds it half done finishes it.
    """
    lineage = await lineage_of_key(cloud, key)
    target = _member(lineage, key)
    if target.generation == lineage.members[-1].generation:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"{key.key_id} is the newest generation of lineage {lineage.id}: there is nothing to roll back",
            project=key.project,
            fix=("name a former generation: keyadmin rotation status shows them",),
        )
    job = Job(Shared(cloud, observer, manner.emit), lineage, Terms(), build_sinks(cloud, specs, manner))
    job.verify_s = manner.verify_s
    if not target.live:
        job.put(await cloud.keys.undelete(target.key.name))
        target = _member(job.lineage, key)
        job.say(target, "undelete", "done", "the key works again")
    last = lineage.members[-1].generation
    if target.void_up_to < last:
        annotations = dict(target.key.annotations) | claims(lineage.id, target.generation, None, State.RETIRED, None)
        job.put(await steps.write(job, target, marked(annotations, State.RETIRED) | {VOID: str(last)}))
        job.say(target, "mark", "done", f"generations up to {last} no longer count")
    return await advance(job)


def build_sinks(cloud: Cloud, specs: Sequence[SinkSpec], manner: Manner) -> list[Sink]:
    """The sinks of a command."""
    return build(specs, cloud, flagged=manner.flagged, emit=manner.write_line)


async def adopt(cloud: Cloud, key: Key) -> Key:
    """Write what a key is in its lineage on it: a founder is generation 1, a successor what its id says. Raises Problem.

    A successor is verified and handed over again by the next run, as nothing of what was written before is trusted.
    """
    lineage = await lineage_of_key(cloud, key)
    member = _member(lineage, key)
    before = [other for other in lineage.members if other.generation < member.generation]
    predecessor = before[-1].key.key_id if before else None
    state = State.VERIFYING if parse_successor(key.key_id) else State.RETIRED
    annotations = dict(member.key.annotations) | claims(lineage.id, member.generation, predecessor, state, None)
    if annotations == dict(member.key.annotations):
        return member.key
    job = Job(Shared(cloud, Observer()), lineage, Terms())
    return replace(await steps.write(job, member, annotations), project=key.project)


def _member(lineage: Lineage, key: Key) -> Member:
    return next(member for member in lineage.members if member.key.key_id == key.key_id)
