"""What people did by hand, and the ways out: each is typed as it is printed."""

from __future__ import annotations

import json
import socket
import urllib.request
from typing import Any

import pytest

from tests.cli.rotation.conftest import World, rule


def rotated(world: World, *, retired: bool = True, **more: str) -> str:
    """shop-a with a second generation, in grace or complete; its id."""
    world.seed("shop-a", {})
    world.policy(rule("shop-a", **more))
    assert world.rotation("run").code == 0
    if retired:
        world.advance("25h")
        assert world.rotation("run").code == 0
    return world.newest("shop-a")


def by_hand(world: World, verb: str, key_id: str, body: Any = None, suffix: str = "") -> None:
    """A call that somebody makes past keyadmin."""
    url = f"{world.sandbox.rest}/v2/projects/shop-a/locations/global/keys/{key_id}{suffix}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=verb)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def remove_annotations(world: World, second: str) -> None:
    by_hand(world, "PATCH", second, {"annotations": {}}, "?updateMask=annotations")


def delete_successor(world: World, second: str) -> None:
    by_hand(world, "DELETE", second)


def restore_predecessor(world: World, second: str) -> None:
    by_hand(world, "POST", "web-0", {}, ":undelete")


def forge_publication(world: World, second: str) -> None:
    marks = world.keys("shop-a")[second]["annotations"] | {"keyadmin-state": "grace"}
    del marks["keyadmin-published"]
    by_hand(world, "PATCH", second, {"annotations": marks}, "?updateMask=annotations")


def garble_publication(world: World, second: str) -> None:
    marks = world.keys("shop-a")[second]["annotations"] | {"keyadmin-state": "grace", "keyadmin-published": "yesterday"}
    by_hand(world, "PATCH", second, {"annotations": marks}, "?updateMask=annotations")


def rename_generation(world: World, second: str) -> None:
    marks = world.keys("shop-a")[second]["annotations"] | {"keyadmin-generation": "9"}
    by_hand(world, "PATCH", second, {"annotations": marks}, "?updateMask=annotations")


@pytest.mark.parametrize(
    ("tamper", "way"),
    [
        (remove_annotations, 0),
        (rename_generation, 0),
        (forge_publication, 0),
        (garble_publication, 0),
        (delete_successor, 0),
        (delete_successor, 1),
        (restore_predecessor, 0),
        (restore_predecessor, 1),
    ],
)
def test_a_lineage_tampered_with_is_stuck_until_somebody_goes_a_way_out(world: World, tamper: Any, way: int) -> None:
    second = rotated(world, retired=tamper is not delete_successor)  # in grace there is something to go back to
    tamper(world, second)
    before = world.keys("shop-a")
    status = world.rotation("status", "--format", "json")
    assert status.code == 3
    (row,) = status.json
    assert (row["state"], row["action"]) == ("stuck", "stuck")
    assert row["fix"][0] in status.err
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    assert done.json[0]["cause"] == "conflict"
    after = world.keys("shop-a")
    assert {name: "deleteTime" in key for name, key in before.items()} == {
        name: "deleteTime" in key for name, key in after.items()
    }
    mended = world.say(row["fix"][way])
    assert mended.code == 0, mended.err
    for _ in range(3):
        assert world.rotation("run").code == 0
        world.advance("25h")
    (row,) = world.rotation("status", "--format", "json").json
    assert row["state"] == "retired", row
    live = [name for name, key in world.keys("shop-a").items() if "deleteTime" not in key]
    assert len(live) == 1
    assert world.secret("shop-a", "web-0") == world.string("shop-a", live[0])


# ---- rollback ----------------------------------------------------------------------------------------------------------


