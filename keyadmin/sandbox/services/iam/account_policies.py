"""IAM API v1: who may do what with a service account, by its own allow policy."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.status import Code, RpcError, invalid
from keyadmin.sandbox.services.iam import binding_checks
from keyadmin.sandbox.services.iam.accounts import account_of
from keyadmin.sandbox.services.iam.api import api
from keyadmin.sandbox.state import allow_policy

Json = dict[str, Any]

_NAME = "/v1/{resource=projects/*/serviceAccounts/*}"
_MESSAGES = "google.iam.v1"
_POLICY = "google.iam.v1.Policy"


@api.method(f"POST {_NAME}:getIamPolicy", body="", request=f"{_MESSAGES}.GetIamPolicyRequest", response=_POLICY, writes=False)
def get_iam_policy(call: Call, request: Json) -> Json:
    """GetIamPolicy of a service account."""
    _, account = account_of(call, request.get("resource", ""), "iam.serviceAccounts.getIamPolicy")
    return allow_policy.visible(call.world.policies.get(account.resource), request)


@api.method(f"POST {_NAME}:setIamPolicy", body="*", request=f"{_MESSAGES}.SetIamPolicyRequest", response=_POLICY)
def set_iam_policy(call: Call, request: Json) -> Json:
    """SetIamPolicy of a service account."""
    shown = request.get("resource", "")
    node, account = account_of(call, shown, "iam.serviceAccounts.setIamPolicy")
    stored = call.world.policies.get(account.resource)
    policy = allow_policy.replaced(stored, request, call.now)
    binding_checks.check(call, node, shown, stored.get("bindings", []), policy.get("bindings", []), "serviceAccounts")
    call.world.policies.put(account.resource, policy)
    return policy


@api.method(
    f"POST {_NAME}:testIamPermissions",
    body="*",
    request=f"{_MESSAGES}.TestIamPermissionsRequest",
    response=f"{_MESSAGES}.TestIamPermissionsResponse",
    writes=False,
)
def test_iam_permissions(call: Call, request: Json) -> Json:
    """TestIamPermissions on a service account: the held ones in the order asked; none on one that does not exist."""
    held = []
    for permission in dict.fromkeys(request.get("permissions", ())):
        if not permission.startswith(("iam.serviceAccounts.", "iam.serviceAccountKeys.", "iam.serviceAccountApiKeyBindings.")):
            # unsourced: the wording
            raise invalid(f"Permission {permission[:120]} is not valid for this resource.", "permissions")
        if _holds(call, request.get("resource", ""), permission):
            held.append(permission)
    return {"permissions": held} if held else {}


def _holds(call: Call, name: str, permission: str) -> bool:
    try:
        account_of(call, name, permission)
    except RpcError as error:
        if error.code in (Code.PERMISSION_DENIED, Code.NOT_FOUND):
            return False
        raise
    return True
