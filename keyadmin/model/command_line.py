"""Commands that are printed to be typed: the one place where they are put together.

`typed("keys usage", key.key_id, project=key.project)` gives `keyadmin keys usage web -p shop`: quoted for POSIX shells, with
the program as it was called and the global options that were given. Names come from servers and from pasted text: each stands
there only in the form of what it names, else a placeholder does (`KEY`, `PROJECT`; see name_forms).

A template holds its commands between backticks: `complete("see which: `keyadmin keys usage KEY`", key="web")`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from keyadmin.model.name_forms import PLACEHOLDER, name

PROGRAM: Final = "keyadmin"
Value = str | bool | None | Iterable[str]


@dataclass(frozen=True)
class Invocation:
    """How this run was called: the program as it is to be typed, and the global options that go into every command.

    `outside` = those that a command needs beside them to write outside the sandbox, which a variable alone does not allow;
    `words` = what was typed behind the program, where a person typed it.
    """

    program: str = PROGRAM
    options: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


_PLAIN: Final = Invocation()
_INVOCATION: Final[ContextVar[Invocation]] = ContextVar("keyadmin_invocation", default=_PLAIN)

# What the first argument of a command names.
_FIRST: Final = (
    (re.compile(r"keys (?!create|list)|rotation (?:adopt|rollback|status)"), "key"),
    (re.compile(r"doctor|projects (?!search|list|default|enable|disable)"), "project"),
)
_OPTION: Final = {
    "project": "project",
    "project_": "project",
    "into": "project",
    "only": "key",
    "without": "service",
    "quota_project": "project",
}
INSIDE: Final = ("secret-manager", "stdout")
"""The kinds of sink that write nothing outside the sandbox; the others' classes say that they do."""
_SHORT: Final = {"project": "-p"}
_IN_TEMPLATE: Final = re.compile(r"`([^`]+)`")


def call_as(invocation: Invocation) -> None:
    """From here on commands are printed as those of this invocation."""
    _INVOCATION.set(invocation)


@contextmanager
def calling_as(invocation: Invocation) -> Iterator[None]:
    """Within it commands are printed as those of this invocation, or of what `call_as` said within it."""
    token = _INVOCATION.set(invocation)
    try:
        yield
    finally:
        _INVOCATION.reset(token)


def called_as() -> Invocation:
    """How commands are printed now."""
    return _INVOCATION.get()


def typed(path: str, *arguments: str, **options: Value) -> str:
    """keyadmin's command `path` (`keys restrict`) with its arguments and options, complete.

    Options are named as in Python: `add_referrers="SITE"` is `--add-referrers SITE`. True = a switch; None, False and empty
    lists = left out; of several values each is its own option. `project` is `-p`, `project_` the same written out.
    """
    kind = next((kind for commands, kind in _FIRST if commands.match(path)), None)
    words = [name(kind, each) if kind and place == 0 and each != "-" else each for place, each in enumerate(arguments)]
    invocation = _INVOCATION.get()
    carried = [*invocation.options, *(invocation.outside if _leaves(path, options.get("to")) else ())]
    parts = [invocation.program, path, *map(_quoted, words), *_options(options), *map(shlex.quote, carried)]
    return " ".join(filter(None, parts))


def _leaves(path: str, sinks: Value) -> bool:
    """Whether the command writes a key outside the sandbox, as it stands there: a placeholder is no sink yet."""
    given = [sinks] if isinstance(sinks, str) else sinks if isinstance(sinks, Sequence) else ()
    return path == "env set" or any(":" in sink and sink.partition(":")[0] not in INSIDE for sink in given)


def retyped(words: Iterable[str]) -> str:
    """A command line of the person's own, some words exchanged: quoted already, with every option that was typed."""
    return " ".join([_INVOCATION.get().program, *words])


def instead(word: str, other: str) -> str | None:
    """The command line that was typed, with another word in the place of this one; None where it is not there just once."""
    words = _INVOCATION.get().words
    if words.count(word) != 1:
        return None
    return retyped(shlex.quote(other if each == word else each) for each in words)


def gcloud(path: str, *arguments: str, **options: Value) -> str:
    """gcloud's command `path` with its arguments and options (`--name=value`)."""
    return " ".join(["gcloud", path, *map(_quoted, arguments), *_options(options, joined=True)])


def complete(template: str, **names: str | None) -> str:
    """A sentence in whose commands, between backticks, KEY, PROJECT and the like are the names that are known.

    keyadmin's own get the program and the global options of this run; the backticks go.
    """

    def fill(found: re.Match[str]) -> str:
        words = found[1]
        for kind, text in names.items():
            words = re.sub(
                rf"(?<![\w-]){kind.upper()}(?![\w=])", lambda _, kind=kind, text=text: _quoted(name(kind, text)), words
            )
        if not re.match(rf"{PROGRAM} [a-z-]", words):
            return words
        invocation = _INVOCATION.get()
        carried = [*invocation.options, *(invocation.outside if words.startswith(f"{PROGRAM} env set ") else ())]
        return " ".join([invocation.program, words.removeprefix(f"{PROGRAM} "), *map(shlex.quote, carried)])

    return _IN_TEMPLATE.sub(fill, template)


def _options(options: Mapping[str, Value], *, joined: bool = False) -> list[str]:
    out: list[str] = []
    for option, value in options.items():
        if value is None or value is False:
            continue
        flag = f"--{option.rstrip('_').replace('_', '-')}"
        if value is True:
            out.append(flag)
            continue
        for each in [value] if isinstance(value, str) else value:
            word = _quoted(name(_OPTION[option], each) if option in _OPTION else each)
            if joined or word.startswith("-"):
                out.append(f"{flag}={word}")
            else:
                out += [flag if joined else _SHORT.get(option, flag), word]
    return out


def _quoted(word: str) -> str:
    """For a POSIX shell; placeholders stay readable."""
    return word if PLACEHOLDER.fullmatch(word) else shlex.quote(word)
