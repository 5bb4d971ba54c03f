"""Filters and queries of https://google.aip.dev/160: parsed once, then asked of each resource by whoever knows its fields.

`state:ENABLED AND NOT name:x`, `resource.labels.service = one_of("a", "b")`, `location:(us-west1 OR global) "free text"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_MARK = re.compile(r"\s*([(),])")
_OPERATOR = re.compile(r"\s*(<=|>=|!=|=~|!~|[:=<>])")
_TEXT = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_WORD = re.compile(r"""\s*((?:(?!!=|!~)[^\s()"',:=<>])+)""")
_VALUE = re.compile(r"""\s*([^\s()"',:=<>!][^\s()"',]*)""")  # behind an operator: colons and more belong to the value
_DEEPEST = 40
_MOST_TERMS = 200


class Unreadable(ValueError):
    """What was sent is no filter."""


@dataclass(frozen=True, slots=True)
class Term:
    """`field op value`, or a bare value (field and op empty). `function`: the value was `function(values)`."""

    field: str
    op: str
    values: tuple[str, ...]
    function: str = ""

    @property
    def value(self) -> str:
        """The first value."""
        return self.values[0] if self.values else ""


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Some part holds."""

    parts: tuple[Expression, ...]


Expression = Term | Not | All | Any


def matches(expression: Expression, test: Callable[[Term], bool]) -> bool:
    """Whether an expression holds where `test` says so of each term."""
    if isinstance(expression, Term):
        return test(expression)
    if isinstance(expression, Not):
        return not matches(expression.inner, test)
    if isinstance(expression, All):
        return all(matches(part, test) for part in expression.parts)
    return any(matches(part, test) for part in expression.parts)


def terms(expression: Expression) -> list[Term]:
    """All terms, in the order in which they stand."""
    if isinstance(expression, Term):
        return [expression]
    parts = (expression.inner,) if isinstance(expression, Not) else expression.parts
    return [term for part in parts for term in terms(part)]


def parse(text: str, beside: Callable[[tuple[Expression, ...]], Expression] = All) -> Expression:
    """What a filter means; the empty one holds always. Raises Unreadable.

    `beside`: what several terms side by side mean; some services take any of them for enough.
    """
    if not text.strip():
        return All(())
    parser = _Parser(text, beside)
    found = parser.expression(0)
    if not parser.ended():
        raise Unreadable(text)
    return found


class _Parser:
    """`OR` binds closest, then terms side by side, then `AND`."""

    def __init__(self, text: str, beside: Callable[[tuple[Expression, ...]], Expression]) -> None:
        self._text = text
        self._beside = beside
        self._at = 0
        self._terms = 0

    def ended(self) -> bool:
        return not self._text[self._at :].strip()

    def _read(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[1]

    def _take(self, mark: str) -> bool:
        found = _MARK.match(self._text, self._at)
        if found is None or found[1] != mark:
            return False
        self._at = found.end()
        return True

    def _keyword(self, word: str) -> bool:
        found = _WORD.match(self._text, self._at)
        if found is None or found[1] != word:
            return False
        self._at = found.end()
        return True

    def _next_is(self, *words: str) -> bool:
        at = self._at
        found = any(self._keyword(word) for word in words)
        self._at = at
        return found

    def expression(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise Unreadable(self._text)
        parts = [self._sequence(depth)]
        while self._keyword("AND"):
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _sequence(self, depth: int) -> Expression:
        parts = [self._factor(depth)]
        while not self.ended() and not self._next_is("AND") and self._text[self._at :].lstrip()[0] not in "),":
            parts.append(self._factor(depth))
        return parts[0] if len(parts) == 1 else self._beside(tuple(parts))

    def _factor(self, depth: int) -> Expression:
        parts = [self._term(depth)]
        while self._keyword("OR"):
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _term(self, depth: int) -> Expression:
        self._terms += 1
        if self._terms > _MOST_TERMS or depth > _DEEPEST:
            raise Unreadable(self._text)
        if self._keyword("NOT"):
            return Not(self._term(depth + 1))
        if self._take("("):
            return self._closed(depth)
        quoted = self._read(_TEXT)
        if quoted is not None:
            return Term("", "", (_unquoted(quoted),))
        name = self._read(_WORD)
        if name is None or name in ("AND", "OR"):
            raise Unreadable(self._text)
        op = self._read(_OPERATOR)
        if op is None:
            return _negated(name, lambda bare: Term("", "", (bare,)))
        return self._restriction(name, op, depth)

    def _closed(self, depth: int) -> Expression:
        inner = self.expression(depth + 1)
        if not self._take(")"):
            raise Unreadable(self._text)
        return inner

    def _restriction(self, name: str, op: str, depth: int) -> Expression:
        if self._take("("):  # `location:(a OR b)`
            inner = self._closed(depth)
            return _negated(name, lambda bare: _with_field(inner, bare, op))
        quoted = self._read(_TEXT)
        if quoted is not None:
            return _negated(name, lambda bare: Term(bare, op, (_unquoted(quoted),)))
        value = self._read(_VALUE)
        if value is None:
            raise Unreadable(self._text)
        if not self._take("("):
            return _negated(name, lambda bare: Term(bare, op, (value,)))
        values: list[str] = []
        while not self._take(")"):
            if values and not self._take(","):
                raise Unreadable(self._text)
            argument = self._read(_TEXT)
            plain = self._read(_WORD) if argument is None else None
            if argument is None and plain is None:
                raise Unreadable(self._text)
            values.append(_unquoted(argument) if argument is not None else plain or "")
        return _negated(name, lambda bare: Term(bare, op, tuple(values), value))


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _negated(name: str, make: Callable[[str], Expression]) -> Expression:
    """`-name:x` is `NOT name:x`."""
    if len(name) > 1 and name.startswith("-"):
        return Not(make(name[1:]))
    return make(name)


def _with_field(expression: Expression, field: str, op: str) -> Expression:
    """The bare values of an expression in parentheses, as values of the field before it."""
    if isinstance(expression, Term):
        return expression if expression.field else Term(field, op, expression.values)
    if isinstance(expression, Not):
        return Not(_with_field(expression.inner, field, op))
    parts = tuple(_with_field(part, field, op) for part in expression.parts)
    return All(parts) if isinstance(expression, All) else Any(parts)
