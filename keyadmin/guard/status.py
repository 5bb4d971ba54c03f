"""What stands where: constraints, policies in dry run or enforced, inherited ones, exceptions, and what was refused lately."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from keyadmin.guard import constraints
from keyadmin.guard.constraints import BY_NAME, SERVICE_USAGE
from keyadmin.guard.elsewhere import policies_below
from keyadmin.guard.scope import GuardScope, in_words
from keyadmin.model.key import GEMINI
from keyadmin.model.org_policy import CustomConstraint, NodePolicy
from keyadmin.model.problem import Cause, Problem, or_problem
from keyadmin.projects.descendants import below

if TYPE_CHECKING:
    from datetime import datetime

    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.policy_log import PolicyLogEntry

T = TypeVar("T")
Mode = Literal["enforced", "dry-run", "enforced, another in dry run", "off"]
MOST_PROJECTS: Final = 1_000  # whose policy logs are read: a call for each hundred

BINDING: Final = (
    "iam.managed.disableServiceAccountApiKeyCreation keeps new keys from being bound to service accounts, except keys for the "
    "Gemini API alone; it is enforced by default and does not affect existing keys"
)


@dataclass(frozen=True)
class StandingPolicy:
    """A policy of one of keyadmin's constraints (or of restrictServiceUsage, where it is about Gemini) on a node."""

    node: str
    constraint: str
    mode: Mode
    inherited: bool
    exceptions: tuple[str, ...]
    own: bool


@dataclass(frozen=True)
class GuardStatus:
    """`constraints` None = they may not be read. `binding` = whether the key-binding constraint is enforced; None = not known.

    `unknown` = what could not be read, each with the reason.
    """

    scope: GuardScope
    constraints: tuple[CustomConstraint, ...] | None
    policies: tuple[StandingPolicy, ...]
    refusals: tuple[PolicyLogEntry, ...]
    binding: bool | None
    days: int
    unknown: tuple[str, ...] = ()


async def status(cloud: Cloud, scope: GuardScope, days: int = 7) -> GuardStatus:
    """Read it. What may not be read is unknown with the reason; raises Problem for missing credentials alone."""
    unknown: list[str] = []
    found, policies, binding = await asyncio.gather(
        _told(cloud.org_policy.constraints(scope.organization), f"the constraints of {scope.organization}", unknown),
        _policies(cloud, scope, unknown),
        _told(cloud.org_policy.enforced(scope.node), "whether keys may be bound to service accounts", unknown),
    )
    since = cloud.now() - timedelta(days=days)  # the server's clock, once something was answered
    refusals = await _told(_refusals(cloud, scope, since), "what was refused lately", unknown)
    own = None if found is None else tuple(each for each in found if each.name in BY_NAME)
    return GuardStatus(scope, own, tuple(policies), tuple(refusals or ()), binding, days, tuple(unknown))


async def _told(call: Awaitable[T], what: str, unknown: list[str]) -> T | None:
    answer = await or_problem(call, credentials=False)
    if isinstance(answer, Problem):
        unknown.append(f"{what}: {answer.message}")
        return None
    return answer


async def _policies(cloud: Cloud, scope: GuardScope, unknown: list[str]) -> list[StandingPolicy]:
    """Those of the node and above it live, those below it by the inventory."""
    nodes = (scope.node, *scope.above)
    live = await asyncio.gather(
        *(_told(cloud.org_policy.policies(node), f"the policies of {in_words(node)}", unknown) for node in nodes)
    )
    out = {(policy.node, policy.constraint): policy for several in live for policy in several or () if _about_us(policy)}
    if not scope.node.startswith("projects/"):
        names = [*BY_NAME, SERVICE_USAGE]
        rest = await _told(policies_below(cloud, scope, names), f"the policies below {scope.words}", unknown)
        for policy in rest or ():
            if _about_us(policy):
                out.setdefault((policy.node, policy.constraint), policy)
    return [_standing(policy, inherited=policy.node in scope.above) for _, policy in sorted(out.items())]


def _about_us(policy: NodePolicy) -> bool:
    if policy.constraint in BY_NAME:
        return True
    specs = [spec for spec in (policy.spec, policy.dry_run) if spec is not None]
    named = {value for spec in specs for rule in spec.rules for value in (*rule.allowed, *rule.denied)}
    return policy.constraint == SERVICE_USAGE and bool(named & {GEMINI, f"is:{GEMINI}"})


def _standing(policy: NodePolicy, *, inherited: bool) -> StandingPolicy:
    spec = policy.spec or policy.dry_run
    tags = tuple(f"{key}={value}" for key, value in constraints.excepted(spec))
    return StandingPolicy(policy.node, policy.constraint, _mode(policy), inherited, tags, constraints.is_own(policy))


def _mode(policy: NodePolicy) -> Mode:
    live = policy.spec is not None and any(rule.enforce or rule.denied or rule.deny_all for rule in policy.spec.rules)
    if live:
        return "enforced, another in dry run" if policy.dry_run is not None else "enforced"
    return "dry-run" if policy.dry_run is not None else "off"


async def _refusals(cloud: Cloud, scope: GuardScope, since: datetime) -> list[PolicyLogEntry]:
    """Of all the projects below the node: the policy log is each project's own. Raises Problem."""
    from keyadmin.cloud.audit_logs import MOST_PROJECTS as AT_ONCE

    kind, _, name = scope.node.partition("/")
    projects = [name] if kind == "projects" else sorted(await below(cloud, scope.node))
    if len(projects) > MOST_PROJECTS:
        message = f"the policy logs of {len(projects)} projects are not read, {MOST_PROJECTS} at most: name a folder or project"
        raise Problem(Cause.INVALID_ARGUMENT, message)
    chunks = [projects[start : start + AT_ONCE] for start in range(0, len(projects), AT_ONCE)]
    found = [each for chunk in chunks for each in await cloud.audit_logs.refusals(chunk, since)]
    about = [each for each in found if each.constraint in BY_NAME or each.constraint == SERVICE_USAGE]
    return sorted(about, key=lambda each: str(each.at), reverse=True)
