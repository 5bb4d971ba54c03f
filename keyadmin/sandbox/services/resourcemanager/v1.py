"""Resource Manager API v1 and v2 (REST only), as gcloud calls them: v1's projects and organisations, v2's folders.

The rules are those of v3; only shapes and the words of refusals differ. Shapes follow the discovery documents of 2026-11-07 and
recorded traffic (2024).
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from keyadmin.sandbox.api import Answer, Api, Call, Rule
from keyadmin.sandbox.messages.status import Code, RpcError, failed_precondition
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.services.resourcemanager import api as resourcemanager
from keyadmin.sandbox.services.resourcemanager import folder_rules, folders, nodes, organizations, project_rules
from keyadmin.sandbox.services.resourcemanager import iam as node_iam
from keyadmin.sandbox.services.resourcemanager import v1_messages as legacy_messages
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

legacy_messages.register()

projects_api = Api("google.cloudresourcemanager.v1.Projects", nodes.HOST, nodes.TITLE, lists_errors=True)
organizations_api = Api("google.cloudresourcemanager.v1.Organizations", nodes.HOST, nodes.TITLE, lists_errors=True)
folders_api = Api("google.cloud.resourcemanager.v2.Folders", nodes.HOST, nodes.TITLE, lists_errors=True)
APIS = (projects_api, organizations_api, folders_api)

_V1 = "type.googleapis.com/google.cloudresourcemanager.v1"
_V2 = "type.googleapis.com/google.cloud.resourcemanager.v2"
_PROJECT = {
    "projectNumber": "int64",
    "projectId": "string",
    "lifecycleState": "enum:LIFECYCLE_STATE_UNSPECIFIED,ACTIVE,DELETE_REQUESTED,DELETE_IN_PROGRESS",
    "name": "string",
    "createTime": "timestamp",
    "labels": {"*": "string"},
    "parent": {"type": "string", "id": "string"},
}
_FOLDER = {
    "name": "string",
    "parent": "string",
    "displayName": "string",
    "lifecycleState": "enum:LIFECYCLE_STATE_UNSPECIFIED,ACTIVE,DELETE_REQUESTED",
    "createTime": "timestamp",
}
_PAGE = {"pageSize": "int32", "pageToken": "string"}


def _terse(rule: Rule) -> Rule:
    """v1 does not say in words what permission is missing (recorded); the details do."""

    @wraps(rule)
    def told(call: Call, request: Json) -> Answer:
        try:
            return rule(call, request)
        except RpcError as error:
            if error.code is Code.PERMISSION_DENIED and error.message.endswith("(or it may not exist)."):
                setting = call.method.name == "SetIamPolicy"
                message = "Policy update access denied." if setting else "The caller does not have permission"
                raise RpcError(error.code, message, *error.details) from None
            raise

    return told


def project_document(node: Node) -> Json:
    """The project as v1 shows it, its fields in the recorded order."""
    out: Json = {"projectNumber": node.number, "projectId": node.project_id, "lifecycleState": nodes.state(node)}
    if node.display_name:
        out["name"] = node.display_name
    if node.doc.get("labels"):
        out["labels"] = node.doc["labels"]
    out["createTime"] = rfc3339(node.created)
    if node.parent:
        out["parent"] = _resource_id(node.parent)
    return out


def _resource_id(name: str) -> Json:
    kind, _, key = name.partition("/")
    return {"type": kind.removesuffix("s"), "id": key}


def _parent_name(parent: Json) -> str:
    """`organizations/1000` of `{"type": "organization", "id": "1000"}`; empty for none."""
    if not parent:
        return ""
    kind, key = parent.get("type", ""), parent.get("id", "")
    if kind not in ("organization", "folder") or not key.isdigit():
        raise nodes.issue("Project.parent", f"invalid parent {kind[:40]} {key[:40]}")  # unsourced: the description
    return f"{kind}s/{key}"


def _project(call: Call, request: Json, verb: str) -> Node:
    return project_rules.get(call, f"projects/{request.get('projectId', '')}", f"resourcemanager.projects.{verb}")


@projects_api.method("GET /v1/projects", request=_PAGE | {"filter": "string"}, response=None)
def list_projects(call: Call, request: Json) -> Json:
    """ListProjects: what v3 calls search."""
    found, token = project_rules.find_all(call, request, request.get("filter", ""))
    out: Json = {"projects": [project_document(node) for node in found]} if found else {}
    return out | ({"nextPageToken": token} if token else {})


@projects_api.method("GET /v1/projects/{projectId}", request={"projectId": "string"}, response=None)
@_terse
def get_project(call: Call, request: Json) -> Json:
    """GetProject."""
    return project_document(_project(call, request, "get"))


@projects_api.method("POST /v1/projects", body="*", request=_PROJECT, response=None)
def create_project(call: Call, request: Json) -> Json:
    """CreateProject."""
    parent = _parent_name(request.get("parent", {}))
    made = project_rules.create(call, request.get("projectId", ""), request.get("name", ""), parent, request.get("labels", {}))
    return resourcemanager.created(
        call,
        made,
        {"@type": f"{_V1}.ProjectCreationStatus"},
        lambda node: {"@type": f"{_V1}.Project"} | project_document(node),
    )


@projects_api.method("PUT /v1/projects/{projectId}", body="*", request=_PROJECT, response=None)
@_terse
def update_project(call: Call, request: Json) -> Json:
    """UpdateProject: display name, labels and parent as they stand in the request; a parent cannot be taken away."""
    node = _project(call, request, "update")
    parent = _parent_name(request.get("parent", {}))
    if node.parent and not parent:
        raise nodes.issue("Project.parent", "Project parent cannot be empty.")
    # unsourced: that a display name that is left out stays as it is
    node = project_rules.change(
        call, node, display_name=request.get("name", node.display_name), labels=request.get("labels", {})
    )
    if parent and parent != node.parent:
        nodes.parent(call, parent, "resourcemanager.projects.create", "Project.parent")
        node = project_rules.under(call, node, parent)
    return project_document(node)


@projects_api.method("DELETE /v1/projects/{projectId}", request={"projectId": "string"}, response=None)
@_terse
def delete_project(call: Call, request: Json) -> Json:
    """DeleteProject."""
    project_rules.delete(call, _project(call, request, "delete"))
    return {}


@projects_api.method("POST /v1/projects/{projectId}:undelete", body="*", request={"projectId": "string"}, response=None)
@_terse
def undelete_project(call: Call, request: Json) -> Json:
    """UndeleteProject."""
    project_rules.undelete(call, _project(call, request, "undelete"))
    return {}


@projects_api.method(
    "POST /v1/projects/{projectId}:getAncestry", body="*", request={"projectId": "string"}, response=None, writes=False
)
@_terse
def get_ancestry(call: Call, request: Json) -> Json:
    """GetAncestry: the project itself first."""
    node = _project(call, request, "get")
    above = [_resource_id(name) for name in call.world.hierarchy.chain(node.name)[1:]]
    return {"ancestor": [{"resourceId": one} for one in [{"type": "project", "id": node.project_id}, *above]]}


def organization_document(node: Node) -> Json:
    """The organisation as v1 shows it."""
    return {
        "name": node.name,
        "displayName": node.display_name,
        "owner": {"directoryCustomerId": organizations.customer_id(node)},
        "creationTime": rfc3339(node.created),
        "lifecycleState": nodes.state(node),
    }


@organizations_api.method("GET /v1/{name=organizations/*}", request={"name": "string"}, response=None)
@_terse
def get_organization(call: Call, request: Json) -> Json:
    """GetOrganization."""
    return organization_document(nodes.find(call, request["name"], "organizations", "resourcemanager.organizations.get"))


@organizations_api.method(
    "POST /v1/organizations:search", body="*", request=_PAGE | {"filter": "string"}, response=None, writes=False
)
def search_organizations(call: Call, request: Json) -> Json:
    """SearchOrganizations."""
    found, token = organizations.find_all(call, request, request.get("filter", ""))
    out: Json = {"organizations": [organization_document(node) for node in found]} if found else {}
    return out | ({"nextPageToken": token} if token else {})


def folder_document(node: Node) -> Json:
    """The folder as v2 shows it."""
    return {
        "name": node.name,
        "parent": node.parent,
        "displayName": node.display_name,
        "lifecycleState": nodes.state(node),
        "createTime": rfc3339(node.created),
    }


def _folder_page(found: list[Node], token: str) -> Json:
    out: Json = {"folders": [folder_document(node) for node in found]} if found else {}
    return out | ({"nextPageToken": token} if token else {})


@folders_api.method("GET /v2/{name=folders/*}", request={"name": "string"}, response=None)
def get_folder(call: Call, request: Json) -> Json:
    """GetFolder."""
    return folder_document(folder_rules.get(call, request["name"]))


@folders_api.method("GET /v2/folders", request=_PAGE | {"parent": "string", "showDeleted": "bool"}, response=None)
def list_folders(call: Call, request: Json) -> Json:
    """ListFolders."""
    return _folder_page(*folder_rules.listed(call, request))


@folders_api.method("POST /v2/folders:search", body="*", request=_PAGE | {"query": "string"}, response=None, writes=False)
def search_folders(call: Call, request: Json) -> Json:
    """SearchFolders."""
    return _folder_page(*folder_rules.find_all(call, request))


@folders_api.method("POST /v2/folders", body="folder", request={"parent": "string", "folder": _FOLDER}, response=None)
def create_folder(call: Call, request: Json) -> Json:
    """CreateFolder: the parent is a query parameter."""
    data = request.get("folder", {})
    parent = request.get("parent") or data.get("parent", "")
    node = folder_rules.create(call, parent, data.get("displayName", ""))
    return _folder_operation(call, "fc", node, {"operationType": "CREATE", "destinationParent": parent})


def _folder_operation(call: Call, prefix: str, node: Node, metadata: Json) -> Json:
    return nodes.operation(
        call,
        prefix,
        response={"@type": f"{_V2}.Folder"} | folder_document(node),
        metadata={"@type": f"{_V2}.FolderOperation", "displayName": node.display_name} | metadata,
    )


@folders_api.method(
    "PATCH /v2/{name=folders/*}",
    body="folder",
    request={"name": "string", "folder": _FOLDER, "updateMask": "mask"},
    response=None,
)
def update_folder(call: Call, request: Json) -> Json:
    """UpdateFolder: the display name only."""
    node = folder_rules.get(call, request["name"], "resourcemanager.folders.update")
    folders.check_mask(request)
    return folder_document(folder_rules.rename(call, node, request.get("folder", {}).get("displayName", "")))


@folders_api.method(
    "POST /v2/{name=folders/*}:move", body="*", request={"name": "string", "destinationParent": "string"}, response=None
)
def move_folder(call: Call, request: Json) -> Json:
    """MoveFolder."""
    node = folder_rules.get(call, request["name"])
    moved = folder_rules.move(call, node, request.get("destinationParent", ""))
    places = {"sourceParent": node.parent, "destinationParent": moved.parent}
    return _folder_operation(call, "fm", moved, {"operationType": "MOVE"} | places)


@folders_api.method("DELETE /v2/{name=folders/*}", request={"name": "string"}, response=None)
def delete_folder(call: Call, request: Json) -> Json:
    """DeleteFolder: of an active folder only (documented, unlike v3)."""
    return folder_document(folder_rules.delete(call, _in_state(call, request, "delete", "ACTIVE")))


@folders_api.method("POST /v2/{name=folders/*}:undelete", body="*", request={"name": "string"}, response=None)
def undelete_folder(call: Call, request: Json) -> Json:
    """UndeleteFolder: of a deleted folder only (documented, unlike v3)."""
    return folder_document(folder_rules.undelete(call, _in_state(call, request, "undelete", "DELETE_REQUESTED")))


def _in_state(call: Call, request: Json, verb: str, state: str) -> Node:
    node = folder_rules.get(call, request["name"], f"resourcemanager.folders.{verb}")
    if node.state != state:
        raise failed_precondition("Precondition check failed.")
    return node


node_iam.declare(projects_api, "projects", "/v1/projects/{resource}", prefix="projects/", rest_only=True, words=_terse)
node_iam.declare(organizations_api, "organizations", "/v1/{resource=organizations/*}", rest_only=True, words=_terse)
node_iam.declare(folders_api, "folders", "/v2/{resource=folders/*}", rest_only=True)
