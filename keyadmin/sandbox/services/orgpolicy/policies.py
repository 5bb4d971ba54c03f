"""Organization Policy API v2: policies on projects, folders and organisations."""

from __future__ import annotations

import base64
import re
from typing import Any

from keyadmin.data import all_permissions
from keyadmin.sandbox.api import EMPTY, Call
from keyadmin.sandbox.messages.loading import load
from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import Code, RpcError, already_exists, invalid, not_found
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.orgpolicy.api import api, busy, node_of, routes
from keyadmin.sandbox.services.orgpolicy.checks import document
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.state.org_policies import Setting, kind

Json = dict[str, Any]

_BUILT_IN = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)(\.[a-zA-Z][a-zA-Z0-9]*)+")
# The families that the list holds completely, as far as anybody knows: another name is a mistake.
_COMPLETE = frozenset({"iam", "gcp"})
_FAMILIES = frozenset({"storage", "serviceuser", "cloudbuild", "meshconfig", "commerceorggovernance", "clouddeploy"})


def _missing() -> RpcError:
    """404 of a policy or constraint that is not there (recorded)."""
    return not_found("Requested entity was not found.")


def _policy_of(call: Call, name: str, permission: str) -> tuple[Node, str, str]:
    """The node, the constraint and the parent as it was named, of `projects/P/policies/C`. Raises NOT_FOUND."""
    parent, _, constraint = name.partition("/policies/")
    if not constraint or "/" in constraint:
        raise invalid(f"Invalid policy name '{name[:160]}': expected projects/*/policies/*.", "name")
    node = node_of(call, parent, permission, name)
    return node, constraint, parent


def _check_constraint(call: Call, node: Node, constraint: str) -> None:
    """Refuse a constraint that does not exist; built-in ones that the list lacks are taken if Google has such a service."""
    if kind(constraint) == "custom":
        top = call.world.hierarchy.chain(node.name)[-1]
        if call.world.org_policies.custom(top, constraint) is None:
            raise _missing()
        return
    found = _BUILT_IN.fullmatch(constraint)
    services = {permission.partition(".")[0] for permission in all_permissions()}
    if not kind(constraint) and (found is None or found[1] not in (services | _FAMILIES) - _COMPLETE):
        raise _missing()


