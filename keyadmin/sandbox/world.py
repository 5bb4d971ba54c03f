"""The state of the local Google Cloud, as services know it: store, clock, hierarchy, policies, operations, injected faults.

What takes calls in and sends answers out is not known here (see `cloud.py`), nor is any service.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keyadmin.sandbox.faults import Faults
from keyadmin.sandbox.state import audit_log, hierarchy, operations, org_policies, policies, tags
from keyadmin.sandbox.state.clock import Clock
from keyadmin.sandbox.state.store import Store

META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
TABLES = META + hierarchy.TABLES + policies.TABLES + tags.TABLES + org_policies.TABLES + operations.TABLES + audit_log.TABLES
# What conditions take the resources below a project for, by the part of the name that tells them apart.
_TYPES = {
    "secrets": "secretmanager.googleapis.com/Secret",
    "serviceAccounts": "iam.googleapis.com/ServiceAccount",
    "projects": "cloudresourcemanager.googleapis.com/Project",
    "folders": "cloudresourcemanager.googleapis.com/Folder",
    "organizations": "cloudresourcemanager.googleapis.com/Organization",
}


class World:
    """Everything that is held. Not thread-safe: one event loop uses it."""

    def __init__(self, state: Path | None, tables: str, *, alone: bool = False) -> None:
        """Over a state file (None = in memory) with the services' tables; `alone`: nobody else uses it. Raises NotAState."""
        self.store = Store(state, TABLES + tables, alone=alone)
        self.clock = Clock(self.store)
        self.hierarchy = hierarchy.Hierarchy(self.store)
        self.policies = policies.Policies(self.store)
        self.faults = Faults(self.clock.now)
        self.org_policies = org_policies.OrgPolicies(
            self.store,
            self.clock.now,
            lambda: self.faults.spread("policy"),
            lambda chain: tags.effective(self.store, chain),
        )
        self.operations = operations.Operations(self.store, self.clock, self.faults.work)
        self.store.sync()

    def serves(self, project: str, service: str) -> bool:
        """Whether an API is on in a project (canonical name) and has been long enough for all servers to know."""
        since = self.hierarchy.enabled_since(project, service)
        return since is not None and since + self.faults.spread("service") <= self.clock.now()

    def situation(self, resource: str, node: str, now: int, attributes: Mapping[str, Any] | None = None) -> policies.Situation:
        """What conditions may ask for about a resource (canonical name) on or below a node."""
        parts = resource.split("/")
        kind = parts[2] if len(parts) > 3 else parts[0]
        return policies.Situation(
            now,
            resource,
            _TYPES.get(kind, ""),
            attributes or {},
            lambda name: tags.effective(self.store, self.hierarchy.chain(node)),
        )

    def setting(self, name: str) -> str | None:
        """A value that the seed or the control surface has set; None where it has not."""
        row = self.store.one("SELECT value FROM meta WHERE name = ?", name)
        return row[0] if row else None

    def set(self, name: str, value: str) -> None:
        """Keep a value, within the caller's transaction."""
        self.store.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value)

    def close(self) -> None:
        """Close the store."""
        self.store.close()
