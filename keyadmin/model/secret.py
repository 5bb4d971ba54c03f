"""Key strings as a type that does not print, and the one way to mask them."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from typing import Any, Final, Literal, NoReturn

from keyadmin.model.key_search import search

KeyType = Literal["auth", "standard"]

SANDBOX_AUTH: Final = "AQ.SANDBOX-"
SANDBOX_STANDARD: Final = "AIzaSANDBOX"

PATTERN: Final = re.compile(r"AIza[0-9A-Za-z_\-]{35}|\b[AI]Q\.[0-9A-Za-z_\-]{20,}|\bauth_tokens/[0-9A-Za-z_\-]{20,}")
"""A key string or ephemeral token in plain text. `holds_key` finds encoded ones too."""

FORM: Final = re.compile(r"[A-Za-z0-9._-]{20,256}")  # of a whole key string, of whatever type


def mask(value: str) -> str:
    """`AIza...x4Qe`, `AQ....x4Qe`; sandbox keys keep their marker: `AQ.SANDBOX-...x4Qe`."""
    if value.startswith((SANDBOX_AUTH, SANDBOX_STANDARD)):
        head = SANDBOX_AUTH if value.startswith(SANDBOX_AUTH) else SANDBOX_STANDARD
    else:
        head = value[:3] if value[1:3] == "Q." else value[:4]
    if len(value) < len(head) + 12:  # too short to show any of it
        return f"{head[:2]}..."
    return f"{head}...{value[-4:]}"


_SHORTEST: Final = 20  # characters of what is masked


def holds_key(text: str) -> bool:
    """Whether something in `text` may be a key string, plain or encoded."""
    return bool(search(_bytes(text), loose=True))


def redact(text: str, but: Collection[str] = ()) -> str:
    """The same text with everything masked that may be a key string or stands for one (encoded, to a depth of two).

    `but` = the key strings that stay.
    """
    if len(text) < _SHORTEST:
        return text
    data = _bytes(text)
    found = [match for match in search(data, loose=True) if match.key not in but]
    if not found:
        return text
    parts, done = [], 0
    for match in found:
        if match.start >= done:
            parts += [data[done : match.start], mask(match.key).encode()]
        done = max(done, match.end)
    return b"".join([*parts, data[done:]]).decode("utf-8", "surrogatepass")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


_PIECE: Final = 6  # characters of a key in a row that are not there by chance
_NO_PART: Final = re.compile(r"[^0-9a-z]")


def redact_echo(text: str, key: KeyString) -> str:
    """`text` of a program that was given `key`: it may say it in pieces, reversed, in lines, as base64 or in hexadecimal."""
    secret = key.reveal()
    forms = [secret, secret.encode().hex(), *(base64.b64encode(b"\0" * skip + secret.encode()).decode() for skip in range(3))]
    forms = [_NO_PART.sub("", form.lower()) for form in forms]
    pieces = {way[at : at + _PIECE] for form in forms for way in (form, form[::-1]) for at in range(len(way) - _PIECE + 1)}
    lower = text.lower() if len(text.lower()) == len(text) else text
    places = [at for at, each in enumerate(lower) if each.isascii() and each.isalnum()]
    packed = "".join(lower[at] for at in places)
    hidden = bytearray(len(text))
    for at in range(len(packed) - _PIECE + 1):
        if packed[at : at + _PIECE] in pieces:
            first, last = places[at], places[at + _PIECE - 1]
            hidden[first : last + 1] = b"\1" * (last + 1 - first)
    shown = "".join("\0" if hide else each for each, hide in zip(text, hidden, strict=True))
    return redact(re.sub("\0+", lambda _: key.masked, shown))


class KeyString:
    """An API key's secret. `str`, `repr`, `format`, pickling and JSON never give it away; `reveal()` does."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself: for headers, sinks and `keys show` only."""
        return self._value

    @property
    def masked(self) -> str:
        """The only printable form."""
        return mask(self._value)

    @property
    def well_formed(self) -> bool:
        """Whether it consists of what key strings consist of, so that it may be written into files that are run."""
        return FORM.fullmatch(self._value) is not None

    @property
    def sandbox(self) -> bool:
        """Whether the string carries the sandbox's marker."""
        return self._value.startswith((SANDBOX_AUTH, SANDBOX_STANDARD))

    @property
    def type_hint(self) -> KeyType | None:
        """The type that the prefix suggests. A hint only: validity is never judged by it."""
        if self._value.startswith("AIza"):
            return "standard"
        return "auth" if self._value.startswith(("AQ.", "IQ.")) else None

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"KeyString({self.masked!r})"

    def __format__(self, spec: str) -> str:
        return format(self.masked, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyString) and self._value == other._value

    def __hash__(self) -> int:
        return hash((KeyString, self._value))

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a key string is not pickled")
