"""A dry run is the plan: what the run does it says, and where the run fails it fails with the same words and exit code."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.rotation.conftest import SERVICES, World, rule

SINK = "secret-manager:projects/shop-a/secrets/web"
KEY = ("web-0", "-p", "shop-a")


def use(world: World, key_id: str) -> None:
    """Somebody works with a key."""
    url = f"{world.sandbox.rest}/v1beta/models/gemini-2.5-flash:generateContent"
    headers = {"Content-Type": "application/json", "x-goog-api-key": world.string("shop-a", key_id)}
    asked = urllib.request.Request(url, b'{"contents": [{"parts": [{"text": "hello"}]}]}', headers)
    urllib.request.urlopen(asked, timeout=60).close()


def fresh(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))


def in_grace(world: World) -> None:
    fresh(world)
    assert world.rotation("run").code == 0


def due_to_go(world: World) -> None:
    in_grace(world)
    world.advance("25h")


def used(world: World) -> None:
    due_to_go(world)
    use(world, "web-0")


def use_unknown(world: World) -> None:
    used(world)
    world.sandbox.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 99})


def changed_in_between(world: World) -> None:
    in_grace(world)
    world.type("keys", "annotate", world.newest("shop-a"), "-p", "shop-a", "--clear")


def too_many(world: World) -> None:
    world.seed("shop-a", *({"keyId": f"web-{number}", "createTime": world.ago(1)} for number in range(300)))
    world.policy(rule("shop-a", keys='["web-0"]', max_age='"1h"'))


RUNS = ("rotation", "run")
ROTATE = ("keys", "rotate", *KEY, "--to", SINK, "--yes")
COMPROMISED = ("keys", "compromised", *KEY, "--to", SINK, "--yes")
STATES: list[Callable[[World], None]] = [fresh, in_grace, due_to_go, used, use_unknown, changed_in_between, too_many]


def said(done: Any) -> tuple[int, Any, Any]:
    """How a command ended: its code, and the cause and words of its error."""
    error = done.error if done.code else {}
    return done.code, error.get("cause"), error.get("message")


@pytest.mark.parametrize("command", [RUNS, ROTATE, COMPROMISED], ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_dry_run_ends_as_the_run_does(world: World, state: Callable[[World], None], command: tuple[str, ...]) -> None:
    state(world)
    writes = len(world.writes())
    dry = world.type(*command, "--dry-run", "--format", "json")
    assert len(world.writes()) == writes, "nothing was changed"
    done = world.type(*command, "--format", "json")
    assert said(dry) == said(done), (dry.err, done.err)


@pytest.mark.parametrize("command", [RUNS, ROTATE, COMPROMISED], ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("without", ["apikeys.keys.create", "iam.serviceAccountApiKeyBindings.create"])
def test_without_a_permission_the_dry_run_says_what_the_run_says(world: World, without: str, command: tuple[str, ...]) -> None:
    from keyadmin.access.permissions import FEATURES

    fresh(world)
    secrets = [f"secretmanager.versions.{verb}" for verb in ("access", "add", "list", "disable")]
    held = {*FEATURES["rotate"].permissions, "monitoring.timeSeries.list", "secretmanager.secrets.create", *secrets}
    world.grant("robot@example.com", "rotator", *sorted(held - {without}), projects=["shop-a"])
    dry = world.type(*command, "--dry-run", "--format", "json", user="robot@example.com")
    done = world.type(*command, "--format", "json", user="robot@example.com")
    assert said(dry) == said(done), (dry.err, done.err)
    assert dry.code != 0
    assert without in dry.error["message"]


@pytest.mark.parametrize("without", ["serviceusage.services.enable", "iam.serviceAccounts.create", "apikeys.keys.create"])
@pytest.mark.parametrize("command", [("rotation", "migrate", "--yes"), ("keys", "migrate", *KEY, "--yes")], ids=str)
def test_a_migration_says_beforehand_what_it_would_be_refused_for(world: World, without: str, command: tuple[str, ...]) -> None:
    from keyadmin.access.permissions import FEATURES

    services = [name for name in SERVICES if not name.startswith("generativelanguage")]
    world.seed("shop-a", {"serviceAccountEmail": None}, services=services)
    world.policy(rule("shop-a", sinks="sinks = []\n"))
    world.grant("robot@example.com", "rotator", *sorted({*FEATURES["migrate"].permissions} - {without}), projects=["shop-a"])
    dry = world.type(*command, "--dry-run", "--format", "json", user="robot@example.com")
    done = world.type(*command, "--format", "json", user="robot@example.com")
    assert said(dry) == said(done), (dry.err, done.err)
    assert dry.code != 0


def test_a_sink_that_cannot_take_a_key_is_seen_before_a_key_is_made(world: World) -> None:
    """Each try left a key that nothing had."""
    world.seed("shop-a", {})
    sink = f"env-file:{world.folder}/no/such/folder/.env"
    dry = world.type("keys", "rotate", *KEY, "--to", sink, "--dry-run", "--format", "json")
    done = world.type("keys", "rotate", *KEY, "--to", sink, "--yes", "--format", "json")
    assert said(dry) == said(done)
    assert dry.code == 1
    assert list(world.keys("shop-a")) == ["web-0"]


def test_a_key_that_is_used_is_said_to_be_kept(world: World) -> None:
    used(world)
    dry = world.rotation("run", "--dry-run", "--format", "json")
    (row,) = dry.json
    assert row["action"] == "wait"
    assert "was used for generativelanguage.googleapis.com" in row["why"]
    assert row["fix"]


# ---- questions --------------------------------------------------------------------------------------------------------------


def test_the_question_of_a_rollback_without_sinks_says_that_nothing_is_deleted(world: World) -> None:
    in_grace(world)
    second = world.newest("shop-a")
    (world.folder / "keyadmin.toml").unlink()
    dry = world.rotation("rollback", *KEY, "--dry-run")
    assert f"hand it to no sink, and keep {second}, which sinks have, until these are given" in dry.err
    asked = world.rotation("rollback", *KEY, terminal=True, stdin="y\n")
    assert f"keep {second}" in asked.err
    assert not any("deleteTime" in key for key in world.keys("shop-a").values())


def test_the_question_of_a_rollback_names_what_is_deleted(world: World) -> None:
    in_grace(world)
    second = world.newest("shop-a")
    asked = world.rotation("rollback", *KEY, terminal=True, stdin="n\n")
    assert f"and delete {second}?" in asked.err
    done = world.rotation("rollback", *KEY, "--yes")
    assert done.code == 0, done.err
    assert [name for name, key in world.keys("shop-a").items() if "deleteTime" in key] == [second]
