"""Service accounts and custom roles in seeds."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.seed_part import BadSeed, Part
from keyadmin.sandbox.services.iam import rows
from keyadmin.sandbox.services.iam.rows import Account
from keyadmin.sandbox.state.allow_policy import new_etag
from keyadmin.sandbox.state.hierarchy import Node, account_email
from keyadmin.sandbox.world import World


def first(world: World, seed: Part) -> None:
    """`customRoles`."""
    for name, permissions in seed.take("customRoles", dict, {}).items():
        if not isinstance(permissions, list) or not all(isinstance(item, str) for item in permissions):
            raise BadSeed(f"customRoles.{name}: expected a list of permissions")
        if name.count("/") != 3 or name.split("/")[0] not in ("organizations", "projects") or name.split("/")[2] != "roles":
            raise BadSeed(f"customRoles.{name}: expected organizations/N/roles/ID or projects/ID/roles/ID")
        put_custom_role(world, name, permissions)


def project(world: World, part: Part, node: Node) -> None:
    """`serviceAccounts` of a project."""
    for account in part.texts("serviceAccounts", r"[a-z0-9-]{1,63}(@[^/\s]+)?", "a name"):
        put_account(world, node.name, node.project_id or "", account.partition("@")[0], node.created)


def put_account(world: World, project: str, project_id: str, account_id: str, created: int) -> str:
    """Make a service account unless it is there, within the caller's transaction; its e-mail address."""
    email = account_email(account_id, project_id)
    rows.insert(world.store, Account(email, rows.new_unique_id(), project, created, None, {}))
    return email


def put_custom_role(world: World, name: str, permissions: list[str]) -> None:
    """Make or replace a custom role, within the caller's transaction."""
    doc: dict[str, Any] = {"name": name, "title": name.rpartition("/")[2], "includedPermissions": permissions, "stage": "GA"}
    world.policies.put_role(name, doc | {"etag": new_etag(world.clock.now())})
