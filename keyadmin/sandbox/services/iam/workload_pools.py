"""IAM API v1: workload identity pools and their providers (REST only: no Python package publishes their messages).

Nothing is exchanged: the sandbox has no security token service. Shapes follow recorded traffic (2024).
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

from keyadmin.sandbox.api import Api, Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import already_exists, failed_precondition, invalid, not_found
from keyadmin.sandbox.messages.times import DAY
from keyadmin.sandbox.services.iam.api import denied
from keyadmin.sandbox.services.longrunning.api import read
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

TABLES = """
CREATE TABLE workload_pools (
  project TEXT NOT NULL,            -- projects/NUMBER
  pool TEXT NOT NULL,
  provider TEXT NOT NULL,           -- empty = the pool itself
  deleted INTEGER,                  -- microseconds, or NULL
  doc TEXT NOT NULL,
  PRIMARY KEY (project, pool, provider)
) WITHOUT ROWID;
"""

api = Api(
    "google.iam.v1.WorkloadIdentityPools", "iam.googleapis.com", "Identity and Access Management (IAM) API", lists_errors=True
)

KEPT = 30 * DAY  # a deleted one can be brought back (documented)
_POOLS = "projects/*/locations/*/workloadIdentityPools"
_ID = re.compile(r"[a-z0-9-]{4,32}")
_POOL = {"name": "string", "displayName": "string", "description": "string", "disabled": "bool", "state": "string"}
_PROVIDER = _POOL | {
    "attributeMapping": {"*": "string"},
    "attributeCondition": "string",
    "oidc": {"issuerUri": "string", "allowedAudiences": ["string"], "jwksJson": "string"},
    "aws": {"accountId": "string"},
    "saml": {"idpMetadataXml": "string"},
    "x509": "any",
    "expireTime": "timestamp",
}
_PAGE = {"pageSize": "int32", "pageToken": "string", "showDeleted": "bool"}
_FIELDS = {
    "": ("displayName", "description", "disabled"),
    "provider": (
        *("displayName", "description", "disabled", "attributeMapping", "attributeCondition"),
        *("oidc", "aws", "saml", "x509"),
    ),
}


def _place(call: Call, name: str, verb: str) -> tuple[Node, str, str]:
    """The project, the pool and the provider of a name; each may be empty but for the project."""
    found = re.fullmatch(
        r"projects/([^/]+)/locations/global(?:/workloadIdentityPools(?:/([^/]+)(?:/providers(?:/([^/]+))?)?)?)?", name
    )
    if not found:
        raise invalid(f"Invalid resource name '{name[:160]}': expected {_POOLS}/*.", "name")
    kind = "workloadIdentityPoolProviders" if "/providers" in name else "workloadIdentityPools"
    permission = f"iam.googleapis.com/{kind}.{verb}"
    node = call.world.hierarchy.project(found[1])
    if node is None or not call.holds(permission, node.name):
        raise denied(permission)
    return node, found[2] or "", found[3] or ""


def _name(node: Node, pool: str, provider: str) -> str:
    name = f"{node.name}/locations/global/workloadIdentityPools/{pool}"
    return f"{name}/providers/{provider}" if provider else name


def _row(call: Call, node: Node, pool: str, provider: str) -> tuple[int | None, Json]:
    row = call.store.one(
        "SELECT deleted, doc FROM workload_pools WHERE project = ? AND pool = ? AND provider = ?", node.name, pool, provider
    )
    if row is None or (row[0] is not None and row[0] + KEPT <= call.now):
        raise not_found("Requested entity was not found.")
    return row[0], json.loads(row[1])


def _answer(node: Node, pool: str, provider: str, deleted: int | None, doc: Json) -> Json:
    """Fields in the recorded order."""
    out: Json = {"name": _name(node, pool, provider)}
    for field in ("displayName", "description"):
        if doc.get(field):
            out[field] = doc[field]
    out["state"] = "ACTIVE" if deleted is None else "DELETED"
    return out | {name: value for name, value in doc.items() if name not in out and value not in ("", False, [], {})}


def _put(call: Call, node: Node, pool: str, provider: str, deleted: int | None, doc: Json) -> Json:
    call.store.run(
        "INSERT OR REPLACE INTO workload_pools VALUES (?, ?, ?, ?, ?)", node.name, pool, provider, deleted, json.dumps(doc)
    )
    number = f"{random.randint(0, 2**80):020x}"  # noqa: S311 - not a secret
    kind = "WorkloadIdentityPoolProvider" if provider else "WorkloadIdentityPool"
    response = {"@type": f"type.googleapis.com/google.iam.v1.{kind}"} | _answer(node, pool, provider, deleted, doc)
    return call.operation(f"{_name(node, pool, provider)}/operations/{number}", response=response)


def _create(call: Call, parent: str, new_id: str, data: Json) -> Json:
    node, pool, _ = _place(call, parent if "/workloadIdentityPools/" not in parent else f"{parent}/providers", "create")
    if not _ID.fullmatch(new_id) or new_id.startswith("gcp-"):
        raise invalid(f"Invalid id '{new_id[:80]}': 4 to 32 lower-case letters, digits and hyphens, not beginning with gcp-.")
    provider = new_id if pool else ""
    if pool:
        _row(call, node, pool, "")
        kinds = [kind for kind in ("oidc", "aws", "saml", "x509") if kind in data]
        if len(kinds) != 1:
            raise invalid("A provider has exactly one of oidc, aws, saml and x509.", "workload_identity_pool_provider")
        if "oidc" in data and not data["oidc"].get("issuerUri", "").startswith("https://"):
            raise invalid("The issuer URI must begin with https://.", "workload_identity_pool_provider.oidc.issuer_uri")
    target = pool or new_id
    found = call.store.one(
        "SELECT deleted FROM workload_pools WHERE project = ? AND pool = ? AND provider = ?", node.name, target, provider
    )
    if found is not None and (found[0] is None or found[0] + KEPT > call.now):
        raise already_exists("Requested entity already exists")
    kept = {name: data[name] for name in _FIELDS["provider" if provider else ""] if name in data}
    return _put(call, node, target, provider, None, kept)


def _list(call: Call, request: Json, field: str) -> Json:
    parent = request["parent"]
    node, pool, _ = _place(call, parent if field == "workloadIdentityPools" else f"{parent}/providers", "list")
    size = paging.page_size(request, default=50, most=1000)
    after = paging.read_token("List" + field, request)
    column = "provider" if pool else "pool"
    deleted = "" if request.get("showDeleted") else " AND deleted IS NULL"
    which = "pool = ? AND provider != ''" if pool else "? = '' AND provider = ''"
    rows = call.store.all(
        f"SELECT pool, provider, deleted, doc FROM workload_pools WHERE project = ? AND {which} AND {column} > ?{deleted} "  # noqa: S608
        f"ORDER BY {column} LIMIT ?",
        *(node.name, pool, after, size + 1),
    )
    found = [_answer(node, row[0], row[1], row[2], json.loads(row[3])) for row in rows[:size]]
    answer: Json = {field: found} if found else {}
    if len(rows) > size:
        answer["nextPageToken"] = paging.make_token("List" + field, request, rows[size - 1][1 if pool else 0])
    return answer


def _get(call: Call, request: Json) -> Json:
    node, pool, provider = _place(call, request["name"], "get")
    return _answer(node, pool, provider, *_row(call, node, pool, provider))


def _patch(call: Call, request: Json, data: Json) -> Json:
    node, pool, provider = _place(call, request["name"], "update")
    deleted, doc = _row(call, node, pool, provider)
    if deleted is not None:
        raise failed_precondition("The resource is deleted.")  # unsourced: code and wording
    allowed = _FIELDS["provider" if provider else ""]
    for path in mask_paths(request.get("updateMask", "")) or [name for name in allowed if name in data]:
        head, _, rest = path.partition(".")
        if head not in allowed:
            raise invalid(f"Invalid update mask: field '{path[:80]}' cannot be updated.", "update_mask")
        if rest and rest in data.get(head, {}):
            doc.setdefault(head, {})[rest] = data[head][rest]
        elif rest:
            doc.get(head, {}).pop(rest, None)
        elif head in data:
            doc[head] = data[head]
        else:
            doc.pop(head, None)
    return _put(call, node, pool, provider, None, doc)


def _mark(call: Call, request: Json, verb: str) -> Json:
    node, pool, provider = _place(call, request["name"], verb)
    deleted, doc = _row(call, node, pool, provider)
    if (deleted is None) != (verb == "delete"):
        raise failed_precondition("The resource is deleted already." if verb == "delete" else "The resource is not deleted.")
    return _put(call, node, pool, provider, call.now if verb == "delete" else None, doc)


_ONE_POOL, _ONE_PROVIDER = "/v1/{name=" + _POOLS + "/*}", "/v1/{name=" + _POOLS + "/*/providers/*}"
_NAMED: Json = {"name": "string"}


@api.method(
    "POST /v1/{parent=projects/*/locations/*}/workloadIdentityPools",
    body="workloadIdentityPool",
    request={"parent": "string", "workloadIdentityPoolId": "string", "workloadIdentityPool": _POOL},
    response=None,
)
def create_workload_identity_pool(call: Call, request: Json) -> Json:
    """CreateWorkloadIdentityPool."""
    return _create(call, request["parent"], request.get("workloadIdentityPoolId", ""), request.get("workloadIdentityPool", {}))


@api.method(
    "GET /v1/{parent=projects/*/locations/*}/workloadIdentityPools", request={"parent": "string"} | _PAGE, response=None
)
def list_workload_identity_pools(call: Call, request: Json) -> Json:
    """ListWorkloadIdentityPools."""
    return _list(call, request, "workloadIdentityPools")


@api.method(f"GET {_ONE_POOL}", request=_NAMED, response=None)
def get_workload_identity_pool(call: Call, request: Json) -> Json:
    """GetWorkloadIdentityPool."""
    return _get(call, request)


@api.method(
    f"PATCH {_ONE_POOL}",
    body="workloadIdentityPool",
    request=_NAMED | {"updateMask": "mask", "workloadIdentityPool": _POOL},
    response=None,
)
def patch_workload_identity_pool(call: Call, request: Json) -> Json:
    """UpdateWorkloadIdentityPool."""
    return _patch(call, request, request.get("workloadIdentityPool", {}))


@api.method(f"DELETE {_ONE_POOL}", request=_NAMED, response=None)
def delete_workload_identity_pool(call: Call, request: Json) -> Json:
    """DeleteWorkloadIdentityPool: recoverable for 30 days."""
    return _mark(call, request, "delete")


@api.method(f"POST {_ONE_POOL}:undelete", body="*", request=_NAMED, response=None)
def undelete_workload_identity_pool(call: Call, request: Json) -> Json:
    """UndeleteWorkloadIdentityPool."""
    return _mark(call, request, "undelete")


@api.method(
    "POST /v1/{parent=" + _POOLS + "/*}/providers",
    body="workloadIdentityPoolProvider",
    request={
        "parent": "string",
        "workloadIdentityPoolProviderId": "string",
        "workloadIdentityPoolProvider": _PROVIDER,
    },
    response=None,
)
def create_workload_identity_pool_provider(call: Call, request: Json) -> Json:
    """CreateWorkloadIdentityPoolProvider."""
    data = request.get("workloadIdentityPoolProvider", {})
    return _create(call, request["parent"], request.get("workloadIdentityPoolProviderId", ""), data)


@api.method("GET /v1/{parent=" + _POOLS + "/*}/providers", request={"parent": "string"} | _PAGE, response=None)
def list_workload_identity_pool_providers(call: Call, request: Json) -> Json:
    """ListWorkloadIdentityPoolProviders."""
    return _list(call, request, "workloadIdentityPoolProviders")


@api.method(f"GET {_ONE_PROVIDER}", request=_NAMED, response=None)
def get_workload_identity_pool_provider(call: Call, request: Json) -> Json:
    """GetWorkloadIdentityPoolProvider."""
    return _get(call, request)


@api.method(
    f"PATCH {_ONE_PROVIDER}",
    body="workloadIdentityPoolProvider",
    request=_NAMED | {"updateMask": "mask", "workloadIdentityPoolProvider": _PROVIDER},
    response=None,
)
def patch_workload_identity_pool_provider(call: Call, request: Json) -> Json:
    """UpdateWorkloadIdentityPoolProvider."""
    return _patch(call, request, request.get("workloadIdentityPoolProvider", {}))


@api.method(f"DELETE {_ONE_PROVIDER}", request=_NAMED, response=None)
def delete_workload_identity_pool_provider(call: Call, request: Json) -> Json:
    """DeleteWorkloadIdentityPoolProvider: recoverable for 30 days."""
    return _mark(call, request, "delete")


@api.method(f"POST {_ONE_PROVIDER}:undelete", body="*", request=_NAMED, response=None)
def undelete_workload_identity_pool_provider(call: Call, request: Json) -> Json:
    """UndeleteWorkloadIdentityPoolProvider."""
    return _mark(call, request, "undelete")


@api.method(
    "GET /v1/{name=" + _POOLS + "/*/operations/*}",
    "GET /v1/{name=" + _POOLS + "/*/providers/*/operations/*}",
    request=_NAMED,
    response=None,
)
def get_pool_operation(call: Call, request: Json) -> Json:
    """GetOperation of a change of a pool or a provider."""
    return read(call, request["name"])
