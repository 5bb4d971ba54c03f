"""What `guard apply` and `guard remove` would do: reads only, everything pinned as it was read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyadmin.guard import constraints, permissions
from keyadmin.guard.constraints import BY_NAME, SERVICE_USAGE, GuardRule
from keyadmin.guard.model import GuardPlan, GuardRequest, GuardStep
from keyadmin.guard.scope import GuardScope, describe_command, in_words
from keyadmin.model.command_line import gcloud
from keyadmin.model.org_policy import KEY_TYPE, CustomConstraint, NodePolicy, PolicySpec
from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

PROPAGATION: Final = "changes of organisation policies take up to 15 minutes to act everywhere"


async def plan_apply(cloud: Cloud, scope: GuardScope, request: GuardRequest) -> GuardPlan:
    """What has to be written for the request. Raises Problem: another's constraint or policy in the place, no room, no
    permission; then nothing is changed by a run either.
    """
    _refuse_gemini_everywhere(scope, request)
    there, policies = await asyncio.gather(read_constraints(cloud, scope), read_policies(cloud, scope))
    set_here = {policy.constraint: policy for policy in policies}
    steps: list[GuardStep] = []
    standing: list[str] = []
    wanted = [_constraint(rule, scope, request, there, steps) for rule in request.rules]
    _room(scope, there, steps)
    names = [constraint.name for constraint in wanted] + ([SERVICE_USAGE] if request.deny_gemini else [])
    for name in names:
        _policy(name, scope, request, set_here.get(name), steps, standing)
    unknown = await permissions.require(cloud, scope, steps)
    return GuardPlan(scope, request, tuple(steps), tuple(standing), notes=unknown, constraints=tuple(wanted))


async def read_constraints(cloud: Cloud, scope: GuardScope) -> list[CustomConstraint]:
    """The organisation's custom constraints. Raises Problem naming permission and place."""
    return await permissions.read(
        cloud.org_policy.constraints(scope.organization),
        "orgpolicy.customConstraints.list",
        scope.organization,
        "read its custom constraints",
        scope.organization,
    )


async def read_policies(cloud: Cloud, scope: GuardScope) -> list[NodePolicy]:
    """What is set on the node. Raises Problem naming permission and place."""
    return await permissions.read(
        cloud.org_policy.policies(scope.node),
        "orgpolicy.policies.list",
        scope.node,
        "read its organisation policies",
        scope.organization,
    )


def _refuse_gemini_everywhere(scope: GuardScope, request: GuardRequest) -> None:
    if request.deny_gemini and scope.node.startswith("organizations/"):
        raise Problem(
            Cause.INVALID_ARGUMENT,
            "--deny-gemini is for a folder or a project: at an organisation it would stop every key for the Gemini API at once",
            fix=("name the folder that must not have it: --folder NUMBER",),
            exit_code=Exit.USAGE,
        )


def _constraint(
    rule: GuardRule, scope: GuardScope, request: GuardRequest, there: Iterable[CustomConstraint], steps: list[GuardStep]
) -> CustomConstraint:
    """The constraint as it is to be; a step where it is not. Raises Problem where another's has its name."""
    found = next((each for each in there if each.name == rule.name), None)
    wanted = rule.constraint(scope.organization, creations_only=bool(request.creations_only))
    if found is None:
        where = "creation" if request.creations_only else "creation and change"
        steps.append(GuardStep("create", wanted, f"make the constraint {rule.name} ({rule.words}, on {where})"))
        return wanted
    if not constraints.is_own_constraint(found):
        raise _occupied(
            f"{in_words(scope.organization)} has a custom constraint {rule.name} that keyadmin did not write",
            gcloud("org-policies describe-custom-constraint", rule.name, organization=scope.organization.partition("/")[2]),
        )
    if request.creations_only is None:
        wanted = replace(wanted, methods=found.methods)
    if replace(found, methods=tuple(sorted(found.methods))) != replace(wanted, methods=tuple(sorted(wanted.methods))):
        where = " and ".join(wanted.methods)
        steps.append(
            GuardStep("update", wanted, f"change the constraint {rule.name} (now on {where}, wherever it stands)", found)
        )
    return wanted


def _occupied(message: str, see: str) -> Problem:
    return Problem(
        Cause.CONFLICT,
        f"{message}; nothing was changed",
        fix=(f"see it: {see}", "take it away if nobody needs it, or leave that rule out: --constraint names the others"),
        exit_code=Exit.FAILED,
    )


