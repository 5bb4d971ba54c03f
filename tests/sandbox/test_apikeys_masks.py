"""UpdateKey's masks: both spellings, sub-paths as gcloud sends them, none at all; clearing is naming and leaving out."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import InvalidArgument
from google.cloud import api_keys_v2
from google.protobuf import field_mask_pb2

from . import clients
from .conftest import Running
from .wire import KEYS, create, done, send

GEMINI = {"service": "generativelanguage.googleapis.com"}
SERVER = {"allowedIps": ["203.0.113.7"]}
BROWSER = {"allowedReferrers": ["*.example.com"]}
FULL = {
    "displayName": "first",
    "annotations": {"team": "a"},
    "restrictions": {"serverKeyRestrictions": SERVER, "apiTargets": [GEMINI]},
}
BOTH = {"serverKeyRestrictions": SERVER, "apiTargets": [GEMINI]}
CASES: list[tuple[str | None, dict[str, Any], dict[str, Any]]] = [
    # mask, body, what differs from FULL afterwards (None = absent)
    ("displayName", {"displayName": "new", "annotations": {"x": "y"}}, {"displayName": "new"}),
    ("display_name", {"displayName": "new"}, {"displayName": "new"}),
    ("display_name", {"display_name": "new"}, {"displayName": "new"}),
    ("display_name", {}, {"displayName": None}),
    ("annotations", {}, {"annotations": None}),
    ("annotations", {"annotations": {"b": "c"}}, {"annotations": {"b": "c"}}),
    ("restrictions", {}, {"restrictions": None}),
    ("restrictions", {"restrictions": {}}, {"restrictions": None}),
    ("restrictions", {"restrictions": {"apiTargets": [GEMINI]}}, {"restrictions": {"apiTargets": [GEMINI]}}),
    (
        "restrictions.browser_key_restrictions",
        {"restrictions": {"browserKeyRestrictions": BROWSER}},
        {"restrictions": {"browserKeyRestrictions": BROWSER, "apiTargets": [GEMINI]}},
    ),
    ("restrictions.serverKeyRestrictions", {}, {"restrictions": {"apiTargets": [GEMINI]}}),
    ("restrictions.server_key_restrictions", {"restrictions": {}}, {"restrictions": {"apiTargets": [GEMINI]}}),
    ("restrictions.ios_key_restrictions", {}, {}),
    ("restrictions.api_targets", {}, {"restrictions": {"serverKeyRestrictions": SERVER}}),
    ("restrictions.api_targets,restrictions.server_key_restrictions", {}, {"restrictions": None}),
    (
        "restrictions.apiTargets,display_name",
        {"displayName": "n", "restrictions": {"apiTargets": [{"service": "a.googleapis.com", "methods": ["GET"]}]}},
        {
            "displayName": "n",
            "restrictions": {
                "serverKeyRestrictions": SERVER,
                "apiTargets": [{"service": "a.googleapis.com", "methods": ["GET"]}],
            },
        },
    ),
    ("*", {"displayName": "all"}, {"displayName": "all", "annotations": None, "restrictions": None}),
    (None, {"displayName": "new"}, {"displayName": "new"}),
    ("", {"annotations": {"b": "c"}}, {"annotations": {"b": "c"}}),
    (None, {}, {}),
]


def _expected(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (FULL | changes).items() if value is not None}


def _mutable(key: dict[str, Any]) -> dict[str, Any]:
    return {name: key[name] for name in ("displayName", "annotations", "restrictions") if name in key}


@pytest.mark.parametrize(("mask", "body", "changes"), CASES)
def test_over_rest(shared_sandbox: Running, mask: str | None, body: dict[str, Any], changes: dict[str, Any]) -> None:
    key = create(shared_sandbox, None, FULL)
    query = "" if mask is None else f"?updateMask={mask}"
    name = key["name"].replace("100000000001", "demo-project")
    changed = done(shared_sandbox, send(shared_sandbox, "PATCH", f"/v2/{name}{query}", body))
    assert _mutable(changed) == _expected(changes)
    assert send(shared_sandbox, "GET", f"/v2/{name}").data == {k: v for k, v in changed.items() if k != "@type"}
    assert [*changed][:2] == ["@type", "name"]
    assert changed["etag"] != key["etag"]


@pytest.mark.parametrize(("mask", "body", "changes"), CASES)
def test_over_grpc(shared_sandbox: Running, mask: str | None, body: dict[str, Any], changes: dict[str, Any]) -> None:
    key = create(shared_sandbox, None, FULL)
    client = clients.grpc_client(api_keys_v2.ApiKeysClient, shared_sandbox)
    request = {"key": api_keys_v2.Key(api_keys_v2.Key.from_json(_json(body)), name=key["name"])}
    if mask is not None:
        request["update_mask"] = field_mask_pb2.FieldMask(paths=[path for path in mask.split(",") if path])
    client.update_key(request=request).result(timeout=60)
    assert _mutable(send(shared_sandbox, "GET", f"/v2/{key['name']}").data) == _expected(changes)
    client.transport.close()


def _json(body: dict[str, Any]) -> str:
    import json

    return json.dumps(body)


@pytest.mark.parametrize(
    "mask",
    [
        "name",
        "etag",
        "key_string",
        "nonsense",
        "display_name.x",
        "restrictions.nonsense",
        "restrictions.",
        "restrictions.api_targets.service",
        "..",
        "%2A%2A",
    ],
)
def test_what_cannot_be_updated_is_refused(shared_sandbox: Running, mask: str) -> None:
    key = create(shared_sandbox, None, FULL)
    reply = send(shared_sandbox, "PATCH", f"/v2/{key['name']}?updateMask={mask}", {"displayName": "x"})
    assert (reply.status, reply.data["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert reply.data["error"]["details"][0]["fieldViolations"][0]["field"] == "update_mask"
    client = clients.grpc_client(api_keys_v2.ApiKeysClient, shared_sandbox)
    if "%" not in mask:
        with pytest.raises(InvalidArgument):
            client.update_key(key=api_keys_v2.Key(name=key["name"]), update_mask=field_mask_pb2.FieldMask(paths=[mask]))
    client.transport.close()


def test_setting_one_client_kind_takes_the_other_away(sandbox: Running) -> None:
    """They are a oneof in the protobuf."""
    create(sandbox, "k", {"restrictions": {"serverKeyRestrictions": SERVER}})
    mask = "restrictions.browserKeyRestrictions"
    changed = done(
        sandbox, send(sandbox, "PATCH", f"{KEYS}/k?updateMask={mask}", {"restrictions": {"browserKeyRestrictions": BROWSER}})
    )
    assert changed["restrictions"] == {"browserKeyRestrictions": BROWSER}
    two = {"restrictions": {"browserKeyRestrictions": BROWSER, "serverKeyRestrictions": SERVER}}
    assert send(sandbox, "PATCH", f"{KEYS}/k", two).status == 400
    assert send(sandbox, "POST", KEYS, two).status == 400


def test_an_auth_key_stays_bound_whatever_the_mask_says(sandbox: Running) -> None:
    parent = "/v2/projects/crowded-project/locations/global/keys/worker-001"
    account = "workers@crowded-project.iam.gserviceaccount.com"
    for query in ("", "?updateMask=*"):
        changed = done(
            sandbox, send(sandbox, "PATCH", parent + query, {"displayName": "x", "serviceAccountEmail": "other@x.y"})
        )
        assert changed["serviceAccountEmail"] == account
