"""Kinds of resources as Cloud Asset Inventory sees them, and what services need to show theirs there.

The inventory lags behind (faults.spread("search") and, longer, "inventory"): nodes come from the hierarchy's own search index.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.world import World

Json = dict[str, Any]

RESOURCES = "cloudresourcemanager.googleapis.com"
NODE_TYPES = {
    "organizations": f"{RESOURCES}/Organization",
    "folders": f"{RESOURCES}/Folder",
    "projects": f"{RESOURCES}/Project",
}
_CHUNK = 300  # names in one statement
_PIECE = 1000  # rows read at once


@dataclass(frozen=True)
class Scope:
    """What lies at and below an organisation, folder or project: names by kind, sorted."""

    names: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class AssetType:
    """One kind of resource. A cursor is a text that orders the resources of a kind and finds each of them again."""

    name: str  # apikeys.googleapis.com/Key
    read: Callable[[World, Scope, str, int], Iterator[tuple[str, Json]]]  # (cursor, result) behind a cursor, at a time
    one: Callable[[World, str, int], Json | None]  # the result at a cursor, if it is still there


TYPES: dict[str, AssetType] = {}  # by name; filled from the services by registry.py


def chunks(names: tuple[str, ...], first: str) -> Iterator[tuple[str, ...]]:
    """The names from one on, in handy numbers."""
    for start in range(bisect_left(names, first), len(names), _CHUNK):
        yield names[start : start + _CHUNK]


def marks(names: tuple[str, ...]) -> str:
    """As many question marks."""
    return ", ".join("?" * len(names))


@dataclass(frozen=True)
class ProjectRows:
    """Assets that are rows of a table whose key is (project, column)."""

    select: str  # SELECT project, COLUMN, ... FROM ...
    column: str
    show: Callable[[World, Any, int], Json | None]

    def read(self, world: World, scope: Scope, after: str, now: int) -> Iterator[tuple[str, Json]]:
        """Project after project; see AssetType.read."""
        first, _, last = after.partition(" ")
        for names in chunks(scope.names["projects"], first):
            while True:
                rows = world.store.all(
                    f"{self.select} WHERE project IN ({marks(names)}) AND (project, {self.column}) > (?, ?) "
                    f"ORDER BY project, {self.column} LIMIT {_PIECE}",
                    *names,
                    first,
                    last,
                )
                for row in rows:
                    shown = self.show(world, row, now)
                    if shown is not None:
                        yield f"{row[0]} {row[1]}", shown
                if len(rows) < _PIECE:
                    break
                first, last = rows[-1][0], rows[-1][1]

    def one(self, world: World, cursor: str, now: int) -> Json | None:
        """See AssetType.one."""
        project, _, rest = cursor.partition(" ")
        row = world.store.one(f"{self.select} WHERE project = ? AND {self.column} = ?", project, rest)
        return self.show(world, row, now) if row else None


def lag(world: World) -> int:
    """Microseconds that the inventory lags behind."""
    return max(world.faults.spread("search"), world.faults.spread("inventory"))


def seconds(micros: int) -> str:
    """The inventory's times have whole seconds (discovery document)."""
    return rfc3339(micros)[:19] + "Z"


def place(world: World, name: str) -> Json:
    """Project, folders and organisation of a node, itself among them."""
    out: Json = {}
    folders = []
    for ancestor in world.hierarchy.chain(name):
        if ancestor.startswith("projects/"):
            out["project"] = ancestor
        elif ancestor.startswith("folders/"):
            folders.append(ancestor)
        else:
            out["organization"] = ancestor
    if folders:
        out["folders"] = folders
    return out


def full_name(node: Node) -> str:
    """Projects are named by id there (answers pasted in public repositories)."""
    return f"//{RESOURCES}/projects/{node.project_id}" if node.is_project else f"//{RESOURCES}/{node.name}"


def parent(world: World, name: str | None) -> Json:
    """What a result says of the node above it."""
    node = world.hierarchy.get(name) if name else None
    if node is None:
        return {}
    return {"parentFullResourceName": full_name(node), "parentAssetType": NODE_TYPES[node.kind]}
