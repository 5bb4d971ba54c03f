"""plan, run and status, as typed."""

from __future__ import annotations

import json
import re
import socket
from datetime import datetime, timedelta

import pytest

from keyadmin.rotation.settings import schema
from tests.cli.rotation.conftest import World, rule, three

# ---- init ------------------------------------------------------------------------------------------------------------


def test_init_writes_a_policy_that_can_be_used_as_it_is(world: World) -> None:
    world.seed("my-shop", {})
    done = world.rotation("init", "-p", "my-shop")
    assert done.code == 0, done.err
    text = (world.folder / "keyadmin.toml").read_text()
    assert "my-shop" in text
    assert socket.gethostname() in text
    assert [row["project"] for row in world.rotation("plan", "--format", "json").json] == ["my-shop"]
    for setting in ("folders", "organizations", "keys", "annotations", "type", "older-than", "new-type", "adopted", "machine"):
        assert re.search(rf"^# {setting} = ", text, re.MULTILINE), f"{setting} is not explained"


def test_init_writes_the_schema_for_editors(world: World) -> None:
    (world.folder / "ops").mkdir()
    done = world.rotation("init", "--schema", "--policy", "ops/rotation.toml")
    assert done.code == 0, done.err
    first = (world.folder / "ops" / "rotation.toml").read_text().splitlines()[0]
    assert first == "#:schema ./keyadmin.schema.json"
    assert json.loads((world.folder / "ops" / "keyadmin.schema.json").read_text()) == schema()
    assert world.rotation("plan", "--policy", "ops/rotation.toml").code == 0


def test_init_leaves_a_file_that_is_there(world: World) -> None:
    world.policy("# mine\n")
    assert world.rotation("init").code == 1
    assert (world.folder / "keyadmin.toml").read_text() == "# mine\n"
    assert world.rotation("init", "--dry-run").code == 1, "as the run"
    shown = world.rotation("init", "--dry-run", "--force")
    assert shown.code == 0
    assert "[[rule]]" in shown.out
    assert (world.folder / "keyadmin.toml").read_text() == "# mine\n"
    assert world.rotation("init", "--force").code == 0
    assert "[[rule]]" in (world.folder / "keyadmin.toml").read_text()


# ---- plan, run, status -------------------------------------------------------------------------------------------------


def test_plan_says_what_run_would_do_and_why_and_changes_nothing(world: World) -> None:
    three(world)
    done = world.rotation("plan", "--format", "json")
    assert done.code == 0, done.err
    assert [(row["project"], row["action"], row["state"]) for row in done.json] == [
        (project, "create", "retired") for project in ("shop-a", "shop-b", "shop-c")
    ]
    row = done.json[0]
    assert re.fullmatch("[a-z2-7]{10}", row["lineage"])
    assert (row["generation"], row["displayName"], row["sandbox"]) == (1, "web 0", True)
    assert row["key"].endswith("/keys/web-0")
    assert row["sinks"] == ["secret-manager:projects/shop-a/secrets/web-0"]
    assert re.match("300 d old, 90 d are allowed", row["why"])
    whole = world.rotation("plan", "--all", "--format", "json").json
    assert [row["why"] for row in whole if row["project"] == "shop-young"] == ["due in 86 d"]
    assert world.writes() == []
    table = world.rotation("plan")
    assert "shop-a" in table.out
    assert "4 lineages in 4 projects; 3 shown" in table.err


def test_run_goes_as_far_as_it_can_each_time(world: World) -> None:
    three(world)
    first = world.rotation("run", "--format", "json")
    assert first.code == 0, first.err
    assert {out["state"] for out in first.json} == {"grace"}
    out = first.json[0]
    assert set(out) >= {"lineage", "generation", "state", "key", "predecessor", "steps"}
    assert out["key"].endswith(f"/keys/ka-{out['lineage']}-2")
    assert out["predecessor"].endswith("/keys/web-0")
    assert all(set(step) >= {"step", "status"} for step in out["steps"])
    assert world.secret("shop-a", "web-0") == world.string("shop-a", world.newest("shop-a"))
    second = world.rotation("run", "--format", "json")
    assert second.code == 0
    assert {(out["state"], out["steps"][-1]["status"]) for out in second.json} == {("grace", "waiting")}
    world.advance("25h")
    last = world.rotation("run", "--format", "json")
    assert {out["state"] for out in last.json} == {"retired"}
    assert world.rotation("run", "--format", "json").json == []
    assert {row["state"] for row in world.rotation("status", "--format", "json").json} == {"retired"}
    assert world.rotation("status").code == 0


