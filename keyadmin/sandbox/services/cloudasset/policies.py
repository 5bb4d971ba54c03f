"""The allow policies below a node, each with the full name of what it is attached to, as the inventory names it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from keyadmin.sandbox.inventory import NODE_TYPES, RESOURCES, Scope, place
from keyadmin.sandbox.world import World

Json = dict[str, Any]

_BELOW = re.compile(r"(projects/[0-9]+)/(secrets|serviceAccounts)/([^/]+)")
SECRET, ACCOUNT = "secretmanager.googleapis.com/Secret", "iam.googleapis.com/ServiceAccount"
POLICY_TYPES = (*NODE_TYPES.values(), SECRET, ACCOUNT)


def attached(world: World, scope: Scope) -> Iterator[tuple[str, Json]]:
    """(resource as IAM keeps it, policy), in the order of the resources' names."""
    for resource, *_ in world.store.all("SELECT resource FROM policies ORDER BY resource"):
        if _inside(scope, resource) and (policy := world.policies.get(resource)).get("bindings"):
            yield resource, policy


def _inside(scope: Scope, resource: str) -> bool:
    kind, number = resource.split("/")[:2]
    names = scope.names.get(kind, ())
    return bisect_left(names, f"{kind}/{number}") < bisect_right(names, f"{kind}/{number}")


def described(world: World, resource: str) -> tuple[str, str] | None:
    """The full resource name and the asset type of what a policy is attached to; None where it is gone."""
    node = world.hierarchy.get(resource)
    if node is not None:
        return f"//{RESOURCES}/{resource}", NODE_TYPES[node.kind]
    found = _BELOW.fullmatch(resource)
    if found is None:
        return None
    project, kind, name = found.groups()
    if kind == "secrets":
        return f"//secretmanager.googleapis.com/{resource}", SECRET
    row = world.store.one("SELECT unique_id FROM service_accounts WHERE email = ? OR unique_id = ?", name, name)
    owner = world.hierarchy.get(project)
    if row is None or owner is None:
        return None
    return f"//iam.googleapis.com/projects/{owner.project_id}/serviceAccounts/{row[0]}", ACCOUNT


def shown(policy: Json) -> Json:
    """A policy as the inventory shows it: bindings alone."""
    return {"bindings": policy.get("bindings", [])}


def home(world: World, resource: str) -> Json:
    """Project, folders and organisation of what a policy is attached to."""
    return place(world, "/".join(resource.split("/")[:2]))
