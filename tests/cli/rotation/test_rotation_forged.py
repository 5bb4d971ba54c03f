"""Claims that do not fit the keys they stand on: nothing is handed over or deleted because of them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.rotation.conftest import GEMINI, World, rule


def by_hand(world: World, verb: str, path: str, body: Any) -> None:
    """A call that somebody makes past keyadmin; `path` = what follows `.../keys`."""
    url = f"{world.sandbox.rest}/v2/projects/shop-a/locations/global/keys{path}"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=verb)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def mark(world: World, key_id: str, **marks: str) -> None:
    whole = world.keys("shop-a")[key_id]["annotations"] | {f"keyadmin-{name}": value for name, value in marks.items()}
    by_hand(world, "PATCH", f"/{key_id}?updateMask=annotations", {"annotations": whole})


def published_before_it_was_made(world: World, second: str) -> None:
    mark(world, second, published="2020-01-01T00:00:00Z")


def published_in_the_future(world: World, second: str) -> None:
    mark(world, second, published="2099-01-01T00:00:00Z")


def without_restrictions(world: World, second: str) -> None:
    by_hand(world, "PATCH", f"/{second}?updateMask=restrictions", {"restrictions": {}})


def without_annotations(world: World, second: str) -> None:
    by_hand(world, "PATCH", f"/{second}?updateMask=annotations", {"annotations": {}})


@pytest.mark.parametrize("way", [0, 1])
@pytest.mark.parametrize(
    "tamper", [published_before_it_was_made, published_in_the_future, without_restrictions, without_annotations]
)
def test_in_grace_both_ways_out_lead_on(world: World, tamper: Callable[[World, str], None], way: int) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    assert world.rotation("run").code == 0
    tamper(world, world.newest("shop-a"))
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    assert done.json[0]["cause"] == "conflict"
    assert not any("deleteTime" in key for key in world.keys("shop-a").values())
    assert world.say(done.json[0]["fix"][way].replace("SERVICE", GEMINI["service"])).code == 0
    for _ in range(3):
        assert world.rotation("run").code == 0
        world.advance("25h")
    (row,) = world.rotation("status", "--format", "json").json
    assert row["state"] == "retired", row
    (live,) = [name for name, key in world.keys("shop-a").items() if "deleteTime" not in key]
    assert world.secret("shop-a", "web-0") == world.string("shop-a", live)


@pytest.mark.parametrize("claims", [False, True], ids=["bare", "with forged annotations"])
def test_a_key_made_by_hand_under_the_successors_id_replaces_nothing(world: World, claims: bool) -> None:
    """A standard key, which the Gemini API rejects, was handed over, and the auth key deleted."""
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    (row,) = world.rotation("plan", "--format", "json").json
    marks = {"lineage": row["lineage"], "generation": "2", "state": "grace", "predecessor": "web-0"}
    marks["published"] = world.ago(0)
    annotations = {f"keyadmin-{name}": value for name, value in marks.items()} if claims else {}
    forged = f"ka-{row['lineage']}-2"
    by_hand(world, "POST", f"?keyId={forged}", {"displayName": "mine", "annotations": annotations})
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    assert done.json[0]["cause"] == "conflict"
    assert ("standard key" if claims else "annotations") in done.json[0]["message"]
    back = next(way for way in done.json[0]["fix"] if "rollback" in way)
    assert world.say(back).code == 0
    assert {name: "deleteTime" in key for name, key in world.keys("shop-a").items()} == {"web-0": False, forged: True}
    assert world.secret("shop-a", "web-0") == world.string("shop-a", "web-0")
    assert world.type("keys", "rotate", "web-0", "-p", "shop-a", "--yes", "--format", "json").json["generation"] == 3


def test_annotations_copied_onto_another_key_say_nothing_of_it(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    assert world.rotation("run").code == 0
    second = world.newest("shop-a")
    copied = {"displayName": "copy", "annotations": world.keys("shop-a")[second]["annotations"]}
    by_hand(world, "POST", "?keyId=copy", copied)
    world.advance("25h")
    assert world.rotation("run").code == 0
    status = {row["displayName"]: row for row in world.rotation("status", "--format", "json").json}
    assert (status["copy"]["generation"], status["copy"]["action"]) == (1, "rest")
    assert {name for name, key in world.keys("shop-a").items() if "deleteTime" in key} == {"web-0"}


def test_a_forged_number_stops_its_lineage_alone(world: World) -> None:
    """A run over all projects ended with an unexpected error because of one annotation."""
    world.seed("shop-a", {}, {})
    world.policy(rule("shop-a"))
    assert world.rotation("adopt").code == 0
    mark(world, "web-0", highest="999999999")
    done = world.rotation("run", "--format", "json")
    assert done.code == 3
    assert sorted(out["state"] for out in done.json) == ["grace", "stuck"]
    assert world.say(done.error["fix"][0]).code == 0
    assert world.rotation("run").code == 0
