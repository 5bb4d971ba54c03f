"""What somebody else may do in a project, as far as the caller may read it: the allow policies of the project and of what lies
above it, with the custom roles in them.

Certain is what a policy grants to the member by name and without condition. What a group, a domain or a condition may grant,
and what a custom role holds that may not be read, is unknown and said. Where a policy above may not be read, nothing is
certainly missing: that policy may grant it. Deny policies and principal access boundaries are not read: they may take away what
is granted here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from keyadmin.access.roles import permissions_of
from keyadmin.model.problem import Problem, or_problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.policies import AllowPolicy, Binding

EVERYBODY: Final = ("allUsers", "allAuthenticatedUsers")
NOT_READ: Final = "deny policies and principal access boundary policies were not read: they may take away what is granted"
_SETS: Final = ("group:", "domain:", "principalSet:", "principal:")


@dataclass(frozen=True)
class MemberAccess:
    """What a member holds. `unknown` = permissions that they may hold, each with why that is not known; `notes` = what else
    was not looked at."""

    member: str
    held: Mapping[str, str] = field(default_factory=dict)
    """Each permission with where it comes from."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Granted:
    """A binding that may be about the member: what its role holds, None = that may not be read."""

    place: str
    binding: Binding
    permissions: frozenset[str] | None
    why: str = ""


@dataclass(frozen=True)
class _Unread:
    """A policy that was not read: whose, or what lies above what, and why."""

    place: str
    why: str

    @property
    def note(self) -> str:
        return f"the policy of {self.place} was not read, so what it grants is not counted: {self.why}"


async def access_of(cloud: Cloud, project: str, member: str, names: Sequence[str]) -> MemberAccess:
    """Which of these permissions the member holds. Raises Problem where the project's own policy may not be read."""
    policies, unread = await _policies(cloud, project)
    bindings = [(place, binding) for place, policy in policies for binding in policy.bindings if _about(binding, member)]
    contents = await _contents(cloud, {binding.role for _, binding in bindings})
    granted = [_Granted(place, binding, *_held(contents[binding.role])) for place, binding in bindings]
    held: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for name in names:
        if certain := [each for each in granted if _certain(each, member) and name in (each.permissions or ())]:
            held[name] = f"by {certain[-1].binding.role} on {certain[-1].place}"  # the highest place: it covers the others
        elif why := _maybe(granted, member, name):
            unknown[name] = why
        elif unread:
            unknown[name] = _elsewhere(unread)
    return MemberAccess(member, held, unknown, (*(each.note for each in unread), NOT_READ))


def _elsewhere(unread: Sequence[_Unread]) -> str:
    """Where a permission may come from that no policy grants that was read, and who can find out."""
    places = " and ".join(each.place for each in unread)
    return (
        f"not granted in what was read, but the policy of {places} may grant it and was not read: have somebody run this who "
        "may read it (roles/iam.securityReviewer there)"
    )


async def _policies(cloud: Cloud, project: str) -> tuple[list[tuple[str, AllowPolicy]], tuple[_Unread, ...]]:
    """The project's policy and those above it, each with its place; and what could not be read."""
    found = [(f"projects/{project}", await cloud.projects.get_policy(f"projects/{project}"))]
    try:
        above = (await cloud.projects.get(project)).parent
    except Problem as problem:
        return found, (_Unread(f"whatever lies above projects/{project}", problem.message),)
    unread: list[_Unread] = []
    while above:
        policy = await or_problem(cloud.projects.get_policy(above))
        if isinstance(policy, Problem):
            unread.append(_Unread(above, policy.message))
        else:
            found.append((above, policy))
        if not above.startswith("folders/"):
            break
        folder = await or_problem(cloud.folders.get(above))
        if isinstance(folder, Problem):
            unread.append(_Unread(f"whatever lies above {above}", folder.message))
            break
        above = folder.parent
    return found, tuple(unread)


async def _contents(cloud: Cloud, roles: Iterable[str]) -> dict[str, frozenset[str] | Problem]:
    """What each role holds: predefined ones from the data, others read."""
    names = sorted(roles)

    async def one(role: str) -> frozenset[str] | Problem:
        if known := permissions_of(role):
            return known
        found = await or_problem(cloud.roles.get(role))
        if isinstance(found, Problem):
            return found
        return found.permissions if found.active else frozenset()

    return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))


def _held(content: frozenset[str] | Problem) -> tuple[frozenset[str] | None, str]:
    return (None, content.message) if isinstance(content, Problem) else (content, "")


def _about(binding: Binding, member: str) -> bool:
    """Whether a binding names the member, everybody, or a set of people that the member may be one of."""
    return any(_same(each, member) or each in EVERYBODY or each.startswith(_SETS) for each in binding.members)


def _same(one: str, other: str) -> bool:
    """Addresses are compared without case, as IAM does."""
    return one.lower() == other.lower()


def _certain(granted: _Granted, member: str) -> bool:
    named = any(_same(each, member) or each in EVERYBODY for each in granted.binding.members)
    return named and granted.binding.condition is None


def _maybe(granted: Sequence[_Granted], member: str, name: str) -> str:
    """Why it is not known whether a permission is held; empty where nothing may grant it."""
    for each in granted:
        if each.permissions is not None and name not in each.permissions:
            continue
        role, place = each.binding.role, each.place
        if each.permissions is None:
            if _certain(each, member):
                return f"{role} on {place} may hold it, and that role may not be read: {each.why}"
            continue  # neither the role nor the membership is known: that says nothing of this permission
        if each.binding.condition is not None:
            title = each.binding.condition.title or each.binding.condition.expression[:80]
            return f"{role} on {place} grants it under the condition {title!r}"
        others = ", ".join(one for one in each.binding.members if one.startswith(_SETS))
        return f"{role} on {place} grants it to {others}, whose members are not known here"
    return ""