def _room(scope: GuardScope, there: Iterable[CustomConstraint], steps: list[GuardStep]) -> None:
    """Raises Problem where the organisation has no room for as many constraints on keys."""
    count = sum(KEY_TYPE in each.types for each in there)
    new = sum(step.action == "create" for step in steps)
    if new and count + new > constraints.MOST:
        number = scope.organization.partition("/")[2]
        raise Problem(
            Cause.CONFLICT,
            f"{in_words(scope.organization)} has {count} of at most {constraints.MOST} custom constraints for API keys: there "
            f"is no room for {new} more; nothing was changed",
            fix=(
                f"see which: {gcloud('org-policies list-custom-constraints', organization=number)}",
                "delete those that nobody needs, or choose fewer: --constraint NAME",
            ),
            exit_code=Exit.FAILED,
        )


def _policy(
    name: str,
    scope: GuardScope,
    request: GuardRequest,
    found: NodePolicy | None,
    steps: list[GuardStep],
    standing: list[str],
) -> None:
    if found is not None and not constraints.is_own(found):
        raise _occupied(
            f"{scope.words} has a policy for {name} that keyadmin did not write", describe_command(scope.node, name)
        )
    spec = _spec(name, request, found)
    kept = found.spec if found is not None else None
    mode = "enforced" if request.enforce else "in dry run"
    wanted = NodePolicy(scope.node, name, spec, None) if request.enforce else NodePolicy(scope.node, name, kept, spec)
    if found is not None:
        wanted = replace(wanted, etag=found.etag)
        enforced_so = not request.enforce and same(kept, spec)
        if enforced_so or (same(found.spec, wanted.spec) and same(found.dry_run, wanted.dry_run)):
            standing.append(f"{name} is {'enforced' if enforced_so or request.enforce else 'in dry run'} on {scope.words}")
            return
    but = "".join(f", except for what is tagged {key}={value}" for key, value in constraints.excepted(spec))
    words = f"set the policy for {name} on {scope.words}: {mode}{but}"
    steps.append(GuardStep("update" if found is not None else "create", wanted, words, found))


def _spec(name: str, request: GuardRequest, found: NodePolicy | None) -> PolicySpec:
    if name == SERVICE_USAGE:
        return constraints.denying_gemini()
    there = (found.dry_run or found.spec) if found is not None else None
    return constraints.enforcing(request.tags or constraints.excepted(there))


def same(one: PolicySpec | None, other: PolicySpec | None) -> bool:
    """Whether two specs say the same, in whichever order."""
    if one is None or other is None:
        return one is other
    ordered = [sorted(each.rules, key=lambda rule: rule.condition) for each in (one, other)]
    return ordered[0] == ordered[1] and (one.inherits, one.resets) == (other.inherits, other.resets)


async def plan_remove(cloud: Cloud, scope: GuardScope, rules: tuple[GuardRule, ...]) -> GuardPlan:
    """What of keyadmin's goes: policies on the node whose specs are exactly its own, and constraints that no policy is left of.

    Whatever else stands there is left alone and said.
    """
    from keyadmin.guard.elsewhere import left_elsewhere

    there, policies = await asyncio.gather(read_constraints(cloud, scope), read_policies(cloud, scope))
    names = {rule.name for rule in rules}
    steps, kept, stays = [], [], set()
    for policy in policies:
        if policy.constraint not in names | {SERVICE_USAGE}:
            continue
        if constraints.is_own(policy):
            words = f"take the policy for {policy.constraint} off {scope.words}"
            steps.append(GuardStep("delete", policy, words, policy))
        elif policy.constraint in BY_NAME:
            stays.add(policy.constraint)
            kept.append(f"the policy for {policy.constraint} on {scope.words} is not exactly one that keyadmin writes")
    own = [each for each in there if each.name in names and constraints.is_own_constraint(each)]
    kept += [
        f"{each.name} is another's constraint of the same name"
        for each in there
        if each.name in names and not constraints.is_own_constraint(each)
    ]
    left = await left_elsewhere(cloud, scope, [each.name for each in own if each.name not in stays])
    for each in own:
        if each.name in left:
            kept.append(f"the constraint {each.name}: {left[each.name]}")
        elif each.name not in stays:
            steps.append(GuardStep("delete", each, f"delete the constraint {each.name}", each))
    unknown = await permissions.require(cloud, scope, steps)
    return GuardPlan(scope, None, tuple(steps), kept=tuple(kept), notes=unknown)
