"""`guard status`: what stands where, in which mode, inherited, excepted, and what was refused lately."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cli.guard.conftest import ALONE, FOUR, ORG, TARGETS
from tests.cli.guard.wire import ask, set_policy


def _policies(done: Any) -> dict[tuple[str, str], tuple[str, bool]]:
    return {(each["node"], each["constraint"]): (each["mode"], each["inherited"]) for each in done.json["policies"]}


def test_nothing_stands_at_first(guard: Callable[..., Any]) -> None:
    done = guard("status", "--organization", "1000")
    assert done.code == 0, done.err
    assert "constraints of organizations/1000: none" in done.out
    assert "no policy of these constraints is set here" in done.out
    assert "iam.managed.disableServiceAccountApiKeyCreation" in done.out
    assert "enforced here" in done.out


def test_modes_places_exceptions_and_inheritance(guard: Callable[..., Any], org: Any) -> None:
    guard(
        "apply",
        "--organization",
        "1000",
        "--yes",
        "--constraint",
        "key-has-targets",
        "--enforce",
        "--except-tag",
        "1000/env=lab",
    )
    guard("apply", "--folder", "1001", "--yes", "--constraint", "gemini-alone")
    above = guard("status", "--organization", "1000", "--format", "json")
    assert _policies(above) == {(ORG, TARGETS): ("enforced", False), ("folders/1001", ALONE): ("dry-run", False)}
    assert {each["constraint"]: each["exceptions"] for each in above.json["policies"]} == {TARGETS: ["1000/env=lab"], ALONE: []}
    below = guard("status", "-p", "below-folder", "--format", "json")
    assert _policies(below) == {(ORG, TARGETS): ("enforced", True), ("folders/1001", ALONE): ("dry-run", True)}
    assert set(above.json["constraints"]) == {TARGETS, ALONE}
    assert "except for 1000/env=lab" in guard("status", "--organization", "1000").out


def test_anothers_policy_is_told_apart(guard: Callable[..., Any], org: Any) -> None:
    guard("apply", "--organization", "1000", "--yes", "--constraint", "key-has-targets")
    set_policy(org.rest, "folders/1001", TARGETS, spec={"rules": [{"enforce": False}]})
    found = guard("status", "--folder", "1001", "--format", "json").json["policies"]
    assert {each["node"]: (each["mode"], each["keyadmins"]) for each in found} == {
        ORG: ("dry-run", True),
        "folders/1001": ("off", False),
    }


def test_refusals_of_the_last_days_are_read_from_the_policy_log(guard: Callable[..., Any], org: Any) -> None:
    guard("apply", "--organization", "1000", "--yes")
    assert ask(org.rest, "POST", "/v2/projects/demo-project/locations/global/keys?keyId=open-now", {})[0] == 200
    (found,) = guard("status", "--organization", "1000", "--format", "json").json["refusals"]
    assert (found["constraint"], found["method"], found["dryRun"]) == (TARGETS, "CreateKey", True)
    assert found["principal"] == "owner@example.com"
    assert "would have been refused in dry run: 1" in guard("status", "--organization", "1000").out
    org.control("clock", {"advance": "8d"})
    assert guard("status", "--organization", "1000", "--format", "json").json["refusals"] == []
    assert len(guard("status", "--organization", "1000", "--since", "30d", "--format", "json").json["refusals"]) == 1
    assert guard("status", "--organization", "1000", "--since", "1h").code == 2


def test_what_may_not_be_read_is_unknown(guard: Callable[..., Any], org: Any) -> None:
    guard("apply", "--organization", "1000", "--yes")
    for method in ("ListCustomConstraints", "ListLogEntries", "SearchAllResources"):
        org.control("faults", {"method": method, "code": "PERMISSION_DENIED", "times": 9, "when": "before"})
    done = guard("status", "--organization", "1000", "--format", "json")
    assert done.code == 0
    assert done.json["constraints"] is None
    assert len(done.json["unknown"]) == 3
    assert set(_policies(done)) == {(ORG, name) for name in FOUR}
    assert done.err.count("Not known:") == 3
