"""A dry run of `guard apply` and `guard remove` ends as the run does, in the same words, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.guard.conftest import ALONE, ON, ORG, TARGETS
from tests.cli.guard.wire import constraints, make_constraint, policies, set_policy

HERE = ("--organization", "1000", "--constraint", "gemini-alone", "--constraint", "key-has-targets")
READER = "reader@example.com"


def _standing(org: Any) -> Any:
    return constraints(org.rest), policies(org.rest, ORG)


def _said(step: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in step.items() if name in ("kind", "action", "words", "constraint", "node")}


def _both(guard: Callable[..., Any], org: Any, verb: str, user: str = "owner@example.com") -> Any:
    """Dry, then for real; what the run said."""
    before = _standing(org)
    dry = guard(verb, *HERE, "--dry-run", "--format", "json", user=user)
    assert _standing(org) == before
    done = guard(verb, *HERE, "--yes", "--format", "json", user=user)
    assert dry.code == done.code, (dry.err, done.err)
    if done.code:
        assert (dry.error["cause"], dry.error["message"]) == (done.error["cause"], done.error["message"])
        assert _standing(org) == before
    else:
        assert [_said(step) for step in dry.json["steps"]] == [_said(step) for step in done.json["steps"]]
    return done


def _applied(guard: Callable[..., Any]) -> None:
    assert guard("apply", *HERE, "--yes").code == 0


@pytest.mark.parametrize("state", ["nothing", "changed in between", "no permission", "too many"])
def test_apply(guard: Callable[..., Any], org: Any, state: str) -> None:
    if state == "changed in between":
        assert guard("apply", *HERE, "--dry-run").code == 0
        make_constraint(org.rest, TARGETS)
    if state == "too many":
        for number in range(19):
            make_constraint(org.rest, f"custom.other{number}")
    if state == "no permission":
        reads = {"roles/orgpolicy.policyViewer": [f"user:{READER}"]}
        org.seed(organizations=[{"name": ORG, "displayName": "example.com", "iam": reads}])
    done = _both(guard, org, "apply", READER if state == "no permission" else "owner@example.com")
    assert done.code == (0 if state == "nothing" else 1)


@pytest.mark.parametrize("state", ["nothing", "changed in between", "no permission"])
def test_remove(guard: Callable[..., Any], org: Any, state: str) -> None:
    _applied(guard)
    if state == "changed in between":
        set_policy(org.rest, "folders/1001", ALONE, spec={"rules": [{"enforce": False}]})
    if state == "no permission":
        reads = {"roles/orgpolicy.policyViewer": [f"user:{READER}"]}
        org.seed(organizations=[{"name": ORG, "displayName": "example.com", "iam": reads}])
    done = _both(guard, org, "remove", READER if state == "no permission" else "owner@example.com")
    assert done.code == (1 if state == "no permission" else 0)
    if state == "changed in between":  # somebody else's policy, and what it needs, stay
        assert ALONE in policies(org.rest, "folders/1001")
        assert constraints(org.rest) == [ALONE]
        assert policies(org.rest, ORG) == {}
    if state == "nothing":
        assert _standing(org) == ([], {})


def test_what_stands_is_what_was_shown(guard: Callable[..., Any], org: Any) -> None:
    _both(guard, org, "apply")
    assert policies(org.rest, ORG) == {name: {"dryRunSpec": ON} for name in sorted((ALONE, TARGETS))}
