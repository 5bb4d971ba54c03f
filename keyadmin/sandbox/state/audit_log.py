"""What the audit logs hold: who changed what, and what a dry run of an organisation policy would have refused.

Services write, Cloud Logging reads. A row is one call; one that began an operation is two entries of the log.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.state.store import Store

Json = dict[str, Any]

TABLES = """
CREATE TABLE audit_log (
  project TEXT NOT NULL,            -- projects/NUMBER, folders/NUMBER or organizations/NUMBER: where it is logged
  at INTEGER NOT NULL,              -- microseconds
  id TEXT NOT NULL,
  log TEXT NOT NULL,                -- activity or policy, of cloudaudit.googleapis.com
  doc TEXT NOT NULL                 -- {"payload", "operation"?, "response"?}, or a change in short (see Change)
);                                  -- with rowids: without them SQLite gives each row of this length a page of its own
CREATE INDEX audit_log_at ON audit_log(project, at, id);
"""

ACTIVITY, POLICY = "activity", "policy"
KEPT = 400 * 24 * 3600 * 1_000_000  # microseconds: of the bucket _Required (documented)


@dataclass(frozen=True, slots=True)
class Logged:
    """One row. `at` in microseconds."""

    project: str
    at: int
    id: str
    log: str
    payload: Json
    operation: str
    response: Json | None


@dataclass(frozen=True, slots=True)
class Change:
    """A call that changed something, in short: half the length of the AuditLog that is made of it when somebody reads."""

    principal: str
    caller_ip: str
    service: str
    method: str  # full name
    permission: str
    request_type: str

    def payload(self, project: str, request: Json) -> Json:
        """google.cloud.audit.AuditLog."""
        kind = "serviceAccount" if self.principal.endswith("gserviceaccount.com") else "user"
        return {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "authenticationInfo": {"principalEmail": self.principal, "principalSubject": f"{kind}:{self.principal}"},
            "requestMetadata": {"callerIp": self.caller_ip},
            "serviceName": self.service,
            "methodName": self.method,
            "authorizationInfo": [
                {"resource": project, "permission": self.permission, "granted": True, "resourceAttributes": {}}
            ],
            "resourceName": project,
            "request": {"@type": self.request_type} | request,
        }


def write_change(
    store: Store, project: str, at: int, change: Change, request: Json, operation: str, response: tuple[Json, Json]
) -> None:
    """Log a change that began an operation, within the caller's transaction.

    `response` = what was answered, and what the log shows in its place; neither may hold a key string.
    """
    facts = (change.principal, change.caller_ip, change.service, change.method, change.permission, change.request_type)
    text = json.dumps([facts, operation, request, *response], separators=(",", ":"))
    identity = operation.rpartition("-")[2]
    store.run("INSERT INTO audit_log VALUES (?, ?, ?, ?, ?)", project, at, identity, ACTIVITY, text)


def write(
    store: Store,
    project: str,
    at: int,
    payload: Json,
    *,
    log: str = ACTIVITY,
    operation: str = "",
    response: Json | None = None,
) -> None:
    """Log a call, within the caller's transaction. `payload` is the AuditLog; with an `operation` its last entry carries the
    `response`, which must not hold a key string."""
    doc: Json = {"payload": payload}
    if operation:
        doc |= {"operation": operation, "response": response or {}}
    identity = operation.rpartition("-")[2] or secrets.token_hex(6)
    store.run("INSERT INTO audit_log VALUES (?, ?, ?, ?, ?)", project, at, identity, log, json.dumps(doc))


def read(store: Store, project: str, now: int) -> Iterator[Logged]:
    """What is logged at a node (canonical name), oldest first."""
    rows = store.all(
        "SELECT project, at, id, log, doc FROM audit_log WHERE project = ? AND at > ? ORDER BY at, id", project, now - KEPT
    )
    for name, at, identity, log, text in rows:
        doc = json.loads(text)
        if isinstance(doc, list):
            facts, operation, request, response, instead = doc
            payload = Change(*facts).payload(name, request)
            yield Logged(name, at, identity, log, payload, operation, response | instead)
            continue
        yield Logged(name, at, identity, log, doc["payload"], doc.get("operation", ""), doc.get("response"))
