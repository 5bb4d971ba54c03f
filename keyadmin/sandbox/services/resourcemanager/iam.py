"""GetIamPolicy, SetIamPolicy and TestIamPermissions of projects, folders and organisations, in every version of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keyadmin.sandbox.api import Api, Call, Rule
from keyadmin.sandbox.messages.shape import camel
from keyadmin.sandbox.messages.status import failed_precondition, invalid
from keyadmin.sandbox.services.iam import binding_checks
from keyadmin.sandbox.services.resourcemanager import nodes
from keyadmin.sandbox.state import allow_policy, permissions
from keyadmin.sandbox.state.policies import Held

Json = dict[str, Any]

_REQUESTS = "google.iam.v1"
_POLICY = "google.iam.v1.Policy"
MOST_PERMISSIONS = 100  # a call (reported)


def declare(
    api: Api, kind: str, route: str, *, prefix: str = "", rest_only: bool = False, words: Callable[[Rule], Rule] | None = None
) -> None:
    """Declare the three methods of a kind of resource at a route such as `/v3/{resource=projects/*}`.

    `prefix` goes before the resource where the route leaves it out; `words` changes how errors are told.
    """
    rules: tuple[tuple[str, Any, str, bool], ...] = (
        ("get_iam_policy", get_iam_policy, _POLICY, False),
        ("set_iam_policy", set_iam_policy, _POLICY, True),
        ("test_iam_permissions", test_iam_permissions, f"{_REQUESTS}.TestIamPermissionsResponse", False),
    )
    for name, rule, response, writes in rules:

        def method(call: Call, request: Json, rule: Any = rule) -> Json:
            answer: Json = rule(call, kind, request | {"resource": prefix + request.get("resource", "")})
            return answer

        method.__name__ = name
        verb = camel(name)
        api.method(
            f"POST {route}:{verb}",
            body="*",
            request=f"{_REQUESTS}.{verb[0].upper()}{verb[1:]}Request",
            response=None if rest_only else response,
            writes=writes,
        )(words(method) if words else method)


def get_iam_policy(call: Call, kind: str, request: Json) -> Json:
    """GetIamPolicy."""
    node = nodes.find(call, request.get("resource", ""), kind, f"resourcemanager.{kind}.getIamPolicy", "resource")
    return allow_policy.visible(call.world.policies.get(node.name), request)


def set_iam_policy(call: Call, kind: str, request: Json) -> Json:
    """SetIamPolicy: audit settings stay unless the mask names them; whoever's etag is old is refused (ABORTED)."""
    shown = request.get("resource", "")
    nodes.check_name(shown, kind, "resource")
    if (asked := call.world.hierarchy.get(shown)) is not None:
        call.attributes[binding_checks.MODIFIED] = binding_checks.modified_roles(call.world.policies.get(asked.name), request)
    node = nodes.find(call, shown, kind, f"resourcemanager.{kind}.setIamPolicy", "resource")
    if node.state == "DELETE_REQUESTED":
        raise failed_precondition("Precondition check failed.")  # unsourced: code and wording
    stored = call.world.policies.get(node.name)
    policy = allow_policy.replaced(stored, request, call.now)
    binding_checks.check(call, node, shown, stored.get("bindings", []), policy.get("bindings", []))
    call.world.policies.put(node.name, policy)
    return policy


def test_iam_permissions(call: Call, kind: str, request: Json) -> Json:
    """TestIamPermissions: the held ones in the order asked. No permission is needed to ask.

    Nothing is held on a resource that does not exist: google.iam.v1 documents an empty answer and no error for it.
    """
    nodes.check_name(request.get("resource", ""), kind, "resource")
    wanted = list(dict.fromkeys(request.get("permissions", ())))
    if len(wanted) > MOST_PERMISSIONS:
        # unsourced: the wording
        raise invalid(f"At most {MOST_PERMISSIONS} permissions can be tested in one call, not {len(wanted)}.", "permissions")
    for permission in wanted:
        if not permissions.valid_on(kind, permission):
            # unsourced: the wording; the code is reported
            raise invalid(f"Permission {permission[:120]} is not valid for this resource.", "permissions")
    node = call.world.hierarchy.get(request["resource"])
    held = call.permissions(node.name) if node is not None else Held()
    found = [permission for permission in wanted if permission in held]
    return {"permissions": found} if found else {}
