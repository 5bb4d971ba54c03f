"""A refusal to make a project somewhere, in words that say who can change it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyadmin.access.permissions import RESOURCE_MANAGER
from keyadmin.access.remedy import grant_at, member_of
from keyadmin.model.problem import Cause, Problem, or_problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

CREATE: Final = "resourcemanager.projects.create"
ROLE: Final = "roles/resourcemanager.projectCreator"


async def explained(cloud: Cloud, problem: Problem, parent: str) -> Problem:
    """The missing permission of a creation below `parent`, with the command that grants it; the service's words as a note."""
    kind, _, number = parent.partition("/")
    if not number:
        fix: tuple[str, ...] = (
            f"name a folder or an organisation in which you hold {ROLE}: --parent NAME",
            "or sign in with an account that belongs to no organisation: gcloud auth application-default login",
        )
        return replace(problem, fix=fix, permission=problem.permission or CREATE)
    member = member_of((await cloud.identify()).principal)
    grant = grant_at("folder" if kind == "folders" else "organization", number, member, ROLE)
    return replace(
        problem,
        message=f"you may not make projects in {parent}, or it does not exist",
        permission=problem.permission or CREATE,
        notes=[problem.message, *problem.notes],
        fix=(
            f"an admin of {parent} runs: {grant}",
            "or choose another --parent, or leave it out",
        ),
    )


async def foreseen(cloud: Cloud, project: str | None, parent: str) -> Problem | None:
    """What making a project below `parent` would be refused with; None = it would not, or that is not known."""
    if not parent:
        return None
    held = await or_problem(cloud.projects.permissions_on(parent, [CREATE]))
    if isinstance(held, Problem) or CREATE in held:
        return None
    refused = Problem(
        Cause.MISSING_IAM_PERMISSION,
        f"{CREATE} is missing",
        status="PERMISSION_DENIED",
        permission=CREATE,
        service=RESOURCE_MANAGER,
        project=project,
    )
    return await explained(cloud, refused, parent)
