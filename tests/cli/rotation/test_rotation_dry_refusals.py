"""A dry run of a rotation is refused for want of each permission as the run is, in every state that the run may find."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keyadmin.access.permissions import FEATURES
from tests.cli.rotation.conftest import World
from tests.cli.rotation.test_rotation_dry_runs import (
    COMPROMISED,
    KEY,
    ROTATE,
    RUNS,
    SINK,
    changed_in_between,
    due_to_go,
    fresh,
    in_grace,
    said,
    use,
)

USER = "robot@example.com"
SECRETS = [f"secretmanager.versions.{verb}" for verb in ("access", "add", "list", "disable")]
ALL = {*FEATURES["rotate"].permissions, "apikeys.keys.undelete", "monitoring.timeSeries.list", "secretmanager.secrets.create"}


def grant_all_but(world: World, *without: str) -> None:
    held = {*ALL, *SECRETS} - {*without}
    world.grant(USER, f"without{len(without)}x{abs(hash(without)) % 9999}", *sorted(held), projects=["shop-a"])


def alike(world: World, *words: str, user: str = "owner@example.com") -> None:
    """A dry run and the run end the same, and the dry one changes nothing."""
    writes = len(world.writes())
    dry = world.type(*words, "--dry-run", "--format", "json", user=user)
    assert len(world.writes()) == writes, "nothing was changed"
    done = world.type(*words, "--format", "json", user=user)
    assert said(dry) == said(done), (dry.err, done.err)


KEYS = [f"apikeys.keys.{verb}" for verb in ("getKeyString", "update", "delete")]


@pytest.mark.parametrize("command", [RUNS, ROTATE, COMPROMISED], ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("without", KEYS)
@pytest.mark.parametrize("state", [fresh, in_grace, due_to_go], ids=lambda state: state.__name__)
def test_without_a_permission_on_keys(
    world: World, state: Callable[[World], None], without: str, command: tuple[str, ...]
) -> None:
    state(world)
    grant_all_but(world, without)
    alike(world, *command, user=USER)


def rolled(world: World) -> None:
    due_to_go(world)
    assert world.rotation("run").code == 0, "the first is deleted"


ROLLBACK = ("rotation", "rollback", *KEY, "--to", SINK, "--yes")


@pytest.mark.parametrize("without", [*KEYS, "apikeys.keys.undelete", "secretmanager.versions.add", ""])
@pytest.mark.parametrize("state", [fresh, in_grace, rolled], ids=lambda state: state.__name__)
def test_a_rollback(world: World, state: Callable[[World], None], without: str) -> None:
    state(world)
    grant_all_but(world, without)
    alike(world, *ROLLBACK, user=USER)


@pytest.mark.parametrize("without", ["apikeys.keys.update", ""])
@pytest.mark.parametrize("state", [fresh, in_grace], ids=lambda state: state.__name__)
@pytest.mark.parametrize("names", [KEY, ()], ids=["key", "policy"])
def test_an_adoption(world: World, names: tuple[str, ...], state: Callable[[World], None], without: str) -> None:
    state(world)
    grant_all_but(world, without)
    alike(world, "rotation", "adopt", *names, user=USER)


@pytest.mark.parametrize("known", [True, False], ids=["used", "unknown"])
def test_a_rollback_to_a_key_while_the_newer_one_is_used(world: World, known: bool) -> None:
    in_grace(world)
    use(world, world.newest("shop-a"))
    if not known:
        world.sandbox.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 99})
    alike(world, *ROLLBACK)


def take_the_marks_away(world: World) -> None:
    changed_in_between(world)


def delete_the_newer(world: World) -> None:
    in_grace(world)
    world.type("keys", "delete", world.newest("shop-a"), "-p", "shop-a", "--yes", "--force")


def delete_the_older(world: World) -> None:
    in_grace(world)
    world.type("keys", "delete", "web-0", "-p", "shop-a", "--yes", "--force")


CHANGES = [take_the_marks_away, delete_the_newer, delete_the_older]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_rollback_of_what_somebody_changed(world: World, change: Callable[[World], None]) -> None:
    change(world)
    alike(world, *ROLLBACK)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_adoption_of_what_somebody_changed(world: World, change: Callable[[World], None]) -> None:
    change(world)
    alike(world, "rotation", "adopt", *KEY)


def test_an_adoption_says_what_it_leaves_as_it_is(world: World) -> None:
    fresh(world)
    first = world.rotation("adopt", *KEY, "--dry-run")
    assert "would adopt web-0. " in first.err
    assert world.rotation("adopt", *KEY).code == 0
    again = world.rotation("adopt", *KEY, "--dry-run")
    assert "would adopt no key, and leave web-0, marked already, as it is" in again.err
