"""doctor --apply: granting what a member lacks, and nothing else of the policy touched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyadmin.access.doctor import Diagnosis
from keyadmin.access.permissions import Feature
from keyadmin.access.remedy import Remedy, member_of, remedy
from keyadmin.access.roles import permissions_of
from keyadmin.model.problem import Cause, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.policies import AllowPolicy


@dataclass(frozen=True)
class Grant:
    """The roles that a member is to be given in a project. `roles` is empty where nothing is missing."""

    project: str
    member: str
    remedy: Remedy

    @property
    def roles(self) -> tuple[str, ...]:
        """The bindings to add."""
        return self.remedy.roles

    def added_to(self, policy: AllowPolicy) -> AllowPolicy:
        """The policy with these bindings; all else in it stays."""
        return policy.grant(self.member, self.roles)

    def difference(self) -> list[str]:
        """What is added to the policy, a line a binding; basic roles are marked."""
        return [
            f"+ {role}  {self.member}" + ("  (basic role: a last resort)" if role in self.remedy.cover.basic else "")
            for role in self.roles
        ]


async def plan(cloud: Cloud, diagnoses: Sequence[Diagnosis], member: str) -> list[Grant]:
    """What each project's policy would gain. Changes nothing.

    For the caller the tested permissions count; for another member what the policies of the project and of what lies above
    it grant by name. Raises Problem: the policy may not be read, or no predefined role holds what is missing.
    """
    return list(await asyncio.gather(*(_planned(cloud, each, member) for each in diagnoses)))


async def _planned(cloud: Cloud, diagnosis: Diagnosis, member: str) -> Grant:
    if member == member_of(diagnosis.principal):
        mend = diagnosis.remedy
    else:
        missing = await _missing(cloud, diagnosis.project, diagnosis.feature, member)
        mend = remedy(diagnosis.feature, diagnosis.project, member, missing)
    if mend.cover.uncovered:
        raise Problem(
            Cause.NOT_FOUND,
            f"no predefined role considered here holds {', '.join(mend.cover.uncovered)}",
            project=diagnosis.project,
            fix=mend.commands,
        )
    return Grant(diagnosis.project, member, mend)


async def _missing(cloud: Cloud, project: str, feature: Feature, member: str) -> tuple[str, ...]:
    held: set[str] = set()
    for policy in await _policies(cloud, project):
        for binding in policy.bindings:
            if member in binding.members and binding.condition is None:
                held |= permissions_of(binding.role)
    return tuple(name for name in feature.permissions if name not in held)


async def _policies(cloud: Cloud, project: str) -> list[AllowPolicy]:
    """The project's policy and those above it, as far up as they may be read. Raises Problem for the project's own."""
    found = [await cloud.projects.get_policy(f"projects/{project}")]
    try:
        above = (await cloud.projects.get(project)).parent
        while above:
            found.append(await cloud.projects.get_policy(above))
            above = (await cloud.folders.get(above)).parent if above.startswith("folders/") else ""
    except Problem:
        return found  # what is granted higher up cannot be seen: granting it again here does no harm
    return found


async def apply(cloud: Cloud, grants: Sequence[Grant]) -> None:
    """Add the bindings: read-modify-write under the etag, again where somebody else wrote in between. Raises Problem."""
    for each in grants:
        if each.roles:
            await cloud.projects.edit_policy(f"projects/{each.project}", each.added_to)
