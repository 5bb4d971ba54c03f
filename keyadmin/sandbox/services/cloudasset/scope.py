"""What lies below an organisation, folder or project, as the search index has it."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.inventory import NODE_TYPES, Scope
from keyadmin.sandbox.world import World

_scopes: WeakKeyDictionary[World, dict[tuple[Any, ...], Scope]] = WeakKeyDictionary()


def scope_of(call: Call, name: str) -> Scope:
    """The names below a node (canonical name), kept as long as the search index stands."""
    call.world.hierarchy.catch_up(call.now)
    index = call.store.one("SELECT count(*), min(ready) FROM search_pending")
    version = (call.store.generation, *index)
    kept = _scopes.setdefault(call.world, {})
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
    names: dict[str, list[str]] = {kind: [] for kind in NODE_TYPES}
    left = [top]
    while left:
        name = left.pop()
        names[name.partition("/")[0]].append(name)
        left += children.get(name, ())
    return names
