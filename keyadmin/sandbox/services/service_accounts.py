"""Service accounts as they are kept; the rules of the IAM API use these."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyadmin.sandbox.api import Call

TABLES = """
CREATE TABLE service_accounts (
  email TEXT PRIMARY KEY,
  unique_id TEXT NOT NULL UNIQUE,
  project TEXT NOT NULL,            -- projects/NUMBER
  created INTEGER NOT NULL,         -- microseconds
  deleted INTEGER,                  -- microseconds, or NULL
  doc TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX service_accounts_project ON service_accounts(project, email);
"""


def seen(call: Call, email: str) -> bool:
    """Whether a service account exists and has been there long enough for other services to find it."""
    row = call.store.one("SELECT created FROM service_accounts WHERE email = ? AND deleted IS NULL", email)
    return row is not None and row[0] + call.cloud.weather.spread("serviceAccount") <= call.now
