"""Organization Policy API v2: constraints, the built-in ones to look at, custom ones to keep."""

from __future__ import annotations

import re
from typing import Any

from keyadmin.data import org_constraints
from keyadmin.sandbox.api import EMPTY, Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.status import Code, RpcError, already_exists, not_found
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.orgpolicy import checks
from keyadmin.sandbox.services.orgpolicy.api import api, busy, node_of, routes
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

_NAMED = "/v2/{name=organizations/*/customConstraints/*}"
_PAGE = 1000  # unsourced


def _words(name: str) -> str:
    """`Disable service account creation` of `iam.disableServiceAccountCreation`: own words, not Google's."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.rpartition(".")[2]).lower()
    return plain[:1].upper() + plain[1:]


def _built_in(node: str, name: str, kind: str, *, denies: bool) -> Json:
    out: Json = {
        "name": f"{node}/constraints/{name}",
        "displayName": _words(name),
        "constraintDefault": "DENY" if denies else "ALLOW",
        "listConstraint" if kind == "list" else "booleanConstraint": {},
    }
    if kind == "managed" or name == "gcp.restrictServiceUsage":
        out["supportsDryRun"] = True
    return out


@api.method(*routes("GET", "{@/*}/constraints", "parent"), request="ListConstraintsRequest", response="ListConstraintsResponse")
def list_constraints(call: Call, request: Json) -> Json:
    """ListConstraints: the built-in ones, and the custom ones of the organisation."""
    parent = request.get("parent", "")
    node = node_of(call, parent, "orgpolicy.constraints.list")
    docs = {name: _built_in(node.name, name, kind, denies=denies) for name, (kind, denies) in org_constraints().items()}
    top = call.world.hierarchy.chain(node.name)[-1]
    for name, doc in call.world.org_policies.customs(top).items():
        custom = {key: doc[key] for key in ("displayName", "description") if key in doc}
        booleans = {"constraintDefault": "ALLOW", "booleanConstraint": {}, "supportsDryRun": True}
        docs[name] = {"name": f"{node.name}/constraints/{name}"} | custom | booleans
    size, after = paging.page_size(request, default=_PAGE, most=_PAGE), paging.read_token("ListConstraints", request)
    names = [name for name in sorted(docs) if name > after]
    answer: Json = {"constraints": [docs[name] for name in names[:size]]} if names else {}
    if len(names) > size:
        answer["nextPageToken"] = paging.make_token("ListConstraints", request, names[size - 1])
    return answer


def _shown(organization: str, name: str, doc: Json) -> Json:
    return {"name": f"{organization}/customConstraints/{name}"} | doc


def _found(call: Call, name: str, permission: str) -> tuple[Node, str, Json]:
    """The organisation and the custom constraint of `organizations/N/customConstraints/custom.X`. Raises NOT_FOUND."""
    parent, _, constraint = name.partition("/customConstraints/")
    node = node_of(call, parent, permission, name)
    doc = call.world.org_policies.custom(node.name, constraint)
    if doc is None:
        raise not_found("Requested entity was not found.")
    return node, constraint, doc


@api.method(
    "POST /v2/{parent=organizations/*}/customConstraints",
    body="customConstraint",
    request="CreateCustomConstraintRequest",
    response="CustomConstraint",
)
def create_custom_constraint(call: Call, request: Json) -> Json:
    """CreateCustomConstraint: at most 20 of a resource type in an organisation."""
    data = request.get("customConstraint", {})
    node = node_of(call, request.get("parent", ""), "orgpolicy.customConstraints.create")
    doc = checks.custom(data)
    name = data["name"].rpartition("/")[2]
    known = call.world.org_policies.customs(node.name)
    if name in known:
        raise already_exists("Requested entity already exists")
    if sum(one["resourceTypes"] == doc["resourceTypes"] for one in known.values()) >= checks.MOST_CUSTOM:
        # unsourced: code and wording
        raise RpcError(
            Code.RESOURCE_EXHAUSTED, f"An organization has at most {checks.MOST_CUSTOM} custom constraints of a resource type."
        )
    busy(call, node.name)
    doc["updateTime"] = rfc3339(call.now)
    call.world.org_policies.put_custom(node.name, name, doc)
    return _shown(node.name, name, doc)


@api.method(f"GET {_NAMED}", request="GetCustomConstraintRequest", response="CustomConstraint")
def get_custom_constraint(call: Call, request: Json) -> Json:
    """GetCustomConstraint."""
    node, name, doc = _found(call, request.get("name", ""), "orgpolicy.customConstraints.get")
    return _shown(node.name, name, doc)


@api.method(
    "GET /v2/{parent=organizations/*}/customConstraints",
    request="ListCustomConstraintsRequest",
    response="ListCustomConstraintsResponse",
)
def list_custom_constraints(call: Call, request: Json) -> Json:
    """ListCustomConstraints: all at once, as there are few."""
    node = node_of(call, request.get("parent", ""), "orgpolicy.customConstraints.list")
    found = [_shown(node.name, name, doc) for name, doc in call.world.org_policies.customs(node.name).items()]
    return {"customConstraints": found} if found else {}


@api.method(
    "PATCH /v2/{custom_constraint.name=organizations/*/customConstraints/*}",
    body="customConstraint",
    request="UpdateCustomConstraintRequest",
    response="CustomConstraint",
)
def update_custom_constraint(call: Call, request: Json) -> Json:
    """UpdateCustomConstraint: replaces the whole object (documented)."""
    data = request.get("customConstraint", {})
    node, name, old = _found(call, data.get("name", ""), "orgpolicy.customConstraints.update")
    doc = checks.custom(data, old)
    busy(call, node.name)
    doc["updateTime"] = rfc3339(call.now)
    call.world.org_policies.put_custom(node.name, name, doc)
    return _shown(node.name, name, doc)


@api.method(f"DELETE {_NAMED}", request="DeleteCustomConstraintRequest", response=EMPTY)
def delete_custom_constraint(call: Call, request: Json) -> Json:
    """DeleteCustomConstraint: policies that name it stay and have no effect."""
    node, name, _ = _found(call, request.get("name", ""), "orgpolicy.customConstraints.delete")
    busy(call, node.name)
    call.world.org_policies.remove_custom(node.name, name)
    return {}
