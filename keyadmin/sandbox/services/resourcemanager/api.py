"""Resource Manager API v3, projects: the rules of google.cloud.resourcemanager.v3.Projects.

Shapes, names and errors follow the discovery document of 2026-11-07 and traffic recorded by others (2023 to 2024).
"""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import OPERATION, Api, Call
from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import RpcError, etag_differs, invalid
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.resourcemanager import iam as node_iam
from keyadmin.sandbox.services.resourcemanager import nodes, project_rules
from keyadmin.sandbox.services.resourcemanager import search as node_search
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

api = Api(
    "google.cloud.resourcemanager.v3.Projects",
    nodes.HOST,
    nodes.TITLE,
    "google.cloud.resourcemanager.v3",
)

_MUTABLE = ("displayName", "labels")


def document(node: Node) -> Json:
    """The project as v3 shows it, its fields in the recorded order."""
    out: Json = {"name": node.name}
    if node.parent:
        out["parent"] = node.parent
    out |= {"projectId": node.project_id, "state": nodes.state(node)}
    if node.display_name:
        out["displayName"] = node.display_name
    out |= nodes.times(node) | {"etag": nodes.etag(node)}
    if node.doc.get("labels"):
        out["labels"] = node.doc["labels"]
    return out


def _page(found: list[Node], token: str) -> Json:
    out: Json = {"projects": [document(node) for node in found]} if found else {}
    return out | ({"nextPageToken": token} if token else {})


def _finished(call: Call, prefix: str, verb: str, node: Node) -> Json:
    """The operation of a change that is made already."""
    response = {"@type": f"{nodes.V3}.Project"} | document(node)
    return nodes.operation(call, prefix, response=response, metadata={"@type": f"{nodes.V3}.{verb}ProjectMetadata"})


@api.method("GET /v3/{name=projects/*}", request="GetProjectRequest", response="Project")
def get_project(call: Call, request: Json) -> Json:
    """GetProject: in any state."""
    return document(project_rules.get(call, request.get("name", "")))


@api.method("GET /v3/projects", request="ListProjectsRequest", response="ListProjectsResponse")
def list_projects(call: Call, request: Json) -> Json:
    """ListProjects: the direct children of a folder or organisation."""
    parent = nodes.parent(call, request.get("parent", ""), "resourcemanager.projects.list")
    return _page(*node_search.children(call, "projects", request, parent.name))


@api.method("GET /v3/projects:search", request="SearchProjectsRequest", response="SearchProjectsResponse")
def search_projects(call: Call, request: Json) -> Json:
    """SearchProjects: all that the caller can get; eventually consistent."""
    return _page(*project_rules.find_all(call, request, request.get("query", "")))


@api.method("POST /v3/projects", body="project", request="CreateProjectRequest", response=OPERATION)
def create_project(call: Call, request: Json) -> Json:
    """CreateProject: the first answer is the operation's name alone (recorded)."""
    data = request.get("project", {})
    if data.get("name"):
        raise nodes.issue("project.name", "field should not be set for new projects")
    made = project_rules.create(
        call, data.get("projectId", ""), data.get("displayName", ""), data.get("parent", ""), data.get("labels", {})
    )
    return created(
        call,
        made,
        {"@type": f"{nodes.V3}.CreateProjectMetadata", "createTime": rfc3339(call.now)},
        lambda node: {"@type": f"{nodes.V3}.Project"} | document(node),
    )


def created(call: Call, made: Node | RpcError, metadata: Json, shown: Any) -> Json:
    """The operation of a creation, which may have failed: only the quota is told inside it (recorded)."""
    if isinstance(made, RpcError):
        started = nodes.operation(call, "cp", error=made, metadata=metadata | {"ready": True})
    else:
        started = nodes.operation(call, "cp", response=shown(made), metadata=metadata | {"gettable": True, "ready": True})
    return {"name": started["name"]}


@api.method("PATCH /v3/{project.name=projects/*}", body="project", request="UpdateProjectRequest", response=OPERATION)
def update_project(call: Call, request: Json) -> Json:
    """UpdateProject: display name and labels, by mask or by what is set."""
    data = request.get("project", {})
    node = project_rules.get(call, data.get("name", ""), "resourcemanager.projects.update")
    if data.get("etag") and data["etag"] != nodes.etag(node):
        raise etag_differs("project")
    paths = mask_paths(request.get("updateMask", ""))
    if "*" in paths:
        paths = list(_MUTABLE)
    elif not paths:
        paths = [name for name in _MUTABLE if name in data]
    for path in paths:
        if path not in _MUTABLE:
            # unsourced: the wording
            raise invalid(f"Invalid update mask: field '{path[:80]}' cannot be updated.", "update_mask")
    node = project_rules.change(
        call,
        node,
        display_name=data.get("displayName", "") if "displayName" in paths else None,
        labels=data.get("labels", {}) if "labels" in paths else None,
    )
    return _finished(call, "up", "Update", node)  # unsourced: the letters before the dot, here and below


@api.method("POST /v3/{name=projects/*}:move", body="*", request="MoveProjectRequest", response=OPERATION)
def move_project(call: Call, request: Json) -> Json:
    """MoveProject."""
    node = project_rules.get(call, request.get("name", ""), "resourcemanager.projects.move")
    return _finished(call, "pm", "Move", project_rules.move(call, node, request.get("destinationParent", "")))


@api.method("DELETE /v3/{name=projects/*}", request="DeleteProjectRequest", response=OPERATION)
def delete_project(call: Call, request: Json) -> Json:
    """DeleteProject."""
    node = project_rules.get(call, request.get("name", ""), "resourcemanager.projects.delete")
    return _finished(call, "dp", "Delete", project_rules.delete(call, node))


@api.method("POST /v3/{name=projects/*}:undelete", body="*", request="UndeleteProjectRequest", response=OPERATION)
def undelete_project(call: Call, request: Json) -> Json:
    """UndeleteProject."""
    node = project_rules.get(call, request.get("name", ""), "resourcemanager.projects.undelete")
    return _finished(call, "ud", "Undelete", project_rules.undelete(call, node))


node_iam.declare(api, "projects", "/v3/{resource=projects/*}")
