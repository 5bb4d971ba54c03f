"""A dry run of a rotation is refused for want of each permission as the run is, in every state that the run may find."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keyadmin.access.permissions import FEATURES
from tests.cli.rotation.conftest import World
from tests.cli.rotation.test_rotation_dry_runs import COMPROMISED, KEY, ROTATE, RUNS, SINK, due_to_go, fresh, in_grace, said

USER = "robot@example.com"
SECRETS = [f"secretmanager.versions.{verb}" for verb in ("access", "add", "list", "disable")]
ALL = {*FEATURES["rotate"].permissions, "apikeys.keys.undelete", "monitoring.timeSeries.list", "secretmanager.secrets.create"}


def grant_all_but(world: World, *without: str) -> None:
    held = {*ALL, *SECRETS} - {*without}
    world.grant(USER, f"without{len(without)}x{abs(hash(without)) % 9999}", *sorted(held), projects=["shop-a"])


KEYS = [f"apikeys.keys.{verb}" for verb in ("getKeyString", "update", "delete")]


@pytest.mark.parametrize("command", [RUNS, ROTATE, COMPROMISED], ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("without", KEYS)
@pytest.mark.parametrize("state", [fresh, in_grace, due_to_go], ids=lambda state: state.__name__)
def test_without_a_permission_on_keys(
    world: World, state: Callable[[World], None], without: str, command: tuple[str, ...]
) -> None:
    state(world)
    grant_all_but(world, without)
    writes = len(world.writes())
    dry = world.type(*command, "--dry-run", "--format", "json", user=USER)
    assert len(world.writes()) == writes, "nothing was changed"
    done = world.type(*command, "--format", "json", user=USER)
    assert said(dry) == said(done), (dry.err, done.err)


def rolled(world: World) -> None:
    due_to_go(world)
    assert world.rotation("run").code == 0, "the first is deleted"


ROLLBACK = ("rotation", "rollback", *KEY, "--to", SINK, "--yes")


@pytest.mark.parametrize("without", [*KEYS, "apikeys.keys.undelete", "secretmanager.versions.add", ""])
@pytest.mark.parametrize("state", [fresh, in_grace, rolled], ids=lambda state: state.__name__)
def test_a_rollback(world: World, state: Callable[[World], None], without: str) -> None:
    state(world)
    grant_all_but(world, without)
    writes = len(world.writes())
    dry = world.type(*ROLLBACK, "--dry-run", "--format", "json", user=USER)
    assert len(world.writes()) == writes, "nothing was changed"
    done = world.type(*ROLLBACK, "--format", "json", user=USER)
    assert said(dry) == said(done), (dry.err, done.err)


@pytest.mark.parametrize("without", ["apikeys.keys.update", ""])
@pytest.mark.parametrize("state", [fresh, in_grace], ids=lambda state: state.__name__)
@pytest.mark.parametrize("names", [KEY, ()], ids=["key", "policy"])
def test_an_adoption(world: World, names: tuple[str, ...], state: Callable[[World], None], without: str) -> None:
    state(world)
    grant_all_but(world, without)
    writes = len(world.writes())
    dry = world.rotation("adopt", *names, "--dry-run", "--format", "json", user=USER)
    assert len(world.writes()) == writes, "nothing was changed"
    done = world.rotation("adopt", *names, "--format", "json", user=USER)
    assert said(dry) == said(done), (dry.err, done.err)
