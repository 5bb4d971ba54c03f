"""Service Usage API v1beta1: GenerateServiceIdentity alone (REST only). Shapes follow recorded traffic (2024 and 2025)."""

from __future__ import annotations

import hashlib
import random
from typing import Any

from keyadmin.sandbox.api import Api, Call
from keyadmin.sandbox.messages.status import invalid, not_active, permission_denied

Json = dict[str, Any]

api = Api("google.api.serviceusage.v1beta1.ServiceUsage", "serviceusage.googleapis.com", "Service Usage API")

_TYPE = "type.googleapis.com/google.api.serviceusage.v1beta1.ServiceIdentity"
# Services without an agent of that name (BigQuery is recorded).
_WITHOUT = frozenset({"bigquery"})


@api.method(
    "POST /v1beta1/{parent=projects/*/services/*}:generateServiceIdentity",
    body="*",
    request={"parent": "string"},
    response=None,
)
def generate_service_identity(call: Call, request: Json) -> Json:
    """GenerateServiceIdentity: the service's agent in a project, always the same."""
    _, project, _, service = request["parent"].split("/")
    node = call.world.hierarchy.project(project)
    if node is None or not call.holds("serviceusage.services.enable", node.name):
        raise permission_denied("serviceusage.services.enable", api.host, request["parent"])
    if node.state != "ACTIVE":
        raise not_active(api.host, node.name, node.state)
    short, _, rest = service.partition(".")
    if rest != "googleapis.com":
        raise invalid(f"Invalid service name '{service[:80]}'.", "parent")
    response: Json = {"@type": _TYPE}
    if short not in _WITHOUT:
        response["email"] = f"service-{node.number}@gcp-sa-{short}.iam.gserviceaccount.com"
        digest = hashlib.sha256(f"{node.name} {service}".encode()).hexdigest()
        response["uniqueId"] = str(10**20 + int(digest[:16], 16) % 10**19)
    name = f"operations/finished.DONE_OPERATION.{random.randint(10**18, 2**63 - 1)}"  # noqa: S311 - not a secret
    return call.operation(name, response=response)
