"""Cloud Monitoring: when a project's keys were last used, for which services, how often. One listing answers for all keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import quote

from keyadmin.cloud.endpoints import MONITORING, ApiCall
from keyadmin.cloud.http import Params
from keyadmin.cloud.rest import Json, RestTransport
from keyadmin.model.key_codec import format_time, parse_time

KEPT: Final = timedelta(weeks=6)  # how long the metric is kept (Cloud Monitoring documentation)
STEP: Final = timedelta(hours=1)  # so the time of last use is known to the hour
RECENT: Final = timedelta(hours=6)  # whose calls are told apart from those before
DELAY: Final = timedelta(minutes=30)  # after which a call is seen (recorded metric descriptor: up to 1,800 seconds)
PAGE: Final = 10_000
CHECKS: Final = ".ModelService.ListModels"  # how keyadmin checks keys; nobody's work, though others may list models too
# credential_id is a label of the resource, not of the metric.
FILTER: Final = (
    'metric.type = "serviceruntime.googleapis.com/api/request_count" AND resource.type = "consumed_api"'
    ' AND resource.labels.credential_id = starts_with("apikey:")'
)
_WORK: Final = f'{FILTER} AND resource.labels.method != ends_with("{CHECKS}")'
_BY_SERVICE: Final = ("resource.labels.credential_id", "resource.labels.service", "metric.labels.response_code")
_BY_METHOD: Final = (*_BY_SERVICE, "resource.labels.method")


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """The calls that one key made to one service, with one HTTP status. `last` = the end of the last full hour with a call.

    In a listing by method also the `method`. `recent` = how many of the calls were in the last hours (RECENT).
    """

    uid: str
    service: str
    calls: int
    last: datetime
    method: str = ""
    status: int = 0
    recent: int = 0

    @property
    def is_check(self) -> bool:
        """Whether these are calls by which keys are checked."""
        return self.method.endswith(CHECKS)

    @property
    def refused(self) -> bool:
        """Whether the key itself was turned down: such calls are no use of it."""
        return self.status in (401, 403)


class Usage:
    """Raises Problem; no data is an empty answer, no access is not."""

    def __init__(self, rest: RestTransport, now: Callable[[], datetime]) -> None:
        self._rest = rest
        self._now = now

    async def of_project(self, project: str, since: timedelta = KEPT) -> list[KeyUsage]:
        """Per key uid, service and HTTP status of the answers, over the last weeks by the server's clock.

        Unused keys do not appear, nor checks of keys.
        """
        return await self._listed(project, since, _WORK, _BY_SERVICE)

    async def by_method(self, project: str, since: timedelta = KEPT) -> list[KeyUsage]:
        """Per key uid, service, method and HTTP status of the answers, checks of keys among them."""
        return await self._listed(project, since, FILTER, _BY_METHOD)

    async def between(self, project: str, start: datetime, end: datetime) -> list[KeyUsage]:
        """As `by_method`, of the calls in one span of at least a minute, by full seconds; `last` is its end."""
        start, end = start.replace(microsecond=0), end.replace(microsecond=0)
        return await self._listed_between(project, start, end, end - start, FILTER, _BY_METHOD)

    async def _listed(self, project: str, since: timedelta, chosen: str, fields: tuple[str, ...]) -> list[KeyUsage]:
        # Hours end where the interval ends: asked on full hours they do not move with the clock. The running hour is asked
        # for whole. unsourced: that the end of a reading interval may lie ahead.
        end = self._now().replace(minute=0, second=0, microsecond=0) + STEP
        return await self._listed_between(project, end - since, end, STEP, chosen, fields)

    async def _listed_between(
        self, project: str, start: datetime, end: datetime, step: timedelta, chosen: str, fields: tuple[str, ...]
    ) -> list[KeyUsage]:
        params: Params = {
            "filter": chosen,
            "interval.startTime": format_time(start),
            "interval.endTime": format_time(end),
            "aggregation.alignmentPeriod": f"{step.total_seconds():.0f}s",
            "aggregation.perSeriesAligner": "ALIGN_SUM",
            "aggregation.crossSeriesReducer": "REDUCE_SUM",
            "aggregation.groupByFields": fields,
            "pageSize": str(PAGE),
        }
        call = ApiCall(MONITORING, "ListTimeSeries", project)
        path = f"/v3/projects/{quote(project, safe=':')}/timeSeries"
        found = [usage async for usage in self._rest.pages(call, path, "timeSeries", partial(_usage, end - RECENT), params)]
        return [usage for usage in found if usage is not None]


def _usage(recent: datetime, series: Json) -> KeyUsage | None:
    labels = series.get("resource", {}).get("labels", {})
    counted = [(parse_time(point["interval"]["endTime"]), _count(point.get("value", {}))) for point in series.get("points", ())]
    used = [(end, calls) for end, calls in counted if end is not None and calls > 0]
    if not used:
        return None
    uid = labels.get("credential_id", "").removeprefix("apikey:")
    status = series.get("metric", {}).get("labels", {}).get("response_code", "")
    return KeyUsage(
        uid,
        labels.get("service", ""),
        sum(calls for _, calls in used),
        max(end for end, _ in used),
        labels.get("method", ""),
        int(status) if status.isdigit() else 0,
        sum(calls for end, calls in used if end > recent),
    )


def _count(value: Json) -> int:
    """Sums of counts come as integers, or as doubles after aggregation."""
    return int(value.get("int64Value") or value.get("doubleValue") or 0)
