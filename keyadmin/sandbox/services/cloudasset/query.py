"""The query language and the order of searchAllResources (discovery document of Cloud Asset Inventory, revision 20261017)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from keyadmin.sandbox.messages import expressions, patterns
from keyadmin.sandbox.messages.expressions import Term, Unreadable
from keyadmin.sandbox.messages.patterns import NotUnderstood
from keyadmin.sandbox.messages.shape import camel
from keyadmin.sandbox.messages.status import RpcError, invalid
from keyadmin.sandbox.messages.times import parse_rfc3339

Json = dict[str, Any]

_TIMES = ("createTime", "updateTime")
_TEXTS = (
    *("name", "displayName", "description", "location", "project", "folders", "organization", "state", "networkTags"),
    *("parentFullResourceName", "parentAssetType"),
)
# Fields that can be asked for and that no resource of the sandbox has.
_ABSENT = (
    *("tagKeys", "tagValues", "tagValueIds", "effectiveTagKeys", "effectiveTagValues", "effectiveTagValueIds"),
    *("kmsKey", "kmsKeys", "relationships", "sccSecurityMarks"),
)
SORTABLE = (
    *("name", "assetType", "project", "displayName", "description", "location", "createTime", "updateTime", "state"),
    *("parentFullResourceName", "parentAssetType"),
)
_WORD = re.compile(r"[^\W_]+")

Test = Callable[[Json], bool]


def compiled(text: str) -> Test | None:
    """Whether a result fits a query; None where every one does. Raises INVALID_ARGUMENT."""
    if not text.strip():
        return None
    try:
        expression = expressions.parse(text)
    except Unreadable:
        raise _bad(text) from None
    for term in expressions.terms(expression):
        _check(term, text)
    return lambda result: expressions.matches(expression, lambda term: _fits(result, term))


def _bad(text: str) -> RpcError:
    return invalid(f"Invalid query: {text[:200]}", "query")  # unsourced: the wording


def _check(term: Term, text: str) -> None:
    first = camel(term.field.partition(".")[0])
    if term.function or term.op in ("=~", "!~", "!="):
        raise _bad(text)
    if first in _TIMES:
        _moment(term.value)
    elif term.op in ("<", ">", "<=", ">=") or (term.field and first not in (*_TEXTS, *_ABSENT, "labels")):
        raise _bad(text)


def _moment(text: str) -> int:
    """Seconds since the epoch, a date, or a date and time, in microseconds."""
    if text.isascii() and text.isdigit() and len(text) < 12:
        return int(text) * 1_000_000
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        text += "T00:00:00"
    if not re.search(r"(Z|[+-]\d\d:\d\d)$", text):
        text += "Z"
    return parse_rfc3339(text)


def _fits(result: Json, term: Term) -> bool:
    first, _, rest = term.field.partition(".")
    name = camel(first)
    if not term.field:
        return has_words(_everything(result), term.value)
    if name in _TIMES:
        return name in result and _compared(_moment(result[name]), term.op, _moment(term.value))
    if name in _ABSENT:
        return False
    if name == "labels":
        labels: dict[str, str] = result.get("labels", {})
        if rest:
            return rest in labels and _text_fits(labels[rest], term)
        return any(_text_fits(text, term) for item in labels.items() for text in item)
    value = result.get(name)
    if isinstance(value, list):
        return any(_text_fits(text, term) for text in value)
    return value is not None and _text_fits(value, term)


def _text_fits(text: str, term: Term) -> bool:
    if term.value == "*":
        return True
    return text.lower() == term.value.lower() if term.op == "=" else has_words(text, term.value)


def has_words(text: str, wanted: str) -> bool:
    """Whether the words of a value are among those of a text; with a `*` each is enough as the beginning of one."""
    known = {word.lower() for word in _WORD.findall(text)}
    asked = [word.lower() for word in _WORD.findall(wanted)]
    if "*" in wanted:
        return all(any(word.startswith(part) for word in known) for part in asked)
    return bool(asked) and all(part in known for part in asked)


def _everything(result: Json) -> str:
    """All that free text is looked for in."""
    parts = [str(result[name]) for name in _TEXTS if name in result]
    parts += [text for item in result.get("labels", {}).items() for text in item]
    parts += [str(value) for value in result.get("additionalAttributes", {}).values()]
    return " ".join(parts)


def _compared(value: int, op: str, limit: int) -> bool:
    return {
        "<": value < limit,
        ">": value > limit,
        "<=": value <= limit,
        ">=": value >= limit,
        "=": value == limit,
        ":": value == limit,
    }[op]


def order(text: str, sortable: tuple[str, ...] = SORTABLE) -> list[tuple[str, bool]]:
    """`location DESC, name` as fields and whether they descend. Raises INVALID_ARGUMENT."""
    out = []
    for part in text.split(",") if text.strip() else ():
        words = part.split()
        if (
            not 1 <= len(words) <= 2
            or camel(words[0]) not in sortable
            or (words[1:] and words[1].upper() not in ("ASC", "DESC"))
        ):
            raise invalid(f"Invalid order_by: {text[:200]}", "order_by")  # unsourced: the wording
        out.append((camel(words[0]), words[1:] != [] and words[1].upper() == "DESC"))
    return out


def asset_types(asked: list[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """The types asked for by name or regular expression (patterns.py says how much of its syntax is understood).

    A type that Google has and the sandbox has not finds nothing. Raises INVALID_ARGUMENT where no type can be meant.
    """
    if not asked:
        return known
    found: set[str] = set()
    for pattern in asked:
        try:
            fitting = {asset_type for asset_type in known if patterns.full_match(pattern, asset_type)}
        except NotUnderstood:
            raise invalid(f"Invalid asset type: {pattern[:120]}", "asset_types") from None
        if not fitting and not re.fullmatch(r"[a-z0-9-]+\.googleapis\.com/[A-Za-z]+", pattern):
            raise invalid(f"No supported asset type matches the asset type {pattern[:120]}.", "asset_types")
        found |= fitting
    return tuple(asset_type for asset_type in known if asset_type in found)
