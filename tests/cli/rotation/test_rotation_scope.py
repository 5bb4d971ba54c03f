"""Which projects, keys and sinks a policy is about."""

from __future__ import annotations

import socket

import pytest

from keyadmin.rotation import run as rotations
from tests.cli.rotation.conftest import World, rule


def test_one_monitoring_call_tells_of_all_keys_of_a_project(world: World) -> None:
    world.seed("shop-a", {}, {}, {})
    world.policy(rule("shop-a"))
    assert world.rotation("run").code == 0
    world.advance("25h")
    done = world.rotation("run", "--format", "json")
    assert [out["state"] for out in done.json] == ["retired"] * 3
    methods = [each["method"].rpartition(".")[2] for each in world.sandbox.control("requests")]
    assert methods.count("ListTimeSeries") == 1


def test_a_migration_prepares_a_project_once(world: World) -> None:
    old = {"serviceAccountEmail": None}
    world.seed("shop-a", old, old, old)
    world.policy(rule("shop-a"))
    done = world.rotation("migrate", "--yes", "--format", "json")
    assert [out["state"] for out in done.json] == ["grace"] * 3
    methods = [each["method"].rpartition(".")[2] for each in world.sandbox.control("requests")]
    assert methods.count("CreateServiceAccount") == 1


def test_projects_that_are_being_deleted_are_left_out(world: World) -> None:
    world.sandbox.control("seed", {"folders": [{"name": "folders/77", "displayName": "Shops", "parent": "organizations/1000"}]})
    world.seed("shop-a", {}, parent="folders/77")
    world.seed("shop-gone", {}, parent="folders/77", state="DELETE_REQUESTED")
    for place in (
        '[[rule]]\nprojects = ["shop-*"]\nsinks = []\n',
        '[[rule]]\nprojects = []\nfolders = ["folders/77"]\nsinks = []\n',
    ):
        world.policy(place)
        done = world.rotation("plan", "--format", "json")
        assert done.code == 0, done.err
        assert [row["project"] for row in done.json] == ["shop-a"]


def test_a_folder_is_looked_into_at_any_depth_and_no_further(world: World) -> None:
    folders = [("folders/77", "organizations/1000"), ("folders/78", "folders/77"), ("folders/79", "organizations/1000")]
    seed = [{"name": name, "displayName": name[-2:], "parent": parent} for name, parent in folders]
    world.sandbox.control("seed", {"folders": seed})
    for name, parent in (("above", "organizations/1000"), ("inside", "folders/77"), ("deeper", "folders/78")):
        world.seed(f"shop-{name}", {}, parent=parent)
    world.policy('[[rule]]\nfolders = ["folders/77"]\nsinks = []\n')
    assert {row["project"] for row in world.rotation("plan", "--format", "json").json} == {"shop-inside", "shop-deeper"}


def test_a_deleted_key_claims_no_sink(world: World) -> None:
    gone = {"keyId": "gone", "displayName": "web", "deleteTime": world.ago(1)}
    world.seed("shop-a", {"displayName": "web"}, gone)
    world.policy(rule("shop-a"))
    done = world.rotation("run", "--format", "json")
    assert done.code == 0, done.err
    assert [out["state"] for out in done.json] == ["grace"]


def test_several_keys_may_be_printed(world: World) -> None:
    world.seed("shop-a", {}, {})
    world.policy(rule("shop-a", sinks='sinks = ["stdout"]\n'))
    assert world.rotation("plan").code == 0


@pytest.mark.parametrize(
    "setting", ['keys = ["other"]', 'annotations = { team = "x" }', 'older-than = "200d"', 'type = "standard"']
)
def test_a_key_that_no_rule_selects_is_left_alone(world: World, setting: str) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a") + setting)
    assert world.rotation("plan", "--all", "--format", "json").json == []


