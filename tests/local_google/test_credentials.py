"""Credentials: their order, what is refused before anything is sent, and advice that fits each kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cloud.network import CA_VARIABLES
from tests.local_google import client
from tests.local_google.client import PAYING, PERSON, TARGET, LocalGoogle, service_account, user, user_with_quota
from tests.local_google.conftest import Result

Cli = Callable[..., Result]
LIST = ("keys", "list", "-p", TARGET, "--format", "json")
LOGIN = "gcloud auth application-default login"


def spoken_to(google: LocalGoogle) -> list[str]:
    """The hosts that were asked for anything but metadata."""
    return [entry["host"] for entry in google.log() if entry["protocol"] != "connect"]


# --- access tokens -------------------------------------------------------------------------------------------------------


def test_an_access_token_wins_over_files_and_terraforms_over_gclouds(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    first, second = google.token(client.FEDERATED), google.token(PERSON)
    variables = user_with_quota(google, tmp_path) | {"KEYADMIN_QUOTA_PROJECT": PAYING}
    cli(*LIST, env_=variables | {"CLOUDSDK_AUTH_ACCESS_TOKEN": second, "GOOGLE_OAUTH_ACCESS_TOKEN": first})
    cli(*LIST, env_=variables | {"CLOUDSDK_AUTH_ACCESS_TOKEN": second})
    cli(*LIST, env_=variables)
    asked = [(entry["host"].partition(".")[0], entry["principal"]) for entry in google.log() if entry["protocol"] != "connect"]
    expected = [("apikeys", client.FEDERATED), ("apikeys", PERSON), ("oauth2", None), ("apikeys", PERSON)]
    assert asked == expected


@pytest.mark.parametrize("variable", ["GOOGLE_OAUTH_ACCESS_TOKEN", "CLOUDSDK_AUTH_ACCESS_TOKEN"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("owner@example.com", True),
        ("AIza" + "b" * 35, False),
        ("AQ." + "b" * 40, False),
        ("ya29.a b", False),
        ("ya29.\u00e9", False),
    ],
)
def test_what_is_no_access_token_is_never_sent(
    variable: str, value: str, shown: bool, cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    done = cli(*LIST, env_=user_with_quota(google, tmp_path) | {variable: value})
    assert (done.code, done.error["cause"]) == (4, "credentials-missing")
    assert variable in done.error["message"]
    assert (value in done.err) is shown
    assert any(step.startswith(f"unset {variable}") for step in done.error["fix"])
    assert google.log() == []


def test_a_refused_access_token_is_not_renewed_and_says_which(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    done = cli(*LIST, env_=user_with_quota(google, tmp_path) | {"GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.of-yesterday"})
    assert (done.code, done.error["cause"]) == (4, "credentials-expired")
    assert "GOOGLE_OAUTH_ACCESS_TOKEN" in done.error["message"]
    assert any("gcloud auth print-access-token" in step for step in done.error["fix"])
    assert spoken_to(google) == ["apikeys.googleapis.com"]


def test_an_access_token_in_force_is_said_unless_quiet(cli: Cli, google: LocalGoogle) -> None:
    variables = {"GOOGLE_OAUTH_ACCESS_TOKEN": google.token(PERSON), "KEYADMIN_QUOTA_PROJECT": PAYING}
    assert "GOOGLE_OAUTH_ACCESS_TOKEN" in cli(*LIST, env_=variables).err
    assert cli(*LIST, "--quiet", env_=variables).err == ""


def test_in_the_sandbox_access_tokens_are_ignored(cli: Cli, google: LocalGoogle) -> None:
    done = cli("projects", "list", "--all", "--sandbox", "--format", "json", env_={"GOOGLE_OAUTH_ACCESS_TOKEN": "x@y.example"})
    assert done.code == 0
    assert google.log() == []


# --- refused before a token is sent --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [user, service_account])
def test_credentials_of_another_universe_are_refused(kind: Any, cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    done = cli(*LIST, env_=kind(google, tmp_path, universe_domain="other-universe.example"))
    assert (done.code, done.error["cause"]) == (4, "credentials-missing")
    assert "'other-universe.example'" in done.error["message"]
    assert google.log() == []


def test_a_machine_of_another_universe_is_refused(
    cli: Cli, google: LocalGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = client.metadata("vm")(google, tmp_path)
    google.set(metadata={"universe": "other-universe.example"})
    done = cli(*LIST, env_=variables)
    assert (done.code, done.error["cause"]) == (4, "credentials-missing")
    assert not any(entry["line"].partition("?")[0].endswith("/token") for entry in google.log())


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true"),
        ("GOOGLE_API_USE_MTLS_ENDPOINT", "always"),
        ("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "other-universe.example"),
    ],
)
def test_what_keyadmin_does_not_speak_is_refused_in_words(
    variable: str, value: str, cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    done = cli(*LIST, env_=user_with_quota(google, tmp_path) | {variable: value})
    assert done.code == 4
    assert variable in done.error["message"]
    assert google.log() == []


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "socks5h://u:secret@127.0.0.1:1080", "https://127.0.0.1:3128"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_said_at_once(
    proxy: str, variable: str, cli: Cli, env: dict[str, str], google: LocalGoogle, tmp_path: Path
) -> None:
    del env["HTTPS_PROXY"]
    done = cli(*LIST, env_=user_with_quota(google, tmp_path) | {variable: proxy})
    assert (done.code, done.error["cause"]) == (1, "network-unreachable")
    assert done.error["message"].startswith(f"{variable} names a {proxy.partition(':')[0]}:// proxy")
    assert "secret" not in done.err
    assert done.seconds < 3
    assert google.log() == []


# --- advice that fits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, "not json", "[]", "{}", '{"type": "sorcery"}', '{"type": "authorized_user"}'])
def test_a_file_that_cannot_be_used_is_named_and_goes_on_winning(
    content: str | None, cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    path = tmp_path / "named.json"
    if content is not None:
        path.write_text(content)
    client.gcloud(google, tmp_path)  # a good login stands beside it
    done = cli(*LIST, env_={"GOOGLE_APPLICATION_CREDENTIALS": str(path)})
    assert (done.code, done.error["cause"]) == (4, "credentials-missing")
    assert str(path) in done.error["message"]
    assert "it wins over every other login" in done.error["fix"][0]
    assert done.error["fix"][1].startswith("unset GOOGLE_APPLICATION_CREDENTIALS")
    assert google.log() == []


def oauth(error: str, description: str, host: str = "oauth2") -> dict[str, Any]:
    body = {"error": error, "error_description": description}
    return {"kind": "json", "status": 400, "body": body, "host": f"{host}.googleapis.com"}


CASES = [
    (user, oauth("invalid_grant", "Token has been expired or revoked."), "credentials-expired", LOGIN, "keys list"),
    (user, oauth("invalid_grant", "reauth related error (invalid_rapt)"), "reauthentication-required", LOGIN, "keys list"),
    (
        service_account,
        oauth("invalid_grant", "Invalid JWT Signature."),
        "service-account-key-invalid",
        "keys list",
        LOGIN + "\n",
    ),
    (
        service_account,
        oauth("invalid_grant", "Invalid grant: account not found"),
        "service-account-key-invalid",
        "keys list",
        "xx",
    ),
    (
        client.workload_file,
        oauth("invalid_target", "The target service indicated by the audience is invalid.", "sts"),
        "workload-identity-misconfigured",
        "workload-identity-pools",
        LOGIN,
    ),
    (
        client.workforce_login,
        oauth("invalid_grant", "The refresh token is expired.", "sts"),
        "workload-identity-misconfigured",
        "--login-config",
        "workload-identity-pools",
    ),
]


@pytest.mark.parametrize(("kind", "fault", "cause", "said", "unsaid"), CASES)
def test_refused_credentials_end_with_advice_for_their_kind(
    kind: Any, fault: dict[str, Any], cause: str, said: str, unsaid: str, cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    google.faults(fault)
    done = cli(*LIST, env_=kind(google, tmp_path))
    assert (done.code, done.error["cause"]) == (4, cause), done.err
    assert said in " ".join(done.error["fix"])
    assert unsaid not in " ".join(done.error["fix"])
    assert "apikeys.googleapis.com" not in spoken_to(google)


def test_a_clock_that_is_wrong_is_told_to_a_service_account(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    google.set(skew=5400)
    google.faults(oauth("invalid_grant", "Invalid JWT: Token must be a short-lived token and in a reasonable timeframe."))
    # The fronts' Date header is what tells the clock; a fault's answer carries this machine's.
    done = cli(*LIST, env_=service_account(google, tmp_path))
    assert (done.code, done.error["cause"]) == (4, "service-account-key-invalid")
    assert "clock" in done.error["fix"][0]


def test_an_impersonation_by_file_is_not_told_about_a_flag(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    denied = {
        "error": {
            "code": 403,
            "status": "PERMISSION_DENIED",
            "message": "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
        }
    }
    fault = {"kind": "json", "status": 403, "body": denied, "host": "iamcredentials.googleapis.com"}
    google.faults(fault)
    done = cli(*LIST, env_=client.impersonated_file(google, tmp_path))
    assert done.error["cause"] == "missing-iam-permission", done.err
    advice = " ".join(done.error["fix"])
    assert "--impersonate-service-account" not in advice
    assert "roles/iam.serviceAccountTokenCreator" in advice
    assert client.TARGET_ROBOT in advice
    url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{client.TARGET_ROBOT}:generateAccessToken"
    (tmp_path / "subject").write_text("subject-token")
    more = {"service_account_impersonation_url": url}
    done = cli(*LIST, env_=client.external(tmp_path, {"file": str(tmp_path / "subject")}, **more))
    assert (done.code, done.error["cause"]) == (4, "workload-identity-misconfigured"), done.err
    assert "roles/iam.workloadIdentityUser" in " ".join(done.error["fix"])


@pytest.mark.parametrize("seconds", [0])
def test_a_token_program_that_may_not_run_says_how_to_let_it(
    seconds: int, cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    variables = client.workload_executable(google, tmp_path)
    del variables["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"]
    done = cli(*LIST, env_=variables)
    assert (done.code, done.error["cause"]) == (4, "workload-identity-misconfigured")
    assert "export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1" in done.error["fix"][0]


def test_a_machine_without_an_account_says_so(cli: Cli, google: LocalGoogle, tmp_path: Path, machine: None) -> None:
    variables = client.metadata("vm")(google, tmp_path)
    google.set(metadata={"account": None})
    done = cli(*LIST, env_=variables)
    assert (done.code, done.error["cause"]) == (4, "credentials-missing"), done.err
    assert "has no service account for this machine" in done.error["message"]
    assert "set-service-account" in done.error["fix"][0]
    assert "DOCTYPE" not in done.err
    assert "(" + "'" not in done.err  # no Python tuple


def test_nothing_at_all_is_said_soon(cli: Cli, google: LocalGoogle) -> None:
    done = cli(*LIST, env_={"NO_GCE_CHECK": "", "GCE_METADATA_IP": "127.0.0.1:9"})
    assert (done.code, done.error["cause"]) == (4, "credentials-missing")
    assert done.error["fix"][0].startswith(LOGIN)
    assert done.seconds < 4


def test_gcloud_that_is_signed_in_without_a_login_for_programs_is_told_apart(
    cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    folder = tmp_path / "gcloud" / "configurations"
    folder.mkdir(parents=True)
    (folder / "config_work").write_text(f"[core]\naccount = {PERSON}\n")
    (tmp_path / "gcloud" / "active_config").write_text("work")
    done = cli(*LIST)
    assert done.code == 4
    assert f"gcloud is signed in as {PERSON}" in done.error["message"]
    assert any("CLOUDSDK_AUTH_ACCESS_TOKEN=$(gcloud auth print-access-token)" in step for step in done.error["fix"])
    shell = cli(*LIST, env_={"CLOUD_SHELL": "true"})
    assert shell.error["fix"][0].startswith("gcloud auth login")


def test_gclouds_project_is_the_project_of_its_login(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    client.gcloud(google, tmp_path)
    done = cli("keys", "list", "--format", "json")
    assert done.code == 0, done.err
    assert [key["project"] for key in done.json] == [TARGET]


# --- certificates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "winner", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"]
)
@pytest.mark.parametrize("kind", [client.workload_file, user_with_quota])
def test_one_order_of_variables_for_identity_rest_and_grpc(
    winner: str, kind: Any, cli: Cli, env: dict[str, str], google: LocalGoogle, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_bytes(client.another_authority())
    variables = kind(google, tmp_path) | {winner: google.ca}
    losers = CA_VARIABLES[CA_VARIABLES.index(winner) + 1 :]
    if winner != "SSL_CERT_FILE":
        env.pop("SSL_CERT_FILE")
    done = cli("keys", "show", "old-key", "-p", TARGET, env_=variables | {name: str(wrong) for name in losers})
    assert done.code == 0, done.err
    refused = cli(*LIST, env_=variables | {CA_VARIABLES[0]: str(wrong)})
    assert refused.error["cause"] == "network-unreachable"
    assert CA_VARIABLES[0] in " ".join(refused.error["fix"])  # the one that wins
    assert not any(name in " ".join(refused.error["fix"]) for name in CA_VARIABLES[1:])


def test_settings_of_a_credentials_file_are_no_secrets_in_the_report(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    for kind in (user_with_quota, service_account, client.workload_file, client.access_token("GOOGLE_OAUTH_ACCESS_TOKEN")):
        done = cli("doctor", "--connection", "--format", "json", env_=kind(google, tmp_path))
        assert done.code == 0, done.err
        report = json.dumps(done.json)
        for secret in ("refresh:", "PRIVATE KEY", '"s"', "subject-token", "ya29."):
            assert secret not in report
        assert {entry["host"] for entry in done.json["hosts"]} >= {"apikeys.googleapis.com", client.GEMINI}
        assert all(entry["reached"] for entry in done.json["hosts"])


def test_the_report_says_what_cannot_be_reached_and_why(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    google.set(password="someone:else")
    proxy = f"http://{google.proxy}".replace("//", "//me:hidden@")
    done = cli("doctor", "--connection", "--format", "json", env_=user_with_quota(google, tmp_path) | {"HTTPS_PROXY": proxy})
    assert done.code == 3
    assert done.json["proxy"] == {"url": f"http://{google.proxy}", "from": "HTTPS_PROXY"}
    assert all(not entry["reached"] and "407" in entry["reason"] for entry in done.json["hosts"])
    assert "hidden" not in done.out + done.err
