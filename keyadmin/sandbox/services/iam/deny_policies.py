"""IAM API v2: deny policies on projects, folders and organisations; the rules of google.iam.v2.Policies.

They are evaluated by `state/deny.py`. Shapes follow recorded traffic (2025).
"""

from __future__ import annotations

import base64
import json
import random
import re
import uuid
from typing import Any
from urllib.parse import quote, unquote

from keyadmin.sandbox.api import OPERATION, Api, Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.status import Code, RpcError, already_exists, invalid, not_found
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.iam.api import denied, same_etag
from keyadmin.sandbox.services.longrunning.api import read
from keyadmin.sandbox.state import conditions, deny
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

api = Api(
    "google.iam.v2.Policies",
    "iam.googleapis.com",
    "Identity and Access Management (IAM) API",
    "google.iam.v2",
    always_lists_errors=True,
)

MOST = 500  # of an attachment point, and rules in one (https://cloud.google.com/iam/quotas)
_TYPE = "type.googleapis.com/google.iam.v2"
_POINT = re.compile(
    r"policies/cloudresourcemanager\.googleapis\.com/((?:projects|folders|organizations)/[^/]+)/denypolicies(?:/([^/]+))?"
)
_ID = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]|[a-z][a-z0-9.-]{1,62}")
_PRINCIPAL = re.compile(r"(principal|principalSet)://(goog/|[a-z.]*googleapis\.com/|cloudresourcemanager\.googleapis\.com/).+")


def _place(call: Call, name: str, permission: str) -> tuple[Node, str]:
    """The node and the policy's id of `policies/cloudresourcemanager.googleapis.com%2Fprojects%2FP/denypolicies/ID`."""
    found = _POINT.fullmatch(unquote(unquote(name)))
    if not found:
        raise invalid(f"Invalid resource name '{name[:160]}': expected policies/ATTACHMENT_POINT/denypolicies/ID.", "name")
    node = call.world.hierarchy.get(found[1])
    if node is None or not call.holds(permission, node.name):
        raise denied(permission)
    return node, found[2] or ""


def _name(node: Node, policy_id: str) -> str:
    return f"policies/{quote(f'cloudresourcemanager.googleapis.com/{node.name}', safe='')}/denypolicies/{policy_id}"


def _stored(call: Call, node: Node, policy_id: str) -> Json:
    row = call.store.one("SELECT doc FROM deny_policies WHERE resource = ? AND policy_id = ?", node.name, policy_id)
    if row is None:
        raise not_found(f'Policy "{_name(node, policy_id)}" not found.')
    doc: Json = json.loads(row[0])
    return doc


def _answer(node: Node, policy_id: str, doc: Json, *, rules: bool = True) -> Json:
    shown = {"name": _name(node, policy_id)} | doc
    return shown if rules else {name: value for name, value in shown.items() if name != "rules"}


def _checked(policy: Json) -> Json:
    """Display name and rules as they are kept. Raises INVALID_ARGUMENT."""
    rules = policy.get("rules", [])
    if not rules or len(rules) > MOST:
        raise invalid(f"A deny policy has 1 to {MOST} rules.", "policy.rules")
    for rule in rules:
        found = rule.get("denyRule", {})
        for permission in (*found.get("deniedPermissions", ()), *found.get("exceptionPermissions", ())):
            if not deny.PERMISSION.fullmatch(permission):
                raise invalid(f"Permission {permission[:120]} is not of the form SERVICE_FQDN/RESOURCE.ACTION.", "policy.rules")
        for principal in (*found.get("deniedPrincipals", ()), *found.get("exceptionPrincipals", ())):
            if not _PRINCIPAL.fullmatch(principal):
                raise invalid(f"Principal {principal[:120]} is not a v2 principal identifier.", "policy.rules")
        if not found.get("deniedPermissions") or not found.get("deniedPrincipals"):
            raise invalid("A deny rule names denied permissions and denied principals.", "policy.rules")
        if "denialCondition" in found:
            _check_condition(found["denialCondition"])
    return {name: policy[name] for name in ("displayName", "annotations", "rules") if policy.get(name)}


def _check_condition(condition: Json) -> None:
    """Deny rules may ask for tags alone (documented)."""
    try:
        found = conditions.compiled(condition.get("expression", ""))
    except conditions.NotACondition as error:
        raise invalid(f"The denial condition is invalid: {error}.", "policy.rules") from None
    if found.functions - {"matchTag", "matchTagId", "hasTagKey", "hasTagKeyId"} or found.paths - {"resource"}:
        raise invalid("The denial condition is invalid: it may ask for resource tags alone.", "policy.rules")


def _document(call: Call, kept: Json, old: Json | None = None) -> Json:
    etag = base64.b64encode(call.now.to_bytes(8, "big")).decode()
    doc: Json = {"uid": old["uid"] if old else str(uuid.uuid4()), "kind": "DenyPolicy"}
    if "displayName" in kept:
        doc["displayName"] = kept["displayName"]
    if "annotations" in kept:
        doc["annotations"] = kept["annotations"]
    doc |= {"etag": etag, "createTime": old["createTime"] if old else rfc3339(call.now), "updateTime": rfc3339(call.now)}
    return doc | {"rules": kept["rules"]}


