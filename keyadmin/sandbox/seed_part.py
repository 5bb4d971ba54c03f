"""What seeds are read with: objects whose members are taken out and checked, and the errors that name their places."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from keyadmin.sandbox.messages.status import RpcError, invalid
from keyadmin.sandbox.messages.times import LATEST, parse_rfc3339


class BadSeed(Exception):
    """The seed is not one: the message names the place (`projects[3].keys[0].createTime`) and what was expected."""

    there = True


class NoSeed(BadSeed):
    """There is no file to read it from."""

    there = False


class Part:
    """An object of the seed with its place, whose members are taken out and checked; what is left over is unknown."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise BadSeed(f"{where or 'the seed'}: expected an object, found {type(data).__name__}")
        self.data = dict(data)
        self.where = where

    def at(self, name: str) -> str:
        """The place of a member."""
        return f"{self.where}.{name}" if self.where else name

    def take(self, name: str, kind: type | tuple[type, ...], default: Any = None, *, needed: bool = False) -> Any:
        """A member of a kind, or the default."""
        if name not in self.data:
            if needed:
                raise BadSeed(f"{self.at(name)}: is missing")
            return default
        value = self.data.pop(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            wanted = kind.__name__ if isinstance(kind, type) else " or ".join(one.__name__ for one in kind)
            raise BadSeed(f"{self.at(name)}: expected {wanted}, found {type(value).__name__}")
        return value

    def number(self, name: str, default: int, *, most: int) -> int:
        """A whole number from 0 to `most`."""
        value: int = self.take(name, int, default)
        if not 0 <= value <= most:
            raise BadSeed(f"{self.at(name)}: expected a number from 0 to {most}, found {str(value)[:20]}")
        return value

    def matching(self, name: str, value: str, pattern: str, expected: str) -> str:
        """A text of a form; `name` = the member or element it stands in."""
        if not re.fullmatch(pattern, value):
            raise BadSeed(f"{self.at(name)}: expected {expected}, found {value[:80]!r}")
        return value

    def texts(self, name: str, pattern: str, expected: str) -> Iterator[str]:
        """The texts of a list member, each of a form."""
        for index, item in enumerate(self.take(name, list, [])):
            if not isinstance(item, str):
                raise BadSeed(f"{self.at(name)}[{index}]: expected {expected}, found {type(item).__name__}")
            yield self.matching(f"{name}[{index}]", item, pattern, expected)

    def parts(self, name: str) -> Iterator[Part]:
        """The objects of a list member."""
        for index, item in enumerate(self.take(name, list, [])):
            yield Part(item, f"{self.at(name)}[{index}]")

    def checked(self, name: str, check: Callable[[Any], Any], default: Any) -> Any:
        """A member passed through a service's own check, whose words are kept with the place."""
        if name not in self.data:
            return default
        try:
            return check(self.data.pop(name))
        except RpcError as error:
            raise BadSeed(f"{self.at(name)}: {error.message}") from None

    def time(self, name: str, default: int) -> int:
        """A time, RFC 3339, as microseconds."""
        value: int = self.checked(name, moment, default)
        return value

    def end(self) -> None:
        """Refuse what nobody took."""
        if self.data:
            raise BadSeed(f"{self.at(next(iter(self.data)))}: unknown field")


def moment(text: Any) -> int:
    """RFC 3339 as microseconds, in years that a clock can show."""
    micros = parse_rfc3339(text)
    if not 0 <= micros < LATEST:
        raise invalid(f"Invalid time: {text!r} is not in the years 1970 to 9998.")
    return micros
