"""google.longrunning.Operations: polled under one name on gRPC, and under each API's version on REST."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import OPERATION, Api, Call
from keyadmin.sandbox.messages.status import Code, RpcError, invalid

Json = dict[str, Any]

api = Api(
    "google.longrunning.Operations",
    "",  # part of every API: none needs to be on
    "Long Running Operations API",
    "google.longrunning",
)


@api.method(
    "GET /v1/{name=operations/**}",
    "GET /v1beta1/{name=operations/**}",
    "GET /v2/{name=operations/**}",
    "GET /v3/{name=operations/**}",
    request="GetOperationRequest",
    response=OPERATION,
)
def get_operation(call: Call, request: Json) -> Json:
    """GetOperation: for who may do what made the operation (an operation that needed nothing is its maker's alone).

    Nothing beyond the five permissions is needed to create a key.
    """
    name = request.get("name", "")
    if (
        not (name.startswith("operations/") or "/operations/" in name) or name == "operations/noop.DONE_OPERATION"
    ):  # the latter reported
        raise invalid(f"Invalid operation name '{name[:120]}'.", "name")
    return read(call, name)


def read(call: Call, name: str) -> Json:
    """An operation of whatever name, for who may do what made it. Raises NOT_FOUND or PERMISSION_DENIED."""
    principal, needs = call.world.operations.readers(name)
    for permission, *resources in needs:
        call.require(permission, *resources, shown=name)
    if not needs and principal != call.principal:
        raise RpcError(Code.PERMISSION_DENIED, f"Permission denied on operation '{name}' (or it may not exist).")
    return call.world.operations.get(name)
