"""Renaming, deleting and bringing back a project. The permission of the change itself suffices."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from keyadmin.access.need import PermissionNeed
from keyadmin.model.command_line import typed
from keyadmin.model.problem import Cause, Problem, or_problem
from keyadmin.projects.facts import count_keys
from keyadmin.projects.find import find

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project

T = TypeVar("T")


@dataclass(frozen=True)
class Doomed:
    """A project about to be deleted, as far as it may be seen."""

    project_id: str
    display_name: str = ""
    keys: int | None = None

    def __str__(self) -> str:
        named = f" ({self.display_name})" if self.display_name and self.display_name != self.project_id else ""
        keys = f" with its {'1 API key' if self.keys == 1 else f'{self.keys} API keys'}" if self.keys else ""
        return f"project {self.project_id}{named}{keys}"


async def look(cloud: Cloud, name: str) -> Doomed:
    """What would go. What may not be seen is left out. Raises Problem where the project is not active."""
    found, keys = await asyncio.gather(or_problem(cloud.projects.get(name), credentials=False), count_keys(cloud, name))
    count = None if keys == "unknown" else keys
    if isinstance(found, Problem):
        return Doomed(name, keys=count)
    if found.state != "ACTIVE":
        raise Problem(
            Cause.CONFLICT,
            f"project {found.project_id} is being deleted already",
            project=found.project_id,
            fix=(f"to bring it back: {typed('projects undelete', found.project_id)}",),
        )
    return Doomed(found.project_id, found.display_name, count)


def to_rename(name: str) -> PermissionNeed:
    """What renaming takes."""
    return PermissionNeed("resourcemanager.projects.update", name, "rename it")


def to_delete(name: str) -> PermissionNeed:
    """What deleting takes."""
    return PermissionNeed("resourcemanager.projects.delete", name, "delete it")


def to_undelete(name: str) -> PermissionNeed:
    """What bringing back takes."""
    return PermissionNeed("resourcemanager.projects.undelete", name, "bring it back")


async def rehearse(cloud: Cloud, need: PermissionNeed) -> str:
    """As `PermissionNeed.rehearse`; for a project that is not to be seen the Problem with ids that look like it."""
    return await _or_near(cloud, need.project, need.rehearse(cloud))


async def rename(cloud: Cloud, name: str, display_name: str) -> Project:
    """Give it another display name. Raises Problem."""
    return await _or_near(cloud, name, to_rename(name).met(cloud.projects.rename(name, display_name)))


async def delete(cloud: Cloud, name: str) -> Project:
    """Mark it for deletion. Raises Problem."""
    return await _or_near(cloud, name, to_delete(name).met(cloud.projects.delete(name)))


async def look_at_deleted(cloud: Cloud, name: str) -> str:
    """Whether it can be brought back, as far as that can be seen; why it is not known. Raises the Problem of `undelete`."""
    found = await or_problem(cloud.projects.get(name), credentials=False)
    unknown = await rehearse(cloud, to_undelete(name))
    if not isinstance(found, Problem) and found.state == "ACTIVE":
        raise _active(found)
    return unknown


async def undelete(cloud: Cloud, name: str) -> Project:
    """Bring it back. Raises Problem; a project that is active is none to bring back."""
    try:
        return await _or_near(cloud, name, to_undelete(name).met(cloud.projects.undelete(name)))
    except Problem as problem:
        if problem.cause is Cause.MISSING_IAM_PERMISSION:
            raise
        found = await or_problem(cloud.projects.get(name), credentials=False)
        if isinstance(found, Problem) or found.state != "ACTIVE":
            raise
        raise _active(found) from None


def _active(found: Project) -> Problem:
    return Problem(
        Cause.CONFLICT,
        f"project {found.project_id} is active: there is nothing to bring back",
        status="FAILED_PRECONDITION",
        project=found.project_id,
        fix=(f"to look at it: {typed('projects describe', found.project_id)}",),
    )


async def _or_near(cloud: Cloud, name: str, call: Awaitable[T]) -> T:
    """The answer; for a project that is not to be seen the Problem with ids that look like it."""
    try:
        return await call
    except Problem as problem:
        if problem.cause in (Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, Cause.MISSING_IAM_PERMISSION):
            await find(cloud, name)
        raise
