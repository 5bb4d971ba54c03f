"""Organisations, folders and projects: where every resource hangs, by id or by number."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.store import Store

TABLES = """
CREATE TABLE nodes (
  name TEXT PRIMARY KEY,            -- projects/NUMBER, folders/NUMBER, organizations/NUMBER
  project_id TEXT UNIQUE,           -- of projects
  parent TEXT,                      -- a name, or NULL
  display_name TEXT NOT NULL,
  state TEXT NOT NULL,              -- ACTIVE, DELETE_REQUESTED, SUSPENDED
  created INTEGER NOT NULL,         -- microseconds
  searchable INTEGER NOT NULL,      -- microseconds: search (eventually consistent) finds it from then on
  doc TEXT NOT NULL                 -- what else its service keeps: labels, updateTime, deleteTime, etag ...
) WITHOUT ROWID;
CREATE INDEX nodes_parent ON nodes(parent);
CREATE TABLE services (
  project TEXT NOT NULL,            -- projects/NUMBER
  service TEXT NOT NULL,
  since INTEGER NOT NULL,           -- microseconds: when it was enabled
  PRIMARY KEY (project, service)
) WITHOUT ROWID;
"""


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


class Hierarchy:
    """Look-ups by id or number, kept while the store's generation stands."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._generation = -1
        self._nodes: dict[str, Node | None] = {}
        self._chains: dict[str, tuple[str, ...]] = {}

    def _fresh(self) -> None:
        if self._generation != self._store.generation or len(self._nodes) > 20_000:
            self._nodes.clear()
            self._chains.clear()
            self._generation = self._store.generation

    def get(self, name: str) -> Node | None:
        """`projects/ID-or-NUMBER`, `folders/N` or `organizations/N`; None if there is none."""
        self._fresh()
        if name in self._nodes:
            return self._nodes[name]
        kind, _, key = name.partition("/")
        column = "project_id" if kind == "projects" and not key.isdigit() else "name"
        row = self._store.one(
            f"SELECT name, project_id, parent, display_name, state, created, doc FROM nodes WHERE {column} = ?",  # noqa: S608
            key if column == "project_id" else name,
        )
        node = Node(*row[:6], json.loads(row[6])) if row else None
        self._nodes[name] = node
        return node

    def project(self, name: str) -> Node | None:
        """A project by id or number, with or without `projects/`; in any state."""
        return self.get(name if name.startswith("projects/") else f"projects/{name}")

    def chain(self, name: str) -> tuple[str, ...]:
        """The node's canonical name and those of its ancestors, nearest first; empty if there is no such node."""
        self._fresh()
        if name not in self._chains:
            out: list[str] = []
            node = self.get(name)
            while node is not None and node.name not in out:
                out.append(node.name)
                node = self.get(node.parent) if node.parent else None
            self._chains[name] = tuple(out)
        return self._chains[name]

    def put(self, node: Node, searchable: int = 0) -> None:
        """Insert or replace, within the caller's transaction."""
        self._store.run(
            "INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(node.name, node.project_id, node.parent, node.display_name, node.state, node.created, searchable),
            json.dumps(node.doc),
        )
        self._store.generation += 1

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
