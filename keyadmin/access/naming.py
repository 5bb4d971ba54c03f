"""Services name projects by number in what they refuse; people, and keyadmin's JSON, name them by id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyadmin.model.problem import Cause, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


async def name_by_id(cloud: Cloud, problem: Problem) -> None:
    """Put the project's id in place of its number, in the problem and in what to type next, where the caller may read it."""
    number = problem.project or ""
    if not number.isdigit() or problem.cause is Cause.QUOTA_PROJECT_NOT_SET:  # that one names gcloud's own project
        return
    try:
        name = (await cloud.projects.get(number)).project_id
    except Problem:
        return  # the number names it just as well
    problem.project = name
    problem.fix = tuple(re.sub(rf"\b{number}\b", name, step) for step in problem.fix)
