"""What Cloud Asset Inventory shows of each kind of resource, and how it reads them in pieces.

The inventory lags behind (weather.spread("search")): nodes come from the hierarchy's own search index; a key appears that
long after it was made or deleted. A change of a key shows at once: its former state is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from keyadmin.sandbox.clock import rfc3339
from keyadmin.sandbox.hierarchy import COLUMNS, Node, read_node

if TYPE_CHECKING:
    from keyadmin.sandbox.api import Call
    from keyadmin.sandbox.cloud import LocalCloud

Json = dict[str, Any]

RESOURCES = "cloudresourcemanager.googleapis.com"
ORGANIZATION, FOLDER, PROJECT = f"{RESOURCES}/Organization", f"{RESOURCES}/Folder", f"{RESOURCES}/Project"
KEY = "apikeys.googleapis.com/Key"
SERVICE = "serviceusage.googleapis.com/Service"
TYPES = (ORGANIZATION, FOLDER, PROJECT, KEY, SERVICE)
_KINDS = {ORGANIZATION: "organizations", FOLDER: "folders", PROJECT: "projects"}
_TYPE_OF = {kind: asset_type for asset_type, kind in _KINDS.items()}
_CHUNK = 300  # names in one statement
_PIECE = 1000  # rows read at once


@dataclass(frozen=True)
class Scope:
    """What lies at and below an organisation, folder or project: names by kind, sorted."""

    names: dict[str, tuple[str, ...]]


_scopes: WeakKeyDictionary[LocalCloud, dict[tuple[Any, ...], Scope]] = WeakKeyDictionary()


def scope_of(call: Call, name: str) -> Scope:
    """The names below a node (canonical name), kept as long as the search index stands."""
    call.cloud.hierarchy.catch_up(call.now)
    index = call.store.one("SELECT count(*), min(ready) FROM search_pending")
    version = (call.store.generation, *index)
    kept = _scopes.setdefault(call.cloud, {})
    if (name, version) not in kept:
        if len(kept) > 20 or any(known[1] != version for known in kept):
            kept.clear()
        names = _below(call.store.all("SELECT name, parent FROM search_index"), name)
        kept[name, version] = Scope({kind: tuple(sorted(found)) for kind, found in names.items()})
    return kept[name, version]


def _below(nodes: list[tuple[str, str | None]], top: str) -> dict[str, list[str]]:
    """A node's name and those of all below it, by kind."""
    children: dict[str | None, list[str]] = {}
    for name, parent in nodes:
        children.setdefault(parent, []).append(name)
    names: dict[str, list[str]] = {kind: [] for kind in _TYPE_OF}
    left = [top]
    while left:
        name = left.pop()
        names[name.partition("/")[0]].append(name)
        left += children.get(name, ())
    return names


def read(call: Call, scope: Scope, asset_type: str, after: str) -> Iterator[tuple[str, Json]]:
    """(cursor, result) of every resource of a type behind a cursor, in the order of their names."""
    if asset_type in _KINDS:
        yield from _nodes(call, scope, asset_type, after)
    elif asset_type == KEY:
        yield from _below_projects(
            call, scope, after, "SELECT project, key_id, created, deleted, rest FROM keys", "key_id", _key
        )
    else:
        yield from _below_projects(call, scope, after, "SELECT project, service, since FROM services", "service", _service)


def one(call: Call, asset_type: str, cursor: str) -> Json | None:
    """The result at a cursor, if it is still there."""
    if asset_type in _KINDS:
        row = call.store.one(f"SELECT {COLUMNS} FROM search_index WHERE name = ?", cursor)  # noqa: S608
        return _node(call, asset_type, read_node(row)) if row else None
    project, _, rest = cursor.partition(" ")
    if asset_type == KEY:
        row = call.store.one(
            "SELECT project, key_id, created, deleted, rest FROM keys WHERE project = ? AND key_id = ?", project, rest
        )
        return _key(call, row) if row else None
    row = call.store.one("SELECT project, service, since FROM services WHERE project = ? AND service = ?", project, rest)
    return _service(call, row) if row else None


def _chunks(names: tuple[str, ...], first: str) -> Iterator[tuple[str, ...]]:
    """The names from one on, in handy numbers."""
    from bisect import bisect_left

    for start in range(bisect_left(names, first), len(names), _CHUNK):
        yield names[start : start + _CHUNK]


def _marks(names: tuple[str, ...]) -> str:
    return ", ".join("?" * len(names))


