"""The use case `keys compromised`: a leaked key is replaced and deleted, whatever annotations claim."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from keyadmin.handover.registry import build, fingerprint
from keyadmin.handover.sink import SinkSpec
from keyadmin.keys import resolve
from keyadmin.keys.usage import Used, of_keys
from keyadmin.model.duration import words
from keyadmin.model.key import Key
from keyadmin.model.lineage import SINKS, Lineage
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.decide import Action, Decision, RotationTerms
from keyadmin.rotation.foresee import foresee
from keyadmin.rotation.job import Outcome, Shared
from keyadmin.rotation.leaked import decide_leaked
from keyadmin.rotation.options import RunOptions
from keyadmin.rotation.run import HALF_MADE, advance_pinned, job_for

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class CompromisedPlan:
    """What would be done about a leaked key."""

    key: Key
    lineage: Lineage
    terms: RotationTerms
    specs: tuple[SinkSpec, ...]
    decision: Decision
    used: Used
    foreseen: Problem | None = None
    """What the run would be stopped by, as far as reads can tell; looked for where that is asked."""
    unknown: str = ""
    """What a look ahead could not find out: whether constraints that may not be read refuse the successor."""

    @property
    def others_hold_it(self) -> bool:
        """Whether it was handed to other sinks than those given, as far as its annotation tells: they keep the leaked key."""
        recorded = self.key.annotations.get(SINKS)
        return recorded is not None and recorded != fingerprint(self.specs)

    @property
    def words(self) -> str:
        """What is asked about, and what a dry run says."""
        sinks = ", ".join(spec.text for spec in self.specs) or "no sink"
        key = f"{self.key.key_id} of project {self.key.project}"
        when = "at once" if self.terms.emergency else f"{words(self.terms.grace)} after its successor was made"
        if self.decision.action is Action.CREATE:
            return f"make a successor of {key}, hand it to {sinks}, and delete {self.key.key_id} {when}"
        if self.decision.action is Action.PUBLISH:
            new = self.lineage.newest.key.key_id
            return f"hand {new} to {sinks}, and delete {key} {when}" if self.gone_later else f"hand {new} to {sinks}"
        if self.decision.action is Action.RETIRE:
            return f"see that {self.lineage.newest.key.key_id} works and is in {sinks}, and delete {key}"
        return f"change nothing about {key}: {self.decision.why}"

    @property
    def problem(self) -> Problem | None:
        """What the run would be stopped by, as far as that is known."""
        if self.decision.action is not Action.STUCK:
            return self.foreseen
        return Problem(Cause.CONFLICT, self.decision.why, project=self.lineage.project, fix=self.decision.ways_out)

    @property
    def gone_later(self) -> bool:
        """Whether the leaked key still works."""
        return self.key.delete_time is None


async def plan_compromised(
    cloud: Cloud,
    name: str,
    project: Callable[[], Awaitable[str]],
    grace: timedelta = timedelta(),
    specs: Sequence[SinkSpec] = (),
    options: RunOptions | None = None,
    observer: Observer = SILENT,
    *,
    foresight: bool = False,
) -> CompromisedPlan:
    """What `keys compromised KEY` would do. Reads only: at most one listing. Raises Problem, as `plan_rotate` does."""
    told = options or RunOptions()
    build(specs, cloud, flagged=told.flagged, emit=told.write_line)
    key, lineage, living = await resolve.in_lineage(cloud, name, project, observer)
    lineage = replace(lineage, suspicious=True)
    terms = RotationTerms(max_age=None, emergency=not grace, grace=grace)
    decision = decide_leaked(lineage, key.key_id, terms, cloud.now(), fingerprint(specs))
    (used,) = await of_keys(cloud, key.project, [key], methods=True)
    found = CompromisedPlan(key, lineage, terms, tuple(specs), decision, used)
    if not foresight:
        return found
    careless = replace(told, force_use=True)
    seen = await foresee(cloud, lineage, terms, found.specs, decision, careless, living=living, leaked=key.key_id)
    return replace(found, decision=seen.decision, foreseen=seen.problem, unknown=seen.unknown)


async def execute_compromised(cloud: Cloud, plan: CompromisedPlan, options: RunOptions, observer: Observer = SILENT) -> Outcome:
    """Make the next generation, hand it over, delete the leaked key when its grace is over; what stops it is in the outcome.

    A repeat goes on with what is unfinished, and never lengthens the grace.
    """
    shared = Shared(cloud, observer, options.emit)
    careless = replace(options, force_use=True)  # the thief's use must not keep it alive
    job = job_for(shared, plan.lineage, plan.terms, plan.specs, careless, leaked=plan.key.key_id)
    with observer.half_made(HALF_MADE):
        return _not_back_to(plan.key, await advance_pinned(job, plan.decision.action))


def _not_back_to(key: Key, outcome: Outcome) -> Outcome:
    """Without the ways out that lead back to the leaked key."""
    if outcome.problem is None:
        return outcome
    back = f"rotation rollback {key.key_id} "
    ways = tuple(way for way in outcome.problem.fix if back not in way)
    return replace(outcome, problem=replace(outcome.problem, fix=ways))
