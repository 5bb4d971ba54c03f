"""`--filter` and `--sort` of `keys list`: a small language close to gcloud's.

    expression = term, terms beside each other or joined with AND, or joined with OR; NOT or - before one; parentheses
    term       = FIELD OP VALUE, or FIELD OP (VALUE VALUE ...) = any of them
    OP         = and != (the same), : (contains, letters' case ignored; `FIELD:*` = is there), < <= > >=, ~ (regular expression)

A value with blanks or parentheses is quoted. AND and OR are not mixed without parentheses: gcloud and SQL disagree there.
Numbers, times (`2026-11-23`, `2026-11-23T10:00:00Z`) and durations (`90d`) are compared as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from keyadmin.model import duration
from keyadmin.model.key_codec import parse_time
from keyadmin.model.problem import Problem, usage

T = TypeVar("T")
Record = Mapping[str, Any]
Scalar = str | int | float | bool | datetime | timedelta
Kind = type[str] | type[float] | type[bool] | type[datetime] | type[timedelta]


@dataclass(frozen=True)
class FilterField:
    """A field that may be asked for: what its values are, and how they are read off a key's JSON form.

    `choices` = all values there are, where they are few.
    """

    kind: Kind
    values: Callable[[Record, datetime], list[Any]]
    choices: tuple[str, ...] = ()


def _path(*names: str) -> Callable[[Record, datetime], list[Any]]:
    def read(record: Record, now: datetime) -> list[Any]:
        found: list[Any] = [record]
        for name in names:
            found = [item[name] for item in found if isinstance(item, Mapping) and name in item]
            found = [part for item in found for part in (item if isinstance(item, list) else [item])]
        return found

    return read


def _time(name: str) -> Callable[[Record, datetime], list[Any]]:
    return lambda record, now: [moment] if (moment := parse_time(record.get(name))) else []


def _age(record: Record, now: datetime) -> list[Any]:
    created = parse_time(record.get("createTime"))
    return [now - created] if created else []


def _client(record: Record, now: datetime) -> list[Any]:
    kinds = {"serverKeyRestrictions": "ips", "browserKeyRestrictions": "referrers"}
    kinds |= {"androidKeyRestrictions": "android", "iosKeyRestrictions": "ios"}
    present = record.get("restrictions", {})
    return [word for name, word in kinds.items() if name in present] or ["none"]


_BOOLEAN: Final = ("true", "false")
FIELDS: Final[Mapping[str, FilterField]] = {
    "name": FilterField(str, _path("name")),
    "keyId": FilterField(str, lambda record, now: [str(record.get("name", "")).rsplit("/", 1)[-1]]),
    "uid": FilterField(str, _path("uid")),
    "displayName": FilterField(str, _path("displayName")),
    "project": FilterField(str, _path("project")),
    "keyType": FilterField(str, _path("keyType"), ("auth", "standard")),
    "restricted": FilterField(str, _path("restricted"), ("gemini", "other", "mixed", "none")),
    "apiTarget": FilterField(str, _path("restrictions", "apiTargets", "service")),
    "client": FilterField(str, _client, ("ips", "referrers", "android", "ios", "none")),
    "serviceAccountEmail": FilterField(str, _path("serviceAccountEmail")),
    "etag": FilterField(str, _path("etag")),
    "studioVisible": FilterField(bool, _path("studioVisible"), _BOOLEAN),
    "deleted": FilterField(bool, lambda record, now: ["deleteTime" in record], _BOOLEAN),
    "ageDays": FilterField(float, _path("ageDays")),
    "age": FilterField(timedelta, _age),
    "createTime": FilterField(datetime, _time("createTime")),
    "updateTime": FilterField(datetime, _time("updateTime")),
    "deleteTime": FilterField(datetime, _time("deleteTime")),
}
ANNOTATION: Final = "annotations."


def field(name: str) -> FilterField:
    """The field of that name; `annotations.K` is the annotation K. Raises usage() that names the fields there are."""
    if name.startswith(ANNOTATION) and len(name) > len(ANNOTATION):
        return FilterField(str, _path("annotations", name.removeprefix(ANNOTATION)))
    if name not in FIELDS:
        near = get_close_matches(name.casefold(), [each.casefold() for each in FIELDS], 1)
        meant = [f"did you mean {each}?" for each in FIELDS if each.casefold() in near]
        known = f"fields are: {', '.join(FIELDS)}, {ANNOTATION}KEY"
        raise usage(f"unknown field {name!r} in --filter or --sort", *meant, known)
    return FIELDS[name]


@dataclass(frozen=True)
class Comparison:
    """FIELD OP VALUE; with several values one that fits is enough."""

    name: str
    op: str
    values: tuple[str, ...]

    def test(self) -> Callable[[Record, datetime], bool]:
        """The check itself. Raises usage() where field, operator and value do not go together."""
        known = field(self.name)
        checks = [_check(known.kind, self, value) for value in self.values]
        negated = self.op == "!="

        def holds(record: Record, now: datetime) -> bool:
            found = known.values(record, now)
            return negated != any(check(item) for check in checks for item in found)

        return holds


@dataclass(frozen=True)
class Negation:
    """The opposite."""

    inner: Expression


@dataclass(frozen=True)
class FilterGroup:
    """All of the parts (AND) or one of them (OR)."""

    word: str
    parts: tuple[Expression, ...]


Expression = Comparison | Negation | FilterGroup
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _check(kind: Kind, term: Comparison, value: str) -> Callable[[Any], bool]:
    if term.op == ":":
        if value == "*":
            return lambda item: item not in ("", None)
        return lambda item: value.lower() in str(item).lower()
    if term.op == "~":
        try:
            pattern = re.compile(value)
        except re.error as error:
            raise usage(f"--filter: {value!r} is not a regular expression: {error}") from None
        return lambda item: pattern.search(str(item)) is not None
    if kind in (str, bool) and term.op not in ("=", "!="):
        raise usage(f"--filter: {term.name} is not compared with {term.op}: use =, !=, : or ~")
    compare, wanted = _COMPARE[term.op], _convert(kind, term.name, value)
    return lambda item: compare(item, wanted)


def _convert(kind: Kind, name: str, value: str) -> Scalar:
    try:
        if kind is float:
            return float(value)
        if kind is timedelta:
            return duration.parse(value)
        if kind is datetime:
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        wanted = "a number" if kind is float else "a time such as 2026-11-23 or 2026-11-23T10:00:00Z"
        raise usage(f"--filter: {name} is compared with {wanted}, not with {value!r}") from None
    if kind is bool:
        if value.lower() not in ("true", "false"):
            raise usage(f"--filter: {name} is true or false, not {value!r}")
        return value.lower() == "true"
    return value


class _Parser:
    """Recursive descent over the text; one method a rule of the grammar."""

    _FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
    _OP = re.compile(r"!=|<=|>=|[=:<>~]")
    _QUOTED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""", re.DOTALL)
    _BARE = re.compile(r"""[^\s()"']+""")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def parse(self) -> Expression:
        found = self.expression()
        if self.peek():
            raise self.wrong("the end" if self.peek() != ")" else "no closing parenthesis")
        return found

    def wrong(self, wanted: str) -> Problem:
        rest = self.text[self.at : self.at + 20]
        there = repr(rest) if rest.strip() else "the end"
        return usage(f"--filter {self.text!r}: expected {wanted} at character {self.at + 1}, found {there}")

    def peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def word(self, word: str) -> bool:
        self.peek()
        if re.compile(rf"{word}(?![A-Za-z0-9_.=:<>~!-])").match(self.text, self.at):
            self.at += len(word)
            return True
        return False

    def take(self, pattern: re.Pattern[str], wanted: str) -> str:
        self.peek()
        found = pattern.match(self.text, self.at)
        if not found:
            raise self.wrong(wanted)
        self.at = found.end()
        return found.group()

    def expression(self) -> Expression:
        parts, joints = [self.negation()], set()
        while self.peek() not in ("", ")"):
            if self.word("OR"):
                joints.add("OR")
            else:  # AND may be left out
                self.word("AND")
                joints.add("AND")
            parts.append(self.negation())
        if len(joints) > 1:
            raise usage(f"--filter {self.text!r} mixes AND and OR: put parentheses around the parts that belong together")
        return parts[0] if len(parts) == 1 else FilterGroup(joints.pop(), tuple(parts))

    def negation(self) -> Expression:
        if self.word("NOT"):
            return Negation(self.negation())
        if self.peek() == "-":
            self.at += 1
            return Negation(self.negation())
        if self.peek() == "(":
            self.at += 1
            inner = self.expression()
            if self.peek() != ")":
                raise self.wrong("a closing parenthesis")
            self.at += 1
            return inner
        return self.term()

    def term(self) -> Comparison:
        name = self.take(self._FIELD, "a field's name")
        op = self.take(self._OP, "one of = != : < <= > >= ~")
        if self.peek() != "(":
            return Comparison(name, op, (self.value(),))
        self.at += 1
        values = [self.value()]
        while self.peek() not in ("", ")"):
            values.append(self.value())
        if not self.peek():
            raise self.wrong("a closing parenthesis")
        self.at += 1
        return Comparison(name, op, tuple(values))

    def value(self) -> str:
        if self.peek() in ('"', "'"):
            quoted = self.take(self._QUOTED, "a closing quotation mark")
            return re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)
        return self.take(self._BARE, "a value")


