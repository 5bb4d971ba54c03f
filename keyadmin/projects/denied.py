"""A refusal to make a project somewhere, in words that say who can change it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from keyadmin.access.remedy import member_of
from keyadmin.model.problem import Problem

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
    grant = "gcloud resource-manager folders" if kind == "folders" else "gcloud organizations"
    member = member_of((await cloud.identify()).principal)
    return replace(
        problem,
        message=f"you may not make projects in {parent}, or it does not exist",
        permission=problem.permission or CREATE,
        notes=[problem.message, *problem.notes],
        fix=(
            f"an admin of {parent} runs: {grant} add-iam-policy-binding {number} --member={member} --role={ROLE}",
            "or choose another --parent, or leave it out",
        ),
    )
