"""Enabled services in seeds."""

from __future__ import annotations

from keyadmin.sandbox.seed_part import Part
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.world import World


def project(world: World, part: Part, node: Node) -> None:
    """`services` that are enabled in a project."""
    for service in part.texts("services", r"[A-Za-z0-9.-]{1,253}", "a service name"):
        world.store.run("INSERT OR IGNORE INTO services VALUES (?, ?, ?)", node.name, service, node.created)