def _etag(changed: int) -> str:
    """A google.protobuf.Timestamp in base64, as the etags that public documents show read."""
    stamp = load("google.protobuf.timestamp_pb2").Timestamp
    return base64.b64encode(
        stamp(seconds=changed // 1_000_000, nanos=changed % 1_000_000 * 1000).SerializeToString(deterministic=True)
    ).decode()


def _answer(parent: str, setting: Setting) -> Json:
    """The REST Policy; the name carries the project as it was asked for (recorded)."""
    out: Json = {"name": f"{parent}/policies/{setting.constraint}"}
    for field in ("spec", "dryRunSpec"):
        if field in setting.doc:
            stamp = {"etag": _etag(setting.changed), "updateTime": rfc3339(setting.changed)}
            out[field] = stamp | setting.doc[field]
    return out | {"etag": _etag(setting.changed)}


def _set(call: Call, node: Node, constraint: str) -> Setting:
    """What is set there. Raises NOT_FOUND."""
    found = call.world.org_policies.settings(node.name, constraint)
    if not found:
        raise _missing()
    return found[0]


def _check_etag(given: str, setting: Setting) -> None:
    if given and given != _etag(setting.changed):
        # unsourced: the wording; the code is documented
        raise RpcError(Code.ABORTED, "The ETag provided does not match the current ETag of the policy.")


@api.method(*routes("GET", "{@/*/policies/*}:getEffectivePolicy"), request="GetEffectivePolicyRequest", response="Policy")
def get_effective_policy(call: Call, request: Json) -> Json:
    """GetEffectivePolicy: what holds on a node, with the default where nobody said anything; no etag (documented)."""
    node, constraint, _ = _policy_of(call, request.get("name", ""), "orgpolicy.policy.get")
    _check_constraint(call, node, constraint)
    chain, policies = call.world.hierarchy.chain(node.name), call.world.org_policies
    if kind(constraint) == "list" or (not kind(constraint) and _is_list(call, chain, constraint)):
        rules = policies.effective(chain, constraint)
    else:
        rule = policies.rule(chain, constraint)
        rules = [{"enforce": bool(rule.get("enforce"))} | {name: rule[name] for name in ("parameters",) if name in rule}]
    return {"name": f"{node.name}/policies/{constraint}", "spec": {"rules": rules}}


def _is_list(call: Call, chain: tuple[str, ...], constraint: str) -> bool:
    """Whether what is set of a constraint that the list lacks is about values."""
    settings = [found for node in chain for found in call.world.org_policies.settings(node, constraint)]
    return any("enforce" not in rule for found in settings for spec in found.doc.values() for rule in spec.get("rules", ()))


@api.method(*routes("GET", "{@/*/policies/*}"), request="GetPolicyRequest", response="Policy")
def get_policy(call: Call, request: Json) -> Json:
    """GetPolicy: what is set on the node itself."""
    node, constraint, parent = _policy_of(call, request.get("name", ""), "orgpolicy.policy.get")
    return _answer(parent, _set(call, node, constraint))


@api.method(*routes("GET", "{@/*}/policies", "parent"), request="ListPoliciesRequest", response="ListPoliciesResponse")
def list_policies(call: Call, request: Json) -> Json:
    """ListPolicies: all at once; page sizes are not used (documented)."""
    parent = request.get("parent", "")
    node = node_of(call, parent, "orgpolicy.policies.list")
    found = [_answer(parent, setting) for setting in call.world.org_policies.settings(node.name)]
    return {"policies": found} if found else {}


@api.method(*routes("POST", "{@/*}/policies", "parent"), body="policy", request="CreatePolicyRequest", response="Policy")
def create_policy(call: Call, request: Json) -> Json:
    """CreatePolicy."""
    parent, policy = request.get("parent", ""), request.get("policy", {})
    above = node_of(call, parent, "orgpolicy.policies.create")
    node, constraint, named = _policy_of(call, policy.get("name", ""), "orgpolicy.policies.create")
    if node.name != above.name:
        raise invalid(f"The policy's name does not belong to {parent}.", "policy.name")
    _check_constraint(call, node, constraint)
    if call.world.org_policies.settings(node.name, constraint):
        raise already_exists("Requested entity already exists")
    setting = Setting(constraint, call.now, document(constraint, policy))
    busy(call, node.name)
    call.world.org_policies.put(node.name, setting)
    return _answer(named, setting)


@api.method(
    *routes("PATCH", "{@/*/policies/*}", "policy.name"), body="policy", request="UpdatePolicyRequest", response="Policy"
)
def update_policy(call: Call, request: Json) -> Json:
    """UpdatePolicy: `policy.spec` or `policy.dry_run_spec` by mask, everything without one (documented, but for one thing)."""
    policy = request.get("policy", {})
    node, constraint, parent = _policy_of(call, policy.get("name", ""), "orgpolicy.policies.update")
    old = _set(call, node, constraint)
    _check_etag(policy.get("etag", "") or policy.get("spec", {}).get("etag", ""), old)
    paths = {path.removeprefix("policy.") for path in mask_paths(request.get("updateMask", ""))}
    if unknown := paths - {"*", "spec", "dryRunSpec", "name", "etag", "policy"}:
        raise invalid(f"Invalid update mask: field '{min(unknown)}' cannot be updated.", "update_mask")
    if paths & {"spec", "dryRunSpec"}:
        # A dry run's spec that is neither named nor sent goes with a new live one (recorded, k8s-config-connector
        # orgpolicypolicydryrun); a live spec stays (documented).
        kept = {field: old.doc[field] for field in ("spec",) if field in old.doc and field not in paths}
        policy = {field: policy[field] for field in ("spec", "dryRunSpec") if field in paths and field in policy} | kept
    setting = Setting(constraint, max(call.now, old.changed + 1), document(constraint, policy))
    busy(call, node.name)
    call.world.org_policies.put(node.name, setting)
    return _answer(parent, setting)


@api.method(*routes("DELETE", "{@/*/policies/*}"), request="DeletePolicyRequest", response=EMPTY)
def delete_policy(call: Call, request: Json) -> Json:
    """DeletePolicy: what lies above holds again."""
    node, constraint, _ = _policy_of(call, request.get("name", ""), "orgpolicy.policies.delete")
    _check_etag(request.get("etag", ""), _set(call, node, constraint))
    busy(call, node.name)
    call.world.org_policies.remove(node.name, constraint, call.now)
    return {}
