"""How a key string gets in: from stdin, from a variable, typed unseen. Never as an argument."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Final

from keyadmin.cli.session import Session
from keyadmin.model.problem import usage
from keyadmin.model.secret import KeyString, holds_key

MAX_CHARACTERS: Final = 4096

# More than a whole key string: a key string that was cut short or mistyped is still a secret, or most of one.
_LOOKS_LIKE_ONE: Final = re.compile(r"(?:AIza[0-9A-Za-z_\-]{12,}|\b[AI]Q\.[0-9A-Za-z_\-]{12,})")
_WAYS: Final = (
    "pass it on stdin, with - in its place: ... - < FILE",
    "or name the environment variable that holds it: --key-from-env VARIABLE",
)


def refuse_key_strings(arguments: Sequence[str]) -> None:
    """Raises usage() where an argument holds a key string: other users see arguments, and shells keep them.

    The string is not echoed. This runs before Typer, whose own complaints would repeat the argument. An error text for
    `explain` may have one among its words; the answer masks it.
    """
    for place, argument in enumerate(arguments, 1):
        if "explain" in arguments[: place - 1] and re.search(r"\s", argument.strip()):
            continue
        if holds_key(argument) or _LOOKS_LIKE_ONE.search(argument):
            raise usage(f"argument {place} holds what looks like a key string; key strings are not taken as arguments", *_WAYS)


def key_string(session: Session, argument: str | None, variable: str | None) -> KeyString | None:
    """The key string that `-` or `--key-from-env` names; None where neither was given (the argument is a key's name then).

    Raises usage() for both at once, an empty value, an unset variable.
    """
    if argument == "-" and variable:
        raise usage("both - and --key-from-env were given", "give one of them")
    if variable:
        return _from_variable(session, variable)
    if argument != "-":
        return None
    if sys.stdin.isatty():
        return _typed()
    return checked(sys.stdin.read(MAX_CHARACTERS + 1), "stdin")


def asked_or_read(session: Session, argument: str | None, variable: str | None) -> KeyString:
    """The same where only a key string will do; a person at a terminal is asked for it, unseen."""
    found = key_string(session, argument, variable)
    if found is not None:
        return found
    if session.interactive and argument is None:
        return _typed()
    if argument is not None:
        raise usage(f"{argument!r} is a name; a key string is needed", *_WAYS)
    raise usage("a key string is needed", *_WAYS)


def checked(text: str, source: str) -> KeyString:
    """One key string with nothing around it. Raises usage() for none, several lines, blanks inside or too much."""
    value = text.strip()
    if not value:
        raise usage(f"{source} is empty; a key string was expected", *_WAYS)
    if len(value) > MAX_CHARACTERS or not re.fullmatch(r"[!-~]+", value):
        raise usage(f"{source} holds something else than one key string")
    return KeyString(value)


def _from_variable(session: Session, variable: str) -> KeyString:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        raise usage("--key-from-env takes the name of a variable")
    if variable not in session.env:
        raise usage(f"the environment variable {variable} is not set", "set it, or pass the key string on stdin: -")
    return checked(session.env[variable], f"the environment variable {variable}")


def _typed() -> KeyString:
    from getpass import getpass

    try:
        return checked(getpass("Key string (not shown): ", stream=sys.stderr), "what was typed")
    except EOFError:
        raise usage("no key string was typed", *_WAYS) from None
