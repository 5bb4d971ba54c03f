"""How secrets and their versions are kept."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.messages.times import rfc3339, rfc3339_nanos
from keyadmin.sandbox.state.store import Store

Json = dict[str, Any]

TABLES = """
CREATE TABLE secrets (
  project TEXT NOT NULL,            -- projects/NUMBER or, of regional ones, projects/NUMBER/locations/REGION
  secret_id TEXT NOT NULL,
  created INTEGER NOT NULL,         -- microseconds
  expires INTEGER,                  -- microseconds, or NULL: taken away then
  last_version INTEGER NOT NULL,    -- numbers are not used twice
  doc TEXT NOT NULL,                -- the Secret as answered
  PRIMARY KEY (project, secret_id)
) WITHOUT ROWID;
CREATE INDEX secrets_created ON secrets(project, created);
CREATE INDEX secrets_expires ON secrets(expires) WHERE expires IS NOT NULL;
CREATE TABLE secret_versions (
  project TEXT NOT NULL,
  secret_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,              -- ENABLED, DISABLED, DESTROYED
  destroy_at INTEGER,               -- microseconds, or NULL: destroyed then
  data BLOB,                        -- NULL once destroyed
  checksum INTEGER,                 -- CRC32C
  doc TEXT NOT NULL,                -- the SecretVersion as answered
  PRIMARY KEY (project, secret_id, version)
) WITHOUT ROWID;
CREATE INDEX secret_versions_destroy ON secret_versions(destroy_at) WHERE destroy_at IS NOT NULL;
"""


@dataclass(slots=True)
class SecretRow:
    """A stored secret. Times in microseconds."""

    project: str
    secret_id: str
    created: int
    expires: int | None
    last_version: int
    doc: Json

    @property
    def name(self) -> str:
        """`projects/NUMBER/secrets/ID`."""
        return f"{self.project}/secrets/{self.secret_id}"


@dataclass(slots=True)
class VersionRow:
    """A stored version."""

    project: str
    secret_id: str
    version: int
    state: str
    destroy_at: int | None
    data: bytes | None
    checksum: int | None
    doc: Json

    @property
    def name(self) -> str:
        """`projects/NUMBER/secrets/ID/versions/N`."""
        return f"{self.project}/secrets/{self.secret_id}/versions/{self.version}"


_VERSION = "project, secret_id, version, state, destroy_at, data, checksum, doc"


def _secret(row: Any) -> SecretRow:
    project, secret_id, created, expires, last_version, doc = row
    return SecretRow(project, secret_id, created, expires, last_version, json.loads(doc))


def _version(row: Any) -> VersionRow:
    project, secret_id, number, state, destroy_at, data, checksum, doc = row
    return VersionRow(project, secret_id, number, state, destroy_at, data, checksum, json.loads(doc))


def get(store: Store, project: str, secret_id: str) -> SecretRow | None:
    """A secret by its project (canonical name) and id."""
    row = store.one("SELECT * FROM secrets WHERE project = ? AND secret_id = ?", project, secret_id)
    return _secret(row) if row else None


def put(store: Store, row: SecretRow) -> None:
    """Insert or replace, within the caller's transaction."""
    store.run(
        "INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?, ?, ?)",
        *(row.project, row.secret_id, row.created, row.expires, row.last_version, json.dumps(row.doc)),
    )


def delete(store: Store, row: SecretRow) -> None:
    """Take away a secret with its versions and its policy."""
    store.run("DELETE FROM secrets WHERE project = ? AND secret_id = ?", row.project, row.secret_id)
    store.run("DELETE FROM secret_versions WHERE project = ? AND secret_id = ?", row.project, row.secret_id)
    if store.run("DELETE FROM policies WHERE resource = ?", row.name):
        store.generation += 1


def of_project(store: Store, project: str) -> list[SecretRow]:
    """All secrets of a project, the newest first (discovery document)."""
    rows = store.all("SELECT * FROM secrets WHERE project = ? ORDER BY created DESC, secret_id", project)
    return [_secret(row) for row in rows]


