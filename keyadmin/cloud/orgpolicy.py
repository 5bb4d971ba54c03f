"""Organisation Policy v2: custom constraints, policies, and what a constraint amounts to for a project.

Over REST: the answers are small, and the generated client takes half a second to import.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import quote

from keyadmin.cloud.calls import ListPage, pages
from keyadmin.cloud.endpoints import ORG_POLICY, ApiCall
from keyadmin.cloud.rest import RestTransport
from keyadmin.model.org_policy import (
    CustomConstraint,
    NodePolicy,
    PolicySpec,
    constraint_from_json,
    constraint_to_json,
    policy_from_json,
    policy_to_json,
    spec_from_json,
)

KEY_BINDING: Final = "iam.managed.disableServiceAccountApiKeyCreation"


class OrgPolicy:
    """Constraints and policies. Nodes are `projects/P`, `folders/N`, `organizations/N`. Raises Problem."""

    def __init__(self, rest: RestTransport) -> None:
        self._rest = rest

    async def enforced(self, resource: str, constraint: str = KEY_BINDING) -> bool | None:
        """Whether a boolean constraint is enforced for `projects/P`; None where conditions decide it case by case."""
        return (await self.effective(resource, constraint)).enforces

    async def effective(self, node: str, constraint: str) -> PolicySpec:
        """What holds on a node, with what it inherits and the default where nobody said anything."""
        path = f"/v2/{_quoted(node)}/policies/{quote(constraint)}:getEffectivePolicy"
        data = await self._rest.call(_call("GetEffectivePolicy", node), "GET", path)
        return spec_from_json(data.get("spec", {}))

    async def constraints(self, organization: str) -> list[CustomConstraint]:
        """The custom constraints of `organizations/N`, for whatever type of resource."""

        async def fetch(token: str) -> ListPage[CustomConstraint]:
            params = {"pageToken": token} if token else {}
            path = f"/v2/{_quoted(organization)}/customConstraints"
            data = await self._rest.call(_call("ListCustomConstraints", organization), "GET", path, params=params)
            found = [constraint_from_json(each) for each in data.get("customConstraints", ())]
            return ListPage(found, data.get("nextPageToken", ""))

        return [each async for each in pages(fetch)]

    async def create_constraint(self, constraint: CustomConstraint) -> None:
        """Make it. Without a policy it forbids nothing."""
        # Impatient: RESOURCE_EXHAUSTED may mean that there are as many as there can be, which waiting does not change.
        call = replace(_call("CreateCustomConstraint", constraint.organization, write=True), patient=False)
        body = constraint_to_json(constraint)
        await self._rest.call(call, "POST", f"/v2/{_quoted(constraint.organization)}/customConstraints", body=body)

    async def update_constraint(self, constraint: CustomConstraint) -> None:
        """Replace the whole object; there is no mask (recorded: k8s-config-connector)."""
        call = _call("UpdateCustomConstraint", constraint.organization, write=True)
        await self._rest.call(call, "PATCH", f"/v2/{_quoted(constraint.full_name)}", body=constraint_to_json(constraint))

    async def delete_constraint(self, constraint: CustomConstraint) -> None:
        """Take it away; policies that name it are left without effect."""
        call = _call("DeleteCustomConstraint", constraint.organization, write=True)
        await self._rest.call(call, "DELETE", f"/v2/{_quoted(constraint.full_name)}")

    async def policies(self, node: str) -> list[NodePolicy]:
        """What is set on a node itself, of every constraint."""

        async def fetch(token: str) -> ListPage[NodePolicy]:
            params = {"pageToken": token} if token else {}
            data = await self._rest.call(_call("ListPolicies", node), "GET", f"/v2/{_quoted(node)}/policies", params=params)
            found = [policy_from_json(each, node) for each in data.get("policies", ())]
            return ListPage(found, data.get("nextPageToken", ""))

        return [each async for each in pages(fetch)]

    async def policy(self, node: str, constraint: str) -> NodePolicy:
        """What is set of a constraint on a node itself. Raises Problem(not-found) where nothing is."""
        path = f"/v2/{_quoted(node)}/policies/{quote(constraint)}"
        return policy_from_json(await self._rest.call(_call("GetPolicy", node), "GET", path), node)

    async def create_policy(self, policy: NodePolicy) -> NodePolicy:
        """Set it where nothing is set."""
        call = _call("CreatePolicy", policy.node, write=True)
        body = policy_to_json(policy)
        return policy_from_json(
            await self._rest.call(call, "POST", f"/v2/{_quoted(policy.node)}/policies", body=body), policy.node
        )

    async def update_policy(self, policy: NodePolicy) -> NodePolicy:
        """Replace spec and dry-run spec. With its etag a policy changed meanwhile is refused (conflict)."""
        call = _call("UpdatePolicy", policy.node, write=True)
        path = f"/v2/{_quoted(policy.node)}/policies/{quote(policy.constraint)}"
        return policy_from_json(await self._rest.call(call, "PATCH", path, body=policy_to_json(policy)), policy.node)

    async def delete_policy(self, policy: NodePolicy) -> None:
        """Take it away: what lies above holds again. With its etag a policy changed meanwhile is refused (conflict)."""
        call = _call("DeletePolicy", policy.node, write=True)
        params = {"etag": policy.etag} if policy.etag else {}
        path = f"/v2/{_quoted(policy.node)}/policies/{quote(policy.constraint)}"
        await self._rest.call(call, "DELETE", path, params=params)


def _call(method: str, node: str, *, write: bool = False) -> ApiCall:
    project = node.removeprefix("projects/") if node.startswith("projects/") else None
    return ApiCall(ORG_POLICY, method, project, write)


def _quoted(name: str) -> str:
    return quote(name, safe="/:")
