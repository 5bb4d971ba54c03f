"""One change of a plan carried out, under its etag: once, whoever else is at it and wherever a run was killed before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

from keyadmin.audit.fix.change import MARK, ROTATING, FixChange, bears, replacing
from keyadmin.audit.fix.journal import FixJournal, Step
from keyadmin.audit.fix.recompute import FixDone, FixRefused, FixTarget, first_step, recompute
from keyadmin.keys.change import KeyChange, execute, plan_delete
from keyadmin.model.key import Key
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import redact
from keyadmin.rotation.job import Event

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

NO_POLICY: Final = "no policy was named that has sinks for it: --policy FILE"
TRIES: Final = 4  # of a change that others make at the same time
BY_POLICY: Final = frozenset({Cause.ORG_POLICY_CONSTRAINT, Cause.ORG_POLICY_BLOCKS_KEY_BINDING})

FixStatus = Literal["done", "already", "waiting", "skipped", "failed"]
_STEPS: Final[Mapping[FixStatus, Step]] = {
    "done": "done",
    "already": "done",
    "waiting": "waiting",
    "skipped": "skipped",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True)
class FixOutcome:
    """What came of one change. `key` = as it is now, where it was changed."""

    change: FixChange
    status: FixStatus
    detail: str = ""
    cause: str = ""
    key: Key | None = None
    unknown: tuple[str, ...] = ()
    """What reads could not tell of a change that is not made yet."""


class Advancing(Protocol):
    """Takes migrations and rotations further."""

    async def foreseen(self, target: FixTarget) -> FixOutcome | tuple[str, ...]:
        """What would stop the next step of one, as far as reads can tell. Raises Problem for missing credentials alone."""
        ...

    async def advance(self, work: FixWork, target: FixTarget) -> FixOutcome:
        """One of them, as far as it goes now. Raises Problem."""
        ...


@dataclass
class FixWork:
    """What the changes of a run share. `numbers` = the projects in the plan's scope."""

    cloud: Cloud
    run: str
    numbers: frozenset[str]
    journal: FixJournal
    firsts: Mapping[str, FixChange] = field(default_factory=dict)
    """By key, what contains it before it is replaced (FixPlan.firsts)."""
    rotations: Advancing | None = None
    emit: Callable[[Event], None] = lambda event: None
    outcomes: list[FixOutcome] = field(default_factory=list)

    def end(self, outcome: FixOutcome) -> FixOutcome:
        """Write it down, then say it."""
        change, at = outcome.change, self.cloud.now()
        self.journal.end(at, _STEPS[outcome.status], change, outcome.key, outcome.detail, outcome.cause)
        self.outcomes.append(outcome)
        said = Event(at, change.project, "", 0, change.key_id, change.kind, outcome.status, outcome.detail)
        self.emit(replace(said, cause=outcome.cause or None))
        return outcome

    def recomputed(self, change: FixChange, live: Key | None) -> FixTarget | FixDone | FixRefused:
        """What the change comes to for the key as it is."""
        record = self.journal.record.of(change)
        first = first_step(self.firsts, self.journal.record, change)
        return recompute(change, live, self.run, self.numbers, begun=record is not None and record.begun, first=first)


async def make(work: FixWork, found: FixTarget | FixDone | FixRefused) -> FixOutcome:
    """Make one change, or find that it is made. Raises Problem for missing credentials alone."""
    change = found.change
    try:
        return work.end(await _made(work, found))
    except Problem as problem:
        outcome = FixOutcome(change, "failed", redact(problem.message), problem.cause.value)
        work.end(outcome)
        if problem.exit is Exit.CREDENTIALS:
            raise
        return outcome


