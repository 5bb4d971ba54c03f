"""How each shell sets a variable: reading such lines, writing one, taking it out. Everything else in the file is kept."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final, Literal

from keyadmin.model.env_text import value_of, with_variable, without_variable
from keyadmin.model.secret import KeyString

Syntax = Literal["posix", "fish", "powershell", "dotenv"]

_LINES: Final[dict[Syntax, str]] = {
    "posix": r"^[ \t]*(?:(?:export|(?:declare|typeset)[ \t]+-\w*x\w*)[ \t]+)?{name}=(?P<value>.*)$",
    "fish": r"^[ \t]*set[ \t]+(?:-{{1,2}}[\w-]+[ \t]+)*{name}[ \t]+(?P<value>.+)$",
    "powershell": r"(?i:^[ \t]*\$env:{name}[ \t]*=(?P<value>.*)$)",
}
_WRITE: Final[dict[Syntax, str]] = {
    "posix": "export {name}='{value}'",
    "fish": "set -gx {name} '{value}'",
    "powershell": "$env:{name} = '{value}'",
}


@dataclass(frozen=True, slots=True)
class Assignment:
    """A variable set in a file, at a line (from 1)."""

    name: str
    value: KeyString
    line: int


def read(text: str, name: str, syntax: Syntax) -> Assignment | None:
    """The last assignment of a variable, which is the one that counts; None where there is none."""
    if syntax == "dotenv":
        value = value_of(text, name)
        line = max(
            (n for n, one in enumerate(text.splitlines(), 1) if re.match(rf"\s*(?:export\s+)?{name}\s*=", one)), default=1
        )
        return Assignment(name, KeyString(value), line) if value is not None else None
    found = None
    for number, line_ in enumerate(text.splitlines(), 1):
        if match := re.match(_LINES[syntax].format(name=name), line_):
            found = Assignment(name, KeyString(_unquoted(match["value"])), number)
    return found


def _unquoted(text: str) -> str:
    try:
        words = shlex.split(text, comments=True)
    except ValueError:  # a quote that goes on in the next line: no key string does
        return text.strip()
    return words[0] if words else ""


def written(text: str, name: str, value: KeyString, syntax: Syntax) -> str:
    """The text with the variable set: its first assignment replaced, others taken out, at the end if it had none."""
    if syntax == "dotenv":
        return with_variable(text, name, value.reveal())
    line = _WRITE[syntax].format(name=name, value=value.reveal())
    return _replaced(text, name, syntax, line)


def erased(text: str, name: str, syntax: Syntax) -> str:
    """The text without any assignment of the variable."""
    return without_variable(text, name) if syntax == "dotenv" else _replaced(text, name, syntax, None)


def _replaced(text: str, name: str, syntax: Syntax, line: str | None) -> str:
    pattern = re.compile(_LINES[syntax].format(name=name))
    ending = "\r\n" if "\r\n" in text else "\n"
    out: list[str] = []
    for each in text.splitlines(keepends=True):
        if not pattern.match(each.rstrip("\r\n")):
            out.append(each)
        elif line is not None:
            out.append(line + ending)
            line = None
    if line is not None:
        if out and not out[-1].endswith("\n"):
            out.append(ending)
        out.append(line + ending)
    return "".join(out)
