"""Changes of one key under its etag: whoever changed it meanwhile is not written over."""

from __future__ import annotations

from dataclasses import replace

from keyadmin.model.key import ApiTarget, Key
from keyadmin.model.lineage import Member
from keyadmin.model.problem import Cause, Problem
from keyadmin.rotation.job import Job, Overtaken


async def write(job: Job, member: Member, annotations: dict[str, str]) -> Key:
    """Write a member's annotations under its etag. Raises Overtaken where somebody else changed or deleted it."""
    changes = replace(member.key, annotations=annotations)
    try:
        return await job.cloud.keys.update(member.key.name, {"annotations"}, changes, etag=member.key.etag)
    except Problem as problem:
        raise or_overtaken(problem) from None


async def restrict(job: Job, member: Member, targets: tuple[ApiTarget, ...]) -> None:
    """Give a member other APIs under its etag. Raises Overtaken where somebody else changed or deleted it."""
    changes = replace(member.key, restrictions=replace(member.key.restrictions, targets=targets))
    try:
        job.put(await job.cloud.keys.update(member.key.name, {"restrictions"}, changes, etag=member.key.etag))
    except Problem as problem:
        raise or_overtaken(problem) from None


def or_overtaken(problem: Problem) -> Problem:
    """What a change was refused with, or Overtaken: its key is not as it was read, but has another etag, is deleted or gone."""
    if problem.cause is Cause.ORG_POLICY_CONSTRAINT:
        return problem  # a constraint refuses any change of a key that violates it: nobody else was there
    if problem.cause in (Cause.CONFLICT, Cause.NOT_FOUND) or problem.status == "FAILED_PRECONDITION":
        return Overtaken(Cause.CONFLICT, problem.message, status=problem.status, project=problem.project)
    return problem
