"""Where a lineage stands, in words, with and without a policy; and which key a display name means during a rotation."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from tests.cli.rotation.conftest import World, rule

KEY = ("-p", "shop-a")
SINK = "secret-manager:projects/shop-a/secrets/web"


def rotated(world: World, *words: str) -> str:
    """shop-a's key `web 0`, rotated by hand; the successor's id."""
    world.seed("shop-a", {})
    done = world.type("keys", "rotate", "web-0", *KEY, "--to", SINK, "--yes", *words)
    assert done.code == 0, done.err
    return world.newest("shop-a")


# ---- states ------------------------------------------------------------------------------------------------------------------


def test_a_key_rotated_by_hand_has_a_status_without_a_policy(world: World) -> None:
    second = rotated(world)
    done = world.rotation("status", "web-0", *KEY, "--format", "json")
    assert done.code == 0, done.err
    (row,) = done.json
    assert (row["key"].rpartition("/")[2], row["state"], row["generation"]) == (second, "grace", 2)
    assert re.fullmatch(r"old key works until \d{4}-\d\d-\d\d \d\d:\d\d UTC", row["stateText"])
    assert row["why"].startswith("the grace period of 1 d ends "), "says more than the state does"
    assert "old key works until" in world.rotation("status", second, *KEY).out
    whole = world.rotation("status", *KEY)
    assert whole.code == 0, whole.err
    assert "old key works until" in whole.out
    (row,) = [line for line in whole.out.splitlines() if second in line]
    assert len(re.findall(r"\d\d:\d\d UTC", row)) == 1, "the end of the grace is said once"
    assert row.rstrip().endswith("the grace period of 1 d is not over")
    world.advance("25h")
    assert world.type("keys", "rotate", "web-0", *KEY, "--to", SINK, "--yes").code == 0
    (row,) = world.rotation("status", *KEY, "--format", "json").json
    assert (row["state"], row["stateText"]) == ("retired", "in use")


def test_the_default_project_is_shown_where_nothing_is_named(world: World) -> None:
    done = world.rotation("status", "--format", "json")
    assert (done.code, done.json) == (0, [])


def test_the_grace_that_it_was_begun_with_is_written_nowhere_and_can_be_given(world: World) -> None:
    rotated(world, "--grace", "7d")
    world.advance("25h")
    (row,) = world.rotation("status", *KEY, "--grace", "7d", "--format", "json").json
    assert row["action"] == "wait"


def test_with_a_policy_its_rule_counts_for_the_key(world: World) -> None:
    rotated(world)
    world.policy(rule("shop-a", grace='"7d"', name='"ours"'))
    (row,) = world.rotation("status", "web-0", *KEY, "--format", "json").json
    assert row["rule"] == "ours"
    assert world.rotation("status", "web-0", *KEY, "--only", "web-0").code == 2


@pytest.mark.parametrize("command", ["compromised", "rotate"])
def test_a_new_key_that_works_is_not_called_retired(world: World, command: str) -> None:
    world.seed("shop-a", {})
    grace = () if command == "compromised" else ("--grace", "0s")
    done = world.type("keys", command, "web-0", *KEY, *grace, "--yes")
    assert done.code == 0, done.err
    assert f"{world.newest('shop-a')}: complete; " in done.out
    assert "retired" not in done.out + done.err


def test_no_row_of_status_migrate_and_rollback_calls_a_working_key_retired(world: World) -> None:
    world.seed("shop-a", {"serviceAccountEmail": None}, {"keyId": "web-1", "createTime": world.ago(1)})
    world.policy(rule("shop-a"))
    said = [world.rotation("migrate", "--yes").out]
    world.advance("25h")
    said.append(world.rotation("migrate", "--yes").out)
    said.append(world.rotation("status").out)
    assert "complete" in said[1]
    assert said[2].count("in use") == 2
    assert not [text for text in said if "retired" in text]


def test_results_of_a_run_have_names_and_sinks(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    done = world.rotation("run")
    header, *_ = done.out.splitlines()
    assert {"NAME", "SINKS"} <= set(header.split())
    assert "web 0" in done.out
    assert "secret-manager:projects/shop-a/secrets/web-0" in done.out
    (row,) = world.rotation("run", "--emergency", "--yes", "--format", "json").json
    assert row["displayName"] == "web 0"
    assert row["sinks"] == ["secret-manager:projects/shop-a/secrets/web-0"]
    for words in (("status",), ("plan", "--all")):
        shown = world.rotation(*words).out
        assert {"NAME", "SINKS"} <= set(shown.split("\n")[0].split())
        assert "secret-manager:projects/shop-a/secrets/web-0" in shown
    (world.folder / "keyadmin.toml").unlink()
    assert "unknown (no policy names them)" in world.rotation("status", *KEY).out


# ---- names -------------------------------------------------------------------------------------------------------------

READING = [
    ("keys", "describe"),
    ("keys", "show"),
    ("keys", "verify"),
    ("keys", "usage"),
    ("keys", "hand-over", "--to", "stdout"),
    ("keys", "rotate", "--dry-run"),
    ("keys", "clone", "--name", "copy", "--dry-run"),
    ("rotation", "status"),
]
NARROWING: list[tuple[str, ...]] = [
    ("keys", "delete", "--yes"),
    ("keys", "compromised", "--yes"),
    ("keys", "restrict", "--allowed-ips", "192.0.2.1", "--yes"),
    ("keys", "unrestrict", "--yes"),
    ("keys", "annotate", "a=b"),
    ("keys", "rename"),
]


def named(world: World, words: tuple[str, ...], *more: str) -> Any:
    """A command on the display name; key strings may be printed, as some of these commands do."""
    group, verb, *options = words
    env = {"KEYADMIN_SANDBOX": world.sandbox.rest}
    return world.cli(group, verb, "web 0", *more, *options, *KEY, "--sandbox", env=env)


@pytest.mark.parametrize("words", READING, ids=lambda words: " ".join(words[:2]))
def test_for_reading_a_name_is_the_newest_key_and_that_is_said(world: World, words: tuple[str, ...]) -> None:
    second = rotated(world)
    done = named(world, words)
    assert done.code == 0, done.err
    assert f"'web 0' is {second} here, generation 2 of its lineage, the newest." in done.err


@pytest.mark.parametrize("words", NARROWING, ids=lambda words: " ".join(words[:2]))
def test_for_what_destroys_or_narrows_a_name_of_two_generations_is_none(world: World, words: tuple[str, ...]) -> None:
    second = rotated(world)
    writes = len(world.writes())
    done = named(world, words, *(["new name"] if "rename" in words else []))
    assert done.code == 2, done.err
    assert f"{second}  generation 2, handed over; auth" in done.err
    assert "web-0  generation 1, in use; auth" in done.err
    assert len(world.writes()) == writes
    ways = {each.partition(": ")[0].strip(): each.partition(": ")[2] for each in done.err.splitlines() if "    for " in each}
    assert set(ways) == {"for generation 1, in use", "for generation 2, handed over"}
    again = world.cli(*shlex.split(ways["for generation 2, handed over"])[1:], env={"KEYADMIN_SANDBOX": world.sandbox.rest})
    assert again.code == 0, again.err


def test_no_name_of_keys_that_live_is_brought_back_and_of_deleted_ones_each_is_named(world: World) -> None:
    second = rotated(world)
    done = named(world, ("keys", "undelete"))
    assert done.code == 1
    assert "none of the 2 keys of project shop-a with the display name 'web 0' is deleted" in done.err
    assert world.say(done.err.partition("see which are: ")[2].splitlines()[0].removesuffix(" --sandbox")).code == 0
    for key_id in ("web-0", second):
        assert world.type("keys", "delete", key_id, *KEY, "--yes", "--force").code == 0
    done = named(world, ("keys", "undelete"))
    assert done.code == 2, done.err
    assert f"keys undelete {second} -p shop-a --sandbox" in done.err


def test_a_rollback_by_name_goes_back_to_the_one_before(world: World) -> None:
    second = rotated(world)
    done = world.rotation("rollback", "web 0", *KEY, "--to", SINK, "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert "'web 0' is web-0 here, generation 1 of its lineage, the one before the newest." in done.err
    assert done.json["key"].endswith("/web-0")
    assert "deleteTime" in world.keys("shop-a")[second]


def test_a_forged_rollback_makes_no_name_mean_the_older_key(world: World) -> None:
    second = rotated(world)
    lineage = world.keys("shop-a")[second]["annotations"]["keyadmin-lineage"]
    marks = [f"keyadmin-{name}={value}" for name, value in (("lineage", lineage), ("generation", "1"), ("void", "2"))]
    assert world.type("keys", "annotate", "web-0", *KEY, *marks).code == 0
    done = named(world, ("keys", "hand-over", "--to", "stdout"))
    assert done.code != 0
    assert second in done.err
    assert "web-0" in done.err


def test_keys_of_two_lineages_that_bear_one_name_are_told_apart_by_their_ids(world: World) -> None:
    world.seed("shop-a", {}, {"keyId": "other", "displayName": "web 0"})
    done = named(world, ("keys", "describe"))
    assert done.code == 1
    assert "name the key by its id: " in done.err


def test_of_many_keys_of_one_name_the_first_are_listed(world: World) -> None:
    world.seed("shop-a", *({"keyId": f"k-{number}", "displayName": "web 0"} for number in range(60)))
    done = named(world, ("keys", "delete", "--yes"))
    assert done.code == 2
    assert "and 50 more: keyadmin keys list --all -p shop-a" in done.err
    assert len(done.err.splitlines()) < 20
