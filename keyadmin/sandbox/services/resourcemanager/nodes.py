"""What projects, folders and organisations share in every version of Resource Manager: look-up, errors, documents."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any, Final

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import Code, RpcError, field_violation, help_link, invalid, permission_denied
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

HOST: Final = "cloudresourcemanager.googleapis.com"
TITLE: Final = "Cloud Resource Manager API"
V3: Final = "type.googleapis.com/google.cloud.resourcemanager.v3"
PAGE: Final = 500  # unsourced: items of a page by default and at most; gcloud asks for 500
_REFERENCE: Final = "https://cloud.google.com/resource-manager/reference/rest/v1/projects"


def denied(permission: str, resource: str) -> RpcError:
    """403, the same for what is missing and what may not be seen.

    Some public traces have the resource's host as the ErrorInfo's domain; facts 4 has IAM's, and so have all services here.
    """
    return permission_denied(permission, HOST, resource)


def issue(field: str, description: str) -> RpcError:
    """400 in this API's own words for a bad field (recorded)."""
    error = invalid(f"field [{field}] has issue [{description}]")
    error.details = [field_violation(field, description), help_link("Resource Manager reference", _REFERENCE)]
    return error


def precondition(message: str, kind: str, subject: str) -> RpcError:
    """400 FAILED_PRECONDITION with the violation's type, for folders one of FolderOperationError's ids."""
    # unsourced: the wordings; the ids are those of the discovery document
    violation = {"type": kind, "subject": subject, "description": message}
    return RpcError(
        Code.FAILED_PRECONDITION,
        message,
        {"@type": "type.googleapis.com/google.rpc.PreconditionFailure", "violations": [violation]},
    )


def find(call: Call, name: str, kind: str, permission: str, field: str = "name") -> Node:
    """The node, by `projects/ID-or-NUMBER`, `folders/N` or `organizations/N`, if the caller holds the permission on it."""
    check_name(name, kind, field)
    node = call.world.hierarchy.get(name)
    if node is None or not call.holds(permission, node.name):
        raise denied(permission, name)
    return node


def check_name(name: str, kind: str, field: str = "name") -> None:
    """Refuse what is no name of this kind. Raises INVALID_ARGUMENT."""
    start, _, key = name.partition("/")
    if start != kind or not key or "/" in key or (kind != "projects" and not key.isdigit()):
        raise issue(field, f"expected {kind}/{{id}}, found {name[:120]!r}")  # unsourced: the description


def parent(call: Call, name: str, permission: str, field: str = "parent") -> Node:
    """The folder or organisation named, active, if the caller holds the permission on it."""
    kind, _, key = name.partition("/")
    if kind not in ("folders", "organizations") or not key.isdigit():
        raise issue(
            field, f"expected folders/{{id}} or organizations/{{id}}, found {name[:120]!r}"
        )  # unsourced: the description
    node = call.world.hierarchy.get(name)
    if node is None or not call.holds(permission, node.name):
        raise denied(permission, name)
    if node.state != "ACTIVE":
        raise precondition(f"The parent {name} is not active.", "PARENT_DELETED_VIOLATION", name)
    return node


def state(node: Node) -> str:
    """ACTIVE or DELETE_REQUESTED. This API has no word for suspended: such a project is shown as active, and the APIs that are
    called on its account answer CONSUMER_SUSPENDED."""
    return "DELETE_REQUESTED" if node.state == "DELETE_REQUESTED" else "ACTIVE"


def etag(node: Node) -> str:
    """`W/"ed9eaad29d0994b5"`: a checksum of the current value (recorded, documented)."""
    values = [node.name, node.project_id, node.parent, node.display_name, state(node), node.created]
    text = json.dumps([*values, updated(node), node.doc.get("labels", {})], sort_keys=True)
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def updated(node: Node) -> int:
    """When it was last changed, microseconds."""
    return int(node.doc.get("updated", node.created))


def times(node: Node) -> Json:
    """createTime, updateTime and, of what is deleted, deleteTime."""
    out: Json = {"createTime": rfc3339(node.created), "updateTime": rfc3339(updated(node))}
    if node.state == "DELETE_REQUESTED":
        out["deleteTime"] = rfc3339(node.doc.get("deleted", updated(node)))
    return out


def put(call: Call, node: Node) -> None:
    """Keep a changed node; search sees the change when it has spread."""
    spread = call.world.faults.spread("search")
    call.world.hierarchy.put(node, call.now + spread if spread else 0)


def operation(
    call: Call, prefix: str, *, response: Json | None = None, error: RpcError | None = None, metadata: Json | None = None
) -> Json:
    """`operations/cp.5604738089330105044` (recorded): letters for the kind and a positive int64."""
    name = f"operations/{prefix}.{random.randint(10**18, 2**63 - 1)}"  # noqa: S311 - not a secret
    return call.operation(name, response=response, error=error, metadata=metadata)
