"""Secrets and versions by name, for callers who may; the policies on secrets; etags."""

from __future__ import annotations

import re
from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import Code, RpcError, error_info, failed_precondition, invalid, not_found
from keyadmin.sandbox.services.secretmanager import locations
from keyadmin.sandbox.services.secretmanager import rows as secret_rows
from keyadmin.sandbox.services.secretmanager.rows import SecretRow, VersionRow
from keyadmin.sandbox.state import allow_policy
from keyadmin.sandbox.state.policies import Held

Json = dict[str, Any]

HOST = "secretmanager.googleapis.com"
SECRET = "projects/*/secrets/*"  # noqa: S105 - a path template
VERSION = "projects/*/secrets/*/versions/*"
_HOME = re.compile(r"projects/([^/]+)(/locations/([a-z0-9-]+))?")
_NAME = re.compile(r"(projects/[^/]+(?:/locations/[a-z0-9-]+)?)/secrets/([^/]+)")


def _denied(permission: str, resource: str) -> RpcError:
    """In Secret Manager's own words; the same for what is missing and what may not be seen."""
    return RpcError(
        Code.PERMISSION_DENIED,
        f"Permission '{permission}' denied for resource '{resource}' (or it may not exist).",
        error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=permission, resource=resource),
    )


def project(call: Call, name: str, permission: str) -> str:
    """Where secrets are kept, for whoever holds the permission on the project: `projects/NUMBER` or, for regional secrets,
    `projects/NUMBER/locations/REGION`."""
    found = _HOME.fullmatch(name)
    if found is None:
        raise invalid(f"Invalid resource name '{name[:120]}': expected projects/*.", "parent")
    node = call.world.hierarchy.project(found[1])
    if node is None or not call.holds(permission, node.name):
        raise _denied(permission, name)
    if found[3] and found[3] not in locations.REGIONS:
        raise invalid(f"Invalid location '{found[3]}'.", "parent")  # unsourced: code and wording
    secret_rows.settle(call.store, call.now)
    return f"{node.name}{found[2] or ''}"


def _split(call: Call, name: str, field: str) -> tuple[str, str, str]:
    """Of `projects/P[/locations/L]/secrets/S`: the project (canonical name, empty for none), where it is kept, and S."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise invalid(f"Invalid resource name '{name[:160]}': expected {SECRET}.", field)
    parts = found[1].split("/")
    node = call.world.hierarchy.project(parts[1])
    return (node.name, "/".join([node.name, *parts[2:]]), found[2]) if node else ("", "", found[2])


def _found(call: Call, name: str, permission: str, shown: str, field: str) -> tuple[SecretRow | None, str]:
    """The secret, if there is one and the caller holds the permission on it or above, and its canonical name."""
    project, home, secret_id = _split(call, name, field)
    if not project:
        raise _denied(permission, shown)
    secret_rows.settle(call.store, call.now)
    canonical = f"{home}/secrets/{secret_id}"
    if not call.holds(permission, canonical, project):
        raise _denied(permission, shown)
    return secret_rows.get(call.store, home, secret_id), canonical


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
    project, home, secret_id = _split(call, request.get("resource", ""), "resource")
    held = Held()
    if project and secret_rows.get(call.store, home, secret_id) is not None:
        held = call.permissions(f"{home}/secrets/{secret_id}", project)
    wanted = dict.fromkeys(request.get("permissions", ()))
    for permission in wanted:
        if not permission.startswith("secretmanager."):
            raise invalid(f"Permission {permission[:120]} is not valid for this resource.", "permissions")
    found = [permission for permission in wanted if permission in held]
    return {"permissions": found} if found else {}
