"""`audit --anomaly N`: keys that are used otherwise than usual, told with the command that replaces them."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .conftest import GEMINI, MAPS, ON, Audited, ago, key, project

Audit = Callable[..., Audited]
AT = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")


def calls(service: str, at: str, number: int) -> dict[str, Any]:
    return {"service": service, "at": at, "calls": number}


@pytest.fixture
def used(organization: Any) -> None:
    """A key with many calls lately, one with a service that is new to it, one as ever, one that is young."""
    organization(
        project(
            "web-one",
            key("busy", GEMINI, age=20, use=[calls(GEMINI, ago(3), 790), calls(GEMINI, AT, 900)]),
            key("stray", GEMINI, age=20, use=[calls(GEMINI, ago(3), 50), calls(MAPS, AT, 2)]),
            key("calm", GEMINI, age=20, use=[calls(GEMINI, ago(3), 7_900), calls(GEMINI, AT, 120)]),
            key("young", GEMINI, age=3, use=[calls(GEMINI, AT, 5_000)]),
            services=[*ON, "monitoring.googleapis.com"],
        )
    )


def test_what_is_called_more_than_usual_or_for_something_new_is_found(used: None, audit: Audit) -> None:
    done = audit("-p", "web-one", "--rule", "use-anomaly", "--anomaly", "5")
    found = {each["keyName"]: each for each in done.report["findings"]}
    assert set(found) == {"the busy key", "the stray key"}
    assert "in the last 6 hours it was called 900 times; usual are" in found["the busy key"]["message"]
    assert f"it called {MAPS}, which it had not called before" in found["the stray key"]["message"]
    assert all("calls are seen up to 30 minutes late" in each["message"] for each in found.values())
    assert {each["severity"] for each in found.values()} == {"low"}
    assert done.code == 0, "low findings are below the threshold"


def test_it_is_off_by_default_and_beside_the_other_rules_with_a_multiple(used: None, audit: Audit) -> None:
    assert "use-anomaly" not in audit("-p", "web-one").report["summary"]["byRule"]
    with_it = audit("-p", "web-one", "--anomaly", "5")
    assert with_it.report["summary"]["byRule"]["use-anomaly"] == 2
    assert "key-too-old" in with_it.report["summary"]["byRule"]
    assert audit("-p", "web-one", "--anomaly", "500").of("use-anomaly") == ["stray"]


def test_nothing_is_changed_and_the_command_that_is_told_replaces_the_key(
    used: None, audit: Audit, run: Callable[..., Any], served: Any
) -> None:
    report = audit("-p", "web-one", "--rule", "use-anomaly", "--anomaly", "5").report
    assert not [method for method in served.methods() if method.startswith(("Update", "Create", "Delete"))]
    (fix,) = [each["fix"] for each in report["findings"] if each["keyName"] == "the busy key"]
    assert fix == "keyadmin keys compromised busy -p web-one --to SINK"
    words = shlex.split(fix.replace("SINK", "stdout"))[1:]
    done = run(*words, "--grace", "0s", "--yes", "--sandbox")
    assert done.code == 0, done.err
    left = audit("-p", "web-one", "--rule", "use-anomaly", "--anomaly", "5")
    assert left.of("use-anomaly") == ["stray"]


@pytest.mark.parametrize(("words", "why"), [
    (("--anomaly", "1"), "a number above 1"),
    (("--anomaly", "0"), "a number above 1"),
    (("--anomaly", "nan"), "a number above 1"),
    (("--anomaly", "many"), "--anomaly"),
    (("--rule", "use-anomaly"), "add --anomaly 5, say"),
])  # fmt: skip
def test_what_is_no_multiple_is_wrong_usage(run: Callable[..., Any], words: tuple[str, ...], why: str) -> None:
    done = run("audit", "-p", "web-one", *words)
    assert done.code == 2
    assert why in done.err


def test_where_use_may_not_be_read_it_finds_nothing_and_that_is_said(used: None, audit: Audit, served: Any) -> None:
    served.grant("lister@example.com", "apikeys.keys.list", "serviceusage.services.get", project="web-one")
    done = audit("-p", "web-one", "--anomaly", "5", user="lister@example.com")
    assert done.of("use-anomaly") == []
    assert "the use of keys is unknown" in done.run.err
