"""The use cases: a run over what was planned; rotate, roll back and adopt for one key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from keyadmin.handover.registry import build, fingerprint
from keyadmin.handover.sink import SinkSpec
from keyadmin.keys import resolve
from keyadmin.keys.verify import PROPAGATION_S
from keyadmin.model.key import Key
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation import steps
from keyadmin.rotation.decide import Action, RotationTerms, decide, to_migrate
from keyadmin.rotation.engine import advance, left
from keyadmin.rotation.job import Event, Job, Outcome, Shared
from keyadmin.rotation.lineage import (
    CAUSE,
    PUBLISHED,
    VOID,
    Lineage,
    Member,
    State,
    claims,
    marked,
    parse_successor,
    read,
)
from keyadmin.rotation.plan import Planned, within
from keyadmin.rotation.rollback import bring_back

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

AT_ONCE: Final = 256
# Calls that change keys: the successor, the note on the old key and the mark; the mark; the old key and the mark; both keys.
WRITES_EACH: Final = {Action.CREATE: 3, Action.PUBLISH: 1, Action.RETIRE: 2, Action.UNDO: 2}
_HALF_MADE: Final = "rotations were under way; running the same command again goes on with them"


@dataclass(frozen=True)
class RunOptions:
    """How a run goes about it."""

    flagged: bool
    """Whether `--sandbox` stood on the command line (sinks outside the sandbox need it)."""
    write_line: Callable[[str], None]
    """Prints a line to stdout, for the sink of that name."""
    write_key: Callable[[Lineage, str], None] | None = None
    """The same where several lineages are under way and it has to be said whose key it is."""
    emit: Callable[[Event], None] = lambda event: None
    verify_s: float = PROPAGATION_S
    force_use: bool = False


async def run(
    cloud: Cloud, planned: Sequence[Planned], manner: RunOptions, observer: Observer, limit: int | None = None
) -> list[Outcome]:
    """Advance every lineage that is due as far as it goes; at most `limit` new rotations are begun, of the oldest keys.

    One lineage's failure is in its outcome and stops no other.
    """
    from keyadmin.cloud.pace import gather_limited

    due = within(planned, limit)
    shared = Shared(cloud, observer.within(), manner.emit)
    if due:
        writes = sum(WRITES_EACH.get(one.decision.action, 0) for one in due)
        observer.total(len(due), "rotations", cloud.forecast(writes=writes))

    async def advance_one(one: Planned) -> Outcome:
        job = _job(shared, one.chosen.lineage, one.terms, one.chosen.specs, manner)
        try:
            return left(job, one.decision) if one.chosen.refusal is not None else await advance(job)
        finally:
            observer.advance()

    with observer.half_made(_HALF_MADE):
        return await gather_limited(due, advance_one, AT_ONCE)


def _job(shared: Shared, lineage: Lineage, terms: RotationTerms, specs: Sequence[SinkSpec], manner: RunOptions) -> Job:
    emit = partial(manner.write_key, lineage) if manner.write_key is not None else manner.write_line
    sinks = build(specs, shared.cloud, flagged=manner.flagged, emit=emit)
    return Job(
        *(shared, lineage, terms, sinks),
        fingerprint=fingerprint(specs),
        verify_s=manner.verify_s,
        force_use=manner.force_use,
    )


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
    cloud: Cloud, key: Key, terms: RotationTerms, specs: Sequence[SinkSpec], manner: RunOptions, observer: Observer
) -> Outcome:
    """`keys rotate` and `keys migrate`: the same engine for one lineage; called again it goes on with what is unfinished.

    A key that has a successor already is not replaced a second time: repeating the command of a finished rotation does nothing.
    """
    lineage = await lineage_of_key(cloud, key)
    job = _job(Shared(cloud, observer, manner.emit), lineage, for_key(terms, lineage, key), specs, manner)
    with observer.half_made(_HALF_MADE):
        return await advance(job)


def for_key(terms: RotationTerms, lineage: Lineage, key: Key) -> RotationTerms:
    """The terms for a command that names a key: it is replaced if it is the newest, and no key because of its age.

    While its own rotation is under way that is finished, and no more; in an emergency it is replaced all the same
    once it was published, for it may be what leaked.
    """
    newest = lineage.newest
    named = newest.key.key_id == key.key_id
    ripe = newest.complete or (terms.emergency and newest.published is not None)
    asked = terms.force or (terms.migrate and to_migrate(newest.key))  # by name: whoever rolled back says that it is over
    return replace(terms, max_age=None, force=asked and named and ripe, migrate=terms.migrate and named)


async def roll_back(cloud: Cloud, key: Key, specs: Sequence[SinkSpec], manner: RunOptions, observer: Observer) -> Outcome:
    """Bring a former generation back: undelete, verify, hand over; what came after it is deleted. Raises Problem.

    The intent is written on the key once it is seen to work, so that a run that finds it half done finishes it.
    """
    lineage = await lineage_of_key(cloud, key)
    target = former_member(lineage, key)
    job = _job(Shared(cloud, observer, manner.emit), lineage, RotationTerms(max_age=None), specs, manner)
    with observer.half_made(f"the rollback was under way; keyadmin rotation rollback {key.key_id} -p {key.project} goes on"):
        unfit = await bring_back(job, target)
        if unfit is None:
            target, last = job.member(key.key_id), lineage.members[-1].generation
            if target.void_up_to < last:
                annotations = dict(target.key.annotations) | claims(lineage.id, target.generation, None, State.RETIRED)
                job.put(await steps.write(job, target, marked(annotations, State.RETIRED) | {VOID: str(last)}))
                job.say(job.member(key.key_id), "mark", "done", f"generations up to {last} no longer count")
            if not any(member.live for member in job.lineage.voided):  # deleted by hand: the engine would find nothing to undo
                await steps.undo(job)
            return await advance(job)
    raise unfit  # nothing is left half made


def former_member(lineage: Lineage, key: Key) -> Member:
    """The member to go back to. Raises Problem where there is nothing to go back from, or it was itself rolled back from."""
    target, newest = _member(lineage, key), lineage.newest
    if target in lineage.voided:
        what = "was rolled back from"
        fix = f"make a new generation: keyadmin keys rotate {newest.key.key_id} -p {key.project}"
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


async def adopt(cloud: Cloud, key: Key) -> Key:
    """Write what a key is in its lineage on it: a founder is generation 1, a successor what its id says. Raises Problem.

    A successor is verified and handed over again by the next run, as nothing of what was written before is trusted; all
    older keys that live are its predecessors then.
    """
    lineage = await lineage_of_key(cloud, key)
    member = _member(lineage, key)
    stuck = decide(lineage, RotationTerms(), cloud.now()).action is Action.STUCK
    if member.claimed and not stuck:
        return member.key
    before = [other for other in lineage.members if other.generation < member.generation]
    replaced = next((other for other in before if other.live), before[-1] if before else None)
    predecessor = replaced.key.key_id if replaced else None
    state = State.VERIFYING if parse_successor(key.key_id) else State.RETIRED
    kept = {name: value for name, value in member.key.annotations.items() if name not in (PUBLISHED, CAUSE)}
    annotations = kept | claims(lineage.id, member.generation, predecessor, state, lineage.founder_id)
    job = Job(Shared(cloud, Observer()), lineage, RotationTerms())
    return replace(await steps.write(job, member, annotations), project=key.project)


def _member(lineage: Lineage, key: Key) -> Member:
    return next(member for member in lineage.members if member.key.key_id == key.key_id)
