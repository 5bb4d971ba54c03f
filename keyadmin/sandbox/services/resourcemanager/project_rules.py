"""What may be done to projects: one set of rules under Resource Manager v1 and v3."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import Code, RpcError, already_exists, error_info, failed_precondition
from keyadmin.sandbox.services.resourcemanager import nodes
from keyadmin.sandbox.services.resourcemanager import search as node_search
from keyadmin.sandbox.services.resourcemanager.nodes import issue
from keyadmin.sandbox.services.resourcemanager.query import PROJECTS, compiled
from keyadmin.sandbox.state import allow_policy
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

MOST_LABELS = 64  # documented
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_ID = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_PROHIBITED = ("google", "ssl")  # documented as restricted strings
_NAME = re.compile(r"[A-Za-z0-9\-'\" !]*")
_QUOTA = "The project cannot be created because you have exceeded your allotted project quota."  # recorded


def check_id(project_id: str) -> None:
    """6 to 30 lower-case letters, digits and hyphens, the first a letter, the last no hyphen. Raises INVALID_ARGUMENT."""
    if len(project_id) < 6:
        raise issue("project_id", "project_id must be at least 6 characters long")  # unsourced: the description
    if len(project_id) > 30:
        raise issue("project_id", "project_id must be at most 30 characters long")  # unsourced: the description
    if not _ID.fullmatch(project_id):
        raise issue("project_id", "project_id contains invalid characters")
    if any(word in project_id for word in _PROHIBITED):
        raise issue("project_id", "project_id contains prohibited words")


def check_display_name(name: str) -> None:
    """4 to 30 of the documented characters. Raises INVALID_ARGUMENT."""
    if len(name) > 30:
        raise issue("display_name", "project display name must be at most 30 characters")
    if len(name) < 4:
        raise issue("display_name", "project display name must be at least 4 characters")  # unsourced: the description
    if not _NAME.fullmatch(name):
        raise issue("display_name", "project display name contains invalid characters")  # unsourced: the description


def check_labels(labels: dict[str, str]) -> None:
    """Raises INVALID_ARGUMENT."""
    # unsourced: the descriptions
    if len(labels) > MOST_LABELS:
        raise issue("labels", f"no more than {MOST_LABELS} labels can be associated with a project")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key):
            raise issue("labels", f"label key '{key[:80]}' is invalid")
        if not _LABEL_VALUE.fullmatch(value):
            raise issue("labels", f"label value '{value[:80]}' is invalid")


def get(call: Call, name: str, permission: str = "resourcemanager.projects.get") -> Node:
    """`projects/ID-or-NUMBER`, if the caller holds the permission."""
    return nodes.find(call, name, "projects", permission)


def find_all(call: Call, request: Json, query: str) -> tuple[list[Node], str]:
    """A page of search's answer. Asked for the projects of one parent, with the permission to list them there, the answer is
    strongly consistent (documented for v1)."""
    return node_search.search(call, "projects", request, compiled(query, PROJECTS), consistent=_by_parent(call, query))


def _by_parent(call: Call, query: str) -> bool:
    terms = dict(re.findall(r"(?i)\b(parent\.type|parent\.id)[:=]\"?([a-z0-9]+)", query))
    terms = {name.lower(): value.lower() for name, value in terms.items()}
    if terms.keys() != {"parent.type", "parent.id"}:
        return False
    node = call.world.hierarchy.get(f"{terms['parent.type']}s/{terms['parent.id']}")
    return node is not None and call.holds("resourcemanager.projects.list", node.name)


def create(call: Call, project_id: str, display_name: str, parent: str, labels: dict[str, str]) -> Node | RpcError:
    """The new project, owned by the caller; or the error with which its operation ends. Raises what is refused at once."""
    check_id(project_id)
    if display_name:
        check_display_name(display_name)
    check_labels(labels)
    above = _new_parent(call, parent)
    if call.world.hierarchy.id_was_given(project_id):
        raise already_exists("Requested entity already exists")
    if over_quota(call):
        failure = {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"description": _QUOTA}],
        }
        return RpcError(Code.RESOURCE_EXHAUSTED, _QUOTA, failure)
    doc: Json = {"creator": call.principal}
    if labels:
        doc["labels"] = labels
    # unsourced: the display name where none is given; gcloud sends the id
    name = f"projects/{call.world.hierarchy.new_number()}"
    node = Node(name, project_id, above, display_name or project_id, "ACTIVE", call.now, doc)
    nodes.put(call, node)
    owner = {"role": "roles/owner", "members": [_member(call.principal)]}
    call.world.policies.put(node.name, {"version": 1, "etag": allow_policy.new_etag(call.now), "bindings": [owner]})
    return node


def over_quota(call: Call) -> bool:
    """Whether the caller has made all projects that the quota allows, if one is set; deleted ones count for 30 days."""
    most = call.world.faults.most_projects
    if most is None:
        return False
    made = call.store.one("SELECT count(*) FROM nodes WHERE json_extract(doc, '$.creator') = ?", call.principal)[0]
    return bool(made >= most)


def _is_account(principal: str) -> bool:
    return principal.lower().endswith("gserviceaccount.com")


def _member(principal: str) -> str:
    return f"serviceAccount:{principal}" if _is_account(principal) else f"user:{principal}"


def _new_parent(call: Call, parent: str) -> str | None:
    """Where a new project hangs. Without a parent it comes under the caller's own organisation, if there is one of the
    caller's domain (documented, reported); service accounts have to name one."""
    if not parent:
        if _is_account(call.principal):
            raise RpcError(Code.PERMISSION_DENIED, "Service accounts cannot create projects without a parent.")
        domain = call.principal.rpartition("@")[2]
        row = call.store.one(
            "SELECT name FROM nodes WHERE name > 'organizations/' AND name < 'organizations0'"
            " AND display_name = ? COLLATE NOCASE",
            domain,
        )
        if row is None:
            return None
        parent = row[0]
    try:
        return nodes.parent(call, parent, "resourcemanager.projects.create").name
    except RpcError as error:
        if error.code is Code.PERMISSION_DENIED:
            raise _no_creator(parent) from None
        raise


