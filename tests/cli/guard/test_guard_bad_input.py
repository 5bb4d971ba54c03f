"""What is in the way: nothing is changed, place and permission are named, exit 1; half applied, the same command continues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.guard.conftest import ALONE, FOUR, ON, ORG, TARGETS
from tests.cli.guard.wire import ask, constraints, make_constraint, policies, set_policy

APPLY = ("apply", "--organization", "1000", "--yes")


def _unchanged(guard: Callable[..., Any], org: Any, *line: str, user: str = "owner@example.com") -> Any:
    """Run a line that is to change nothing."""
    before = (constraints(org.rest), policies(org.rest, ORG), policies(org.rest, "folders/1001"))
    done = guard(*line, "--format", "json", user=user)
    assert done.code == 1, (done.out, done.err)
    assert (constraints(org.rest), policies(org.rest, ORG), policies(org.rest, "folders/1001")) == before
    return done


def test_twenty_constraints_are_there_already(guard: Callable[..., Any], org: Any) -> None:
    for number in range(18):
        make_constraint(org.rest, f"custom.other{number}")
    done = _unchanged(guard, org, *APPLY)
    assert "18 of at most 20" in done.error["message"]
    assert "list-custom-constraints --organization=1000" in str(done.error["fix"])
    assert guard(*APPLY, "--constraint", "gemini-alone", "--constraint", "key-has-targets").code == 0


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry run"])
def test_anothers_constraint_has_the_name(guard: Callable[..., Any], org: Any, dry: tuple[str, ...]) -> None:
    make_constraint(org.rest, TARGETS)
    done = _unchanged(guard, org, *APPLY, *dry)
    assert "organisation 1000" in done.error["message"]
    assert TARGETS in done.error["message"]
    assert "describe-custom-constraint" in str(done.error["fix"])


def test_anothers_policy_is_in_the_place(guard: Callable[..., Any], org: Any) -> None:
    guard("apply", "--organization", "1000", "--yes", "--constraint", "gemini-alone")
    set_policy(org.rest, "folders/1001", ALONE, spec={"rules": [{"enforce": False}]})
    done = _unchanged(guard, org, "apply", "--folder", "1001", "--yes")
    assert "folder 1001 has a policy for custom.keyadminGeminiAlone that keyadmin did not write" in done.error["message"]
    denied = {"rules": [{"values": {"deniedValues": ["vision.googleapis.com"]}}]}
    set_policy(org.rest, "folders/1001", "gcp.restrictServiceUsage", spec=denied)
    line = ("apply", "--folder", "1001", "--yes", "--constraint", "key-has-targets", "--deny-gemini")
    assert "gcp.restrictServiceUsage" in _unchanged(guard, org, *line).error["message"]


def test_without_permission_place_and_permission_are_named(guard: Callable[..., Any], org: Any) -> None:
    done = _unchanged(guard, org, *APPLY, user="nobody@example.com")
    assert done.error["cause"] == "missing-iam-permission"
    assert done.error["permission"] == "orgpolicy.customConstraints.list"
    assert "organisation 1000" in done.error["message"]
    assert "gcloud organizations add-iam-policy-binding 1000" in str(done.error["fix"])
    reader = {"roles/orgpolicy.policyViewer": ["user:reader@example.com"]}
    org.seed(organizations=[{"name": ORG, "displayName": "example.com", "iam": reader}])
    ask(org.rest, "GET", f"/v2/{ORG}/policies", as_="reader@example.com")
    done = guard(*APPLY, "--format", "json", user="reader@example.com")
    assert done.code == 1
    assert done.error["permission"] == "orgpolicy.customConstraints.create"
    dry = guard("plan", "--organization", "1000", "--format", "json", user="reader@example.com")
    assert (dry.code, dry.error["message"]) == (1, done.error["message"])


@pytest.mark.parametrize("tag", ["env=lab", "1000/env", "1000/env=a'b", "1000/env=lab') || true", "/env=lab", ""])
def test_a_malformed_tag(guard: Callable[..., Any], org: Any, tag: str) -> None:
    done = _unchanged(guard, org, *APPLY, "--except-tag", tag)
    assert "not a tag; nothing was changed" in done.error["message"]


def test_more_tags_than_a_condition_has_room_for(guard: Callable[..., Any], org: Any) -> None:
    tags = [word for number in range(11) for word in ("--except-tag", f"1000/env=lab{number}")]
    assert "room for 10" in _unchanged(guard, org, *APPLY, *tags).error["message"]


def test_without_an_organisation_audits_on_a_schedule_are_advised(guard: Callable[..., Any], org: Any) -> None:
    done = guard("apply", "-p", "alone-project", "--yes", "--format", "json")
    assert done.code == 1
    assert "organisation policies need an organisation" in done.error["message"]
    assert "audit schedule" in str(done.error["fix"])


def test_half_applied_says_what_stands_and_the_same_command_goes_on(guard: Callable[..., Any], org: Any) -> None:
    org.control("faults", {"method": "CreatePolicy", "code": "INTERNAL", "times": 9, "when": "before"})
    stopped = guard(*APPLY)
    assert stopped.code == 1
    assert "done before: make the constraint custom.keyadminKeyHasTargets" in stopped.err
    assert "not done: set the policy for custom.keyadminKeyHasTargets" in stopped.err
    assert "run the same command again" in stopped.err
    assert constraints(org.rest) == sorted(FOUR)
    org.control("faults", method="DELETE")
    again = guard(*APPLY, "--format", "json")
    assert again.code == 0, again.err
    assert {step["kind"] for step in again.json["steps"]} == {"policy"}
    assert policies(org.rest, ORG) == {name: {"dryRunSpec": ON} for name in FOUR}


def test_other_writes_at_the_same_place_are_waited_for(guard: Callable[..., Any], org: Any) -> None:
    org.control("faults", {"method": "CreatePolicy", "code": "ABORTED", "times": 1, "when": "before"})
    done = guard("apply", "--organization", "1000", "--yes", "--constraint", "gemini-alone")
    assert done.code == 0, done.err
    assert policies(org.rest, ORG) == {ALONE: {"dryRunSpec": ON}}


def test_a_lost_answer_is_no_failure(guard: Callable[..., Any], org: Any) -> None:
    for method in ("CreateCustomConstraint", "CreatePolicy"):
        org.control("faults", {"method": method, "code": "UNAVAILABLE", "times": 1, "when": "after"})
    assert guard("apply", "--organization", "1000", "--yes", "--constraint", "gemini-alone").code == 0
    assert policies(org.rest, ORG) == {ALONE: {"dryRunSpec": ON}}
    for method in ("DeleteCustomConstraint", "DeletePolicy"):
        org.control("faults", {"method": method, "code": "UNAVAILABLE", "times": 1, "when": "after"})
    assert guard("remove", "--organization", "1000", "--yes").code == 0
    assert constraints(org.rest) == []


def test_a_wrong_name_is_wrong_usage(guard: Callable[..., Any]) -> None:
    assert guard("plan", "--organization", "1000", "--constraint", "nothing").code == 2
    assert guard("plan", "--organization", "1000", "--as", "pulumi").code == 2
    assert guard("plan", "--organization", "1000", "--folder", "1001").code == 2
