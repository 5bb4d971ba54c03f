"""Deleting the keys that a scan found alive: planned from what was shown, done to exactly that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keyadmin.leaks.verdict import Leak
from keyadmin.model.key import Key
from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class RevokePlan:
    """The keys to delete, as they were read: full names and etags."""

    keys: tuple[Key, ...]

    @property
    def names(self) -> list[str]:
        """Their full names."""
        return [key.name for key in self.keys]


@dataclass(frozen=True)
class Revoked:
    """How it ended: the names of the deleted keys, and why the others still work."""

    deleted: tuple[str, ...]
    kept: dict[str, Problem]

    def problem(self) -> Problem | None:
        """What is left alive, as a Problem (exit code 3)."""
        if not self.kept:
            return None
        first = next(iter(self.kept.values()))
        message = f"{len(self.kept)} of the keys could not be deleted and still work: {', '.join(self.kept)}: {first.message}"
        return replace(first, message=message, exit_code=Exit.FOUND)


def plan(leaks: Sequence[Leak]) -> RevokePlan:
    """Those that are alive and that the caller can name."""
    return RevokePlan(tuple({leak.key.name: leak.key for leak in leaks if leak.life == "alive" and leak.key}.values()))


async def execute(cloud: Cloud, planned: RevokePlan, said: Callable[[str], None]) -> Revoked:
    """Delete each that is as it was shown. One that changed since is kept, and said."""
    deleted: list[str] = []
    kept: dict[str, Problem] = {}
    for key in planned.keys:
        try:
            await _delete(cloud, key)
        except Problem as problem:
            kept[key.name] = problem
        else:
            deleted.append(key.name)
            said(f"Deleted {key.name}; recoverable for 30 days.")
    return Revoked(tuple(deleted), kept)


async def _delete(cloud: Cloud, shown: Key) -> None:
    now = await cloud.keys.get(shown.name)
    if now.etag != shown.etag:
        raise Problem(Cause.CONFLICT, f"{shown.key_id} was changed since it was shown", fix=("scan again, and look at it",))
    await cloud.keys.delete(shown.name, etag=shown.etag)


def after(leaks: Sequence[Leak], done: Revoked) -> list[Leak]:
    """The findings as they are then."""
    return [replace(leak, revoked=True) if leak.key is not None and leak.key.name in done.deleted else leak for leak in leaks]
