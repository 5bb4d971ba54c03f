"""Organisations, folders and projects: where every resource hangs, by id or by number."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.state.store import Store

TABLES = """
CREATE TABLE nodes (
  name TEXT PRIMARY KEY,            -- projects/NUMBER, folders/NUMBER, organizations/NUMBER
  project_id TEXT UNIQUE,           -- of projects
  parent TEXT,                      -- a name, or NULL
  display_name TEXT NOT NULL,
  state TEXT NOT NULL,              -- ACTIVE, DELETE_REQUESTED, SUSPENDED
  created INTEGER NOT NULL,         -- microseconds
  doc TEXT NOT NULL                 -- {"labels"?, "updated"?, "deleted"?, "creator"?}, times in microseconds
) WITHOUT ROWID;
CREATE INDEX nodes_parent ON nodes(parent, display_name, name);
CREATE TABLE search_index (         -- the nodes as the eventually consistent search sees them
  name TEXT PRIMARY KEY, project_id TEXT, parent TEXT, display_name TEXT NOT NULL, state TEXT NOT NULL,
  created INTEGER NOT NULL, doc TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE search_pending (ready INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (ready, name)) WITHOUT ROWID;
CREATE TABLE deletions (name TEXT PRIMARY KEY, purge INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX deletions_purge ON deletions(purge);
CREATE TABLE project_ids (project_id TEXT PRIMARY KEY) WITHOUT ROWID;  -- every id that was ever given: none is given again
CREATE TABLE services (
  project TEXT NOT NULL,            -- projects/NUMBER
  service TEXT NOT NULL,
  since INTEGER NOT NULL,           -- microseconds: when it was enabled
  PRIMARY KEY (project, service)
) WITHOUT ROWID;
"""


_ACCOUNT = re.compile(r"[^@]+@([a-z][a-z0-9.-]*)\.iam\.gserviceaccount\.com")
RETENTION = 30 * 24 * 3600 * 1_000_000  # microseconds that a deleted project or folder can be brought back (documented)
COLUMNS = "name, project_id, parent, display_name, state, created, doc"


@dataclass(frozen=True, slots=True)
class Node:
    """An organisation, folder or project. Times in microseconds."""

    name: str
    project_id: str | None
    parent: str | None
    display_name: str
    state: str
    created: int
    doc: dict[str, Any]

    @property
    def number(self) -> str:
        """The number in its name."""
        return self.name.split("/")[1]

    @property
    def is_project(self) -> bool:
        """Projects are the only nodes with an id of their own."""
        return self.project_id is not None

    @property
    def kind(self) -> str:
        """`projects`, `folders` or `organizations`."""
        return self.name.split("/")[0]


def account_email(account_id: str, project_id: str) -> str:
    """The address of a service account. That of `example.com:my-app` ends in `my-app.example.com.iam.gserviceaccount.com`
    (https://cloud.google.com/iam/docs/service-account-overview#domain-scoped, and addresses of App Engine)."""
    domain, colon, name = project_id.rpartition(":")
    return f"{account_id}@{f'{name}.{domain}' if colon else project_id}.iam.gserviceaccount.com"


def project_of(email: str) -> str:
    """The project id that a service account's address tells; empty for other addresses."""
    found = _ACCOUNT.fullmatch(email)
    if found is None:
        return ""
    name, dot, domain = found[1].partition(".")
    return f"{domain}:{name}" if dot else name


def read_node(row: Any) -> Node:
    """A row of COLUMNS."""
    name, project_id, parent, display_name, state, created, doc = row
    return Node(name, project_id, parent, display_name, state, created, json.loads(doc))


class Hierarchy:
    """Look-ups by id or number, kept while the store's generation stands."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._generation = -1
        self._nodes: dict[str, Node] = {}
        self._chains: dict[str, tuple[str, ...]] = {}
        self._next_purge: int | None = None  # microseconds; None = not looked up

    def _fresh(self) -> None:
        if self._generation != self._store.generation or len(self._nodes) > 20_000:
            self._nodes.clear()
            self._chains.clear()
            self._next_purge = None
            self._generation = self._store.generation

    def get(self, name: str) -> Node | None:
        """`projects/ID-or-NUMBER`, `folders/N` or `organizations/N`; None if there is none."""
        self._fresh()
        if name in self._nodes:
            return self._nodes[name]
        kind, _, key = name.partition("/")
        column = "project_id" if kind == "projects" and not key.isdigit() else "name"
        row = self._store.one(
            f"SELECT {COLUMNS} FROM nodes WHERE {column} = ?",  # noqa: S608
            key if column == "project_id" else name,
        )
        node = read_node(row) if row else None
        if node is not None:  # names of nothing are not kept: callers may send any number of them, of any length
            self._nodes[name] = node
        return node

    def project(self, name: str) -> Node | None:
        """A project by id or number, with or without `projects/`; in any state."""
        return self.get(name if name.startswith("projects/") else f"projects/{name}")

    def chain(self, name: str) -> tuple[str, ...]:
        """The node's canonical name and those of its ancestors, nearest first; empty if there is no such node."""
        self._fresh()
        if name not in self._chains:
            if self.get(name) is None:
                return ()
            out: list[str] = []
            node = self.get(name)
            while node is not None and node.name not in out:
                out.append(node.name)
                node = self.get(node.parent) if node.parent else None
            self._chains[name] = tuple(out)
        return self._chains[name]

    def put(self, node: Node, searchable: int = 0) -> None:
        """Insert or replace, within the caller's transaction. `searchable`: when search sees it (microseconds); 0 = at once."""
        run = self._store.run
        run(
            "INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(node.name, node.project_id, node.parent, node.display_name, node.state, node.created, json.dumps(node.doc)),
        )
        if node.project_id is not None:
            run("INSERT OR IGNORE INTO project_ids VALUES (?)", node.project_id)
        if node.state == "DELETE_REQUESTED":
            run("INSERT OR REPLACE INTO deletions VALUES (?, ?)", node.name, node.doc.get("deleted", node.created) + RETENTION)
        else:
            run("DELETE FROM deletions WHERE name = ?", node.name)
        if searchable:
            run("INSERT OR IGNORE INTO search_pending VALUES (?, ?)", searchable, node.name)
        else:
            self._index(node.name)
        self._store.generation += 1

    def _index(self, name: str) -> None:
        self._store.run(f"INSERT OR REPLACE INTO search_index SELECT {COLUMNS} FROM nodes WHERE name = ?", name)  # noqa: S608

    def catch_up(self, now: int) -> None:
        """Let search see what it is to see by now."""
        due = self._store.all("SELECT name FROM search_pending WHERE ready <= ?", now)
        if due:
            with self._store.change():
                for (name,) in due:
                    self._index(name)
                self._store.run("DELETE FROM search_pending WHERE ready <= ?", now)

    def expire(self, now: int) -> None:
        """Take away the nodes whose 30 days are over, with all that is kept of them; a project's id stays taken."""
        self._fresh()
        if self._next_purge is None:
            first = self._store.one("SELECT min(purge) FROM deletions")[0]
            self._next_purge = 2**62 if first is None else int(first)
        if now < self._next_purge:
            return
        with self._store.change():
            for (name,) in self._store.all("SELECT name FROM deletions WHERE purge <= ?", now):
                self._forget(name)
        self._store.generation += 1

    def _forget(self, name: str) -> None:
        """Every row about a node, in whichever service's table: those with a column that names it."""
        tables = [row[0] for row in self._store.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
        own = ("nodes", "search_index", "search_pending", "deletions")
        for table in tables:
            columns = {row[1] for row in self._store.all(f'PRAGMA table_info("{table}")')}
            found = [column for column in (("name",) if table in own else ("project", "resource", "node")) if column in columns]
            for column in found:
                self._store.run(
                    f'DELETE FROM "{table}" WHERE {column} = ? OR {column} GLOB ?',  # noqa: S608
                    *(name, f"{name}/*"),
                )

    def id_was_given(self, project_id: str) -> bool:
        """Whether a project has or ever had this id: ids are never given twice."""
        return self._store.one("SELECT 1 FROM project_ids WHERE project_id = ?", project_id) is not None

    def has_active_children(self, name: str) -> bool:
        """Whether a folder or organisation holds anything that is not deleted."""
        return self._store.one("SELECT 1 FROM nodes WHERE parent = ? AND state != 'DELETE_REQUESTED'", name) is not None

    def new_number(self, digits: int = 12) -> str:
        """An unused number."""
        while True:
            number = str(random.randint(10 ** (digits - 1), 10**digits - 1))  # noqa: S311 - not a secret
            taken = self._store.one(
                "SELECT 1 FROM nodes WHERE name IN (?, ?, ?)",
                *(f"{kind}/{number}" for kind in ("projects", "folders", "organizations")),
            )
            if not taken:
                return number

    def enabled_since(self, project: str, service: str) -> int | None:
        """When a service was enabled in a project (canonical name), microseconds; None = it is off."""
        row = self._store.one("SELECT since FROM services WHERE project = ? AND service = ?", project, service)
        return row[0] if row else None
