"""A refused call, told apart: a permission is missing, or the project is not there at all for this caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from keyadmin.model.problem import Cause, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

# Somebody with none of these has nothing to do with the project's keys.
_SIGNS: Final = (
    "resourcemanager.projects.get",
    "apikeys.keys.create",
    "apikeys.keys.delete",
    "apikeys.keys.get",
    "apikeys.keys.getKeyString",
    "apikeys.keys.list",
    "apikeys.keys.update",
    "apikeys.keys.undelete",
)


async def told_apart(cloud: Cloud, project: str, problem: Problem) -> Problem:
    """The same problem, or project-not-found-or-no-access where the caller holds nothing in the project.

    Google answers a missing project like a missing permission (facts 4); a mistyped id should not send anybody after roles.
    """
    if problem.cause is not Cause.MISSING_IAM_PERMISSION:
        return problem
    try:
        held = await cloud.projects.test_permissions(project, _SIGNS)
    except Problem as other:
        return other if other.cause is Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS else problem
    if held:
        return problem
    return Problem(
        Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
        f"project {project} does not exist, or you have no access to its keys: {problem.message}",
        status=problem.status,
        permission=problem.permission,
        project=project,
    )
