"""`audit --notify`, `--diff` and `--metrics`: who is told what, and that none of it changes how the audit ends."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.handover import http
from keyadmin.unattended import destinations
from tests.webhook import receiving

from .conftest import GEMINI, ago, key, project

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks that fail are soon given up."""
    monkeypatch.setattr(http, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(destinations, "TRY_S", 0.2)


@pytest.fixture
def type_(organization: Any, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """An audit of a project with an exposed key and an old one, kept in a folder."""
    monkeypatch.chdir(tmp_path)
    organization(project("web-one", key("open", age=5, lastUsed=ago(1)), key("old", GEMINI, age=200, lastUsed=ago(1))))
    return lambda *words, **more: run("audit", "-p", "web-one", "--sandbox", "--keep", "kept", *words, **more)


def test_a_webhook_gets_json_that_is_signed_and_has_the_address_nowhere(type_: Run) -> None:
    with receiving() as hook:
        env = {"HOOK": hook.address, "SECRET": "s3cret"}
        words = ("--notify", "webhook-from-env:HOOK", "--webhook-secret-from-env", "SECRET", "--verbose")
        done = type_(*words, env=env)
    assert done.code == 3
    headers, body = hook.calls[0]
    assert headers["x-keyadmin-signature"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    told = hook.json
    assert (told["about"], told["failed"], told["sandbox"], told["summary"]["exitCode"]) == ("keyadmin audit", True, True, 3)
    assert {event["rule"] for event in told["events"]} >= {"gemini-exposed-key", "key-too-old"}
    assert "very-secret-address" not in done.out + done.err + body.decode()


def test_the_next_audit_tells_what_changed_and_nothing_is_told_twice(type_: Run, organization: Any) -> None:
    calm = ("--fail-on", "none", "--notify", "exec:tee told")
    assert type_("--fail-on", "none").code == 0
    again = type_(*calm)
    assert "Nothing to tell" in again.err
    assert not Path("told").exists()
    organization(project("web-one", key("mixed", GEMINI, "maps-backend.googleapis.com", age=5, lastUsed=ago(1))))
    assert type_(*calm, "--diff").code == 0
    told = json.loads(Path("told").read_text())
    assert {each["kind"] for each in told["events"]} == {"new"}
    assert told["summary"]["changes"]["new"] == len(told["events"]) > 0
    assert "new since" in told["title"]


def test_the_difference_is_shown_with_the_command_that_shows_all_of_it(type_: Run, organization: Any, run: Run) -> None:
    first = type_("--diff")
    assert "not compared with the last one: no earlier one of the same scope is kept" in first.err
    organization(project("web-one", key("new", age=5, lastUsed=ago(1))))
    second = type_("--diff", "--quiet")
    assert "New (" in second.out
    (line,) = [line for line in second.err.splitlines() if "Since the last audit" in line]
    again = run(*line.partition("keyadmin ")[2].split(), "--format", "json")
    assert again.code == 0
    exposed = [each for each in again.json["changes"]["new"] if each["rule"] == "gemini-exposed-key"]
    assert [each["key"].rpartition("/")[2] for each in exposed] == ["new"]
    assert "it was not kept" in type_("--diff", "--keep", "none").err


@pytest.mark.parametrize(("statuses", "calls", "why"), [
    ((500,), 4, "answered HTTP 500"),
    ((503, 429, 200), 3, None),
    ((404,), 1, "answered HTTP 404"),
    ((302,), 1, "answered HTTP 302"),
])  # fmt: skip
def test_a_webhook_that_fails_changes_nothing_about_the_result(
    type_: Run, statuses: tuple[int, ...], calls: int, why: str | None
) -> None:
    with receiving(*statuses) as hook:
        done = type_("--notify", "webhook-from-env:HOOK", "--format", "json", env={"HOOK": hook.address})
    assert len(hook.calls) == calls
    assert done.code == 3
    assert done.json["summary"]["keys"] == 2
    said = [line for line in done.err.splitlines() if "notice was not taken" in line]
    assert [why in line and "127.0.0.1" in line for line in said] == ([True] if why else [])
    assert "very-secret-address" not in done.out + done.err


@pytest.mark.parametrize("bounded", ["try", "whole"])
def test_a_webhook_that_hangs_is_given_up(type_: Run, bounded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if bounded == "whole":
        monkeypatch.setattr(destinations, "TRY_S", 3.0)
        monkeypatch.setattr(destinations, "WEBHOOK_S", 0.3)
    with receiving(0) as hook:
        done = type_("--notify", "webhook-from-env:HOOK", "--format", "json", env={"HOOK": hook.address})
    assert done.code == 3
    assert len(hook.calls) == (4 if bounded == "try" else 1)
    why = "cannot be reached" if bounded == "try" else "did not answer"
    assert f"notice was not taken: the webhook at 127.0.0.1 {why}" in done.err
    assert "very-secret-address" not in done.err


def test_nobody_at_the_address(type_: Run) -> None:
    with receiving() as hook:
        address = hook.address
    done = type_("--notify", f"webhook:{address}")
    assert done.code == 3
    assert "the webhook at 127.0.0.1 cannot be reached" in done.err
    assert "very-secret-address" not in done.err


@pytest.mark.parametrize(("form", "text"), [("slack", "&lt;!channel&gt;"), ("google-chat", "‹!channel›")])
def test_chats_get_a_message_in_which_a_key_s_name_calls_nobody(type_: Run, organization: Any, form: str, text: str) -> None:
    organization(project("web-one", key("evil", age=5, displayName="<!channel>", lastUsed=ago(1))))
    with receiving() as hook:
        type_("--notify", "webhook-from-env:HOOK", "--webhook-form", form, env={"HOOK": hook.address})
    assert set(hook.json) == {"text"}
    assert text in hook.json["text"]
    assert "<!channel>" not in hook.json["text"]
    assert hook.json["text"].startswith("[sandbox] keyadmin audit of ")


def test_a_key_string_that_somebody_made_a_name_of_is_masked(type_: Run, organization: Any) -> None:
    string = "AIza" + "SyB" * 11 + "Qx"
    organization(project("web-one", key("named", age=5, displayName=string, lastUsed=ago(1))))
    with receiving() as hook:
        type_("--notify", "webhook-from-env:HOOK", "--notify", "exec:tee told", env={"HOOK": hook.address})
    everything = hook.calls[0][1].decode() + Path("told").read_text()
    assert "AIza...ByQx"[:7] in everything
    assert string not in everything


def test_an_audit_that_could_not_begin_is_told_too(type_: Run, run: Run) -> None:
    with receiving() as hook:
        done = run("audit", "-p", "no-such-thing", "--sandbox", "--notify", "webhook-from-env:HOOK", env={"HOOK": hook.address})
    assert done.code == 1
    assert hook.json["failed"]
    assert hook.json["summary"]["cause"] == "project-not-found-or-no-access"


@pytest.mark.parametrize(("words", "why"), [
    (("--notify", "webhook:http://hooks.example/secret-path"), "the webhook at hooks.example is not https"),
    (("--notify", "webhook:https://me:pw@hooks.example/secret-path"), "a name and a password"),
    (("--notify", "webhook:secret-path"), "does not hold the address"),
    (("--notify", "webhook:https://hooks.example:99999/secret-path"), "does not hold the address"),
    (("--notify", "webhook:ftp://hooks.example/secret-path"), "does not hold the address"),
    (("--notify", "https://hooks.example/secret-path"), "none of exec:CMD, webhook:URL, webhook-from-env:VAR"),
    (("--notify", "webhook-from-env:NOT_SET"), "NOT_SET: this variable is not set"),
    (("--notify", "webhook-from-env:EMPTY"), "EMPTY: this variable is not set"),
    (("--notify", "webhook:https://a.example/", "--webhook-secret-from-env", "NOT_SET"), "NOT_SET: this variable is not set"),
    (("--notify", "webhook:https://a.example/", "--webhook-form", "teams"), "'teams' is not a form"),
    (("--webhook-form", "json"), "--webhook-form needs --notify"),
])  # fmt: skip
def test_wrong_destinations_are_refused_before_anything_is_asked(
    type_: Run, served: Any, words: tuple[str, ...], why: str
) -> None:
    done = type_(*words, env={"EMPTY": " "})
    assert done.code == 2
    assert why in done.err
    assert "secret-path" not in done.err
    assert served.methods() == []


def test_a_notice_leaves_the_sandbox_only_where_it_was_typed(run: Run, type_: Run, served: Any) -> None:
    with receiving() as hook:
        done = run("audit", "-p", "web-one", "--notify", "webhook-from-env:HOOK", env={"HOOK": hook.address})
    assert done.code == 2
    assert "add --sandbox" in done.err
    assert hook.calls == []


def test_metrics_are_read_by_prometheus_own_parser(type_: Run, run: Run) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    assert type_("--metrics", "audit.prom").code == 3
    families = {each.name: each for each in parser.text_string_to_metric_families(Path("audit.prom").read_text())}
    values = {name: one.samples[0].value for name, one in families.items()}
    assert (values["keyadmin_audit_keys"], values["keyadmin_audit_projects"], values["keyadmin_audit_exit_code"]) == (2, 1, 3)
    severities = {sample.labels["severity"]: sample.value for sample in families["keyadmin_audit_findings"].samples}
    assert severities["high"] >= 1
    by_rule = {sample.labels["rule"]: sample.value for sample in families["keyadmin_audit_findings_by_rule"].samples}
    assert by_rule["key-too-old"] == 1
    assert all(family.type == "gauge" and family.documentation for family in families.values())
    assert Path("audit.prom").stat().st_mode & 0o777 == 0o644
    unwritable = type_("--metrics", "/nowhere/at/all", "--format", "json")
    assert unwritable.code == 3
    assert "/nowhere/at/all cannot be written" in unwritable.err
