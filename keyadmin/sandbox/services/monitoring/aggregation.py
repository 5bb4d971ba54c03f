"""Alignment and reduction of time series (discovery document of Cloud Monitoring, revision 20260129)."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from keyadmin.sandbox.messages.status import Code, RpcError, invalid
from keyadmin.sandbox.services.monitoring.series import Point, Series, label, label_name

Json = dict[str, Any]
_Combine = Callable[[Sequence[float]], float]

_SECOND = 1_000_000  # microseconds
# What a count becomes: how numbers are combined, metric kind, value type.
_ALIGNERS: dict[str, tuple[_Combine, str, str]] = {
    "ALIGN_DELTA": (sum, "DELTA", "INT64"),
    "ALIGN_SUM": (sum, "DELTA", "INT64"),
    "ALIGN_RATE": (sum, "GAUGE", "DOUBLE"),
    "ALIGN_MIN": (min, "GAUGE", "INT64"),
    "ALIGN_MAX": (max, "GAUGE", "INT64"),
    "ALIGN_MEAN": (statistics.fmean, "GAUGE", "DOUBLE"),
    "ALIGN_COUNT": (len, "GAUGE", "INT64"),
    "ALIGN_STDDEV": (statistics.pstdev, "GAUGE", "DOUBLE"),
}
_REDUCERS: dict[str, tuple[_Combine, str | None]] = {
    "REDUCE_SUM": (sum, None),
    "REDUCE_MIN": (min, None),
    "REDUCE_MAX": (max, None),
    "REDUCE_MEAN": (statistics.fmean, "DOUBLE"),
    "REDUCE_COUNT": (len, "INT64"),
    "REDUCE_STDDEV": (statistics.pstdev, "DOUBLE"),
}
# For metrics of other kinds than a count of calls.
_OTHER_ALIGNERS = (
    *("ALIGN_INTERPOLATE", "ALIGN_NEXT_OLDER", "ALIGN_COUNT_TRUE", "ALIGN_COUNT_FALSE", "ALIGN_FRACTION_TRUE"),
    *("ALIGN_PERCENTILE_99", "ALIGN_PERCENTILE_95", "ALIGN_PERCENTILE_50", "ALIGN_PERCENTILE_05"),
)
_OTHER_REDUCERS = ("REDUCE_COUNT_TRUE", "REDUCE_COUNT_FALSE", "REDUCE_FRACTION_TRUE")


def aggregated(found: list[Series], aggregation: Json, start: int, end: int) -> list[Series]:
    """The series as an aggregation makes them. Raises INVALID_ARGUMENT."""
    aligner = aggregation.get("perSeriesAligner") or "ALIGN_NONE"
    reducer = aggregation.get("crossSeriesReducer") or "REDUCE_NONE"
    if aligner == "ALIGN_NONE":
        if reducer != "REDUCE_NONE":
            raise invalid(
                "Field aggregation.perSeriesAligner must be set, to other than ALIGN_NONE, if a cross-series reducer is.",
                "aggregation.per_series_aligner",
            )
        return found
    if aligner in _OTHER_ALIGNERS:
        raise invalid(f"The aligner {aligner} cannot be applied to metrics of kind DELTA and type INT64.", "aggregation")
    if aligner not in _ALIGNERS:
        raise RpcError(Code.UNIMPLEMENTED, f"The sandbox has no aligner {aligner}.")
    period = _period(aggregation.get("alignmentPeriod", ""))
    aligned = [_aligned(series, aligner, period, end) for series in found]
    if reducer == "REDUCE_NONE":
        return aligned
    if reducer in _OTHER_REDUCERS:
        raise invalid(f"The reducer {reducer} cannot be applied to numbers.", "aggregation")
    if reducer not in _REDUCERS:
        raise RpcError(Code.UNIMPLEMENTED, f"The sandbox has no reducer {reducer}.")
    return _reduced(aligned, reducer, aggregation.get("groupByFields", []))


def _period(text: str) -> int:
    """The alignment period in microseconds."""
    try:
        period = round(float(text.removesuffix("s")) * _SECOND) if text else 0
    except (ValueError, OverflowError):
        period = 0
    if not 60 * _SECOND <= period <= 2 * 366 * 86_400 * _SECOND:
        raise invalid("The alignment period must be from 60 seconds to two years.", "aggregation.alignment_period")
    return period


def _aligned(series: Series, aligner: str, period: int, end: int) -> Series:
    """One point for each period that has any; the last period ends with the interval."""
    combine, kind, value_type = _ALIGNERS[aligner]
    periods: dict[int, list[float]] = {}
    for point in series.points:
        periods.setdefault((end - point.end) // period, []).append(point.value)
    points = []
    for number in sorted(periods):
        value = float(combine(periods[number]))
        if aligner == "ALIGN_RATE":
            value /= period / _SECOND
        closed = end - number * period
        points.append(Point(closed - period if kind == "DELTA" else closed, closed, value))
    return Series(series.labels, tuple(points), kind, value_type)


def _reduced(found: list[Series], reducer: str, fields: list[str]) -> list[Series]:
    """Series of the same group made one. The project's label stays, the other labels only where grouped by."""
    # unsourced: that project_id stays
    combine, value_type = _REDUCERS[reducer]
    for field in fields:
        kind, name = label_name(field)
        if field not in ("resource.type", "metric.type", "project") and (
            kind not in ("metric", "resource") or not re.fullmatch(r"\w+", name)
        ):
            raise invalid(f"Field aggregation.groupByFields had an invalid value: {field[:120]}", "aggregation.group_by_fields")
    groups: dict[tuple[str, ...], list[Series]] = {}
    for series in found:
        groups.setdefault(tuple(label(series, field) for field in fields), []).append(series)
    out = []
    for members in groups.values():
        first = members[0]
        labels: dict[str, dict[str, str]] = {"metric": {}, "resource": {}}
        labels["resource"]["project_id"] = first.labels["resource"]["project_id"]
        for field in fields:
            kind, name = label_name(field)
            if kind in labels and name != "type" and (value := label(first, field)):
                labels[kind][name] = value
        times: dict[tuple[int, int], list[float]] = {}
        for series in members:
            for point in series.points:
                times.setdefault((point.start, point.end), []).append(point.value)
        points = tuple(Point(*at, float(combine(times[at]))) for at in sorted(times, reverse=True))
        out.append(Series(labels, points, first.metric_kind, value_type or first.value_type))
    return out