def test_rollback_takes_the_sinks_from_the_policy(world: World) -> None:
    second = rotated(world)
    assert world.rotation("rollback", "web-0", "-p", "shop-a").code == 2, "it asks first"
    dry = world.rotation("rollback", "web-0", "-p", "shop-a", "--dry-run")
    assert dry.code == 0
    assert "secret-manager:projects/shop-a/secrets/web-0" in dry.err
    assert "deleteTime" in world.keys("shop-a")["web-0"]
    done = world.rotation("rollback", "web-0", "-p", "shop-a", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["key"].endswith("/keys/web-0")
    assert done.json["state"] == "retired"
    assert world.secret("shop-a", "web-0") == world.string("shop-a", "web-0")
    assert "deleteTime" in world.keys("shop-a")[second]
    assert "deleteTime" not in world.keys("shop-a")["web-0"]
    again = world.rotation("rollback", second, "-p", "shop-a", "--yes", "--format", "json")
    assert again.code == 1
    assert "was rolled back from" in again.error["message"]


def test_rollback_with_a_policy_of_another_name_or_with_sinks(world: World) -> None:
    rotated(world)
    (world.folder / "keyadmin.toml").rename(world.folder / "other.toml")
    done = world.rotation("rollback", "web-0", "-p", "shop-a", "--policy", "other.toml", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert any(step["step"].startswith("publish secret-manager") for step in done.json["steps"])
    missing = world.rotation("rollback", "web-0", "-p", "shop-a", "--policy", "none.toml", "--yes")
    assert missing.code == 2


def test_rollback_without_any_sink_keeps_what_the_sinks_hold_and_says_so(world: World) -> None:
    second = rotated(world)
    (world.folder / "keyadmin.toml").unlink()
    done = world.rotation("rollback", "web-0", "-p", "shop-a", "--yes", "--format", "json")
    assert done.code == 0, done.err
    assert "--to SINK" in done.err
    assert [name for name, key in world.keys("shop-a").items() if "deleteTime" in key] == []
    assert world.secret("shop-a", "web-0") == world.string("shop-a", second)
    to = "secret-manager:projects/shop-a/secrets/web-0"
    assert world.rotation("rollback", "web-0", "-p", "shop-a", "--to", to, "--yes").code == 0
    assert world.secret("shop-a", "web-0") == world.string("shop-a", "web-0")
    assert "deleteTime" in world.keys("shop-a")[second]


def test_rollback_is_for_the_machine_that_has_the_sinks(world: World) -> None:
    rotated(world)
    world.policy(rule("shop-a", sinks='sinks = ["env-file:/srv/x.env"]\nmachine = "somewhere-else"\n'))
    done = world.rotation("rollback", "web-0", "-p", "shop-a", "--yes", "--format", "json")
    assert done.code == 1
    assert "somewhere-else" in done.error["message"]


def test_a_key_of_another_lineage_or_the_newest_is_nothing_to_go_back_to(world: World) -> None:
    second = rotated(world)
    done = world.rotation("rollback", second, "-p", "shop-a", "--yes", "--format", "json")
    assert done.code == 1
    assert "is the newest generation" in done.error["message"]
    assert world.rotation("rollback", "nothing", "-p", "shop-a", "--yes").code == 1


# ---- adopt -------------------------------------------------------------------------------------------------------------


def test_adopt_marks_keys_by_name_or_by_the_policy(world: World) -> None:
    world.seed("shop-a", {}, {})
    world.seed("shop-b", {})
    world.policy(rule("shop-*", adopted="true"))
    assert world.rotation("plan", "--format", "json").json == []
    dry = world.rotation("adopt", "web-0", "-p", "shop-a", "--dry-run")
    assert (dry.code, world.writes()) == (0, [])
    assert world.rotation("adopt", "web 0", "-p", "shop-a").code == 0
    assert [row["key"].rpartition("/")[2] for row in world.rotation("plan", "--format", "json").json] == ["web-0"]
    marks = world.keys("shop-a")["web-0"]["annotations"]
    assert (marks["keyadmin-generation"], marks["keyadmin-state"]) == ("1", "retired")
    done = world.rotation("adopt", "--format", "json")
    assert done.code == 0, done.err
    assert len(done.json) == 3
    assert len(world.rotation("plan", "--format", "json").json) == 3
    writes = len(world.writes())
    assert world.rotation("adopt").code == 0
    assert len(world.writes()) == writes, "what is adopted is left as it is"


def test_the_oldest_generation_brought_back_by_hand_is_retired_after_adopting_the_newest(world: World) -> None:
    rotated(world, grace='"0s"', max_age='"10d"')
    world.advance("11d")
    assert world.rotation("run").code == 0
    third = world.newest("shop-a")
    assert third.endswith("-3")
    restore_predecessor(world, third)
    stuck = world.rotation("run", "--format", "json")
    assert [out["state"] for out in stuck.json] == ["stuck"]
    assert world.say(stuck.json[0]["fix"][0]).code == 0
    assert world.keys("shop-a")[third]["annotations"]["keyadmin-predecessor"] == "web-0"
    assert [out["state"] for out in world.rotation("run", "--format", "json").json] == ["retired"]
    assert "deleteTime" in world.keys("shop-a")["web-0"]


def test_adopt_without_key_or_policy_is_wrong_usage(world: World) -> None:
    assert world.rotation("adopt").code == 2
    assert world.rotation("adopt", "nothing", "-p", "demo-project").code == 1


# ---- policies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "run", "status", "migrate", "adopt"])
def test_a_wrong_policy_is_told_before_any_call(world: World, command: str) -> None:
    world.policy('[[rule]]\nprojects = ["shop-a"]\nsinks = ["nowhere:web"]\n')
    done = world.rotation(command, *(["--yes"] if command == "migrate" else []), "--format", "json")
    assert done.code == 2
    assert "keyadmin.toml, line 3: 'nowhere:web' is not a sink" in done.error["message"]
    assert done.error["fix"]
    assert world.sandbox.control("requests") == []


def test_two_keys_for_one_sink_are_refused(world: World) -> None:
    world.seed("shop-a", {}, {})
    world.policy(rule("shop-a", sinks='sinks = ["secret-manager:projects/shop-a/secrets/one"]\n'))
    for command in ("plan", "run", "status"):
        done = world.rotation(command, "--format", "json")
        assert done.code == 2
        assert "two keys would go to the sink secret-manager:projects/shop-a/secrets/one" in done.error["message"]
        assert "{name}" in " ".join(done.error["fix"])
    assert world.writes() == []


def test_a_key_string_in_the_stdout_sink_is_shown_as_asked(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a", sinks='sinks = ["stdout"]\n'))
    env = {"KEYADMIN_SANDBOX": world.sandbox.rest}
    done = world.cli("rotation", "run", "--sandbox", env=env)
    assert done.code == 0, done.err
    assert world.string("shop-a", world.newest("shop-a")) in done.out.splitlines()


def test_another_machines_name_is_compared_with_this_ones(world: World) -> None:
    world.seed("shop-a", {})
    here = f'sinks = ["exec:true"]\nmachine = "{socket.gethostname()}"\n'
    world.policy(rule("shop-a", sinks=here))
    assert "machine" not in world.rotation("plan", "--format", "json").json[0]
