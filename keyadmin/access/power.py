"""How much a permission lets its holder do, which roles belong to its service, and where a role can be granted.

All of it is data with its sources (`data/role-ranking.json`): a verb's class, the permissions whose verb says too little of
them, the role families of services that have none of their own name, the lowest place of roles that projects do not take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final, Literal

from keyadmin.data import role_ranking

Place = Literal["project", "folder", "organization"]
PLACES: Final[tuple[Place, ...]] = ("project", "folder", "organization")  # from the lowest to the highest

_FIRST_WORD: Final = re.compile(r"[a-z0-9]+")


class Power(IntEnum):
    """What a permission lets its holder do, the higher the more dangerous."""

    READ = 0
    USE = 1
    WRITE = 2
    DELETE = 3
    HIGHEST = 4
    """Changing who may do what, and reading secrets: with it one can come by everything else."""


@cache
def power_of(permission: str) -> Power:
    """The class of a permission `SERVICE.RESOURCE.VERB`: that of its whole name, else of its verb; unknown verbs write."""
    table = role_ranking()
    verb = permission.rpartition(".")[2]
    first = _FIRST_WORD.match(verb)
    word = table["permissions"].get(permission) or table["endings"].get(verb)
    word = word or table["verbs"].get(first[0] if first else "", table["unknown"])
    return Power[word.upper()]


def most(permissions: Iterable[str]) -> Power:
    """The class of the most powerful of these; READ for none."""
    return max((power_of(name) for name in permissions), default=Power.READ)


def service_of(permission: str) -> str:
    """The service whose permission it is: `apikeys` of `apikeys.keys.get`."""
    return permission.partition(".")[0]


def is_own(role: str, service: str) -> bool:
    """Whether a predefined role belongs to a service: by the table, else where it has the service's name."""
    entry: dict[str, Any] | None = role_ranking()["ownRoles"].get(service)
    if entry is None:
        return role.startswith(f"roles/{service}.")
    return any(fnmatchcase(role, pattern) for pattern in entry["roles"])


def is_of_service_agents(name: str, title: str, description: str) -> bool:
    """Whether a role is meant for Google's own service agents, and so for nobody who could be advised to take it."""
    text = f"{name} {title} {description}".lower()
    return any(word in text for word in role_ranking()["serviceAgents"]["words"])


def is_for_single_resources(role: str) -> bool:
    """Whether a role can be granted on single resources alone (buckets), on no project, folder or organisation."""
    return any(fnmatchcase(role, pattern) for pattern in role_ranking()["notOnProjects"]["roles"])


def lowest_place(role: str) -> Place:
    """The lowest resource on which the role can be granted."""
    entry = role_ranking()["lowestPlace"].get(role)
    return "project" if entry is None else _place(entry["place"])


def place_of(permission: str) -> Place:
    """The kind of resource that has the permission: a folder's permission is of no use when granted on a project."""
    prefixes: dict[str, str] = role_ranking()["placeOfPermission"]["prefixes"]
    return next((_place(place) for start, place in prefixes.items() if permission.startswith(start)), "project")


def highest(places: Iterable[Place]) -> Place:
    """The highest of some places; a project for none."""
    return max(places, key=PLACES.index, default="project")


def _place(text: str) -> Place:
    return next(place for place in PLACES if place == text)
