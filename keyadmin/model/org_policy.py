"""Organisation policies as plain values: custom constraints, and what is set of a constraint on a project, folder or
organisation.

What keyadmin does not know of a policy is not dropped in silence: `SpecRule.more` names it, so that such a policy is nobody's
but its author's. Source: https://docs.cloud.google.com/organization-policy/reference/rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

KEY_TYPE: Final = "apikeys.googleapis.com/Key"
CREATE, UPDATE = "CREATE", "UPDATE"
_RULE_FIELDS: Final = frozenset({"enforce", "condition", "values", "allowAll", "denyAll"})


@dataclass(frozen=True, slots=True)
class CustomConstraint:
    """A custom constraint. `name` = `custom.NAME`; `denies` = its action: what meets the condition is refused, else allowed
    alone.

    It forbids nothing by itself: a policy has to enforce it somewhere.
    """

    organization: str  # organizations/NUMBER
    name: str
    condition: str
    methods: tuple[str, ...]
    display_name: str = ""
    description: str = ""
    denies: bool = True
    types: tuple[str, ...] = (KEY_TYPE,)

    @property
    def full_name(self) -> str:
        """`organizations/N/customConstraints/custom.X`."""
        return f"{self.organization}/customConstraints/{self.name}"

    def governs(self, method: str) -> bool:
        """Whether it says anything of CREATE or UPDATE of a key."""
        return KEY_TYPE in self.types and method in self.methods


@dataclass(frozen=True, slots=True)
class SpecRule:
    """One rule. `enforce` is None for rules about values; `more` = fields that are not known here."""

    enforce: bool | None = None
    condition: str = ""
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    allow_all: bool = False
    deny_all: bool = False
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicySpec:
    """The rules of a policy, for real or as a dry run."""

    rules: tuple[SpecRule, ...] = ()
    inherits: bool = False
    resets: bool = False

    @property
    def enforces(self) -> bool | None:
        """Whether a boolean constraint is enforced; None where conditions decide it case by case."""
        if any(rule.condition for rule in self.rules):
            return None
        return any(bool(rule.enforce) for rule in self.rules)


@dataclass(frozen=True, slots=True)
class NodePolicy:
    """What is set of one constraint on one node (`projects/P`, `folders/N`, `organizations/N`), itself, as read."""

    node: str
    constraint: str
    spec: PolicySpec | None = None
    dry_run: PolicySpec | None = None
    etag: str = ""


def constraint_from_json(data: Json) -> CustomConstraint:
    """From the REST CustomConstraint."""
    organization, _, name = str(data.get("name", "")).partition("/customConstraints/")
    return CustomConstraint(
        organization,
        name,
        data.get("condition", ""),
        tuple(data.get("methodTypes", ())),
        data.get("displayName", ""),
        data.get("description", ""),
        data.get("actionType") == "DENY",
        tuple(data.get("resourceTypes", ())),
    )


def constraint_to_json(constraint: CustomConstraint) -> Json:
    """The REST CustomConstraint, whole: an update replaces the whole object."""
    return {
        "name": constraint.full_name,
        "resourceTypes": list(constraint.types),
        "methodTypes": list(constraint.methods),
        "condition": constraint.condition,
        "actionType": "DENY" if constraint.denies else "ALLOW",
        "displayName": constraint.display_name,
        "description": constraint.description,
    }


def policy_from_json(data: Json, node: str = "") -> NodePolicy:
    """From the REST Policy. `node` = as it was asked for: answers name projects by number."""
    named, _, constraint = str(data.get("name", "")).partition("/policies/")
    return NodePolicy(
        node or named,
        constraint,
        spec_from_json(data["spec"]) if "spec" in data else None,
        spec_from_json(data["dryRunSpec"]) if "dryRunSpec" in data else None,
        data.get("etag", ""),
    )


def policy_to_json(policy: NodePolicy) -> Json:
    """The REST Policy, with its etag where there is one."""
    out: Json = {"name": f"{policy.node}/policies/{policy.constraint}"}
    if policy.spec is not None:
        out["spec"] = spec_to_json(policy.spec)
    if policy.dry_run is not None:
        out["dryRunSpec"] = spec_to_json(policy.dry_run)
    return out | ({"etag": policy.etag} if policy.etag else {})


def spec_from_json(data: Mapping[str, Any]) -> PolicySpec:
    """From the REST PolicySpec."""
    rules = tuple(_rule(each) for each in data.get("rules", ()))
    return PolicySpec(rules, bool(data.get("inheritFromParent")), bool(data.get("reset")))


def _rule(data: Mapping[str, Any]) -> SpecRule:
    values = data.get("values", {})
    return SpecRule(
        bool(data["enforce"]) if "enforce" in data else None,
        data.get("condition", {}).get("expression", ""),
        tuple(values.get("allowedValues", ())),
        tuple(values.get("deniedValues", ())),
        bool(data.get("allowAll")),
        bool(data.get("denyAll")),
        tuple(sorted(set(data) - _RULE_FIELDS)),
    )


def spec_to_json(spec: PolicySpec) -> Json:
    """The REST PolicySpec. Of rules that keyadmin makes; what it does not know of a rule it never writes."""
    out: Json = {"rules": [_rule_to_json(rule) for rule in spec.rules]} if spec.rules else {}
    return out | ({"inheritFromParent": True} if spec.inherits else {}) | ({"reset": True} if spec.resets else {})


def _rule_to_json(rule: SpecRule) -> Json:
    out: Json = {"condition": {"expression": rule.condition}} if rule.condition else {}
    if rule.enforce is not None:
        return out | {"enforce": rule.enforce}
    named = {"allowedValues": rule.allowed, "deniedValues": rule.denied}
    values = {name: list(found) for name, found in named.items() if found}
    return out | ({"values": values} if values else {"denyAll": True} if rule.deny_all else {"allowAll": True})
