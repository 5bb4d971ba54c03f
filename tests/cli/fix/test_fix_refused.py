"""Plans that may not be applied: of others, too old, malformed. Exit code 2, with the place and the reason."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from tests.cli.fix.conftest import ORGANIZATION, Fixing


def first(plan: Any) -> Any:
    return plan["changes"][0]


WRONG: dict[str, tuple[Callable[[Any], None], str]] = {
    "no run": (lambda plan: plan.pop("run"), "run: missing"),
    "another document": (lambda plan: plan.update(document="x"), "document"),
    "a version to come": (lambda plan: plan.update(schemaVersion=9), "schemaVersion"),
    "a run that leads elsewhere": (lambda plan: plan.update(run="../../x"), "run: "),
    "changes are no list": (lambda plan: plan.update(changes={}), "changes: expected a list"),
    "an unknown kind": (lambda plan: first(plan).update(kind="open"), "changes[0].kind: expected one of"),
    "no full name": (lambda plan: first(plan).update(key="map"), "changes[0].key"),
    "a key twice": (lambda plan: plan["changes"].append(first(plan)), "is in changes[0] too"),
    "no etag": (lambda plan: first(plan).update(etag=""), "changes[0].etag"),
    "a number as text": (lambda plan: first(plan).update(wave="1"), "changes[0].wave: expected a whole number"),
    "wave 0": (lambda plan: first(plan).update(wave=0), "changes[0].wave: expected at least 1"),
    "an unknown restriction": (lambda plan: first(plan).update(before={"x": 1}), "changes[0].before.x"),
    "two kinds of client": (
        lambda plan: first(plan).update(before={"serverKeyRestrictions": {}, "iosKeyRestrictions": {}}),
        "more than one kind",
    ),
    "no time": (lambda plan: plan.update(created="yesterday"), "created"),
    "no object": (lambda plan: plan.update(scope=[]), "scope: expected an object"),
    "a pause of years": (lambda plan: plan.update(waves=[{"wave": 1, "pause": "900d"}]), "waves[0].pause"),
    "a narrowing to nothing": (lambda plan: plan["changes"][-1].update(after=None), "].after: missing"),
}


def test_a_malformed_plan_is_refused_with_its_place(fixing: Fixing) -> None:
    plan = fixing.plan()
    for wrong, (change, place) in WRONG.items():
        edited = copy.deepcopy(plan)
        change(edited)
        (fixing.folder / "plan.json").write_text(json.dumps(edited))
        done = fixing.apply()
        assert done.code == 2, f"{wrong}: {done.err}"
        assert place in done.err, wrong
        assert "plan.json" in done.err, wrong
    assert "UpdateKey" not in fixing.served.methods()


def test_what_is_no_plan_at_all_is_refused(fixing: Fixing) -> None:
    for text, place in (("{", "line 1"), ("[" * 100_000, "nested"), ("null", "expected an object"), ("\xff", "not UTF-8")):
        (fixing.folder / "plan.json").write_bytes(text.encode("latin-1"))
        done = fixing.apply()
        assert done.code == 2, done.err
        assert place in done.err


def test_a_plan_that_is_not_there(fixing: Fixing) -> None:
    assert fixing.apply(name="nowhere.json").code == 2
    assert fixing.undo(name="nowhere.json").code == 2
    assert fixing.type("audit", "undo", "fix-20261129-000000-00000000", "--yes").code == 2


def test_a_stale_plan_is_refused_by_the_server_s_clock(fixing: Fixing) -> None:
    fixing.plan()
    fixing.served.control("clock", {"advance": "8d"})
    done = fixing.apply()
    assert done.code == 2
    assert "8 d" in done.err
    assert "--stale-ok" in done.err
    assert "UpdateKey" not in fixing.served.methods()
    assert fixing.apply("--stale-ok").code == 0


def test_a_plan_from_the_future_is_refused(fixing: Fixing) -> None:
    fixing.plan()
    fixing.edit(lambda plan: plan.update(created="2050-01-01T00:00:00Z"))
    assert fixing.apply().code == 2


def test_a_plan_for_another_organisation_is_refused(fixing: Fixing) -> None:
    fixing.plan()
    other = "somebody@other.example"
    fixing.served.seed(
        organizations=[
            {"name": "organizations/88", "displayName": "other.example", "iam": {"roles/browser": [f"user:{other}"]}}
        ]
    )
    done = fixing.apply(user=other)
    assert done.code == 2
    assert "organizations/77" in done.err
    assert "organizations/88" in done.err


def test_another_scope_on_the_command_line_is_refused(fixing: Fixing) -> None:
    fixing.plan()
    fixing.seed("elsewhere", parent="organizations/88")
    assert fixing.apply("--organization", "77").code == 0
    done = fixing.apply("--organization", "88")
    assert done.code == 2
    assert "organizations/77" in done.err


def test_a_journal_of_another_run_is_refused(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    fixing.plan(name="other.json")
    (fixing.folder / "other.json").replace(fixing.folder / "plan.json")
    done = fixing.apply()
    assert done.code == 2
    assert "run.jsonl" in done.err
    path = fixing.folder / "plan.json.run.jsonl"
    path.write_text(path.read_text().replace('"step":"begin"', '"step":"forged"'))
    assert fixing.undo().code == 2


def test_a_journal_cut_off_in_a_line_is_gone_on_with(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    path = fixing.folder / "plan.json.run.jsonl"
    path.write_text(path.read_text()[:-20])
    assert fixing.apply().code == 0
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_plan_of_google_is_not_applied_in_the_sandbox(fixing: Fixing) -> None:
    fixing.plan()
    fixing.edit(lambda plan: plan.update(sandbox=False))
    done = fixing.apply()
    assert done.code == 2
    assert "this is the sandbox" in done.err


def test_who_may_not_look_below_the_scope_is_told_when_the_plan_is_made_and_what_to_grant(fixing: Fixing) -> None:
    """The inventory shows the keys to `roles/owner`, which does not hold `resourcemanager.folders.list`."""
    boss = "boss@example.com"
    owner = {"roles/owner": [f"user:{boss}"]}
    fixing.served.seed(organizations=[{"name": ORGANIZATION, "displayName": "77.example", "iam": owner}])
    plan = ["audit", "fix", "--organization", "77"]
    planned = fixing.type(*plan, "--out", str(fixing.folder / "plan.json"), user=boss)
    assert planned.code == 0, planned.err
    applied = fixing.apply(user=boss)
    at_once = fixing.type(*plan, terminal=True, stdin="y\n", user=boss)
    assert (applied.code, at_once.code) == (2, 2)
    for done in (planned, applied, at_once):
        assert "resourcemanager.folders.list" in done.err
        assert "gcloud organizations add-iam-policy-binding ORGANIZATION_ID --member=user:" in done.err
        assert "--role=roles/browser" in done.err
        assert "--help" not in done.err
    assert "[y/N]" not in at_once.out + at_once.err, "it asks no question that it could not act on"
    assert not {"UpdateKey", "DeleteKey"} & set(fixing.served.methods())