@pytest.mark.parametrize("command", [("plan", "--all"), ("status",), ("run", "--emergency", "--yes"), ("migrate", "--dry-run")])
def test_a_project_on_the_command_line_narrows_the_policy_to_it(world: World, command: tuple[str, ...]) -> None:
    old = {"serviceAccountEmail": None}
    for project in ("shop-a", "shop-b"):
        world.seed(project, old)
    world.policy(rule("shop-*"))
    number = world.api("/v3/projects/shop-a")["name"].removeprefix("projects/")
    for name in ("shop-a", number):
        done = world.rotation(*command, "-p", name, "--format", "json")
        assert done.code == 0, done.err
        assert {row["project"] for row in done.json} == {"shop-a"}
    assert list(world.keys("shop-b")) == ["web-0"]
    foreign = world.rotation(*command, "-p", "demo-project", "--format", "json")
    assert (foreign.code, foreign.error["message"]) == (2, "no rule of the policy looks at the project demo-project")


def test_one_project_on_the_command_line_takes_no_other_projects_sink(world: World) -> None:
    for project in ("shop-a", "shop-b", "shop-c"):
        world.seed(project, {})
    sinks = 'sinks = ["secret-manager:projects/shop-a/secrets/the-one"]\n'
    world.policy(rule("shop-a", "shop-b", sinks=sinks) + rule("shop-c"))
    done = world.rotation("run", "-p", "shop-b", "--format", "json")
    assert done.code == 3
    assert [(row["project"], row["state"]) for row in done.json] == [("shop-b", "stuck")]
    assert "two keys would go to the sink" in done.error["message"]
    assert world.writes() == []


