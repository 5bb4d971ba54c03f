"""An API has to be on in the project that a call is charged to: what is off there is found before anything is changed."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local_google import client
from tests.local_google.client import ALL_APIS, BARE, HOME, OWNERS, PAYING, TARGET, LocalGoogle, service_account, user
from tests.local_google.conftest import Result, run_here

Cli = Callable[..., Result]
IAM, RM, USAGE, KEYS = (f"{name}.googleapis.com" for name in ("iam", "cloudresourcemanager", "serviceusage", "apikeys"))
CREATE = ("keys", "create", "--name", "New", "--format", "json")


def payer(google: LocalGoogle, *off: str, name: str = "payer-project") -> str:
    """A project to charge, in which these APIs are off."""
    on = [api for api in ALL_APIS if api not in off]
    google.reset(projects=[*client.seed()["projects"], client.project(name, 601, on, iam=OWNERS)])
    return name


def enabled(google: LocalGoogle, project: str) -> set[str]:
    """What is on in a project."""
    found = google.sandbox("GET", f"/v1/projects/{project}/services?filter=state:ENABLED&pageSize=200")
    return {service["name"].rpartition("/")[2] for service in found.get("services", [])}


def changes(google: LocalGoogle) -> list[str]:
    """The calls that change something."""
    words = ("Enable", "CreateServiceAccount", "POST /v2/")
    return [line for line in google.calls() if any(word in line for word in words)]


@pytest.mark.parametrize("off", [(IAM,), (KEYS,), (KEYS, IAM), (RM,), (RM, KEYS, IAM)])
def test_one_message_names_all_with_one_command_and_nothing_is_changed(
    off: tuple[str, ...], cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    quota = payer(google, *off)
    variables = user(google, tmp_path, quota_project_id=quota)
    done = cli(*CREATE, "-p", TARGET, env_=variables)
    assert done.code == 1, done.err
    assert (done.error["cause"], done.error["project"]) == ("api-not-enabled", quota)
    assert all(api in done.error["message"] for api in off)
    assert changes(google) == []
    assert any("--enable-in-quota-project" in step for step in done.error["fix"])
    assert not set(off) & enabled(google, quota)
    doctor = cli("doctor", TARGET, "--format", "json", env_=variables)
    (found,) = doctor.json
    assert (doctor.code, found["ready"]) == (3, False)
    (check,) = [each for each in found["checks"] if each["id"] == "quota-project"]
    assert check["status"] == "failed"
    assert all(api in check["detail"] for api in off)


@pytest.mark.parametrize("off", [(IAM,), (KEYS, IAM), (RM, KEYS, IAM)])
def test_the_command_of_the_message_mends_it(off: tuple[str, ...], cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    quota = payer(google, *off)
    variables = user(google, tmp_path, quota_project_id=quota)
    refused = cli(*CREATE, "-p", TARGET, env_=variables)
    words = shlex.split(refused.error["fix"][0].partition("    #")[0])
    assert words[0] == "keyadmin"
    if RM in off:  # the project cannot be looked at through Resource Manager before that
        words += ["--quota-project", PAYING]
    assert cli(*words[1:], env_=variables).code == 0
    assert cli(*CREATE, "-p", TARGET, env_=variables).code == 0


@pytest.mark.parametrize("off", [(IAM,), (KEYS, IAM), (RM, KEYS, IAM)])
def test_they_are_switched_on_where_that_was_allowed(
    off: tuple[str, ...], cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    quota = payer(google, *off)
    variables = user(google, tmp_path, quota_project_id=quota)
    dry = cli(*CREATE, "-p", TARGET, "--enable-in-quota-project", "--dry-run", env_=variables)
    assert dry.code == 0, dry.err
    assert changes(google) == []
    assert any(f"in project {quota}" in step for step in dry.json["steps"])
    done = cli(*CREATE, "-p", TARGET, "--enable-in-quota-project", env_=variables)
    assert (done.code, done.json["verification"]) == (0, "ok"), done.err
    assert set(off) <= enabled(google, quota)


def test_a_closed_service_usage_api_is_left_to_gcloud(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    quota = payer(google, USAGE, IAM)
    variables = user(google, tmp_path, quota_project_id=quota)
    done = cli(*CREATE, "-p", TARGET, "--enable-in-quota-project", env_=variables)
    assert (done.code, done.error["cause"]) == (1, "api-not-enabled"), done.err
    command = done.error["fix"][0]
    assert command.startswith("gcloud services enable ")
    assert command.endswith(f" --project={quota}")
    assert {USAGE, IAM, RM, KEYS} <= set(command.split())


def test_with_everything_off_in_both_projects_it_works_where_that_was_allowed(
    cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    """A service account's calls without quota project are charged at home: so even Service Usage can be switched on."""
    quota = payer(google, *ALL_APIS)
    variables = service_account(google, tmp_path, quota_project_id=quota)
    refused = cli(*CREATE, "-p", BARE, env_=variables)
    assert (refused.code, refused.error["project"]) == (1, quota), refused.err
    assert refused.error["fix"][0].startswith("gcloud services enable ")
    assert changes(google) == []
    done = cli(*CREATE, "-p", BARE, "--enable-in-quota-project", env_=variables)
    assert (done.code, done.json["verification"]) == (0, "ok"), done.err
    assert {USAGE, RM, KEYS, IAM} <= enabled(google, quota)
    named = [entry for entry in google.log() if "x-goog-user-project" in entry["headers"] and entry["protocol"] == "h2"]
    assert {entry["headers"]["x-goog-user-project"] for entry in named} == {quota}


