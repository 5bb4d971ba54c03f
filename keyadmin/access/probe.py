"""What doctor looks at in a project: all calls side by side, each answer or the Problem that stood in its place.

Two round trips deep: one for everything, a second where nothing may be charged to the project or testIamPermissions refused
a name. For a standard key three, side by side with these: the project's ancestors, then the organisation's custom constraints.
For an audit two more where the project's answer leaves it open: the ancestors, then what is held on the organisation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from keyadmin.access import charged
from keyadmin.access.charged import Charged
from keyadmin.access.constraints import Foreseen, foresee
from keyadmin.access.permissions import APIS, USE_SERVICE, Feature
from keyadmin.model.key import GEMINI_ONLY, Key
from keyadmin.model.org_policy import CREATE
from keyadmin.model.problem import Cause, Problem, or_problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.credentials import CallerIdentity
    from keyadmin.cloud.projects import Project

T = TypeVar("T")


@dataclass(frozen=True)
class ProbedPermissions:
    """What testIamPermissions answered. `unknown` = names that it would not test, each with the reason."""

    permissions: frozenset[str]
    unknown: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldAbove:
    """What the caller holds on a project's organisation; `organization` None = it belongs to none."""

    organization: str | None
    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ProbeResult:
    """One project as the caller sees it. None = not looked at, as the feature has no use for it."""

    asked: str
    project: Project | Problem
    held: ProbedPermissions | Problem
    apis: dict[str, str] | Problem
    binding_enforced: bool | Problem | None
    keys: int | Problem | None
    constraints: Foreseen | None = None
    above: HeldAbove | Problem | None = None
    """What is held on the organisation of what counts there alone."""

    @property
    def name(self) -> str:
        """The project's id where it is known, else what was asked for."""
        return self.asked if isinstance(self.project, Problem) else self.project.project_id


@dataclass(frozen=True)
class Asker:
    """Who looks. `quota` = what may be done with the quota project, None where none is named.

    `charged` = what is off in the project that calls are charged to, None where that is nobody's of the caller's.
    """

    caller: CallerIdentity
    quota: ProbedPermissions | Problem | None
    sandbox: bool
    charged: Charged | Problem | None = None


async def asker(cloud: Cloud, feature: Feature) -> Asker:
    """Who calls, and whether their quota project may be used and has the APIs on. Never raises for what a service refuses."""
    caller, quota = await asyncio.gather(or_problem(cloud.identify()), _quota(cloud))
    # Whose project is charged may be known only once a token was fetched.
    found = await or_problem(charged.look(cloud, feature.calls))
    return Asker(cloud.caller if isinstance(caller, Problem) else caller, quota, cloud.sandbox, found)


async def probe(cloud: Cloud, project: str, feature: Feature) -> ProbeResult:
    """Look at one project. Never raises for what a service refuses."""
    names = feature.looked_for
    found, held, apis, enforced, keys, constraints = await asyncio.gather(
        or_problem(its_project(cloud, project)),
        or_problem(_held_above(cloud, project, names) if feature.at_organization else held_permissions(cloud, project, names)),
        or_problem(_states(cloud, project)),
        or_problem(_enforced(cloud, project, feature)),
        or_problem(_count(cloud, project, feature)),
        _foreseen(cloud, project, feature),
    )
    above = await or_problem(_optional_above(cloud, project, feature, held))
    return ProbeResult(project, found, held, apis, enforced, keys, constraints, above)


async def _optional_above(cloud: Cloud, project: str, feature: Feature, held: ProbedPermissions | Problem) -> HeldAbove | None:
    """What counts on the organisation alone; nothing is asked where it is not held on the project, which inherits it."""
    names = [name for each in feature.optional if each.above for name in each.names]
    if feature.at_organization or isinstance(held, Problem) or held.permissions.isdisjoint(names):
        return None
    top = await _organization(cloud, project)
    return HeldAbove(top, await cloud.projects.permissions_on(top, names) if top is not None else frozenset())


async def _organization(cloud: Cloud, project: str) -> str | None:
    return next((name for name in await cloud.projects.ancestry(project) if name.startswith("organizations/")), None)


async def _foreseen(cloud: Cloud, project: str, feature: Feature) -> Foreseen | None:
    """What custom constraints say of the standard key that the feature makes unless told otherwise; None = it makes none.

    An auth key for the Gemini API alone, which keyadmin makes otherwise, is what its own constraints ask for.
    """
    if feature.name != "create-standard-key":
        return None
    key = Key("projects/0/locations/global/keys/new", project=project, restrictions=GEMINI_ONLY)
    return await foresee(cloud, key, CREATE)


async def _held_above(cloud: Cloud, project: str, names: Sequence[str]) -> ProbedPermissions:
    """Which of these the caller holds on the project's organisation. Raises Problem: it has none."""
    top = await _organization(cloud, project)
    if top is None:
        raise Problem(Cause.INVALID_ARGUMENT, f"organisation policies need an organisation, and {project} belongs to none")
    return ProbedPermissions(await cloud.projects.permissions_on(top, names))


async def held_permissions(cloud: Cloud, project: str, names: Sequence[str]) -> ProbedPermissions:
    """Which of these the caller holds. A name that does not apply to projects is dropped and told. Raises Problem."""
    try:
        return ProbedPermissions(await cloud.projects.test_permissions(project, names))
    except Problem as problem:
        if problem.cause is not Cause.INVALID_ARGUMENT:
            raise
        refusal = problem
    if len(names) == 1:
        return ProbedPermissions(frozenset(), {names[0]: refusal.message})
    # The refusal need not name what it refuses, and names one of several at most: each name is tried alone.
    answers = await asyncio.gather(*(held_permissions(cloud, project, [name]) for name in names))
    held = frozenset[str]().union(*(each.permissions for each in answers))
    return ProbedPermissions(held, {name: why for each in answers for name, why in each.unknown.items()})


async def _quota(cloud: Cloud) -> ProbedPermissions | Problem | None:
    """The call itself is charged to the quota project, so a refusal says no."""
    project = cloud.caller.quota_project
    return None if project is None else await or_problem(held_permissions(cloud, project, [USE_SERVICE]))


async def its_project(cloud: Cloud, project: str) -> Project:
    """On the project's own account first: Resource Manager shows a suspended project as active, and there it refuses."""
    try:
        return await cloud.projects.get(project, charged=True)
    except Problem as problem:
        if problem.cause is Cause.CONSUMER_SUSPENDED:
            raise
    return await cloud.projects.get(project)  # nothing may be charged to it, or its API is off: that says nothing of its state


async def _states(cloud: Cloud, project: str) -> dict[str, str]:
    return {name: str(state) for name, state in (await cloud.services.states(project, APIS)).items()}


async def _enforced(cloud: Cloud, project: str, feature: Feature) -> bool | None:
    if not feature.binds:
        return None
    enforced = await cloud.org_policy.enforced(f"projects/{project}")
    if enforced is None:
        raise Problem(Cause.UNKNOWN, "conditions decide it case by case")
    return enforced


async def _count(cloud: Cloud, project: str, feature: Feature) -> int | None:
    if not feature.makes_keys:
        return None
    count = 0
    async for _ in cloud.keys.list(project):
        count += 1
    return count