def test_older_versions_of_a_secret_are_disabled_at_the_end(world: World) -> None:
    world.seed("shop-a", {}, secrets={"web-0": ["older", "old"]})
    world.policy(rule("shop-a", grace='"0s"'))
    assert world.rotation("run").code == 0
    versions = world.api("/v1/projects/shop-a/secrets/web-0/versions")["versions"]
    assert [version["state"] for version in versions] == ["ENABLED", "DISABLED", "DISABLED"]


def test_dry_run_limit_only_and_ages(world: World) -> None:
    three(world)
    dry = world.rotation("run", "--dry-run", "--format", "json")
    assert (dry.code, len(dry.json), world.writes()) == (0, 3, [])
    assert "advance 3 of 4" in dry.err
    limited = world.rotation("run", "--limit", "1", "--format", "json")
    assert [out["project"] for out in limited.json] == ["shop-a"]
    assert "--limit: 2" in limited.err
    again = world.rotation("run", "--limit", "0", "--format", "json")
    assert [out["state"] for out in again.json] == ["grace"], "what was begun goes on whatever the limit"
    named = world.rotation("run", "--only", "shop-c", "--format", "json")
    assert [out["project"] for out in named.json] == ["shop-c"]
    by_key = world.rotation("run", "--only", "web 0", "--limit", "0", "--format", "json")
    assert {out["project"] for out in by_key.json} == {"shop-a", "shop-c"}
    aged = world.rotation("run", "--only", "shop-young", "--max-age", "2d", "--grace", "0s", "--format", "json")
    assert [out["state"] for out in aged.json] == ["retired"]
    assert world.rotation("run", "--only", "nobody", "--format", "json").code == 2


def test_what_stopped_the_last_run_is_over_when_the_policy_asks_no_more(world: World) -> None:
    three(world)
    world.sandbox.control("faults", {"method": "CreateKey", "code": "PERMISSION_DENIED", "times": 1})
    assert world.rotation("run").code == 3
    assert world.rotation("status").code == 3
    world.policy(rule("shop-*", max_age='"400d"'))
    status = world.rotation("status", "--format", "json")
    assert (status.code, {row["state"] for row in status.json if row["action"] == "rest"}) == (0, {"retired"})


