"""Secrets and versions by name, for callers who may; the policies on secrets; etags."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import Code, RpcError, error_info, failed_precondition, invalid, not_found
from keyadmin.sandbox.services.secretmanager import rows as secret_rows
from keyadmin.sandbox.services.secretmanager.rows import SecretRow, VersionRow
from keyadmin.sandbox.state import allow_policy
from keyadmin.sandbox.state.policies import Held

Json = dict[str, Any]

HOST = "secretmanager.googleapis.com"
SECRET = "projects/*/secrets/*"  # noqa: S105 - a path template
VERSION = "projects/*/secrets/*/versions/*"


def _denied(permission: str, resource: str) -> RpcError:
    """In Secret Manager's own words; the same for what is missing and what may not be seen."""
    return RpcError(
        Code.PERMISSION_DENIED,
        f"Permission '{permission}' denied for resource '{resource}' (or it may not exist).",
        error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=permission, resource=resource),
    )


def project(call: Call, name: str, permission: str) -> str:
    """The project (canonical name) of `projects/P`, if the caller holds the permission there."""
    kind, _, reference = name.partition("/")
    if kind != "projects" or not reference or "/" in reference:
        raise invalid(f"Invalid resource name '{name[:120]}': expected projects/*.", "parent")
    node = call.world.hierarchy.project(reference)
    if node is None or not call.holds(permission, node.name):
        raise _denied(permission, name)
    secret_rows.settle(call.store, call.now)
    return node.name


def _found(call: Call, name: str, permission: str, shown: str, field: str) -> tuple[SecretRow | None, str]:
    """The secret, if there is one and the caller holds the permission on it or above, and its canonical name."""
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != "secrets" or not all(parts):
        raise invalid(f"Invalid resource name '{name[:160]}': expected {SECRET}.", field)
    node = call.world.hierarchy.project(parts[1])
    if node is None:
        raise _denied(permission, shown)
    secret_rows.settle(call.store, call.now)
    canonical = f"{node.name}/secrets/{parts[3]}"
    if not call.holds(permission, canonical, node.name):
        raise _denied(permission, shown)
    return secret_rows.get(call.store, node.name, parts[3]), canonical


def secret(call: Call, name: str, permission: str, field: str = "name") -> SecretRow:
    """`projects/P/secrets/S`. Raises NOT_FOUND for those who hold the permission on the project."""
    row, canonical = _found(call, name, permission, name, field)
    if row is None:
        raise not_found(f"Secret [{canonical}] not found.")
    return row


def version(call: Call, name: str, permission: str) -> VersionRow:
    """`projects/P/secrets/S/versions/V`, V a number, `latest` or an alias."""
    parent, slash, wanted = name.rpartition("/versions/")
    if not slash or not wanted or "/" in wanted:
        raise invalid(f"Invalid resource name '{name[:160]}': expected {VERSION}.", "name")
    row, canonical = _found(call, parent, permission, name, "name")
    if wanted == "latest" and (row is None or row.last_version == 0):
        raise not_found(f"Secret [{canonical}] not found or has no versions.")
    if row is None:
        raise not_found(f"Secret [{canonical}] not found.")
    number = _number(row, wanted)
    found = secret_rows.version(call.store, row, number) if number is not None else None
    if found is None:
        raise not_found(f"Secret Version [{canonical}/versions/{wanted[:80]}] not found.")
    return found


def _number(row: SecretRow, wanted: str) -> int | None:
    if wanted == "latest":
        return row.last_version
    if wanted.isascii() and wanted.isdigit():
        return int(wanted[:18])
    alias = row.doc.get("versionAliases", {}).get(wanted)
    return int(alias) if alias is not None else None


def check_etag(doc: Json, sent: str, what: str) -> None:
    """Refuse a change that was made for another state of the resource."""
    if sent and sent != doc["etag"]:
        # unsourced: code and wording
        raise failed_precondition(f"The etag provided in the request does not match the current etag of the {what}.")


def get_policy(call: Call, request: Json) -> Json:
    """GetIamPolicy."""
    row = secret(call, request.get("resource", ""), "secretmanager.secrets.getIamPolicy", "resource")
    return allow_policy.visible(call.world.policies.get(row.name), request)


def set_policy(call: Call, request: Json) -> Json:
    """SetIamPolicy."""
    row = secret(call, request.get("resource", ""), "secretmanager.secrets.setIamPolicy", "resource")
    policy = allow_policy.replaced(call.world.policies.get(row.name), request, call.now)
    call.world.policies.put(row.name, policy)
    return policy


def test_permissions(call: Call, request: Json) -> Json:
    """TestIamPermissions: the held ones in the order asked. No permission is needed to ask; nothing is held on a missing
    secret (google.iam.v1)."""
    parts = request.get("resource", "").split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != "secrets" or not all(parts):
        raise invalid(f"Invalid resource name '{request.get('resource', '')[:160]}': expected {SECRET}.", "resource")
    node = call.world.hierarchy.project(parts[1])
    held = Held()
    if node is not None and secret_rows.get(call.store, node.name, parts[3]) is not None:
        held = call.permissions(f"{node.name}/secrets/{parts[3]}", node.name)
    wanted = dict.fromkeys(request.get("permissions", ()))
    for permission in wanted:
        if not permission.startswith("secretmanager."):
            raise invalid(f"Permission {permission[:120]} is not valid for this resource.", "permissions")
    found = [permission for permission in wanted if permission in held]
    return {"permissions": found} if found else {}