def _no_creator(parent: str) -> RpcError:
    permission = "resourcemanager.projects.create"
    return RpcError(
        Code.PERMISSION_DENIED,
        f"Permission '{permission}' denied on parent resource '{parent}'.",
        error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=permission, resource=parent),
    )


def change(call: Call, node: Node, *, display_name: str | None = None, labels: dict[str, str] | None = None) -> Node:
    """Another display name or other labels (None = as they are)."""
    if node.state == "DELETE_REQUESTED":
        raise failed_precondition("Precondition check failed.")  # reported for any wrong lifecycle state
    if display_name is not None:
        check_display_name(display_name)
    doc = dict(node.doc)
    if labels is not None:
        check_labels(labels)
        doc.pop("labels", None)
        if labels:
            doc["labels"] = labels
    doc["updated"] = call.now
    changed = replace(node, display_name=node.display_name if display_name is None else display_name, doc=doc)
    nodes.put(call, changed)
    return changed


def move(call: Call, node: Node, destination: str) -> Node:
    """Under another parent: the permission to move is needed on the project and on both parents (documented)."""
    if node.state == "DELETE_REQUESTED":
        raise failed_precondition("Precondition check failed.")  # reported for any wrong lifecycle state
    if node.parent is not None:
        nodes.parent(call, node.parent, "resourcemanager.projects.move", "destination_parent")
    elif not call.holds("resourcemanager.projects.setIamPolicy", node.name):
        raise nodes.denied("resourcemanager.projects.setIamPolicy", f"projects/{node.project_id}")
    nodes.parent(call, destination, "resourcemanager.projects.move", "destination_parent")
    return under(call, node, destination)


def under(call: Call, node: Node, parent: str) -> Node:
    """The project kept with another parent, whose existence and permissions are checked."""
    moved = replace(node, parent=parent, doc=node.doc | {"updated": call.now})
    nodes.put(call, moved)
    return moved


def delete(call: Call, node: Node) -> Node:
    """Marked for deletion: it can be brought back for 30 days, then it is gone; its id is never given again."""
    if node.state == "DELETE_REQUESTED":
        raise failed_precondition("Cannot delete an inactive project.")  # unsourced: the wording
    doc = node.doc | {"updated": call.now, "deleted": call.now}
    if node.state != "ACTIVE":
        doc["was"] = node.state
    gone = replace(node, state="DELETE_REQUESTED", doc=doc)
    nodes.put(call, gone)
    return gone


def undelete(call: Call, node: Node) -> Node:
    """Brought back."""
    if node.state != "DELETE_REQUESTED":
        raise failed_precondition("Precondition check failed.")  # reported for any wrong lifecycle state
    doc = {name: value for name, value in node.doc.items() if name not in ("deleted", "was")} | {"updated": call.now}
    back = replace(node, state=node.doc.get("was", "ACTIVE"), doc=doc)
    nodes.put(call, back)
    return back
