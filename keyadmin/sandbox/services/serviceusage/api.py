"""Service Usage API v1: the rules of google.api.serviceusage.v1.ServiceUsage.

Shapes follow recorded answers and the discovery document, revision 20260921. Only projects can be the parent: the methods
that change something support nothing else at Google either.
"""

from __future__ import annotations

import uuid
from typing import Any

from keyadmin.sandbox.api import OPERATION, Api, Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.status import invalid, not_active
from keyadmin.sandbox.services.apikeys import usage as key_usage
from keyadmin.sandbox.services.serviceusage import catalogue as service_catalogue
from keyadmin.sandbox.services.serviceusage import errors as errors
from keyadmin.sandbox.state.hierarchy import Node

Json = dict[str, Any]

api = Api(
    "google.api.serviceusage.v1.ServiceUsage",
    "serviceusage.googleapis.com",
    "Service Usage API",
    "google.api.serviceusage.v1",
)

MOST_ENABLED = 20  # services of one BatchEnableServices (documented)
MOST_GOT = 30  # services of one BatchGetServices (documented)
IN_USE = 30 * 24 * key_usage.HOUR  # how far back checkIfServiceHasUsage looks (documented)
NOTHING_TO_DO = "operations/noop.DONE_OPERATION"
_TYPE = "type.googleapis.com/google.api.serviceusage.v1."


def _project(call: Call, parent: str) -> tuple[Node, str]:
    """The project of `projects/P`, and P as the caller wrote it. Raises what Service Usage answers for a missing one."""
    kind, _, written = parent.partition("/")
    if kind != "projects" or not written or "/" in written:
        raise invalid(f"Invalid resource name '{parent[:160]}': expected projects/*.", "parent")
    node = call.world.hierarchy.project(parent)
    if node is None:
        raise errors.no_project(written)
    return node, written


def _named(name: str) -> tuple[str, str]:
    """`projects/P/services/S` as `projects/P` and S."""
    parts = name.split("/")
    if len(parts) != 4 or parts[0] != "projects" or parts[2] != "services" or not parts[1] or not parts[3]:
        raise invalid(f"Invalid resource name '{name[:160]}': expected projects/*/services/*.", "name")
    return f"projects/{parts[1]}", parts[3]


def _require(call: Call, node: Node, written: str, permission: str, message: str) -> None:
    if not call.holds(permission, node.name):
        raise errors.denied(message, permission, written)


def _enabled(call: Call, node: Node) -> set[str]:
    return {row[0] for row in call.store.all("SELECT service FROM services WHERE project = ?", node.name)}


def _check_known(services: list[str], enabled: set[str]) -> None:
    missing = [name for name in services if name not in enabled and not service_catalogue.known(name)]
    if missing:
        raise errors.no_service(missing)


def _check_active(node: Node) -> None:
    if node.state != "ACTIVE":
        raise not_active(api.host, node.name, node.state)


def _service(node: Node, name: str, *, enabled: bool) -> Json:
    return {
        "name": f"{node.name}/services/{name}",
        "config": service_catalogue.config(name),
        "state": "ENABLED" if enabled else "DISABLED",
        "parent": node.name,
    }


def _operation(call: Call, node: Node, kind: str, names: list[str], response: Json) -> Json:
    """`operations/acf.p2-NUMBER-UUID`: p2 enables (recorded), p17 disables (recorded)."""
    metadata = {"@type": f"{_TYPE}OperationMetadata", "resourceNames": [f"{node.name}/services/{name}" for name in names]}
    name = f"operations/acf.{kind}-{node.number}-{uuid.uuid4()}"
    return call.operation(name, response=response, metadata=metadata)


def _one(call: Call, request: Json, verb: str) -> tuple[Node, str, set[str]]:
    """The project, the service and what is on there, for whoever may `verb` the service."""
    parent, name = _named(request.get("name", ""))
    node, written = _project(call, parent)
    _require(call, node, written, f"serviceusage.services.{verb}", f"Permission denied to {verb} service [{name}]")
    enabled = _enabled(call, node)
    _check_known([name], enabled)
    return node, name, enabled


@api.method("GET /v1/{name=projects/*/services/*}", request="GetServiceRequest", response="Service")
def get_service(call: Call, request: Json) -> Json:
    """GetService: also of a service that is off."""
    node, name, enabled = _one(call, request, "get")
    return _service(node, name, enabled=name in enabled)


@api.method(
    "GET /v1/{parent=projects/*}/services:batchGet", request="BatchGetServicesRequest", response="BatchGetServicesResponse"
)
def batch_get_services(call: Call, request: Json) -> Json:
    """BatchGetServices: up to 30, in the order asked for."""
    names = request.get("names", [])
    if not names:
        raise errors.no_names()
    if len(names) > MOST_GOT:
        raise invalid(f"At most {MOST_GOT} services can be got at once; {len(names)} were named.", "names")
    parent = request.get("parent", "") or _named(names[0])[0]
    node, written = _project(call, parent)
    services = []
    for name in names:
        other, service = _named(name)
        owner = call.world.hierarchy.project(other)
        if owner is None or owner.name != node.name:
            raise invalid(f"Service '{name[:160]}' does not belong to parent '{parent}'.", "names")
        services.append(service)
    listed = ", ".join(services)
    _require(call, node, written, "serviceusage.services.get", f"Permission denied to get service [{listed}]")
    enabled = _enabled(call, node)
    _check_known(services, enabled)
    return {"services": [_service(node, name, enabled=name in enabled) for name in services]}


