"""Where else in the organisation a policy of a constraint is set: from Cloud Asset Inventory, each hit read live.

The inventory lags by hours, so that what is not in it may stand somewhere all the same; what is in it is read before it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keyadmin.guard.scope import GuardScope, in_words
from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.model.org_policy import NodePolicy


async def policies_below(cloud: Cloud, scope: GuardScope, names: Sequence[str]) -> list[NodePolicy]:
    """What is set of these constraints on the scope's node and below it, read live. Raises Problem."""
    from keyadmin.cloud.assets import ORG_POLICY
    from keyadmin.cloud.pace import gather_limited

    found = [asset.name async for asset in cloud.assets.search(scope.node, ORG_POLICY, fields="name,project")]
    places = []
    for name in found:
        node, _, constraint = name.removeprefix("//orgpolicy.googleapis.com/").partition("/policies/")
        if constraint in names:
            places.append((node, constraint))

    async def one(place: tuple[str, str]) -> NodePolicy | None:
        try:
            return await cloud.org_policy.policy(*place)
        except Problem as problem:
            if problem.cause is not Cause.NOT_FOUND:
                raise
            return None  # gone since the inventory saw it

    return [policy for policy in await gather_limited(places, one) if policy is not None]


async def left_elsewhere(cloud: Cloud, scope: GuardScope, names: Sequence[str]) -> dict[str, str]:
    """By constraint, why it has to stay: a policy elsewhere names it, or that is not known."""
    if not names:
        return {}
    whole = GuardScope(scope.organization, scope.organization, number=scope.organization)
    try:
        found = await policies_below(cloud, whole, names)
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return dict.fromkeys(names, f"whether a policy elsewhere names it is not known ({problem.message})")
    out: dict[str, str] = {}
    for policy in found:
        if policy.node not in (scope.node, scope.number):
            out.setdefault(policy.constraint, f"the policy on {in_words(policy.node)} names it")
    return out
