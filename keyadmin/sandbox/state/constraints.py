"""Organisation-policy constraints that the sandbox knows, set on nodes and inherited."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from keyadmin.sandbox.state.store import Store

TABLES = """
CREATE TABLE org_policies (
  node TEXT NOT NULL, constraint_name TEXT NOT NULL,
  enforced INTEGER,                 -- 0, 1, 2 = back to the constraint's default, NULL = not said (a dry run alone)
  changed INTEGER NOT NULL,         -- microseconds
  doc TEXT NOT NULL,                -- {"spec"?, "dryRunSpec"?} as it was set
  PRIMARY KEY (node, constraint_name)
) WITHOUT ROWID;
"""

KEY_BINDING: Final = "iam.managed.disableServiceAccountApiKeyCreation"
ACCOUNT_CREATION: Final = ("iam.disableServiceAccountCreation", "iam.managed.disableServiceAccountCreation")
RESET: Final = 2


@dataclass(frozen=True, slots=True)
class Constraint:
    """A boolean constraint, and whether it is enforced where nobody set it."""

    title: str
    description: str
    default: bool = False


# Titles and descriptions: own words, after https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints.
KNOWN: Final[dict[str, Constraint]] = {
    "iam.disableServiceAccountCreation": Constraint(
        "Disable service account creation", "When enforced, no service account can be created."
    ),
    "iam.disableServiceAccountKeyCreation": Constraint(
        "Disable service account key creation", "When enforced, no key of a service account can be created."
    ),
    KEY_BINDING: Constraint(
        "Block service account API key bindings",
        "When enforced, API keys cannot be bound to service accounts, but for keys restricted to the Gemini API alone.",
        default=True,  # facts 2
    ),
    "iam.managed.disableServiceAccountCreation": Constraint(
        "Disable service account creation", "When enforced, no service account can be created."
    ),
    "iam.managed.disableServiceAccountKeyCreation": Constraint(
        "Disable service account key creation", "When enforced, no key of a service account can be created."
    ),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A policy set on one node."""

    constraint: str
    changed: int  # microseconds
    doc: dict[str, Any]


def default(constraint: str) -> bool:
    """Whether a constraint is enforced where nobody set it."""
    return constraint in KNOWN and KNOWN[constraint].default


def enforced(store: Store, chain: tuple[str, ...], constraint: str) -> bool:
    """Whether a boolean constraint is enforced on a node, given with its ancestors; the nearest setting decides."""
    for node in chain:
        row = store.one("SELECT enforced FROM org_policies WHERE node = ? AND constraint_name = ?", node, constraint)
        if row is not None and row[0] is not None:
            return default(constraint) if row[0] == RESET else bool(row[0])
    return default(constraint)


def settings(store: Store, node: str, constraint: str = "") -> list[Setting]:
    """What is set on a node itself, by name; of one constraint or of all."""
    rows = store.all(
        "SELECT constraint_name, changed, doc FROM org_policies WHERE node = ? AND (? = '' OR constraint_name = ?) "
        "ORDER BY constraint_name",
        *(node, constraint, constraint),
    )
    return [Setting(row[0], row[1], json.loads(row[2])) for row in rows]


def put(store: Store, node: str, constraint: str, value: bool, now: int) -> None:
    """Set a constraint on a node at a time (microseconds), within the caller's transaction."""
    put_document(store, node, Setting(constraint, now, {"spec": {"rules": [{"enforce": value}]}}))


def put_document(store: Store, node: str, setting: Setting) -> None:
    """Insert or replace a node's setting, within the caller's transaction. Rules with conditions are kept and never true:
    the sandbox has no tags."""
    spec = setting.doc.get("spec")
    enforced: int | None = None
    if spec is not None:
        rules = [rule for rule in spec.get("rules", ()) if "condition" not in rule]
        enforced = RESET if spec.get("reset") else int(any(rule.get("enforce") for rule in rules))
    store.run(
        "INSERT OR REPLACE INTO org_policies VALUES (?, ?, ?, ?, ?)",
        *(node, setting.constraint, enforced, setting.changed, json.dumps(setting.doc)),
    )


def remove(store: Store, node: str, constraint: str) -> None:
    """Take a node's setting away, within the caller's transaction."""
    store.run("DELETE FROM org_policies WHERE node = ? AND constraint_name = ?", node, constraint)
