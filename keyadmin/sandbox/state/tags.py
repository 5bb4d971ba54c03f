"""Tags: keys and values of an organisation or project, bound to organisations, folders and projects, and inherited."""

from __future__ import annotations

from keyadmin.sandbox.state.store import Store

TABLES = """
CREATE TABLE tag_keys (
  id TEXT PRIMARY KEY,              -- tagKeys/NUMBER
  parent TEXT NOT NULL,             -- organizations/NUMBER or projects/NUMBER
  short_name TEXT NOT NULL,
  doc TEXT NOT NULL,
  UNIQUE (parent, short_name)
) WITHOUT ROWID;
CREATE TABLE tag_values (
  id TEXT PRIMARY KEY,              -- tagValues/NUMBER
  key TEXT NOT NULL,                -- tagKeys/NUMBER
  short_name TEXT NOT NULL,
  doc TEXT NOT NULL,
  UNIQUE (key, short_name)
) WITHOUT ROWID;
CREATE TABLE tag_bindings (
  resource TEXT NOT NULL,           -- projects/NUMBER, folders/NUMBER, organizations/NUMBER
  value TEXT NOT NULL,              -- tagValues/NUMBER
  PRIMARY KEY (resource, value)
) WITHOUT ROWID;
"""


def effective(store: Store, chain: tuple[str, ...]) -> dict[str, str]:
    """The tags of a resource, given with its ancestors: value by key, as `1000/env`: `prod` and as `tagKeys/1`: `tagValues/2`.

    The nearest binding of a key counts (documented).
    """
    found: dict[str, str] = {}
    for name in chain:
        rows = store.all(
            "SELECT k.id, k.parent, k.short_name, v.id, v.short_name FROM tag_bindings b JOIN tag_values v ON v.id = b.value "
            "JOIN tag_keys k ON k.id = v.key WHERE b.resource = ?",
            name,
        )
        for key_id, parent, key, value_id, value in rows:
            found.setdefault(f"{namespace(store, parent)}/{key}", value)
            found.setdefault(key_id, value_id)
    return found


def namespace(store: Store, parent: str) -> str:
    """What stands before the short name of a key: the organisation's number or the project's id."""
    row = store.one("SELECT project_id FROM nodes WHERE name = ?", parent)
    return (row[0] if row and row[0] else None) or parent.partition("/")[2]
