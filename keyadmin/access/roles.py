"""Which predefined roles to grant for a set of permissions: the least powerful that hold them, then the smallest.

Over all predefined roles, without those of service agents and of stages other than GA. For each permission the roles of its own
service come first; of them those are considered whose most powerful permission is no more powerful than it has to be; of these
the cover with the smallest sum of sizes is taken, exactly (branch on the permission that the fewest roles hold, cut what is
already dearer than the best known cover).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from keyadmin.access import power
from keyadmin.access.power import Place, Power
from keyadmin.data import predefined_roles

BASIC: Final = ("roles/viewer", "roles/editor", "roles/owner")  # smallest first


@dataclass(frozen=True)
class Role:
    """A predefined role with all its permissions."""

    name: str
    permissions: frozenset[str]

    @property
    def size(self) -> int:
        """How many permissions it holds."""
        return len(self.permissions)

    @cached_property
    def power(self) -> Power:
        """The class of its most powerful permission."""
        return power.most(self.permissions)

    def owns(self, permission: str) -> bool:
        """Whether it holds the permission and belongs to its service."""
        return permission in self.permissions and power.is_own(self.name, power.service_of(permission))


@dataclass(frozen=True)
class Cover:
    """The roles to grant. `basic` = those of them that are a last resort; `uncovered` = what no role holds."""

    roles: tuple[str, ...]
    size: int
    basic: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    places: Mapping[str, Place] | None = None
    """Where to grant each role, if not on a project."""

    def place(self, role: str) -> Place:
        """Where a role of this cover is to be granted."""
        return (self.places or {}).get(role, "project")


@cache
def _catalogue() -> dict[str, Role]:
    return {name: Role(name, held) for name, held in predefined_roles().permissions.items()}


@cache
def candidates() -> tuple[Role, ...]:
    """The roles that may be advised: GA, not for service agents, not basic, to be had on a project or above."""
    data = predefined_roles()
    return tuple(
        role
        for name, role in sorted(_catalogue().items())
        if data.stages[name] == "GA"
        and name not in BASIC
        and not power.is_for_single_resources(name)
        and not power.is_of_service_agents(name, data.titles[name], data.descriptions[name])
    )


def permissions_of(role: str) -> frozenset[str]:
    """What a predefined role holds, of whatever stage; nothing for a custom role, whose permissions are not known here."""
    found = _catalogue().get(role)
    return found.permissions if found is not None else frozenset()


def smallest_role(permissions: str | Iterable[str], place: Place = "project") -> Cover:
    """The least powerful, then smallest grant of these permissions, for somebody who works on a resource of kind `place`.

    A role that cannot be granted there is granted at the lowest place where it can, and a permission that only folders or
    organisations have is granted on one: `Cover.place` says where.
    """
    wanted = frozenset([permissions] if isinstance(permissions, str) else permissions)
    found = cover(wanted)
    places: dict[str, Place] = {}
    for name in found.roles:
        used = wanted & permissions_of(name)
        places[name] = power.highest([place, power.lowest_place(name), *(power.place_of(each) for each in used)])
    return Cover(found.roles, found.size, found.basic, found.uncovered, places)


def cover(missing: Iterable[str]) -> Cover:
    """The smallest cover. A basic role comes in only for what no other role gives, and then the smallest that can."""
    return _cover(frozenset(missing))


@cache
def _cover(wanted: frozenset[str]) -> Cover:
    reachable = frozenset(name for name in wanted if any(name in role.permissions for role in candidates()))
    basic, uncovered = _last_resort(wanted - reachable)
    held = basic.permissions if basic else frozenset[str]()
    chosen = smallest(reachable - held, eligible(reachable - held, candidates()))
    roles = (*([basic] if basic else []), *chosen)
    return Cover(
        roles=tuple(role.name for role in roles),
        size=sum(role.size for role in roles),
        basic=(basic.name,) if basic else (),
        uncovered=tuple(sorted(uncovered)),
    )


def _last_resort(wanted: frozenset[str]) -> tuple[Role | None, frozenset[str]]:
    """The smallest basic role with as much of `wanted` as any has, and what even that leaves."""
    basic = [_catalogue()[name] for name in BASIC if name in _catalogue()]
    most = max((len(role.permissions & wanted) for role in basic), default=0)
    if most == 0:
        return None, wanted
    role = next(role for role in basic if len(role.permissions & wanted) == most)
    return role, wanted - role.permissions


def eligible(wanted: Collection[str], roles: Iterable[Role]) -> tuple[Role, ...]:
    """The roles that a cover may be made of: for each permission those of its own service (of any, where that has none with
    it), no more powerful than the least powerful of them."""
    holders = {name: [role for role in roles if name in role.permissions] for name in wanted}
    found: set[Role] = set()
    for name, holding in holders.items():
        if not holding:
            continue
        own = [role for role in holding if role.owns(name)] or holding
        least = min(role.power for role in own)
        found.update(role for role in own if role.power == least)
    return tuple(sorted(found, key=lambda role: role.name))


def smallest(wanted: frozenset[str], roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """The exact minimum for permissions that `roles` can cover, in the order of their names."""
    useful = _useful(wanted, roles)
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
    strange = sum(not any(role.owns(name) for role in chosen) for name in wanted)
    return size, strange, len(chosen), tuple(sorted(role.name for role in chosen))


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
