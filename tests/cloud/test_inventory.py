"""Inventory, metrics and policies as Google answers them: real clients against scripted protobuf."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import monitoring_v3

from keyadmin.cloud.assets import KEY, Asset
from keyadmin.cloud.connect import Target, connect
from keyadmin.cloud.usage import KeyUsage
from keyadmin.model.problem import Cause, Problem

SEARCH = "GET /v1/organizations/1000:searchAllResources"
SERIES = "GET /v3/projects/p1/timeSeries"
BINDING = "iam.managed.disableServiceAccountApiKeyCreation"
EFFECTIVE = f"GET /v2/projects/p1/policies/{BINDING}:getEffectivePolicy"


async def test_a_search_asks_for_everything_and_follows_pages(double: Any, target: Target) -> None:
    resource = {"displayName": "Maps", "restrictions": {"apiTargets": [{"service": "maps.googleapis.com"}]}}
    full = {
        "name": "//apikeys.googleapis.com/projects/p/locations/global/keys/k1",
        "assetType": KEY,
        "project": "projects/123",
        "displayName": "Maps",
        "parentFullResourceName": "//cloudresourcemanager.googleapis.com/projects/p",
        "createTime": "2025-01-02T03:04:05.678901Z",
        "versionedResources": [{"version": "v2", "resource": resource}],
    }
    bare = {"name": "//apikeys.googleapis.com/projects/q/locations/global/keys/k2", "assetType": KEY}
    double.script[SEARCH] += [(200, {"results": [full], "nextPageToken": "more"}), (200, {"results": [bare]})]
    async with connect(target) as cloud:
        found = [asset async for asset in cloud.assets.search("organizations/1000", KEY)]
    assert found[0] == Asset(
        name="//apikeys.googleapis.com/projects/p/locations/global/keys/k1",
        asset_type=KEY,
        project_number="123",
        display_name="Maps",
        parent="//cloudresourcemanager.googleapis.com/projects/p",
        create_time=datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        resource=resource,
    )
    assert (found[1].resource, found[1].create_time) == ({}, None)
    asked = [seen.query for seen in double.calls(SEARCH)]
    assert [(each["assetTypes"], each["pageSize"], each.get("pageToken", "")) for each in asked] == [
        (KEY, "500", ""),
        (KEY, "500", "more"),
    ]
    assert asked[0]["readMask"] == "*"
    assert "query" not in asked[0]


async def test_a_search_with_a_query_and_a_mask(double: Any, target: Target) -> None:
    double.script[SEARCH.replace("organizations/1000", "projects/p-1")].append((200, {}))
    async with connect(target) as cloud:
        assert [each async for each in cloud.assets.search("projects/p-1", KEY, "state:ENABLED", "name,state")] == []
    (seen,) = double.calls(SEARCH.replace("organizations/1000", "projects/p-1"))
    assert (seen.query["query"], seen.query["readMask"]) == ("state:ENABLED", "name,state")


def series(uid: str, service: str, points: dict[datetime, monitoring_v3.TypedValue]) -> monitoring_v3.TimeSeries:
    return monitoring_v3.TimeSeries(
        resource={"type": "consumed_api", "labels": {"credential_id": f"apikey:{uid}", "service": service}},
        points=[
            monitoring_v3.Point(interval=monitoring_v3.TimeInterval(end_time=end), value=value) for end, value in points.items()
        ],
    )


async def test_one_listing_answers_for_all_keys_of_a_project(double: Any, target: Target) -> None:
    later, earlier = datetime(2026, 3, 2, 10, tzinfo=UTC), datetime(2026, 3, 1, 9, tzinfo=UTC)
    used = {
        later: monitoring_v3.TypedValue(int64_value=0),
        earlier: monitoring_v3.TypedValue(int64_value=3),
        earlier - timedelta(days=1): monitoring_v3.TypedValue(double_value=4.0),
    }
    idle = {later: monitoring_v3.TypedValue(int64_value=0)}
    answer = monitoring_v3.ListTimeSeriesResponse(
        time_series=[series("u1", "generativelanguage.googleapis.com", used), series("u2", "maps.googleapis.com", idle)]
    )
    double.script[SERIES].append((200, json.loads(type(answer).to_json(answer))))
    async with connect(target) as cloud:
        now = cloud.now()
        assert await cloud.usage.of_project("p1") == [KeyUsage("u1", "generativelanguage.googleapis.com", 7, earlier)]
    (seen,) = double.calls(SERIES)
    asked = seen.query
    assert 'resource.type = "consumed_api"' in asked["filter"]
    assert "resource.labels.credential_id" in asked["filter"]
    assert asked["aggregation.groupByFields"].split(",") == [
        "resource.labels.credential_id",
        "resource.labels.service",
        "metric.labels.response_code",
    ]
    start, end = (datetime.fromisoformat(asked[f"interval.{name}Time"]) for name in ("start", "end"))
    assert (end.minute, end.second, end.microsecond) == (0, 0, 0), "hours end where the interval ends"
    assert now < end <= now + timedelta(hours=1)
    assert "ListModels" in asked["filter"], "checks of keys are nobody's work"
    assert end - start == timedelta(weeks=6)


async def test_no_access_to_metrics_is_not_disuse(double: Any, target: Target) -> None:
    words = "Permission monitoring.timeSeries.list denied (or the resource may not exist)."
    double.script[SERIES].append((403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": words}}))
    async with connect(target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.usage.of_project("p1")
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
    assert caught.value.permission == "monitoring.timeSeries.list"


@pytest.mark.parametrize(
    ("rules", "enforced"),
    [
        ([], False),
        ([{"enforce": True}], True),
        ([{"enforce": False}], False),
        ([{"enforce": True}, {"enforce": False, "condition": {"expression": "resource.matchTag('a', 'b')"}}], None),
    ],
)
async def test_effective_policies(rules: list[dict[str, Any]], enforced: bool | None, double: Any, target: Target) -> None:
    double.script[EFFECTIVE].append((200, {"name": f"projects/p1/policies/{BINDING}", "spec": {"rules": rules}}))
    async with connect(target) as cloud:
        assert await cloud.org_policy.enforced("projects/p1") is enforced
    assert len(double.calls(EFFECTIVE)) == 1
