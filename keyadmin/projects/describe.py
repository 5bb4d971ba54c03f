"""Everything about one project that matters for keys: where it hangs, who may make keys in it, its APIs, its keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from keyadmin.access.permissions import FEATURES
from keyadmin.access.roles import permissions_of
from keyadmin.model.key import Key
from keyadmin.model.problem import Problem, or_problem
from keyadmin.projects import parents
from keyadmin.projects.find import find

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.policies import AllowPolicy
    from keyadmin.cloud.projects import Container, Project

T = TypeVar("T")

MAKING: Final = FEATURES["create-auth-key"].permissions


@dataclass(frozen=True)
class RoleHolder:
    """A role that somebody holds, and the project, folder or organisation on which it was granted."""

    role: str
    on: str
    conditional: bool = False


@dataclass(frozen=True)
class Maker:
    """Somebody whose roles together hold all that making an auth key takes. `sure` = without a role whose permissions are
    not known here (custom ones) and without conditions."""

    member: str
    grants: tuple[RoleHolder, ...]
    sure: bool


@dataclass(frozen=True)
class Description:
    """What could be found out; a Problem stands for what could not."""

    project: Project
    above: tuple[Container, ...]
    missing: tuple[str, ...] | Problem  # permissions that the caller lacks for making an auth key
    makers: tuple[Maker, ...] | Problem
    unread: tuple[str, ...]  # folders and organisations above whose grants may not be seen
    apis: tuple[str, ...] | Problem
    keys: tuple[Key, ...] | Problem


async def describe(cloud: Cloud, name: str) -> Description:
    """By id or number. Raises Problem where the project itself may not be seen."""
    project = await find(cloud, name)
    above, missing, own, apis, keys = await asyncio.gather(
        parents.above(cloud, project.parent),
        or_problem(_missing(cloud, project.project_id), credentials=False),
        or_problem(cloud.projects.get_policy(f"projects/{project.project_id}"), credentials=False),
        or_problem(_enabled(cloud, project.project_id), credentials=False),
        or_problem(_keys(cloud, project.project_id), credentials=False),
    )
    inherited = await asyncio.gather(*(or_problem(cloud.projects.get_policy(each.name), credentials=False) for each in above))
    policies = [
        (f"projects/{project.project_id}", own),
        *((each.name, found) for each, found in zip(above, inherited, strict=True)),
    ]
    unread = tuple(on for on, found in policies[1:] if isinstance(found, Problem))
    readable = [(on, found) for on, found in policies if not isinstance(found, Problem)]
    makers_ = own if isinstance(own, Problem) else makers(readable)
    return Description(project, above, missing, makers_, unread, apis, keys)


async def _missing(cloud: Cloud, project: str) -> tuple[str, ...]:
    held = await cloud.projects.test_permissions(project, MAKING)
    return tuple(name for name in MAKING if name not in held)


async def _enabled(cloud: Cloud, project: str) -> tuple[str, ...]:
    return tuple(sorted([name async for name in cloud.services.enabled(project)]))


async def _keys(cloud: Cloud, project: str) -> tuple[Key, ...]:
    return tuple([replace(key, project=project) async for key in cloud.keys.list(project)])


def makers(policies: Iterable[tuple[str, AllowPolicy]]) -> tuple[Maker, ...]:
    """Who may make auth keys by these allow policies, own and inherited; those for certain first. Pure."""
    held: dict[str, list[RoleHolder]] = {}
    for on, policy in policies:
        for binding in policy.bindings:
            for member in binding.members:
                held.setdefault(member, []).append(RoleHolder(binding.role, on, binding.condition is not None))
    found = [_maker(member, grants) for member, grants in sorted(held.items()) if not member.startswith("deleted:")]
    return tuple(sorted((each for each in found if each is not None), key=lambda each: not each.sure))


def _maker(member: str, grants: Sequence[RoleHolder]) -> Maker | None:
    wanted = frozenset(MAKING)
    plain = [grant for grant in grants if not grant.conditional and permissions_of(grant.role) & wanted]
    if wanted <= frozenset[str]().union(*(permissions_of(grant.role) for grant in plain)):
        # One role that holds all of it says more than all the roles that hold some.
        whole = [grant for grant in plain if wanted <= permissions_of(grant.role)]
        return Maker(member, tuple(whole or plain), sure=True)
    perhaps = [grant for grant in grants if permissions_of(grant.role) & wanted or _custom(grant.role)]
    possible = frozenset[str]().union(*(permissions_of(grant.role) for grant in perhaps))
    if perhaps and (wanted <= possible or any(_custom(grant.role) for grant in perhaps)):
        return Maker(member, tuple(perhaps), sure=False)
    return None


def _custom(role: str) -> bool:
    return not role.startswith("roles/")
