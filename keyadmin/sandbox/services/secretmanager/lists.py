"""Filters and pages of Secret Manager's lists (https://cloud.google.com/secret-manager/docs/filtering)."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.messages import expressions, paging
from keyadmin.sandbox.messages.expressions import Term, Unreadable
from keyadmin.sandbox.messages.shape import camel
from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.messages.times import parse_rfc3339

Json = dict[str, Any]

# unsourced: the page size by default; the cap is documented
PAGE = 250
MOST = 25_000
_TIMES = ("createTime", "expireTime", "destroyTime")
_SEARCHED = (*_TIMES, "name", "state", "labels", "annotations", "topics", "etag", "replication", "rotation")


def page(member: str, method: str, request: Json, docs: list[Json]) -> Json:
    """A page of the resources that fit, in the order given; `totalSize` only without a filter (discovery document)."""
    size = paging.page_size(request, default=PAGE, most=MOST)
    start = int(paging.read_token(method, request) or 0)
    fitting = _filtered(docs, request.get("filter", ""))
    out: Json = {}
    if shown := fitting[start : start + size]:
        out[member] = shown
    if start + size < len(fitting):
        out["nextPageToken"] = paging.make_token(method, request, str(start + size))
    if fitting and not request.get("filter"):
        out["totalSize"] = len(fitting)
    return out


def _filtered(docs: list[Json], text: str) -> list[Json]:
    try:
        expression = expressions.parse(text)
    except Unreadable:
        raise _bad(text) from None
    for term in expressions.terms(expression):
        if term.function or (term.field and camel(term.field.split(".")[0]) not in _SEARCHED):
            raise _bad(text)
    return [doc for doc in docs if expressions.matches(expression, lambda term, doc=doc: _fits(doc, term))]  # type: ignore[misc]


def _bad(text: str) -> Exception:
    return invalid(f"Invalid filter: {text[:200]}", "filter")  # unsourced: the wording


def _fits(doc: Json, term: Term) -> bool:
    if not term.field:
        return _has(doc["name"], term.value)
    first, *rest = term.field.split(".")
    name = camel(first)
    if name in _TIMES:
        return name in doc and _compared(parse_rfc3339(doc[name]), term.op, parse_rfc3339(term.value))
    value: Any = doc.get(name)
    for part in rest:
        value = value.get(part, value.get(camel(part))) if isinstance(value, dict) else None
    if value is None:
        return term.op == "!="
    if isinstance(value, dict):
        return term.op == ":" and (term.value == "*" or any(_has(f"{key} {item}", term.value) for key, item in value.items()))
    text = str(value)
    if term.op == ":":
        return term.value == "*" or _has(text, term.value)
    if term.op in ("=", "!="):
        return (text == term.value or text.rpartition("/")[2] == term.value) == (term.op == "=")
    raise _bad(f"{term.field} {term.op} {term.value}")


def _has(text: str, part: str) -> bool:
    return part.rstrip("*").lower() in text.lower()


def _compared(value: int, op: str, limit: int) -> bool:
    outcomes = {"<": value < limit, ">": value > limit, "<=": value <= limit, ">=": value >= limit, "=": value == limit}
    if op not in outcomes:
        raise _bad(op)
    return outcomes[op]
