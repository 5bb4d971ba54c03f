"""Service accounts as they are kept; the rules of the IAM API use these, and so do other services."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.state.store import Store

Json = dict[str, Any]

TABLES = """
CREATE TABLE service_accounts (
  email TEXT PRIMARY KEY,           -- of a deleted one with ?uid=UNIQUE_ID behind it, as IAM policies name it
  unique_id TEXT NOT NULL UNIQUE,
  project TEXT NOT NULL,            -- projects/NUMBER
  created INTEGER NOT NULL,         -- microseconds
  deleted INTEGER,                  -- microseconds, or NULL
  doc TEXT NOT NULL                 -- {"displayName"?, "description"?, "disabled"?}
) WITHOUT ROWID;
CREATE INDEX service_accounts_project ON service_accounts(project, email);
"""

RETENTION = 30 * 24 * 3600 * 1_000_000  # microseconds that a deleted account can be brought back (documented)
ETAG = "MDEwMjE5MjA="  # every service account has this one; the field is deprecated
_COLUMNS = "email, unique_id, project, created, deleted, doc"


@dataclass(slots=True)
class Account:
    """A stored service account."""

    email: str
    unique_id: str
    project: str  # projects/NUMBER
    created: int  # microseconds
    deleted: int | None
    doc: Json

    @property
    def resource(self) -> str:
        """What its own IAM policy is kept under: an account made later with the same address is another one."""
        return f"{self.project}/serviceAccounts/{self.unique_id}"

    def answer(self, project_id: str) -> Json:
        """The REST ServiceAccount. Names carry the project's id, not its number."""
        out: Json = {
            "name": f"projects/{project_id}/serviceAccounts/{self.email}",
            "projectId": project_id,
            "uniqueId": self.unique_id,
            "email": self.email,
        }
        if name := self.doc.get("displayName"):
            out["displayName"] = name
        out["etag"] = ETAG
        if description := self.doc.get("description"):
            out["description"] = description
        out["oauth2ClientId"] = self.unique_id
        if self.doc.get("disabled"):
            out["disabled"] = True
        return out


def _read(row: Any) -> Account | None:
    if row is None:
        return None
    email, unique_id, project, created, deleted, doc = row
    return Account(email.partition("?uid=")[0], unique_id, project, created, deleted, json.loads(doc))


def find(store: Store, reference: str) -> Account | None:
    """By e-mail address or unique id; None if there is none that is not deleted."""
    column = "unique_id" if reference.isdigit() else "email"
    return _read(
        store.one(f"SELECT {_COLUMNS} FROM service_accounts WHERE {column} = ? AND deleted IS NULL", reference)  # noqa: S608
    )


def find_deleted(store: Store, unique_id: str, now: int) -> Account | None:
    """One that can be brought back still."""
    return _read(
        store.one(
            f"SELECT {_COLUMNS} FROM service_accounts WHERE unique_id = ? AND deleted > ?",  # noqa: S608
            *(unique_id, now - RETENTION),
        )
    )


def deleted_address(store: Store, project: str, email: str, now: int) -> str:
    """The unique id of the last account of an address that was deleted and can be brought back still; empty for none."""
    row = store.one(
        "SELECT unique_id FROM service_accounts WHERE project = ? AND email GLOB ? AND deleted > ? ORDER BY deleted DESC",
        *(project, f"{email}[?]uid=*", now - RETENTION),
    )
    return row[0] if row else ""


def page(store: Store, project: str, *, after: str, size: int, created_until: int) -> list[Account]:
    """Those of a project (canonical name), by e-mail address, made by a time (microseconds)."""
    rows = store.all(
        f"SELECT {_COLUMNS} FROM service_accounts WHERE project = ? AND email > ? AND deleted IS NULL AND created <= ? "  # noqa: S608
        "ORDER BY email LIMIT ?",
        *(project, after, created_until, size),
    )
    return [account for account in map(_read, rows) if account is not None]


def count(store: Store, project: str) -> int:
    """How many a project has, deleted ones left out."""
    found: int = store.one("SELECT count(*) FROM service_accounts WHERE project = ? AND deleted IS NULL", project)[0]
    return found


def new_unique_id() -> str:
    """21 digits beginning with 1, as Google's are."""
    return str(random.randint(10**20, 118 * 10**18 - 1))  # noqa: S311 - not a secret


def insert(store: Store, account: Account) -> bool:
    """Add one unless the address is taken, within the caller's transaction; whether it was added."""
    changed = store.run(
        "INSERT OR IGNORE INTO service_accounts VALUES (?, ?, ?, ?, NULL, ?)",
        *(account.email, account.unique_id, account.project, account.created, json.dumps(account.doc)),
    )
    return changed > 0


def save(store: Store, account: Account) -> None:
    """Write back what may change, within the caller's transaction: the description, and whether it is deleted."""
    email = f"{account.email}?uid={account.unique_id}" if account.deleted is not None else account.email
    store.run(
        "UPDATE service_accounts SET email = ?, deleted = ?, doc = ? WHERE unique_id = ?",
        *(email, account.deleted, json.dumps(account.doc), account.unique_id),
    )


def visible(call: Call, account: Account | None) -> bool:
    """Whether an account is there and has been long enough for every server to know."""
    return account is not None and account.created + call.world.faults.spread("serviceAccount") <= call.now


def seen(call: Call, email: str) -> bool:
    """Whether a service account exists and has been there long enough for other services to find it."""
    return visible(call, find(call.store, email))
