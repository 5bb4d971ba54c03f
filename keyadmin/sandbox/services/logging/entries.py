"""LogEntry: how a row of the audit log is shown. A call that began an operation is two entries, its first and its last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.state import audit_log
from keyadmin.sandbox.state.audit_log import Logged

Json = dict[str, Any]

_LATER = 350_000  # microseconds between an operation's entries; unsourced


def of(call: Call, node: str) -> Iterator[Json]:
    """The entries at a node (canonical name)."""
    found = call.world.hierarchy.get(node)
    shown = f"projects/{found.project_id}" if found and found.is_project else node
    for logged in audit_log.read(call.store, node, call.now):
        yield from _entries(logged, shown, found.project_id if found else None)


def _entries(logged: Logged, shown: str, project_id: str | None) -> Iterator[Json]:
    if not logged.operation:
        yield _entry(logged, shown, project_id, logged.payload, logged.at, logged.id)
        return
    begun = {"id": logged.operation, "producer": logged.payload["serviceName"], "first": True}
    ended = {"id": logged.operation, "producer": logged.payload["serviceName"], "last": True}
    yield _entry(logged, shown, project_id, logged.payload, logged.at, logged.id) | {"operation": begun}
    last = {name: value for name, value in logged.payload.items() if name not in ("request", "requestMetadata")}
    last["response"] = logged.response
    yield _entry(logged, shown, project_id, last, logged.at + _LATER, f"{logged.id}z") | {"operation": ended}


def _entry(logged: Logged, shown: str, project_id: str | None, payload: Json, at: int, identity: str) -> Json:
    labels = {"method": payload.get("methodName", ""), "service": payload.get("serviceName", "")}
    if project_id:
        labels["project_id"] = project_id
    return {
        "protoPayload": payload,
        "insertId": identity,
        "resource": {"type": "audited_resource", "labels": labels},
        "timestamp": rfc3339(at),
        "severity": "NOTICE" if logged.log == audit_log.ACTIVITY else "ERROR",
        "logName": f"{shown}/logs/cloudaudit.googleapis.com%2F{logged.log}",
        "receiveTimestamp": rfc3339(at + _LATER),
    }
