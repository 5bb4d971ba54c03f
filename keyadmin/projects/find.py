"""One project, and what was probably meant where there is none of that id."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from keyadmin.model.problem import Cause, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project


async def find(cloud: Cloud, project: str) -> Project:
    """The project. Raises Problem; where it is not to be seen, with the ids that look like it and can be seen."""
    try:
        return await cloud.projects.get(project)
    except Problem as problem:
        if problem.cause is not Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS or project.isdigit():
            raise
        try:
            known = [each.project_id async for each in cloud.projects.search()]
        except Problem:
            raise problem from None
        raise with_near(problem, project, known) from None


def with_near(problem: Problem, project: str, known: Iterable[str]) -> Problem:
    """The same with "did you mean" before its other advice, if an id of `known` is near enough."""
    ids = list(known)
    near = _near(project, ids) if project not in ids else []  # an id that is known is not mistyped
    if near:
        from keyadmin.access.advice import advice

        problem.fix = (f"did you mean {' or '.join(near)}?", *advice(problem))
    return problem


def _near(project: str, ids: list[str]) -> list[str]:
    """At most three: ids that begin like it (`demo`: `demo-project`), then ids that are spelt much like it."""
    begun = sorted(each for each in ids if each.startswith(f"{project}-"))
    return list(dict.fromkeys([*begun, *get_close_matches(project, ids, 3, 0.7)]))[:3]
