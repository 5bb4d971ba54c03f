"""Policy Simulator API v1: previews of what organisation policies would refuse (OrgPolicyViolationsPreviewService); REST only.

Custom constraints on API keys alone. Shapes: google/cloud/policysimulator/v1/orgpolicy.proto; one custom constraint a preview
(documented there). Whether Google previews keys at all is documented nowhere.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from keyadmin.sandbox.api import Api, Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.status import invalid, not_found, permission_denied
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.longrunning.api import read
from keyadmin.sandbox.services.orgpolicy import checks
from keyadmin.sandbox.services.policysimulator import preview

Json = dict[str, Any]

api = Api(
    "google.cloud.policysimulator.v1.OrgPolicyViolationsPreviewService",
    "policysimulator.googleapis.com",
    "Policy Simulator API",
)

MOST = 1_000  # a page (proto); the default is 50
_FAMILY = "policysimulator.orgPolicyViolationsPreviews"
_EXPRESSION: Json = {"expression": "string", "title": "string", "description": "string", "location": "string"}
_SPEC: Json = {
    "etag": "string",
    "updateTime": "timestamp",
    "rules": [
        {
            "values": {"allowedValues": ["string"], "deniedValues": ["string"]},
            "allowAll": "bool",
            "denyAll": "bool",
            "enforce": "bool",
            "condition": _EXPRESSION,
        }
    ],
    "inheritFromParent": "bool",
    "reset": "bool",
}
_CONSTRAINT: Json = {
    "name": "string",
    "resourceTypes": ["string"],
    "methodTypes": ["enum:METHOD_TYPE_UNSPECIFIED,CREATE,UPDATE,DELETE,REMOVE_GRANT,GOVERN_TAGS"],
    "condition": "string",
    "actionType": "enum:ACTION_TYPE_UNSPECIFIED,ALLOW,DENY",
    "displayName": "string",
    "description": "string",
    "updateTime": "timestamp",
}
_PREVIEW: Json = {
    "name": "string",
    "overlay": {
        "policies": [
            {
                "policyParent": "string",
                "policy": {"name": "string", "spec": _SPEC, "dryRunSpec": _SPEC, "etag": "string"},
            }
        ],
        "customConstraints": [{"customConstraintParent": "string", "customConstraint": _CONSTRAINT}],
    },
}


def _organization(call: Call, parent: str, permission: str) -> str:
    """The organisation of `organizations/N/locations/global`, for whoever may preview there."""
    node = call.world.hierarchy.get(parent.partition("/locations/")[0])
    if node is None or node.kind != "organizations" or not call.holds(permission, node.name):
        raise permission_denied(permission, api.host, parent)
    return node.name


@api.method(
    "POST /v1/{parent=organizations/*/locations/*}/orgPolicyViolationsPreviews",
    request={"parent": "string", "orgPolicyViolationsPreview": _PREVIEW, "orgPolicyViolationsPreviewId": "string"},
    response=None,
    body="orgPolicyViolationsPreview",
)
def create_org_policy_violations_preview(call: Call, request: Json) -> Json:
    """CreateOrgPolicyViolationsPreview: an operation, whose response is the preview with its counts."""
    parent = request.get("parent", "")
    organization = _organization(call, parent, f"{_FAMILY}.create")
    overlay = request.get("orgPolicyViolationsPreview", {}).get("overlay", {})
    constraints = [each.get("customConstraint", {}) for each in overlay.get("customConstraints", ())]
    if len(constraints) > 1:
        raise invalid("Only a single custom constraint is supported in the overlay at a time.", "overlay")
    policies = {}
    for each in overlay.get("policies", ()):
        policy = each.get("policy", {})
        node = call.world.hierarchy.get(each.get("policyParent", ""))
        if node is None or call.world.hierarchy.chain(node.name)[-1] != organization:
            raise invalid("policy_parent must be a node of the organization.", "overlay.policies")
        name = str(policy.get("name", "")).rpartition("/")[2]
        policies[node.name, name] = checks.document(name, {"spec": policy.get("spec", {})})["spec"]
    customs = dict(call.world.org_policies.customs(organization))
    for data in constraints:
        customs[str(data.get("name", "")).rpartition("/")[2]] = checks.custom(data)
    names = sorted({name for _, name in policies} | {str(data.get("name", "")).rpartition("/")[2] for data in constraints})
    found = preview.of(call, organization, {name: customs[name] for name in names if name in customs}, policies)
    name = f"{parent}/orgPolicyViolationsPreviews/{secrets.token_hex(8)}"
    shown = [{"name": f"{name}/orgPolicyViolations/{number}"} | each for number, each in enumerate(found.violations)]
    doc: Json = {
        "name": name,
        "state": "PREVIEW_SUCCEEDED",
        "overlay": overlay,
        "violationsCount": len(shown),
        "resourceCounts": found.counts,
        "customConstraints": [f"{organization}/customConstraints/{each}" for each in names],
        "createTime": rfc3339(call.now),
    }
    call.world.set(name, json.dumps(shown))
    kind = "type.googleapis.com/google.cloud.policysimulator.v1.OrgPolicyViolationsPreview"
    return call.operation(f"{name}/operations/{secrets.token_hex(6)}", response={"@type": kind} | doc)


@api.method(
    "GET /v1/{name=organizations/*/locations/*/orgPolicyViolationsPreviews/*/operations/*}",
    request={"name": "string"},
    response=None,
)
def get_operation(call: Call, request: Json) -> Json:
    """GetOperation, under the name that previews have."""
    return read(call, request["name"])


@api.method(
    "GET /v1/{parent=organizations/*/locations/*/orgPolicyViolationsPreviews/*}/orgPolicyViolations",
    request={"parent": "string", "pageSize": "int32", "pageToken": "string"},
    response=None,
)
def list_org_policy_violations(call: Call, request: Json) -> Json:
    """ListOrgPolicyViolations: 50 a page, at most 1,000."""
    parent = request.get("parent", "")
    _organization(call, parent, "policysimulator.orgPolicyViolations.list")
    kept = call.world.setting(parent)
    if kept is None:
        raise not_found("Requested entity was not found.")
    found = json.loads(kept)
    size = paging.page_size(request, default=50, most=MOST)
    start = int(paging.read_token("ListOrgPolicyViolations", request) or 0)
    answer: Json = {"orgPolicyViolations": found[start : start + size]} if found[start:] else {}
    if start + size < len(found):
        answer["nextPageToken"] = paging.make_token("ListOrgPolicyViolations", request, str(start + size))
    return answer
