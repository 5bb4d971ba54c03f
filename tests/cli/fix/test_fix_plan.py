"""audit fix: what the plan says of each key, and what it leaves alone."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest

from keyadmin.audit.fix.plan_file import digest
from tests.cli.fix.conftest import GEMINI, MAPS, TRANSLATE, Fixing


def by_id(plan: Any) -> dict[str, Any]:
    return {each["key"].rpartition("/")[2]: each for each in plan["changes"]}


def test_a_plan_goes_by_the_use_of_each_key(fixing: Fixing) -> None:
    plan = fixing.plan()
    changes = by_id(plan)
    assert {key: each["kind"] for key, each in changes.items()} == {
        "map": "restrict-apis",
        "both": "remove-gemini",
        "nobody": "delete",
        "words": "restrict-apis",
    }
    assert changes["map"]["after"] == {"apiTargets": [{"service": MAPS}]}
    assert changes["both"]["before"] == {"apiTargets": [{"service": GEMINI}, {"service": MAPS}]}
    assert changes["both"]["after"] == {"apiTargets": [{"service": MAPS}]}
    assert changes["map"]["evidence"]["calls"] == {MAPS: 1000}
    assert changes["map"]["etag"] == fixing.key("map")["etag"]
    assert changes["map"]["key"] == fixing.key("map")["name"]
    left = {each["key"].rpartition("/")[2]: each["reason"] for each in plan["left"]}
    assert left == {"young": "too-young", "gemini": "no-sink", "quiet": "not-unused-for-long"}
    assert all(each["command"] for each in plan["left"])


def test_a_key_string_in_a_name_is_in_no_plan_and_stops_none(fixing: Fixing) -> None:
    """Somebody pasted key strings where names belong; a plan that held one was refused by apply."""
    string = "AIza" + "Sy" + "B7q2Zt1LmVx0Rk9sWc4HyBn5Jf6Gd3Ep8"
    sites = {"browserKeyRestrictions": {"allowedReferrers": [f"https://a.example/?key={string}"]}}
    fixing.seed(
        "pasted",
        fixing.seed_key("changed", use=[(MAPS, 1, 1000)], displayName=f"map {string}"),
        fixing.seed_key("left", age=2, use=[(MAPS, 1, 5)], displayName=f"new {string}"),
        fixing.seed_key("sited", GEMINI, MAPS, use=[(MAPS, 2, 50)], restrictions=sites),
    )
    plan = fixing.plan("--projects", "pasted")
    assert string not in (fixing.folder / "plan.json").read_text()
    assert by_id(plan)["changed"]["displayName"] == "map AIza...3Ep8"
    left = {each["key"].rpartition("/")[2]: each["why"] for each in plan["left"]}
    assert left["sited"] == "its restrictions contain a key string, which must not be in any file"
    assert set(left) == {"left", "sited"}
    done = fixing.apply()
    assert done.code == 0, done.err
    assert fixing.targets("changed", "pasted") == [MAPS]
    assert string not in done.out + done.err + (fixing.folder / "plan.json.run.jsonl").read_text()


def test_what_somebody_accepted_is_left_alone(fixing: Fixing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fixing.folder)
    fixing.plan()
    whole = by_id(fixing.plan("--projects", "lab", "--rule", "gemini-exposed-key"))
    assert set(whole) == {"words"}
    day = (fixing.now() + timedelta(days=9)).strftime("%Y-%m-%d")
    entry = f'rule = "gemini-exposed-key"\nkey = "words"\nreason = "a kiosk"\nuntil = {day}\n'
    (fixing.folder / "keyadmin.toml").write_text(f"[[audit.accept]]\n{entry}")
    accepted = fixing.plan("--projects", "lab", "--rule", "gemini-exposed-key")
    assert accepted["changes"] == []


def test_the_owner_stands_with_each_change(fixing: Fixing) -> None:
    changes = by_id(fixing.plan("--projects", "lab"))
    assert changes["words"]["owner"] == ["owner@example.com"]


def test_a_plan_is_for_its_owner_alone_and_bears_a_digest(fixing: Fixing) -> None:
    plan = fixing.plan()
    path = fixing.folder / "plan.json"
    assert oct(os.stat(path).st_mode & 0o777) == "0o600"
    assert plan["digest"] == digest(plan)
    assert plan["schemaVersion"] == 1
    assert plan["scope"]["parent"] == "organizations/77"


def test_making_a_plan_changes_nothing(fixing: Fixing) -> None:
    fixing.plan()
    shown = fixing.type("audit", "fix", "--organization", "77", "--dry-run", "--format", "json")
    assert shown.code == 0
    assert {each["kind"] for each in shown.json["changes"]} == {"restrict-apis", "remove-gemini", "delete"}
    wrote = [name for name in fixing.served.methods() if name.startswith(("Update", "Delete", "Create"))]
    assert wrote == []
    assert not list((fixing.folder / "data").rglob("*"))


def test_low_risk_comes_first(fixing: Fixing) -> None:
    plan = fixing.plan()
    assert [each["key"].rpartition("/")[2] for each in plan["changes"]] == ["nobody", "words", "both", "map"]
    assert [each["wave"] for each in plan["changes"]] == [1, 2, 3, 4]
    halves = fixing.plan("--organization", "77", "--wave", "50%")
    assert [each["wave"] for each in halves["changes"]] == [1, 1, 2, 3]


def test_nothing_without_known_use_is_narrowed_unless_named(fixing: Fixing) -> None:
    fixing.served.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 99})
    plan = fixing.plan()
    assert plan["changes"] == []
    assert {each["reason"] for each in plan["left"]} == {"use-unknown"}
    named = fixing.plan("--organization", "77", "--key", "both", "--key", "map")
    changes = by_id(named)
    assert set(changes) == {"both", "map"}
    assert changes["both"]["after"] == {"apiTargets": [{"service": MAPS}]}
    assert GEMINI not in [each["service"] for each in changes["map"]["after"]["apiTargets"]]
    assert changes["map"]["evidence"] is None


def test_unused_for_says_when_a_key_is_deleted(fixing: Fixing) -> None:
    assert by_id(fixing.plan("--organization", "77", "--unused-for", "250d")).get("nobody") is None
    changes = by_id(fixing.plan("--organization", "77", "--unused-for", "50d"))
    assert changes["quiet"]["kind"] == changes["nobody"]["kind"] == "delete"
    short = fixing.type("audit", "fix", "--organization", "77", "--unused-for", "2d", "--dry-run")
    assert short.code == 2
    assert "7d or more" in short.err


def test_refused_calls_keep_a_key_from_being_unused(fixing: Fixing) -> None:
    refused = fixing.seed_key("knocked", age=300)
    refused["use"] = [{"service": MAPS, "at": fixing.ago(days=3), "calls": 0, "errors": {"403": 9}}]
    fixing.seed("door", refused)
    plan = fixing.plan("--projects", "door")
    assert plan["changes"] == []
    assert [each["reason"] for each in plan["left"]] == ["not-unused-for-long"]


def test_rules_and_severities_narrow_a_plan(fixing: Fixing) -> None:
    assert set(by_id(fixing.plan("--projects", "shop", "--rule", "mixed-targets"))) == {"both"}
    assert set(by_id(fixing.plan("--projects", "lab", "--min-severity", "high"))) == {"words"}


CLIENTS = """key,kind,entries
map,referrers,https://shop.example/* *.shop.example/*
the both,ips,192.0.2.7;198.51.100.0/24
"""


def test_clients_are_restricted_where_they_are_named(fixing: Fixing) -> None:
    (fixing.folder / "clients.csv").write_text(CLIENTS)
    changes = by_id(fixing.plan("--organization", "77", "--clients", str(fixing.folder / "clients.csv")))
    assert changes["map"]["after"]["browserKeyRestrictions"]["allowedReferrers"] == [
        "https://shop.example/*",
        "*.shop.example/*",
    ]
    assert changes["map"]["after"]["apiTargets"] == [{"service": MAPS}]
    assert changes["both"]["after"]["serverKeyRestrictions"]["allowedIps"] == ["192.0.2.7", "198.51.100.0/24"]
    assert "serverKeyRestrictions" not in changes["words"]["after"]
    assert changes["words"]["after"] == {"apiTargets": [{"service": TRANSLATE}]}


BAD_ROWS = (
    ("", "line 1", "empty"),
    ("name,kind,entries\n", "line 1", "the columns are"),
    ("key,kind,entries\nmap,sites,a.example/*\n", "line 2", "not a kind"),
    ("key,kind,entries\nmap,ips,\n", "line 2", "no entries"),
    ("key,kind,entries\nmap,ips,192.0.2.300\n", "line 2", "not an IP address"),
    ("key,kind,entries\nmap,ips\n", "line 2", "2 cells"),
    ("key,kind,entries\nmap,ips,192.0.2.7\nmap,ips,192.0.2.8\n", "line 3", "two rows"),
    ("key,kind,entries\nelsewhere,ips,192.0.2.7\n", "line 2", "no key that was audited"),
    ("key,kind,entries\nmap,ips,0.0.0.0/0\n", "line 2", "let everybody in"),
    ("key,kind,entries\nmap,referrers,*\n", "line 2", "let everybody in"),
    ("key,kind,entries\nAIzaSANDBOX0123456789abcdefghijklmnopqr,ips,192.0.2.7\n", "line 2", "contains a key string"),
)


def test_a_bad_row_of_clients_is_refused_with_its_place(fixing: Fixing) -> None:
    path = fixing.folder / "clients.csv"
    for text, place, reason in BAD_ROWS:
        path.write_text(text)
        done = fixing.type("audit", "fix", "--projects", "shop", "--dry-run", "--clients", str(path))
        assert done.code == 2, text
        assert place in done.err
        assert reason in done.err


def test_a_plan_is_not_written_over_that_of_a_run(fixing: Fixing) -> None:
    """Else it could not be undone; it is said before anything is read."""
    fixing.plan("--projects", "lab")
    assert fixing.apply().code == 0
    asked = len(fixing.served.methods())
    for place, why in (("plan.json", "belongs to a run that was begun"), ("none/plan.json", "no folder"), (".", "is a folder")):
        done = fixing.type("audit", "fix", "--projects", "lab", "--out", str(fixing.folder / place))
        assert done.code == 2
        assert why in done.err
    assert len(fixing.served.methods()) == asked
    assert fixing.undo().code == 0


WRONG_USAGE: tuple[tuple[str, ...], ...] = (
    ("--out", "x", "--apply", "y"),
    ("--apply", "y", "--rule", "unused-key"),
    ("--wave", "0%", "--dry-run"),
    ("--wave", "ten", "--dry-run"),
    ("--min-severity", "dreadful", "--dry-run"),
    ("--key", "nothing", "--dry-run"),
    ("--observe", "30s", "--dry-run"),
    (),
)


def test_wrong_usage_is_refused_before_anything_is_changed(fixing: Fixing) -> None:
    for words in WRONG_USAGE:
        done = fixing.type("audit", "fix", *words, *(() if "--apply" in words else ("--organization", "77")))
        assert done.code == 2, f"{words}: {done.err}"
    assert not [name for name in fixing.served.methods() if name.startswith(("Update", "Delete"))]
