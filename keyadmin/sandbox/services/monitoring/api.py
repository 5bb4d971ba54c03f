"""Cloud Monitoring v3: ListTimeSeries of google.monitoring.v3.MetricService, for the calls made with API keys.

One metric has data: `serviceruntime.googleapis.com/api/request_count` of `consumed_api`, whose resource label credential_id
is `apikey:UID` (facts 7). It is kept by the hour, so all calls of an hour count as made at the time of its last one.
"""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import Api, Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.messages.status import Code, RpcError, error_info, invalid
from keyadmin.sandbox.messages.times import parse_rfc3339, rfc3339
from keyadmin.sandbox.services.monitoring import aggregation as monitoring_math
from keyadmin.sandbox.services.monitoring import series as monitoring_series
from keyadmin.sandbox.services.monitoring.series import Point, Series

Json = dict[str, Any]

api = Api(
    "google.monitoring.v3.MetricService",
    "monitoring.googleapis.com",
    "Cloud Monitoring API",
    "google.monitoring.v3",
)

MOST = 100_000  # points, or time series without points, a page (discovery document)
_PERMISSION = "monitoring.timeSeries.list"


@api.method("GET /v3/{name=projects/*}/timeSeries", request="ListTimeSeriesRequest", response="ListTimeSeriesResponse")
def list_time_series(call: Call, request: Json) -> Json:
    """ListTimeSeries: raw, aligned, or aligned and reduced."""
    name = request.get("name", "")
    project = _project(call, name)
    test = monitoring_series.compiled(request.get("filter", ""))
    start, end = _interval(call, request.get("interval", {}))
    if request.get("orderBy"):
        raise invalid("order_by is not supported.", "order_by")
    if request.get("secondaryAggregation"):
        raise RpcError(Code.UNIMPLEMENTED, "The sandbox has no secondary aggregation.")
    found = [series for series in monitoring_series.read(call, project, start, end) if test(series)]
    found = monitoring_math.aggregated(found, request.get("aggregation", {}), start, end)
    headers = request.get("view") == "HEADERS"
    shown, following = _page(found, request, headers=headers)
    out: Json = {}
    if shown:
        out["timeSeries"] = [_document(series, headers=headers) for series in shown]
    if following:
        out["nextPageToken"] = following
    out["unit"] = "1"  # of the answer, series or none (recorded)
    return out


def _project(call: Call, name: str) -> str:
    """The project (canonical name), if the caller may read its time series."""
    kind, _, reference = name.partition("/")
    if kind != "projects" or not reference or "/" in reference:
        raise invalid(f"Invalid name '{name[:120]}': expected projects/*.", "name")
    node = call.world.hierarchy.project(reference)
    if node is None or not call.holds(_PERMISSION, node.name):
        raise RpcError(
            Code.PERMISSION_DENIED,
            f"Permission {_PERMISSION} denied (or the resource may not exist).",
            error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=_PERMISSION, resource=name),
        )
    return node.name


def _interval(call: Call, interval: Json) -> tuple[int, int]:
    """Start and end in microseconds; what is older than six weeks is gone (Cloud Monitoring documentation)."""
    if "endTime" not in interval:
        raise invalid("The end of the time interval is missing.", "interval.end_time")
    end = parse_rfc3339(interval["endTime"])
    start = parse_rfc3339(interval["startTime"]) if "startTime" in interval else end
    if start > end:
        raise invalid("The start of the time interval lies behind its end.", "interval.start_time")
    return max(start, call.now - monitoring_series.KEPT), end


def _page(found: list[Series], request: Json, *, headers: bool) -> tuple[list[Series], str]:
    """Time series with so many points in all; the points of one may go on in the next page."""
    size = request.get("pageSize", 0)
    size = min(size, MOST) if size > 0 else MOST
    start = paging.read_token("ListTimeSeries", request)
    number, _, skipped = start.partition(" ")
    first, skip = int(number or 0), int(skipped or 0)
    shown: list[Series] = []
    left = size
    for index in range(first, len(found)):
        series = found[index]
        points = series.points[skip if index == first else 0 :]
        if left == 0:
            return shown, paging.make_token("ListTimeSeries", request, f"{index} 0")
        if not headers and len(points) > left:
            shown.append(series.with_points(points[:left]))
            seen = len(series.points) - len(points) + left
            return shown, paging.make_token("ListTimeSeries", request, f"{index} {seen}")
        shown.append(series.with_points(points))
        left -= 1 if headers else len(points)
    return shown, ""


def _document(series: Series, *, headers: bool) -> Json:
    """TimeSeries; points are the most recent first."""
    out: Json = {
        "metric": {"type": series.metric_type},
        "resource": {"type": series.resource_type, "labels": series.labels["resource"]},
        "metricKind": series.metric_kind,
        "valueType": series.value_type,
    }
    if series.labels["metric"]:
        out["metric"]["labels"] = series.labels["metric"]
    if not headers:
        out["points"] = [_point(series, point) for point in series.points]
    return out


def _point(series: Series, point: Point) -> Json:
    value: Json = {"int64Value": str(int(point.value))} if series.value_type == "INT64" else {"doubleValue": point.value}
    return {"interval": {"startTime": rfc3339(point.start), "endTime": rfc3339(point.end)}, "value": value}
