"""The permission that a change needs: a dry run sees beforehand that it is missing, and says what the run would say."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from keyadmin.model.problem import Cause, Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

T = TypeVar("T")


@dataclass(frozen=True)
class PermissionNeed:
    """`permission` in `project`, in order to `what` ("delete the project"). `cause` = what its lack is called."""

    permission: str
    project: str
    what: str
    cause: Cause = Cause.MISSING_IAM_PERMISSION
    service: str | None = None

    def refused(self, by: Problem | None = None) -> Problem:
        """The Problem of its lack, whoever tells."""
        return Problem(
            self.cause,
            f"{self.permission} is missing in project {self.project}: you may not {self.what}",
            status="PERMISSION_DENIED",
            permission=self.permission,
            service=self.service,
            project=self.project,
            notes=list(by.notes) if by is not None else [],
        )

    async def met(self, call: Awaitable[T]) -> T:
        """The answer of the change. Raises Problem: a refusal for want of the permission in these words."""
        try:
            return await call
        except Problem as problem:
            if problem.cause is self.cause and problem.permission in (None, self.permission):
                raise self.refused(problem) from problem
            raise

    async def rehearse(self, cloud: Cloud) -> str:
        """Why it is not known whether it is held; empty where it is. Raises Problem where it is missing."""
        try:
            held = await cloud.projects.test_permissions(self.project, [self.permission])
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS or problem.cause is Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS:
                raise
            return f"whether you may {self.what} is not known: {problem.message}"
        if self.permission not in held:
            raise self.refused()
        return ""