def test_a_fresh_project_that_is_its_own_quota_project_is_opened(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    quota = payer(google, *(api for api in ALL_APIS if api != USAGE))
    variables = user(google, tmp_path, quota_project_id=quota)
    (found,) = cli("doctor", quota, "--format", "json", env_=variables).json
    about = next(each for each in found["checks"] if each["id"] == f"api:{RM}")
    assert "not needed" not in about["detail"]
    done = cli(*CREATE, "-p", quota, env_=variables)
    assert done.code == 0, done.err
    assert done.json["verification"] == "ok"
    assert {RM, KEYS, IAM} <= enabled(google, quota)


def test_a_service_account_without_quota_project_is_charged_at_home(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    on = [api for api in ALL_APIS if api != IAM]
    projects = [each for each in client.seed()["projects"] if each["projectId"] != HOME]
    google.reset(projects=[*projects, client.project(HOME, 501, on, serviceAccounts=["robot", "actor"])])
    done = cli(*CREATE, "-p", TARGET, env_=service_account(google, tmp_path))
    assert (done.code, done.error["cause"], done.error["project"]) == (1, "api-not-enabled", HOME), done.err
    assert changes(google) == []


def test_no_more_calls_than_before_but_one_for_each_missing_api(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    """Against the target alone being bare, with everything on in the project charged."""
    variables = user(google, tmp_path, quota_project_id=PAYING)
    assert cli(*CREATE, "-p", BARE, env_=variables).code == 0
    today = sum(google.calls().values())
    quota = payer(google, RM, KEYS, IAM)
    variables = user(google, tmp_path, quota_project_id=quota)
    assert cli(*CREATE, "-p", BARE, "--enable-in-quota-project", env_=variables).code == 0
    assert sum(google.calls().values()) <= today + 3 + 3  # one to enable and one to see the operation end, for two bundles


def test_a_persons_access_token_without_quota_project_is_not_ready(cli: Cli, google: LocalGoogle) -> None:
    for principal, kind, own, ready in ((client.PERSON, "user", None, False), (client.ROBOT, "service-account", HOME, True)):
        token = google.token(principal, kind, own)
        (found,) = cli("doctor", TARGET, "--format", "json", env_={"GOOGLE_OAUTH_ACCESS_TOKEN": token}).json
        assert found["ready"] is ready, found
        (check,) = [each for each in found["checks"] if each["id"] == "quota-project"]
        assert check["status"] == ("ok" if ready else "missing")


def test_on_a_terminal_it_asks_and_goes_on(
    env: dict[str, str], google: LocalGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = payer(google, IAM)
    variables = env | user(google, tmp_path, quota_project_id=quota)
    arguments = ("keys", "create", "--name", "New", "-p", TARGET)
    refused = run_here(arguments, variables, monkeypatch, "n\n", terminal=True)
    assert refused.code == 1
    assert IAM not in enabled(google, quota)
    assert changes(google) == []
    done = run_here(arguments, variables, monkeypatch, "y\n", terminal=True)
    assert done.code == 0, done.err
    assert f"calls are charged to project {quota}" in done.err
    assert IAM in enabled(google, quota)


def test_the_organisation_policy_api_is_in_nobodys_way(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    quota = payer(google, "orgpolicy.googleapis.com")
    (found,) = cli("doctor", TARGET, "--format", "json", env_=user(google, tmp_path, quota_project_id=quota)).json
    assert found["ready"], found


def test_an_impersonated_account_brings_no_quota_project_of_the_persons(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    variables: dict[str, Any] = user(google, tmp_path, quota_project_id=PAYING)
    arguments = ("keys", "list", "-p", TARGET, "--impersonate-service-account", client.TARGET_ROBOT)
    assert cli(*arguments, env_=variables).code == 0
    (call,) = [entry for entry in google.log() if entry["host"] == KEYS and entry["protocol"] == "http/1.1"]
    assert (call["principal"], call["headers"].get("x-goog-user-project")) == (client.TARGET_ROBOT, None)