def test_what_is_wrong_elsewhere_is_not_told_of_one_project(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a") + rule("no-such-project") + rule("nothing-*"))
    assert world.rotation("plan").code == 3
    assert world.rotation("plan", "-p", "shop-a").code == 0


def test_an_emergency_asks_how_much_it_is_about(world: World) -> None:
    world.seed("shop-a", {}, {})
    world.policy(rule("shop-a"))
    done = world.rotation("run", "--emergency", terminal=True, stdin="n\n")
    assert done.code == 1
    assert "Rotate 2 keys in 1 project now" in done.err
    assert world.writes() == []


def test_what_rests_and_what_is_not_selected_are_told_apart(world: World) -> None:
    world.seed("shop-a", {"createTime": world.ago(1)})
    world.policy(rule("shop-a"))
    for command in (("plan",), ("run", "--dry-run")):
        assert "Nothing is due." in world.rotation(*command).err
    assert "1 lineage in 1 project; 0 shown (--all shows the others)." in world.rotation("plan").err
    world.policy(rule("shop-a", keys='["other"]'))
    for command in (("plan",), ("run", "--dry-run")):
        assert "The policy selects no key." in world.rotation(*command).err


def test_a_default_project_does_not_narrow_the_policy(world: World) -> None:
    for project in ("shop-a", "shop-b"):
        world.seed(project, {})
    world.policy(rule("shop-*"))
    assert world.say("keyadmin config set project shop-a").code == 0
    done = world.rotation("plan", "--format", "json")
    assert done.code == 0, done.err
    assert {row["project"] for row in done.json} == {"shop-a", "shop-b"}


def test_a_rollback_asks_for_the_rule_that_comes_first(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    assert world.rotation("run").code == 0
    world.policy('[[rule]]\nname = "vain"\nprojects = ["shop-b"]\nfolders = ["folders/999"]\nsinks = []\n' + rule("shop-a"))
    done = world.rotation("rollback", "web-0", "-p", "shop-a", "--dry-run", "--format", "json")
    assert done.code == 1
    assert "folders/999" in done.error["message"]


def test_a_rollback_takes_no_sinks_from_rules_for_other_projects_or_keys(world: World) -> None:
    world.seed("shop-a", {})
    world.seed("shop-b", {})
    world.policy(rule("shop-a"))
    assert world.rotation("run").code == 0
    for policy in (rule("shop-b"), rule("shop-a", keys='["other"]')):
        world.policy(policy)
        done = world.rotation("rollback", "web-0", "-p", "shop-a", "--dry-run")
        assert "No rule of the policy selects web-0" in done.err
        assert "hand it to no sink" in done.err


def test_leave_on_a_secret_that_cannot_be_found_out_is_unknown(world: World) -> None:
    world.seed("shop-a", {"serviceAccountEmail": None})
    world.policy(rule("shop-a"))
    world.sandbox.control("faults", {"method": "TestIamPermissions", "code": "PERMISSION_DENIED", "times": 99})
    done = world.rotation("migrate", "--dry-run", "--format", "json")
    assert done.code == 3, "the run asks what it may do, too, and ends so"
    (row,) = done.json
    assert "secrets of shop-a: unknown (missing-iam-permission)" in row["missing"]


def test_a_rollback_to_nothing_asks_nothing(world: World) -> None:
    world.seed("shop-a", {})
    for words in (("--dry-run",), ()):
        done = world.rotation("rollback", "web-0", "-p", "shop-a", *words, terminal=True, stdin="y\n")
        assert done.code == 1
        assert "there is nothing to go back to" in done.err
        assert "[y/N]" not in done.err


def test_a_rollback_that_was_declined_changes_nothing(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    assert world.rotation("run").code == 0
    writes = world.writes()
    assert world.rotation("rollback", "web-0", "-p", "shop-a", terminal=True, stdin="n\n").code == 1
    assert world.writes() == writes


def test_a_sink_that_is_not_allowed_is_told_before_any_lineage_is_touched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flag `--sandbox` is not on the line, the variable alone does not do; shop-a would be rotated first."""
    monkeypatch.setattr(rotations, "AT_ONCE", 1)
    world.seed("shop-a", {})
    world.seed("shop-b", {})
    here = f'sinks = ["env-file:{world.folder}/x.env"]\nmachine = "{socket.gethostname()}"\n'
    world.policy(rule("shop-a") + rule("shop-b", sinks=here))
    refused = world.cli("rotation", "run", env={"KEYADMIN_SANDBOX": world.sandbox.rest})
    assert (refused.code, world.writes()) == (2, [])


def _asked(world: World) -> list[str]:
    """The methods called so far, in the order of their answers."""
    return [each["method"].rpartition(".")[2] for each in world.sandbox.control("requests")]


def test_keys_are_listed_while_projects_are_still_looked_for(world: World) -> None:
    count = 600  # two pages of projects
    world.sandbox.control("seed", {"fleet": {"projects": count, "keysPerProject": 1}})
    world.policy(
        '[[rule]]\nprojects = ["fleet-000*"]\nsinks = []\n\n[[rule]]\nprojects = ["fleet-*", "fleet-00001"]\nsinks = []\n'
    )
    world.sandbox.control("latency", {"ms": 3000, "method": "SearchProjects"})
    assert world.rotation("plan").code == 0
    asked = _asked(world)
    assert asked.count("ListKeys") == count
    searches = [place for place, name in enumerate(asked) if name == "SearchProjects"]
    assert len(searches) == 2
    assert searches[0] < asked.index("ListKeys") < searches[1]


def test_no_key_is_listed_that_is_not_looked_at(world: World) -> None:
    for number in range(12):
        world.seed(f"part-{number:03}", {}, parent="organizations/1000")
    world.policy('[[rule]]\nprojects = ["part-*"]\norganizations = ["organizations/1000"]\nsinks = []\n')
    assert world.rotation("plan", "-p", "part-003", "--format", "json").json
    assert _asked(world).count("ListKeys") == 1
    planned = world.rotation("plan", "--shard", "1/3", "--format", "json").json
    assert 1 < len(planned) < 11
    assert _asked(world).count("ListKeys") < 12
