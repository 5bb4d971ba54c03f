"""What a file says of a variable, in whichever of the syntaxes it is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keyadmin.local.environment.dialects import DIALECTS
from keyadmin.local.environment.mentions import find as find_mentions
from keyadmin.local.environment.mentions import in_function
from keyadmin.local.environment.places import Place
from keyadmin.model import env_text
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

_BOMS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
# https://fishshell.com: fish_variables is not documented; this is what fish 3 and 4 write
_UNIVERSAL: Final = re.compile(r"^SETUVAR(?: --\w+)* (?P<name>\w+):(?P<value>.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A variable set in a file, at a line (from 1). `value` None where the shell works it out."""

    name: str
    value: KeyString | None
    line: int


def decoded(place: Place, data: bytes) -> tuple[str, Callable[[str], bytes]]:
    """The text of a file, and the way back to its bytes. Raises Problem for UTF-16 and binary, except PowerShell's UTF-16."""
    encoding = _BOMS.get(data[:2])
    if place.syntax == "powershell" and encoding is not None:  # what Windows PowerShell's editor and `>` write
        try:
            text = data[2:].decode(encoding)
        except UnicodeDecodeError:
            raise unusable(place, "its UTF-16 is damaged") from None
        return text, lambda new: data[:2] + new.encode(encoding)
    if encoding is not None or b"\0" in data:
        raise unusable(place, "it is UTF-16 or binary, not text")
    return env_text.decode(data), env_text.encode


def unusable(place: Place, why: str) -> Problem:
    """The Problem of a file that cannot be edited; it is left as it was."""
    message = f"{place.path} cannot be used: {why}"
    return Problem(Cause.INVALID_ARGUMENT, message, fix=(f"correct {place.path}, or name another file: --file PATH",))


def assigned(place: Place, text: str, name: str) -> Assignment | None:
    """The assignment that counts when the file is read, which is the last one; None where there is none."""
    if place.syntax == "dotenv":
        lines = env_text.find(text, name)
        last = lines[-1] if lines else None
        return Assignment(name, KeyString(last.value), last.number) if last is not None and last.value is not None else None
    if place.syntax == "universal":
        for match in _UNIVERSAL.finditer(text):
            if match["name"] == name:
                return Assignment(name, KeyString(_universal(match["value"])), text.count("\n", 0, match.start()) + 1)
        return None
    dialect = DIALECTS[place.syntax]
    masked = dialect.mask(text)
    found = [each for each in find_mentions(text, masked, dialect, name) if not in_function(masked, each)]
    if not found or not found[-1].sets:
        return None
    last_set = found[-1]
    return Assignment(name, KeyString(last_set.value) if last_set.value is not None else None, last_set.line)


def _universal(text: str) -> str:
    """fish's escapes: \\xHH, \\uHHHH; elements of a list are told apart by \\x1e."""
    plain = re.sub(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})", lambda found: chr(int(found[1] or found[2], 16)), text)
    return plain.split("\x1e")[0]
