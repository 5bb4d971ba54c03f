"""A plan of repairs: the changes in their order, and what is left alone. Plain values."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from keyadmin.audit.fix.change import ROTATING, FixChange, LeftAlone
from keyadmin.audit.fix.waves import FixWave, by_risk, in_waves, waves_of

STALE: Final = timedelta(days=7)
_RUN: Final = re.compile(r"fix-[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class FixScope:
    """Which projects a plan is about: these ids, or what lies below a folder or an organisation; neither = all that are seen.

    `organizations` = those that the caller saw when the plan was made.
    """

    projects: tuple[str, ...] = ()
    parent: str | None = None
    organizations: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, str]:
        """What is typed for it: `--organization 77`; nothing for all that are seen."""
        if self.projects:
            return {"projects": ",".join(self.projects)}
        kind, _, number = (self.parent or "").partition("/")
        return {kind.removesuffix("s"): number} if number else {}

    @property
    def words(self) -> str:
        """For messages."""
        if self.projects:
            return ", ".join(self.projects[:5]) + (f" and {len(self.projects) - 5} more" if len(self.projects) > 5 else "")
        return self.parent or "every project that the caller sees"


@dataclass(frozen=True)
class FixPlan:
    """Changes, pinned. `created` by the server's clock; `edited` = the file's digest is not that of its contents."""

    run: str
    created: datetime
    sandbox: bool
    scope: FixScope
    changes: tuple[FixChange, ...]
    left: tuple[LeftAlone, ...] = ()
    pauses: tuple[tuple[int, timedelta], ...] = ()
    edited: bool = False

    @cached_property
    def firsts(self) -> dict[str, FixChange]:
        """By key, the change that contains it, where another one replaces it afterwards."""
        replaced = {change.name for change in self.changes if change.kind in ROTATING}
        return {each.name: each for each in self.changes if each.name in replaced and each.kind not in ROTATING}

    @property
    def waves(self) -> list[FixWave]:
        """The waves in their order."""
        return waves_of(self.changes, dict(self.pauses))

    @property
    def writes(self) -> int:
        """How many calls that change keys it takes."""
        return sum(change.writes for change in self.changes)

    def rewaved(self, first: int) -> FixPlan:
        """The same in other waves: `first` percent, then 30, 60, 100."""
        return replace(self, changes=tuple(in_waves(self.changes, first)), pauses=())

    def with_pause(self, pause: timedelta) -> FixPlan:
        """The same with a pause behind each wave but the last."""
        return replace(self, pauses=tuple((wave.number, pause) for wave in self.waves[:-1]))


def made(
    decided: Iterable[FixChange | LeftAlone], scope: FixScope, now: datetime, *, sandbox: bool, first: int, pause: timedelta
) -> FixPlan:
    """The plan of what was decided, low risk first, under a run id of its own."""
    every = list(decided)
    changes = in_waves(by_risk(each for each in every if isinstance(each, FixChange)), first)
    left = sorted(
        (each for each in every if isinstance(each, LeftAlone)), key=lambda one: (-one.severity, one.project, one.name)
    )
    plan = FixPlan(new_run(now), now, sandbox, scope, tuple(changes), tuple(left))
    return plan.with_pause(pause) if pause else plan


def new_run(now: datetime) -> str:
    """`fix-20261129-002600-1a2b3c4d`."""
    return f"fix-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def is_run(text: str) -> bool:
    """Whether it has the form of a run's id."""
    return _RUN.fullmatch(text) is not None
