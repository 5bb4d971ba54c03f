"""Cloud Monitoring: when a project's keys were last used, for which services, how often. One listing answers for all keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from keyadmin.cloud.calls import pages
from keyadmin.cloud.channels import GrpcTransport
from keyadmin.cloud.endpoints import METRICS
from keyadmin.cloud.messages import moment, paging

KEPT: Final = timedelta(weeks=6)  # how long the metric is kept (Cloud Monitoring documentation)
STEP: Final = timedelta(hours=1)  # so the time of last use is known to the hour
CUT: Final = timedelta(seconds=1)  # the server's time is known to the second, cut: the last calls are to count too
PAGE: Final = 10_000
# credential_id is a label of the resource, not of the metric.
FILTER: Final = (
    'metric.type = "serviceruntime.googleapis.com/api/request_count" AND resource.type = "consumed_api"'
    ' AND resource.labels.credential_id = starts_with("apikey:")'
)


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """The calls that one key made to one service. `last` = the end of the last hour with a call."""

    uid: str
    service: str
    calls: int
    last: datetime


class Usage:
    """Raises Problem; no data is an empty answer, no access is not."""

    def __init__(self, grpc: GrpcTransport, now: Callable[[], datetime]) -> None:
        self._grpc = grpc
        self._now = now

    async def of_project(self, project: str, since: timedelta = KEPT) -> list[KeyUsage]:
        """Per key uid and service, over the last weeks by the server's clock. Unused keys do not appear."""

        async def call(asked: dict[str, Any]) -> Any:
            return await self._grpc.call(METRICS, "list_time_series", asked, project=project)

        end = self._now() + CUT
        request = {
            "name": f"projects/{project}",
            "filter": FILTER,
            "interval": {"start_time": end - since, "end_time": end},
            "aggregation": {
                "alignment_period": STEP,
                "per_series_aligner": "ALIGN_SUM",
                "cross_series_reducer": "REDUCE_SUM",
                "group_by_fields": ["resource.labels.credential_id", "resource.labels.service"],
            },
            "page_size": PAGE,
        }
        found = [usage async for usage in pages(paging(call, request, "time_series", _usage))]
        return [usage for usage in found if usage is not None]


def _usage(series: Any) -> KeyUsage | None:
    labels = series.resource.labels
    counted = [(moment(point.interval.end_time), _count(point.value)) for point in series.points]
    used = [(end, calls) for end, calls in counted if end is not None and calls > 0]
    if not used:
        return None
    uid = labels.get("credential_id", "").removeprefix("apikey:")
    return KeyUsage(uid, labels.get("service", ""), sum(calls for _, calls in used), max(end for end, _ in used))


def _count(value: Any) -> int:
    """Sums of counts come as integers, or as doubles after aggregation."""
    return int(value.int64_value or value.double_value)
