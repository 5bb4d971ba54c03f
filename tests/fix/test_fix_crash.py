"""kill -9 before and after every remote call, every line of the journal and every file that fix and undo write.

Started again, each change was made once, and all is as if nothing had been. KEYADMIN_TEST_KILLS=all kills at every point, else
at every third one.
"""

from __future__ import annotations

import os

import pytest

from tests.fix.conftest import Fleet
from tests.rotation.conftest import World

SLICES = 2  # the matrix is cut so that it runs side by side
STRIDE = 1 if os.environ.get("KEYADMIN_TEST_KILLS") == "all" else 3


def begun(world: World, name: str) -> Fleet:
    fleet = Fleet(world, [name], name)
    fleet.begin()
    fleet.planned("--wave", "60%")
    return fleet


@pytest.mark.parametrize("part", range(SLICES))
def test_a_fix_killed_at_every_point(world: World, part: int) -> None:
    quiet = begun(world, "quiet")
    pattern = quiet.apply()
    assert pattern.code == 0, pattern.stderr
    assert {"UpdateKey", "DeleteKey", "ListKeys", "journal"} <= set(pattern.points)
    end, words = quiet.state(), sorted(quiet.last_steps().values())
    for at, when in pattern.kills[part * STRIDE :: SLICES * STRIDE]:
        fleet = begun(world, f"killed-{at}-{when}")
        where = f"killed {when} {pattern.points[at]} ({at})"
        assert fleet.apply(kill=(at, when)).code == -9, where
        again = fleet.apply()
        assert again.code == 0, f"{where}: {again.stderr}"
        assert fleet.state() == end, where
        assert sorted(fleet.last_steps().values()) == words, where
        third = fleet.apply()
        assert third.code == 0, f"{where}: {third.stderr}"
        assert not {"UpdateKey", "DeleteKey"} & set(third.points), f"{where}: something was done twice"


def test_a_fix_killed_between_mark_and_deletion(world: World) -> None:
    """The mark gives the key another etag than the plan has: the run goes on with what it marked itself."""
    pattern = begun(world, "quiet").apply()
    fleet = begun(world, "killed")
    assert fleet.apply(kill=(pattern.points.index("DeleteKey"), "before")).code == -9
    again = fleet.apply()
    assert again.code == 0, again.stderr
    assert "DeleteKey" in again.points


@pytest.mark.parametrize("part", range(SLICES))
def test_an_undo_killed_at_every_point(world: World, part: int) -> None:
    quiet = begun(world, "quiet")
    assert quiet.apply().code == 0
    pattern = quiet.undo()
    assert pattern.code == 0, pattern.stderr
    assert {"UpdateKey", "UndeleteKey", "ListKeys", "journal"} <= set(pattern.points)
    assert quiet.keys() == quiet.before
    for at, when in pattern.kills[part * STRIDE :: SLICES * STRIDE]:
        fleet = begun(world, f"killed-{at}-{when}")
        where = f"killed {when} {pattern.points[at]} ({at})"
        assert fleet.apply().code == 0
        assert fleet.undo(kill=(at, when)).code == -9, where
        again = fleet.undo()
        assert again.code == 0, f"{where}: {again.stderr}"
        assert fleet.keys() == fleet.before, where


def test_a_fix_killed_and_undone_at_once(world: World) -> None:
    """Nobody went on with the run: the undo finds what was done of it all the same."""
    quiet = begun(world, "quiet")
    pattern = quiet.apply()
    for at, when in pattern.kills[1 :: STRIDE * 2 - 1]:
        fleet = begun(world, f"killed-{at}-{when}")
        where = f"killed {when} {pattern.points[at]} ({at})"
        assert fleet.apply(kill=(at, when)).code == -9, where
        if fleet.journal_file.exists():
            back = fleet.undo()
            assert back.code == 0, f"{where}: {back.stderr}"
        assert fleet.keys() == fleet.before, where
