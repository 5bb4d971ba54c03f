"""GetIamPolicy, SetIamPolicy and TestIamPermissions of projects, folders and organisations, in every version of the API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from keyadmin.sandbox import allow_policy, binding_checks
from keyadmin.sandbox.policy import known_permissions
from keyadmin.sandbox.services import nodes
from keyadmin.sandbox.shape import camel
from keyadmin.sandbox.status import failed_precondition, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyadmin.sandbox.api import Api, Call, Rule

Json = dict[str, Any]

_REQUESTS = "google.iam.v1.iam_policy_pb2"
_POLICY = "google.iam.v1.policy_pb2:Policy"
MOST_PERMISSIONS = 100  # a call (reported)
# What cannot be held on a project (the first two reported, the others from their lowest-level resource in the permissions
# reference), and on a folder.
_NOT_ON_PROJECTS = re.compile(
    r"resourcemanager\.projects\.(create|list)|resourcemanager\.(folders|organizations|tagKeys|tagValues)\..*"
    r"|billing\.accounts\..*|iam\.workforcePool.*"
)
_NOT_ON_FOLDERS = re.compile(r"resourcemanager\.organizations\..*|billing\.accounts\..*|iam\.workforcePool.*")
_NOT_ON = {"projects": _NOT_ON_PROJECTS, "folders": _NOT_ON_FOLDERS}
_FORM = re.compile(r"[a-z][a-zA-Z0-9]*(\.[a-zA-Z][a-zA-Z0-9]*){2,}")
# Services of which every permission is known here: another name is a mistake. Elsewhere a well-formed name that is not known
# counts as valid and not held.
_COMPLETE = ("apikeys.",)


def declare(
    api: Api, kind: str, route: str, *, prefix: str = "", rest_only: bool = False, words: Callable[[Rule], Rule] | None = None
) -> None:
    """Declare the three methods of a kind of resource at a route such as `/v3/{resource=projects/*}`.

    `prefix` goes before the resource where the route leaves it out; `words` changes how errors are told.
    """
    rules: tuple[tuple[str, Any, str, bool], ...] = (
        ("get_iam_policy", get_iam_policy, _POLICY, False),
        ("set_iam_policy", set_iam_policy, _POLICY, True),
        ("test_iam_permissions", test_iam_permissions, f"{_REQUESTS}:TestIamPermissionsResponse", False),
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
            request=f"{_REQUESTS}:{verb[0].upper()}{verb[1:]}Request",
            response=None if rest_only else response,
            writes=writes,
        )(words(method) if words else method)


def get_iam_policy(call: Call, kind: str, request: Json) -> Json:
    """GetIamPolicy."""
    node = nodes.find(call, request.get("resource", ""), kind, f"resourcemanager.{kind}.getIamPolicy", "resource")
    return allow_policy.visible(call.cloud.policies.get(node.name), request)


def set_iam_policy(call: Call, kind: str, request: Json) -> Json:
    """SetIamPolicy: audit settings stay unless the mask names them; whoever's etag is old is refused (ABORTED)."""
    shown = request.get("resource", "")
    node = nodes.find(call, shown, kind, f"resourcemanager.{kind}.setIamPolicy", "resource")
    if node.state == "DELETE_REQUESTED":
        raise failed_precondition("Precondition check failed.")  # unsourced: code and wording
    stored = call.cloud.policies.get(node.name)
    policy = allow_policy.replaced(stored, request, call.now)
    binding_checks.check(call, node, shown, stored.get("bindings", []), policy.get("bindings", []))
    call.cloud.policies.put(node.name, policy)
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
        if not valid_on(kind, permission):
            # unsourced: the wording; the code is reported
            raise invalid(f"Permission {permission[:120]} is not valid for this resource.", "permissions")
    node = call.cloud.hierarchy.get(request["resource"])
    held = call.permissions(node.name) if node is not None else frozenset()
    found = [permission for permission in wanted if permission in held]
    return {"permissions": found} if found else {}


def valid_on(kind: str, permission: str) -> bool:
    """Whether it is a permission that applies to `projects`, `folders` or `organizations`."""
    rule = _NOT_ON.get(kind)
    unknown = permission.startswith(_COMPLETE) and permission not in known_permissions()
    return not (unknown or not _FORM.fullmatch(permission) or (rule is not None and rule.fullmatch(permission)))
