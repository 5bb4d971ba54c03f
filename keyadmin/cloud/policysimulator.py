"""Policy Simulator v1: Google's own preview of what an organisation policy would refuse of what is there.

A preview takes one custom constraint (its reference says so) and is an operation. Over REST: there is no client for it among
keyadmin's dependencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from keyadmin.cloud.calls import ListPage, Operation, finished, pages
from keyadmin.cloud.endpoints import POLICY_SIMULATOR, ApiCall
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.model.org_policy import CustomConstraint, NodePolicy, constraint_to_json, policy_to_json

PAGE: Final = 1000
DEADLINE_S: Final = 300.0  # how long a preview may take until keyadmin goes on without it; Google names none


@dataclass(frozen=True, slots=True)
class PolicyPreview:
    """What Google says: the resources that would violate, by full name (`projects/N/...`), and how many it scanned."""

    violating: frozenset[str]
    scanned: int


class PolicySimulator:
    """Previews. Raises Problem."""

    def __init__(self, rest: RestTransport) -> None:
        self._rest = rest

    async def preview(self, constraint: CustomConstraint, policy: NodePolicy) -> PolicyPreview:
        """What the constraint would refuse if the policy were set: three calls, more where it takes long."""
        overlay = {
            "policies": [{"policyParent": policy.node, "policy": policy_to_json(policy)}],
            "customConstraints": [
                {"customConstraintParent": constraint.organization, "customConstraint": constraint_to_json(constraint)}
            ],
        }
        call = ApiCall(POLICY_SIMULATOR, "CreateOrgPolicyViolationsPreview")
        path = f"/v1/{quote(constraint.organization)}/locations/global/orgPolicyViolationsPreviews"
        started = _operation(await self._rest.call(call, "POST", path, body={"overlay": overlay}))
        made = await finished(started, self._poll, call, DEADLINE_S)
        scanned = int(made.get("resourceCounts", {}).get("scanned", 0))
        if not made.get("violationsCount"):
            return PolicyPreview(frozenset(), scanned)
        return PolicyPreview(await self._violations(str(made["name"])), scanned)

    async def _violations(self, preview: str) -> frozenset[str]:
        async def fetch(token: str) -> ListPage[str]:
            params = {"pageSize": str(PAGE)} | ({"pageToken": token} if token else {})
            call = ApiCall(POLICY_SIMULATOR, "ListOrgPolicyViolations")
            data = await self._rest.call(call, "GET", f"/v1/{quote(preview)}/orgPolicyViolations", params=params)
            return ListPage([_name(each) for each in data.get("orgPolicyViolations", ())], data.get("nextPageToken", ""))

        return frozenset([name async for name in pages(fetch)])

    async def _poll(self, name: str) -> Operation:
        return _operation(await self._rest.call(ApiCall(POLICY_SIMULATOR, "GetOperation"), "GET", f"/v1/{quote(name)}"))


def _operation(data: Json) -> Operation:
    return Operation(str(data.get("name", "")), bool(data.get("done")), data.get("error"), data.get("response", {}))


def _name(violation: dict[str, Any]) -> str:
    return str(violation.get("resource", {}).get("resource", "")).removeprefix("//apikeys.googleapis.com/")
