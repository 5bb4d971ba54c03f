"""A refused call, told apart: a permission is missing, or the project is not there at all for this caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from keyadmin.model.key import Key
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


def may_not(key: Key, permission: str, what: str, refusal: Problem | None = None) -> Problem:
    """The Problem of a key that the caller may not change (or read, ...): the same whether a read or the change told."""
    return Problem(
        Cause.MISSING_IAM_PERMISSION,
        f"{permission} is missing in project {key.project}: you may not {what} (key {key.key_id})",
        status="PERMISSION_DENIED",
        permission=permission,
        project=key.project or (refusal.project if refusal else None),
        notes=list(refusal.notes) if refusal else [],
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
