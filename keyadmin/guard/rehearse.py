"""The rehearsal: which keys that are there the constraints would refuse as they are, and what of keyadmin's own work with them.

Constraints do not look back: nothing happens to keys that violate, until somebody changes them. A change is refused then unless
the key no longer violates afterwards (documented), whatever it changes: a name, a note, another restriction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from keyadmin.access.cel import KeyCondition, as_resource
from keyadmin.audit.candidates import Candidate
from keyadmin.audit.inventory import AuditScope, take
from keyadmin.model.key import GEMINI, Key
from keyadmin.model.observer import Observer
from keyadmin.model.org_policy import CREATE, UPDATE, CustomConstraint
from keyadmin.model.problem import Exit, Problem
from keyadmin.rotation.decide import to_migrate

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.guard.scope import GuardScope


@dataclass(frozen=True, slots=True)
class KeyRefusal:
    """A key that violates, with the constraints that say so, and those of which it is not known."""

    key: Key
    constraints: tuple[str, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefusedWork:
    """What of keyadmin's own work would be refused, by the number of keys."""

    notes: int = 0
    successors: int = 0
    migrations: int = 0
    splits: int = 0
    mixed: int = 0

    def lines(self) -> list[str]:
        """For people."""
        out = []
        if self.notes:
            out.append(
                f"names, notes and annotations of {_keys(self.notes)} (keys rename, keys annotate, and rotation, which writes "
                "notes on the key that it replaces): a change that leaves the key in violation is refused"
            )
        if self.successors:
            out.append(f"rotations of {_keys(self.successors)}: a successor is made with the restrictions of its predecessor")
        if self.migrations:
            out.append(f"migrations of {_keys(self.migrations)}: keyadmin writes a note on the old key first")
        if self.mixed:
            out.append(f"splits by keys migrate: {self.splits} of {_keys(self.mixed)} would still violate without Gemini")
        if out:
            out.append("an undo that would bring any of these states back (audit undo, keys unrestrict)")
        return out


@dataclass(frozen=True)
class Rehearsal:
    """`keys` = live keys looked at; `failed` = projects that could not be read, each with the reason."""

    keys: int
    refused: tuple[KeyRefusal, ...]
    work: RefusedWork
    unknown: tuple[KeyRefusal, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> str:
        """`would refuse 37 of the 512 keys as they are`."""
        if not self.refused:
            return f"would refuse none of the {_keys(self.keys)} as they are"
        return f"would refuse {len(self.refused)} of the {_keys(self.keys)} as they are"


def _keys(count: int) -> str:
    return f"{count} key" if count == 1 else f"{count} keys"


class Judge:
    """The constraints, compiled once."""

    def __init__(self, constraints: Iterable[CustomConstraint]) -> None:
        self._all = [(each, KeyCondition(each.condition)) for each in constraints]

    def refusing(self, key: Key) -> tuple[list[CustomConstraint], list[CustomConstraint]]:
        """The constraints that refuse the key, on creation or on change, and those that are not known to."""
        refusing: list[CustomConstraint] = []
        unknown: list[CustomConstraint] = []
        resource = cache(lambda: as_resource(key))
        for constraint, condition in self._all:
            holds = condition.holds(key, resource)
            if holds is None:
                unknown.append(constraint)
            elif holds == constraint.denies:
                refusing.append(constraint)
        return refusing, unknown


def judge(keys: Sequence[Key], constraints: Sequence[CustomConstraint]) -> Rehearsal:
    """Which of the keys violate. Asks nobody."""
    judging = Judge(constraints)
    refused, unknown, work = [], [], RefusedWork()
    living = [key for key in keys if key.delete_time is None]
    for key in living:
        refusing, open_ = judging.refusing(key)
        if refusing:
            refused.append(KeyRefusal(key, _names(refusing), _names(open_)))
            work = _with(work, key, refusing, judging)
        elif open_:
            unknown.append(KeyRefusal(key, (), _names(open_)))
    return Rehearsal(len(living), tuple(refused), work, tuple(unknown))


def _names(found: Sequence[CustomConstraint]) -> tuple[str, ...]:
    return tuple(each.name for each in found)


def _with(work: RefusedWork, key: Key, refusing: Sequence[CustomConstraint], judging: Judge) -> RefusedWork:
    on_change = any(each.governs(UPDATE) for each in refusing)
    on_creation = any(each.governs(CREATE) for each in refusing)
    mixed = on_change and key.restricted == "mixed" and to_migrate(key)
    return RefusedWork(
        work.notes + on_change,
        work.successors + on_creation,
        work.migrations + (on_change and to_migrate(key)),
        work.splits + (mixed and any(each.governs(UPDATE) for each in judging.refusing(without_gemini(key))[0])),
        work.mixed + mixed,
    )


def without_gemini(key: Key) -> Key:
    """What a migration leaves of a key that is for other APIs too."""
    left = tuple(target for target in key.restrictions.targets if target.service != GEMINI)
    return replace(key, restrictions=replace(key.restrictions, targets=left))


async def rehearse(cloud: Cloud, scope: GuardScope, constraints: Sequence[CustomConstraint], observer: Observer) -> Rehearsal:
    """The same over the keys below the scope, from the inventory or as each project lists them. Raises Problem."""
    from keyadmin.cloud.pace import gather_limited

    project = scope.node.removeprefix("projects/") if scope.node.startswith("projects/") else None
    wanted = AuditScope((project,)) if project else AuditScope(parent=scope.node)
    taken = await take(cloud, wanted, "auto", observer)
    observer.total(len(taken.candidates), "Reading keys")
    failed: list[tuple[str, str]] = []

    async def keys_of(candidate: Candidate) -> Sequence[Key]:
        try:
            if candidate.keys is not None:
                return tuple(candidate.keys)
            return [replace(key, project=candidate.project) async for key in cloud.keys.list(candidate.project)]
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            failed.append((candidate.project, problem.message))
            return ()
        finally:
            observer.advance()

    found = await gather_limited(taken.candidates, keys_of)
    keys = [key for several in found for key in several]
    return replace(judge(keys, constraints), failed=tuple(failed), notes=taken.notes)
