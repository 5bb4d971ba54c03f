"""What may be done to folders: one set of rules under Resource Manager v2 and v3. Limits: CreateFolder's reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import failed_precondition
from keyadmin.sandbox.services.resourcemanager import nodes
from keyadmin.sandbox.services.resourcemanager import search as node_search
from keyadmin.sandbox.services.resourcemanager.nodes import issue, precondition
from keyadmin.sandbox.services.resourcemanager.query import FOLDERS, compiled
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

HIGHEST = 10  # levels of folders
MOST_CHILDREN = 300  # folders below one parent


def get(call: Call, name: str, permission: str = "resourcemanager.folders.get") -> Node:
    """`folders/N`, if the caller holds the permission."""
    return nodes.find(call, name, "folders", permission)


def find_all(call: Call, request: Json) -> tuple[list[Node], str]:
    """A page of search's answer."""
    return node_search.search(call, "folders", request, compiled(request.get("query", ""), FOLDERS))


def listed(call: Call, request: Json) -> tuple[list[Node], str]:
    """A page of the folders directly below a parent."""
    parent = nodes.parent(call, request.get("parent", ""), "resourcemanager.folders.list")
    return node_search.children(call, "folders", request, parent.name)


def check_display_name(name: str) -> None:
    """Letters, digits, spaces, hyphens and underscores, the first and the last a letter or digit, 30 at most."""
    ends = bool(name) and name[0].isalnum() and name[-1].isalnum()
    if not ends or len(name) > 30 or not all(char.isalnum() or char in "_- " for char in name):
        # unsourced: the description
        raise issue(
            "display_name",
            "folder display name must start and end with a letter or digit, may contain letters, digits, spaces, hyphens and "
            "underscores, and can be no longer than 30 characters",
        )


def create(call: Call, parent: str, display_name: str) -> Node:
    """A new folder. Raises FAILED_PRECONDITION where the hierarchy would not allow it."""
    above = nodes.parent(call, parent, "resourcemanager.folders.create")
    check_display_name(display_name)
    _check_place(call, above.name, display_name, _levels(call, above.name) + 1)
    number = call.world.hierarchy.new_number()
    node = Node(f"folders/{number}", None, above.name, display_name, "ACTIVE", call.now, {"creator": call.principal})
    nodes.put(call, node)
    return node


def rename(call: Call, node: Node, display_name: str) -> Node:
    """Another display name."""
    _check_active(node)
    check_display_name(display_name)
    assert node.parent is not None
    if display_name != node.display_name:
        _check_unique(call, node.parent, display_name)
    return _kept(call, replace(node, display_name=display_name))


def move(call: Call, node: Node, destination: str) -> Node:
    """Under another parent; the permission to move is needed on both (documented)."""
    _check_active(node)
    assert node.parent is not None
    permission = "resourcemanager.folders.move"
    nodes.parent(call, node.parent, permission, "destination_parent")
    above = nodes.parent(call, destination, permission, "destination_parent")
    if node.name in call.world.hierarchy.chain(above.name):
        raise precondition("A folder cannot be moved into itself or below itself.", "CYCLE_INTRODUCED_VIOLATION", node.name)
    _check_place(call, above.name, node.display_name, _levels(call, above.name) + _height(call, node.name))
    return _kept(call, replace(node, parent=above.name))


def delete(call: Call, node: Node) -> Node:
    """Marked for deletion, if it holds nothing active."""
    if call.world.hierarchy.has_active_children(node.name):
        raise precondition("The folder is not empty.", "FOLDER_TO_DELETE_NON_EMPTY_VIOLATION", node.name)
    return _kept(call, replace(node, state="DELETE_REQUESTED", doc=node.doc | {"deleted": call.now}))


def undelete(call: Call, node: Node) -> Node:
    """Brought back, if its parent is active and its name still free."""
    assert node.parent is not None
    above = call.world.hierarchy.get(node.parent)
    if above is None or above.state != "ACTIVE":
        raise precondition("The folder's parent is not active.", "PARENT_DELETED_VIOLATION", node.name)
    _check_place(call, above.name, node.display_name, _levels(call, above.name) + 1)
    doc = {name: value for name, value in node.doc.items() if name != "deleted"}
    return _kept(call, replace(node, state="ACTIVE", doc=doc))


def _kept(call: Call, node: Node) -> Node:
    node = replace(node, doc=node.doc | {"updated": call.now})
    nodes.put(call, node)
    return node


def _check_active(node: Node) -> None:
    if node.state != "ACTIVE":
        raise failed_precondition("Precondition check failed.")


def _check_place(call: Call, parent: str, display_name: str, levels: int) -> None:
    _check_unique(call, parent, display_name)
    if levels > HIGHEST:
        raise precondition(f"Folders can be {HIGHEST} levels deep at most.", "ACTIVE_FOLDER_HEIGHT_VIOLATION", parent)
    count = call.store.one("SELECT count(*) FROM nodes WHERE parent = ? AND name > 'folders/' AND name < 'folders0'", parent)[0]
    if count >= MOST_CHILDREN:
        raise precondition(f"{parent} already holds {MOST_CHILDREN} folders.", "MAX_CHILD_FOLDERS_VIOLATION", parent)


def _check_unique(call: Call, parent: str, display_name: str) -> None:
    taken = call.store.one(
        "SELECT 1 FROM nodes WHERE parent = ? AND display_name = ? AND name > 'folders/' AND name < 'folders0'"
        " AND state = 'ACTIVE'",
        *(parent, display_name),
    )
    if taken:
        raise precondition(
            f"A folder with the display name '{display_name}' exists in {parent}.", "FOLDER_NAME_UNIQUENESS_VIOLATION", parent
        )


def _levels(call: Call, name: str) -> int:
    """How many folders deep a node is; an organisation: none."""
    return sum(part.startswith("folders/") for part in call.world.hierarchy.chain(name))


def _height(call: Call, name: str) -> int:
    """How many levels of active folders a folder and those below it make."""
    below = call.store.all(
        "SELECT name FROM nodes WHERE parent = ? AND name > 'folders/' AND name < 'folders0' AND state = 'ACTIVE'", name
    )
    return 1 + max((_height(call, child) for (child,) in below), default=0)
