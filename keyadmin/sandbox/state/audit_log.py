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
  doc TEXT NOT NULL,                -- {"payload", "operation"?, "response"?}
  PRIMARY KEY (project, at, id)
) WITHOUT ROWID;
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
        yield Logged(name, at, identity, log, doc["payload"], doc.get("operation", ""), doc.get("response"))