def version(store: Store, secret: SecretRow, number: int) -> VersionRow | None:
    """A version of a secret."""
    row = store.one(
        f"SELECT {_VERSION} FROM secret_versions WHERE project = ? AND secret_id = ? AND version = ?",  # noqa: S608
        *(secret.project, secret.secret_id, number),
    )
    return _version(row) if row else None


def versions(store: Store, secret: SecretRow) -> list[VersionRow]:
    """All versions without their data, the newest first."""
    rows = store.all(
        "SELECT project, secret_id, version, state, destroy_at, NULL, checksum, doc FROM secret_versions "
        "WHERE project = ? AND secret_id = ? ORDER BY version DESC",
        *(secret.project, secret.secret_id),
    )
    return [_version(row) for row in rows]


def put_version(store: Store, row: VersionRow) -> None:
    """Insert or replace, within the caller's transaction."""
    store.run(
        "INSERT OR REPLACE INTO secret_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        *(row.project, row.secret_id, row.version, row.state, row.destroy_at, row.data, row.checksum, json.dumps(row.doc)),
    )


def add_version(store: Store, secret: SecretRow, data: bytes, now: int, *, checked: bool) -> VersionRow:
    """A new version of a secret, enabled. `checked`: the client sent a checksum."""
    secret.last_version += 1
    put(store, secret)
    doc: Json = {
        "name": f"{secret.name}/versions/{secret.last_version}",
        "createTime": rfc3339(now),
        "state": "ENABLED",
        **({"replicationStatus": _replication_status(secret.doc["replication"])} if "replication" in secret.doc else {}),
        "etag": etag(now),
    }
    if checked:
        doc["clientSpecifiedPayloadChecksum"] = True
    row = VersionRow(secret.project, secret.secret_id, secret.last_version, "ENABLED", None, data, crc32c(data), doc)
    put_version(store, row)
    return row


def _replication_status(replication: Json) -> Json:
    if "userManaged" not in replication:
        return {"automatic": {}}
    replicas = replication["userManaged"].get("replicas", [])
    return {"userManaged": {"replicas": [{"location": replica.get("location", "")} for replica in replicas]}}


def destroy(row: VersionRow, now: int) -> None:
    """Destroyed: the data is gone for good."""
    row.state, row.data, row.checksum, row.destroy_at = "DESTROYED", None, None, None
    row.doc = {name: value for name, value in row.doc.items() if name != "scheduledDestroyTime"}
    row.doc |= {"state": "DESTROYED", "destroyTime": rfc3339_nanos(now), "etag": etag(now)}


def settle(store: Store, now: int) -> None:
    """Let happen what was due by now: secrets expire, versions are destroyed."""
    if store.one("SELECT 1 FROM secrets WHERE expires <= ?", now):
        with store.change():
            for project, secret_id in store.all("SELECT project, secret_id FROM secrets WHERE expires <= ?", now):
                if (row := get(store, project, secret_id)) is not None:
                    delete(store, row)
    if store.one("SELECT 1 FROM secret_versions WHERE destroy_at <= ?", now):
        with store.change():
            for row in store.all(f"SELECT {_VERSION} FROM secret_versions WHERE destroy_at <= ?", now):  # noqa: S608
                due = _version(row)
                destroy(due, due.destroy_at or now)
                put_version(store, due)


def etag(now: int) -> str:
    """A quoted hexadecimal number: a 1 before the microseconds of the change (recorded, 2025 and 2026: 14 digits)."""
    return f'"1{now:x}"'


def payload(row: VersionRow) -> Json:
    """SecretPayload with its checksum."""
    assert row.data is not None
    return {"data": base64.b64encode(row.data).decode(), "dataCrc32c": str(row.checksum)}


def _table() -> tuple[int, ...]:
    out = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        out.append(value)
    return tuple(out)


_CRC32C = _table()


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli): RFC 3720, appendix B.4 has test values."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _CRC32C[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF
