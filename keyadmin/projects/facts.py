"""What a list can tell of projects beside the projects themselves: whether the Gemini API is on, how many keys there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from keyadmin.model.key import GEMINI
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Problem, or_problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project

Unknown = Literal["unknown"]


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """None = not asked for."""

    gemini: Literal["ENABLED", "DISABLED"] | Unknown | None = None
    keys: int | Unknown | None = None


async def look(
    cloud: Cloud, projects: Sequence[Project], *, apis: bool, keys: bool, observer: Observer
) -> dict[str, ProjectFacts]:
    """By project id, side by side. What may not be seen is `unknown`. Raises Problem for missing credentials alone."""
    from keyadmin.cloud.pace import gather_limited

    observer.total(len(projects), "Looking into projects")

    async def one(project: Project) -> ProjectFacts:
        try:
            return ProjectFacts(
                await gemini(cloud, project.project_id) if apis else None,
                await count_keys(cloud, project.project_id) if keys else None,
            )
        finally:
            observer.advance()

    found = await gather_limited(projects, one)
    return {project.project_id: facts for project, facts in zip(projects, found, strict=True)}


async def gemini(cloud: Cloud, project: str) -> Literal["ENABLED", "DISABLED"] | Unknown:
    """Whether the Gemini API is on in a project, as Service Usage says. Raises Problem for missing credentials alone."""
    states = await or_problem(cloud.services.states(project, [GEMINI]), credentials=False)
    return "unknown" if isinstance(states, Problem) else states.get(GEMINI, "unknown")


async def count_keys(cloud: Cloud, project: str) -> int | Unknown:
    """How many keys a project has; deleted ones do not count. Raises Problem for missing credentials alone."""

    async def count() -> int:
        return sum([1 async for _ in cloud.keys.list(project)])

    found = await or_problem(count(), credentials=False)
    return "unknown" if isinstance(found, Problem) else found
