"""Members taken out of a JSON document that people may have edited, each checked, each with its place in messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from keyadmin.model import duration
from keyadmin.model.key import Restrictions
from keyadmin.model.key_codec import parse_time
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import holds_key

Choice = TypeVar("Choice", bound=str)
_NEEDED: Final = object()
_WORDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    float: "a fraction",
    type(None): "null",
}


def wrong(path: Path, place: str, what: str) -> Problem:
    """The Problem of a document: exit code 2, with the place and the reason."""
    return Problem(
        Cause.INVALID_ARGUMENT,
        f"{path}: {place}{': ' if place else ''}{what}",
        fix=("correct that place, or make a new plan",),
        exit_code=Exit.USAGE,
    )


class PlanPart:
    """An object of the document with its place. Every method raises Problem (exit 2) for what is not as it should be."""

    def __init__(self, path: Path, where: str, data: Any) -> None:
        self.path = path
        self.where = where
        if not isinstance(data, dict):
            raise wrong(path, where or "the document", f"expected an object, found {_kind(data)}")
        self.data: dict[str, Any] = data

    def wrong(self, name: str, what: str) -> Problem:
        """The Problem of a member."""
        return wrong(self.path, self._at(name), what)

    def text(self, name: str, default: Any = _NEEDED) -> str:
        """A text. A key string is none that may stand here."""
        found: str = self._take(name, str, default)
        if holds_key(found):
            raise self.wrong(name, "it contains a key string, which must not be in any file")
        return found

    def number(self, name: str, *, least: int) -> int:
        """A whole number."""
        found: int = self._take(name, int, _NEEDED)
        if found < least:
            raise self.wrong(name, f"expected at least {least}, found {found}")
        return found

    def flag(self, name: str) -> bool:
        """true or false; false where it is missing."""
        found: bool = self._take(name, bool, False)
        return found

    def time(self, name: str) -> datetime:
        """An RFC 3339 time."""
        found = self.text(name)
        try:
            moment = parse_time(found)
        except ValueError:
            moment = None
        if moment is None:
            raise self.wrong(name, f"expected a time such as 2026-11-29T08:00:00Z, found {found[:40]!r}")
        return moment

    def duration(self, name: str, default: timedelta | None = None) -> timedelta:
        """`90d`, `3600s`."""
        if default is not None and name not in self.data:
            return default
        found = self.text(name)
        try:
            return duration.parse(found)
        except Problem:
            raise self.wrong(name, f"expected a duration such as 10m, found {found[:40]!r}") from None

    def choice(self, name: str, choices: tuple[Choice, ...]) -> Choice:
        """One of some words."""
        found = self.text(name)
        for each in choices:
            if each == found:
                return each
        raise self.wrong(name, f"expected one of {', '.join(choices)}, found {found[:40]!r}")

    def texts(self, name: str, default: Any = _NEEDED) -> list[str]:
        """A list of texts."""
        found: list[Any] = self._take(name, list, default)
        for place, each in enumerate(found):
            if not isinstance(each, str) or holds_key(each):
                raise self.wrong(f"{name}[{place}]", f"expected a text, found {_kind(each)}")
        return list(found)

    def part(self, name: str) -> PlanPart:
        """An object in it."""
        return PlanPart(self.path, self._at(name), self._take(name, dict, _NEEDED))

    def parts(self, name: str, default: Any = _NEEDED) -> Iterator[PlanPart]:
        """The objects of a list in it."""
        for place, each in enumerate(self._take(name, list, default)):
            yield PlanPart(self.path, f"{self._at(name)}[{place}]", each)

    def restrictions(self, name: str, read: Callable[[Mapping[str, Any]], Restrictions]) -> Restrictions:
        """Restrictions in the form of the REST API; a field that it does not have is refused, for it would be dropped."""
        part = self.part(name)
        for field, value in part.data.items():
            if field not in _FIELDS:
                raise part.wrong(field, "not a field of restrictions")
            _check(part, field, value)
        if sum(field != "apiTargets" for field in part.data) > 1:
            raise self.wrong(name, "more than one kind of client")
        return read(part.data)

    def _take(self, name: str, kind: type, default: Any) -> Any:
        if name not in self.data:
            if default is _NEEDED:
                raise self.wrong(name, "missing")
            return default
        value = self.data[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise self.wrong(name, f"expected {_WORDS[kind]}, found {_kind(value)}")
        return value

    def _at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name


_FIELDS: Final = {
    "apiTargets": None,
    "browserKeyRestrictions": "allowedReferrers",
    "serverKeyRestrictions": "allowedIps",
    "androidKeyRestrictions": "allowedApplications",
    "iosKeyRestrictions": "allowedBundleIds",
}


def _check(part: PlanPart, field: str, value: Any) -> None:
    member = _FIELDS[field]
    if member is None:
        for target in part.parts(field):
            target.text("service")
            target.texts("methods", [])
            _only(target, ("service", "methods"))
        return
    clients = PlanPart(part.path, part._at(field), value)
    _only(clients, (member,))
    if field == "androidKeyRestrictions":
        for app in clients.parts(member, []):
            app.text("sha1Fingerprint", "")
            app.text("packageName", "")
            _only(app, ("sha1Fingerprint", "packageName"))
    else:
        clients.texts(member, [])


def _only(part: PlanPart, names: tuple[str, ...]) -> None:
    for name in part.data:
        if name not in names:
            raise part.wrong(name, "not a field of restrictions")


def _kind(value: Any) -> str:
    return _WORDS.get(type(value), type(value).__name__)
