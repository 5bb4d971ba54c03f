"""The one kind of error that keyadmin reports: a cause of a closed list, in words, with the way out."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

from keyadmin.model.cause import Cause

__all__ = ["Cause", "Exit", "Problem", "or_problem", "usage"]

T = TypeVar("T")


class Exit(IntEnum):
    """Exit codes (fixed)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    FOUND = 3
    CREDENTIALS = 4
    INTERRUPTED = 130


@dataclass(eq=False)
class Problem(Exception):
    """A failure fit to be shown: what and why (`message`), and what to type next (`fix`).

    `fix` may be left empty: the catalogue's advice for the cause is shown then. `status` is the canonical gRPC code
    name (`PERMISSION_DENIED`) where a service answered. `exit_code` defaults to 4 for credentials and 1 otherwise. `unsent` =
    the service cannot have seen the call, so nothing was changed.
    `variant` and `constraint` as in Classification.
    """

    cause: Cause
    message: str
    status: str | None = None
    permission: str | None = None
    service: str | None = None
    project: str | None = None
    fix: tuple[str, ...] = ()
    exit_code: Exit | None = None
    unsent: bool = False
    variant: str | None = None
    constraint: str | None = None
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return self.message

    @property
    def exit(self) -> Exit:
        """The exit code that this problem ends a command with."""
        if self.exit_code is not None:
            return self.exit_code
        from keyadmin.model.causes.table import entry  # the texts of all causes, which only an error needs

        return Exit.CREDENTIALS if entry(self.cause).credentials else Exit.FAILED


class Declined(Problem):
    """Somebody answered a question with no: told as that and not as an error."""


async def or_problem(call: Awaitable[T], *, credentials: bool = True) -> T | Problem:
    """The answer, or the Problem that stood in its place. Without `credentials` one of missing credentials is raised."""
    try:
        return await call
    except Problem as problem:
        if problem.exit is Exit.CREDENTIALS and not credentials:
            raise
        return problem


def usage(message: str, *fix: str) -> Problem:
    """Wrong usage, found before any call was made: exit code 2."""
    return Problem(Cause.INVALID_ARGUMENT, message, fix=fix, exit_code=Exit.USAGE)
