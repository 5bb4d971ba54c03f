"""What documents of several commands are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from keyadmin.model.problem import Cause


class _DateTime:
    """Says `format: date-time` in a schema."""

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        schema: dict[str, Any] = handler(core)
        return schema | {"format": "date-time"}


Time = Annotated[str, _DateTime()]
"""A moment, RFC 3339 in UTC."""

# What stands for "may be absent": no document is ever made of these classes.
ABSENT: Final[Any] = None

SeverityWord = Literal["high", "medium", "low", "info"]
CauseName = Cause


@dataclass(kw_only=True)
class DryRunJson:
    """What a command with --dry-run would do."""

    dryRun: Literal[True]
    project: str = ABSENT
    steps: list[str]
    unknown: list[str] = ABSENT
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ErrorJson:
    """Why a command failed, and what to type next."""

    cause: CauseName
    message: str
    status: str = ABSENT
    permission: str = ABSENT
    service: str = ABSENT
    project: str = ABSENT
    fix: list[str]


@dataclass(kw_only=True)
class ErrorLineJson:
    """The last line of stderr where a command with --format json fails."""

    error: ErrorJson


@dataclass(kw_only=True)
class FailureJson:
    """A cause and what was said of it."""

    cause: CauseName
    message: str


@dataclass(kw_only=True)
class UnseenProjectJson:
    """A project that could not be looked at."""

    project: str
    cause: CauseName
    message: str


ErrorDocument = ErrorLineJson
