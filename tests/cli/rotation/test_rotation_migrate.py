"""The great migration: the plan, the ways to say which keys, the split, what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.rotation.conftest import GEMINI, MAPS, SERVICES, World, rule

STANDARD: dict[str, Any] = {"serviceAccountEmail": None}
TO = "secret-manager:projects/{project}/secrets/{name}"


def old_shops(world: World) -> None:
    """All kinds of keys in three projects of a folder."""
    world.sandbox.control("seed", {"folders": [{"name": "folders/77", "displayName": "Shops", "parent": "organizations/1000"}]})
    mixed = STANDARD | {"displayName": "mixed", "restrictions": {"apiTargets": [GEMINI, MAPS]}}
    open_ = STANDARD | {"displayName": "open", "restrictions": {}}
    maps = STANDARD | {"displayName": "maps", "restrictions": {"apiTargets": [MAPS]}}
    services = [*SERVICES, "maps-backend.googleapis.com"]
    world.seed("shop-a", STANDARD | {"displayName": "plain"}, {"displayName": "auth"}, parent="folders/77")
    world.seed("shop-b", mixed, open_, maps, services=services, parent="folders/77")
    world.seed("shop-c", STANDARD | {"displayName": "young", "createTime": world.ago(1)}, parent="folders/77")
    world.policy(rule("shop-*"))


# ---- the plan ------------------------------------------------------------------------------------------------------------


def test_the_plan_says_which_whose_where_and_what_is_missing(world: World) -> None:
    old_shops(world)
    done = world.rotation("migrate", "--dry-run", "--format", "json")
    assert done.code == 0, done.err
    assert world.writes() == []
    plan = {row["displayName"]: row for row in done.json}
    assert set(plan) == {"plain", "mixed", "open", "young"}, "neither auth keys nor keys for other APIs alone"
    assert {row["action"] for row in plan.values()} == {"create"}
    plain = plan["plain"]
    assert (plain["project"], plain["owners"], plain["keyType"]) == ("shop-a", ["user:owner@example.com"], "standard")
    assert plain["sinks"] == ["secret-manager:projects/shop-a/secrets/plain"]
    assert (plain["missing"], plain["ready"], plain["lastUsed"]) == ([], True, None)
    assert (plan["mixed"]["restricted"], plan["open"]["restricted"]) == ("mixed", "none")
    assert plan["mixed"]["afterwards"] == "split: it keeps maps-backend.googleapis.com"
    assert "unrestricted" in plan["open"]["afterwards"]
    table = world.rotation("migrate", "--dry-run")
    assert "any API" in next(line for line in table.out.splitlines() if "shop-b" in line and "web-1" in line)
    assert all(line.endswith("  create") for line in table.out.splitlines() if line.startswith("shop-"))
    assert "owner@example.com" in table.out
    assert max(map(len, table.out.splitlines())) <= 120, "folded in a pipe, too"
    assert "    Old key: split: it keeps maps-backend.googleapis.com" in table.out.splitlines()
    assert "migrate 4 keys in 3 projects" in table.err


def test_what_is_missing_is_named_per_project(world: World) -> None:
    old_shops(world)
    user = "migrator@example.com"
    some = ("apikeys.keys.list", "apikeys.keys.get", "resourcemanager.projects.get")
    world.grant(user, "some", *some, projects=["shop-a", "shop-b", "shop-c"])
    done = world.rotation("migrate", "--dry-run", "--format", "json", user=user)
    assert done.code == 3, "as the run would end"
    row = next(row for row in done.json if row["displayName"] == "plain")
    assert row["owners"] is None
    assert row["ready"] is False
    assert set(row["missing"]) >= {"apikeys.keys.create", "apikeys.keys.update", "iam.serviceAccountApiKeyBindings.create"}
    assert "secretmanager.versions.add in shop-a" in row["missing"]
    assert "apikeys.keys.list" not in row["missing"]
    assert "lastUsedUnknown" in row
    assert "missing for 4 of them" in done.err


# ---- without a policy file -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "projects"),
    [
        (["--projects", "shop-a,shop-c"], {"shop-a", "shop-c"}),
        (["--projects", "shop-a", "--projects", "shop-b"], {"shop-a", "shop-b"}),
        (["--projects", "shop-?"], {"shop-a", "shop-b", "shop-c"}),
        (["--folder", "77"], {"shop-a", "shop-b", "shop-c"}),
        (["--folder", "folders/77"], {"shop-a", "shop-b", "shop-c"}),
        (["--folder", "shops"], {"shop-a", "shop-b", "shop-c"}),
        (["--organization", "example.com"], {"shop-a", "shop-b", "shop-c", "old-maps-site"}),
        (["--organization", "1000"], {"shop-a", "shop-b", "shop-c", "old-maps-site"}),
    ],
)
def test_places_stand_in_for_a_policy(world: World, place: list[str], projects: set[str]) -> None:
    old_shops(world)
    (world.folder / "keyadmin.toml").unlink()
    done = world.rotation("migrate", *place, "--to", TO, "--dry-run", "--format", "json")
    assert done.code in (0, 3), done.err
    assert {row["project"] for row in done.json} == projects
    row = next(row for row in done.json if row["displayName"] == "young" or row["displayName"] == "plain")
    assert row["sinks"] == [f"secret-manager:projects/{row['project']}/secrets/{row['displayName']}"]


@pytest.mark.parametrize(
    "words",
    [
        ["--policy", "keyadmin.toml", "--projects", "shop-a"],
        ["--to", TO],
        ["--folder", "organizations/1000"],
        ["--projects", " , "],
        ["--projects", "shop-a", "--folder", "77"],
        ["--projects", "shop-a", "-p", "shop-b"],
        ["--projects", "shop-a", "--to", "vault:x"],
        ["--projects", "shop-a", "--to", "env-file:/x/{nobody}"],
    ],
)
def test_what_contradicts_itself_is_wrong_usage(world: World, words: list[str]) -> None:
    world.policy(rule("shop-*"))
    done = world.rotation("migrate", *words, "--yes", "--format", "json")
    assert done.code == 2
    assert world.sandbox.control("requests") == []


# ---- the migration -----------------------------------------------------------------------------------------------------------


def test_it_asks_first(world: World) -> None:
    old_shops(world)
    alone = world.rotation("migrate")
    assert alone.code == 2
    assert "in place of all selected keys" in alone.err
    assert world.sandbox.control("requests") == []
    declined = world.rotation("migrate", terminal=True, stdin="n\n")
    assert declined.code == 1
    due = [row for row in world.rotation("migrate", "--dry-run", "--format", "json").json if row["action"] == "create"]
    assert f"in place of {len(due)} keys in {len({row['project'] for row in due})} projects" in declined.err
    assert world.writes() == []
    world.policy(rule("shop-a", keys='["nobody"]'))
    assert world.rotation("migrate", terminal=True, stdin="").code == 0, "there is nothing to ask about"


def test_from_standard_keys_to_auth_keys(world: World) -> None:
    old_shops(world)
    nothing = world.type("keys", "migrate", "web-1", "-p", "shop-a", "--dry-run")
    assert nothing.code == 0
    assert "there is nothing to migrate: it is an auth key" in nothing.err
    first = world.rotation("migrate", "--yes", "--format", "json")
    assert first.code == 0, first.err
    assert {out["state"] for out in first.json} == {"grace"}
    ends = min(out["until"] for out in first.json)[:16].replace("T", " ")
    assert f"Give this command again after {ends} UTC" in first.err
    assert len(first.json) == 4
    for out in first.json:
        key_id = out["key"].rpartition("/")[2]
        key = world.keys(out["project"])[key_id]
        assert key["serviceAccountEmail"] == f"keyadmin-gemini@{out['project']}.iam.gserviceaccount.com"
        assert key["restrictions"] == {"apiTargets": [GEMINI]}
        assert world.secret(out["project"], key["displayName"]) == world.string(out["project"], key_id)
    world.advance("25h")
    second = world.rotation("migrate", "--yes", "--format", "json")
    assert second.code == 0, second.err
    assert {out["state"] for out in second.json} == {"retired"}
    assert "deleteTime" in world.keys("shop-a")["web-0"]
    mixed, open_, maps = (world.keys("shop-b")[f"web-{number}"] for number in range(3))
    assert "deleteTime" not in mixed
    assert mixed["restrictions"] == {"apiTargets": [MAPS]}
    assert "deleteTime" in open_
    assert "deleteTime" not in maps
    assert world.rotation("migrate", "--yes", "--format", "json").json == []
    assert world.rotation("migrate", "--dry-run", "--format", "json").json == []


def test_a_policy_for_standard_keys_finishes_what_it_began(world: World) -> None:
    """The successor is an auth key, which the rule would not select by itself."""
    world.seed("shop-a", STANDARD)
    world.policy(rule("shop-a", type='"standard"', new_type='"auth"'))
    assert world.rotation("run").code == 0
    world.advance("25h")
    done = world.rotation("run", "--format", "json")
    assert [out["state"] for out in done.json] == ["retired"]
    assert "deleteTime" in world.keys("shop-a")["web-0"]


def test_a_policy_for_new_auth_keys_goes_on_rotating_them(world: World) -> None:
    world.seed("shop-a", STANDARD)
    world.policy(rule("shop-a", new_type='"auth"', grace='"0s"'))
    assert world.rotation("run").code == 0
    world.advance("91d")
    assert world.rotation("run").code == 0
    assert world.newest("shop-a").endswith("-3")


def test_an_unrestricted_key_in_use_by_other_apis_is_kept_and_can_be_left_to_them(world: World) -> None:
    world.seed(
        "shop-a", STANDARD | {"displayName": "open", "restrictions": {}}, services=[*SERVICES, "maps-backend.googleapis.com"]
    )
    world.policy(rule("shop-a"))
    world.rotation("migrate", "--yes")
    world.advance("25h")
    world.sandbox.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 9})
    used = {"projectId": "shop-a", "keys": [{"keyId": "web-0", "displayName": "open", "lastUsed": world.ago(0)}]}
    world.sandbox.control("seed", {"projects": [used]})
    done = world.rotation("migrate", "--yes", "--format", "json")
    assert [out["state"] for out in done.json] == ["grace"], done.err
    assert "was used" in done.json[0]["why"]
    assert all(fix in done.err for fix in done.json[0]["fix"])
    restrict = next(fix for fix in done.json[0]["fix"] if "restrict" in fix).replace("SERVICE", "maps-backend.googleapis.com")
    mended = world.say(restrict + " --force")
    assert mended.code == 0, mended.err
    last = world.rotation("migrate", "--yes", "--format", "json")
    assert [out["state"] for out in last.json] == ["retired"], last.err
    assert "deleteTime" not in world.keys("shop-a")["web-0"]


def test_here_is_where_the_files_of_the_options_are(world: World) -> None:
    world.seed("shop-a", STANDARD | {"displayName": "plain"})
    done = world.rotation("migrate", "--projects", "shop-a", "--to", f"env-file:{world.folder}/{{name}}.env", "--yes")
    assert done.code == 0, done.err
    assert (world.folder / "plain.env").read_text().startswith("GEMINI_API_KEY=AQ.SANDBOX-")
