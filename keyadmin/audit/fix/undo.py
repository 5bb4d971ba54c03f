"""A run undone: what it wrote is put back where it still stands, in the reverse order.

What others changed since is left alone. Migrations and rotations are not undone here: their rollback is another command.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from keyadmin.audit.fix.change import MARK, ROTATING, FixChange, bears
from keyadmin.audit.fix.execute import BY_POLICY
from keyadmin.audit.fix.journal import FixJournal, FixRecord, KeyRecord, Step, open_journal
from keyadmin.audit.fix.plan import FixPlan
from keyadmin.audit.fix.plan_file import digest, plan_to_json
from keyadmin.audit.fix.refusals import CHANGING, UNDELETING, by_policy, held, not_told, unpermitted
from keyadmin.audit.model import RETENTION
from keyadmin.keys.change import KeyChange, execute, to_undelete, undelete
from keyadmin.model.command_line import typed
from keyadmin.model.key import Key, Restrictions
from keyadmin.model.lineage import read
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import redact
from keyadmin.rotation.job import Event

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

AT_ONCE: Final = 256
HALF_MADE: Final = "changes were being undone; the same command goes on"
_DONE: Final = frozenset({"done", "undo-begin", "undo-failed", "undo-skipped"})

UndoStatus = Literal["done", "already", "skipped", "failed"]
_STEPS: Final[dict[UndoStatus, Step]] = {
    "done": "undone",
    "already": "undone",
    "skipped": "undo-skipped",
    "failed": "undo-failed",
}


@dataclass(frozen=True, slots=True)
class UndoTarget:
    """A key that can be put back: as it is, and the restrictions that it had; None = it is undeleted."""

    change: FixChange
    key: Key
    before: Restrictions | None

    @property
    def opens(self) -> bool:
        """Whether the key is open again afterwards: to every API, or to everybody."""
        if self.before is None:
            return not self.key.restrictions.services
        now, then = self.key.restrictions, self.before
        return bool(now.services and not then.services) or (now.client_kind is not None and then.client_kind is None)


@dataclass(frozen=True, slots=True)
class UndoOutcome:
    """What became of one change; `target` None = nothing was tried."""

    change: FixChange
    status: UndoStatus
    detail: str = ""
    cause: str = ""
    key: Key | None = None


@dataclass(frozen=True)
class UndoPlan:
    """What an undo would do, pinned. `refused` = what it leaves alone; `rollbacks` = commands for migrations and rotations.

    `unknown` = what could not be found out about whether it would be refused, once for each key.
    """

    plan: FixPlan
    targets: tuple[UndoTarget, ...]
    refused: tuple[UndoOutcome, ...]
    rollbacks: tuple[tuple[FixChange, str], ...]
    unknown: tuple[str, ...] = ()

    @property
    def opened(self) -> int:
        """How many keys are open again afterwards."""
        return sum(target.opens for target in self.targets)


def undoable(plan: FixPlan, record: FixRecord, only: Collection[str] = ()) -> list[FixChange]:
    """The changes that the run made and that stand, the last first. `only` = the full names of keys."""
    made = [change for change in plan.changes if _made(record, change) and (not only or change.name in only)]
    return sorted(made, key=lambda change: -(record.keys[change.slot].order))


def _made(record: FixRecord, change: FixChange) -> bool:
    """Whether the run made it, or began it and was killed before it could say so."""
    found = record.of(change)
    if found is None or found.undone:
        return False
    return found.step in _DONE or found.begun or (found.step == "waiting" and change.kind in ROTATING)


async def plan_undo(cloud: Cloud, plan: FixPlan, record: FixRecord, observer: Observer, only: Collection[str] = ()) -> UndoPlan:
    """Read the keys as they are, and find what can be put back. Raises Problem for missing credentials alone."""
    from keyadmin.cloud.pace import gather_limited

    changes = undoable(plan, record, only)
    numbers = list(dict.fromkeys(each.number for each in changes))
    observer.total(len(numbers), "Reading keys", cloud.forecast(reads=len(numbers)))

    async def one(number: str) -> dict[str, Key] | Problem:
        try:
            return {key.name: key async for key in cloud.keys.list(number, deleted=True)}
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return problem
        finally:
            observer.advance()

    listed = dict(zip(numbers, await gather_limited(numbers, one, AT_ONCE), strict=True))
    replaced_since = {each.name: each for each in changes if each.kind in ROTATING and _is_replaced(each, listed[each.number])}
    rollbacks = tuple((each, rollback(each)) for each in replaced_since.values())
    every = (
        _found(each, record.keys[each.slot], listed[each.number], plan.run, cloud.now())
        for each in changes
        if each.kind not in ROTATING and each.name not in replaced_since
    )
    found = [each for each in every if each is not None]
    judged = await gather_limited(found, lambda each: _policed(cloud, each), AT_ONCE)
    targets = tuple(each for each, _ in judged if isinstance(each, UndoTarget))
    refused = tuple(each for each, _ in judged if isinstance(each, UndoOutcome))
    return UndoPlan(plan, targets, refused, rollbacks, tuple(told for _, told in judged if told))


def _is_replaced(change: FixChange, listed: dict[str, Key] | Problem) -> bool:
    """Whether a key has a successor. That goes before what else was done with it: an undo leaves both to a rollback."""
    if isinstance(listed, Problem):
        return True  # as far as is known
    holding = (one for one in read(listed.values(), change.project) if any(m.key.name == change.name for m in one.members))
    return any(one.newest.key.name != change.name for one in holding)


async def _policed(cloud: Cloud, found: UndoTarget | UndoOutcome) -> tuple[UndoTarget | UndoOutcome, str]:
    """The same, refused where a constraint of the organisation certainly forbids the former restrictions now; else why that is
    not known, where it is not.
    """
    if isinstance(found, UndoOutcome) or found.before is None:
        return found, ""
    told = await by_policy(cloud, found.key, found.before, _putting_back(found.key))
    if isinstance(told, Problem):
        return UndoOutcome(found.change, "skipped", _why(told), told.cause.value), ""
    return found, told


async def foresee_undo(cloud: Cloud, wanted: UndoPlan) -> tuple[list[UndoOutcome], list[str]]:
    """What an undo would leave, as far as reads can tell: what it leaves alone, and where the caller lacks a permission; and
    what of that is not known, once for each key.

    Raises Problem for missing credentials alone.
    """
    from keyadmin.cloud.pace import gather_limited

    projects = list(dict.fromkeys(each.change.project for each in wanted.targets))
    having = dict(zip(projects, await gather_limited(projects, lambda each: held(cloud, each), AT_ONCE), strict=True))
    waves = sorted({each.change.wave for each in wanted.targets}, reverse=True)
    ordered = (each for wave in waves for each in wanted.targets if each.change.wave == wave)
    seen = ((each, _unpermitted(each, having[each.change.project], wanted.plan.run)) for each in ordered)
    lacking = [UndoOutcome(each.change, _how(why), _why(why), why.cause.value) for each, why in seen if why is not None]
    unknown = [*wanted.unknown, *(told for each in wanted.targets for told in not_told(having[each.change.project]))]
    return [*wanted.refused, *lacking], unknown


def _unpermitted(target: UndoTarget, having: frozenset[str] | Problem, run: str) -> Problem | None:
    key, marked = target.key, bears(target.key, run)
    if key.delete_time is None or isinstance(having, Problem):
        return unpermitted(key, (CHANGING,), having)
    if UNDELETING not in having:
        return to_undelete(key).refused()
    return unpermitted(key, (CHANGING,) if marked else (), having)


def rollback(change: FixChange) -> str:
    """What goes back to the key that was replaced."""
    return typed("rotation rollback", change.key_id, project=change.project)


def _found(
    change: FixChange, record: KeyRecord, listed: dict[str, Key] | Problem, run: str, now: datetime
) -> UndoTarget | UndoOutcome | None:
    if isinstance(listed, Problem):
        return UndoOutcome(change, "failed", redact(listed.message), listed.cause.value)
    key = listed.get(change.name)
    if key is None:
        return UndoOutcome(change, "skipped", "the key is gone for good", Cause.NOT_FOUND.value)
    key = replace(key, project=change.project)
    return to_undo(change, record, key, run, now)


def to_undo(change: FixChange, record: KeyRecord, key: Key, run: str, now: datetime) -> UndoTarget | UndoOutcome | None:
    """Whether a key is still as the run left it; None = the run was killed before it changed the key. Pure."""
    if record.step not in _DONE and not bears(key, run):
        return None
    if change.kind == "delete":
        return _deleted(change, record, key, run, now)
    if key.delete_time is not None:
        return UndoOutcome(change, "skipped", "somebody else deleted the key", Cause.CONFLICT.value)
    before, after = record.before, record.after or change.after
    if before is None or after is None:
        return UndoOutcome(change, "skipped", "the journal does not say what it was", Cause.INVALID_ARGUMENT.value)
    if key.restrictions == before and before != after:
        return UndoOutcome(change, "already", "it has its former restrictions already", key=key)
    if key.restrictions != after:
        why = "somebody else changed its restrictions since the run"
        return UndoOutcome(change, "skipped", why, Cause.CONFLICT.value)
    return UndoTarget(change, key, before)


def _deleted(change: FixChange, record: KeyRecord, key: Key, run: str, now: datetime) -> UndoTarget | UndoOutcome:
    if key.delete_time is None:
        if bears(key, run):  # brought back, and killed before the mark was taken away
            return UndoTarget(change, key, None)
        return UndoOutcome(change, "already", "it was brought back already", key=key)
    if record.deleted is not None and key.delete_time != record.deleted:
        why = "somebody else brought it back and deleted it again"
        return UndoOutcome(change, "skipped", why, Cause.CONFLICT.value)
    if now - key.delete_time > RETENTION:
        return UndoOutcome(change, "skipped", "it was deleted more than 30 days ago", Cause.NOT_FOUND.value)
    return UndoTarget(change, key, None)


@dataclass
class UndoWork:
    """What the steps of an undo share."""

    cloud: Cloud
    run: str
    journal: FixJournal
    emit: Callable[[Event], None] = lambda event: None

    def end(self, outcome: UndoOutcome) -> UndoOutcome:
        """Write it down, then say it."""
        change, at = outcome.change, self.cloud.now()
        self.journal.end(at, _STEPS[outcome.status], change, outcome.key, outcome.detail, outcome.cause)
        event = Event(at, change.project, "", 0, change.key_id, f"undo {change.kind}", outcome.status, outcome.detail)
        self.emit(replace(event, cause=outcome.cause or None))
        return outcome


async def execute_undo(
    cloud: Cloud, wanted: UndoPlan, path: Path, observer: Observer, emit: Callable[[Event], None] = lambda event: None
) -> list[UndoOutcome]:
    """Put back what was shown, the last change first. Raises Problem: another process is at it, nobody is signed in."""
    from keyadmin.cloud.pace import gather_limited

    with open_journal(path, wanted.plan.run) as journal:
        journal.head(cloud.now(), digest(plan_to_json(wanted.plan)), cloud.caller.principal)
        work = UndoWork(cloud, wanted.plan.run, journal, emit)
        targets = [each for each in wanted.targets if not journal.record.keys[each.change.slot].undone]
        observer.total(len(targets), "Putting keys back", cloud.forecast(writes=len(targets)))

        async def one(target: UndoTarget) -> UndoOutcome:
            try:
                return await _undo(work, target)
            finally:
                observer.advance()

        out = [work.end(each) for each in wanted.refused]
        with observer.half_made(HALF_MADE):
            for wave in sorted({each.change.wave for each in targets}, reverse=True):
                out += await gather_limited([each for each in targets if each.change.wave == wave], one, AT_ONCE)
        return out


async def _undo(work: UndoWork, target: UndoTarget) -> UndoOutcome:
    """Put one key back. Raises Problem for missing credentials alone."""
    change = target.change
    work.journal.end(work.cloud.now(), "undo-begin", change)
    try:
        key = await (_brought_back(work, target) if target.before is None else _put_back(work, target))
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return work.end(UndoOutcome(change, _how(problem), _why(problem), problem.cause.value))
    return work.end(UndoOutcome(change, "done", "it has its former restrictions" if target.before else "brought back", key=key))


def _how(problem: Problem) -> UndoStatus:
    return "skipped" if problem.cause is Cause.CONFLICT else "failed"


def _why(problem: Problem) -> str:
    before = "an organisation policy refuses it now: " if problem.cause in BY_POLICY else ""
    return redact(before + problem.message)


def _putting_back(key: Key) -> str:
    return f"put back the restrictions of key {key.key_id}"


async def _put_back(work: UndoWork, target: UndoTarget) -> Key:
    """The former restrictions under the etag that the key was read with, and the mark gone where it is this run's."""
    before = target.before
    assert before is not None
    change = KeyChange(
        target.key,
        _putting_back(target.key),
        lambda now: replace(now, restrictions=before, annotations=_unmarked(now, work.run)),
        frozenset({"restrictions", "annotations"}),
    )
    done = await execute(work.cloud, change)
    assert isinstance(done, Key)
    return done


async def _brought_back(work: UndoWork, target: UndoTarget) -> Key:
    key: object = target.key
    if target.key.delete_time is not None:
        key = await undelete(work.cloud, target.key)
    assert isinstance(key, Key)
    if not bears(key, work.run):
        return key
    unmarked = KeyChange(
        key,
        "take the mark away",
        lambda now: replace(now, annotations=_unmarked(now, work.run)),
        frozenset({"annotations"}),
    )
    try:
        done = await execute(work.cloud, unmarked)
    except Problem as problem:
        if problem.cause in BY_POLICY or problem.cause is Cause.CONFLICT:
            return key  # it is back; only the mark stays
        raise
    assert isinstance(done, Key)
    return done


def _unmarked(key: Key, run: str) -> dict[str, str]:
    return {name: value for name, value in key.annotations.items() if name != MARK or not bears(key, run)}


def in_order(outcomes: Sequence[UndoOutcome]) -> list[UndoOutcome]:
    """Failed and skipped ones first."""
    rank = {"failed": 0, "skipped": 1, "already": 2, "done": 3}
    return sorted(outcomes, key=lambda each: rank[each.status])
