"""Which projects are shown: the imported ones, as on AI Studio's Projects page, or all that the caller sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyadmin.problem import Cause, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project

SHOWN: Final = 50  # "The API keys and Projects pages display a maximum of 100 keys and 50 projects" (the page, Limitations)


@dataclass(frozen=True, slots=True)
class Listing:
    """The projects to show, how many more there are, and imported ones that can no longer be read."""

    projects: tuple[Project, ...]
    hidden: int = 0
    unreadable: tuple[str, ...] = ()


async def everything(cloud: Cloud) -> Listing:
    """Every project that the caller can get, by id. Raises Problem."""
    return Listing(tuple(sorted([each async for each in cloud.projects.search()], key=lambda each: each.project_id)))


async def first(cloud: Cloud) -> Listing:
    """The first `SHOWN` of them, for somebody who has imported none. Raises Problem."""
    found = (await everything(cloud)).projects
    return Listing(found[:SHOWN], hidden=max(0, len(found) - SHOWN))


async def imported(cloud: Cloud, ids: Sequence[str]) -> Listing:
    """The first `SHOWN` imported projects, in the order they were imported.

    One that does not exist any more, or that the caller may not see any more, is named instead of failing the rest.
    Raises Problem for every other failure.
    """
    from keyadmin.cloud.pace import gather_limited

    async def one(project_id: str) -> Project | None:
        try:
            return await cloud.projects.get(project_id)
        except Problem as problem:
            if problem.cause in (Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, Cause.MISSING_IAM_PERMISSION, Cause.NOT_FOUND):
                return None
            raise

    wanted = ids[:SHOWN]
    found = await gather_limited(wanted, one)
    return Listing(
        tuple(each for each in found if each is not None),
        hidden=len(ids) - len(wanted),
        unreadable=tuple(name for name, each in zip(wanted, found, strict=True) if each is None),
    )
