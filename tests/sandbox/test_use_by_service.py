"""Keys are used for any API: with curl's kind of request, by a seed, and as Monitoring then tells it by service and status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.monitoring_v3 import Aggregation, MetricServiceClient
from google.cloud.monitoring_v3.query import Query
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport
from googleapiclient.discovery import build

from .conftest import Running, start
from .gemini_help import ask, string_of
from .wire import send

GEMINI, MAPS, PLACES = "generativelanguage.googleapis.com", "maps-backend.googleapis.com", "places.googleapis.com"
ON = [GEMINI, MAPS, PLACES, "geocoding-backend.googleapis.com", "translate.googleapis.com", "youtube.googleapis.com"]
PROJECT, SITE = "used-project", "a.example/*"


def ago(**span: int) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


SEED: dict[str, Any] = {
    "projects": [
        {
            "projectId": PROJECT,
            "projectNumber": "300000000009",
            "services": [*ON, "monitoring.googleapis.com", "vision.googleapis.com"],
            "iam": {"roles/owner": ["user:owner@example.com"]},
            "keys": [
                {"keyId": "open", "displayName": "open"},
                {"keyId": "places", "displayName": "places", "restrictions": {"apiTargets": [{"service": PLACES}]}},
                {
                    "keyId": "site",
                    "displayName": "s",
                    "restrictions": {"browserKeyRestrictions": {"allowedReferrers": ["a.example/*"]}},
                },
                {
                    "keyId": "seeded",
                    "displayName": "seeded",
                    "use": [
                        {"service": MAPS, "at": ago(days=2), "calls": 40, "errors": {"403": 7, "500": 1}},
                        {"service": GEMINI, "at": ago(days=3), "method": "a.v1.B.C"},
                    ],
                },
            ],
        }
    ]
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path: Path = tmp_path_factory.mktemp("use") / "seed.json"
    path.write_text(json.dumps(SEED))
    running = start(seed=str(path))
    yield running
    running.stop()


@pytest.fixture
def sandbox(shared: Running) -> Running:
    shared.control("reset", {})
    return shared


def key(sandbox: Running, name: str) -> str:
    return string_of(sandbox, name, PROJECT)


def uid(sandbox: Running, name: str) -> str:
    return str(send(sandbox, "GET", f"/v2/projects/{PROJECT}/locations/global/keys/{name}").data["uid"])


def use(sandbox: Running, key_id: str) -> dict[tuple[str, str, str], int]:
    """Calls of a key by service, method and status, of the last 42 days."""
    client = MetricServiceClient(transport=MetricServiceGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))
    now = datetime.now(UTC) + timedelta(minutes=1)
    found = client.list_time_series(
        request={
            "name": f"projects/{PROJECT}",
            "filter": 'metric.type="serviceruntime.googleapis.com/api/request_count" '
            f'resource.labels.credential_id="apikey:{uid(sandbox, key_id)}"',
            "interval": {"start_time": now - timedelta(days=42), "end_time": now},
        }
    )
    return {
        (one.resource.labels["service"], one.resource.labels["method"], one.metric.labels["response_code"]): sum(
            point.value.int64_value for point in one.points
        )
        for one in found
    }


@pytest.mark.parametrize(
    ("path", "body", "service", "method"),
    [
        ("/maps/api/js?v=weekly&key={}", None, MAPS, "google.maps.JavaScript.Get"),
        ("/maps/api/geocode/json?address=Bonn&key={}", None, "geocoding-backend.googleapis.com", "google.maps.Geocoding.Get"),
        ("/v1/places:searchText?key={}", {"textQuery": "x"}, PLACES, "google.maps.places.v1.Places.SearchText"),
        (
            "/language/translate/v2?key={}&q=hello&target=de",
            None,
            "translate.googleapis.com",
            "google.cloud.translate.v2.TranslateService.TranslateText",
        ),
        (
            "/youtube/v3/videos?part=snippet&id=x&key={}",
            None,
            "youtube.googleapis.com",
            "youtube.api.v3.V3DataVideoService.List",
        ),
        ("/_hosts/vision.googleapis.com/v1/anything:else?key={}", {"a": [1]}, "vision.googleapis.com", None),
        ("/_hosts/places.googleapis.com/v1/places/abc?key={}", None, PLACES, "google.maps.places.v1.Places.GetPlace"),
        ("/_hosts/maps.googleapis.com/maps/api/staticmap?key={}&size=1x1", None, None, None),
    ],
)
def test_calls_with_a_key_are_answered_and_counted(
    sandbox: Running, path: str, body: Any, service: str | None, method: str | None
) -> None:
    status, answer, _ = ask(sandbox, path.format(key(sandbox, "open")), body=body)
    if service is None:  # that API is off in the project: it refuses as the older Maps services do
        assert (status, answer["status"]) == (200, "REQUEST_DENIED")
        assert use(sandbox, "open") == {}
        return
    assert status == 200, answer
    ((found, named, code),) = use(sandbox, "open")
    assert (found, code) == (service, "200")
    assert method in (None, named)


def test_google_s_python_client_of_youtube(sandbox: Running) -> None:
    options = {"api_endpoint": sandbox.rest}
    youtube = build("youtube", "v3", developerKey=key(sandbox, "open"), client_options=options, static_discovery=True)
    assert youtube.videos().list(part="snippet", id="x").execute()["kind"] == "youtube#videoListResponse"
    assert list(use(sandbox, "open").values()) == [1]


def test_keys_are_refused_as_each_kind_of_api_does(sandbox: Running) -> None:
    header = {"X-Goog-Api-Key": key(sandbox, "places")}
    status, answer, _ = ask(sandbox, "/language/translate/v2?q=a&target=de", header)
    assert (status, answer["error"]["details"][0]["reason"]) == (403, "API_KEY_SERVICE_BLOCKED")
    assert answer["error"]["details"][0]["metadata"]["service"] == "translate.googleapis.com"
    assert "TranslateText are blocked" in answer["error"]["message"]
    status, answer, _ = ask(sandbox, f"/maps/api/js?key={key(sandbox, 'places')}")
    assert (status, answer["status"]) == (200, "REQUEST_DENIED")
    assert answer["error_message"] == "This API key is not authorized to use this service or API."
    status, answer, _ = ask(sandbox, "/maps/api/geocode/json?key=nonsense")
    assert answer["error_message"] == "The provided API key is invalid. "
    assert ask(sandbox, f"/v1/places/a?key={key(sandbox, 'site')}")[0] == 403
    assert ask(sandbox, f"/v1/places/a?key={key(sandbox, 'site')}", {"Referer": "https://a.example/x"})[0] == 200
    status, answer, _ = ask(sandbox, "/v1/places/a")
    assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
    status, answer, _ = ask(sandbox, f"/v1/images:annotate?key={key(sandbox, 'open')}", body={"requests": []})
    assert status == 200
    status, answer, _ = ask(sandbox, f"/v1/voices?key={key(sandbox, 'open')}")
    assert (status, answer["error"]["details"][1]["reason"]) == (403, "SERVICE_DISABLED")
    assert answer["error"]["details"][1]["metadata"]["consumer"] == "projects/300000000009"
    status, answer, _ = ask(sandbox, f"/_hosts/no-such.googleapis.com/v1/x?key={key(sandbox, 'open')}")
    assert status == 404


def test_what_the_gemini_api_itself_refuses_is_counted_by_its_status(sandbox: Running) -> None:
    sandbox.control("seed", {"gemini": {"rejectStandardKeys": False}})
    header = {"X-Goog-Api-Key": key(sandbox, "open")}
    assert ask(sandbox, "/v1beta/models/gemini-0:generateContent", header, {"contents": [{}]})[0] == 404
    assert ask(sandbox, "/v1beta/models", header)[0] == 200
    assert {(method.rpartition(".")[2], code) for _, method, code in use(sandbox, "open")} == {
        ("GenerateContent", "404"),
        ("ListModels", "200"),
    }


def test_use_that_a_seed_brings(sandbox: Running) -> None:
    assert use(sandbox, "seeded") == {
        (MAPS, "maps-backend.googleapis.com.Call", "200"): 40,
        (MAPS, "maps-backend.googleapis.com.Call", "403"): 7,
        (MAPS, "maps-backend.googleapis.com.Call", "500"): 1,
        (GEMINI, "a.v1.B.C", "200"): 1,
    }


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"at": "2026-01-01T00:00:00Z"}, "use[0].service: is missing"),
        ({"service": MAPS}, "use[0].at: is missing"),
        ({"service": MAPS, "at": "yesterday"}, "use[0].at"),
        ({"service": MAPS, "at": "2026-01-01T00:00:00Z", "errors": {"200": 1}}, "use[0].errors"),
        ({"service": MAPS, "at": "2026-01-01T00:00:00Z", "errors": {"403": -1}}, "use[0].errors.403"),
        ({"service": MAPS, "at": "2026-01-01T00:00:00Z", "call": 1}, "use[0].call: unknown field"),
    ],
)
def test_use_that_a_seed_cannot_bring(sandbox: Running, wrong: dict[str, Any], words: str) -> None:
    project = SEED["projects"][0] | {"keys": [{"keyId": "open", "displayName": "o", "use": [wrong]}]}
    reply = send(sandbox, "POST", "/_sandbox/seed", {"projects": [project]})
    assert reply.status == 400
    assert words in reply.data["error"]["message"]


def test_monitoring_lags_where_it_is_told_to(sandbox: Running) -> None:
    assert ask(sandbox, f"/maps/api/js?key={key(sandbox, 'open')}")[0] == 200
    sandbox.control("propagation", {"monitoring": "30m"})
    assert use(sandbox, "open") == {}
    assert use(sandbox, "seeded")
    sandbox.control("clock", {"advance": "31m"})
    assert list(use(sandbox, "open").values()) == [1]


def test_errors_by_status_grouped_as_people_ask(sandbox: Running) -> None:
    """The query of a dashboard: sum by service and class of status, hour by hour."""
    monitoring = build("monitoring", "v3", client_options={"api_endpoint": sandbox.rest}, credentials=None, developerKey="x")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    answer = (
        monitoring.projects()
        .timeSeries()
        .list(
            name=f"projects/{PROJECT}",
            filter='metric.type="serviceruntime.googleapis.com/api/request_count" AND metric.labels.response_code_class="4xx"',
            interval_startTime=(now - timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            interval_endTime=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            aggregation_alignmentPeriod="3600s",
            aggregation_perSeriesAligner="ALIGN_DELTA",
            aggregation_crossSeriesReducer="REDUCE_SUM",
            aggregation_groupByFields=["resource.labels.service", "metric.labels.response_code"],
        )
        .execute()
    )
    (series,) = answer["timeSeries"]
    assert series["metric"]["labels"] == {"response_code": "403"}
    assert series["resource"]["labels"]["service"] == MAPS
    (point,) = series["points"]
    assert point["value"] == {"int64Value": "7"}
    assert point["interval"]["endTime"].endswith(":00:00Z") or point["interval"]["endTime"].endswith(":00:00.000000Z")


def test_the_python_client_s_own_query_builder(sandbox: Running) -> None:
    client = MetricServiceClient(transport=MetricServiceGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))
    metric = "serviceruntime.googleapis.com/api/request_count"
    asked = Query(client, PROJECT, metric, end_time=datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=1), days=14)
    asked = asked.select_resources(service=MAPS).align(Aggregation.Aligner.ALIGN_DELTA, hours=1)
    found = asked.reduce(Aggregation.Reducer.REDUCE_SUM, "resource.service", "metric.response_code_class").iter()
    counts = {
        (one.resource.labels["service"], one.metric.labels["response_code_class"]): sum(
            point.value.int64_value for point in one.points
        )
        for one in found
    }
    assert counts == {(MAPS, "2xx"): 40, (MAPS, "4xx"): 7, (MAPS, "5xx"): 1}


def test_the_default_seed_s_maps_key_is_used_for_maps(start_sandbox: Callable[..., Running]) -> None:
    sandbox = start_sandbox()
    (found,) = send(sandbox, "GET", "/v2/projects/old-maps-site/locations/global/keys").data["keys"]
    now = datetime.now(UTC)
    query = (
        "filter=metric.type%3D%22serviceruntime.googleapis.com%2Fapi%2Frequest_count%22"
        f"&interval.startTime={(now - timedelta(days=9)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
        f"&interval.endTime={now.strftime('%Y-%m-%dT%H:%M:%SZ')}"
    )
    series = send(sandbox, "GET", f"/v3/projects/old-maps-site/timeSeries?{query}").data["timeSeries"]
    labels = {(one["resource"]["labels"]["service"], one["metric"]["labels"]["response_code"]) for one in series}
    assert labels == {(MAPS, "200"), (MAPS, "403")}
    assert {one["resource"]["labels"]["credential_id"] for one in series} == {f"apikey:{found['uid']}"}
