"""Four processes over one plan of 200 changes, with faults and kills: each change is made once, all end as one quiet run."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

from tests.fix.conftest import Fleet
from tests.rotation.conftest import World

PROCESSES, PROJECTS, COPIES = 4, 8, 9  # three keys a copy: 216 changes
FAULTS = (
    ("UpdateKey", "UNAVAILABLE", "before"),
    ("UpdateKey", "UNAVAILABLE", "after"),
    ("UpdateKey", "DROP", "after"),
    ("UpdateKey", "INTERNAL", "operation"),
    ("UpdateKey", "ABORTED", "before"),
    ("DeleteKey", "UNAVAILABLE", "after"),
    ("DeleteKey", "INTERNAL", "operation"),
    ("ListKeys", "UNAVAILABLE", "before"),
)


def filled(world: World, name: str, projects: int) -> Fleet:
    fleet = Fleet(world, [f"{name}-{number}" for number in range(projects)], name)
    fleet.begin(COPIES)
    fleet.planned("--wave", "30%")
    return fleet


def copied(fleet: Fleet, number: int) -> list[str]:
    """The command on another machine, which has a copy of both files."""
    plan = Path(f"{fleet.plan_file}.{number}.json")
    shutil.copy(fleet.plan_file, plan)
    if fleet.journal_file.exists():
        shutil.copy(fleet.journal_file, f"{plan}.run.jsonl")
    return [str(plan) if word == str(fleet.plan_file) else word for word in fleet.applying()]


def written_down(fleet: Fleet) -> None:
    """The journal says of every key that its change is made."""
    assert Counter(fleet.last_steps().values()) == {"done": len(fleet.before)}


def test_four_processes_with_one_plan_end_as_one_quiet_run(world: World) -> None:
    rng = random.Random(7)
    quiet = filled(world, "quiet", 1)
    assert quiet.apply().code == 0
    end = Counter(map(str, quiet.state()))
    crowd = filled(world, "crowd", PROJECTS)
    for machines in (False, True):
        for method, code, when in rng.sample(FAULTS, 5):
            world.sandbox.control("faults", {"method": method, "code": code, "when": when, "times": rng.randint(1, 4)})
        commands = [copied(crowd, number) if machines else crowd.applying() for number in range(PROCESSES)]
        kills = [(rng.randrange(120), "soon after") if number else None for number in range(PROCESSES)]
        ended = world.run_all(list(zip(commands, kills, strict=True)))
        assert {each.code for each in ended} <= {0, 1, 3, -9}, [each.stderr[-300:] for each in ended]
    world.sandbox.control("faults", method="DELETE")
    last = crowd.apply()
    assert last.code == 0, last.stderr
    assert Counter(map(str, crowd.state())) == Counter({one: count * PROJECTS for one, count in end.items()})
    written_down(crowd)
    assert crowd.undo().code == 0
    assert crowd.keys() == crowd.before


def test_two_people_with_copies_of_the_plan_at_once(world: World) -> None:
    fleet = filled(world, "shared", 2)
    before = len(world.sandbox.control("requests"))
    ended = world.run_all([(copied(fleet, number), None) for number in range(2)])
    assert [each.code for each in ended] == [0, 0], [each.stderr[-500:] for each in ended]
    calls = world.sandbox.control("requests")[before:]
    made = Counter(each["method"].rpartition(".")[2] for each in calls if each["status"] == "OK")
    keys = len(fleet.before)
    assert made["DeleteKey"] == keys // 3, "each key is deleted once"
    assert made["UpdateKey"] == keys, "each key is narrowed or marked once"
    assert {deleted for _, deleted, *_ in fleet.keys().values()} == {True, False}
