"""IAM: bindings on resources, inherited down the hierarchy; predefined roles from the package's data, custom roles."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from keyadmin.data import iam_roles
from keyadmin.sandbox.messages.times import parse_rfc3339
from keyadmin.sandbox.state.store import Store

TABLES = """
CREATE TABLE policies (resource TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE roles (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
"""

_SECRET_POLICIES = frozenset({"secretmanager.secrets.getIamPolicy", "secretmanager.secrets.setIamPolicy"})

# Permissions that the sandbox checks and the role data leaves out, by role: from the IAM permissions reference
# (https://cloud.google.com/iam/docs/permissions-reference).
_ACCOUNT_STATE = frozenset(f"iam.serviceAccounts.{verb}" for verb in ("disable", "enable", "undelete"))
_ROLE_STATE = frozenset({"iam.roles.delete", "iam.roles.undelete"})
SUPPLEMENT: dict[str, frozenset[str]] = {
    "roles/owner": _ACCOUNT_STATE | _ROLE_STATE | _SECRET_POLICIES,
    "roles/editor": _ACCOUNT_STATE,
    "roles/iam.admin": _ACCOUNT_STATE | _ROLE_STATE,
    "roles/iam.editor": _ACCOUNT_STATE,
    "roles/iam.organizationRoleAdmin": _ROLE_STATE,
    "roles/iam.roleAdmin": _ROLE_STATE,
    "roles/iam.serviceAccountAdmin": _ACCOUNT_STATE,
    "roles/iam.serviceAccountTokenCreator": frozenset({"iam.serviceAccounts.getAccessToken"}),
    "roles/iam.workloadIdentityUser": frozenset({"iam.serviceAccounts.getAccessToken"}),
    "roles/orgpolicy.policyAdmin": frozenset({"orgpolicy.policies.delete"}),
    "roles/iam.securityAdmin": frozenset(
        f"resourcemanager.{kind}.{verb}" for kind in ("folders", "organizations") for verb in ("getIamPolicy", "setIamPolicy")
    )
    | _SECRET_POLICIES,
    "roles/iam.securityReviewer": frozenset(
        {
            "resourcemanager.folders.getIamPolicy",
            "resourcemanager.organizations.getIamPolicy",
            "secretmanager.secrets.getIamPolicy",
        }
    ),
    "roles/secretmanager.admin": _SECRET_POLICIES,
    "roles/secretmanager.viewer": frozenset({"secretmanager.secrets.getIamPolicy"}),
    "roles/resourcemanager.folderCreator": frozenset({"resourcemanager.folders.create"}),
    "roles/resourcemanager.folderEditor": frozenset(
        f"resourcemanager.folders.{verb}" for verb in ("delete", "undelete", "update")
    ),
    "roles/resourcemanager.folderMover": frozenset({"resourcemanager.folders.move"}),
    "roles/resourcemanager.folderIamAdmin": frozenset(
        f"resourcemanager.folders.{verb}" for verb in ("getIamPolicy", "setIamPolicy")
    ),
    "roles/resourcemanager.folderAdmin": frozenset(
        f"resourcemanager.folders.{verb}"
        for verb in ("create", "delete", "undelete", "update", "move", "getIamPolicy", "setIamPolicy")
    ),
    # Owner and the other basic roles hold nothing on folders and organisations themselves: the reference names none.
    "roles/resourcemanager.organizationAdmin": frozenset(
        f"resourcemanager.{kind}.{verb}" for kind in ("folders", "organizations") for verb in ("getIamPolicy", "setIamPolicy")
    ),
}

TIME_CONDITION = re.compile(r"""\s*request\.time\s*(<=|>=|<|>)\s*timestamp\(\s*["']([^"']+)["']\s*\)\s*""")


@cache
def known_permissions() -> frozenset[str]:
    """Every permission that the sandbox knows of, by name."""
    return frozenset(iam_roles()["permissions"]).union(*SUPPLEMENT.values())


@cache
def predefined(role: str) -> frozenset[str]:
    """The permissions that matter here of a predefined role; empty for an unknown one."""
    entry = iam_roles()["roles"].get(role)
    held = frozenset(entry["permissions"]) if entry else frozenset()
    return held | SUPPLEMENT.get(role, frozenset())


def members_of(principal: str) -> frozenset[str]:
    """The members that a caller (an e-mail address) is. Groups have no members in the sandbox."""
    email = principal.lower()
    kind = "serviceAccount" if email.endswith("gserviceaccount.com") else "user"
    domain = email.rpartition("@")[2]
    return frozenset({f"{kind}:{email}", f"domain:{domain}", "allUsers", "allAuthenticatedUsers"})


def condition_holds(condition: dict[str, Any], now: int) -> bool:
    """Whether a binding's condition holds at a time (microseconds).

    Understood: `request.time < timestamp("...")` and `>`, `<=`, `>=`. A binding with any other expression grants nothing here.
    """
    found = TIME_CONDITION.fullmatch(condition.get("expression", ""))
    if not found:
        return False
    limit = parse_rfc3339(found[2])
    return {"<": now < limit, "<=": now <= limit, ">": now > limit, ">=": now >= limit}[found[1]]


class Policies:
    """Who may do what where; answers are kept while the store's generation stands."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._generation = -1
        self._docs: dict[str, dict[str, Any]] = {}
        self._held: dict[tuple[str, tuple[str, ...]], frozenset[str]] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def _fresh(self) -> None:
        if self._generation != self._store.generation or len(self._held) > 50_000:
            self._docs.clear()
            self._held.clear()
            self._sets.clear()
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
            return predefined(name)
        doc = self.role(name)
        if doc is None or doc.get("deleted") or doc.get("stage") == "DISABLED":
            return frozenset()
        return frozenset(doc.get("includedPermissions", ()))

    def held(self, principal: str, chain: tuple[str, ...], now: int) -> frozenset[str]:
        """All permissions of a caller on a resource, given with its ancestors (canonical names)."""
        self._fresh()
        key = (principal, chain)
        if key in self._held:
            return self._held[key]
        me = members_of(principal)
        out: set[str] = set()
        timed = False
        for resource in chain:
            for binding in self.get(resource).get("bindings", ()):
                if condition := binding.get("condition"):
                    timed = True
                    if not condition_holds(condition, now):
                        continue
                if any(member == "allUsers" or _fold(member) in me for member in binding.get("members", ())):
                    out |= self.role_permissions(binding["role"])
        held = frozenset(out)
        held = self._sets.setdefault(held, held)  # a set of its own for each of 10,000 projects would take 80 MB
        if not timed:
            self._held[key] = held
        return held


def _fold(member: str) -> str:
    kind, colon, rest = member.partition(":")
    return f"{kind}{colon}{rest.lower()}"
