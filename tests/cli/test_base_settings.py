"""Global options: which value holds, where it comes from, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cli.settings import SandboxChoice, loopback_url, sandbox_choice, settle, state_file
from keyadmin.model.problem import Exit, Problem


@pytest.fixture(autouse=True)
def own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def where(flag: bool | None, variable: str | None) -> str | None:
    """`google`, `embedded` or the URL."""
    choice = sandbox_choice(flag, {} if variable is None else {"KEYADMIN_SANDBOX": variable})
    return "google" if choice is None else choice.url or "embedded"


@pytest.mark.parametrize(
    ("flag", "variable", "expected"),
    [
        (None, None, "google"),
        (None, "", "google"),
        (None, "0", "google"),
        (None, "false", "google"),
        (None, "1", "embedded"),
        (None, "true", "embedded"),
        (None, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (None, "http://localhost:8080/", "http://localhost:8080"),
        (None, "http://[::1]:8080", "http://[::1]:8080"),
        (True, None, "embedded"),
        (True, "", "embedded"),
        (True, "0", "embedded"),
        (True, "1", "embedded"),
        (True, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (False, "1", "google"),
        (False, "http://127.0.0.1:8080", "google"),
        (False, "nonsense", "google"),
    ],
)
def test_the_sandbox_is_chosen_by_flag_and_variable(flag: bool | None, variable: str | None, expected: str) -> None:
    assert where(flag, variable) == expected


@pytest.mark.parametrize("flag", [None, True])
@pytest.mark.parametrize(
    "variable",
    [
        "yes",
        "on",
        "2",
        " 1",
        "127.0.0.1:8080",
        "https://127.0.0.1:8080",
        "http://192.0.2.7:8080",
        "http://sandbox.example.com",
        "http://127.0.0.1.example.com",
        "http://owner@127.0.0.1",
        "http://127.0.0.1/v2",
        "http://127.0.0.1:99999",
        "http://127.0.0.1?x=1",
        "http://[::1",
    ],
)
def test_anything_else_in_the_variable_is_wrong_usage(flag: bool | None, variable: str) -> None:
    with pytest.raises(Problem) as caught:
        where(flag, variable)
    assert caught.value.exit is Exit.USAGE


def test_only_the_flag_itself_counts_as_the_flag() -> None:
    by_variable = sandbox_choice(None, {"KEYADMIN_SANDBOX": "1"})
    by_flag = sandbox_choice(True, {"KEYADMIN_SANDBOX": "1"})
    assert by_variable == SandboxChoice(None, state_file({}), "owner@example.com", by_flag=False)
    assert by_flag == SandboxChoice(None, state_file({}), "owner@example.com", by_flag=True)


def test_the_sandbox_has_a_state_file_and_a_user_of_choice() -> None:
    env = {"KEYADMIN_SANDBOX": "1", "KEYADMIN_SANDBOX_STATE": "/somewhere/s.db", "KEYADMIN_SANDBOX_USER": "eve@example.com"}
    assert sandbox_choice(None, env) == SandboxChoice(None, Path("/somewhere/s.db"), "eve@example.com", by_flag=False)


@pytest.mark.parametrize(
    "user",
    [
        "eve@example.com\r\nX-Evil: 1",
        "notmail",
        "eve@",
        "@example.com",
        "eve@localhost",
        "a b@example.com",
        "eve@exämple.com",
        "a@b@c.de",
    ],
)
def test_a_sandbox_user_that_is_no_address_is_wrong_usage(user: str) -> None:
    with pytest.raises(Problem) as caught:
        sandbox_choice(True, {"KEYADMIN_SANDBOX_USER": user})
    assert caught.value.exit is Exit.USAGE
    assert caught.value.fix


def test_the_server_takes_whom_the_variable_may_name() -> None:
    from keyadmin.sandbox.callers import caller_of

    for user in ("eve@example.com", "o'neil@example.co.uk", "robot@my-project.iam.gserviceaccount.com", "a.b+c@x.org"):
        chosen = sandbox_choice(True, {"KEYADMIN_SANDBOX_USER": user})
        assert chosen is not None
        assert caller_of({"authorization": f"Bearer {chosen.user}"}).principal == user


def test_the_sandbox_user_is_looked_at_before_any_call(cli: Callable[..., Any]) -> None:
    done = cli("--sandbox", "keys", "list", "--format", "json", env={"KEYADMIN_SANDBOX_USER": "notmail"})
    assert (done.code, done.error["cause"]) == (2, "invalid-argument")
    assert "KEYADMIN_SANDBOX_USER" in done.error["message"]
    assert "gcloud" not in done.err


def test_a_loopback_url_without_a_port_means_port_80() -> None:
    assert loopback_url("http://localhost") == "http://localhost:80"


ALL = {
    "KEYADMIN_PROJECT": "from-keyadmin",
    "GOOGLE_CLOUD_PROJECT": "from-google",
    "CLOUDSDK_CORE_PROJECT": "from-gcloud",
}


def project(raw: dict[str, str | bool], env: dict[str, str]) -> tuple[str, str] | None:
    found = settle(raw, env).project
    return (found.value, found.source) if found else None


def test_the_order_in_which_the_project_is_looked_for() -> None:
    env = dict(ALL)
    settle({}, {}).config.set("project", "from-config")
    path = str(settle({}, {}).config.path)
    assert project({"project": "typed-one"}, env) == ("typed-one", "--project")
    assert project({}, env) == ("from-keyadmin", "KEYADMIN_PROJECT")
    del env["KEYADMIN_PROJECT"]
    assert project({}, env) == ("from-google", "GOOGLE_CLOUD_PROJECT")
    del env["GOOGLE_CLOUD_PROJECT"]
    assert project({}, env) == ("from-gcloud", "CLOUDSDK_CORE_PROJECT")
    del env["CLOUDSDK_CORE_PROJECT"]
    assert project({}, env) == ("from-config", path)
    settle({}, {}).config.set("project", "")
    assert project({}, env) is None


def test_the_sandbox_looks_at_none_of_googles_variables_nor_at_googles_configuration() -> None:
    settle({}, {}).config.set("project", "from-config")
    env = {"KEYADMIN_SANDBOX": "1", "GOOGLE_CLOUD_PROJECT": "from-google", "CLOUDSDK_CORE_PROJECT": "from-gcloud"}
    assert project({}, env) == ("demo-project", "default")
    settle({}, env).config.set("project", "from-sandbox-config")
    assert project({}, env) == ("from-sandbox-config", str(settle({}, env).config.path))
    assert project({}, env | {"KEYADMIN_PROJECT": "from-keyadmin"}) == ("from-keyadmin", "KEYADMIN_PROJECT")
    assert project({}, {}) == ("from-config", str(settle({}, {}).config.path))


def test_empty_variables_name_no_project() -> None:
    assert project({}, {"KEYADMIN_PROJECT": "", "GOOGLE_CLOUD_PROJECT": "from-google"}) == (
        "from-google",
        "GOOGLE_CLOUD_PROJECT",
    )


@pytest.mark.parametrize("value", ["a b", "a/b", "../x", "a\nb", "-x", "a?b", "x" * 101])
def test_what_can_be_no_project_is_refused_before_any_call(value: str) -> None:
    with pytest.raises(Problem) as caught:
        settle({"project": value}, {})
    assert caught.value.exit is Exit.USAGE


@pytest.mark.parametrize("value", ["demo-project", "123456789012", "example.com:old-project", "projects/demo-project"])
def test_ids_numbers_and_domain_scoped_ids_are_projects(value: str) -> None:
    assert project({"project": value}, {}) == (value.removeprefix("projects/"), "--project")


@pytest.mark.parametrize(
    ("variable", "attribute"),
    [("KEYADMIN_QUIET", "quiet"), ("KEYADMIN_VERBOSE", "verbose"), ("KEYADMIN_NO_COLOR", "no_color")],
)
def test_switches_have_variables(variable: str, attribute: str) -> None:
    for value, expected in (("1", True), ("true", True), ("0", False), ("false", False), ("", False)):
        assert getattr(settle({}, {variable: value}), attribute) is expected
    with pytest.raises(Problem) as caught:
        settle({}, {variable: "perhaps"})
    assert caught.value.exit is Exit.USAGE


def test_no_color_is_honoured() -> None:
    assert settle({}, {"NO_COLOR": "1"}).no_color
    assert not settle({}, {"NO_COLOR": ""}).no_color


@pytest.mark.parametrize(
    ("variable", "attribute", "one", "other"),
    [
        ("KEYADMIN_QUOTA_PROJECT", "quota_project", "one-project", "other-project"),
        ("KEYADMIN_IMPERSONATE_SERVICE_ACCOUNT", "impersonate", "one@p.iam.gserviceaccount.com", "123456789012345678901"),
        ("KEYADMIN_FORMAT", "format", "json", "csv"),
    ],
)
def test_values_have_variables_which_options_outrank(variable: str, attribute: str, one: str, other: str) -> None:
    name = variable.removeprefix("KEYADMIN_").lower()
    assert getattr(settle({}, {variable: one}), attribute) == one
    assert getattr(settle({name: other}, {variable: one}), attribute) == other


def test_a_format_that_is_none_is_refused_wherever_it_stands() -> None:
    for raw, env in (({"format": "toml"}, {}), ({}, {"KEYADMIN_FORMAT": "toml"})):
        with pytest.raises(Problem) as caught:
            settle(raw, env)
        assert caught.value.exit is Exit.USAGE
        assert "jsonl" in caught.value.fix[0]


def test_a_command_may_offer_more_formats() -> None:
    assert settle({"format": "sarif"}, {}, ("table", "sarif")).format == "sarif"
