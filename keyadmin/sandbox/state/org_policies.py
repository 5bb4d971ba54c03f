"""Organisation policies: constraints, what is set on nodes, and what of it holds on a resource.

https://cloud.google.com/resource-manager/docs/organization-policy/understanding-hierarchy
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyadmin.data import org_constraints
from keyadmin.sandbox.state import conditions
from keyadmin.sandbox.state.policies import tag_functions
from keyadmin.sandbox.state.store import Store

TABLES = """
CREATE TABLE org_policies (
  node TEXT NOT NULL, constraint_name TEXT NOT NULL,
  changed INTEGER NOT NULL,         -- microseconds
  doc TEXT,                         -- {"spec"?, "dryRunSpec"?} as it was set, NULL = taken away and not everywhere known yet
  before TEXT,                      -- what holds until the change has spread
  PRIMARY KEY (node, constraint_name)
) WITHOUT ROWID;
CREATE TABLE custom_constraints (
  node TEXT NOT NULL,               -- organizations/NUMBER
  name TEXT NOT NULL,               -- custom.NAME
  doc TEXT NOT NULL,                -- the REST CustomConstraint without its name
  PRIMARY KEY (node, name)
) WITHOUT ROWID;
"""

Json = dict[str, Any]

KEY_BINDING: Final = "iam.managed.disableServiceAccountApiKeyCreation"
ACCOUNT_CREATION: Final = ("iam.disableServiceAccountCreation", "iam.managed.disableServiceAccountCreation")
ACCOUNT_KEYS: Final = ("iam.disableServiceAccountKeyCreation", "iam.managed.disableServiceAccountKeyCreation")
SERVICE_USAGE: Final = "gcp.restrictServiceUsage"


@dataclass(frozen=True, slots=True)
class Setting:
    """A policy set on one node."""

    constraint: str
    changed: int  # microseconds
    doc: Json


def kind(constraint: str) -> str:
    """`boolean`, `list`, `managed` or `custom`; empty for a constraint that is not in the list."""
    if constraint.startswith("custom."):
        return "custom"
    return org_constraints().get(constraint, ("", False))[0]


def denies_by_default(constraint: str) -> bool:
    """Whether a constraint restricts where nobody set it."""
    return org_constraints().get(constraint, ("", False))[1]


class OrgPolicies:
    """What is set where; `spread` gives how long a change takes to be seen (microseconds), `tags` the tags of a chain."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], int],
        spread: Callable[[], int],
        tags: Callable[[tuple[str, ...]], Mapping[str, str]],
    ) -> None:
        self._store = store
        self._now = now
        self._spread = spread
        self._tags = tags
        self._generation = -1
        self._rows: dict[tuple[str, str], tuple[int, str | None, str | None]] = {}
        self._customs: dict[str, dict[str, Json]] = {}
        self._named: frozenset[str] = frozenset()

    def _fresh(self) -> dict[tuple[str, str], tuple[int, str | None, str | None]]:
        if self._generation != self._store.generation:
            found = self._store.all("SELECT node, constraint_name, changed, doc, before FROM org_policies")
            self._rows = {(row[0], row[1]): (row[2], row[3], row[4]) for row in found}
            self._named = frozenset(name for _, name in self._rows)
            self._customs = {}
            for node, name, doc in self._store.all("SELECT node, name, doc FROM custom_constraints ORDER BY name"):
                self._customs.setdefault(node, {})[name] = json.loads(doc)
            self._generation = self._store.generation
        return self._rows

    def settings(self, node: str, constraint: str = "") -> list[Setting]:
        """What is set on a node itself, by name; of one constraint or of all."""
        return [
            Setting(name, changed, json.loads(doc))
            for (where, name), (changed, doc, _) in sorted(self._fresh().items())
            if where == node and doc is not None and constraint in ("", name)
        ]

    def put(self, node: str, setting: Setting) -> None:
        """Insert or replace a node's setting, within the caller's transaction."""
        self._write(node, setting.constraint, setting.changed, json.dumps(setting.doc))

    def remove(self, node: str, constraint: str, now: int) -> None:
        """Take a node's setting away, within the caller's transaction."""
        self._write(node, constraint, now, None)

    def _write(self, node: str, constraint: str, now: int, doc: str | None) -> None:
        old = self._fresh().get((node, constraint))
        before = self._in_force(old) if old else None
        if doc is None and not self._spread():
            self._store.run("DELETE FROM org_policies WHERE node = ? AND constraint_name = ?", node, constraint)
        else:
            self._store.run("INSERT OR REPLACE INTO org_policies VALUES (?, ?, ?, ?, ?)", node, constraint, now, doc, before)
        self._store.generation += 1

    def _in_force(self, row: tuple[int, str | None, str | None]) -> str | None:
        changed, doc, before = row
        return doc if changed + self._spread() <= self._now() else before

    def is_set(self, constraint: str) -> bool:
        """Whether a constraint is set anywhere: where not, nobody need look for it."""
        self._fresh()
        return constraint in self._named

    def _specs(self, chain: tuple[str, ...], constraint: str, *, dry: bool) -> Iterator[Json]:
        """The specs in force from a node upwards; for a dry run its own spec where there is one, else the live one."""
        rows = self._fresh()
        for node in chain:
            row = rows.get((node, constraint))
            text = self._in_force(row) if row else None
            if text is None:
                continue
            doc = json.loads(text)
            spec = doc.get("dryRunSpec", doc.get("spec")) if dry else doc.get("spec")
            if spec is not None:
                yield spec

    def rule(self, chain: tuple[str, ...], constraint: str, *, dry: bool = False) -> Json:
        """The rule of a boolean constraint that holds on a node, given with its ancestors: `{"enforce", "parameters"?}`."""
        spec = next(self._specs(chain, constraint, dry=dry), None)
        if spec is None or spec.get("reset"):
            return {"enforce": denies_by_default(constraint)}
        return self._chosen(spec, chain) or {"enforce": False}

    def rule_over(self, chain: tuple[str, ...], constraint: str, over: Mapping[tuple[str, str], Json]) -> Json:
        """The same as if specs by (node, constraint) were set over what is."""
        rows = self._fresh()
        for node in chain:
            row = rows.get((node, constraint))
            spec = over.get((node, constraint)) or json.loads((row and self._in_force(row)) or "{}").get("spec")
            if spec is not None:
                return self._chosen(spec, chain) or {"enforce": False}
        return {"enforce": denies_by_default(constraint)}

    def _chosen(self, spec: Json, chain: tuple[str, ...]) -> Json | None:
        """The conditional rule that holds, else the one without a condition."""
        plain = None
        for rule in spec.get("rules", ()):
            if "condition" not in rule:
                plain = rule
            elif self._holds(rule["condition"], chain):
                return dict(rule)
        return plain

    def _holds(self, condition: Json, chain: tuple[str, ...]) -> bool:
        """A condition on tags. What cannot be evaluated does not hold."""
        try:
            parsed = conditions.compiled(condition.get("expression", ""))
            return conditions.evaluate(parsed, {"resource": {}}, tag_functions(self._tags(chain)))
        except (conditions.NotACondition, conditions.NotEvaluable):
            return False

    def enforced(self, chain: tuple[str, ...], constraint: str, *, dry: bool = False) -> bool:
        """Whether a boolean constraint is enforced on a node, given with its ancestors."""
        return bool(self.rule(chain, constraint, dry=dry).get("enforce"))

    def effective(self, chain: tuple[str, ...], constraint: str, *, dry: bool = False) -> list[Json]:
        """The rules of a list constraint that hold on a node: `allowAll`, `denyAll` or `values`."""
        specs: list[Json] = []
        for spec in self._specs(chain, constraint, dry=dry):
            if spec.get("reset"):
                break
            specs.append(spec)
            if not spec.get("inheritFromParent"):
                break
        else:
            if not specs:
                return [{"denyAll": True}] if denies_by_default(constraint) else [{"allowAll": True}]
        allowed: dict[str, None] = {}
        denied: dict[str, None] = {}
        allow_all = deny_all = False
        for spec in reversed(specs):
            for rule in spec.get("rules", ()):
                if "condition" in rule and not self._holds(rule["condition"], chain):
                    continue
                allow_all |= bool(rule.get("allowAll"))
                deny_all |= bool(rule.get("denyAll"))
                values = rule.get("values", {})
                allowed.update(dict.fromkeys(values.get("allowedValues", ())))
                denied.update(dict.fromkeys(values.get("deniedValues", ())))
        if deny_all:
            return [{"denyAll": True}]
        named = {"allowedValues": list(allowed), "deniedValues": list(denied)}
        if any(named.values()):
            return [{"values": {name: found for name, found in named.items() if found}}]
        return [{"allowAll": True}] if allow_all or not denies_by_default(constraint) else [{"denyAll": True}]

    def allows(self, chain: tuple[str, ...], constraint: str, value: str, *, dry: bool = False) -> bool:
        """Whether a list constraint allows a value on a node. What is denied stays so whatever is allowed."""
        (rule,) = self.effective(chain, constraint, dry=dry)
        if "values" not in rule:
            return bool(rule.get("allowAll"))
        plain = {name: {text.removeprefix("is:") for text in found} for name, found in rule["values"].items()}
        if value in plain.get("deniedValues", ()):
            return False
        return "allowedValues" not in plain or value in plain["allowedValues"]

    def custom(self, organization: str, name: str) -> Json | None:
        """A custom constraint's document; None if there is none."""
        return self.customs(organization).get(name)

    def customs(self, organization: str) -> dict[str, Json]:
        """All custom constraints of an organisation, by name."""
        self._fresh()
        return self._customs.get(organization, {})

    def put_custom(self, organization: str, name: str, doc: Json) -> None:
        """Insert or replace a custom constraint, within the caller's transaction."""
        self._store.run("INSERT OR REPLACE INTO custom_constraints VALUES (?, ?, ?)", organization, name, json.dumps(doc))
        self._store.generation += 1

    def remove_custom(self, organization: str, name: str) -> None:
        """Take a custom constraint away, within the caller's transaction."""
        self._store.run("DELETE FROM custom_constraints WHERE node = ? AND name = ?", organization, name)
        self._store.generation += 1
