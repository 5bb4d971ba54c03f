"""What list commands leave for completion and for "did you mean": names, never key strings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from keyadmin.local.cache import NameCache

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project
    from keyadmin.keys.model import Key


def projects(cloud: Cloud, found: Iterable[Project], *, whole: bool = False) -> None:
    """Remember these projects; `whole` = the caller sees no others. Never fails."""
    named = {each.project_id: each.display_name for each in found}
    NameCache(sandbox=cloud.sandbox).remember_projects(cloud.caller.principal, named, whole=whole)


def keys(cloud: Cloud, found: Iterable[Key]) -> None:
    """Remember all keys of the projects that these keys belong to. Never fails."""
    lists: dict[str, dict[str, str]] = {}
    for key in found:
        if key.delete_time is None:
            lists.setdefault(key.project, {})[key.key_id] = key.display_name
    if lists:
        NameCache(sandbox=cloud.sandbox).remember_keys(cloud.caller.principal, lists)


def project_gone(cloud: Cloud, project: str) -> None:
    """A project that was deleted is offered no more. Never fails."""
    NameCache(sandbox=cloud.sandbox).forget_project(project)
