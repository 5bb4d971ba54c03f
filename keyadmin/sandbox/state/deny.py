"""Deny policies: whom they mean and what they take away (https://cloud.google.com/iam/docs/deny-overview)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Json = dict[str, Any]

PERMISSION = re.compile(r"([a-z0-9-]+(?:\.[a-z0-9-]+)*\.googleapis\.com)/([A-Za-z0-9]+|\*)\.([A-Za-z0-9]+|\*)")
# The service of a permission's first word, where it is another name (the permission reference of deny policies).
_HOSTS = {"resourcemanager": "cloudresourcemanager"}


def full_permission(permission: str) -> str:
    """`apikeys.googleapis.com/keys.create` of `apikeys.keys.create`, as deny policies write them."""
    if "/" in permission:
        return permission
    service, _, rest = permission.partition(".")
    return f"{_HOSTS.get(service, service)}.googleapis.com/{rest}"


def principals_of(email: str) -> frozenset[str]:
    """The identifiers that mean a caller, lower case. Groups have no members in the sandbox."""
    email = email.lower()
    everybody = {"principalset://goog/public:all"}
    if email.endswith("gserviceaccount.com"):
        return frozenset({f"principal://iam.googleapis.com/projects/-/serviceaccounts/{email}"} | everybody)
    return frozenset({f"principal://goog/subject/{email}"} | everybody)


def rules(policy: Json) -> list[Json]:
    """The deny rules of a policy."""
    return [rule["denyRule"] for rule in policy.get("rules", ()) if "denyRule" in rule]


def _means(patterns: Iterable[str], permission: str) -> bool:
    return any(fnmatchcase(permission, pattern) for pattern in patterns)


@dataclass(frozen=True)
class Denied:
    """What is denied to one caller: `denied("apikeys.keys.create")`."""

    rules: tuple[Json, ...]

    def __call__(self, permission: str) -> bool:
        full = full_permission(permission)
        return any(
            _means(rule.get("deniedPermissions", ()), full) and not _means(rule.get("exceptionPermissions", ()), full)
            for rule in self.rules
        )

    def when(self, holds: Callable[[str], bool]) -> Denied | None:
        """Only the rules whose condition holds; None where none is left."""
        left = tuple(
            rule for rule in self.rules if "denialCondition" not in rule or holds(rule["denialCondition"].get("expression", ""))
        )
        return Denied(left) if left else None


def denied(principal: str, found: Iterable[Json]) -> Denied | None:
    """The rules that mean a caller (an e-mail address); None where none does."""
    me = principals_of(principal)
    mine = tuple(
        rule
        for rule in found
        if any(name.lower() in me for name in rule.get("deniedPrincipals", ()))
        and not any(name.lower() in me for name in rule.get("exceptionPrincipals", ()))
    )
    return Denied(mine) if mine else None
