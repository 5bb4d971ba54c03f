"""The Logging query language (https://cloud.google.com/logging/docs/view/logging-query-language), as far as audit logs need it:
comparisons of fields by their paths, AND, OR, NOT, `log_id(...)`, regular expressions; no functions of other kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from keyadmin.sandbox.messages import expressions, patterns
from keyadmin.sandbox.messages.expressions import Term, Unreadable
from keyadmin.sandbox.messages.patterns import NotUnderstood
from keyadmin.sandbox.messages.status import RpcError, invalid
from keyadmin.sandbox.messages.times import parse_rfc3339

Json = dict[str, Any]

_LOG_ID = re.compile(r"""log_id\(\s*["']([^"']+)["']\s*\)""")
_SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_TIMES = ("timestamp", "receiveTimestamp")


def compiled(text: str) -> Callable[[Json], bool]:
    """Whether an entry is meant. Raises INVALID_ARGUMENT."""
    lines = [line for line in text.splitlines() if not line.strip().startswith("--")]  # comments
    plain = _LOG_ID.sub(lambda found: f'logId="{found[1]}"', " ".join(lines))
    plain = re.sub(r"(^|[\s(])-(?=[A-Za-z\"])", r"\1NOT ", plain)
    try:
        expression = expressions.parse(plain)
        for term in expressions.terms(expression):
            _check(term, text)
    except Unreadable:
        raise _bad(text) from None
    return lambda entry: expressions.matches(expression, lambda term: _fits(entry, term))


def _bad(text: str) -> RpcError:
    return invalid(f"Unparseable filter: {text[:300]}", "filter")


def _check(term: Term, text: str) -> None:
    if term.function:
        raise _bad(text)
    if term.field in _TIMES:
        parse_rfc3339(_time(term.value))
    if term.op in ("=~", "!~"):
        try:
            patterns.search(term.value, "")
        except NotUnderstood:
            raise _bad(text) from None


def _time(text: str) -> str:
    return f"{text}T00:00:00Z" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text


def _fits(entry: Json, term: Term) -> bool:
    if not term.field:
        return any(term.value.lower() in text.lower() for text in _texts(entry))
    if term.field == "logId":
        return str(entry["logName"]).partition("/logs/")[2].replace("%2F", "/") == term.value
    found = list(_values(entry, term.field.replace('"', "").split(".")))
    if term.op == ":" and term.value == "*":
        return bool(found)
    if term.op in ("!=", "!~"):
        return not any(_compared(term.field, value, "=" if term.op == "!=" else "=~", term.value) for value in found)
    return any(_compared(term.field, value, term.op, term.value) for value in found)


def _values(data: Any, path: list[str]) -> Iterator[Any]:
    """What stands at a path; names may hold points, and lists stand for each of their elements."""
    if isinstance(data, list):
        for item in data:
            yield from _values(item, path)
    elif not path:
        yield data
    elif isinstance(data, dict):
        for length in range(1, len(path) + 1):
            name = ".".join(path[:length])
            if name in data:
                yield from _values(data[name], path[length:])


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)
    else:
        yield str(data)


def _compared(field: str, value: Any, op: str, wanted: str) -> bool:
    if isinstance(value, dict):
        return any(_compared(field, inner, op, wanted) for inner in value.values())
    if field in _TIMES:
        return _ordered(parse_rfc3339(value), op, parse_rfc3339(_time(wanted)))
    if field == "severity":
        if wanted.upper() not in _SEVERITIES:
            return False
        return _ordered(_SEVERITIES.index(value), op, _SEVERITIES.index(wanted.upper()))
    if isinstance(value, bool):
        return op in ("=", ":") and str(value).lower() == wanted.lower()
    text = str(value)
    if op == "=~":
        return patterns.search(wanted, text)
    if op == ":":
        return wanted.lower() in text.lower()
    return _ordered(text.lower(), op, wanted.lower()) if op != "=" else text == wanted


def _ordered(value: Any, op: str, limit: Any) -> bool:
    return bool(
        {
            "<": value < limit,
            ">": value > limit,
            "<=": value <= limit,
            ">=": value >= limit,
            "=": value == limit,
            ":": value == limit,
        }[op]
    )
