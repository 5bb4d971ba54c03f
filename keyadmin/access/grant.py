"""doctor --apply: granting what a member lacks, and nothing else of the policy touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyadmin.access.doctor import Diagnosis
from keyadmin.access.need import PermissionNeed
from keyadmin.access.remedy import Remedy
from keyadmin.model.problem import Cause, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.policies import AllowPolicy


READ_POLICY: Final = "resourcemanager.projects.getIamPolicy"
SET_POLICY: Final = "resourcemanager.projects.setIamPolicy"


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


def plan(diagnoses: Sequence[Diagnosis], member: str) -> list[Grant]:
    """What each project's policy would gain: the smallest grant of what is certainly missing. Changes nothing.

    Raises Problem: the policy may not be read, no predefined role holds what is missing, or one has to be granted elsewhere.
    """
    return [_planned(each, member) for each in diagnoses]


def _planned(diagnosis: Diagnosis, member: str) -> Grant:
    mend = diagnosis.remedy
    unread = [check for check in diagnosis.checks if check.permission and check.required and check.status == "unknown"]
    if unread and all("policy cannot be read" in check.detail for check in unread):
        raise Problem(
            Cause.MISSING_IAM_PERMISSION,
            f"what {member} may do in project {diagnosis.project} cannot be read: {unread[0].detail}",
            status="PERMISSION_DENIED",
            permission=READ_POLICY,
            project=diagnosis.project,
        )
    if mend.cover.uncovered:
        raise Problem(
            Cause.NOT_FOUND,
            f"no predefined role holds {', '.join(mend.cover.uncovered)}",
            project=diagnosis.project,
            fix=mend.commands,
        )
    if elsewhere := [role for role in mend.roles if mend.cover.place(role) != "project"]:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"{', '.join(elsewhere)} cannot be granted on a project; nothing was granted",
            project=diagnosis.project,
            fix=mend.commands,
        )
    return Grant(diagnosis.project, member, mend)


async def apply(cloud: Cloud, grants: Sequence[Grant]) -> None:
    """Add the bindings: read-modify-write under the etag, again where somebody else wrote in between. Raises Problem."""
    for each in grants:
        if each.roles:
            await to_grant(each).met(cloud.projects.edit_policy(f"projects/{each.project}", each.added_to))


def to_grant(grant: Grant) -> PermissionNeed:
    """What granting takes."""
    return PermissionNeed(SET_POLICY, grant.project, f"grant roles to {grant.member}")


async def rehearse(cloud: Cloud, grants: Sequence[Grant]) -> list[str]:
    """Why it is not known whether the caller may grant; empty where it is. Raises Problem where they may not."""
    return [text for each in grants if each.roles if (text := await to_grant(each).rehearse(cloud))]
