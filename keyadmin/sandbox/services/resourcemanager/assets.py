"""Organisations, folders and projects as Cloud Asset Inventory shows them: from the search index, which lags behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyadmin.sandbox.inventory import NODE_TYPES, AssetType, Scope, chunks, full_name, marks, parent, place, seconds
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.state.hierarchy import COLUMNS, Node, read_node
from keyadmin.sandbox.world import World

Json = dict[str, Any]


def _type(kind: str) -> AssetType:
    def read(world: World, scope: Scope, after: str, now: int) -> Iterator[tuple[str, Json]]:
        for names in chunks(scope.names[kind], after):
            for row in world.store.all(
                f"SELECT {COLUMNS} FROM search_index WHERE name IN ({marks(names)}) AND name > ? ORDER BY name",  # noqa: S608
                *names,
                after,
            ):
                node = read_node(row)
                if node.created + world.faults.spread("inventory") <= now:
                    yield row[0], _node(world, NODE_TYPES[kind], node)

    def one(world: World, cursor: str, now: int) -> Json | None:
        row = world.store.one(f"SELECT {COLUMNS} FROM search_index WHERE name = ?", cursor)  # noqa: S608
        return _node(world, NODE_TYPES[kind], read_node(row)) if row else None

    return AssetType(NODE_TYPES[kind], read, one)


def _node(world: World, asset_type: str, node: Node) -> Json:
    state = node.state if node.state == "DELETE_REQUESTED" else "ACTIVE"  # a suspension is no lifecycle state
    resource: Json = {"name": node.name, "displayName": node.display_name, "state": state, "createTime": rfc3339(node.created)}
    out: Json = {"name": full_name(node), "assetType": asset_type, **place(world, node.name)}
    out |= {"displayName": node.display_name, "location": "global"}
    if node.is_project:
        out["additionalAttributes"] = {"projectId": node.project_id}
        resource["projectId"] = node.project_id
    if node.parent:
        resource["parent"] = node.parent
    if labels := node.doc.get("labels"):
        out["labels"] = resource["labels"] = labels
    out |= {"createTime": seconds(node.created), "state": state, **parent(world, node.parent)}
    out["versionedResources"] = [{"version": "v3", "resource": resource}]
    return out


ASSETS = tuple(map(_type, NODE_TYPES))
