"""Key strings as a type that does not print, and the one way to mask them."""

from __future__ import annotations

import re
from typing import Any, Final, Literal, NoReturn

KeyType = Literal["auth", "standard"]

SANDBOX_AUTH: Final = "AQ.SANDBOX-"
SANDBOX_STANDARD: Final = "AIzaSANDBOX"

# What a key string looks like in free text. Standard keys are 39 characters; auth keys have no documented length.
# Ephemeral tokens are made of keys and are secrets like them.
PATTERN: Final = re.compile(r"AIza[0-9A-Za-z_\-]{35}|\b[AI]Q\.[0-9A-Za-z_\-]{20,}|\bauth_tokens/[0-9A-Za-z_\-]{20,}")

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


def redact(text: str) -> str:
    """The same text with everything shaped like a key string masked."""
    return PATTERN.sub(lambda found: mask(found.group()), text)


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
