"""Google's own preview beside the rehearsal: what it says of each constraint, and where the two differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyadmin.guard import constraints
from keyadmin.guard.rehearse import Rehearsal
from keyadmin.guard.scope import GuardScope
from keyadmin.model.observer import Observer
from keyadmin.model.org_policy import CustomConstraint, NodePolicy
from keyadmin.model.problem import Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class PreviewDifference:
    """Of one constraint: the keys that both name, that keyadmin alone names, and that Google alone names (full names)."""

    constraint: str
    both: int
    here_alone: tuple[str, ...] = ()
    there_alone: tuple[str, ...] = ()
    scanned: int = 0

    @property
    def words(self) -> str:
        """For people."""
        if not self.here_alone and not self.there_alone:
            return (
                f"{self.constraint}: Google's preview names the same {self.both} (of {self.scanned} resources that it scanned)"
            )
        parts = [f"both name {self.both}"]
        if self.here_alone:
            parts.append(f"keyadmin alone names {_few(self.here_alone)}")
        if self.there_alone:
            parts.append(f"Google alone names {_few(self.there_alone)}")
        return f"{self.constraint}: {'; '.join(parts)} (Google scanned {self.scanned} resources)"


def _few(names: tuple[str, ...], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


@dataclass(frozen=True)
class Previewed:
    """What Google says; `unknown` = why it could not be asked, or not of all."""

    comparisons: tuple[PreviewDifference, ...] = ()
    unknown: str = ""


async def ask(
    cloud: Cloud,
    scope: GuardScope,
    wanted: Sequence[CustomConstraint],
    tags: tuple[tuple[str, str], ...],
    rehearsal: Rehearsal,
    observer: Observer,
) -> Previewed:
    """Ask Google's preview of each constraint, one after another. Raises Problem for missing credentials alone."""
    done: list[PreviewDifference] = []
    observer.step("Asking Google's own preview")
    for constraint in wanted:
        policy = NodePolicy(scope.node, constraint.name, constraints.enforcing(tags))
        try:
            told = await cloud.policy_simulator.preview(constraint, policy)
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return Previewed(tuple(done), f"Google's own preview could not be asked: {problem.message}")
        own = frozenset(each.key.name for each in rehearsal.refused if constraint.name in each.constraints)
        here, there = tuple(sorted(own - told.violating)), tuple(sorted(told.violating - own))
        done.append(PreviewDifference(constraint.name, len(own & told.violating), here, there, told.scanned))
    return Previewed(tuple(done))
