"""Time series of calls made with keys, and the monitoring filters that choose among them
(https://cloud.google.com/monitoring/api/v3/filters)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages import expressions, patterns
from keyadmin.sandbox.messages.expressions import All, Expression, Term, Unreadable
from keyadmin.sandbox.messages.patterns import NotUnderstood
from keyadmin.sandbox.messages.status import RpcError, invalid, not_found
from keyadmin.sandbox.services.apikeys.usage import HOUR

METRIC = "serviceruntime.googleapis.com/api/request_count"
RESOURCE = "consumed_api"
KEPT = 6 * 7 * 24 * HOUR  # microseconds
_REGEX = "monitoring.regex.full_match"
_FUNCTIONS = ("starts_with", "ends_with", "has_substring", "one_of", _REGEX)


@dataclass(frozen=True, slots=True)
class Point:
    """A number over a time; microseconds."""

    start: int
    end: int
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """A time series; its points are the most recent first. `labels`: of "metric" and of "resource"."""

    labels: dict[str, dict[str, str]]
    points: tuple[Point, ...]
    metric_kind: str = "DELTA"
    value_type: str = "INT64"
    metric_type: str = METRIC
    resource_type: str = RESOURCE

    def with_points(self, points: tuple[Point, ...]) -> Series:
        """The same with other points."""
        return replace(self, points=points)


def read(call: Call, project: str, start: int, end: int) -> Iterator[Series]:
    """One series a key, service, method and status, with a point for every hour of such calls, ending with the last of them.

    What is younger than the delay asked for (faults.spread("monitoring")) is not seen yet, nor the rest of its hour.
    """
    node = call.world.hierarchy.get(project)
    project_id = (node.project_id if node else None) or ""
    seen = call.now - call.world.faults.spread("monitoring")
    rows = call.store.all(
        "SELECT k.uid, u.service, u.method, u.code, u.hour, u.last, u.calls "
        "FROM keys AS k JOIN key_usage AS u ON u.uid = k.uid "
        "WHERE k.project = ? AND u.hour BETWEEN ? AND ? AND u.last <= ? "
        "ORDER BY k.uid, u.service, u.method, u.code, u.hour DESC",
        *(project, start - HOUR, end, seen),
    )
    for (uid, service, method, code), group in groupby(rows, key=lambda row: row[:4]):
        points = [Point(hour, max(last, hour + 1), calls) for *_, hour, last, calls in group]
        inside = tuple(point for point in points if start < point.end <= end)
        if inside:
            yield Series({"metric": _metric(code), "resource": _resource(project_id, service, method, uid)}, inside)


def _metric(code: int) -> dict[str, str]:
    """The metric's labels (recorded descriptor: protocol, response_code, response_code_class, grpc_status_code)."""
    return {
        "response_code": str(code),
        "response_code_class": f"{code // 100}xx",
        "protocol": "http",
        "grpc_status_code": str(_GRPC.get(code, 2)),
    }


def _resource(project_id: str, service: str, method: str, uid: str) -> dict[str, str]:
    """The labels of consumed_api."""
    version = next((part for part in method.split(".") if re.fullmatch(r"v\d+\w*", part)), "")
    return {
        "project_id": project_id,
        "service": service,
        "method": method,
        "version": version,
        "location": "global",
        "credential_id": f"apikey:{uid}",
    }


# The canonical code that an HTTP status most likely stands for (google/rpc/code.proto).
_GRPC = {200: 0, 400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 499: 1, 500: 13, 501: 12, 503: 14, 504: 4}


def compiled(text: str) -> Callable[[Series], bool]:
    """Whether a series is meant by a filter, which has to name one metric type. Raises INVALID_ARGUMENT or NOT_FOUND."""
    try:
        expression = expressions.parse(text)
        terms = expressions.terms(expression)
    except Unreadable:
        raise _bad(text) from None
    for term in terms:
        _check(term, text)
    named = _metric_type(expression)
    if named is None:
        # unsourced: the wording
        raise invalid('The filter must specify a single metric type: metric.type = "...".', "filter")
    if named != METRIC and ".googleapis.com/" not in named:
        raise not_found(
            f'Cannot find metric(s) that match type = "{named[:200]}". If a metric was created recently, it could take up to '
            "10 minutes to become available. Please try again soon."
        )
    return lambda series: expressions.matches(expression, lambda term: _fits(series, term))


def _metric_type(expression: Expression) -> str | None:
    """The type that every series must have."""
    parts = expression.parts if isinstance(expression, All) else (expression,)
    for part in parts:
        if isinstance(part, Term) and part.field == "metric.type" and part.op == "=" and not part.function:
            return part.value
    return None


def _bad(text: str) -> RpcError:
    # the wording as pasted in public issue threads
    return invalid(f'Field filter had an invalid value of "{text[:300]}": The filter could not be parsed.', "filter")


def _check(term: Term, text: str) -> None:
    if term.op not in ("=", "!=", ":") or (term.function and term.function not in _FUNCTIONS):
        raise _bad(text)
    kind, _, rest = term.field.partition(".")
    known = term.field in ("metric.type", "resource.type", "project")
    if not known and (kind not in ("metric", "resource") or rest.partition(".")[0] not in ("label", "labels")):
        raise _bad(text)
    if term.function == _REGEX:
        try:
            patterns.full_match(term.value, "")
        except NotUnderstood:
            raise _bad(text) from None


def label(series: Series, field: str) -> str:
    """`resource.labels.service`, `metric.type` ... of a series; empty where it has none."""
    kind, name = label_name(field)
    if field == "metric.type":
        return series.metric_type
    if field == "resource.type":
        return series.resource_type
    if field == "project":
        return series.labels["resource"].get("project_id", "")
    return series.labels[kind].get(name, "")


def label_name(field: str) -> tuple[str, str]:
    """`resource`, `service` of `resource.labels.service`, of `resource.label.service` and of `resource.service`, which Google's
    Python client shows in its examples."""
    kind, _, rest = field.partition(".")
    first, _, name = rest.partition(".")
    return kind, name if first in ("label", "labels") else rest


def _fits(series: Series, term: Term) -> bool:
    value = label(series, term.field)
    if term.function:
        found = _function(term, value)
    elif term.op == ":":
        return term.value in value
    else:
        found = value == term.value
    return found == (term.op != "!=")


def _function(term: Term, value: str) -> bool:
    if term.function == "starts_with":
        return value.startswith(term.value)
    if term.function == "ends_with":
        return value.endswith(term.value)
    if term.function == "has_substring":
        return term.value in value
    if term.function == _REGEX:
        return patterns.full_match(term.value, value)
    return value in term.values