async def _made(work: FixWork, found: FixTarget | FixDone | FixRefused) -> FixOutcome:
    for left in reversed(range(TRIES)):
        if isinstance(found, FixDone):
            return FixOutcome(found.change, "already", "it was done before", key=found.key)
        if isinstance(found, FixRefused):
            return FixOutcome(found.change, "skipped", found.why, found.cause.value)
        if found.change.kind in ROTATING and (against := await _foreseen(work, found)) is not None:
            return against
        work.journal.begin(work.cloud.now(), found.key, found.change)
        try:
            return await _once(work, found)
        except Problem as problem:
            if not _overtaken(problem) or not left:
                raise
            again = work.recomputed(found.change, await _read(work, found.change))
            if problem.status == "FAILED_PRECONDITION" and isinstance(again, FixTarget):
                await _unmark(work, again.key)
                if problem.cause is not Cause.CONFLICT:
                    raise
                return FixOutcome(found.change, "skipped", redact(problem.message), problem.cause.value)
            found = again
    raise AssertionError("unreachable: the last try returns or raises")


async def _foreseen(work: FixWork, target: FixTarget) -> FixOutcome | None:
    """Why a rotation is not begun, or not taken further: what a dry run tells, too. Nothing is changed or written down then."""
    if work.rotations is None:
        return FixOutcome(target.change, "skipped", NO_POLICY, Cause.INVALID_ARGUMENT.value)
    found = await work.rotations.foreseen(target)
    return found if isinstance(found, FixOutcome) else None


def _overtaken(problem: Problem) -> bool:
    """Whether the key may be another one than it was read as."""
    return problem.cause in (Cause.CONFLICT, Cause.NOT_FOUND) or problem.status == "FAILED_PRECONDITION"


async def _read(work: FixWork, change: FixChange) -> Key | None:
    try:
        return replace(await work.cloud.keys.get(change.name), project=change.project)
    except Problem as problem:
        if problem.cause is Cause.NOT_FOUND:
            return None
        raise


async def _once(work: FixWork, target: FixTarget) -> FixOutcome:
    change = target.change
    if change.kind in ROTATING:
        assert work.rotations is not None
        return await work.rotations.advance(work, target)
    if change.kind == "delete":
        return await _deleted(work, target)
    done = await execute(work.cloud, _narrowing(work, target))
    assert isinstance(done, Key)
    return FixOutcome(change, "done", change.becoming, key=done)


def wanted(target: FixTarget) -> str:
    """What a narrowing does, behind "would" and "forbids to"."""
    return f"restrict key {target.key.key_id} to {target.change.becoming}"


def _narrowing(work: FixWork, target: FixTarget) -> KeyChange:
    after = target.after
    assert after is not None
    return KeyChange(
        target.key,
        wanted(target),
        lambda now: replace(now, restrictions=after, annotations={**now.annotations, MARK: work.run}),
        frozenset({"restrictions", "annotations"}),
    )


async def _deleted(work: FixWork, target: FixTarget) -> FixOutcome:
    """Marked, then deleted: the mark tells later that it was this run."""
    key, said = target.key, ""
    try:
        key = await marked(work, key)
    except Problem as problem:
        # A policy may refuse every change of a key that breaks it, the mark too (Org Policy documentation).
        if problem.cause not in BY_POLICY:
            raise
        said = "; it bears no mark, which an organisation policy refused"
    gone = await execute(work.cloud, plan_delete(key, force=False))
    assert isinstance(gone, Key)
    return FixOutcome(target.change, "done", f"deleted{said}", key=gone)


async def marked(work: FixWork, key: Key) -> Key:
    """The key with the run's mark; of one that it contained before, with that of what follows. Raises Problem."""
    mark = work.run if key.name not in work.firsts else replacing(work.run)
    if key.annotations.get(MARK) == mark:
        return key
    change = KeyChange(
        key,
        f"mark key {key.key_id}",
        lambda now: replace(now, annotations={**now.annotations, MARK: mark}),
        frozenset({"annotations"}),
    )
    done = await execute(work.cloud, change)
    assert isinstance(done, Key)
    return done


async def _unmark(work: FixWork, key: Key) -> None:
    """Take the mark off a key that was not changed after all."""
    if not bears(key, work.run):
        return
    without = {name: value for name, value in key.annotations.items() if name != MARK}
    change = KeyChange(key, "take the mark away", lambda now: replace(now, annotations=without), frozenset({"annotations"}))
    try:
        await execute(work.cloud, change)
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
