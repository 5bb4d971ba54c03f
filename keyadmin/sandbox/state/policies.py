"""IAM: bindings on resources, inherited down the hierarchy; what denies stands before what allows; custom roles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keyadmin.data import predefined_role
from keyadmin.sandbox.state import conditions, deny
from keyadmin.sandbox.state.store import Store

TABLES = """
CREATE TABLE policies (resource TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roles (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE deny_policies (
  resource TEXT NOT NULL,           -- projects/NUMBER, folders/NUMBER, organizations/NUMBER
  policy_id TEXT NOT NULL,
  doc TEXT NOT NULL,                -- the REST policy without names that depend on how it is asked for
  PRIMARY KEY (resource, policy_id)
) WITHOUT ROWID;
"""


def members_of(principal: str) -> frozenset[str]:
    """The members that a caller (an e-mail address) is. Groups have no members in the sandbox."""
    email = principal.lower()
    kind = "serviceAccount" if email.endswith("gserviceaccount.com") else "user"
    domain = email.rpartition("@")[2]
    return frozenset({f"{kind}:{email}", f"domain:{domain}", "allUsers", "allAuthenticatedUsers"})


@dataclass(frozen=True)
class Situation:
    """What conditions may ask for."""

    now: int  # microseconds
    name: str = ""  # of the resource: projects/NUMBER/secrets/S
    type: str = ""  # secretmanager.googleapis.com/Secret
    attributes: Mapping[str, Any] = field(default_factory=dict)  # api.getAttribute
    tags: Callable[[str], Mapping[str, str]] = lambda name: {}  # of a resource: value by key, short names and ids

    def variables(self) -> dict[str, Any]:
        """As a condition names them."""
        resource = {"name": self.name, "type": self.type, "service": self.type.partition("/")[0]}
        return {
            "request": {"time": conditions.moment(self.now)},
            "resource": {name: value for name, value in resource.items() if value},
            "api": {},
        }

    def functions(self) -> dict[str, conditions.Function]:
        """The functions that IAM adds to CEL."""
        return {
            "getAttribute": lambda api, name, default: (
                conditions.to_cel(self.attributes[str(name)]) if str(name) in self.attributes else default
            ),
            "hasOnly": lambda values, allowed: conditions.to_cel(all(value in allowed for value in values)),
            "extract": lambda text, template: conditions.to_cel(_extracted(str(text), str(template))),
            **tag_functions(self.tags(self.name)),
        }


def tag_functions(tags: Mapping[str, str]) -> dict[str, conditions.Function]:
    """`resource.matchTag("ORG/key", "value")` and the three others (https://cloud.google.com/iam/docs/conditions-resource-attributes)."""
    return {
        "matchTag": lambda _, key, value: conditions.to_cel(tags.get(str(key)) == str(value)),
        "matchTagId": lambda _, key, value: conditions.to_cel(tags.get(str(key)) == str(value)),
        "hasTagKey": lambda _, key: conditions.to_cel(str(key) in tags),
        "hasTagKeyId": lambda _, key: conditions.to_cel(str(key) in tags),
    }


def _extracted(text: str, template: str) -> str:
    """`"projects/_/buckets/b/objects/x".extract("buckets/{name}/")` = `b`; the documented rules of the one placeholder."""
    before, opened, rest = template.partition("{")
    _, closed, after = rest.partition("}")
    if not opened or not closed:
        return ""
    start = text.find(before)
    if start < 0:
        return ""
    start += len(before)
    end = text.find(after, start) if after else len(text)
    return text[start:end] if end >= 0 else ""


class Held:
    """What a caller may do somewhere: `"apikeys.keys.get" in held`. `problems`: conditions that could not be evaluated."""

    __slots__ = ("_denied", "_roles", "problems")

    def __init__(
        self, roles: Iterable[frozenset[str]] = (), denied: deny.Denied | None = None, problems: tuple[str, ...] = ()
    ) -> None:
        self._roles = tuple(dict.fromkeys(roles))
        self._denied = denied
        self.problems = problems

    def __contains__(self, permission: str) -> bool:
        return any(permission in role for role in self._roles) and not (self._denied and self._denied(permission))


class Policies:
    """Who may do what where; answers are kept while the store's generation stands."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._generation = -1
        self._docs: dict[str, dict[str, Any]] = {}
        self._denials: dict[str, list[dict[str, Any]]] | None = None
        self._held: dict[tuple[str, tuple[str, ...]], Held] = {}
        self._shared: dict[tuple[frozenset[str], ...], Held] = {}

    def _fresh(self) -> None:
        if self._generation != self._store.generation or len(self._held) > 50_000:
            self._docs.clear()
            self._held.clear()
            self._shared.clear()
            self._denials = None
            self._generation = self._store.generation

    def get(self, resource: str) -> dict[str, Any]:
        """The policy attached to a resource itself, as stored; `{}` where there is none."""
        self._fresh()
        if resource in self._docs:
            return self._docs[resource]
        row = self._store.one("SELECT doc FROM policies WHERE resource = ?", resource)
        found: dict[str, Any] = json.loads(row[0]) if row else {}
        if not resource.startswith("projects/"):  # there may be very many of these, and what is held there is kept already
            self._docs[resource] = found
        return found

    def put(self, resource: str, policy: dict[str, Any]) -> None:
        """Replace it, within the caller's transaction."""
        self._store.run("INSERT OR REPLACE INTO policies VALUES (?, ?)", resource, json.dumps(policy))
        self._store.generation += 1

    def denials(self, resource: str) -> list[dict[str, Any]]:
        """The deny policies attached to a node (canonical name), by id."""
        self._fresh()
        if self._denials is None:
            self._denials = {}
            for node, text in self._store.all("SELECT resource, doc FROM deny_policies ORDER BY resource, policy_id"):
                self._denials.setdefault(node, []).append(json.loads(text))
        return self._denials.get(resource, [])

    def role(self, name: str) -> dict[str, Any] | None:
        """A custom role's document, deleted ones too; None if there is none."""
        row = self._store.one("SELECT doc FROM roles WHERE name = ?", name)
        return json.loads(row[0]) if row else None

    def put_role(self, name: str, doc: dict[str, Any]) -> None:
        """Insert or replace a custom role, within the caller's transaction."""
        self._store.run("INSERT OR REPLACE INTO roles VALUES (?, ?)", name, json.dumps(doc))
        self._store.generation += 1

    def role_permissions(self, name: str) -> frozenset[str]:
        """What a role holds; a deleted or disabled custom role holds nothing."""
        if name.startswith("roles/"):
            found = predefined_role(name)
            return found.permissions if found else frozenset()
        doc = self.role(name)
        if doc is None or doc.get("deleted") or doc.get("stage") == "DISABLED":
            return frozenset()
        return frozenset(doc.get("includedPermissions", ()))

    def held(self, principal: str, chain: tuple[str, ...], asked: Callable[[], Situation]) -> Held:
        """All permissions of a caller on a resource, given with its ancestors (canonical names); `asked` for conditions."""
        self._fresh()
        key = (principal, chain)
        if key in self._held:
            return self._held[key]
        roles: list[frozenset[str]] = []
        problems: list[str] = []
        conditional = False
        situation = asked()
        for resource in chain:
            for binding in self.get(resource).get("bindings", ()):
                if not is_member(principal, binding.get("members", ())):
                    continue
                if condition := binding.get("condition"):
                    conditional = True
                    where = f"{binding['role']} on {resource}"
                    if not self._applies(condition.get("expression", ""), situation, where, problems):
                        continue
                roles.append(self.role_permissions(binding["role"]))
        attached = [rule for node in chain for policy in self.denials(node) for rule in deny.rules(policy)]
        denied = deny.denied(principal, attached)
        if denied is None and not conditional:
            shared = tuple(dict.fromkeys(roles))  # one object for 10,000 projects, and no set of its own for each
            held = self._held[key] = self._shared.setdefault(shared, Held(shared))
            return held
        checked = denied.when(lambda expression: self._denies(expression, situation)) if denied else None
        return Held(roles, checked, tuple(problems))

    @staticmethod
    def _applies(expression: str, situation: Situation, what: str, problems: list[str]) -> bool:
        """Whether a binding's condition holds. One that cannot be evaluated grants nothing, and that is said."""
        try:
            return conditions.evaluate(conditions.compiled(expression), situation.variables(), situation.functions())
        except (conditions.NotACondition, conditions.NotEvaluable) as error:
            problems.append(f"the condition of {what} could not be evaluated and grants nothing: {error}")
            return False

    @staticmethod
    def _denies(expression: str, situation: Situation) -> bool:
        """Whether a deny rule's condition holds; one that cannot be evaluated denies (documented)."""
        try:
            return conditions.evaluate(conditions.compiled(expression), situation.variables(), situation.functions())
        except (conditions.NotACondition, conditions.NotEvaluable):
            return True


def is_member(principal: str, members: Iterable[str]) -> bool:
    """Whether a caller (an e-mail address) is among the members of a binding."""
    me = members_of(principal)
    return any(member == "allUsers" or _fold(member) in me for member in members)


def _fold(member: str) -> str:
    kind, colon, rest = member.partition(":")
    return f"{kind}{colon}{rest.lower()}"
