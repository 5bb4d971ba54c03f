"""A key that a page or an app bears: no sink takes its successor there, and that is said before it is replaced."""

from __future__ import annotations

import pytest

from tests.cli.rotation.conftest import MAPS, World, rule

SINK = "secret-manager:projects/shop-a/secrets/web"

PUBLIC = {
    "serviceAccountEmail": None,
    "restrictions": {"apiTargets": [MAPS], "browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*"]}},
}


@pytest.mark.parametrize("line", [("rotation", "plan"), ("rotation", "run", "--dry-run"), ("rotation", "run")], ids=" ".join)
def test_of_a_key_in_a_page_it_is_said_that_no_sink_takes_the_new_one_there(world: World, line: tuple[str, ...]) -> None:
    world.seed("shop-a", PUBLIC | {"keyId": "web-map"}, {"keyId": "server"})
    world.policy(rule("shop-a"))
    done = world.type(*line)
    assert done.code == 0, done.err
    (told,) = [text for text in done.err.splitlines() if "in a web page or an app" in text]
    assert told.startswith("Warning: shop-a web-map: ")
    assert told.endswith("keyadmin keys clone web-map -p shop-a --sandbox")


def test_keys_rotate_says_it_too(world: World) -> None:
    world.seed("shop-a", PUBLIC | {"keyId": "web-map"})
    done = world.type("keys", "rotate", "web-map", "-p", "shop-a", "--to", SINK, "--yes")
    assert done.code == 0, done.err
    assert done.err.count("in a web page or an app") == 1
    again = world.type("keys", "rotate", "web-map", "-p", "shop-a", "--to", SINK, "--yes")
    assert "in a web page or an app" not in again.err, "nothing is replaced"
