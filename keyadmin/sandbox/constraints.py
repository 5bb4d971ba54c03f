"""Organisation-policy constraints that the sandbox knows, set on nodes and inherited."""

from __future__ import annotations

from typing import Final

from keyadmin.sandbox.store import Store

TABLES = """
CREATE TABLE org_policies (
  node TEXT NOT NULL, constraint_name TEXT NOT NULL, enforced INTEGER NOT NULL,
  PRIMARY KEY (node, constraint_name)
) WITHOUT ROWID;
"""

KEY_BINDING: Final = "iam.managed.disableServiceAccountApiKeyCreation"

# Constraints and whether they are enforced where nobody set them (facts 2: key binding is).
DEFAULTS: Final = {KEY_BINDING: True}


def enforced(store: Store, chain: tuple[str, ...], constraint: str) -> bool:
    """Whether a boolean constraint is enforced on a node, given with its ancestors; the nearest setting decides."""
    for node in chain:
        row = store.one("SELECT enforced FROM org_policies WHERE node = ? AND constraint_name = ?", node, constraint)
        if row is not None:
            return bool(row[0])
    return DEFAULTS.get(constraint, False)


def put(store: Store, node: str, constraint: str, value: bool) -> None:
    """Set a constraint on a node, within the caller's transaction."""
    store.run("INSERT OR REPLACE INTO org_policies VALUES (?, ?, ?)", node, constraint, int(value))
