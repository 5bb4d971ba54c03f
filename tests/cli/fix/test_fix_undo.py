"""audit undo: what the run wrote is put back where it still stands, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.fix.conftest import GEMINI, MAPS, TRANSLATE, Fixing


def restrictions(fixing: Fixing) -> dict[str, Any]:
    """What can be compared of every key."""
    out = {}
    for project in ("shop", "lab"):
        for key in fixing.api(f"/v2/projects/{project}/locations/global/keys?showDeleted=true")["keys"]:
            marks = key.get("annotations", {})
            out[key["name"]] = (key.get("restrictions"), "deleteTime" in key, key["displayName"], marks)
    return out


def test_a_run_is_put_back_exactly(fixing: Fixing) -> None:
    before = restrictions(fixing)
    fixing.plan()
    fixing.apply()
    assert restrictions(fixing) != before
    done = fixing.undo("--format", "json")
    assert done.code == 0, done.err
    assert {each["status"] for each in done.json} == {"undone"}
    assert restrictions(fixing) == before


def test_it_is_done_in_the_reverse_order_and_asks_first(fixing: Fixing) -> None:
    plan = fixing.plan()
    fixing.apply()
    asked = fixing.type("audit", "undo", str(fixing.folder / "plan.json"))
    assert asked.code == 2
    declined = fixing.type("audit", "undo", str(fixing.folder / "plan.json"), terminal=True, stdin="n\n")
    assert declined.code == 1
    assert "4 keys" in declined.err
    assert "3 of them are open again afterwards" in declined.err
    assert fixing.targets("map") == [MAPS]
    assert fixing.undo("--format", "jsonl").code == 0
    undone = [each["key"] for each in fixing.journal() if each.get("step") == "undone"]
    assert undone == [each["key"] for each in reversed(plan["changes"])]


def test_what_somebody_changed_since_is_left_alone(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    path = "/v2/projects/shop/locations/global/keys/both?updateMask=restrictions"
    fixing.api(path, "PATCH", {"restrictions": {"apiTargets": [{"service": TRANSLATE}]}})
    fixing.stranger("map")
    done = fixing.undo()
    assert done.code == 3
    assert "somebody else changed its restrictions" in done.err
    assert fixing.targets("both") == [TRANSLATE]
    assert fixing.targets("map") == [], "another name does not keep it from being put back"
    assert fixing.key("map")["displayName"] == "not yours"
    assert fixing.targets("nobody") == []


def test_undone_twice_nothing_is_done_twice(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    fixing.undo()
    before = len(fixing.served.methods())
    assert fixing.undo().code == 0
    assert not [name for name in fixing.served.methods()[before:] if name.startswith(("Update", "Undelete"))]
    assert fixing.apply().code == 0
    assert fixing.targets("map") == [], "what was undone is not done again"


def test_a_key_deleted_again_by_somebody_else_stays_deleted(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    fixing.api("/v2/projects/shop/locations/global/keys/nobody:undelete", "POST", {})
    fixing.served.control("clock", {"advance": "1h"})
    fixing.api("/v2/projects/shop/locations/global/keys/nobody", "DELETE")
    done = fixing.undo()
    assert done.code == 3
    assert "deleted it again" in done.err
    assert fixing.targets("nobody") is None


def test_after_30_days_a_deleted_key_is_gone(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    fixing.served.control("clock", {"advance": "31d"})
    done = fixing.undo()
    assert done.code == 3
    assert "gone" in done.err or "30 days" in done.err
    assert fixing.targets("both") == [GEMINI, MAPS]


def test_one_key_of_a_run(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    assert fixing.undo("--key", "both").code == 0
    assert fixing.targets("both") == [GEMINI, MAPS]
    assert fixing.targets("map") == [MAPS]
    assert fixing.undo("--key", "quiet").code == 2


def test_a_dry_run_changes_nothing(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    before = restrictions(fixing)
    done = fixing.type("audit", "undo", str(fixing.folder / "plan.json"), "--dry-run")
    assert done.code == 0
    assert "would put back 4 keys" in done.err
    assert restrictions(fixing) == before


def test_a_run_killed_before_it_could_write_down_its_change_is_undone_too(fixing: Fixing) -> None:
    before = restrictions(fixing)
    fixing.plan()
    fixing.apply()
    path = fixing.folder / "plan.json.run.jsonl"
    lines = [line for line in path.read_text().splitlines() if json.loads(line).get("step") != "done"]
    path.write_text("\n".join(lines) + "\n")
    assert fixing.undo().code == 0
    assert restrictions(fixing) == before


def test_what_is_refused_by_nobody_s_right_is_said(fixing: Fixing) -> None:
    fixing.plan()
    fixing.apply()
    fixing.served.control("faults", {"method": "UpdateKey", "code": "PERMISSION_DENIED", "times": 9})
    done = fixing.undo()
    assert done.code == 3
    assert "could not be put back" in done.err
    fixing.served.control("faults", method="DELETE")
    assert fixing.undo().code == 0
