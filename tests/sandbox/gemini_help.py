"""What the Gemini tests share: a seed with keys of every kind, and plain HTTP beside google-genai."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import grpc
from google import genai
from google.cloud.api_keys_v2 import ApiKeysClient
from google.cloud.api_keys_v2.services.api_keys.transports import ApiKeysGrpcTransport
from google.genai import types

from .conftest import Running

GEMINI = "generativelanguage.googleapis.com"
ACCOUNT = "caller@keyed-project.iam.gserviceaccount.com"
NUMBER = "300000000001"


def key(name: str, restrictions: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A seeded auth key, restricted to Gemini unless told otherwise."""
    given = {"apiTargets": [{"service": GEMINI}]} if restrictions is None else restrictions
    return {"keyId": name, "displayName": name, "restrictions": given, "serviceAccountEmail": ACCOUNT} | more


def standard(name: str, restrictions: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A seeded standard key."""
    entry = key(name, restrictions, **more)
    del entry["serviceAccountEmail"]
    return entry


KEYS = [
    key("good"),
    key("unrestricted", {}),
    key("expired", condition="expired"),
    key("leaked", condition="leaked"),
    key("maps", {"apiTargets": [{"service": "maps-backend.googleapis.com"}]}),
    key("all-apis", {"apiTargets": [{"service": "cloudapis.googleapis.com"}]}),
    key("counting", {"apiTargets": [{"service": GEMINI, "methods": ["Count*", "Get*"]}]}),
    key("one-method", {"apiTargets": [{"service": GEMINI, "methods": ["google.ai.generativelanguage.v1beta.ModelService.*"]}]}),
    key(
        "browser",
        {
            "browserKeyRestrictions": {
                "allowedReferrers": ["*.example.com/*", "https://exact.example.org/page", "plain.example.net"]
            }
        },
    ),
    key("here", {"serverKeyRestrictions": {"allowedIps": ["127.0.0.0/8", "::1"]}}),
    key("elsewhere", {"serverKeyRestrictions": {"allowedIps": ["203.0.113.7", "2001:db8::/32", "10.1.2.3/8"]}}),
    key(
        "android",
        {
            "androidKeyRestrictions": {
                "allowedApplications": [{"packageName": "com.example.app", "sha1Fingerprint": ":".join(["ab"] * 20)}]
            }
        },
    ),
    key("ios", {"iosKeyRestrictions": {"allowedBundleIds": ["com.example.ios"]}}),
    standard("old"),
]

_clients: list[genai.Client] = []  # a client that nobody holds closes its connections, also under its own `models`

SEED: dict[str, Any] = {
    "projects": [
        {
            "projectId": "keyed-project",
            "projectNumber": NUMBER,
            "services": [GEMINI, "apikeys.googleapis.com"],
            "iam": {"roles/owner": ["user:owner@example.com"]},
            "keys": KEYS,
        },
        {
            "projectId": "switched-off",
            "projectNumber": "300000000002",
            "services": ["apikeys.googleapis.com"],
            "iam": {"roles/owner": ["user:owner@example.com"]},
            "keys": [key("off", serviceAccountEmail="caller@switched-off.iam.gserviceaccount.com")],
        },
        {
            "projectId": "suspended-one",
            "projectNumber": "300000000003",
            "state": "SUSPENDED",
            "services": [GEMINI],
            "iam": {"roles/owner": ["user:owner@example.com"]},
            "keys": [key("held", serviceAccountEmail="caller@suspended-one.iam.gserviceaccount.com")],
        },
        {
            "projectId": "deleted-one",
            "projectNumber": "300000000004",
            "state": "DELETE_REQUESTED",
            "services": [GEMINI],
            "iam": {"roles/owner": ["user:owner@example.com"]},
            "keys": [key("gone", serviceAccountEmail="caller@deleted-one.iam.gserviceaccount.com")],
        },
    ]
}


def keys_client(sandbox: Running) -> ApiKeysClient:
    """Google's client of the API Keys API, as owner@example.com."""
    return ApiKeysClient(transport=ApiKeysGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))


def string_of(sandbox: Running, key_id: str, project: str = "keyed-project") -> str:
    """The string of a seeded key."""
    name = f"projects/{project}/locations/global/keys/{key_id}"
    return str(keys_client(sandbox).get_key_string(name=name).key_string)


def client(sandbox: Running, api_key: str, version: str | None = None) -> genai.Client:
    """google-genai against the sandbox."""
    options = types.HttpOptions(base_url=sandbox.rest)
    if version:
        options.api_version = version
    _clients.append(genai.Client(api_key=api_key, http_options=options))
    return _clients[-1]


def ask(
    sandbox: Running, path: str, headers: dict[str, str] | None = None, body: Any = None
) -> tuple[int, Any, dict[str, str]]:
    """Plain HTTP: status, JSON body (or text), headers. POST with a body, else GET."""
    request = urllib.request.Request(
        f"{sandbox.rest}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"} | (headers or {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, raw, sent = answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        status, raw, sent = error.code, error.read().decode(), dict(error.headers)
    return status, json.loads(raw) if "json" in sent.get("Content-Type", "") else raw, sent


def models(sandbox: Running, api_key: str, **headers: str) -> tuple[int, Any]:
    """The cheap check of a key: GET /v1beta/models?pageSize=1."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    status, body, _ = ask(sandbox, "/v1beta/models?pageSize=1", {"x-goog-api-key": api_key} | named)
    return status, body
