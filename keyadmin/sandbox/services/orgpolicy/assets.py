"""Organisation policies as Cloud Asset Inventory shows them: one appears, or goes, some time after it was set or taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyadmin.sandbox.inventory import AssetType, Scope, lag, parent, place, seconds
from keyadmin.sandbox.world import World

Json = dict[str, Any]

POLICY = "orgpolicy.googleapis.com/Policy"


def _policy(world: World, row: tuple[str, str, int], now: int) -> Json | None:
    """A policy by its name; the resource itself is left out."""
    # unsourced: what else a search shows of one
    node, constraint, changed = row
    if changed + lag(world) > now:
        return None
    name = f"//orgpolicy.googleapis.com/{node}/policies/{constraint}"
    return {"name": name, "assetType": POLICY, **place(world, node), "updateTime": seconds(changed), **parent(world, node)}


def _read(world: World, scope: Scope, after: str, now: int) -> Iterator[tuple[str, Json]]:
    """See AssetType.read."""
    inside = {name for names in scope.names.values() for name in names}
    rows = world.store.all(
        "SELECT node, constraint_name, changed FROM org_policies WHERE doc IS NOT NULL ORDER BY node, constraint_name"
    )
    for node, constraint, changed in rows:
        cursor = f"{node} {constraint}"
        if node in inside and cursor > after and (shown := _policy(world, (node, constraint, changed), now)) is not None:
            yield cursor, shown


def _one(world: World, cursor: str, now: int) -> Json | None:
    """See AssetType.one."""
    node, _, constraint = cursor.partition(" ")
    row = world.store.one(
        "SELECT node, constraint_name, changed FROM org_policies WHERE node = ? AND constraint_name = ? AND doc IS NOT NULL",
        node,
        constraint,
    )
    return _policy(world, row, now) if row else None


ASSETS = (AssetType(POLICY, _read, _one),)