def _put(call: Call, node: Node, policy_id: str, doc: Json) -> None:
    call.store.run("INSERT OR REPLACE INTO deny_policies VALUES (?, ?, ?)", node.name, policy_id, json.dumps(doc))
    call.store.generation += 1


def _operation(call: Call, node: Node, policy_id: str, doc: Json) -> Json:
    number = f"{random.randint(0, 2**63 - 1):016x}"  # noqa: S311 - not a secret
    metadata = {"@type": f"{_TYPE}.PolicyOperationMetadata", "createTime": rfc3339(call.now)}
    response = {"@type": f"{_TYPE}.Policy"} | _answer(node, policy_id, doc)
    return call.operation(f"{_name(node, policy_id)}/operations/{number}", response=response, metadata=metadata)


@api.method("POST /v2/{parent=policies/*/*}", body="policy", request="CreatePolicyRequest", response=OPERATION)
def create_policy(call: Call, request: Json) -> Json:
    """CreatePolicy."""
    node, _ = _place(call, request.get("parent", ""), "iam.denypolicies.create")
    policy_id = request.get("policyId", "")
    if not _ID.fullmatch(policy_id):
        raise invalid(f"Invalid policy id '{policy_id[:80]}': 3 to 63 lower-case letters, digits, - and dots.", "policy_id")
    kept = _checked(request.get("policy", {}))
    if call.store.one("SELECT 1 FROM deny_policies WHERE resource = ? AND policy_id = ?", node.name, policy_id):
        raise already_exists("Requested entity already exists")
    if call.store.one("SELECT count(*) FROM deny_policies WHERE resource = ?", node.name)[0] >= MOST:
        raise RpcError(
            Code.RESOURCE_EXHAUSTED, f"An attachment point has at most {MOST} deny policies."
        )  # unsourced: the wording
    doc = _document(call, kept)
    _put(call, node, policy_id, doc)
    return _operation(call, node, policy_id, doc)


@api.method("GET /v2/{parent=policies/*/*}", request="ListPoliciesRequest", response="ListPoliciesResponse")
def list_policies(call: Call, request: Json) -> Json:
    """ListPolicies: without their rules (recorded)."""
    node, _ = _place(call, request.get("parent", ""), "iam.denypolicies.list")
    size = paging.page_size(request, default=1000, most=1000)
    after = paging.read_token("ListPolicies", request)
    rows = call.store.all(
        "SELECT policy_id, doc FROM deny_policies WHERE resource = ? AND policy_id > ? ORDER BY policy_id LIMIT ?",
        *(node.name, after, size + 1),
    )
    found = [_answer(node, row[0], json.loads(row[1]), rules=False) for row in rows[:size]]
    answer: Json = {"policies": found} if found else {}
    if len(rows) > size:
        answer["nextPageToken"] = paging.make_token("ListPolicies", request, rows[size - 1][0])
    return answer


@api.method("GET /v2/{name=policies/*/*/*}", request="GetPolicyRequest", response="Policy")
def get_policy(call: Call, request: Json) -> Json:
    """GetPolicy."""
    node, policy_id = _place(call, request.get("name", ""), "iam.denypolicies.get")
    return _answer(node, policy_id, _stored(call, node, policy_id))


@api.method("PUT /v2/{policy.name=policies/*/*/*}", body="policy", request="UpdatePolicyRequest", response=OPERATION)
def update_policy(call: Call, request: Json) -> Json:
    """UpdatePolicy: replaces rules and display name; with an etag only what was read."""
    policy = request.get("policy", {})
    node, policy_id = _place(call, policy.get("name", ""), "iam.denypolicies.update")
    old = _stored(call, node, policy_id)
    _check_etag(policy.get("etag", ""), old)
    doc = _document(call, _checked(policy), old)
    _put(call, node, policy_id, doc)
    return _operation(call, node, policy_id, doc)


def _check_etag(given: str, doc: Json) -> None:
    if given and not same_etag(given, doc["etag"]):
        raise RpcError(
            Code.ABORTED, "The etag provided does not match the current etag of the policy."
        )  # unsourced: the wording


@api.method("DELETE /v2/{name=policies/*/*/*}", request="DeletePolicyRequest", response=OPERATION)
def delete_policy(call: Call, request: Json) -> Json:
    """DeletePolicy."""
    node, policy_id = _place(call, request.get("name", ""), "iam.denypolicies.delete")
    doc = _stored(call, node, policy_id)
    _check_etag(request.get("etag", ""), doc)
    call.store.run("DELETE FROM deny_policies WHERE resource = ? AND policy_id = ?", node.name, policy_id)
    call.store.generation += 1
    return _operation(call, node, policy_id, doc | {"deleteTime": rfc3339(call.now)})


@api.method("GET /v2/{name=policies/*/*/*/operations/*}", request={"name": "string"}, response=None)
def get_policy_operation(call: Call, request: Json) -> Json:
    """GetOperation of a change of a deny policy."""
    name = unquote(unquote(request["name"]))
    point, _, rest = name.removeprefix("policies/").partition("/denypolicies/")
    node = call.world.hierarchy.get(point.partition("/")[2])
    return read(call, f"{_name(node, '')}{rest}" if node else name)
