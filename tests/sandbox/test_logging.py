"""The audit log: who made, changed and deleted keys, as people and gcloud look for it.

Shapes: https://cloud.google.com/api-keys/docs/audit-logging and an entry in Panther's public rules.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from googleapiclient.discovery import build

from .conftest import Running
from .wire import send

PARENT = "/v2/projects/demo-project/locations/global/keys"
NUMBER = "100000000001"
SERVICE = "google.api.apikeys.v2.ApiKeys"


def done(sandbox: Running, operation: Any) -> Any:
    assert operation.status == 200, operation.data
    return send(sandbox, "GET", f"/v2/{operation.data['name']}").data["response"]


@pytest.fixture
def key(sandbox: Running) -> str:
    """A key that was made, renamed, deleted and brought back; its name."""
    sandbox.control("seed", {"projects": [{"projectId": "demo-project", "iam": {"roles/editor": ["user:ann@example.com"]}}]})
    ann = {"Authorization": "Bearer ann@example.com", "X-Forwarded-For": "198.51.100.7"}
    name = str(done(sandbox, send(sandbox, "POST", f"{PARENT}?keyId=one", {"displayName": "first"}, ann))["name"])
    done(sandbox, send(sandbox, "PATCH", f"/v2/{name}?updateMask=displayName", {"displayName": "second"}))
    done(sandbox, send(sandbox, "DELETE", f"/v2/{name}"))
    done(sandbox, send(sandbox, "POST", f"/v2/{name}:undelete", {}))
    return name


def entries(sandbox: Running, filter: str = "", caller: str = "owner@example.com", **more: Any) -> list[Any]:
    body = {"resourceNames": ["projects/demo-project"], "filter": filter} | more
    reply = send(sandbox, "POST", "/v2/entries:list", body, {"Authorization": f"Bearer {caller}"})
    assert reply.status == 200, reply.data
    return list(reply.data.get("entries", []))


def test_each_change_is_two_entries_the_last_with_the_key_s_name(sandbox: Running, key: str) -> None:
    found = entries(sandbox)
    methods = [entry["protoPayload"]["methodName"].rpartition(".")[2] for entry in found]
    assert sorted(methods) == sorted(["CreateKey", "UpdateKey", "DeleteKey", "UndeleteKey"] * 2)
    first, last = (entry for entry in found if entry["protoPayload"]["methodName"] == f"{SERVICE}.CreateKey")
    assert (first["operation"]["first"], last["operation"]["last"]) == (True, True)
    assert first["operation"]["id"] == last["operation"]["id"]
    assert first["logName"] == "projects/demo-project/logs/cloudaudit.googleapis.com%2Factivity"
    assert first["resource"] == {
        "type": "audited_resource",
        "labels": {"method": f"{SERVICE}.CreateKey", "project_id": "demo-project", "service": "apikeys.googleapis.com"},
    }
    assert first["protoPayload"]["authenticationInfo"]["principalEmail"] == "ann@example.com"
    assert first["protoPayload"]["requestMetadata"]["callerIp"] == "198.51.100.7"
    assert first["protoPayload"]["authorizationInfo"][0]["permission"] == "serviceusage.apiKeys.create"
    assert first["protoPayload"]["resourceName"] == last["protoPayload"]["resourceName"] == f"projects/{NUMBER}"
    assert "response" not in first["protoPayload"]
    response = last["protoPayload"]["response"]
    assert (response["name"], response["createTime"]) == (key, "1970-01-01T00:00:00Z")
    assert "SANDBOX" not in json.dumps(found)  # no key string


def test_the_creator_is_found_by_the_documented_filter(sandbox: Running, key: str) -> None:
    wanted = f'protoPayload.methodName="{SERVICE}.CreateKey" AND protoPayload.response.name="{key}"'
    (entry,) = entries(sandbox, wanted)
    assert entry["protoPayload"]["authenticationInfo"]["principalEmail"] == "ann@example.com"
    assert entries(sandbox, wanted.replace("one", "two")) == []


@pytest.mark.parametrize(
    ("filter", "count"),
    [
        ('logName="projects/demo-project/logs/cloudaudit.googleapis.com%2Factivity"', 8),
        ('log_id("cloudaudit.googleapis.com/activity")', 8),
        ('log_id("cloudaudit.googleapis.com/policy")', 0),
        ('resource.type="audited_resource" operation.first=true', 4),
        ('protoPayload.methodName=~"(Create|Delete)Key$" AND NOT operation.last=true', 2),
        (
            'protoPayload.methodName:"CreateKey" OR protoPayload.methodName:"DeleteKey"',
            6,
        ),  # UndeleteKey too: case does not count
        ("-operation.first=true", 4),
        ("severity>=ERROR", 0),
        ('timestamp>="2020-01-01T00:00:00Z" severity=NOTICE', 8),
        ('timestamp<"2020-01-01"', 0),
        ("protoPayload.response:*", 4),
        ("ann@example.com", 2),
        ("-- a comment\noperation.first=true", 4),
    ],
)
def test_the_query_language(sandbox: Running, key: str, filter: str, count: int) -> None:
    assert len(entries(sandbox, filter)) == count


def test_order_pages_and_refusals(sandbox: Running, key: str) -> None:
    up, down = (entries(sandbox, orderBy=f"timestamp {way}") for way in ("asc", "desc"))
    assert up == down[::-1]
    body = {"resourceNames": [f"projects/{NUMBER}"], "pageSize": 3}
    first = send(sandbox, "POST", "/v2/entries:list", body).data
    rest = send(sandbox, "POST", "/v2/entries:list", body | {"pageToken": first["nextPageToken"]}).data
    assert first["entries"] + rest["entries"] == up[:6]
    mistakes: list[dict[str, Any]] = [
        *({"resourceNames": []}, {"filter": "(("}, {"filter": 'timestamp>"soon"'}, {"orderBy": "severity"}),
    ]
    for wrong in mistakes:
        assert send(sandbox, "POST", "/v2/entries:list", body | wrong).status == 400, wrong
    denied = send(sandbox, "POST", "/v2/entries:list", body, {"Authorization": "Bearer nobody@example.com"})
    assert (denied.status, denied.data["error"]["message"]) == (403, "Permission denied for all log views")
    assert send(sandbox, "POST", "/v2/entries:write", {}).status == 501


def test_what_is_refused_is_not_logged_and_old_entries_go(sandbox: Running, key: str) -> None:
    assert send(sandbox, "POST", f"{PARENT}?keyId=one", {}).status == 409
    assert len(entries(sandbox)) == 8
    sandbox.control("clock", {"advance": "401d"})
    assert entries(sandbox) == []


def test_google_s_python_client(sandbox: Running, key: str) -> None:
    logging = build("logging", "v2", client_options={"api_endpoint": sandbox.rest}, developerKey="x")
    body = {"resourceNames": ["projects/demo-project"], "filter": "operation.last=true", "orderBy": "timestamp desc"}
    found = logging.entries().list(body=body).execute()["entries"]
    assert [entry["protoPayload"]["methodName"].rpartition(".")[2] for entry in found][::3] == ["UndeleteKey", "CreateKey"]


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_gcloud_logging_read(sandbox: Running, key: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "CLOUDSDK_CONFIG": str(tmp_path),
        "CLOUDSDK_AUTH_ACCESS_TOKEN": "owner@example.com",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"{sandbox.rest}/",
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "0",
        "CLOUDSDK_METRICS_ENVIRONMENT": "local-emulator",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
        "GCE_METADATA_ROOT": "127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }
    words = ["logging", "read", f'protoPayload.response.name="{key}"', "--project=demo-project", "--format=json", "--limit=3"]
    ran = subprocess.run(["gcloud", *words], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert [entry["protoPayload"]["methodName"].rpartition(".")[2] for entry in found] == [
        "UndeleteKey",
        "DeleteKey",
        "UpdateKey",
    ]
