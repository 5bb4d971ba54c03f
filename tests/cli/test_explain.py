"""`keyadmin explain` as a person types it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DENIED = (
    "ERROR: (gcloud.services.enable) PERMISSION_DENIED: Permission denied to enable service [generativelanguage.googleapis.com]"
)


def test_json_has_the_contract_s_fields(cli: Callable[..., Any]) -> None:
    result = cli("explain", DENIED, "--format", "json")
    assert result.code == 0
    assert result.err == ""
    fields = {"cause", "title", "explanation", "permission", "service", "fix", "turn", "source", "count", "others"}
    assert set(result.json) == fields
    assert result.json["turn"] == "admin"
    assert result.json["cause"] == "enable-service-denied"
    assert result.json["service"] == "generativelanguage.googleapis.com"
    assert isinstance(result.json["fix"], list)


def test_text_says_cause_meaning_steps_and_source(cli: Callable[..., Any]) -> None:
    result = cli("explain", DENIED)
    assert result.code == 0
    for words in ("enable-service-denied", "Permission: serviceusage.services.enable", "What to do:", "Source: https://"):
        assert words in result.out


@pytest.mark.parametrize("arguments", [("explain", "-"), ("explain",)])
def test_stdin(cli: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    assert cli(*arguments, "--format", "json", stdin=f"noise\n{DENIED}\nnoise").json["cause"] == "enable-service-denied"


def test_from_file(cli: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "error.log"
    file.write_bytes(b"\xff\xfe\x00garbage\n" + DENIED.encode())
    assert cli("explain", "--from-file", str(file)).code == 3  # the mark says UTF-16, and in UTF-16 it is nothing
    file.write_text(DENIED, "utf-8")
    assert cli("explain", "--from-file", str(file)).code == 0


@pytest.mark.parametrize("size", [100, 3_000_000, 20_000_000])
def test_of_a_long_text_both_ends_are_read_and_that_is_said(cli: Callable[..., Any], tmp_path: Path, size: int) -> None:
    file = tmp_path / "error.log"
    file.write_text("API key expired. Please renew the API key.\n" + "x" * 79 + "\n" + "noise line\n" * (size // 11) + DENIED)
    for result in (
        cli("explain", "--from-file", str(file), "--all", "--format", "json"),
        cli("explain", "-", "--all", "--format", "json", stdin=file.read_text()),
    ):
        assert [each["cause"] for each in result.json] == ["api-key-expired", "enable-service-denied"]
        assert ("only the first and the last 1,000,000 characters were read" in result.err) == (size > 2_000_000)


@pytest.mark.parametrize("text", ["", "nothing that is known", "\x00\x01\x02"])
def test_unknown_is_exit_code_3_and_no_advice(cli: Callable[..., Any], text: str) -> None:
    result = cli("explain", "-", "--format", "json", stdin=text)
    assert result.code == 3
    assert result.json["cause"] == "unknown"
    assert result.json["fix"] == []
    assert "turn" not in result.json
    assert "What to do" not in cli("explain", "-", stdin=text).out


def test_binary_on_stdin_of_a_real_process(typed: Callable[..., Any], tmp_path: Path) -> None:
    result = typed("explain", "--from-file", "/dev/urandom")
    assert result.code in (0, 3)
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "arguments", [("explain", "a", "--from-file", "b"), ("explain", "--from-file", "/no/such/file"), ("explain", "--nonsense")]
)
def test_wrong_usage(cli: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    result = cli(*arguments)
    assert result.code == 2
    assert result.out == ""


def test_a_terminal_without_text_is_told_how(cli: Callable[..., Any]) -> None:
    result = cli("explain", terminal=True)
    assert result.code == 2
    assert "explain 'THE ERROR TEXT'" in result.err


def test_key_strings_are_masked(cli: Callable[..., Any]) -> None:
    key = "AIza" + "SyB" + "w9" * 16
    text = f'{{"error": {{"message": "Permission denied: Consumer \'api_key:{key}\' has been suspended.", "code": 403}}}}'
    for form in ("table", "json", "yaml"):
        result = cli("explain", "-", "--format", form, stdin=text)
        assert key not in result.out + result.err
    assert "consumer-suspended" in result.out


def test_an_error_text_with_a_key_string_in_it_may_be_an_argument(cli: Callable[..., Any]) -> None:
    key = "AIza" + "SyB" + "w9" * 16
    text = f"Permission denied: Consumer 'api_key:{key}' has been suspended."
    for words in (["explain", text], ["--format", "json", "explain", f"{text}\n"], ["-v", "explain", f"{key}\n{text}"]):
        result = cli(*words)
        assert result.code == 0
        assert "consumer-suspended" in result.out
        assert key not in result.out + result.err
    alone = cli("explain", key)
    assert alone.code == 2
    assert key not in alone.err


def test_no_credentials_and_no_network_are_needed(typed: Callable[..., Any]) -> None:
    result = typed(
        "explain",
        DENIED,
        "--format",
        "json",
        env={"HTTPS_PROXY": "http://127.0.0.1:9", "GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file"},
    )
    assert result.code == 0
    assert json.loads(result.out)["cause"] == "enable-service-denied"


def test_in_a_terminal_the_meaning_is_folded_to_its_width(cli: Callable[..., Any]) -> None:
    shown = cli("explain", DENIED, terminal=True, env={"COLUMNS": "60", "NO_COLOR": "1"}).out
    meaning = shown.partition("\n\n")[2].partition("\n\n")[0].splitlines()
    assert len(meaning) > 1
    assert max(map(len, meaning)) <= 60
    assert " ".join(meaning) in cli("explain", DENIED, env={"COLUMNS": "60"}).out.splitlines()


OFF = (
    "googleapi: Error 403: Generative Language API has not been used in project {project} before or it is disabled. Enable "
    "it by "
    "visiting https://console.developers.google.com/apis/api/generativelanguage.googleapis.com/overview?project={project} "
    "then retry."
)


def test_the_last_of_several_is_explained_and_all_with_all(cli: Callable[..., Any]) -> None:
    log = f"ERROR: API key not valid. Please pass a valid API key.\n{DENIED}\n"
    one = cli("explain", "-", "--format", "json", stdin=log)
    assert (one.json["cause"], one.json["count"], one.json["others"]) == ("enable-service-denied", 1, 1)
    shown = cli("explain", "-", stdin=log)
    assert "--all" in shown.err
    found = cli("explain", "-", "--all", "--format", "json", stdin=log)
    assert [each["cause"] for each in found.json] == ["api-key-invalid", "enable-service-denied"]
    assert found.code == 0
    assert cli("explain", "-", "--all", stdin=log).out.count("Whose turn it is") == 2


def test_unknown_says_what_was_read(cli: Callable[..., Any]) -> None:
    meta = {"service": "run.googleapis.com"}
    body = {
        "error": {
            "code": 403,
            "status": "PERMISSION_DENIED",
            "message": "No.",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "BRAND_NEW", "metadata": meta},
                {
                    "@type": "type.googleapis.com/google.rpc.Help",
                    "links": [{"url": "https://cloud.google.com/run/docs/brand-new"}],
                },
            ],
        }
    }
    result = cli("explain", "-", "--format", "json", stdin=json.dumps(body))
    assert result.code == 3
    read = {name: result.json.get(name) for name in ("cause", "status", "reason", "service", "help", "fix")}
    assert read == {
        "cause": "unknown",
        "status": "PERMISSION_DENIED",
        "reason": "BRAND_NEW",
        "service": "run.googleapis.com",
        "help": "https://cloud.google.com/run/docs/brand-new",
        "fix": [],
    }
    text = cli("explain", "-", stdin=json.dumps(body)).out
    assert "Reason: BRAND_NEW" in text
    assert "Google's help: https://cloud.google.com/run/docs/brand-new" in text


def test_another_vendor_is_named(cli: Callable[..., Any]) -> None:
    text = '{"error": {"message": "You exceeded your current quota", "type": "insufficient_quota"}}'
    result = cli("explain", text)
    assert result.code == 3
    assert "OpenAI" in result.out


def test_verify_looks_and_says_what_is_true_already(cli: Callable[..., Any]) -> None:
    text = OFF.format(project="demo-project")
    before = cli("--sandbox", "-p", "demo-project", "explain", text, "--verify", "--format", "json")
    assert before.code == 0, before.err
    checks = {each["check"]: each["status"] for each in before.json["verified"]}
    assert checks["generativelanguage.googleapis.com is on in demo-project"] == "failed"
    assert cli("--sandbox", "projects", "enable", "generativelanguage.googleapis.com", "-p", "demo-project").code == 0
    after = cli("--sandbox", "-p", "demo-project", "explain", text, "--verify")
    assert "true     generativelanguage.googleapis.com is on in demo-project" in after.out


def test_verify_asks_before_it_looks_at_a_project_that_only_the_text_names(cli: Callable[..., Any]) -> None:
    text = OFF.format(project="somebody-elses")
    result = cli("--no-sandbox", "explain", text, "--verify")
    assert result.code == 2
    assert "somebody-elses" in result.err
    assert result.out == ""


def test_verify_without_any_project_is_wrong_usage(cli: Callable[..., Any]) -> None:
    result = cli("--no-sandbox", "explain", "API key not valid. Please pass a valid API key.", "--verify")
    assert result.code == 2
    assert "--verify" in result.err


def test_verify_does_not_look_at_another_project_than_the_steps_are_about(cli: Callable[..., Any]) -> None:
    """The environment names one, the text another: only a person may choose, or -p."""
    text = OFF.format(project="crowded-project")
    env = {"KEYADMIN_PROJECT": "demo-project"}
    result = cli("--sandbox", "explain", text, "--verify", env=env)
    assert result.code == 2
    assert "crowded-project" in result.err
    same = cli("--sandbox", "explain", OFF.format(project="demo-project"), "--verify", "--format", "json", env=env)
    assert same.code == 0
    assert all("demo-project" in each["check"] for each in same.json["verified"])


def test_verify_says_what_it_needs_a_key_for(cli: Callable[..., Any]) -> None:
    for text in (
        "models/gemini-1.0-pro is not found for API version v1beta",
        "API key not valid. Please pass a valid API key.",
    ):
        result = cli("--sandbox", "-p", "demo-project", "explain", text, "--verify", "--format", "json")
        assert any(each["status"] == "unknown" and "GEMINI_API_KEY" in each["detail"] for each in result.json["verified"])


def test_the_typed_project_is_put_into_the_steps_where_the_text_names_none(cli: Callable[..., Any]) -> None:
    text = "gcloud: Permission 'compute.zones.list' denied"
    assert "binding my-shop-prod --member" in cli("explain", text, "--project", "my-shop-prod").out
    assert "binding PROJECT --member" in cli("explain", text).out
    named = cli("explain", f"{text} on 'projects/their-shop'", "--project", "my-shop-prod").out
    assert "binding their-shop --member" in named


def test_verify_marks_the_steps_that_are_done(cli: Callable[..., Any]) -> None:
    text = OFF.format(project="demo-project")
    service = "generativelanguage.googleapis.com"
    typed = ("--sandbox", "-p", "demo-project", "explain", text, "--verify")
    assert "(done already)" not in cli(*typed).out
    assert cli("--sandbox", "projects", "enable", service, "-p", "demo-project").code == 0
    first, second = (line for line in cli(*typed).out.splitlines() if line.startswith(("  1. ", "  2. ")))
    assert first.endswith("    # (done already)")
    assert f"projects enable {service}" in first
    assert not second.endswith("(done already)")
    (on,) = (each for each in cli(*typed, "--format", "json").json["verified"] if " is on in " in each["check"])
    assert (on["status"], on["steps"], on["project"]) == ("ok", [1], "demo-project")


def test_verify_marks_a_grant_of_one_s_own_and_none_to_somebody_else(cli: Callable[..., Any]) -> None:
    typed = ("--sandbox", "-p", "demo-project", "explain", "--verify", "--format", "json")
    text = "Permission 'compute.zones.list' denied on resource 'projects/demo-project'"
    own = cli(*typed, text).json
    assert [each["steps"] for each in own["verified"] if "you hold" in each["check"]] == [[1]]
    assert "add-iam-policy-binding" in own["fix"][0]
    robot = "robot@demo-project.iam.gserviceaccount.com does not have compute.zones.list access to projects/demo-project."
    other = cli(*typed, robot).json
    assert robot.split()[0] in other["fix"][0]
    assert all("steps" not in each for each in other["verified"])


def test_verify_says_which_project_it_looked_at_where_the_text_names_another(cli: Callable[..., Any]) -> None:
    typed = ("--sandbox", "-p", "demo-project", "explain", "--verify")
    assert cli("--sandbox", "projects", "enable", "generativelanguage.googleapis.com", "-p", "demo-project").code == 0
    other = cli(*typed, OFF.format(project="123456789012"))
    assert "demo-project (the text names 123456789012)" in other.out
    assert "(done already)" not in other.out
    same = cli(*typed, OFF.format(project="100000000001")).out  # its number
    assert "the text names" not in same
    assert "(done already)" in same


def test_verify_sees_that_a_project_is_suspended(cli: Callable[..., Any]) -> None:
    text = OFF.format(project="suspended-project")
    result = cli("--sandbox", "-p", "suspended-project", "explain", text, "--verify", "--format", "json")
    state = result.json["verified"][0]
    assert state["status"] == "failed"
    assert "suspended" in state["detail"]


def test_verify_repeats_what_was_typed(cli: Callable[..., Any], tmp_path: Path) -> None:
    text = OFF.format(project="somebody-elses")
    file = tmp_path / "an error.txt"
    file.write_text(text, "utf-8")
    of_file = cli("--no-sandbox", "explain", "--from-file", str(file), "--all", "--verify")
    assert of_file.code == 2
    assert f"explain --from-file '{file}' --all --verify -p somebody-elses" in of_file.err
    short = "Permission 'compute.zones.list' denied on resource 'projects/somebody-elses'"
    assert (
        shlex.join(["explain", short, "--verify", "-p", "somebody-elses"])
        in cli("--no-sandbox", "explain", short, "--verify").err
    )
    assert "explain TEXT --verify -p" in cli("--no-sandbox", "explain", text, "--verify").err
    assert "explain - --verify -p" in cli("--no-sandbox", "explain", "-", "--verify", stdin=text).err


def test_verify_without_credentials_explains_all_the_same(typed: Callable[..., Any]) -> None:
    env = {"GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file"}
    given = ("--no-sandbox", "-p", "demo-project", "explain", OFF.format(project="demo-project"), "--verify")
    result = typed(*given, "--format", "json", env=env)
    assert result.code == 4, result.err
    answer = json.loads(result.out)
    assert answer["cause"] == "api-not-enabled"
    assert [each["status"] for each in answer["verified"]] == ["unknown", "unknown"]
    assert "Warning: " in result.err


@pytest.mark.parametrize("data", [b"\x00\x01\x02", bytes(range(256)) * 9, b"\x89PNG\r\n\x1a\n" + b"\x00\x07\xfe" * 90])
def test_what_is_no_text_is_called_that(cli: Callable[..., Any], tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "picture"
    file.write_bytes(data)
    result = cli("explain", "--from-file", str(file))
    assert result.code == 3
    assert "This is not text" in result.out


def test_a_text_in_another_encoding_is_not_called_binary(cli: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "error.txt"
    file.write_bytes("Ошибка: доступ закрыт".encode("cp1251"))
    assert "another encoding than UTF-8" in cli("explain", "--from-file", str(file)).out
    file.write_bytes("Ein böser Fehler ist hier aufgetreten".encode("latin-1"))
    assert "not text" not in cli("explain", "--from-file", str(file)).out


def test_a_text_without_quotes_is_printed_with_them(cli: Callable[..., Any]) -> None:
    result = cli("--sandbox", "explain", "API", "key", "not", "valid", "--all")
    assert result.code == 2
    assert "--sandbox explain 'API key not valid' --all" in result.err
    assert "explain 'ERROR: (gcloud) it failed'" in cli("explain", "ERROR: (gcloud)", "it", "failed").err
    assert "quote the text: keyadmin explain 'THE ERROR TEXT'" in cli("explain", "--all", "API", "key").err
    assert cli("explain", "THE ERROR TEXT").code == 3


def test_the_name_of_a_file_is_no_text(cli: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "01.txt"
    file.write_text(DENIED, "utf-8")
    result = cli("explain", str(file))
    assert result.code == 2
    assert f"explain --from-file {file}" in result.err
    assert cli("explain", "--from-file", str(file)).code == 0


def test_from_file_takes_a_dash_for_stdin(cli: Callable[..., Any]) -> None:
    assert cli("explain", "--from-file", "-", "--format", "json", stdin=DENIED).json["cause"] == "enable-service-denied"
