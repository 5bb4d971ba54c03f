"""Where a caller may look, and for what: scopes and permissions of the inventory's methods."""

from __future__ import annotations

import re

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.inventory import Scope
from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.services.cloudasset.scope import scope_of

_PREFIX = "cloudasset.assets."


def node_of(call: Call, name: str, field: str = "scope") -> str:
    """The canonical name of `projects/P`, `folders/N` or `organizations/N`, as sent where there is none of that name."""
    if not re.fullmatch(r"(projects/[a-z0-9.:-]+|(folders|organizations)/[0-9]+)", name):
        raise invalid(f"Invalid {field} '{name[:120]}': expected projects/*, folders/* or organizations/*.", field)
    node = call.world.hierarchy.get(name)
    return node.name if node else name


def scope(call: Call, name: str, *permissions: str) -> Scope:
    """What lies at and below a node, for whoever holds all these permissions (without `cloudasset.assets.`) there."""
    node = node_of(call, name)
    for permission in permissions:
        call.require(f"{_PREFIX}{permission}", node, shown=name)
    return scope_of(call, node)


def listed(call: Call, name: str, whole: str, each: list[str]) -> Scope:
    """The same for a list: one permission for every kind of asset, or one for each kind that is asked for."""
    node = node_of(call, name, "parent")
    held = call.permissions(node)
    if f"{_PREFIX}{whole}" not in held and not (each and all(f"{_PREFIX}{one}" in held for one in each)):
        call.require(f"{_PREFIX}{whole}", node, shown=name)
    return scope_of(call, node)