def test_other_sinks_show_in_the_plan(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    assert world.rotation("run").code == 0
    world.policy(rule("shop-a", sinks='sinks = ["secret-manager:projects/shop-a/secrets/other"]\n'))
    (row,) = world.rotation("plan", "--format", "json").json
    assert (row["action"], row["why"]) == ("publish", "its sinks are others than those that it was handed to")


def test_sinks_that_will_keep_a_deleted_key_are_told(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    assert world.rotation("run", "--emergency", "--yes").code == 0
    first = world.newest("shop-a")
    same = world.rotation("run", "--emergency", "--yes", "--dry-run")
    world.policy(rule("shop-a", sinks='sinks = ["secret-manager:projects/shop-a/secrets/other"]\n'))
    other = world.rotation("run", "--emergency", "--yes")
    told = f"shop-a {first}: other sinks than the policy's have it, and keep it when it is replaced and deleted"
    assert told in " ".join(other.err.split())
    assert "other sinks" not in same.err


def test_emergency_asks_and_leaves_no_old_key(world: World) -> None:
    three(world)
    refused = world.rotation("run", "--emergency")
    assert (refused.code, world.writes()) == (2, [])
    done = world.rotation("run", "--emergency", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert {out["state"] for out in done.json} == {"retired"}
    assert len(done.json) == 4
    for project in ("shop-a", "shop-b", "shop-c", "shop-young"):
        assert "deleteTime" in world.keys(project)["web-0"]
    young = world.rotation("run", "--emergency", "--max-age", "1h", "--yes", "--format", "json")
    assert young.json == [], "started again with an age it does not rotate what it rotated before"


# ---- what fails --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ("sink", "missing-iam-permission"),
        ("verification", "api-key-leaked"),
        ("permission", "missing-iam-permission"),
        ("creation", "key-quota-exceeded"),
    ],
)
def test_a_failure_stops_its_lineage_alone_and_shows_in_status(world: World, what: str, cause: str) -> None:
    three(world)
    user = "owner@example.com"
    if what == "sink":
        world.policy(
            rule("shop-a", sinks='sinks = ["secret-manager:projects/locked-away/secrets/web"]\n') + rule("shop-b", "shop-c")
        )
        world.seed("locked-away", iam={})
    elif what == "verification":
        fault = {"method": "ListModels", "code": "PERMISSION_DENIED", "times": 1}
        world.sandbox.control("faults", fault | {"message": "Your API key was reported as leaked. Please use another API key."})
        world.policy(rule("shop-a", "shop-b", "shop-c"))
    elif what == "permission":
        user = "rotator@example.com"
        all_ = ("get", "list", "getKeyString", "update", "delete", "create")
        secrets = [f"secretmanager.{name}" for name in ("secrets.create", "versions.add", "versions.access")]
        full = [f"apikeys.keys.{name}" for name in all_] + ["iam.serviceAccountApiKeyBindings.create", *secrets]
        world.grant(user, "full", *full, projects=["shop-b", "shop-c", "shop-young"])
        world.grant(user, "less", *(name for name in full if name != "apikeys.keys.create"), projects=["shop-a"])
        world.policy(rule("shop-a", "shop-b", "shop-c"))
    else:
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RESOURCE_QUOTA_EXCEEDED"}]
        details[0]["domain"] = "apikeys.googleapis.com"
        world.sandbox.control("faults", {"method": "CreateKey", "code": "RESOURCE_EXHAUSTED", "times": 1, "details": details})
    done = world.rotation("run", "--format", "json", user=user)
    assert done.code == 3, done.err
    failed = [out for out in done.json if "cause" in out]
    assert [out["cause"] for out in failed] == [cause]
    assert failed[0]["state"] == "stuck"
    assert failed[0]["message"]
    assert failed[0]["steps"][-1]["status"] == "failed"
    assert [out["state"] for out in done.json if "cause" not in out] == ["grace", "grace"]
    status = world.rotation("status", "--format", "json")
    assert status.code == 3
    stuck = [row for row in status.json if row["state"] == "stuck"]
    assert [(row["project"], row["cause"]) for row in stuck] == [(failed[0]["project"], cause)]
    if what != "sink":
        mended = world.rotation("run", "--format", "json")
        assert mended.code == 0, mended.err
        assert world.rotation("status").code == 0


def test_a_project_that_cannot_be_read_stops_nothing_else(world: World) -> None:
    three(world)
    world.policy(rule("shop-a", "no-such-project", "shop-b"))
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    assert [out["state"] for out in done.json] == ["grace", "grace"]
    assert done.err.count("no-such-project could not be checked") == 2, "in words, and in the object for programs"
    world.policy(rule("shop-a", "no-such-project", "nor-this-one"))
    both = world.rotation("run", "--format", "json")
    assert "nor-this-one could not be checked (project-not-found-or-no-access)" in both.err
    assert both.error["message"].startswith("2 projects or rules could not be checked; no-such-project: ")
    assert world.rotation("plan").code == 3
    assert world.rotation("status").code == 3


def test_an_unreadable_file_for_a_sink_stops_its_lineage_alone(world: World) -> None:
    three(world)
    folder = world.folder / "taken.env"
    folder.mkdir()
    here = f'machine = "{socket.gethostname()}"\n'
    world.policy(rule("shop-a", sinks=f'sinks = ["env-file:{folder}"]\n{here}') + rule("shop-b"))
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    assert [out["state"] for out in done.json] == ["stuck", "grace"]


# ---- machines ----------------------------------------------------------------------------------------------------------


def test_what_belongs_to_another_machine_is_said_and_left_alone(world: World) -> None:
    three(world)
    elsewhere = f'sinks = ["env-file:{world.folder}/x.env"]\nmachine = "somewhere-else"\n'
    world.policy(rule("shop-a", sinks=elsewhere) + rule("shop-b"))
    plan = {row["project"]: row for row in world.rotation("plan", "--format", "json").json}
    assert plan["shop-a"]["machine"] == "somewhere-else"
    assert "belong to the machine somewhere-else" in plan["shop-a"]["why"]
    done = world.rotation("run", "--format", "json")
    assert done.code == 0
    assert [out["project"] for out in done.json] == ["shop-b"]
    assert "Left to the machine somewhere-else" in done.err
    assert list(world.keys("shop-a")) == ["web-0"]
    assert not (world.folder / "x.env").exists()


def test_a_local_sink_is_written_here_with_the_flag_only(world: World) -> None:
    three(world)
    here = f'sinks = ["env-file:{world.folder}/x.env"]\nmachine = "{socket.gethostname()}"\n'
    world.policy(rule("shop-a", sinks=here))
    env = {"KEYADMIN_SANDBOX": world.sandbox.rest}
    refused = world.cli("rotation", "run", env=env)
    assert refused.code == 2
    assert "--sandbox" in refused.err
    assert list(world.keys("shop-a")) == ["web-0"]
    assert world.rotation("run").code == 0
    assert (world.folder / "x.env").read_text() == f"GEMINI_API_KEY={world.string('shop-a', world.newest('shop-a'))}\n"


# ---- shards and charging -----------------------------------------------------------------------------------------------


def projects_of(world: World, *words: str, env: dict[str, str] | None = None) -> set[str]:
    done = world.rotation("plan", "--all", "--format", "json", *words, env=env or {})
    assert done.code == 0, done.err
    return {row["project"] for row in done.json}


def test_shards_share_the_projects_and_stay_as_they_are(world: World) -> None:
    for number in range(12):
        world.seed(f"part-{number:03}", {})
    world.policy(rule("part-*"))
    parts = [projects_of(world, "--shard", f"{index}/3") for index in range(3)]
    assert set.union(*parts) == {f"part-{number:03}" for number in range(12)}
    assert sum(map(len, parts)) == 12
    for number in range(12, 20):
        world.seed(f"part-{number:03}", {})
    assert all(part <= projects_of(world, "--shard", f"{index}/3") for index, part in enumerate(parts))
    cloud_run = {"CLOUD_RUN_TASK_INDEX": "1", "CLOUD_RUN_TASK_COUNT": "3"}
    assert projects_of(world, "--shard", "auto", env=cloud_run) == projects_of(world, "--shard", "1/3")
    kubernetes = {"JOB_COMPLETION_INDEX": "2", "JOB_COMPLETION_COUNT": "3"}
    assert projects_of(world, "--shard", "auto", env=kubernetes) == projects_of(world, "--shard", "2/3")


@pytest.mark.parametrize(
    ("text", "env"),
    [
        ("auto", {}),
        ("auto", {"JOB_COMPLETION_INDEX": "1"}),
        ("auto", {"CLOUD_RUN_TASK_INDEX": "3", "CLOUD_RUN_TASK_COUNT": "3"}),
        ("3/3", {}),
        ("-1/3", {}),
        ("1", {}),
        ("1/0", {}),
        ("a/b", {}),
        ("²/3", {}),
    ],
)
def test_what_is_no_shard_is_wrong_usage(world: World, text: str, env: dict[str, str]) -> None:
    world.policy(rule("shop-a"))
    assert world.rotation("run", f"--shard={text}", env=env).code == 2


def test_charged_to_each_project_one_quota_is_not_the_limit(world: World) -> None:
    three(world)
    world.sandbox.control("quota", {"method": "CreateKey", "per_minute": 1})
    done = world.rotation("run", "--charge-projects", "--format", "json")
    assert done.code == 0, done.err
    statuses = {each["status"] for each in world.sandbox.control("requests")}
    assert "RESOURCE_EXHAUSTED" not in statuses


def test_a_rule_that_finds_no_project_is_told(world: World) -> None:
    three(world)
    world.policy(rule("shop-*"))
    done = world.rotation("run", user="nobody@example.com")
    assert done.code == 3
    assert "the rule 'rule 1' could not be checked" in done.err


# ---- clocks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", ["400d", "-400d"])
def test_the_servers_clock_counts(world: World, shift: str) -> None:
    world.advance(shift)
    world.seed("shop-a", {"createTime": world.ago(80)})
    world.policy(rule("shop-a"))
    assert world.rotation("plan", "--format", "json").json == [], "80 days by the server's clock"
    world.advance("11d")
    first = world.rotation("run", "--format", "json")
    assert first.json[0]["state"] == "grace"
    now = world.sandbox.control("")["now"]
    published = world.keys("shop-a")[world.newest("shop-a")]["annotations"]["keyadmin-published"]
    assert timedelta() <= datetime.fromisoformat(now) - datetime.fromisoformat(published) < timedelta(minutes=10)
    world.advance("23h")
    assert world.rotation("run", "--format", "json").json[0]["state"] == "grace"
    world.advance("2h")
    assert world.rotation("run", "--format", "json").json[0]["state"] == "retired"
