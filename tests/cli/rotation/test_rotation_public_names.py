"""The key of a page or an app: no name of Gemini's, a successor with its clients, an audit that follows its rotation."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.rotation.conftest import MAPS, World

KEY = ("-p", "shop-a")
BROWSER = {"keyId": "map", "displayName": "Browser key", "serviceAccountEmail": None, "restrictions": {"apiTargets": [MAPS]}}


@pytest.mark.parametrize(
    "line",
    [
        ("rotate", "map", "--yes"),
        ("rotate", "map", "--dry-run"),
        ("compromised", "map", "--yes"),
        ("hand-over", "map"),
        ("hand-over", "map", "--dry-run"),
        ("clone", "map", "--no-verify"),
        ("create", "--name", "map", "--standard", "--api-target", "maps-backend.googleapis.com"),
    ],
    ids=" ".join,
)
def test_a_key_for_maps_is_not_written_as_one_for_gemini(world: World, line: tuple[str, ...]) -> None:
    world.seed("shop-a", BROWSER)
    file = world.folder / "m.env"
    before = set(world.keys("shop-a"))
    done = world.type("keys", *line, *KEY, "--to", f"env-file:{file}")
    assert done.code == 2, done.err
    assert "would name it GEMINI_API_KEY" in done.err
    assert f"--to env-file:{file}:NAME" in done.err
    assert not file.exists()
    assert set(world.keys("shop-a")) == before
    named = world.type("keys", *line, *KEY, "--to", f"env-file:{file}:MAPS_KEY")
    assert named.code == 0, named.err
    if "--dry-run" not in line:
        assert file.read_text().startswith("MAPS_KEY=AIza")


def test_the_name_counts_where_it_was_typed_and_keys_for_gemini_have_it_of_themselves(world: World) -> None:
    world.seed("shop-a", BROWSER, {"keyId": "server"})
    file = world.folder / "m.env"
    typed = world.type("keys", "hand-over", "map", *KEY, "--to", f"env-file:{file}:GEMINI_API_KEY")
    assert typed.code == 0, typed.err
    for to in (f"env-file:{file}", f"env-file:{world.folder / 'n.env'}"):
        done = world.type("keys", "hand-over", "server", *KEY, "--to", to)
        assert done.code == 0, done.err
    assert (world.folder / "n.env").read_text().startswith("GEMINI_API_KEY=AQ.")


def test_a_successor_keeps_the_clients(world: World) -> None:
    restrictions = {"apiTargets": [MAPS], "browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*"]}}
    world.seed("shop-a", BROWSER | {"restrictions": restrictions})
    done = world.type("keys", "rotate", "map", *KEY, "--yes")
    assert done.code == 0, done.err
    assert world.keys("shop-a")[world.newest("shop-a")]["restrictions"] == restrictions


def test_the_last_line_names_both_keys(world: World) -> None:
    world.seed("shop-a", {})
    done = world.type("keys", "rotate", "web-0", *KEY, "--yes")
    assert done.code == 0, done.err
    last = done.out.splitlines()[-1]
    assert last.startswith(f"The new key is {world.newest('shop-a')}; the old key web-0 works until 20")


def test_the_audit_waits_while_the_grace_runs_and_its_command_works(world: World) -> None:
    world.seed("shop-a", BROWSER)
    assert world.type("keys", "rotate", "map", *KEY, "--yes").code == 0
    made = world.newest("shop-a")

    def fixes() -> dict[str, set[str]]:
        found = world.type("audit", *KEY, "--max-age", "1h", "--format", "json").json["findings"]
        by_key: dict[str, set[str]] = {}
        for each in found:
            by_key.setdefault(each["key"].rpartition("/")[2], set()).add(each["fix"])
        return by_key

    assert fixes() == {
        "map": {"keyadmin rotation status map -p shop-a --sandbox"},
        made: {f"keyadmin keys restrict {made} -p shop-a --allowed-referrers SITE --sandbox"},
    }
    (wait,) = fixes()["map"]
    status = world.type(*shlex.split(wait)[1:-1])
    assert status.code == 0, status.err
    assert "old key works until" in status.out
    world.advance("25h")
    (finish,) = fixes()["map"]
    assert finish == "keyadmin keys rotate map -p shop-a --sandbox"
    done = world.type(*shlex.split(finish)[1:-1], "--yes")
    assert done.code == 0, done.err
    assert world.newest("shop-a") == made, "no other key was made"
    assert fixes() == {
        "map": {"keyadmin keys describe map -p shop-a --sandbox"},  # it is deleted
        made: {f"keyadmin keys rotate {made} -p shop-a --sandbox"},  # as keyadmin rotates it, and it is over age
    }
