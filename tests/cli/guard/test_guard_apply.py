"""`guard apply` and `guard remove`: dry run, enforced, excepted by tag, taken away; nothing of others is touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.guard.conftest import CLIENTS, FOUR, GEMINI, ON, ORG, TARGETS
from tests.cli.guard.wire import ask, constraints, make_constraint, policies, set_policy

KEYS = "/v2/projects/demo-project/locations/global/keys"


def test_a_first_apply_sets_dry_runs_and_refuses_nobody(guard: Callable[..., Any], org: Any) -> None:
    done = guard("apply", "--organization", "1000", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert constraints(org.rest) == sorted(FOUR)
    assert policies(org.rest, ORG) == {name: {"dryRunSpec": ON} for name in FOUR}
    assert {step["status"] for step in done.json["steps"]} == {"done"}
    assert done.json["mode"] == "dry-run"
    assert "15 minutes" in str(done.json["notes"])
    assert ask(org.rest, "POST", f"{KEYS}?keyId=open-now", {})[0] == 200


def test_enforcing_shows_the_rehearsal_asks_and_refuses_in_googles_form(guard: Callable[..., Any], org: Any) -> None:
    guard("apply", "--organization", "1000", "--yes")
    asked = guard("apply", "--organization", "1000", "--enforce")
    assert asked.code == 2
    assert "no terminal" in asked.err
    assert "would refuse 5 of the 7 keys" in asked.err
    assert policies(org.rest, ORG)[TARGETS] == {"dryRunSpec": ON}
    done = guard("apply", "--organization", "1000", "--enforce", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["seen"] is True
    assert done.json["rehearsal"]["keys"] == 7
    assert policies(org.rest, ORG) == {name: {"spec": ON} for name in FOUR}
    status, answer = ask(org.rest, "POST", f"{KEYS}?keyId=open-now", {})
    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert "Name the APIs that it is for" in answer["error"]["message"]


def test_the_same_command_again_writes_nothing(guard: Callable[..., Any], org: Any) -> None:
    guard("apply", "--organization", "1000", "--yes", "--enforce")
    before = len(org.methods())
    again = guard("apply", "--organization", "1000", "--yes", "--enforce", "--format", "json")
    assert again.code == 0
    assert again.json["steps"] == []
    assert len(again.json["standing"]) == 4
    assert not [method for method in org.methods()[before:] if method.startswith(("Create", "Update", "Delete"))]
    plain = guard("apply", "--organization", "1000", "--yes", "--format", "json")
    assert plain.json["steps"] == []  # what is enforced does not go back to a dry run
    assert policies(org.rest, ORG)[TARGETS] == {"spec": ON}


def test_one_constraint_on_creations_in_a_folder(guard: Callable[..., Any], org: Any) -> None:
    line = ("--folder", "1001", "--constraint", "key-has-targets", "--creations-only", "--yes", "--enforce")
    assert guard("apply", *line).code == 0
    assert constraints(org.rest) == [TARGETS]
    assert policies(org.rest, "folders/1001") == {TARGETS: {"spec": ON}}
    assert policies(org.rest, ORG) == {}
    below = "/v2/projects/below-folder/locations/global/keys"
    assert ask(org.rest, "POST", f"{below}?keyId=open-now", {})[0] == 400
    assert ask(org.rest, "PATCH", f"{below}/loose?updateMask=annotations", {"annotations": {"a": "b"}})[0] == 200
    assert ask(org.rest, "POST", f"{KEYS}?keyId=open-now", {})[0] == 200
    wider = guard("plan", "--folder", "1001", "--constraint", "key-has-targets", "--changes-too", "--format", "json")
    assert [(step["action"], step["kind"]) for step in wider.json["steps"]] == [("update", "constraint")]
    kept = guard("plan", "--folder", "1001", "--constraint", "key-has-targets", "--format", "json")
    assert [step["kind"] for step in kept.json["steps"]] == []  # without the option it stays on creations


def _tag(org: Any, project: str) -> None:
    """`1000/env` = `lab` on a project."""
    made = ask(org.rest, "POST", "/v3/tagKeys", {"parent": ORG, "shortName": "env"})
    assert made[0] == 200, made
    key = ask(org.rest, "GET", "/v3/tagKeys/namespaced?name=1000/env")[1]["name"]
    ask(org.rest, "POST", "/v3/tagValues", {"parent": key, "shortName": "lab"})
    value = ask(org.rest, "GET", "/v3/tagValues/namespaced?name=1000/env/lab")[1]["name"]
    number = ask(org.rest, "GET", f"/v3/projects/{project}")[1]["name"]
    bound = ask(
        org.rest, "POST", "/v3/tagBindings", {"parent": f"//cloudresourcemanager.googleapis.com/{number}", "tagValue": value}
    )
    assert bound[0] == 200, bound


def test_an_exception_by_tag_passes(guard: Callable[..., Any], org: Any) -> None:
    _tag(org, "demo-project")
    line = ("apply", "--organization", "1000", "--constraint", "key-has-targets", "--enforce", "--yes")
    assert guard(*line, "--except-tag", "1000/env=lab").code == 0
    rules = policies(org.rest, ORG)[TARGETS]["spec"]["rules"]
    conditional = [rule for rule in rules if "condition" in rule]
    assert [rule["condition"]["expression"] for rule in conditional] == ["resource.matchTag('1000/env', 'lab')"]
    assert not conditional[0].get("enforce")
    assert sum("condition" not in rule for rule in rules) == 1
    assert ask(org.rest, "POST", f"{KEYS}?keyId=open-now", {})[0] == 200
    assert ask(org.rest, "POST", "/v2/projects/below-folder/locations/global/keys?keyId=open-now", {})[0] == 400
    assert guard(*line, "--format", "json").json["steps"] == []  # without the option the exception stays
    other = guard(
        "plan", "--organization", "1000", "--constraint", "key-has-targets", "--except-tag", "1000/env=prod", "--format", "json"
    )
    assert [step["action"] for step in other.json["steps"]] == ["update"]


def test_gemini_is_kept_out_of_a_folder_beside_what_is_inherited(guard: Callable[..., Any], org: Any) -> None:
    line = ("--folder", "1001", "--constraint", "gemini-alone", "--deny-gemini", "--yes")
    done = guard("apply", *line)
    assert done.code == 0, done.err
    assert "stops running keys" in done.err
    assert "not confirmed" in done.err
    denied = {"rules": [{"values": {"deniedValues": [GEMINI]}}], "inheritFromParent": True}
    assert policies(org.rest, "folders/1001")["gcp.restrictServiceUsage"] == {"dryRunSpec": denied}
    assert "apikeys.googleapis.com" not in str(policies(org.rest, "folders/1001"))
    refused = guard("apply", "--organization", "1000", "--deny-gemini", "--yes")
    assert refused.code == 2
    assert guard("remove", "--folder", "1001", "--yes").code == 0
    assert policies(org.rest, "folders/1001") == {}


def test_it_is_taken_away_again_and_nothing_of_others_is_touched(guard: Callable[..., Any], org: Any) -> None:
    make_constraint(org.rest, "custom.another")
    set_policy(org.rest, ORG, "custom.another", spec=ON)
    set_policy(
        org.rest, ORG, "gcp.restrictServiceUsage", spec={"rules": [{"values": {"deniedValues": ["vision.googleapis.com"]}}]}
    )
    before = policies(org.rest, ORG)
    guard("apply", "--organization", "1000", "--yes", "--enforce")
    guard("apply", "--folder", "1001", "--yes", "--constraint", "no-open-clients")
    dry = guard("remove", "--organization", "1000", "--yes", "--dry-run", "--format", "json")
    assert dry.code == 0, dry.err
    assert set(FOUR) <= set(policies(org.rest, ORG))
    assert dry.json.get("dryRun") is True
    removed = guard("remove", "--organization", "1000", "--yes", "--format", "json")
    assert removed.code == 0, removed.err
    assert policies(org.rest, ORG) == before
    assert "the policy on folder 1001 names it" in str(removed.json["leftAlone"])
    assert constraints(org.rest) == ["custom.another", CLIENTS]
    assert guard("remove", "--folder", "1001", "--yes").code == 0
    assert constraints(org.rest) == ["custom.another"]
    assert policies(org.rest, ORG) == before


@pytest.mark.parametrize(
    "spec",
    [
        {"rules": [{"enforce": False}]},
        {
            "rules": [
                {"enforce": True},
                {"condition": {"expression": "resource.matchTagId('tagKeys/1', 'tagValues/1')"}, "enforce": False},
            ]
        },
    ],
    ids=["not enforced", "another exception"],
)
def test_a_policy_that_is_not_exactly_keyadmins_stays(guard: Callable[..., Any], org: Any, spec: dict[str, Any]) -> None:
    guard("apply", "--organization", "1000", "--yes", "--enforce", "--constraint", "key-has-targets")
    ask(org.rest, "DELETE", f"/v2/{ORG}/policies/{TARGETS}")
    set_policy(org.rest, ORG, TARGETS, spec=spec)
    before = policies(org.rest, ORG)
    removed = guard("remove", "--organization", "1000", "--yes", "--format", "json")
    assert removed.code == 0
    assert "not exactly" in str(removed.json["leftAlone"])
    assert policies(org.rest, ORG) == before
    assert constraints(org.rest) == [TARGETS]


def test_where_policies_elsewhere_may_not_be_searched_constraints_stay(guard: Callable[..., Any], org: Any) -> None:
    guard("apply", "--organization", "1000", "--yes")
    org.control("faults", {"method": "SearchAllResources", "code": "PERMISSION_DENIED", "times": 9, "when": "before"})
    removed = guard("remove", "--organization", "1000", "--yes", "--format", "json")
    assert removed.code == 0, removed.err
    assert policies(org.rest, ORG) == {}
    assert constraints(org.rest) == sorted(FOUR)
    assert "not known" in str(removed.json["leftAlone"])


def test_propagation_is_waited_for_within_bounds(guard: Callable[..., Any], org: Any) -> None:
    org.control("propagation", {"policy": "30m"})
    done = guard(
        "apply",
        "--organization",
        "1000",
        "--constraint",
        "gemini-alone",
        "--enforce",
        "--yes",
        "--wait",
        "0s",
        "--format",
        "json",
    )
    assert done.code == 0, done.err
    assert done.json["seen"] is False
    assert "15 minutes" in str(done.json["notes"])


def test_dry_run_changes_nothing(guard: Callable[..., Any], org: Any) -> None:
    before = len(org.methods())
    dry = guard("apply", "--organization", "1000", "--enforce", "--dry-run", "--format", "json")
    assert dry.code == 0
    assert dry.json["dryRun"] is True
    assert dry.json["rehearsal"]["refused"]
    assert constraints(org.rest) == []
    changing = [method for method in org.methods()[before:] if method.startswith(("Create", "Update", "Delete"))]
    assert set(changing) <= {"CreateOrgPolicyViolationsPreview"}


def test_a_declined_question_changes_nothing(cli: Callable[..., Any], org: Any) -> None:
    line = ("guard", "apply", "--organization", "1000", "--enforce")
    said = cli(*line, env={"KEYADMIN_SANDBOX": org.rest}, stdin="n\n", terminal=True)
    assert said.code == 1
    assert "Enforce this on organisation 1000" in said.err
    assert constraints(org.rest) == []
