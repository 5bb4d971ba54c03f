"""The sandbox beside recorded traffic of the real service.

tests/data/recorded-apikeys.json holds the traffic; each entry names its public source.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import Running
from .wire import Reply, send

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "data" / "recorded-apikeys.json").read_text())
CASSETTE = [entry for entry in RECORDED if "apikeyskeybasic" in entry["source"]]
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_FORMS = [
    ("time", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{3}|\d{6})Z")),
    ("etag", re.compile(r'W/"[A-Za-z0-9+/]{22}=="')),
    ("uuid", re.compile(_UUID)),
    ("operation", re.compile(r"operations/akmf\.p(?:7|10|12)-\d+-" + _UUID)),
]


def _form(value: Any, name: str = "") -> Any:
    """What can be compared: members in their order, and for what differs from run to run its form."""
    if isinstance(value, dict):
        return [(key, _form(item, key)) for key, item in value.items()]
    if isinstance(value, list):
        return [_form(item) for item in value]
    if name == "keyString":
        return "key string"
    for form, pattern in _FORMS:
        if isinstance(value, str) and pattern.fullmatch(value):
            return form if form != "operation" else value.split("-")[0]
    return re.sub(r"projects/(\d+|cloud-custodian)/", "projects/NUMBER/", value) if isinstance(value, str) else value


def _seed(project: str) -> dict[str, Any]:
    owner = {"roles/owner": ["user:owner@example.com"]}
    return {"projects": [{"projectId": project, "projectNumber": "123456789", "iam": owner}]}


def test_a_whole_life_recorded_in_2024(sandbox: Running) -> None:
    """The same eight requests in the same order: status, members and their order, names, forms of values."""
    sandbox.control("seed", _seed("example-project"))
    operation = ""
    for entry in CASSETTE:
        url = urlsplit(entry["request"]["url"])
        path = f"/v2/{operation}" if "/operations/" in url.path else url.path
        reply = send(sandbox, entry["request"]["method"], f"{path}?{url.query}", entry["request"]["body"])
        wanted = entry["response"]
        assert reply.status == wanted["status"]
        if wanted["status"] != 200:  # the recording's authors replaced the body
            continue
        assert _form(reply.data) == _form(wanted["body"]), entry["request"]
        operation = reply.data["name"] if list(reply.data) == ["name"] else operation


def test_times_etags_and_deletion_keep_the_recorded_relations(sandbox: Running) -> None:
    sandbox.control("seed", _seed("example-project"))
    bodies = [entry["response"]["body"] for entry in CASSETTE]
    created, got, patched, after, deleted = (
        bodies[2]["response"],
        bodies[3],
        bodies[6]["response"],
        bodies[7],
        bodies[9]["response"],
    )
    for first, second in ((created, got), (patched, after)):
        assert first["etag"] == second["etag"]
        assert first["updateTime"] == second["updateTime"]
    assert (deleted["etag"] == patched["etag"], created["etag"] == patched["etag"]) == (True, False)

    keys = "/v2/projects/example-project/locations/global/keys"
    mine = _response(sandbox, send(sandbox, "POST", f"{keys}?keyId=k", {"displayName": "x"}))
    assert 0 < _micros(mine["updateTime"]) - _micros(mine["createTime"]) < 100_000
    assert len(base64.b64decode(mine["etag"][3:-1])) == len(base64.b64decode(created["etag"][3:-1])) == 16
    new = _response(sandbox, send(sandbox, "PATCH", f"{keys}/k?updateMask=displayName", {"displayName": "y"}))
    assert new["etag"] != mine["etag"]
    gone = _response(sandbox, send(sandbox, "DELETE", f"{keys}/k"))
    assert gone["etag"] == new["etag"]
    assert gone["createTime"] == mine["createTime"]
    assert 0 < _micros(gone["updateTime"]) - _micros(gone["deleteTime"]) < 100_000


def _response(sandbox: Running, reply: Reply) -> Any:
    return send(sandbox, "GET", f"/v2/{reply.data['name']}").data["response"]


def _micros(text: str) -> int:
    hours, minutes, seconds = text[11:-1].split(":")
    return int((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1_000_000)


@pytest.mark.parametrize(
    "entry", [entry for entry in RECORDED if "flights/" in entry["source"]], ids=lambda e: e["source"][:60]
)
def test_answers_recorded_for_cloud_custodian(sandbox: Running, entry: dict[str, Any]) -> None:
    """Put the recorded keys into a project and ask the same question."""
    body = entry["response"]["body"]
    keys = body.get("keys", [] if "/operations/" in body.get("name", "") else [body])
    seed = _seed("cloud-custodian")
    fields = ("displayName", "createTime", "annotations", "restrictions")
    seed["projects"][0]["keys"] = [
        {"keyId": key["name"].rpartition("/")[2]} | {name: key[name] for name in fields if name in key}
        for key in keys
        if "name" in key and "operations/" not in key["name"]
    ]
    sandbox.control("seed", seed)
    base = "/v2/projects/cloud-custodian/locations/global/keys"
    if body.get("name", "").startswith("operations/"):
        done = send(sandbox, "POST", f"{base}?keyId=test-key", {"displayName": "Test API Key"})
        assert done.status == 200
        path, method = f"{base}/test-key", entry["request"]["method"]
        reply = send(sandbox, method, path, {"annotations": {"custodian-remediated": "true"}} if method == "PATCH" else None)
    else:
        path = base if "keys" in body else f"{base}/{body['name'].rpartition('/')[2]}"
        reply = send(sandbox, "GET", f"{path}?alt=json")
    assert reply.status == 200
    mine, theirs = _form(reply.data), _form(body)
    assert mine == theirs
    for name, value in entry["response"]["headers"].items():
        assert reply.headers[name] == value
