"""Migrations and rotations of a plan: the engine of `rotation run`, with the policy's sinks and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keyadmin.audit.fix.change import FixChange
from keyadmin.audit.fix.execute import FixOutcome, FixWork, marked
from keyadmin.audit.fix.facts import lineage_holds
from keyadmin.audit.fix.recompute import FixTarget
from keyadmin.model.lineage import State
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Cause
from keyadmin.model.secret import redact
from keyadmin.rotation.decide import RotationTerms
from keyadmin.rotation.engine import advance
from keyadmin.rotation.find import Chosen, find
from keyadmin.rotation.job import Shared
from keyadmin.rotation.options import RunOptions
from keyadmin.rotation.run import job_for

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.rotation.policy import RotationPolicy


@dataclass
class FixRotations:
    """What the policy selects today, and how its rotations are gone about."""

    chosen: Sequence[Chosen]
    shared: Shared
    options: RunOptions

    async def advance(self, work: FixWork, target: FixTarget) -> FixOutcome:
        """Begin the rotation of a key, or take it further. Its engine may be killed and repeated anywhere."""
        change = target.change
        found = next((one for one in self.chosen if lineage_holds(one.lineage, change.name)), None)
        if found is None or not found.specs or not found.rule.here or found.refusal is not None:
            why = "no rule of the policy has sinks for it on this machine"
            if found is not None and found.refusal is not None:
                why = found.refusal.message
            return FixOutcome(change, "skipped", redact(why), Cause.INVALID_ARGUMENT.value)
        job = job_for(self.shared, found.lineage, _terms(found, change), found.specs, self.options)
        if target.key.delete_time is None:
            job.put(await marked(work, target.key))
        outcome = await advance(job)
        if outcome.problem is not None:
            return FixOutcome(change, "failed", redact(outcome.problem.message), outcome.problem.cause.value)
        over = outcome.state is State.RETIRED and not outcome.ways_out
        said = f"{outcome.lineage.newest.key.key_id}: {outcome.state_words}"
        return FixOutcome(change, "done" if over else "waiting", said, key=target.key)


def _terms(chosen: Chosen, change: FixChange) -> RotationTerms:
    terms = chosen.rule.terms()
    return replace(terms, max_age=None, migrate=True) if change.kind == "migrate" else terms


async def prepared(cloud: Cloud, policy: RotationPolicy, options: RunOptions, observer: Observer = SILENT) -> FixRotations:
    """Read what the policy selects. Raises Problem."""
    found = await find(cloud, policy.rules, observer)
    return FixRotations(found.chosen, Shared(cloud, observer.within(), options.emit), options)
