"""The use cases `keys rotate` and `keys migrate`: the engine of `rotation run` for one key that a person names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from keyadmin.handover.registry import build, fingerprint
from keyadmin.handover.sink import SinkSpec
from keyadmin.keys import resolve
from keyadmin.model.key import Key
from keyadmin.model.lineage import Lineage, Member
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.create import allowed
from keyadmin.rotation.decide import Action, Decision, RotationTerms, decide, in_vain, migrates, to_migrate
from keyadmin.rotation.find import Chosen
from keyadmin.rotation.foresee import foresee
from keyadmin.rotation.job import Outcome, Shared
from keyadmin.rotation.migration import Prospect, prospects
from keyadmin.rotation.options import RunOptions
from keyadmin.rotation.plan import Planned
from keyadmin.rotation.policy import PolicyRule
from keyadmin.rotation.run import HALF_MADE, advance_pinned, job_for

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class RotatePlan:
    """What would be done with one key: its lineage as it was read, and what is next with it."""

    key: Key
    lineage: Lineage
    terms: RotationTerms
    specs: tuple[SinkSpec, ...]
    decision: Decision
    foreseen: Problem | None = None
    """What the run would be stopped by, as far as reads can tell; looked for where that is asked."""
    unknown: str = ""
    """What a look ahead could not find out: whether constraints that may not be read refuse the successor."""
    prospect: Prospect | None = None
    """For a migration: whose the key is, what it is used for, what is missing."""

    @property
    def problem(self) -> Problem | None:
        """What the run would be stopped by, as far as that is known: the lineage is stuck."""
        if self.decision.action is not Action.STUCK:
            return self.foreseen
        return Problem(Cause.CONFLICT, self.decision.why, project=self.lineage.project, fix=self.decision.ways_out)

    @property
    def in_vain(self) -> bool:
        """Whether its successor would be rejected by the Gemini API, being of a type that it takes no more."""
        return self.decision.action is Action.CREATE and not self.terms.migrate and in_vain(self.lineage.newest.key)

    @property
    def published(self) -> bool:
        """Whether a page or an app bears the key that is to be replaced: no sink puts the new one there."""
        return self.decision.action is Action.CREATE and self.lineage.newest.key.public

    @property
    def words(self) -> str:
        """What is asked about, and what a dry run says."""
        if self.decision.action is Action.REST:
            nothing = "there is nothing to migrate: it is " if self.terms.migrate else ""
            return f"change nothing about {self.key.key_id} of project {self.key.project}: {nothing}{self.decision.why}"
        where = f", to {', '.join(spec.text for spec in self.specs)}" if self.specs else ""
        verb = "rotate" if self.decision.action is Action.CREATE else "continue the rotation of"
        named = f"{self.key.key_id} of project {self.key.project}"
        return f"{verb} {named}: {self.decision.action.value} ({self.decision.why}){where}"


async def plan_rotate(
    cloud: Cloud,
    name: str,
    project: Callable[[], Awaitable[str]],
    terms: RotationTerms,
    specs: Sequence[SinkSpec] = (),
    options: RunOptions | None = None,
    observer: Observer = SILENT,
    *,
    owners: bool = False,
    foresight: bool = False,
) -> RotatePlan:
    """What `keys rotate KEY` (or, with `terms.migrate`, `keys migrate KEY`) would do. Reads only: at most one listing.

    `name` = the key's id, full name or display name; `project` is asked for where it is not a full name; `owners` = find out
    what a person wants to know before a migration; `foresight` = what the run would be stopped by, too. Raises Problem, usage()
    for a sink that is not allowed here.
    """
    told = options or RunOptions()
    build(specs, cloud, flagged=told.flagged, emit=told.write_line)
    key, lineage, living = await resolve.in_lineage(cloud, name, project, observer, choose="newest")
    mine = for_key(terms, lineage, key)
    decision = decide(lineage, mine, cloud.now(), fingerprint(specs))
    found = RotatePlan(key, lineage, mine, tuple(specs), decision)
    if decision.action is Action.CREATE and not foresight:
        await allowed(job_for(Shared(cloud, SILENT), lineage, mine, tuple(specs), told))  # before anything is made
    if foresight:
        seen = await foresee(cloud, lineage, mine, tuple(specs), decision, told, living=living)
        found = replace(found, decision=seen.decision, foreseen=seen.problem, unknown=seen.unknown)
    if owners and terms.migrate and migrates(lineage):
        planned = Planned(Chosen(lineage, PolicyRule("command line"), tuple(specs)), mine, decision)
        (prospect,) = await prospects(cloud, [planned], observer)
        return replace(found, prospect=prospect)
    return found


async def execute_rotate(cloud: Cloud, plan: RotatePlan, options: RunOptions, observer: Observer = SILENT) -> Outcome:
    """Advance the lineage of the plan as far as it goes; what stops it is in the outcome.

    A key that has a successor already is not replaced a second time: repeating a finished rotation does nothing.
    """
    job = job_for(Shared(cloud, observer, options.emit), plan.lineage, plan.terms, plan.specs, options)
    with observer.half_made(HALF_MADE):
        return await advance_pinned(job, plan.decision.action)


def for_key(terms: RotationTerms, lineage: Lineage, key: Key) -> RotationTerms:
    """The terms for a command that names a key: it is replaced if it is the newest, and no key because of its age.

    While its own rotation is under way that is finished, and no more; in an emergency it is replaced all the same
    once it was published, for it may be what leaked.
    """
    newest = lineage.newest
    named = newest.key.key_id == key.key_id
    ripe = newest.complete or (terms.emergency and newest.published is not None)
    asked = terms.force or (terms.migrate and to_migrate(newest.key))  # by name: whoever rolled back says that it is over
    return replace(terms, max_age=None, force=asked and named and ripe, migrate=terms.migrate and named)


def member_of(lineage: Lineage, key: Key) -> Member:
    """The member that a key is."""
    return next(member for member in lineage.members if member.key.key_id == key.key_id)
