"""Google's own preview beside the rehearsal: what it says of the constraints, and where the two differ."""

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
    """Of the constraints asked about: the keys that both name, keyadmin alone names, Google alone names (full names)."""

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
    """What Google says; `unknown` = why it could not be asked."""

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
    """Ask Google's preview of the constraints: of several as one, since it takes a single one, and three calls for each.

    Raises Problem for missing credentials alone.
    """
    observer.step("Asking Google's own preview")
    names = [constraint.name for constraint in wanted]
    asked = wanted[0] if len(wanted) == 1 else _joined(scope, wanted)
    try:
        told = await cloud.policy_simulator.preview(asked, NodePolicy(scope.node, asked.name, constraints.enforcing(tags)))
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return Previewed(unknown=f"Google's own preview could not be asked: {problem.message}")
    own = frozenset(each.key.name for each in rehearsal.refused if set(each.constraints) & set(names))
    here, there = tuple(sorted(own - told.violating)), tuple(sorted(told.violating - own))
    return Previewed((PreviewDifference(", ".join(names), len(own & told.violating), here, there, told.scanned),))


def _joined(scope: GuardScope, wanted: Sequence[CustomConstraint]) -> CustomConstraint:
    """One constraint for all: it refuses what any of them refuses."""
    condition = constraints.together(constraints.BY_NAME[each.name] for each in wanted)
    methods = tuple(sorted({method for each in wanted for method in each.methods}))
    words = f"{len(wanted)} constraints of keyadmin's"
    return CustomConstraint(scope.organization, constraints.TOGETHER, condition, methods, words, words)
