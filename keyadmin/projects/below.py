"""The projects below a folder or an organisation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


async def below(cloud: Cloud, parent: str) -> list[str]:
    """The ids of all ACTIVE projects below a folder or organisation, at any depth; level by level, side by side.

    Raises Problem where one of the folders cannot be looked into.
    """
    from keyadmin.cloud.pace import gather_limited

    async def one(node: str) -> tuple[list[str], list[str]]:
        return await asyncio.gather(_projects(cloud, node), _folders(cloud, node))

    projects: list[str] = []
    level, done = [parent], {parent}
    while level:
        found = await gather_limited(level, one)
        projects += [project for direct, _ in found for project in direct]
        level = [folder for _, folders in found for folder in folders if folder not in done]
        done.update(level)
    return projects


async def _projects(cloud: Cloud, node: str) -> list[str]:
    # One term only: of several, any is enough (discovery document of Resource Manager v3, projects.search).
    found = [each async for each in cloud.projects.search(f"parent:{node}")]
    return [each.project_id for each in found if each.parent == node and each.state == "ACTIVE"]


async def _folders(cloud: Cloud, node: str) -> list[str]:
    return [folder.name async for folder in cloud.folders.list(node)]
