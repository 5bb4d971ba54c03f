"""audit fix --apply: each change once, nobody else's change overwritten, nothing trusted for standing in the file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.fix.conftest import GEMINI, MAPS, TRANSLATE, Fixing
from tests.webhook import receiving


def writes(fixing: Fixing) -> list[str]:
    return [name for name in fixing.served.methods() if name.startswith(("Update", "Delete", "Undelete"))]


def test_a_plan_is_carried_out_and_written_down(fixing: Fixing) -> None:
    plan = fixing.plan()
    done = fixing.apply("--format", "json")
    assert done.code == 0, done.err
    assert {each["status"] for each in done.json["changes"]} == {"done"}
    assert fixing.targets("map") == [MAPS]
    assert fixing.targets("both") == [MAPS]
    assert fixing.targets("nobody") is None
    assert fixing.targets("words", "lab") == [TRANSLATE]
    for key, project in (("map", "shop"), ("both", "shop"), ("nobody", "shop"), ("words", "lab")):
        assert fixing.key(key, project).get("annotations") == {"keyadmin-fix": plan["run"]}
        assert fixing.steps(key) == ["begin", "done"]
    assert fixing.targets("young") == []
    assert fixing.targets("gemini") == [GEMINI]


def test_applied_again_nothing_is_done_twice(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    before = writes(fixing)
    again = fixing.apply()
    assert again.code == 0
    assert writes(fixing) == before


def test_planned_shown_asked_about_and_done(fixing: Fixing) -> None:
    declined = fixing.type("audit", "fix", "--organization", "77", "--observe", "0s", terminal=True, stdin="n\n")
    assert declined.code == 1
    assert "4 changes in 2 projects" in declined.err
    assert writes(fixing) == []
    done = fixing.type("audit", "fix", "--organization", "77", "--observe", "0s", terminal=True, stdin="y\n")
    assert done.code == 0, done.err
    assert fixing.targets("map") == [MAPS]
    (plan,) = (fixing.folder / "data" / "keyadmin" / "fixes").glob("*.json")
    run = plan.stem
    assert f"audit undo {run}" in done.err
    back = fixing.type("audit", "undo", run, "--yes")
    assert back.code == 0, back.err
    assert fixing.targets("map") == []


def test_a_stranger_s_change_is_skipped_and_said(fixing: Fixing) -> None:
    fixing.plan()
    fixing.stranger("both")
    fixing.stranger("nobody")
    done = fixing.apply()
    assert done.code == 3
    assert "2 of 4 changes could not be made" in done.err
    assert "audit fix --organization 77 --dry-run" in done.err
    assert "somebody else changed the key" in done.err
    assert fixing.targets("both") == [GEMINI, MAPS]
    assert fixing.key("both")["displayName"] == "not yours"
    assert fixing.targets("nobody") == []
    assert fixing.targets("map") == [MAPS]
    assert fixing.steps("both") == ["skipped"]


def test_a_key_that_somebody_else_deleted_is_not_ours(fixing: Fixing) -> None:
    fixing.plan()
    fixing.api("/v2/projects/shop/locations/global/keys/nobody", "DELETE")
    done = fixing.apply()
    assert done.code == 3
    assert fixing.steps("nobody") == ["skipped"]
    back = fixing.undo()
    assert back.code == 0, back.err
    assert fixing.targets("nobody") is None


def test_a_dry_run_ends_as_the_run_would(fixing: Fixing) -> None:
    fixing.plan()
    assert fixing.apply("--dry-run").code == 0
    fixing.stranger("both")
    done = fixing.apply("--dry-run")
    assert done.code == 3
    assert "could not be made" in done.err
    assert writes(fixing) == ["UpdateKey"], "the stranger's"
    assert not (fixing.folder / "plan.json.run.jsonl").exists()


def test_a_key_used_again_is_not_deleted(fixing: Fixing) -> None:
    fixing.plan()
    used = fixing.seed_key("nobody") | {"use": [{"service": MAPS, "at": fixing.ago(minutes=1)}]}
    etag = fixing.key("nobody")["etag"]
    fixing.seed("shop", used)
    fixing.edit(lambda plan: _set(plan, "nobody", "etag", fixing.key("nobody")["etag"]))
    assert etag
    done = fixing.apply()
    assert done.code == 3
    assert "used again" in done.err
    assert fixing.targets("nobody") == []


def test_a_key_used_for_something_else_now_is_not_narrowed(fixing: Fixing) -> None:
    fixing.plan()
    used = fixing.seed_key("map") | {"use": [{"service": TRANSLATE, "at": fixing.ago(minutes=1)}]}
    fixing.seed("shop", used)
    fixing.edit(lambda plan: _set(plan, "map", "etag", fixing.key("map")["etag"]))
    done = fixing.apply()
    assert done.code == 3
    assert f"used for {TRANSLATE} now" in done.err
    assert fixing.targets("map") == []


def test_a_change_is_not_made_where_use_cannot_be_read_any_more(fixing: Fixing) -> None:
    fixing.plan()
    fixing.served.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 99})
    done = fixing.apply()
    assert done.code == 3
    assert writes(fixing) == []


def _set(plan: Any, key: str, name: str, value: Any) -> None:
    next(each for each in plan["changes"] if each["key"].endswith(f"/{key}"))[name] = value


def _as(plan: Any, kind: str, *services: str) -> None:
    _set(plan, "both", "kind", kind)
    _set(plan, "both", "after", {"apiTargets": [{"service": each} for each in services]})


EDITS: dict[str, tuple[Callable[[Any], None], str]] = {
    "wider": (lambda plan: _set(plan, "both", "after", {"apiTargets": [{"service": MAPS}, {"service": TRANSLATE}]}), "both"),
    "wider under another name": (lambda plan: _as(plan, "restrict-apis", MAPS, TRANSLATE), "both"),
    "open": (lambda plan: _set(plan, "both", "after", {}), "both"),
    "keeps Gemini": (lambda plan: _set(plan, "both", "after", {"apiTargets": [{"service": GEMINI}]}), "both"),
    "another etag": (lambda plan: _set(plan, "both", "etag", 'W/"another"'), "both"),
    "another project": (
        lambda plan: _set(plan, "both", "key", "projects/123456/locations/global/keys/both"),
        "both",
    ),
    "clients under another name": (
        lambda plan: _set(plan, "both", "kind", "restrict-clients"),
        "both",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_nothing_is_trusted_for_standing_in_the_file(fixing: Fixing, edit: str) -> None:
    fixing.plan()
    change, key = EDITS[edit]
    before = fixing.key(key)
    fixing.edit(change)
    done = fixing.apply()
    assert done.code == 3, done.err
    assert "was edited since it was written" in done.err
    assert fixing.key(key) == before
    assert fixing.targets("map") == [MAPS], "the others are done"


def test_a_key_outside_the_scope_is_left_alone(fixing: Fixing) -> None:
    whole = fixing.plan()
    fixing.plan("--projects", "lab", name="lab.json")
    stray = next(each for each in whole["changes"] if each["key"].endswith("/map"))
    fixing.edit(lambda plan: plan["changes"].append(stray), "lab.json")
    done = fixing.apply(name="lab.json")
    assert done.code == 3
    assert "not in the scope of the plan" in done.err
    assert fixing.targets("map") == []
    assert fixing.targets("words", "lab") == [TRANSLATE]


def test_people_may_drop_and_reorder_changes_and_set_waves(fixing: Fixing) -> None:
    fixing.plan()

    def edit(plan: Any) -> None:
        plan["changes"] = [each for each in reversed(plan["changes"]) if not each["key"].endswith("/nobody")]
        for each in plan["changes"]:
            each["wave"] = 7
        plan["waves"] = []

    fixing.edit(edit)
    done = fixing.apply("--format", "json")
    assert done.code == 0, done.err
    assert "was edited since" in done.err
    assert fixing.targets("nobody") == []
    assert {each["wave"] for each in done.json["changes"]} == {7}


def test_events_are_lines_with_format_jsonl_and_go_to_a_program(fixing: Fixing) -> None:
    fixing.plan()
    heard = fixing.folder / "heard"
    notice = f"exec:sh -c {shlex.quote(f'cat > {heard}')}"
    with receiving() as hook:
        told = ("--sandbox", "--notify", notice, "--notify", "webhook-from-env:HOOK")
        done = fixing.apply("--format", "jsonl", *told, env={"HOOK": hook.address})
    assert done.code == 0, done.err
    events = [json.loads(line) for line in done.out.splitlines()]
    assert {(each["key"], each["step"], each["status"]) for each in events} == {
        ("nobody", "delete", "done"),
        ("both", "remove-gemini", "done"),
        ("map", "restrict-apis", "done"),
        ("words", "restrict-apis", "done"),
    }
    assert [json.loads(line) for line in heard.read_text().splitlines()] == hook.json["events"] == events


@pytest.mark.parametrize(("ending", "holds"), [("md", "| Wave | Project |"), ("html", "<!doctype html>"), ("json", '"before"')])
def test_a_report_for_the_ticket(fixing: Fixing, ending: str, holds: str) -> None:
    fixing.plan()
    path = fixing.folder / f"done.{ending}"
    assert fixing.apply("--output", str(path)).code == 0
    text = path.read_text()
    assert holds in text
    for word in (MAPS, "shop", "the both"):
        assert word in text


def test_each_project_may_be_charged(fixing: Fixing) -> None:
    fixing.plan()
    done = fixing.apply("--charge-projects")
    assert done.code == 0, done.err


def test_what_fails_is_tried_again(fixing: Fixing) -> None:
    fixing.plan()
    fixing.served.control("faults", {"method": "UpdateKey", "code": "PERMISSION_DENIED", "times": 1})
    done = fixing.apply()
    assert done.code == 3
    failed = [key for key in ("map", "both") if "failed" in fixing.steps(key)]
    failed += ["words"] if "failed" in fixing.steps("words") else []
    assert fixing.apply().code == 0
    assert fixing.targets("map") == [MAPS]
