"""Which predefined roles cover a set of permissions with the smallest sum of sizes. Exact, not a guess.

Weighted set cover over some fifty roles: branch on the permission that the fewest roles hold, cut what is already dearer
than the best known cover.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from keyadmin.data import iam_roles

FAMILIES: Final = frozenset(
    ["serviceusage", "iam", "resourcemanager", "browser", "secretmanager", "cloudasset", "orgpolicy", "monitoring"]
)
BASIC: Final = ("roles/viewer", "roles/editor", "roles/owner")  # smallest first

# The role families that belong to a permission's own service. API keys are administered with Service Usage's roles
# (roles/serviceusage.apiKeysAdmin and apiKeysViewer); roles/browser is Resource Manager's. A service that is not named
# here has no family of its own among FAMILIES.
OWN_FAMILIES: Final[Mapping[str, frozenset[str]]] = {
    "apikeys": frozenset(["serviceusage"]),
    "serviceusage": frozenset(["serviceusage"]),
    "iam": frozenset(["iam"]),
    "resourcemanager": frozenset(["resourcemanager", "browser"]),
    "secretmanager": frozenset(["secretmanager"]),
    "cloudasset": frozenset(["cloudasset"]),
    "orgpolicy": frozenset(["orgpolicy"]),
    "monitoring": frozenset(["monitoring"]),
}


@dataclass(frozen=True)
class Role:
    """A predefined role: its size is the number of permissions that the whole role holds."""

    name: str
    size: int
    permissions: frozenset[str]

    @property
    def family(self) -> str:
        """`roles/serviceusage.apiKeysAdmin` -> `serviceusage`."""
        return self.name.removeprefix("roles/").partition(".")[0]


@dataclass(frozen=True)
class Cover:
    """The roles to grant. `basic` = those of them that are a last resort; `uncovered` = what no role here holds."""

    roles: tuple[str, ...]
    size: int
    basic: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()


@cache
def candidates() -> tuple[Role, ...]:
    """The GA roles of the allowed families."""
    return tuple(role for role in _all_roles() if role.family in FAMILIES)


def permissions_of(role: str) -> frozenset[str]:
    """What of interest a predefined role holds; nothing for a custom role, whose permissions are not known here."""
    return next((each.permissions for each in _all_roles() if each.name == role), frozenset())


@cache
def _basic_roles() -> tuple[Role, ...]:
    by_name = {role.name: role for role in _all_roles()}
    return tuple(by_name[name] for name in BASIC if name in by_name)


@cache
def _all_roles() -> tuple[Role, ...]:
    return tuple(
        Role(name, entry["permission_count"], frozenset(entry["permissions"]))
        for name, entry in sorted(iam_roles()["roles"].items())
        if entry["stage"] == "GA"
    )


def cover(missing: Iterable[str]) -> Cover:
    """The smallest cover. A basic role comes in only for what the families cannot give, and then the smallest that can."""
    wanted = frozenset(missing)
    reachable = wanted & frozenset[str]().union(*(role.permissions for role in candidates()))
    basic, uncovered = _last_resort(wanted - reachable)
    held = basic.permissions if basic else frozenset[str]()
    chosen = smallest(reachable - held)
    roles = (*([basic] if basic else []), *chosen)
    return Cover(
        roles=tuple(role.name for role in roles),
        size=sum(role.size for role in roles),
        basic=(basic.name,) if basic else (),
        uncovered=tuple(sorted(uncovered)),
    )


def _last_resort(wanted: frozenset[str]) -> tuple[Role | None, frozenset[str]]:
    """The smallest basic role with as much of `wanted` as any has, and what even that leaves."""
    most = max((len(role.permissions & wanted) for role in _basic_roles()), default=0)
    if most == 0:
        return None, wanted
    role = next(role for role in _basic_roles() if len(role.permissions & wanted) == most)
    return role, wanted - role.permissions


def smallest(wanted: frozenset[str], roles: tuple[Role, ...] | None = None) -> tuple[Role, ...]:
    """The exact minimum for permissions that `roles` (by default the candidates) can cover, in the order of their names."""
    useful = _useful(wanted, candidates() if roles is None else roles)
    best: list[tuple[_Cost, tuple[Role, ...]]] = []

    def search(left: frozenset[str], chosen: tuple[Role, ...], size: int) -> None:
        if best and size > best[0][0][0]:
            return
        if not left:
            cost = _cost(wanted, chosen, size)
            if not best or cost < best[0][0]:
                best[:] = [(cost, chosen)]
            return
        # Any cover holds this permission by one of these roles, so nothing is lost by trying only them.
        scarce = min(left, key=lambda name: (sum(name in role.permissions for role in useful), name))
        for role in sorted((role for role in useful if scarce in role.permissions), key=lambda role: (role.size, role.name)):
            search(left - role.permissions, (*chosen, role), size + role.size)

    search(wanted, (), 0)
    return tuple(sorted(best[0][1], key=lambda role: role.name))


_Cost = tuple[int, int, int, tuple[str, ...]]


def _cost(wanted: frozenset[str], chosen: tuple[Role, ...], size: int) -> _Cost:
    """Size first. A tie goes to the cover with more permissions from roles of their own service, then with fewer roles."""
    strange = sum(not any(_own(role, name) for role in chosen) for name in wanted)
    return size, strange, len(chosen), tuple(sorted(role.name for role in chosen))


def _own(role: Role, permission: str) -> bool:
    """Whether the role holds the permission and belongs to its service."""
    return permission in role.permissions and role.family in OWN_FAMILIES.get(permission.partition(".")[0], frozenset())


def _useful(wanted: frozenset[str], roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """Without roles that a strictly smaller one replaces: no smallest cover holds them."""
    reduced = [role for role in roles if role.permissions & wanted]
    return tuple(
        role
        for role in reduced
        if not any(
            other.size < role.size and role.permissions & wanted <= other.permissions & wanted
            for other in reduced
            if other is not role
        )
    )