@api.method("GET /v1/{parent=projects/*}/services", request="ListServicesRequest", response="ListServicesResponse")
def list_services(call: Call, request: Json) -> Json:
    """ListServices: the whole catalogue, or what is on, or what is off; 50 a page, at most 200 (documented)."""
    node, written = _project(call, request.get("parent", ""))
    message = f"Permission denied to list services for consumer container [{node.name}]"
    _require(call, node, written, "serviceusage.services.list", message)
    wanted = request.get("filter", "").strip()
    if wanted not in ("", "state:ENABLED", "state:DISABLED"):
        raise invalid(f"Invalid filter '{wanted[:80]}': only state:ENABLED and state:DISABLED are allowed.", "filter")
    enabled = _enabled(call, node)
    names = sorted(enabled.union(service_catalogue.names()))
    if wanted:
        names = [name for name in names if (name in enabled) is (wanted == "state:ENABLED")]
    size = paging.page_size(request, default=50, most=200)
    if after := paging.read_token("ListServices", request):
        names = [name for name in names if name > after]
    answer: Json = {"services": [_service(node, name, enabled=name in enabled) for name in names[:size]]} if names else {}
    if len(names) > size:
        answer["nextPageToken"] = paging.make_token("ListServices", request, names[size - 1])
    return answer


def _enable(call: Call, node: Node, written: str, services: list[str]) -> list[str]:
    """Switch services on with what they need; those that were off."""
    enabled = _enabled(call, node)
    shown = next((name for name in services if name not in enabled), services[0])
    _require(call, node, written, "serviceusage.services.enable", f"Permission denied to enable service [{shown}]")
    _check_known(services, enabled)
    _check_active(node)
    new = [name for name in service_catalogue.with_needed(services) if name not in enabled]
    for name in new:
        call.store.run("INSERT INTO services VALUES (?, ?, ?)", node.name, name, call.now)
    return new


@api.method("POST /v1/{name=projects/*/services/*}:enable", body="*", request="EnableServiceRequest", response=OPERATION)
def enable_service(call: Call, request: Json) -> Json:
    """EnableService: with what it needs; done at once where it is on already."""
    parent, name = _named(request.get("name", ""))
    node, written = _project(call, parent)
    new = _enable(call, node, written, [name])
    response = {"@type": f"{_TYPE}EnableServiceResponse", "service": _service(node, name, enabled=True)}
    if not new:
        return {"name": NOTHING_TO_DO, "done": True, "response": response}
    return _operation(call, node, "p2", new, response)


@api.method(
    "POST /v1/{parent=projects/*}/services:batchEnable",
    body="*",
    request="BatchEnableServicesRequest",
    response=OPERATION,
)
def batch_enable_services(call: Call, request: Json) -> Json:
    """BatchEnableServices: up to 20, all or none."""
    node, written = _project(call, request.get("parent", ""))
    services = list(dict.fromkeys(request.get("serviceIds", [])))
    if not services:
        raise errors.no_names()
    if len(services) > MOST_ENABLED:
        raise invalid(f"At most {MOST_ENABLED} services can be enabled at once; {len(services)} were named.", "service_ids")
    new = _enable(call, node, written, services)
    states = [_service(node, name, enabled=True) for name in services]
    response = {"@type": f"{_TYPE}BatchEnableServicesResponse", "services": states}
    if not new:
        return {"name": NOTHING_TO_DO, "done": True, "response": response}
    return _operation(call, node, "p2", new, response)


@api.method("POST /v1/{name=projects/*/services/*}:disable", body="*", request="DisableServiceRequest", response=OPERATION)
def disable_service(call: Call, request: Json) -> Json:
    """DisableService: refused where other enabled services need it or, when asked to check, where it was used."""
    node, name, enabled = _one(call, request, "disable")
    _check_active(node)
    response = {"@type": f"{_TYPE}DisableServiceResponse", "service": _service(node, name, enabled=False)}
    if name not in enabled:
        return {"name": NOTHING_TO_DO, "done": True, "response": response}  # unsourced: as for enabling
    dependents = [one for one in service_catalogue.needing(name) if one in enabled]
    if dependents and not request.get("disableDependentServices"):
        raise errors.needed_by(name, dependents)
    gone = [name, *dependents]
    if request.get("checkIfServiceHasUsage") == "CHECK":
        # gcloud's help also names services enabled within three days; no source tells what they are answered, so they pass
        for one in gone:
            if _used(call, node, one):
                raise errors.in_use(one)
    for one in gone:
        call.store.run("DELETE FROM services WHERE project = ? AND service = ?", node.name, one)
    return _operation(call, node, "p17", gone, response)


def _used(call: Call, node: Node, service: str) -> bool:
    """Whether a key of the project called the service in the last 30 days: the only use that is counted here."""
    row = call.store.one(
        "SELECT 1 FROM key_usage WHERE service = ? AND work > ? AND uid IN (SELECT uid FROM keys WHERE project = ?) LIMIT 1",
        *(service, call.now - IN_USE, node.name),
    )
    return row is not None
