"""Eight processes over the same 200 lineages, killed at random and met by faults, end as one quiet process does."""

from __future__ import annotations

import base64
import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keyadmin.model.lineage import lineage_of
from tests.rotation.conftest import World, seed_of

PROCESSES = 8
PROJECTS, KEYS = 8, 25  # 200 lineages
ROUNDS = 4  # of eight processes each, in each phase
FAULTS = (
    ("CreateKey", "UNAVAILABLE", "after"),
    ("CreateKey", "INTERNAL", "operation"),
    ("UpdateKey", "UNAVAILABLE", "before"),
    ("UpdateKey", "DROP", "after"),
    ("DeleteKey", "UNAVAILABLE", "after"),
    ("DeleteKey", "INTERNAL", "operation"),
    ("AddSecretVersion", "UNAVAILABLE", "after"),
    ("AccessSecretVersion", "UNAVAILABLE", "before"),
    ("GetKeyString", "PERMISSION_DENIED", "before"),
    ("ListModels", "UNAVAILABLE", "before"),
)


@dataclass
class Fleet:
    """Projects full of keys, each with a secret and an env-file of its own."""

    world: World
    projects: list[str]
    lineages: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By lineage: project, and the founder's full name."""

    @property
    def policy(self) -> Path:
        return self.world.folder / f"{self.projects[0]}.toml"

    def begin(self, keys: int) -> None:
        """Every sink holds its founder."""
        self.world.sandbox.control("seed", seed_of(self.projects, keys))
        secrets: list[dict[str, Any]] = []
        for project in self.projects:
            values = {}
            for key in self.world.keys(project):
                lineage, string = lineage_of(key["uid"]), self.world.string(key["name"])
                self.lineages[lineage] = (project, key["name"])
                values[lineage] = [string]
                self.env_file(lineage).write_text(f"GEMINI_API_KEY={string}\n")
            secrets.append({"projectId": project, "secrets": values})
        self.world.sandbox.control("seed", {"projects": secrets})
        self.policy.write_text(
            "[[rule]]\n"
            f"projects = {json.dumps(self.projects)}\n"
            'sinks = ["secret-manager:projects/{project}/secrets/{lineage}", '
            f'"env-file:{self.world.folder}/{{lineage}}.env"]\n'
            f'machine = "{socket.gethostname()}"\n'
        )

    def env_file(self, lineage: str) -> Path:
        return self.world.folder / f"{lineage}.env"

    def held(self, lineage: str) -> list[str]:
        """What the two sinks of a lineage hold now."""
        project, _ = self.lineages[lineage]
        secret = self.world.api(f"/v1/projects/{project}/secrets/{lineage}/versions/latest:access")["payload"]["data"]
        variables = dict(line.split("=", 1) for line in self.env_file(lineage).read_text().splitlines())
        return [base64.b64decode(secret).decode(), variables["GEMINI_API_KEY"]]

    @property
    def command(self) -> list[str]:
        return ["rotation", "run", "--policy", str(self.policy), "--format", "json"]

    def end(self) -> Counter[str]:
        """Every lineage's keys, the newest one's marks, what its sinks hold; and how often each such end is met."""
        ends: list[str] = []
        for project in self.projects:
            found: dict[str, list[Any]] = {}
            names = {self.world.string(key["name"]): key for key in self.world.keys(project)}
            for key in names.values():
                key_id, marks = key["name"].rpartition("/")[2], key.get("annotations", {})
                lineage = marks.get("keyadmin-lineage") or lineage_of(key["uid"])
                shown: list[Any] = ["founder", "deleteTime" in key]
                if key_id.startswith("ka-"):
                    generation = key_id.rpartition("-")[2]
                    shown = [generation, "deleteTime" in key, marks.get("keyadmin-state"), marks.get("keyadmin-cause")]
                found.setdefault(lineage, []).append(shown)
            for lineage, keys in found.items():
                held = [names[string]["name"].rpartition("/")[2].rpartition("-")[2] for string in self.held(lineage)]
                ends.append(json.dumps([sorted(keys), held]))
        return Counter(ends)


@contextmanager
def watched(fleet: Fleet) -> Iterator[None]:
    """Meanwhile somebody looks into one sink after the other: it holds a key that works."""
    wrong: list[str] = []
    over = threading.Event()
    rng = random.Random(1)
    lineages = sorted(fleet.lineages)

    def look() -> None:
        while not over.wait(0.02):
            lineage = rng.choice(lineages)
            wrong.extend(f"{lineage} holds a dead key" for string in fleet.held(lineage) if not fleet.world.works(string))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not wrong, wrong


def disturbed(fleet: Fleet, points: int, rng: random.Random) -> list[int]:
    """Rounds of eight processes at once, killed somewhere on their way, with faults; how each ended."""
    codes = []
    for number in range(ROUNDS):
        for method, code, when in rng.sample(FAULTS, 5):
            fleet.world.sandbox.control("faults", {"method": method, "code": code, "when": when, "times": rng.randint(1, 4)})
        # In the last round half of them go on to the end.
        # A call that is refused has no moment after it; the next one has. Who escaped would do all the work.
        kills = [(rng.randrange(points), rng.choice(("before", "soon after"))) for _ in range(PROCESSES)]
        orders = [(fleet.command, None if number == ROUNDS - 1 and at % 2 else kill) for at, kill in enumerate(kills)]
        codes += [ended.code for ended in fleet.world.run_all(orders)]
    fleet.world.sandbox.control("faults", method="DELETE")
    return codes


def quietly(fleet: Fleet) -> int:
    """One run that nobody disturbs; how many points it passed."""
    ended = fleet.world.run(*fleet.command)
    assert ended.code == 0, ended.stderr
    return len(ended.points)


def test_eight_processes_killed_at_random_end_as_one_quiet_process(world: World) -> None:
    rng = random.Random(7)
    quiet = Fleet(world, ["quiet"])
    quiet.begin(KEYS)
    crowd = Fleet(world, [f"crowd-{number}" for number in range(PROJECTS)])
    crowd.begin(KEYS)
    for state in ("grace", "retired"):
        points = quietly(quiet) * PROJECTS // 2  # of twice as many: nobody gets through alone
        with watched(crowd):
            codes = disturbed(crowd, points, rng)
            quietly(crowd)
        assert codes.count(-9) >= PROCESSES, f"{state}: hardly anybody was killed: {codes}"
        assert set(codes) <= {0, 3, -9}, codes
        expected = quiet.end()
        assert len(expected) == 1
        assert crowd.end() == Counter({end: count * PROJECTS for end, count in expected.items()}), state
        assert f'"{state}"' in next(iter(expected))
        world.sandbox.control("clock", {"advance": "25h"})
