"""google.longrunning.Operations: polled under one name on gRPC, and under each API's version on REST."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import OPERATION, Api, Call
from keyadmin.sandbox.messages.status import invalid

Json = dict[str, Any]

api = Api(
    "google.longrunning.Operations",
    "longrunning.googleapis.com",
    "Long Running Operations API",
    "google.longrunning.operations_pb2",
    always_on=True,
)


@api.method(
    "GET /v1/{name=operations/**}",
    "GET /v2/{name=operations/**}",
    "GET /v3/{name=operations/**}",
    request="GetOperationRequest",
    response=OPERATION,
)
def get_operation(call: Call, request: Json) -> Json:
    """GetOperation: whoever knows the name may read it, as nothing beyond the five permissions is needed to create a key."""
    name = request.get("name", "")
    if not name.startswith("operations/") or name == "operations/noop.DONE_OPERATION":  # the latter reported
        raise invalid(f"Invalid operation name '{name[:120]}'.", "name")
    return call.world.operations.get(name)
