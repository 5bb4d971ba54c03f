"""The projects below a folder or an organisation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project


async def below(cloud: Cloud, parent: str, known: Callable[[str], None] | None = None) -> list[str]:
    """The ids of all ACTIVE projects below a folder or organisation, at any depth; level by level, side by side.

    `known` is told of each as soon as it is found. Raises Problem where one of the folders cannot be looked into.
    """
    return [project.project_id for project in await found_below(cloud, parent, known)]


async def found_below(cloud: Cloud, parent: str, known: Callable[[str], None] | None = None) -> list[Project]:
    """The same as projects, with their numbers."""
    from keyadmin.cloud.pace import gather_limited

    async def one(node: str) -> tuple[list[Project], list[str]]:
        return await asyncio.gather(_projects(cloud, node, known), _folders(cloud, node))

    projects: list[Project] = []
    level, done = [parent], {parent}
    while level:
        found = await gather_limited(level, one)
        projects += [project for direct, _ in found for project in direct]
        level = [folder for _, folders in found for folder in folders if folder not in done]
        done.update(level)
    return projects


async def _projects(cloud: Cloud, node: str, known: Callable[[str], None] | None) -> list[Project]:
    out = []
    # One term only: of several, any is enough (discovery document of Resource Manager v3, projects.search).
    async for each in cloud.projects.search(f"parent:{node}"):
        if each.parent == node and each.state == "ACTIVE":
            out.append(each)
            if known is not None:
                known(each.project_id)
    return out


async def _folders(cloud: Cloud, node: str) -> list[str]:
    return [folder.name async for folder in cloud.folders.list(node)]
