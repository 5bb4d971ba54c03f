"""How commands over many keys end: what failed, whose key it is, and what to type next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin.model.secret import PATTERN
from tests.cli.rotation.conftest import MAPS, World, rule

STDOUT = 'sinks = ["stdout"]\n'
ROTATOR = "rotator@example.com"
# Spelt out here: what a rotation that hands over to Secret Manager takes.
WHOLE = {
    *(f"apikeys.keys.{verb}" for verb in ("create", "delete", "get", "getKeyString", "list", "update")),
    *(f"secretmanager.versions.{verb}" for verb in ("access", "add", "disable", "list")),
    *("iam.serviceAccountApiKeyBindings.create", "monitoring.timeSeries.list", "resourcemanager.projects.get"),
    "secretmanager.secrets.create",
}


def lacking(world: World, project: str, permission: str) -> None:
    """A project in which ROTATOR has all that a rotation takes but one permission."""
    world.seed(project, {})
    world.grant(ROTATOR, project.replace("-", ""), *sorted(WHOLE - {permission}), projects=[project])


# ---- what failed -------------------------------------------------------------------------------------------------------


def test_a_refusal_is_told_with_the_project_the_key_and_what_to_type(world: World) -> None:
    lacking(world, "shop-a", "apikeys.keys.update")
    lacking(world, "shop-b", "apikeys.keys.create")
    world.seed("shop-c", {})
    world.grant(ROTATOR, "whole", *sorted(WHOLE), projects=["shop-c"])
    world.policy(rule("shop-a", "shop-b", "shop-c"))
    done = world.rotation("run", "--format", "json", user=ROTATOR)
    assert done.code == 3
    out = {row["project"]: row for row in done.json}
    assert [out[name]["state"] for name in ("shop-a", "shop-b", "shop-c")] == ["stuck", "stuck", "grace"]
    assert out["shop-b"]["permission"] == "apikeys.keys.create"
    assert out["shop-b"]["fix"][0].startswith("keyadmin doctor shop-b")
    assert out["shop-a"]["fix"][0].startswith("keyadmin doctor shop-a --for rotate"), "by its id, not its number"
    first, second = ("shop-a", "shop-b") if done.json[0]["project"] == "shop-a" else ("shop-b", "shop-a")
    assert done.error["message"].startswith("2 of 3 rotations failed; " + first)
    assert done.error["project"] == first
    assert done.error["fix"] == out[first]["fix"]
    key = out[second]["key"].rpartition("/")[2]
    assert f"{second} {key}: {out[second]['fix'][0]}" in done.err, "keys of several projects have the same id"


def test_status_says_how_to_see_why_the_last_run_stopped(world: World) -> None:
    lacking(world, "shop-a", "apikeys.keys.create")
    world.policy(rule("shop-a"))
    assert world.rotation("run", user=ROTATOR).code == 3
    status = world.rotation("status", "--format", "json")
    assert status.code == 3
    (row,) = status.json
    assert row["fix"] == [
        "see what is missing: keyadmin doctor shop-a --for rotate --sandbox",
        "try again, and see the whole message: keyadmin rotation run --only web-0 --sandbox",
    ]
    assert (status.error["cause"], status.error["fix"]) == ("missing-iam-permission", row["fix"])
    assert "1 of 1 lineage is stuck; shop-a web-0: " in status.error["message"]
    assert world.say(row["fix"][1]).code == 0


def test_a_folder_that_cannot_be_looked_into_stops_its_rule_alone(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a") + '[[rule]]\nname = "vain"\nfolders = ["folders/999"]\nsinks = []\n')
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    assert [out["state"] for out in done.json] == ["grace"]
    assert done.error["message"].startswith("the rule 'vain' could not be checked: Permission ")
    world.policy('[[rule]]\nname = "vain"\nfolders = ["folders/999"]\nsinks = []\n')
    assert world.rotation("run").code == 1, "nothing is left to look at"


def test_no_key_falls_to_a_later_rule_while_an_earlier_one_may_select_it(world: World) -> None:
    """Else one failing call would hand the key to the sinks of another rule, and delete the old one by its times."""
    vain = '[[rule]]\nname = "vain"\nfolders = ["folders/999"]\nsinks = []\n'
    world.seed("shop-a", {"displayName": "front"}, {"displayName": "back"})
    world.policy(vain + 'keys = ["front"]\n' + rule("shop-a"))
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    assert sorted(out["state"] for out in done.json) == ["grace", "stuck"]
    assert "web-0: it may fall under the rule 'vain', which comes first" in done.error["message"]
    assert world.writes().count("CreateKey") == 1
    world.seed("shop-b", {})
    world.policy(vain + 'projects = ["shop-b"]\n' + rule("shop-b"))
    assert [out["state"] for out in world.rotation("run", "--format", "json").json] == ["grace"], "the rule names the project"


def test_two_keys_of_one_name_stop_themselves_alone(world: World) -> None:
    """Anybody who may make a key somewhere could else stop the rotation of all projects."""
    same = {"displayName": "same"}
    world.seed("shop-a", same, same, {})
    world.seed("shop-b", same)
    world.policy(rule("shop-a", "shop-b"))
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    states = sorted((out["project"], out["state"]) for out in done.json)
    assert states == [("shop-a", "grace"), ("shop-a", "stuck"), ("shop-a", "stuck"), ("shop-b", "grace")]
    assert "two keys would go to the sink secret-manager:projects/shop-a/secrets/same" in done.error["message"]
    assert done.error["fix"][0].startswith("give it a name of its own: keyadmin keys rename web-")
    assert world.rotation("status").code == 3
    assert world.type("keys", "rename", "web-1", "other", "-p", "shop-a").code == 0
    assert world.rotation("run").code == 0
    assert world.secret("shop-a", "other") != world.secret("shop-a", "same")


def test_two_keys_with_one_sink_stop_themselves_alone(world: World) -> None:
    """The same of who may make a key in a project of one key, which has a sink without a placeholder."""
    world.seed("shop-a", {}, {})
    world.seed("shop-b", {})
    one = rule("shop-a", sinks='sinks = ["secret-manager:projects/shop-a/secrets/one"]\n')
    world.policy(one + rule("shop-b"))
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    states = sorted((out["project"], out["state"]) for out in done.json)
    assert states == [("shop-a", "stuck"), ("shop-a", "stuck"), ("shop-b", "grace")]
    assert done.error["fix"] == ["select one of them (keys = [...]), or put {lineage} or {name} into the sink"]
    assert world.writes().count("AddSecretVersion") == 1
    assert "select one of them" in world.rotation("plan").err, "a plan tells what to do about it, too"
    world.policy(one.replace("[[rule]]\n", '[[rule]]\nkeys = ["web-1"]\n') + rule("shop-b"))
    assert world.rotation("run").code == 0
    assert world.secret("shop-a", "one") == world.string("shop-a", world.newest("shop-a"))


def test_a_project_that_is_not_there_is_not_told_as_a_missing_permission(world: World) -> None:
    world.policy(rule("no-such-project"))
    done = world.rotation("plan", "--format", "json")
    assert (done.code, done.error["cause"]) == (3, "project-not-found-or-no-access")


def test_a_rule_that_finds_nothing_says_what_to_type(world: World) -> None:
    world.policy(rule("nothing-*"))
    done = world.rotation("plan", "--format", "json")
    assert (done.code, done.error["cause"]) == (3, "not-found")
    assert done.error["fix"][0].startswith("keyadmin projects list --all")


def test_where_nobody_answers_the_run_failed(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    done = world.rotation("run", "--format", "json", env={"KEYADMIN_SANDBOX": "http://127.0.0.1:9"})
    assert (done.code, done.out, done.error["cause"]) == (1, "", "service-unavailable")


def test_what_is_waited_for_is_said_once(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a", grace='"0s"'))
    assert world.rotation("run").code == 0
    done = world.rotation(
        "rollback", "web-0", "-p", "shop-a", "--policy", str(policy_of_others(world)), "--yes", "--format", "json"
    )
    assert [step["step"] for step in done.json["steps"] if step["status"] == "waiting"] == ["retire"]


def policy_of_others(world: World) -> Path:
    """A policy that does not select the key."""
    path = world.folder / "others.toml"
    path.write_text(rule("shop-a", keys='["other"]'))
    return path


# ---- what a plan shows -------------------------------------------------------------------------------------------------


def test_dry_runs_respect_the_limit(world: World) -> None:
    for age, project in ((300, "shop-a"), (200, "shop-b")):
        world.seed(project, {"createTime": world.ago(age), "serviceAccountEmail": None})
    world.policy(rule("shop-*"))
    for words in (["run", "--dry-run"], ["migrate", "--dry-run"], ["plan"]):
        done = world.rotation(*words, "--limit", "1", "--format", "json")
        assert [row["project"] for row in done.json] == ["shop-a"], words


def test_a_plan_of_an_emergency_is_what_the_run_does(world: World) -> None:
    world.seed("shop-a", {"createTime": world.ago(1)})
    world.policy(rule("shop-a"))
    assert world.rotation("plan", "--format", "json").json == []
    planned = world.rotation("plan", "--emergency", "--format", "json").json
    assert [row["action"] for row in planned] == ["create"]
    assert world.rotation("run", "--emergency", "--dry-run", "--format", "json").json == planned


def test_a_project_without_room_for_the_successors_is_told(world: World) -> None:
    keys = [{"keyId": f"k{n}", "displayName": f"k{n}", "createTime": world.ago(1)} for n in range(297)]
    world.seed(
        "shop-a", *keys, *({"createTime": world.ago(100), "keyId": f"old{n}", "displayName": f"old{n}"} for n in range(2))
    )
    world.policy(rule("shop-a"))
    done = world.rotation("plan")
    assert done.code == 0
    assert "shop-a has 299 of at most 300 keys: there is room for 1 of the 2 new ones" in done.err


def test_standard_keys_that_get_standard_successors_are_told(world: World) -> None:
    world.seed("shop-a", {"serviceAccountEmail": None})
    world.seed("shop-b", {"serviceAccountEmail": None, "restrictions": {"apiTargets": [MAPS]}})
    for project, said in (("shop-a", True), ("shop-b", False)):
        world.policy(rule(project))
        for words in (["plan"], ["run", "--dry-run"], ["run"]):
            assert ("rotation migrate" in world.rotation(*words).err) is said, (project, words)


def test_sinks_that_would_be_left_with_the_old_key_show_in_the_plan(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a", grace='"0s"'))
    assert world.rotation("run").code == 0
    world.advance("1h")
    world.policy(rule("shop-a", sinks='sinks = ["secret-manager:projects/shop-a/secrets/other"]\n', max_age='"1m"'))
    (row,) = world.rotation("plan", "--format", "json").json
    assert "its sinks are others than those that have it now" in row["why"]


def test_a_migration_leaves_other_rotations_alone(world: World) -> None:
    world.seed(
        "shop-a", {}, {"serviceAccountEmail": None}, {"serviceAccountEmail": None, "restrictions": {"apiTargets": [MAPS]}}
    )
    world.policy(rule("shop-a"))
    assert world.rotation("run", "--only", "web-0", "--only", "web-2").code == 0
    world.advance("25h")
    plan = world.rotation("migrate", "--dry-run", "--format", "json").json
    assert [row["displayName"] for row in plan] == ["web 1"]
    done = world.rotation("migrate", "--yes", "--format", "json")
    assert (done.code, [out["state"] for out in done.json]) == (0, ["grace"])
    assert not any("deleteTime" in key for key in world.keys("shop-a").values())
    world.advance("25h")
    assert [out["state"] for out in world.rotation("migrate", "--yes", "--format", "json").json] == ["retired"]


def test_the_plan_of_a_migration_names_what_the_secrets_take(world: World) -> None:
    rights = {*WHOLE, "iam.serviceAccounts.create", "serviceusage.services.enable", "serviceusage.services.get"}
    absent = {
        "shop-none": (set(), []),
        "shop-list": ({"secretmanager.versions.list"}, ["secretmanager.versions.list in shop-list"]),
        "shop-make": ({"secretmanager.secrets.create"}, ["secretmanager.secrets.create in shop-make"]),
        "shop-there": ({"secretmanager.secrets.create"}, []),
    }
    for number, (project, (gone, _)) in enumerate(absent.items()):
        more: dict[str, Any] = {"secrets": {"web-0": ["old"]}} if project == "shop-there" else {}
        world.seed(project, {"serviceAccountEmail": None}, **more)
        world.grant(ROTATOR, f"m{number}", "secretmanager.secrets.get", *sorted(rights - gone), projects=[project])
    world.policy(rule(*absent))
    rows = world.rotation("migrate", "--dry-run", "--format", "json", user=ROTATOR).json
    assert {row["project"]: row["missing"] for row in rows} == {project: missing for project, (_, missing) in absent.items()}


# ---- the sink stdout ---------------------------------------------------------------------------------------------------


def printing(world: World, *words: str) -> Any:
    """A command that may print key strings."""
    return world.cli("rotation", *words, "--sandbox", env={"KEYADMIN_SANDBOX": world.sandbox.rest})


@pytest.mark.parametrize("form", ["json", "jsonl", "yaml"])
def test_the_sink_stdout_is_a_field_of_its_lineage(world: World, form: str) -> None:
    world.seed("shop-a", {}, {})
    world.policy(rule("shop-a", sinks=STDOUT, keys='["web 0"]') + rule("shop-a"))
    taken = world.folder / "events"
    done = printing(world, "run", "--format", form, "--notify", f"exec:tee {taken}")
    assert done.code == 0, done.err
    second = next(name for name, key in world.keys("shop-a").items() if name[:3] == "ka-" and key["displayName"] == "web 0")
    string = world.string("shop-a", second)
    assert done.out.count(string) == 1
    assert len(PATTERN.findall(done.out)) == 1
    if form != "jsonl":
        rows = done.json if form == "json" else yaml.safe_load(done.out)
        assert [row["keyString"] for row in rows if row["key"].endswith(second)] == [string]
    if form == "jsonl":
        (event,) = [each for each in map(json.loads, done.out.splitlines()) if "keyString" in each]
        assert (event["step"], event["key"], event["keyString"]) == ("publish stdout", second, string)
    assert not PATTERN.search(taken.read_text())
    assert not PATTERN.search(done.err)


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_tables_for_programs_have_no_place_for_key_strings(world: World, form: str) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a", sinks=STDOUT))
    done = printing(world, "run", "--format", form)
    assert (done.code, done.out, world.writes()) == (2, "", [])
    assert "keyString" in done.err


def test_on_a_terminal_it_is_said_whose_key_string_it_is(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a", sinks=STDOUT))
    done = printing(world, "run")
    second = world.newest("shop-a")
    assert done.out.splitlines()[0] == world.string("shop-a", second)
    assert f"lineage {second[3:13]} of project shop-a" in done.err


def test_a_rollback_to_a_key_that_is_not_taken_leaves_nothing_half_made(world: World) -> None:
    world.seed("shop-a", {"serviceAccountEmail": None})
    world.policy(rule("shop-a"))
    assert world.rotation("migrate", "--yes").code == 0
    world.advance("25h")
    assert world.rotation("migrate", "--yes").code == 0
    done = world.rotation("rollback", "web-0", "-p", "shop-a", "--yes", "--format", "json")
    assert (done.code, done.error["cause"]) == (3, "standard-key-rejected")
    assert done.error["fix"] == [f"stay with {world.newest('shop-a')}"]
    assert "unfinished" not in done.err
    assert "deleteTime" in world.keys("shop-a")["web-0"]
    assert world.rotation("status").code == 0
