"""Secrets in seeds."""

from __future__ import annotations

from keyadmin.sandbox.seed_part import BadSeed, Part
from keyadmin.sandbox.services.secretmanager.api import put_secret
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.world import World


def project(world: World, part: Part, node: Node) -> None:
    """`secrets` of a project, values by name."""
    for secret, values in part.take("secrets", dict, {}).items():
        part.matching("secrets", secret, r"[A-Za-z0-9_-]{1,255}", "names of secrets")
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise BadSeed(f"{part.at('secrets')}.{secret}: expected a list of values")
        put_secret(world, node.name, secret, values)
