"""Organization Policy API v2: the rules of google.cloud.orgpolicy.v2.OrgPolicy, for boolean constraints.

Not offered: custom constraints, list constraints, conditions on tags (kept, never true).
"""

from __future__ import annotations

import base64
from typing import Any

from keyadmin.sandbox.api import EMPTY, Api, Call
from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import Code, RpcError, already_exists, invalid, not_found, permission_denied
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.state import constraints
from keyadmin.sandbox.state.constraints import Setting
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

api = Api(
    "google.cloud.orgpolicy.v2.OrgPolicy",
    "orgpolicy.googleapis.com",
    "Organization Policy API",
    "google.cloud.orgpolicy_v2.types",
)

_KINDS = ("projects", "folders", "organizations")


def _routes(http: str, template: str, variable: str = "name") -> tuple[str, ...]:
    """One route for each kind of node: `/v2/{name=projects/*/policies/*}`."""
    return tuple(f"{http} /v2/" + template.replace("@", f"{variable}={kind}") for kind in _KINDS)


def _node(call: Call, name: str, permission: str, shown: str = "") -> Node:
    """The project, folder or organisation, if the caller holds the permission there."""
    kind, _, key = name.partition("/")
    if kind not in _KINDS or not key or "/" in key:
        raise invalid(f"Invalid resource name '{name[:160]}': expected projects/*, folders/* or organizations/*.", "parent")
    node = call.world.hierarchy.get(name)
    if node is None or not call.holds(permission, node.name):
        raise permission_denied(permission, api.host, shown or name)
    return node


def _policy_of(call: Call, name: str, permission: str) -> tuple[Node, str]:
    """The node and the constraint of `projects/P/policies/C`. Raises NOT_FOUND for a constraint that does not exist."""
    parent, _, constraint = name.partition("/policies/")
    if not constraint or "/" in constraint:
        raise invalid(f"Invalid policy name '{name[:160]}': expected projects/*/policies/*.", "name")
    node = _node(call, parent, permission, name)
    if constraint not in constraints.KNOWN:
        raise not_found(f"Constraint 'constraints/{constraint[:120]}' does not exist.")  # unsourced: the wording
    return node, constraint


