"""Which projects are shown: the imported ones, as on AI Studio's Projects page, or all that the caller sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyadmin.model.causes.table import entry
from keyadmin.model.observer import SILENT, Observer
from keyadmin.model.problem import Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project

SHOWN: Final = 50  # "The API keys and Projects pages display a maximum of 100 keys and 50 projects" (the page, Limitations)


@dataclass(frozen=True, slots=True)
class Listing:
    """The projects to show, how many more there are, and imported ones that can no longer be read.

    `recent` = how many of them come first because keys were made in them lately; `unlooked` = in how many projects that
    could not be found out.
    """

    projects: tuple[Project, ...]
    hidden: int = 0
    unreadable: tuple[str, ...] = ()
    recent: int = 0
    unlooked: int = 0


async def everything(cloud: Cloud) -> Listing:
    """Every project that the caller can get, by id. Raises Problem."""
    return Listing(tuple(sorted([each async for each in cloud.projects.search()], key=lambda each: each.project_id)))


async def suggested(cloud: Cloud, observer: Observer = SILENT) -> Listing:
    """What AI Studio puts before somebody who has imported nothing: projects with keys of the last 30 days first.

    At most `SHOWN`; after the recent ones (the latest key first) the others by id. Raises Problem.
    """
    from keyadmin.projects import recent

    observer.step("Looking for projects")
    found = (await everything(cloud)).projects
    active = [each for each in found if each.state == "ACTIVE"]
    observer.step("Looking for keys made in the last 30 days")
    seen = await recent.look(cloud, active)
    first = sorted((each for each in active if each.number in seen.latest), key=lambda each: seen.latest[each.number])[::-1]
    rest = [each for each in found if each.number not in seen.latest]
    shown = (*first, *rest)[:SHOWN]
    return Listing(shown, len(found) - len(shown), recent=min(len(first), len(shown)), unlooked=seen.unlooked)


async def imported(cloud: Cloud, ids: Sequence[str]) -> Listing:
    """The first `SHOWN` imported projects, in the order they were imported.

    One that does not exist any more, or that the caller may not see any more, is named instead of failing the rest.
    Raises Problem for every other failure.
    """
    wanted = ids[:SHOWN]
    found = await readable(cloud, wanted)
    return Listing(
        tuple(each for each in found if each is not None),
        hidden=len(ids) - len(wanted),
        unreadable=tuple(name for name, each in zip(wanted, found, strict=True) if each is None),
    )


async def readable(cloud: Cloud, ids: Sequence[str]) -> list[Project | None]:
    """Each project, side by side; None for one that does not exist or may not be seen. Raises Problem for other failures."""
    from keyadmin.cloud.pace import gather_limited

    async def one(project_id: str) -> Project | None:
        try:
            return await cloud.projects.get(project_id)
        except Problem as problem:
            if entry(problem.cause).hides_existence:
                return None
            raise

    return await gather_limited(ids, one)
