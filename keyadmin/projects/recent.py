"""In which projects keys were made in the last 30 days: what AI Studio fills its import pane with for an existing user."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project

WINDOW: Final = timedelta(days=30)  # "based on the last 30-days of activity" (the page, Import projects)
MOST: Final = 200  # projects whose keys are listed one by one: Google lets 240 reads a minute pass (facts 7)


@dataclass(frozen=True)
class Recent:
    """`latest`: project number -> when its latest key of the window was made. `unlooked` = projects not checked."""

    latest: dict[str, datetime] = field(default_factory=dict)
    unlooked: int = 0


async def look(cloud: Cloud, projects: Sequence[Project]) -> Recent:
    """Where there are more than `MOST` projects, the inventory of each organisation answers for many in one call.

    What is left is listed project by project, the newest projects first, at most `MOST`. Raises Problem for missing
    credentials alone.
    """
    since = cloud.now() - WINDOW
    latest: dict[str, datetime] = {}
    left = sorted(projects, key=lambda each: each.create_time or since, reverse=True)
    if len(left) > MOST:
        inventory = await _from_inventory(cloud, since)
        if inventory is not None:
            latest = inventory
            left = [each for each in left if not each.parent]
    listed = await _one_by_one(cloud, left[:MOST], since)
    latest |= {number: moment for number, moment in listed.latest.items() if moment > latest.get(number, since)}
    return Recent(latest, len(left[MOST:]) + listed.unlooked)


async def _one_by_one(cloud: Cloud, projects: Sequence[Project], since: datetime) -> Recent:
    from keyadmin.cloud.pace import gather_limited

    async def one(project: Project) -> datetime | Problem | None:
        try:
            made = [key.create_time async for key in cloud.keys.list(project.project_id) if key.create_time is not None]
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise
            return problem
        return max((moment for moment in made if moment >= since), default=None)

    found = await gather_limited(projects, one)
    latest = {project.number: moment for project, moment in zip(projects, found, strict=True) if isinstance(moment, datetime)}
    # A project in which the API Keys API is off has made no keys lately.
    denied = [each for each in found if isinstance(each, Problem) and each.cause is not Cause.API_NOT_ENABLED]
    return Recent(latest, len(denied))


async def _from_inventory(cloud: Cloud, since: datetime) -> dict[str, datetime] | None:
    """From every organisation that the caller sees; None where there is none or one of them may not be asked."""
    from keyadmin.cloud.assets import KEY

    async def one(organization: str) -> dict[str, datetime]:
        query = f"createTime>={since:%Y-%m-%d}"
        latest: dict[str, datetime] = {}
        async for asset in cloud.assets.search(organization, KEY, query):
            if asset.create_time is not None and asset.create_time >= since:
                latest[asset.project_number] = max(asset.create_time, latest.get(asset.project_number, since))
        return latest

    try:
        organizations = [each.name async for each in cloud.organizations.search()]
        answers = await asyncio.gather(*(one(name) for name in organizations))
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS:
            raise
        return None
    return {number: moment for answer in answers for number, moment in answer.items()} if answers else None
