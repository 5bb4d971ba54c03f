"""What commands leave for completion and for "did you mean": names, never key strings, of each account its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from keyadmin.local.cache import NameCache

if TYPE_CHECKING:
    from keyadmin.cli.session import Session
    from keyadmin.cli.settings import Settings
    from keyadmin.cloud.projects import Project
    from keyadmin.model.key import Key


def cache_of(settings: Settings, env: Mapping[str, str]) -> NameCache:
    """The names that the account of these settings saw, in the sandbox or at Google."""
    sandbox = settings.sandbox
    if sandbox is not None:
        server = sandbox.url or str(sandbox.state.absolute())
        return NameCache(f"{server}\n{settings.impersonate or sandbox.user}", sandbox=True)
    from keyadmin.local.adc import fingerprint

    return NameCache(f"{fingerprint(env)}\n{settings.impersonate or ''}", sandbox=False)


def seen(session: Session, found: Mapping[str, str]) -> None:
    """Remember the projects that a command's calls told of (id -> display name). Never fails."""
    if found:
        cache_of(session.settings, session.env).remember_projects(found)


def all_projects(session: Session, found: Iterable[Project]) -> None:
    """Remember these projects and forget all others: the caller sees no others. Never fails."""
    named = {each.project_id: each.display_name for each in found}
    cache_of(session.settings, session.env).remember_projects(named, whole=True)


def keys(session: Session, found: Iterable[Key]) -> None:
    """Remember all keys of the projects that these keys belong to. Never fails."""
    lists: dict[str, dict[str, str]] = {}
    for key in found:
        if key.delete_time is None:
            lists.setdefault(key.project, {})[key.key_id] = key.display_name
    if lists:
        cache_of(session.settings, session.env).remember_keys(lists)


def project_gone(session: Session, project: str) -> None:
    """A project that was deleted is offered no more. Never fails."""
    cache_of(session.settings, session.env).forget_project(project)
