"""How keys are kept: one row each, with the REST JSON text as the canonical form and its protobuf bytes beside it.

Both encodings are made when a key changes, so that ListKeys only joins them.
"""

from __future__ import annotations

import base64
import json
import secrets
import string
from collections.abc import Iterable, Iterator
from typing import Any

from keyadmin.model.secret import SANDBOX_AUTH, SANDBOX_STANDARD
from keyadmin.sandbox.messages.pretty import pretty
from keyadmin.sandbox.messages.varint import varint
from keyadmin.sandbox.services.apikeys.shapes import encode_key
from keyadmin.sandbox.state.store import Store

Json = dict[str, Any]

TABLES = """
CREATE TABLE keys (
  project TEXT NOT NULL,            -- projects/NUMBER
  key_id TEXT NOT NULL,
  uid TEXT NOT NULL,
  key_string TEXT NOT NULL,
  created INTEGER NOT NULL,         -- microseconds
  changed INTEGER NOT NULL,         -- microseconds: what propagation counts from
  deleted INTEGER,                  -- microseconds, or NULL
  condition TEXT,                   -- leaked, expired
  rest TEXT NOT NULL,
  grpc BLOB NOT NULL,               -- as an element of ListKeysResponse.keys, tag and length in front
  UNIQUE (project, key_id)
);                                  -- with rowids: without them SQLite gives each row of this length a page of its own
CREATE INDEX keys_listed ON keys(project, created DESC, key_id, deleted);
CREATE UNIQUE INDEX keys_string ON keys(key_string);
CREATE INDEX keys_uid ON keys(uid);
CREATE INDEX keys_deleted ON keys(deleted) WHERE deleted IS NOT NULL;
CREATE TABLE purged_keys (key_string TEXT PRIMARY KEY, project TEXT NOT NULL) WITHOUT ROWID;
"""

KEY_TYPE = "type.googleapis.com/google.api.apikeys.v2.Key"
DAY = 86_400_000_000  # microseconds
RETENTION = 30 * DAY

_COLUMNS = "project, key_id, uid, key_string, created, changed, deleted, condition, rest"
_LETTERS = bytes((string.ascii_letters + string.digits)[byte % 62].encode()[0] for byte in range(256))
_LISTED_AT = "\n    "  # where a key stands in the text of a list


class KeyRow:
    """A stored key."""

    __slots__ = ("changed", "condition", "created", "deleted", "doc", "key_id", "key_string", "project", "uid")

    def __init__(
        self,
        project: str,
        key_id: str,
        uid: str,
        key_string: str,
        created: int,
        changed: int,
        deleted: int | None,
        condition: str | None,
        doc: Json | str,
    ) -> None:
        self.project = project
        self.key_id = key_id
        self.uid = uid
        self.key_string = key_string
        self.created = created
        self.changed = changed
        self.deleted = deleted
        self.condition = condition
        self.doc: Json = json.loads(doc) if isinstance(doc, str) else doc

    @property
    def name(self) -> str:
        """`projects/NUMBER/locations/global/keys/ID`."""
        return f"{self.project}/locations/global/keys/{self.key_id}"

    @property
    def service_account(self) -> str | None:
        """The e-mail address that an auth key is bound to; None for a standard key."""
        return self.doc.get("serviceAccountEmail")

    @property
    def is_auth(self) -> bool:
        """Bound to a service account."""
        return self.service_account is not None


def new_key_string(*, auth: bool) -> str:
    """A sandbox key string: `AQ.SANDBOX-...`, or `AIzaSANDBOX...` of 39 characters."""
    marker, length = (SANDBOX_AUTH, 42) if auth else (SANDBOX_STANDARD, 39 - len(SANDBOX_STANDARD))
    return marker + secrets.token_bytes(length).translate(_LETTERS).decode()


def new_etag() -> str:
    """`W/"<16 bytes, base64>"` (recorded)."""
    return f'W/"{base64.b64encode(secrets.token_bytes(16)).decode()}"'


def _values(row: KeyRow) -> tuple[Any, ...]:
    message = encode_key(row.doc)
    return (
        *(row.project, row.key_id, row.uid, row.key_string, row.created, row.changed, row.deleted, row.condition),
        *(pretty(row.doc, _LISTED_AT), b"\x0a" + varint(len(message)) + message),
    )


def put(store: Store, rows: Iterable[KeyRow]) -> None:
    """Insert or replace, within the caller's transaction."""
    store.db.executemany("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_values, rows))


def get(store: Store, project: str, key_id: str) -> KeyRow | None:
    """A key by its project (canonical name) and id, deleted ones too."""
    row = store.one(f"SELECT {_COLUMNS} FROM keys WHERE project = ? AND key_id = ?", project, key_id)  # noqa: S608
    return KeyRow(*row) if row else None


def by_string(store: Store, key_string: str) -> KeyRow | None:
    """A key by its secret."""
    row = store.one(f"SELECT {_COLUMNS} FROM keys WHERE key_string = ?", key_string)  # noqa: S608
    return KeyRow(*row) if row else None


def of_project(store: Store, project: str) -> Iterator[KeyRow]:
    """All keys of a project (canonical name), deleted ones too."""
    for row in store.all(f"SELECT {_COLUMNS} FROM keys WHERE project = ? ORDER BY key_id", project):  # noqa: S608
        yield KeyRow(*row)


Listed = tuple[str, bytes, int, str]  # REST text, protobuf bytes, created (microseconds), key id


def page(store: Store, project: str, *, after: tuple[int, str] | None, size: int, deleted: bool) -> list[Listed]:
    """At most `size` keys behind (created, key id), the newest first, as recorded lists are."""
    only = "" if deleted else " AND deleted IS NULL"
    behind = " AND created <= ? AND NOT (created = ? AND key_id <= ?)" if after else ""
    return store.all(
        f"SELECT rest, grpc, created, key_id FROM keys WHERE project = ?{behind}{only} "  # noqa: S608
        "ORDER BY created DESC, key_id LIMIT ?",
        *(project, *((after[0], *after) if after else ()), size),
    )


def room(store: Store, project: str, key_id: str) -> tuple[bool, int]:
    """Whether an id is taken in a project, by deleted keys too, and how many keys it has that are not deleted."""
    taken, found = store.one(
        "SELECT EXISTS (SELECT 1 FROM keys WHERE project = ? AND key_id = ?), "
        "(SELECT count(*) FROM keys WHERE project = ? AND deleted IS NULL)",
        *(project, key_id, project),
    )
    return bool(taken), int(found)


def purge(store: Store, now: int) -> None:
    """Take away what was deleted 30 days ago; of a purged key only the project of its string stays known (LookupKey)."""
    if store.one("SELECT 1 FROM keys WHERE deleted <= ? LIMIT 1", now - RETENTION):
        with store.change():
            store.run(
                "INSERT OR IGNORE INTO purged_keys SELECT key_string, project FROM keys WHERE deleted <= ?", now - RETENTION
            )
            store.run("DELETE FROM keys WHERE deleted <= ?", now - RETENTION)
