"""What the sandbox refuses whoever asks: pages of other sites, other people's operations, verbs that nobody has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Running
from .wire import KEYS, send

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://127.0.0.1:80@evil.example"},
    {"Origin": "http://evil.example:8080"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
]
CALLS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", KEYS, {}),
    ("GET", KEYS, None),
    ("GET", "/v3/projects/demo-project", None),
    ("POST", "/v1/projects/demo-project:setIamPolicy", {"policy": {}}),
    ("POST", "/v1/projects/demo-project/services/apikeys.googleapis.com:enable", {}),
    ("POST", "/v1/projects/demo-project/serviceAccounts", {"accountId": "robot-one"}),
    ("GET", "/v2/projects/demo-project/policies", None),
    ("GET", "/v1beta/models", None),
    ("GET", "/v1/roles", None),
    ("POST", "/_sandbox/reset", {}),
    ("GET", "/_sandbox/requests", None),
    ("GET", "/", None),
    ("OPTIONS", KEYS, None),
    ("GET", "/no/such/path", None),
]


@pytest.mark.parametrize("headers", FOREIGN, ids=lambda headers: " ".join(f"{n}={v}" for n, v in headers.items()))
def test_pages_of_other_sites_are_refused_on_every_path(sandbox: Running, headers: dict[str, str]) -> None:
    for method, path, body in CALLS:
        reply = send(sandbox, method, path, body, headers)
        assert reply.status == 403, (method, path, reply.body)
        assert "access-control-allow-origin" not in reply.headers
    assert sandbox.control("requests") == []


def test_pages_of_this_machine_and_of_the_sandbox_itself_are_not_foreign(sandbox: Running) -> None:
    for origin in ("http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080", sandbox.rest):
        for site in ("same-origin", "same-site", "none"):
            reply = send(sandbox, "POST", KEYS, {}, {"Origin": origin, "Sec-Fetch-Site": site})
            assert reply.status == 200, (origin, reply.body)


def _created(sandbox: Running, caller: str) -> Any:
    return send(sandbox, "POST", KEYS, {}, {"Authorization": f"Bearer {caller}"}).data["name"]


def test_an_operation_is_read_by_those_who_might_have_made_it(sandbox: Running) -> None:
    """It carries the key string: whoever may not make keys must not get one by guessing a name."""
    roles = {
        "roles/owner": ["user:owner@example.com"],
        "roles/serviceusage.apiKeysAdmin": ["user:maker@example.com"],
        "roles/viewer": ["user:viewer@example.com"],
    }
    sandbox.control("seed", {"projects": [{"projectId": "demo-project", "iam": roles}]})
    name = _created(sandbox, "owner@example.com")
    for caller, status in (
        ("maker@example.com", 200),
        ("owner@example.com", 200),
        ("viewer@example.com", 403),
        ("stranger@example.com", 403),
    ):
        reply = send(sandbox, "GET", f"/v2/{name}", headers={"Authorization": f"Bearer {caller}"})
        assert reply.status == status, (caller, reply.body)
        assert ("SANDBOX" in reply.body.decode()) == (status == 200)
    sandbox.control("seed", {"projects": [{"projectId": "demo-project", "iam": {"roles/serviceusage.apiKeysAdmin": []}}]})
    assert send(sandbox, "GET", f"/v2/{name}", headers={"Authorization": "Bearer maker@example.com"}).status == 403


def test_the_operation_of_a_project_of_ones_own_is_ones_own(sandbox: Running) -> None:
    me, other = ({"Authorization": f"Bearer {name}@example.net"} for name in ("me", "other"))
    started = send(sandbox, "POST", "/v3/projects", {"projectId": "mine-alone-1"}, me)
    assert started.status == 200, started.body
    assert send(sandbox, "GET", f"/v3/{started.data['name']}", headers=other).status == 403
    assert send(sandbox, "GET", f"/v3/{started.data['name']}", headers=me).data["done"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/projects/demo-project:batchGetAssetsHistory"),
        ("GET", "/v1/projects/demo-project:frob"),
        ("GET", "/v1/projects/demo-project%3Afrob"),
        ("DELETE", "/v1/projects/demo-project:frob"),
        ("GET", "/v3/projects/demo-project:frob"),
        ("GET", f"{KEYS}/some-key:frob"),
        ("DELETE", f"{KEYS}/some-key:frob"),
        ("GET", "/v1/projects/demo-project/serviceAccounts/a@demo-project.iam.gserviceaccount.com:frob"),
        ("GET", "/v1/projects/demo-project/secrets/s:frob"),
        ("GET", "/v2/projects/demo-project/policies/iam.disableServiceAccountCreation:frob"),
        ("GET", "/v1/organizations/1000:frob"),
        ("GET", "/v1/projects/demo-project/services/apikeys.googleapis.com:frob"),
        ("POST", "/v1beta/models/gemini-flash-latest:frob"),
    ],
)
def test_verbs_that_nobody_has_go_to_no_other_method(sandbox: Running, method: str, path: str) -> None:
    reply = send(sandbox, method, path, None if method == "GET" else {})
    assert (reply.status, reply.data["error"]["status"]) == (501, "UNIMPLEMENTED")
    assert sandbox.control("requests") == []


def test_the_colon_of_a_domain_scoped_project_is_no_verb(start_sandbox: Callable[..., Running]) -> None:
    project = {"projectId": "example.com:old-one", "iam": {"roles/owner": ["user:owner@example.com"]}}
    sandbox = start_sandbox({"projects": [project]})
    for path in ("/v1/projects/example.com:old-one", "/v1/projects/example.com%3Aold-one"):
        assert send(sandbox, "GET", path).data["projectId"] == "example.com:old-one"
        assert send(sandbox, "POST", f"{path}:getIamPolicy", {}).status == 200
        assert send(sandbox, "GET", f"{path}:frob").status == 501


OLD = [
    ("GET", "/v1/projects/demo-project/serviceAccounts/x@demo-project.iam.gserviceaccount.com", None, "notFound"),
    ("GET", "/v1/projects/no-such-project", None, "forbidden"),
    ("POST", "/v1/projects/demo-project/serviceAccounts", {"accountId": "x"}, "badRequest"),
    ("GET", "/v1/roles/no.such", None, "notFound"),
    ("POST", "/v1/projects", {"projectId": "demo-project"}, "alreadyExists"),
]


@pytest.mark.parametrize(("method", "path", "body", "reason"), OLD)
def test_the_list_of_errors_is_there_for_those_who_say_alt_json(
    sandbox: Running, method: str, path: str, body: Any, reason: str
) -> None:
    error = send(sandbox, method, f"{path}?alt=json", body).data["error"]
    assert error["errors"] == [{"message": error["message"], "domain": "global", "reason": reason}]
    for query in ("?$alt=json;enum-encoding=int", "?%24alt=json%3Benum-encoding%3Dint", ""):
        assert "errors" not in send(sandbox, method, f"{path}{query}", body).data["error"]


def test_the_list_of_errors_of_quotas_and_switched_off_apis(sandbox: Running) -> None:
    sandbox.control("quota", {"method": "GetServiceAccount", "per_minute": 0})
    account = "/v1/projects/demo-project/serviceAccounts/x@demo-project.iam.gserviceaccount.com?alt=json"
    assert send(sandbox, "GET", account).data["error"]["errors"][0]["reason"] == "rateLimitExceeded"
    charged = send(sandbox, "GET", "/v1/roles?alt=json", headers={"X-Goog-User-Project": "demo-project"}).data["error"]
    assert (charged["errors"][0]["domain"], charged["errors"][0]["reason"]) == ("usageLimits", "accessNotConfigured")


@pytest.mark.parametrize("path", ["/v1/projects/demo-project/secrets/none", f"{KEYS}/none", "/v3/projects/no-such-project"])
def test_other_apis_have_no_list_of_errors(sandbox: Running, path: str) -> None:
    assert "errors" not in send(sandbox, "GET", f"{path}?alt=json").data["error"]
