"""IAM API v1: which permissions can be tested on a resource, and which roles granted there."""

from __future__ import annotations

import re
from typing import Any, Final

from keyadmin.data import all_permissions, predefined_role_names
from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import invalid, not_found
from keyadmin.sandbox.services.iam.api import api
from keyadmin.sandbox.services.iam.role_refusals import grantable
from keyadmin.sandbox.services.iam.roles import custom_roles, page_of, shown
from keyadmin.sandbox.state.hierarchy import Node
from keyadmin.sandbox.state.permissions import valid_on

Json = dict[str, Any]

# gcloud writes the host that its endpoint override names.
_FULL_NAME = re.compile(r"//(?:cloudresourcemanager\.googleapis\.com|127\.0\.0\.1:\d+|localhost:\d+|\[::1\]:\d+)/([^/]+/[^/]+)")
# The API that a permission's first word belongs to, where it has another name.
_HOSTS: Final = {"resourcemanager": "cloudresourcemanager.googleapis.com"}
_ALWAYS_ON: Final = ("cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com")


def _node(call: Call, full_name: str) -> Node:
    """The project, folder or organisation of a full resource name."""
    found = _FULL_NAME.fullmatch(full_name)
    if not found:
        # unsourced: code and wording for resources of other services, which the sandbox does not have
        expected = "//cloudresourcemanager.googleapis.com/projects/*"
        raise invalid(f"Invalid full resource name '{full_name[:160]}': expected {expected}.", "full_resource_name")
    node = call.world.hierarchy.get(found[1])
    if node is None:
        raise not_found("Requested entity was not found.")  # unsourced
    return node


@api.method(
    "POST /v1/permissions:queryTestablePermissions",
    body="*",
    request="QueryTestablePermissionsRequest",
    response="QueryTestablePermissionsResponse",
    writes=False,
)
def query_testable_permissions(call: Call, request: Json) -> Json:
    """QueryTestablePermissions: of those that the sandbox knows; 100 a page, at most 1,000. No permission is needed."""
    node = _node(call, request.get("fullResourceName", ""))
    names = sorted(name for name in all_permissions() if valid_on(node.kind, name))
    docs = [_permission(call, node, name) for name in names]
    return page_of(request, "QueryTestablePermissions", docs, "permissions", default=100)


def _permission(call: Call, node: Node, name: str) -> Json:
    """`customRolesSupportLevel` SUPPORTED is the default and not shown."""
    out: Json = {"name": name, "stage": "GA"}
    family = name.partition(".")[0]
    host = _HOSTS.get(family, f"{family}.googleapis.com")
    if node.is_project and host not in _ALWAYS_ON and call.world.hierarchy.enabled_since(node.name, host) is None:
        out["apiDisabled"] = True
    return out


@api.method(
    "POST /v1/roles:queryGrantableRoles",
    body="*",
    request="QueryGrantableRolesRequest",
    response="QueryGrantableRolesResponse",
    writes=False,
)
def query_grantable_roles(call: Call, request: Json) -> Json:
    """QueryGrantableRoles: predefined ones, and custom ones of the resource and what lies above it; 300 a page."""
    node = _node(call, request.get("fullResourceName", ""))
    full = request.get("view") == "FULL"
    docs: list[Json] = [{"name": name} for name in predefined_role_names() if grantable(node.kind, name)]
    for holder in call.world.hierarchy.chain(node.name):
        docs += custom_roles(call, holder, full=full)
    docs.sort(key=lambda doc: str(doc["name"]))
    return page_of(request, "QueryGrantableRoles", docs, "roles", show=lambda doc: shown(doc, full=full))
