"""Resource Manager API v3, folders: the rules of google.cloud.resourcemanager.v3.Folders."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import OPERATION, Api, Call
from keyadmin.sandbox.messages.shape import mask_paths
from keyadmin.sandbox.messages.status import etag_differs, invalid
from keyadmin.sandbox.services.resourcemanager import folder_rules, nodes
from keyadmin.sandbox.services.resourcemanager import iam as node_iam
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

api = Api(
    "google.cloud.resourcemanager.v3.Folders",
    nodes.HOST,
    nodes.TITLE,
    "google.cloud.resourcemanager.v3",
)


def document(node: Node) -> Json:
    """The folder as v3 shows it."""
    return {
        "name": node.name,
        "parent": node.parent,
        "displayName": node.display_name,
        "state": nodes.state(node),
        **nodes.times(node),
        "etag": nodes.etag(node),
    }


def _page(found: list[Node], token: str) -> Json:
    out: Json = {"folders": [document(node) for node in found]} if found else {}
    return out | ({"nextPageToken": token} if token else {})


def _finished(call: Call, prefix: str, node: Node, verb: str = "") -> Json:
    """The operation of a change that is made already. Creations carry no metadata, moves an empty one (recorded)."""
    metadata = {"@type": f"{nodes.V3}.{verb}FolderMetadata"} if verb else None
    return nodes.operation(call, prefix, response={"@type": f"{nodes.V3}.Folder"} | document(node), metadata=metadata)


@api.method("GET /v3/{name=folders/*}", request="GetFolderRequest", response="Folder")
def get_folder(call: Call, request: Json) -> Json:
    """GetFolder."""
    return document(folder_rules.get(call, request.get("name", "")))


@api.method("GET /v3/folders", request="ListFoldersRequest", response="ListFoldersResponse")
def list_folders(call: Call, request: Json) -> Json:
    """ListFolders: the direct children of a folder or organisation."""
    return _page(*folder_rules.listed(call, request))


@api.method("GET /v3/folders:search", request="SearchFoldersRequest", response="SearchFoldersResponse")
def search_folders(call: Call, request: Json) -> Json:
    """SearchFolders: all that the caller can get; eventually consistent."""
    return _page(*folder_rules.find_all(call, request))


@api.method("POST /v3/folders", body="folder", request="CreateFolderRequest", response=OPERATION)
def create_folder(call: Call, request: Json) -> Json:
    """CreateFolder."""
    data = request.get("folder", {})
    return _finished(call, "fc", folder_rules.create(call, data.get("parent", ""), data.get("displayName", "")))


@api.method("PATCH /v3/{folder.name=folders/*}", body="folder", request="UpdateFolderRequest", response=OPERATION)
def update_folder(call: Call, request: Json) -> Json:
    """UpdateFolder: the display name only."""
    data = request.get("folder", {})
    node = folder_rules.get(call, data.get("name", ""), "resourcemanager.folders.update")
    if data.get("etag") and data["etag"] != nodes.etag(node):
        raise etag_differs("folder")
    check_mask(request)
    # unsourced: the letters before the dot, here and below; `fc` is documented
    return _finished(call, "fu", folder_rules.rename(call, node, data.get("displayName", "")), "Update")


def check_mask(request: Json) -> None:
    """The mask names the display name alone; none means that too, as clients of Google send none. Raises INVALID_ARGUMENT."""
    if set(mask_paths(request.get("updateMask", ""))) - {"displayName", "*"}:
        # unsourced: the wording
        raise invalid("Invalid update mask: only 'display_name' can be updated.", "update_mask")


@api.method("POST /v3/{name=folders/*}:move", body="*", request="MoveFolderRequest", response=OPERATION)
def move_folder(call: Call, request: Json) -> Json:
    """MoveFolder."""
    node = folder_rules.get(call, request.get("name", ""), "resourcemanager.folders.get")
    return _finished(call, "fm", folder_rules.move(call, node, request.get("destinationParent", "")), "Move")


@api.method("DELETE /v3/{name=folders/*}", request="DeleteFolderRequest", response=OPERATION)
def delete_folder(call: Call, request: Json) -> Json:
    """DeleteFolder: again on a deleted one it succeeds and changes nothing (documented)."""
    node = folder_rules.get(call, request.get("name", ""), "resourcemanager.folders.delete")
    if node.state == "ACTIVE":
        node = folder_rules.delete(call, node)
    return _finished(call, "fd", node, "Delete")


@api.method("POST /v3/{name=folders/*}:undelete", body="*", request="UndeleteFolderRequest", response=OPERATION)
def undelete_folder(call: Call, request: Json) -> Json:
    """UndeleteFolder: on an active one it succeeds and changes nothing (documented)."""
    node = folder_rules.get(call, request.get("name", ""), "resourcemanager.folders.undelete")
    if node.state != "ACTIVE":
        node = folder_rules.undelete(call, node)
    return _finished(call, "fn", node, "Undelete")


node_iam.declare(api, "folders", "/v3/{resource=folders/*}")
