"""What a run is about: a policy, and what narrows it; and the plan that follows from both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Problem
from keyadmin.rotation.decide import migrates
from keyadmin.rotation.find import Selection, find, only
from keyadmin.rotation.pins import Changed
from keyadmin.rotation.plan import Planned, plan, within
from keyadmin.rotation.policy import RotationPolicy
from keyadmin.rotation.shard import Shard

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.rotation.job import Outcome


@dataclass(frozen=True)
class RotationScope:
    """Which lineages are meant, and how they are rotated."""

    policy: RotationPolicy
    names: tuple[str, ...] = ()
    """Only these: lineages, keys by id, full name or display name, projects."""
    part: Shard | None = None
    emergency: bool = False
    """Without grace and use check; without an age of its own every key that is selected."""
    migrate: bool = False
    """Only standard keys that may call the Gemini API, into auth keys."""
    project: str | None = None
    """Only what is in this project."""
    limit: int | None = None
    """Begin at most this many rotations, of the oldest keys."""

    def with_terms(
        self, *, max_age: timedelta | None = None, grace: timedelta | None = None, adopted: bool | None = None
    ) -> RotationScope:
        """The same with other times than the policy's; an emergency or a migration without an age takes every key."""
        changes: dict[str, Any] = {}
        if max_age is not None:
            changes["max_age"] = max_age
        elif self.emergency or self.migrate:
            changes["max_age"] = None
        if grace is not None:
            changes["grace"] = grace
        if self.migrate:
            changes["new_type"] = "auth"
        if adopted is not None:
            changes["adopted"] = adopted
        return replace(self, policy=replace(self.policy, rules=tuple(replace(rule, **changes) for rule in self.policy.rules)))


@dataclass(frozen=True)
class RunPlan:
    """What a run would do, pinned: these lineages as they were read, whatever appears or changes until it is executed."""

    selection: Selection
    planned: tuple[Planned, ...]
    limit: int | None = None

    @property
    def due(self) -> list[Planned]:
        """What a run on this machine advances."""
        return within(self.planned, self.limit)

    @property
    def resting(self) -> list[Planned]:
        """What is left alone because of a claim on its key that it was rolled back to: said, however often."""
        return [one for one in self.planned if one.resting]


@dataclass(frozen=True)
class RunResult:
    """What came of a plan. `now` = the server's time at its end."""

    plan: RunPlan
    outcomes: tuple[Outcome, ...]
    now: datetime

    @property
    def failed(self) -> list[tuple[Outcome, Problem]]:
        """The lineages that something stopped, with what."""
        return [(one, one.problem) for one in self.outcomes if one.problem is not None]

    @property
    def conflict(self) -> Problem | None:
        """The conflict where the plan was about one lineage alone, and that was changed meanwhile: then nothing was done."""
        (*_, problem) = (None, *(one.problem for one in self.outcomes))
        return problem if len(self.outcomes) == 1 and isinstance(problem, Changed) else None


async def plan_run(cloud: Cloud, scope: RotationScope, observer: Observer = SILENT) -> RunPlan:
    """What a run would do with each lineage of the scope. Reads only: one listing a project.

    Raises Problem where nothing can be looked at, usage() for a policy that cannot be followed.
    """
    found = await find(cloud, scope.policy.rules, observer, scope.part, scope.project)
    if scope.migrate:
        found.chosen = [one for one in found.chosen if migrates(one.lineage)]
    chosen: Sequence[Any] = only(found.chosen, scope.names) if scope.names else found.chosen
    return RunPlan(found, tuple(plan(chosen, cloud.now(), emergency=scope.emergency)), scope.limit)
