"""Only an answer in Google's form counts: pages, redirects and refusals on the way judge neither keys nor permissions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local_google.client import GEMINI, TARGET, LocalGoogle, service_account, user_with_quota, workload_file, workload_url
from tests.local_google.conftest import Result

Cli = Callable[..., Result]

ON_THE_WAY = [
    ({"kind": "html", "status": 403}, "HTTP 403 with a page titled 'Blocked by the gateway'"),
    ({"kind": "html", "status": 404}, "HTTP 404 with a page"),
    ({"kind": "html", "status": 200, "title": "Welcome &amp; log in"}, "HTTP 200 with a page titled 'Welcome & log in'"),
    ({"kind": "redirect"}, "HTTP 302, which leads to portal.localhost"),
    ({"kind": "json", "status": 403, "body": {"message": "blocked"}}, "HTTP 403 with application/json that is not Google's"),
    ({"kind": "json", "status": 401, "body": {"error": "blocked"}}, "HTTP 401"),
    ({"kind": "json", "status": 200, "body": {"ok": True}}, "JSON without a list of models"),
    ({"kind": "text", "status": 200, "body": "OK"}, "HTTP 200 with text/plain"),
    ({"kind": "refuse"}, "the proxy answered CONNECT with HTTP 403"),
]


@pytest.mark.parametrize(("fault", "said"), ON_THE_WAY)
def test_a_key_is_judged_by_the_gemini_api_alone(
    fault: dict[str, Any], said: str, cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    google.faults({**fault, "host": GEMINI})
    done = cli("keys", "verify", "old-key", "-p", TARGET, "--format", "json", env_=user_with_quota(google, tmp_path))
    assert done.code == 1, done.err
    assert done.json["verification"] == "unknown"
    assert done.json["cause"] == done.error["cause"] == "network-unreachable"
    assert GEMINI in done.error["message"]
    assert said in done.error["message"]
    assert "secret=1" not in done.err  # of a redirect only the host is shown
    assert any("doctor --connection" in step for step in done.error["fix"])
    assert done.seconds < 20


def test_an_answer_of_the_gemini_api_is_a_verdict(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    refusal = {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "Your API key was reported as leaked."}}
    google.faults({"kind": "json", "status": 403, "body": refusal, "host": GEMINI})
    done = cli("keys", "verify", "old-key", "-p", TARGET, "--format", "json", env_=user_with_quota(google, tmp_path))
    assert (done.code, done.json["verification"]) == (3, "failed")


def test_a_new_key_that_could_not_be_verified_is_told_as_made_and_unknown(
    cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    google.faults({"kind": "html", "host": GEMINI})
    arguments = ("keys", "create", "--name", "New", "-p", TARGET, "--format", "json")
    done = cli(*arguments, env_=user_with_quota(google, tmp_path))
    assert (done.code, done.json["verification"]) == (1, "unknown")
    assert done.error["cause"] == "network-unreachable"
    assert "does not take it" not in done.error["message"]
    key_id = done.json["name"].rpartition("/")[2]
    assert any(f"keys verify {key_id}" in step for step in done.error["fix"])


@pytest.mark.parametrize(("fault", "said"), ON_THE_WAY[:6] + ON_THE_WAY[7:])
def test_an_api_that_something_else_answers_for_is_not_reached(
    fault: dict[str, Any], said: str, cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    google.faults({**fault, "host": "apikeys.googleapis.com"})
    done = cli("keys", "list", "-p", TARGET, "--format", "json", env_=user_with_quota(google, tmp_path))
    assert (done.code, done.error["cause"]) == (1, "network-unreachable")
    assert said in done.error["message"]


@pytest.mark.parametrize("fault", [{"kind": "html"}, {"kind": "html", "status": 404}, {"kind": "redirect"}])
def test_the_same_over_grpc(fault: dict[str, Any], cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    google.faults({**fault, "host": "apikeys.googleapis.com", "path": "*GetKeyString"})
    done = cli("keys", "show", "old-key", "-p", TARGET, "--format", "json", env_=user_with_quota(google, tmp_path))
    assert (done.code, done.error["cause"]) == (1, "network-unreachable")
    assert f"HTTP {fault.get('status', 302 if fault['kind'] == 'redirect' else 403)} in place of gRPC" in done.error["message"]


def test_a_gateway_that_fails_in_passing_is_tried_again(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    google.faults({"kind": "html", "status": 502, "times": 2, "host": "apikeys.googleapis.com"})
    assert cli("keys", "list", "-p", TARGET, env_=user_with_quota(google, tmp_path)).code == 0


IDENTITY = [(user_with_quota, "oauth2"), (service_account, "oauth2"), (workload_file, "sts")]


@pytest.mark.parametrize(("credentials", "service"), IDENTITY)
@pytest.mark.parametrize(("fault", "said"), [ON_THE_WAY[0], ON_THE_WAY[2], ON_THE_WAY[3], ON_THE_WAY[7], ON_THE_WAY[8]])
def test_what_stands_in_for_an_identity_service_is_explained(
    credentials: Any, service: str, fault: dict[str, Any], said: str, cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    google.faults({**fault, "host": f"{service}.googleapis.com"})
    done = cli("keys", "list", "-p", TARGET, "--format", "json", env_=credentials(google, tmp_path))
    assert (done.code, done.error["cause"]) == (1, "network-unreachable"), done.err
    assert f"{service}.googleapis.com" in done.error["message"]  # and not the API, which was never asked
    assert said in done.error["message"]
    assert "apikeys" not in done.error["message"]
    assert "rror: something unexpected" not in done.err
    assert not [entry for entry in google.log() if entry["host"].startswith("apikeys")]


@pytest.mark.parametrize(("credentials", "service"), [*IDENTITY, (workload_url, "sts")])
@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "html", "status": 502}, {"kind": "reset"}])
def test_identity_calls_are_retried_as_others_are(
    credentials: Any, service: str, fault: dict[str, Any], cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    google.faults({**fault, "times": 2, "host": f"{service}.googleapis.com"})
    done = cli("keys", "list", "-p", TARGET, env_=credentials(google, tmp_path))
    assert done.code == 0, done.err


def test_a_project_that_federation_names_is_looked_up_only_where_none_is_given(
    cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    variables = workload_file(google, tmp_path)
    google.faults({"kind": "html", "host": "cloudresourcemanager.googleapis.com"})
    assert cli("keys", "list", "-p", TARGET, env_=variables).code == 0
    assert not [entry for entry in google.log() if entry["host"].startswith("cloudresourcemanager")]
    google.faults()
    assert cli("keys", "list", env_=variables).code == 0  # the pool's own project


@pytest.mark.parametrize("status", [401, 403])
def test_nothing_depends_on_the_callers_name(status: int, cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    body = {"error": "invalid_request", "error_description": "Invalid Credentials"}
    google.faults({"kind": "json", "status": status, "body": body, "host": "openidconnect.googleapis.com"})
    variables = user_with_quota(google, tmp_path)
    for arguments in (("projects", "list", "--all"), ("projects", "import", TARGET), ("doctor", TARGET)):
        done = cli(*arguments, env_=variables)
        assert done.code in (0, 3), done.err
    assert sum(entry["host"] == "oauth2.googleapis.com" and entry["protocol"] != "connect" for entry in google.log()) == 3


def test_a_denied_creation_is_told_without_a_name_too(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    google.sandbox("POST", f"/v1/projects/{TARGET}:setIamPolicy", {"policy": {"bindings": [
        {"role": "roles/owner", "members": ["user:owner@example.com"]},
        {"role": "roles/viewer", "members": ["user:person@example.com"]}]}})  # fmt: skip
    google.faults({"kind": "html", "status": 403, "host": "openidconnect.googleapis.com"})
    arguments = ("keys", "create", "--name", "X", "-p", TARGET, "--format", "json")
    done = cli(*arguments, env_=user_with_quota(google, tmp_path))
    assert (done.code, done.error["cause"]) == (1, "missing-iam-permission"), done.err


def test_a_rotation_stays_verifying_and_goes_on_later(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    variables = user_with_quota(google, tmp_path)
    google.faults({"kind": "html", "host": GEMINI})
    rotate = ("keys", "rotate", "old-key", "-p", TARGET, "--yes", "--grace", "0s", "--format", "json")
    stopped = cli(*rotate, env_=variables)
    assert (stopped.code, stopped.error["cause"], stopped.json["state"]) == (1, "network-unreachable", "verifying"), stopped.err
    assert not [entry for entry in google.log() if entry["line"].startswith("DELETE")]
    google.faults()
    finished = cli(*rotate, env_=variables)
    assert (finished.code, finished.json["state"]) == (0, "retired"), finished.err
