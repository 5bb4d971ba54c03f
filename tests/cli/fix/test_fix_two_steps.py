"""A key is contained and, in a later wave, replaced, by one plan: the second step goes by what the first wrote."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.fix.conftest import GEMINI, MAPS, Fixing

POLICY = """[[rule]]
projects = ["lab"]
sinks = ["secret-manager:projects/{project}/secrets/gemini-{lineage}"]
"""


@pytest.fixture
def policy(fixing: Fixing) -> list[str]:
    """An open standard key that is used for Gemini alone, and a policy with a sink for it."""
    fixing.seed("lab", fixing.seed_key("chat", age=30, use=[(GEMINI, 1, 50)]))
    path = fixing.folder / "policy.toml"
    path.write_text(POLICY)
    return ["--policy", str(path)]


def planned(fixing: Fixing, policy: list[str], *words: str) -> list[tuple[str, int]]:
    """The kinds and waves of a plan for that key."""
    plan = fixing.plan("--projects", "lab", "--key", "chat", *policy, *words)
    return [(each["kind"], each["wave"]) for each in plan["changes"]]


def test_contained_then_migrated_then_both_gone_back(fixing: Fixing, policy: list[str]) -> None:
    assert planned(fixing, policy, "--wave", "100%") == [("restrict-apis", 1), ("migrate", 2)]
    first = fixing.apply(*policy, "--only")
    assert first.code == 0, first.err
    assert fixing.targets("chat", "lab") == [GEMINI]
    assert "CreateKey" not in fixing.served.methods()
    second = fixing.apply(*policy, "--format", "json")
    assert second.code == 0, second.err
    assert [each["status"] for each in second.json["changes"]] == ["done", "under way"]
    fixing.served.seed(gemini={"rejectStandardKeys": False})
    back = fixing.undo()
    assert back.code == 0, back.err
    assert fixing.targets("chat", "lab") == [GEMINI], "its successor goes first"
    line = next(each for each in back.err.splitlines() if "rotation rollback" in each)
    assert "then this undo again" in line
    command = shlex.split(line[line.index("keyadmin ") + 9 : line.index(" (then")])
    assert fixing.type(*command, "--yes").code == 0
    again = fixing.undo()
    assert again.code == 0, again.err
    assert "rotation rollback" not in again.err
    assert fixing.targets("chat", "lab") == []


def test_the_whole_of_it_in_one_go(fixing: Fixing, policy: list[str]) -> None:
    planned(fixing, policy)
    assert fixing.apply(*policy).code == 0
    fixing.served.control("clock", {"advance": "25h"})
    assert fixing.apply(*policy, "--format", "json").json["summary"]["byStatus"] == {"done": 2}
    assert fixing.targets("chat", "lab") is None
    left = fixing.type("audit", "--projects", "lab", "--min-severity", "high", "--format", "json").json["findings"]
    assert not [each for each in left if each["key"].endswith("/chat")]


def test_a_stranger_between_the_steps_is_left_alone(fixing: Fixing, policy: list[str]) -> None:
    planned(fixing, policy)
    assert fixing.apply(*policy, "--only").code == 0
    fixing.stranger("chat", "lab")
    done = fixing.apply(*policy)
    assert done.code == 3
    assert "somebody else changed the key" in done.err
    assert "CreateKey" not in fixing.served.methods()


def test_a_first_step_that_was_undone_stops_the_second(fixing: Fixing, policy: list[str]) -> None:
    planned(fixing, policy)
    assert fixing.apply(*policy, "--only").code == 0
    assert fixing.undo("--key", "chat").code == 0
    dry = fixing.apply(*policy, "--dry-run")
    done = fixing.apply(*policy)
    assert (dry.code, done.code) == (3, 3)
    for said in (dry.err, done.err):
        assert "its first step, restrict-apis, was undone" in said
    assert "CreateKey" not in fixing.served.methods()


def test_a_plan_without_its_first_step_is_pinned_to_the_key_as_it_was(fixing: Fixing, policy: list[str]) -> None:
    planned(fixing, policy)
    fixing.edit(lambda plan: plan["changes"].pop(0))
    assert fixing.apply(*policy).code == 0
    assert "CreateKey" in fixing.served.methods()


def _swap(plan: Any) -> None:
    for change, wave in zip(plan["changes"], (2, 2), strict=True):
        change["wave"] = wave


def _double(plan: Any) -> None:
    plan["changes"].append(dict(plan["changes"][0], wave=3))


def _delete_first(plan: Any) -> None:
    plan["changes"][0] |= {"kind": "delete", "after": None}


@pytest.mark.parametrize(
    ("change", "place", "why"),
    [
        (_swap, "changes[1].wave", "that goes first"),
        (_double, "changes[2].key", "is in changes[0] too"),
        (_delete_first, "changes[1].key", "is in changes[0] too"),
    ],
)
def test_a_key_that_stands_twice_otherwise_is_refused(
    fixing: Fixing, policy: list[str], change: Callable[[Any], None], place: str, why: str
) -> None:
    planned(fixing, policy)
    fixing.edit(change)
    done = fixing.apply(*policy)
    assert done.code == 2
    assert place in done.err
    assert why in done.err


def test_without_a_sink_what_is_left_of_a_contained_key_is_named(fixing: Fixing, policy: list[str]) -> None:
    plan = fixing.plan("--projects", "lab", "--key", "chat")
    assert [each["kind"] for each in plan["changes"]] == ["restrict-apis"]
    (left,) = plan["left"]
    assert left["reason"] == "no-sink"
    assert "keys migrate chat" in left["command"]


def test_a_key_used_for_gemini_and_maps_is_contained_then_split(fixing: Fixing, policy: list[str]) -> None:
    fixing.seed("lab", fixing.seed_key("both-open", use=[(GEMINI, 1, 50), (MAPS, 1, 50)]))
    plan = fixing.plan("--projects", "lab", "--key", "both-open", *policy)
    assert [each["kind"] for each in plan["changes"]] == ["restrict-apis", "migrate"]
    assert fixing.apply(*policy).code == 0
    fixing.served.control("clock", {"advance": "25h"})
    assert fixing.apply(*policy).code == 0
    assert fixing.targets("both-open", "lab") == [MAPS]
