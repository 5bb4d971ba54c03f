"""Tasks that share the projects: repeated, overlapping and of another count, they end as one quiet run does."""

from __future__ import annotations

import json
from collections import Counter

from tests.rotation.conftest import World, seed_of
from tests.rotation.test_concurrency import Fleet, quietly, watched

PROJECTS, KEYS = 12, 3


def test_repeated_and_overlapping_tasks_do_no_harm(world: World) -> None:
    quiet = Fleet(world, ["quiet"])
    quiet.begin(KEYS)
    shared = Fleet(world, [f"part-{number}" for number in range(PROJECTS)])
    shared.begin(KEYS)
    parts = ["0/4", "1/4", "2/4", "2/4", "3/4", "1/3"]
    for state in ("grace", "retired"):
        quietly(quiet)
        with watched(shared):
            ends = world.run_all([([*shared.command, "--shard", part], None) for part in parts])
        assert [ended.code for ended in ends] == [0] * len(parts), [ended.stderr for ended in ends if ended.code]
        assert len(shared.end()) == 1
        expected = quiet.end()
        assert shared.end() == Counter({end: count * PROJECTS for end, count in expected.items()}), state
        assert f'"{state}"' in next(iter(expected))
        world.sandbox.control("clock", {"advance": "25h"})


def test_every_task_does_its_own_part_alone(world: World) -> None:
    fleet = Fleet(world, [f"part-{number}" for number in range(PROJECTS)])
    fleet.begin(1)
    done: list[str] = []
    for index in range(4):
        ended = world.run(*fleet.command, "--shard", f"{index}/4")
        assert ended.code == 0, ended.stderr
        done += [outcome["project"] for outcome in json.loads(ended.stdout)]
    assert sorted(done) == sorted(fleet.projects)


def test_a_sink_that_keys_of_two_parts_would_share_is_refused(world: World) -> None:
    world.sandbox.control("seed", seed_of(["part-one", "part-two"]))
    policy = world.folder / "shared.toml"
    policy.write_text(
        '[[rule]]\nprojects = ["part-one", "part-two"]\nsinks = ["secret-manager:projects/part-one/secrets/the-key"]\n'
    )
    before = world.keys("part-one"), world.keys("part-two")
    for index in range(2):
        ended = world.run("rotation", "run", "--policy", str(policy), "--shard", f"{index}/2")
        assert ended.code == 2
        assert "the sink secret-manager:projects/part-one/secrets/the-key may be shared" in ended.stderr
    assert (world.keys("part-one"), world.keys("part-two")) == before
    alone = world.run("rotation", "run", "--policy", str(policy), "--shard", "0/1")
    assert "two keys would go to the sink" in alone.stderr, "one task sees them all"
