"""Cloud Monitoring's time series of calls made with keys, through Google's own clients."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api.metric_pb2 import MetricDescriptor
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.monitoring_v3 import Aggregation, ListTimeSeriesRequest, MetricServiceAsyncClient, MetricServiceClient
from google.cloud.monitoring_v3.services.metric_service.transports import (
    MetricServiceGrpcAsyncIOTransport,
    MetricServiceGrpcTransport,
)
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from .conftest import Running, start
from .gemini_help import ask, keys_client, string_of

METRIC = "serviceruntime.googleapis.com/api/request_count"
CHOSEN = f'metric.type = "{METRIC}"'
GEMINI = "generativelanguage.googleapis.com"
MAPS = "maps-backend.googleapis.com"
NAME = "projects/keyed-project"
# As keyadmin and public programs ask.
BY_KEYS = f'{CHOSEN} AND resource.type = "consumed_api" AND resource.labels.credential_id = starts_with("apikey:")'
BY_KEY_AND_SERVICE = ["resource.labels.credential_id", "resource.labels.service"]


def ago(**parts: float) -> datetime:
    return datetime.now(UTC) - timedelta(**parts)


SEED: dict[str, Any] = {
    "gemini": {"rejectStandardKeys": False},
    "projects": [
        {
            "projectId": "keyed-project",
            "projectNumber": "300000000001",
            "services": [GEMINI],
            "iam": {"roles/owner": ["user:owner@example.com"]},
            "keys": [
                {"keyId": "busy", "lastUsed": ago(days=2).isoformat()},
                {"keyId": "quiet"},
                {"keyId": "old", "lastUsed": ago(days=41).isoformat()},
                {"keyId": "ancient", "lastUsed": ago(days=44).isoformat()},
            ],
        },
        {
            "projectId": "other-project",
            "iam": {"roles/owner": ["user:owner@example.com"]},
            "keys": [{"keyId": "other", "lastUsed": ago(days=1).isoformat()}],
        },
    ],
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path: Path = tmp_path_factory.mktemp("usage") / "seed.json"
    path.write_text(json.dumps(SEED))
    running = start(seed=str(path))
    yield running
    running.stop()


@pytest.fixture
def sandbox(shared: Running) -> Running:
    shared.control("reset", {})
    return shared


@pytest.fixture
def client(sandbox: Running) -> MetricServiceClient:
    return MetricServiceClient(transport=MetricServiceGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))


def interval(end: datetime | None = None, **back: float) -> dict[str, datetime]:
    end = end or datetime.now(UTC) + timedelta(seconds=5)
    return {"start_time": end - timedelta(**(back or {"days": 43})), "end_time": end}


def aggregation(**more: Any) -> dict[str, Any]:
    return {
        "alignment_period": {"seconds": 3600},
        "per_series_aligner": Aggregation.Aligner.ALIGN_SUM,
        "cross_series_reducer": Aggregation.Reducer.REDUCE_SUM,
        "group_by_fields": BY_KEY_AND_SERVICE,
    } | more


def uids(sandbox: Running, project: str = "keyed-project") -> dict[str, str]:
    parent = f"projects/{project}/locations/global"
    return {key.name.rpartition("/")[2]: key.uid for key in keys_client(sandbox).list_keys(parent=parent)}


def call(sandbox: Running, key_id: str, times: int = 1) -> None:
    headers, body = {"x-goog-api-key": string_of(sandbox, key_id)}, {"contents": [{"parts": [{"text": "hi"}]}]}
    for _ in range(times):
        assert ask(sandbox, "/v1beta/models/gemini-2.5-flash:generateContent", headers, body)[0] == 200


def test_use_by_key_and_service(client: MetricServiceClient, sandbox: Running) -> None:
    begun = early_in_the_hour(sandbox)
    call(sandbox, "quiet", 3)
    known = uids(sandbox)
    times = interval(begun + timedelta(minutes=1), days=43)
    request = {"name": NAME, "filter": BY_KEYS, "interval": times, "aggregation": aggregation()}
    found = {series.resource.labels["credential_id"]: series for series in client.list_time_series(request=request)}
    assert set(found) == {f"apikey:{known[name]}" for name in ("busy", "quiet", "old")}  # six weeks back, this project
    quiet = found[f"apikey:{known['quiet']}"]
    assert quiet.metric.type == METRIC
    assert quiet.resource.type == "consumed_api"
    assert quiet.resource.labels["service"] == GEMINI
    assert [point.value.int64_value for point in quiet.points] == [3]
    assert (quiet.metric_kind, quiet.value_type) == (MetricDescriptor.DELTA, MetricDescriptor.INT64)
    busy = found[f"apikey:{known['busy']}"].points[0].interval
    assert abs(busy.end_time.timestamp() - ago(days=2).timestamp()) < 3700
    assert busy.end_time - busy.start_time == timedelta(hours=1)


def test_raw_points_end_with_the_last_call(client: MetricServiceClient, sandbox: Running) -> None:
    request = {"name": NAME, "filter": CHOSEN, "interval": interval(days=3)}
    [series] = client.list_time_series(request=request)
    assert series.resource.labels["credential_id"] == f"apikey:{uids(sandbox)['busy']}"
    assert series.resource.labels["project_id"] == "keyed-project"
    assert dict(series.metric.labels)["response_code_class"] == "2xx"
    (busy,) = [key for key in SEED["projects"][0]["keys"] if key["keyId"] == "busy"]
    assert abs(series.points[0].interval.end_time.timestamp() - datetime.fromisoformat(busy["lastUsed"]).timestamp()) < 1


def test_only_what_lies_in_the_interval(client: MetricServiceClient, sandbox: Running) -> None:
    begun = early_in_the_hour(sandbox)
    call(sandbox, "quiet")
    before = {"name": NAME, "filter": CHOSEN, "interval": interval(begun - timedelta(seconds=1), hours=1)}
    assert list(client.list_time_series(request=before)) == []
    after = {"name": NAME, "filter": CHOSEN, "interval": interval(begun + timedelta(minutes=1), hours=1)}
    assert len(list(client.list_time_series(request=after))) == 1


def test_asking_for_the_models_counts_too(client: MetricServiceClient, sandbox: Running) -> None:
    """It is no use that `checkExistingUsage` looks at, but a call; its time is known to the hour only."""
    begun = early_in_the_hour(sandbox)
    assert ask(sandbox, "/v1beta/models", {"x-goog-api-key": string_of(sandbox, "quiet")})[0] == 200
    request = {"name": NAME, "filter": CHOSEN, "interval": interval(begun + timedelta(minutes=1), hours=2)}
    [series] = client.list_time_series(request=request)
    assert series.points[0].value.int64_value == 1


def test_refused_calls_are_not_counted(client: MetricServiceClient, sandbox: Running) -> None:
    assert ask(sandbox, "/v1beta/models", {"x-goog-api-key": "AQ.SANDBOX-none"})[0] == 400
    sandbox.control("seed", {"gemini": {"rejectStandardKeys": True}})
    assert ask(sandbox, "/v1beta/models", {"x-goog-api-key": string_of(sandbox, "quiet")})[0] == 401
    request = {"name": NAME, "filter": CHOSEN, "interval": interval(hours=1)}
    assert list(client.list_time_series(request=request)) == []


def test_deleted_keys_are_among_them(client: MetricServiceClient, sandbox: Running) -> None:
    gone = uids(sandbox)["busy"]
    keys_client(sandbox).delete_key(name=f"{NAME}/locations/global/keys/busy").result()
    request = {"name": NAME, "filter": CHOSEN, "interval": interval(days=3)}
    [series] = client.list_time_series(request=request)
    assert series.resource.labels["credential_id"] == f"apikey:{gone}"


def early_in_the_hour(sandbox: Running) -> datetime:
    """The sandbox's time, moved on where an hour is about to end: use is kept by the hour."""
    now = datetime.fromisoformat(sandbox.control("")["now"])
    if now.minute >= 58:
        sandbox.control("clock", {"advance": "3m"})
        now += timedelta(minutes=3)
    return now


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", {"busy", "old"}),
        ('resource.type = "consumed_api"', {"busy", "old"}),
        ('resource.type = "global"', set()),
        (f'resource.labels.service = "{GEMINI}"', {"busy", "old"}),
        (f'resource.label.service = "{GEMINI}"', {"busy", "old"}),
        ('resource.labels.service = one_of("a", "b")', set()),
        ('resource.labels.credential_id = "apikey:{busy}"', {"busy"}),
        ("resource.labels.credential_id = 'apikey:{busy}'", {"busy"}),
        ('resource.labels.credential_id != "apikey:{busy}"', {"old"}),
        ('resource.labels.credential_id = one_of("apikey:{busy}", "x")', {"busy"}),
        (
            '(resource.labels.credential_id = "apikey:{busy}" OR resource.labels.credential_id = "apikey:{old}")',
            {"busy", "old"},
        ),
        ('NOT resource.labels.credential_id = "apikey:{busy}"', {"old"}),
        ('resource.labels.credential_id = ends_with("{busy}")', {"busy"}),
        ('resource.labels.credential_id = has_substring("{old}")', {"old"}),
        ('resource.labels.credential_id = monitoring.regex.full_match("apikey:{old}.*")', {"old"}),
        ('metric.labels.response_code_class = "2xx"', {"busy", "old"}),
        ('metric.labels.response_code_class = "4xx"', set()),
        ('project = "keyed-project"', {"busy", "old"}),
    ],
)
def test_filters(client: MetricServiceClient, sandbox: Running, rest: str, expected: set[str]) -> None:
    known = uids(sandbox)
    text = CHOSEN + (" AND " + rest.format(**known) if rest else "")
    found = client.list_time_series(request={"name": NAME, "filter": text, "interval": interval()})
    assert {series.resource.labels["credential_id"] for series in found} == {f"apikey:{known[name]}" for name in expected}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", exceptions.InvalidArgument),
        ('resource.type = "consumed_api"', exceptions.InvalidArgument),
        (f'metric.type = "{METRIC}', exceptions.InvalidArgument),
        (f'{CHOSEN} AND nonsense = "x"', exceptions.InvalidArgument),
        (f'{CHOSEN} AND resource.labels.x > "y"', exceptions.InvalidArgument),
        (f'{CHOSEN} AND resource.labels.x = monitoring.regex.full_match("(a+)+")', exceptions.InvalidArgument),
        (f'{CHOSEN} AND resource.labels.x = nonsense("y")', exceptions.InvalidArgument),
        ('metric.type = "custom/nothing"', exceptions.NotFound),
    ],
)
def test_filters_that_are_refused(client: MetricServiceClient, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        client.list_time_series(request={"name": NAME, "filter": text, "interval": interval()})


def test_other_metrics_of_google_have_no_data(client: MetricServiceClient) -> None:
    text = 'metric.type = "serviceruntime.googleapis.com/quota/rate/net_usage"'
    assert list(client.list_time_series(request={"name": NAME, "filter": text, "interval": interval()})) == []


def test_alignment(client: MetricServiceClient, sandbox: Running) -> None:
    begun = early_in_the_hour(sandbox)
    call(sandbox, "quiet", 2)
    sandbox.control("clock", {"advance": "3h"})
    call(sandbox, "quiet", 5)
    end = begun + timedelta(hours=3, minutes=1)
    chosen = f'{CHOSEN} AND resource.labels.credential_id = "apikey:{uids(sandbox)["quiet"]}"'

    def values(aligner: str, seconds: int = 86400, **more: Any) -> list[float]:
        request = {
            "name": NAME,
            "filter": chosen,
            "interval": interval(end, days=2),
            "aggregation": {"alignment_period": {"seconds": seconds}, "per_series_aligner": aligner} | more,
        }
        [series] = client.list_time_series(request=request)
        kinds = {MetricDescriptor.INT64: "int64_value", MetricDescriptor.DOUBLE: "double_value"}
        assert all(point.interval.end_time <= end for point in series.points)
        return [getattr(point.value, kinds[series.value_type]) for point in series.points]

    assert values("ALIGN_SUM") == [7]
    assert values("ALIGN_DELTA", 3600) == [5, 2]  # the most recent first
    assert values("ALIGN_COUNT") == [2]
    assert values("ALIGN_MAX") == [5]
    assert values("ALIGN_MIN") == [2]
    assert values("ALIGN_MEAN") == [3.5]
    assert values("ALIGN_STDDEV") == [1.5]
    assert values("ALIGN_RATE", 3600) == [5 / 3600, 2 / 3600]


@pytest.mark.parametrize(
    ("reducer", "expected"), [("SUM", 4), ("MEAN", 2), ("MAX", 3), ("MIN", 1), ("COUNT", 2), ("STDDEV", 1)]
)
def test_reduction(client: MetricServiceClient, sandbox: Running, reducer: str, expected: float) -> None:
    begun = early_in_the_hour(sandbox)
    call(sandbox, "quiet", 3)
    call(sandbox, "old", 1)
    request = {
        "name": NAME,
        "filter": CHOSEN,
        "interval": interval(begun + timedelta(minutes=1), hours=1),
        "aggregation": aggregation(cross_series_reducer=f"REDUCE_{reducer}", group_by_fields=["resource.labels.service"]),
    }
    [series] = client.list_time_series(request=request)
    assert dict(series.resource.labels) == {"project_id": "keyed-project", "service": GEMINI}
    assert dict(series.metric.labels) == {}
    value = series.points[0].value
    assert (value.int64_value or value.double_value) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"aggregation": aggregation(per_series_aligner="ALIGN_NONE")},
        {"aggregation": aggregation(alignment_period={"seconds": 59})},
        {"aggregation": aggregation(alignment_period=None)},
        {"aggregation": aggregation(per_series_aligner="ALIGN_NEXT_OLDER")},
        {"aggregation": aggregation(cross_series_reducer="REDUCE_COUNT_TRUE")},
        {"aggregation": aggregation(group_by_fields=["nonsense"])},
        {"interval": {}},
        {"interval": {"start_time": datetime.now(UTC), "end_time": ago(days=1)}},
        {"order_by": "x"},
        {"name": "projects/keyed-project/x"},
        {"page_token": "bm9uc2Vuc2U"},
    ],
    ids=[
        *("no-aligner", "short-period", "no-period", "wrong-aligner", "wrong-reducer", "wrong-group", "no-interval"),
        *("backwards", "ordered", "no-name", "foreign-token"),
    ],
)
def test_what_is_refused(client: MetricServiceClient, wrong: dict[str, Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        client.list_time_series(request={"name": NAME, "filter": CHOSEN, "interval": interval()} | wrong)


def test_the_permission(client: MetricServiceClient, sandbox: Running) -> None:
    reader = [("authorization", "Bearer reader@example.net")]
    request = {"name": NAME, "filter": CHOSEN, "interval": interval()}
    for name in (NAME, "projects/no-such-project"):
        with pytest.raises(exceptions.PermissionDenied, match=r"Permission monitoring\.timeSeries\.list denied"):
            client.list_time_series(request=request | {"name": name}, metadata=reader)
    sandbox.control(
        "seed", {"projects": [{"projectId": "keyed-project", "iam": {"roles/monitoring.editor": ["user:reader@example.net"]}}]}
    )
    assert len(list(client.list_time_series(request=request, metadata=reader))) == 2
    assert list(client.list_time_series(request=request | {"name": "projects/300000000001"}, metadata=reader))


def test_headers_and_pages(client: MetricServiceClient, sandbox: Running) -> None:
    begun = early_in_the_hour(sandbox)
    call(sandbox, "quiet", 2)
    sandbox.control("clock", {"advance": "2h"})
    call(sandbox, "quiet", 1)
    end = begun + timedelta(hours=2, minutes=1)
    request = {"name": NAME, "filter": CHOSEN, "interval": interval(end, days=42)}
    whole = list(client.list_time_series(request=request))
    assert sorted(len(series.points) for series in whole) == [1, 1, 2]
    pages = list(client.list_time_series(request=request | {"page_size": 1}).pages)
    assert [sum(len(series.points) for series in page.time_series) for page in pages] == [1, 1, 1, 1]
    assert sum(point.value.int64_value for page in pages for series in page.time_series for point in series.points) == 5
    headers = list(client.list_time_series(request=request | {"view": ListTimeSeriesRequest.TimeSeriesView.HEADERS}))
    assert [len(series.points) for series in headers] == [0, 0, 0]


async def test_the_asyncio_client(sandbox: Running) -> None:
    async with grpc.aio.insecure_channel(sandbox.grpc) as channel:
        client = MetricServiceAsyncClient(transport=MetricServiceGrpcAsyncIOTransport(channel=channel))
        request = {"name": NAME, "filter": BY_KEYS, "interval": interval(), "aggregation": aggregation()}
        pager = await client.list_time_series(request=request)
        assert len([series async for series in pager]) == 2


def test_googleapiclient_with_its_bundled_discovery_document(sandbox: Running) -> None:
    """MetricService has no REST transport among Google's Python clients; this one speaks REST."""
    service = build(
        "monitoring",
        "v3",
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=sandbox.rest),
        static_discovery=True,
    )
    series = service.projects().timeSeries()
    times = interval()
    asked = {
        "name": NAME,
        "filter": BY_KEYS,
        "interval_startTime": times["start_time"].isoformat(),
        "interval_endTime": times["end_time"].isoformat(),
        "aggregation_alignmentPeriod": "3600s",
        "aggregation_perSeriesAligner": "ALIGN_SUM",
        "aggregation_crossSeriesReducer": "REDUCE_SUM",
        "aggregation_groupByFields": BY_KEY_AND_SERVICE,
    }
    answer = series.list(**asked).execute()
    assert len(answer["timeSeries"]) == 2
    assert set(answer["timeSeries"][0]) == {"metric", "resource", "metricKind", "valueType", "points"}
    assert answer["timeSeries"][0]["points"][0]["value"] == {"int64Value": "1"}
    with pytest.raises(HttpError) as caught:
        series.list(**asked | {"name": "projects/none"}).execute()
    assert caught.value.resp.status == 403


def test_a_moved_clock_forgets_after_six_weeks(client: MetricServiceClient, sandbox: Running) -> None:
    sandbox.control("clock", {"advance": "43d"})
    end = datetime.now(UTC) + timedelta(days=43)
    request = {"name": NAME, "filter": CHOSEN, "interval": interval(end, days=90)}
    assert list(client.list_time_series(request=request)) == []


def test_a_fleet_s_use(start_sandbox: Callable[..., Running]) -> None:
    sandbox = start_sandbox({"fleet": {"projects": 3, "keysPerProject": 10}})
    client = MetricServiceClient(transport=MetricServiceGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))
    request = {"name": "projects/fleet-00001", "filter": BY_KEYS, "interval": interval(), "aggregation": aggregation()}
    found = list(client.list_time_series(request=request))
    assert 0 < len({series.resource.labels["credential_id"] for series in found}) < 10  # some of the mix were never used
    assert {series.resource.labels["service"] for series in found} == {GEMINI, MAPS, "translate.googleapis.com"}
    assert {point.value.int64_value for series in found for point in series.points} == {10, 13, 17}  # with refused ones
