"""What is known of one cause: its words, the way out, what it is like, and what it is recognised by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from keyadmin.model.cause import Cause

CLOUD: Final = "https://cloud.google.com"
GEMINI_DOCS: Final = "https://ai.google.dev/gemini-api/docs"
ERROR_REASONS: Final = "https://cloud.google.com/apis/docs/error-reasons"


class Turn(StrEnum):
    """Who can do something about it."""

    PERSON = "person"  # whoever met the error
    ADMIN = "admin"  # who administers the project, the organisation, the service account
    BILLING = "billing"  # who pays: the billing account's administrator
    GOOGLE = "google"


@dataclass(frozen=True)
class Step:
    """One thing to do. `command` is typed as it stands once its names are put in: PROJECT, SERVICE, PERMISSION, ROLE, KEY ...

    in capitals stand for what is not known. `words` say what it does, or what to do where there is no command.
    """

    words: str = ""
    command: str = ""

    def __str__(self) -> str:
        if not self.command:
            return self.words
        return f"`{self.command}`" + (f": {self.words}" if self.words else "")


@dataclass(frozen=True)
class Pattern:
    """A wording that a cause is known by: lower case with single blanks; ` * ` stands for up to GAP characters.

    `rank`: of several that are found the lowest decides. `google` = the words are anybody's and count only in a text that shows
    that they are Google's.
    """

    text: str
    rank: int
    google: bool = False


@dataclass(frozen=True)
class Variant:
    """One form of a cause that takes other steps, and maybe another explanation, title and source, and is another's turn."""

    steps: tuple[Step, ...]
    explanation: str = ""
    title: str = ""
    turn: Turn | None = None
    source: str = ""


@dataclass(frozen=True)
class CauseEntry:
    """All that is known of a cause. `steps` are empty only where advice would be invented.

    Recognised by `reasons` (google.rpc.ErrorInfo), `legacy` (`errors[].reason` of older APIs), `codes` (OAuth's `error` and
    `error_subtype`, the Interactions API's and Firebase's codes) and `patterns`.

    `passing`: a repeat later may succeed. `spreading`: a good key may meet it until a change is known everywhere. `unanswered`:
    nobody judged what was asked. `key_dead`, `key_alive`: what it says of the key. `hides_existence`: a thing that is not there
    looks the same. `credentials`: the caller has none that work (exit code 4). `general`: says no more than the message itself.
    `of_new_projects`: servers that do not know a new project yet may answer so; `of_standard_keys`: the Gemini API may, of one
    of those.
    """

    cause: Cause
    title: str
    explanation: str
    steps: tuple[Step, ...]
    source: str
    turn: Turn = Turn.PERSON
    variants: Mapping[str, Variant] = field(default_factory=lambda: MappingProxyType({}))
    reasons: tuple[str, ...] = ()
    legacy: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    passing: bool = False
    spreading: bool = False
    unanswered: bool = False
    key_dead: bool = False
    key_alive: bool = False
    hides_existence: bool = False
    credentials: bool = False
    general: bool = False
    of_new_projects: bool = False
    of_standard_keys: bool = False


def run(command: str, words: str = "") -> Step:
    """A step that is a command."""
    return Step(words, command)


def do(words: str) -> Step:
    """A step that is no command."""
    return Step(words)


def says(rank: int, *texts: str) -> tuple[Pattern, ...]:
    """Wordings that are Google's own."""
    return tuple(Pattern(text, rank) for text in texts)


def google_says(rank: int, *texts: str) -> tuple[Pattern, ...]:
    """Wordings that are anybody's, unless the text shows that they are Google's."""
    return tuple(Pattern(text, rank, google=True) for text in texts)
