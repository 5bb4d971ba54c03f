"""Calls made with each key, by service, method, status and hour: what Monitoring reports and `checkExistingUsage` looks at."""

from __future__ import annotations

from keyadmin.sandbox.state.store import Store

TABLES = """
CREATE TABLE key_usage (
  uid TEXT NOT NULL, service TEXT NOT NULL,
  method TEXT NOT NULL,    -- google.ai.generativelanguage.v1beta.GenerativeService.GenerateContent
  code INTEGER NOT NULL,   -- HTTP status of the answers
  hour INTEGER NOT NULL,   -- microseconds, start of the hour
  last INTEGER NOT NULL,   -- microseconds: the last call
  work INTEGER NOT NULL,   -- microseconds: the last call that was work, 0 = none was
  calls INTEGER NOT NULL,
  PRIMARY KEY (uid, service, method, code, hour)
) WITHOUT ROWID;
"""

HOUR = 3_600_000_000  # microseconds
RECENT = 7 * 24 * HOUR  # how far back `checkExistingUsage` looks (API Keys discovery document, revision 20260818)
ANSWERED = 200
USUAL_METHODS = {  # what a seed's use is of where it does not say
    "generativelanguage.googleapis.com": "google.ai.generativelanguage.v1beta.GenerativeService.GenerateContent",
}


def record(
    store: Store,
    uid: str,
    service: str,
    at: int,
    calls: int = 1,
    *,
    method: str = "",
    code: int = ANSWERED,
    work: bool = True,
) -> None:
    """Count calls made with a key at a time (microseconds). Calls that are no `work` do not make the key one in use."""
    method = method or USUAL_METHODS.get(service, f"{service}.Call")
    store.run(
        "INSERT INTO key_usage VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET last = max(last, excluded.last), "
        "work = max(work, excluded.work), calls = calls + excluded.calls",
        *(uid, service, method, code, at - at % HOUR, at, at if work else 0, calls),
    )


def last_used(store: Store, uid: str) -> int | None:
    """When a key last did work, microseconds; None = never."""
    row = store.one("SELECT max(work) FROM key_usage WHERE uid = ?", uid)
    return row[0] or None if row else None
