"""Data files shipped with the package. Each says in itself where it comes from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def services() -> dict[str, tuple[str, str]]:
    """Google's services: `{name: (title, summary)}`, in the order of names; a summary may be empty."""
    text = files(__package__).joinpath("service-catalogue.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[0]: (row[1], row[2] if len(row) > 2 else "") for row in sorted(rows)}


@cache
def iam_roles() -> dict[str, Any]:
    """`{"permissions": [...], "roles": {name: {"title", "stage", "permission_count", "permissions"}}, "source": ...}`."""
    data: dict[str, Any] = json.loads(files(__package__).joinpath("iam-roles.json").read_text("utf-8"))
    return data


@dataclass(frozen=True)
class PredefinedRoles:
    """All of Google's predefined roles by name: permissions, stage (`GA`, `BETA`, ...), title and description."""

    permissions: Mapping[str, frozenset[str]]
    stages: Mapping[str, str]
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PredefinedRole:
    """One of Google's predefined roles."""

    title: str
    description: str
    stage: str  # GA, BETA, ALPHA, EAP, DEPRECATED, DISABLED
    permissions: frozenset[str]


@cache
def predefined_roles() -> PredefinedRoles:
    """All roles of `predefined-roles.json.gz`, unpacked: 0.1 s. Who asks for a few takes `predefined_role`."""
    names, roles = _packed_roles()
    return PredefinedRoles(
        {role: _unpacked(entry["permissions"], names) for role, entry in roles.items()},
        {role: entry["stage"] for role, entry in roles.items()},
        {role: entry["title"] for role, entry in roles.items()},
        {role: entry["description"] for role, entry in roles.items()},
    )


@cache
def predefined_role(name: str) -> PredefinedRole | None:
    """A role by its full name (`roles/viewer`); None if there is none."""
    names, roles = _packed_roles()
    entry = roles.get(name)
    if entry is None:
        return None
    return PredefinedRole(entry["title"], entry["description"], entry["stage"], _unpacked(entry["permissions"], names))


def predefined_role_names() -> list[str]:
    """The full names of all roles, sorted."""
    return sorted(_packed_roles()[1])


@cache
def all_permissions() -> frozenset[str]:
    """Every permission that a predefined role holds."""
    return frozenset(_packed_roles()[0])


@cache
def _packed_roles() -> tuple[list[str], dict[str, dict[str, str]]]:
    """The names of all permissions, and each role with its permissions as places in that list."""
    data = json.loads(gzip.decompress(files(__package__).joinpath("predefined-roles.json.gz").read_bytes()))
    return data["permissions"], data["roles"]


def _unpacked(ranges: str, names: list[str]) -> frozenset[str]:
    """`0-8,2f59`: hexadecimal places in the list of names, single or from-to."""
    found: set[str] = set()
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        found.update(names[int(first, 16) : int(last or first, 16) + 1])
    return frozenset(found)


@cache
def role_ranking() -> dict[str, Any]:
    """How roles are compared: classes of verbs, own roles of services, lowest places; see `access/power.py`."""
    data: dict[str, Any] = json.loads(files(__package__).joinpath("role-ranking.json").read_text("utf-8"))
    return data


@cache
def org_constraints() -> dict[str, tuple[str, bool]]:
    """Built-in organisation-policy constraints: `{name: (boolean | list | managed, whether it denies where nobody set it)}`."""
    text = files(__package__).joinpath("org-constraints.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[0]: (row[1], row[2:] == ["DENY"]) for row in rows}


@cache
def gemini_models() -> dict[str, Any]:
    """`{"about", "date", "latest": {alias: model id}, "models": [Model as ListModels gives it]}`."""
    data: dict[str, Any] = json.loads(files(__package__).joinpath("gemini-models.json").read_text("utf-8"))
    return data