def _etag(changed: int) -> str:
    """A google.protobuf.Timestamp in base64, as the etags that public documents show read."""
    from google.protobuf.timestamp_pb2 import Timestamp

    return base64.b64encode(
        Timestamp(seconds=changed // 1_000_000, nanos=changed % 1_000_000 * 1000).SerializeToString()
    ).decode()


def _answer(node: Node, setting: Setting) -> Json:
    """The REST Policy; names carry the project's number."""
    out: Json = {"name": f"{node.name}/policies/{setting.constraint}"}
    for field in ("spec", "dryRunSpec"):
        if field in setting.doc:
            stamp = {"etag": _etag(setting.changed), "updateTime": rfc3339(setting.changed)}
            out[field] = stamp | setting.doc[field]
    return out | {"etag": _etag(setting.changed)}


def _set(call: Call, node: Node, constraint: str) -> Setting:
    """What is set there. Raises NOT_FOUND."""
    found = constraints.settings(call.store, node.name, constraint)
    if not found:
        raise not_found(f"No policy is set for {node.name}/policies/{constraint}.")  # unsourced: the wording
    return found[0]


def _document(policy: Json) -> Json:
    """What of a request's policy is kept, checked as the documented rules for boolean constraints are."""
    doc: Json = {}
    for field in ("spec", "dryRunSpec"):
        if field not in policy:
            continue
        spec = policy[field]
        rules = spec.get("rules", [])
        if spec.get("inheritFromParent"):
            raise invalid("inherit_from_parent can be set for list constraints alone.", f"policy.{field}")
        if spec.get("reset") and rules:
            raise invalid("With reset there must be no rules.", f"policy.{field}")
        if not spec.get("reset") and sum("condition" not in rule for rule in rules) != 1:
            raise invalid("There must be exactly one rule without a condition.", f"policy.{field}.rules")
        if any("enforce" not in rule for rule in rules):
            raise invalid("The rules of a boolean constraint set enforce, and no values.", f"policy.{field}.rules")
        doc[field] = {name: spec[name] for name in ("rules", "reset") if name in spec}
    if not doc:
        raise invalid("A policy needs a spec or a dry_run_spec.", "policy")
    return doc


def _check_etag(given: str, setting: Setting) -> None:
    if given and given != _etag(setting.changed):
        # unsourced: the wording; the code is documented
        raise RpcError(Code.ABORTED, "The ETag provided does not match the current ETag of the policy.")


@api.method(*_routes("GET", "{@/*/policies/*}:getEffectivePolicy"), request="GetEffectivePolicyRequest", response="Policy")
def get_effective_policy(call: Call, request: Json) -> Json:
    """GetEffectivePolicy: what holds on a node, with the default where nobody said anything; no etag (documented)."""
    node, constraint = _policy_of(call, request.get("name", ""), "orgpolicy.policy.get")
    value = constraints.enforced(call.store, call.world.hierarchy.chain(node.name), constraint)
    return {"name": f"{node.name}/policies/{constraint}", "spec": {"rules": [{"enforce": value}]}}


@api.method(*_routes("GET", "{@/*/policies/*}"), request="GetPolicyRequest", response="Policy")
def get_policy(call: Call, request: Json) -> Json:
    """GetPolicy: what is set on the node itself."""
    node, constraint = _policy_of(call, request.get("name", ""), "orgpolicy.policy.get")
    return _answer(node, _set(call, node, constraint))


@api.method(*_routes("GET", "{@/*}/policies", "parent"), request="ListPoliciesRequest", response="ListPoliciesResponse")
def list_policies(call: Call, request: Json) -> Json:
    """ListPolicies: all at once; page sizes are not used (documented)."""
    node = _node(call, request.get("parent", ""), "orgpolicy.policies.list")
    found = [_answer(node, setting) for setting in constraints.settings(call.store, node.name)]
    return {"policies": found} if found else {}


@api.method(
    *_routes("GET", "{@/*}/constraints", "parent"), request="ListConstraintsRequest", response="ListConstraintsResponse"
)
def list_constraints(call: Call, request: Json) -> Json:
    """ListConstraints: those that the sandbox knows."""
    node = _node(call, request.get("parent", ""), "orgpolicy.constraints.list")
    return {
        "constraints": [
            {
                "name": f"{node.name}/constraints/{name}",
                "displayName": known.title,
                "description": known.description,
                "constraintDefault": "DENY" if known.default else "ALLOW",
                "booleanConstraint": {},
                "supportsDryRun": True,
            }
            for name, known in constraints.KNOWN.items()
        ]
    }


@api.method(*_routes("POST", "{@/*}/policies", "parent"), body="policy", request="CreatePolicyRequest", response="Policy")
def create_policy(call: Call, request: Json) -> Json:
    """CreatePolicy."""
    parent, policy = request.get("parent", ""), request.get("policy", {})
    _node(call, parent, "orgpolicy.policies.create")
    node, constraint = _policy_of(call, policy.get("name", ""), "orgpolicy.policies.create")
    if node.name != _node(call, parent, "orgpolicy.policies.create").name:
        raise invalid(f"The policy's name does not belong to {parent}.", "policy.name")
    if constraints.settings(call.store, node.name, constraint):
        raise already_exists(f"{node.name}/policies/{constraint} is set already.")  # unsourced: the wording
    setting = Setting(constraint, call.now, _document(policy))
    constraints.put_document(call.store, node.name, setting)
    return _answer(node, setting)


@api.method(
    *_routes("PATCH", "{@/*/policies/*}", "policy.name"), body="policy", request="UpdatePolicyRequest", response="Policy"
)
def update_policy(call: Call, request: Json) -> Json:
    """UpdatePolicy: `policy.spec` or `policy.dry_run_spec` by mask, everything without one (documented)."""
    policy = request.get("policy", {})
    node, constraint = _policy_of(call, policy.get("name", ""), "orgpolicy.policies.update")
    old = _set(call, node, constraint)
    _check_etag(policy.get("etag", "") or policy.get("spec", {}).get("etag", ""), old)
    paths = {path.removeprefix("policy.") for path in mask_paths(request.get("updateMask", ""))}
    if unknown := paths - {"*", "spec", "dryRunSpec", "name", "etag", "policy"}:
        raise invalid(f"Invalid update mask: field '{min(unknown)}' cannot be updated.", "update_mask")
    if paths & {"spec", "dryRunSpec"}:
        kept = {field: old.doc[field] for field in ("spec", "dryRunSpec") if field in old.doc and field not in paths}
        policy = {field: policy[field] for field in ("spec", "dryRunSpec") if field in paths and field in policy} | kept
    setting = Setting(constraint, max(call.now, old.changed + 1), _document(policy))
    constraints.put_document(call.store, node.name, setting)
    return _answer(node, setting)


@api.method(*_routes("DELETE", "{@/*/policies/*}"), request="DeletePolicyRequest", response=EMPTY)
def delete_policy(call: Call, request: Json) -> Json:
    """DeletePolicy: what lies above holds again."""
    node, constraint = _policy_of(call, request.get("name", ""), "orgpolicy.policies.delete")
    _check_etag(request.get("etag", ""), _set(call, node, constraint))
    constraints.remove(call.store, node.name, constraint)
    return {}