def parse(text: str) -> Expression:
    """The expression's tree. Raises usage() naming the place that cannot be read."""
    try:
        return _Parser(text).parse()
    except RecursionError:
        raise usage("--filter: too many parentheses or NOTs inside each other") from None


def predicate(text: str) -> Callable[[Record, datetime], bool]:
    """Whether a key's JSON form fits, at a moment (for ages). Raises usage()."""
    return _compiled(parse(text))


def _compiled(expression: Expression) -> Callable[[Record, datetime], bool]:
    match expression:
        case Comparison():
            return expression.test()
        case Negation(inner):
            check = _compiled(inner)
            return lambda record, now: not check(record, now)
        case FilterGroup(word, parts):
            checks = [_compiled(part) for part in parts]
            if word == "AND":
                return lambda record, now: all(check(record, now) for check in checks)
            return lambda record, now: any(check(record, now) for check in checks)


def ordered(items: Iterable[T], text: str, now: datetime, record: Callable[[T], Record]) -> list[T]:
    """Sorted by `FIELD[,FIELD]`; `~FIELD` or `-FIELD` = descending. What lacks the field comes last. Raises usage()."""
    result = list(items)
    for name, known in reversed(sort_fields(text)):
        keyed = [(_first(known, record(item), now), item) for item in result]
        present = [pair for pair in keyed if pair[0] is not None]
        present.sort(key=lambda pair: pair[0], reverse=name.startswith(("~", "-")))
        result = [item for _, item in present] + [item for value, item in keyed if value is None]
    return result


def sort_fields(text: str) -> list[tuple[str, FilterField]]:
    """The fields of a `--sort` value, each with its name as written. Raises usage()."""
    return [(part.strip(), field(part.strip().lstrip("~-"))) for part in text.split(",")]


def _first(known: FilterField, record: Record, now: datetime) -> Any:
    values = known.values(record, now)
    if not values or values[0] == "":
        return None
    return values[0].casefold() if isinstance(values[0], str) else values[0]