def _nodes(call: Call, scope: Scope, asset_type: str, after: str) -> Iterator[tuple[str, Json]]:
    for names in _chunks(scope.names[_KINDS[asset_type]], after):
        for row in call.store.all(
            f"SELECT {COLUMNS} FROM search_index WHERE name IN ({_marks(names)}) AND name > ? ORDER BY name",  # noqa: S608
            *names,
            after,
        ):
            yield row[0], _node(call, asset_type, read_node(row))


def _below_projects(call: Call, scope: Scope, after: str, select: str, column: str, show: Any) -> Iterator[tuple[str, Json]]:
    """Rows of a table whose key is (project, column), project after project."""
    first, _, last = after.partition(" ")
    for names in _chunks(scope.names["projects"], first):
        while True:
            rows = call.store.all(
                f"{select} WHERE project IN ({_marks(names)}) AND (project, {column}) > (?, ?) "
                f"ORDER BY project, {column} LIMIT {_PIECE}",
                *names,
                first,
                last,
            )
            for row in rows:
                shown = show(call, row)
                if shown is not None:
                    yield f"{row[0]} {row[1]}", shown
            if len(rows) < _PIECE:
                break
            first, last = rows[-1][0], rows[-1][1]


def _seconds(micros: int) -> str:
    """The inventory's times have whole seconds (discovery document)."""
    return rfc3339(micros)[:19] + "Z"


def _place(call: Call, name: str) -> Json:
    """Project, folders and organisation of a node, itself among them."""
    out: Json = {}
    folders = []
    for ancestor in call.cloud.hierarchy.chain(name):
        if ancestor.startswith("projects/"):
            out["project"] = ancestor
        elif ancestor.startswith("folders/"):
            folders.append(ancestor)
        else:
            out["organization"] = ancestor
    if folders:
        out["folders"] = folders
    return out


def _full_name(node: Node) -> str:
    """Projects are named by id there (answers pasted in public repositories)."""
    return f"//{RESOURCES}/projects/{node.project_id}" if node.is_project else f"//{RESOURCES}/{node.name}"


def _parent(call: Call, name: str | None) -> Json:
    node = call.cloud.hierarchy.get(name) if name else None
    if node is None:
        return {}
    return {"parentFullResourceName": _full_name(node), "parentAssetType": _TYPE_OF[node.kind]}


def _node(call: Call, asset_type: str, node: Node) -> Json:
    state = node.state if node.state == "DELETE_REQUESTED" else "ACTIVE"  # a suspension is no lifecycle state
    resource: Json = {"name": node.name, "displayName": node.display_name, "state": state, "createTime": rfc3339(node.created)}
    out: Json = {"name": _full_name(node), "assetType": asset_type, **_place(call, node.name)}
    out |= {"displayName": node.display_name, "location": "global"}
    if node.is_project:
        out["additionalAttributes"] = {"projectId": node.project_id}
        resource["projectId"] = node.project_id
    if node.parent:
        resource["parent"] = node.parent
    if labels := node.doc.get("labels"):
        out["labels"] = resource["labels"] = labels
    out |= {"createTime": _seconds(node.created), "state": state, **_parent(call, node.parent)}
    out["versionedResources"] = [{"version": "v3", "resource": resource}]
    return out


def _key(call: Call, row: tuple[str, str, int, int | None, str]) -> Json | None:
    """A key, deleted ones too until they are purged: commitgcp/gcp-apikeys-inspector, a public program, reads them so."""
    project, _, created, deleted, text = row
    lag = call.cloud.weather.spread("search")
    if created + lag > call.now:
        return None
    doc: Json = json.loads(text)
    if deleted is not None and deleted + lag > call.now:
        doc.pop("deleteTime", None)
    out: Json = {"name": f"//apikeys.googleapis.com/{doc['name']}", "assetType": KEY, **_place(call, project)}
    if "displayName" in doc:
        out["displayName"] = doc["displayName"]
    out |= {"location": "global", "createTime": doc["createTime"][:19] + "Z", "updateTime": doc["updateTime"][:19] + "Z"}
    out |= _parent(call, project)
    out["versionedResources"] = [{"version": "v2", "resource": doc}]
    return out


def _service(call: Call, row: tuple[str, str, int]) -> Json | None:
    """An enabled service. Public scripts ask for `state:ENABLED AND name:*generativelanguage...*` and read `project`."""
    project, service, since = row
    if since + call.cloud.weather.spread("search") > call.now:
        return None
    name = f"{project}/services/{service}"
    return {
        "name": f"//serviceusage.googleapis.com/{name}",
        "assetType": SERVICE,
        **_place(call, project),
        "displayName": service,  # unsourced: that it is the name and not the title
        "location": "global",
        "state": "ENABLED",
        **_parent(call, project),
        "versionedResources": [{"version": "v1", "resource": {"name": name, "parent": project, "state": "ENABLED"}}],
    }
