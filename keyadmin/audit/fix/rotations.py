"""Migrations and rotations of a plan: the engine of `rotation run`, with the policy's sinks and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keyadmin.audit.fix.change import FixChange
from keyadmin.audit.fix.execute import FixOutcome, FixWork, marked
from keyadmin.audit.fix.facts import lineage_holds
from keyadmin.audit.fix.recompute import FixTarget
from keyadmin.model.lineage import State
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import redact
from keyadmin.rotation.create import allowed
from keyadmin.rotation.decide import RotationTerms, decide
from keyadmin.rotation.engine import advance
from keyadmin.rotation.find import Chosen, find
from keyadmin.rotation.foresee import foresee
from keyadmin.rotation.job import Job, Shared
from keyadmin.rotation.options import RunOptions
from keyadmin.rotation.run import job_for

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.rotation.policy import RotationPolicy


@dataclass
class FixRotations:
    """What the policy selects today, and how its rotations are gone about. `living` = the number of keys of each project."""

    chosen: Sequence[Chosen]
    living: Mapping[str, int]
    shared: Shared
    options: RunOptions

    async def advance(self, work: FixWork, target: FixTarget) -> FixOutcome:
        """Begin the rotation of a key, or take it further. Its engine may be killed and repeated anywhere."""
        change = target.change
        found = self._chosen(change)
        if isinstance(found, FixOutcome):
            return found
        job = self._job(found, target)
        if target.key.delete_time is None:
            job.put(await marked(work, target.key))
        outcome = await advance(job)
        if outcome.problem is not None:
            return _failed(change, outcome.problem)
        over = outcome.state is State.RETIRED and not outcome.ways_out
        said = f"{outcome.lineage.newest.key.key_id}: {outcome.state_words}"
        return FixOutcome(change, "done" if over else "waiting", said, key=target.key)

    async def foreseen(self, target: FixTarget, *, permissions: bool = True) -> FixOutcome | tuple[str, ...]:
        """What would stop the next step with a key that is as in `target`; else what of that is not known, in words.

        Reads only. Without `permissions` constraints of the organisation alone are looked at. Raises Problem for missing
        credentials alone.
        """
        change = target.change
        found = self._chosen(change)
        if isinstance(found, FixOutcome):
            return found
        try:
            job = self._job(found, target)
            if not permissions:
                told = await allowed(job)
                return (told,) if told else ()
            terms, lineage = job.terms, job.lineage
            next_one = decide(lineage, terms, job.now(), job.fingerprint)
            living = self.living.get(lineage.project, 0)
            seen = await foresee(job.cloud, lineage, terms, found.specs, next_one, self.options, living=living)
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return _failed(change, problem)
        if seen.problem is not None:
            return _failed(change, seen.problem)
        return (seen.unknown,) if seen.unknown else ()

    def _chosen(self, change: FixChange) -> Chosen | FixOutcome:
        """What the policy selects for a key; skipped where it has no sinks for it here."""
        found = next((one for one in self.chosen if lineage_holds(one.lineage, change.name)), None)
        if found is not None and found.specs and found.rule.here and found.refusal is None:
            return found
        why = "no rule of the policy has sinks for it on this machine"
        if found is not None and found.refusal is not None:
            why = found.refusal.message
        return FixOutcome(change, "skipped", redact(why), Cause.INVALID_ARGUMENT.value)

    def _job(self, found: Chosen, target: FixTarget) -> Job:
        """The work on its lineage, with the key as it is in `target`. Raises usage() for a sink that is not allowed here."""
        job = job_for(self.shared, found.lineage, _terms(found, target.change), found.specs, self.options)
        if target.key.delete_time is None:
            job.put(target.key)
        return job


def _failed(change: FixChange, problem: Problem) -> FixOutcome:
    return FixOutcome(change, "failed", redact(problem.message), problem.cause.value)


def _terms(chosen: Chosen, change: FixChange) -> RotationTerms:
    terms = chosen.rule.terms()
    return replace(terms, max_age=None, migrate=True) if change.kind == "migrate" else terms


async def prepared(cloud: Cloud, policy: RotationPolicy, options: RunOptions, observer: Observer = SILENT) -> FixRotations:
    """Read what the policy selects. Raises Problem."""
    found = await find(cloud, policy.rules, observer)
    return FixRotations(found.chosen, found.keys, Shared(cloud, observer.within(), options.emit), options)
