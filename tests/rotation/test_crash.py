"""kill -9 before and after every remote call, file write and program of a rotation; started again, all is as if nothing was.

The points are not written down here: an undisturbed rotation is run first and its points are counted.
"""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rotation.conftest import Ended, World, seed_of

GRACE = "25h"
GEMINI, MAPS = {"service": "generativelanguage.googleapis.com"}, {"service": "maps-backend.googleapis.com"}
SLICES = 4  # the matrix is cut so that it runs side by side


@dataclass
class Scene:
    """One rotation with all kinds of sinks, and what is to be true of it at every moment."""

    world: World
    project: str
    verb: str = "rotate"
    works: bool = True
    """Whether the founder works: the Gemini API takes no standard keys."""

    @property
    def env_file(self) -> Path:
        return self.world.folder / f"{self.project}.env"

    @property
    def taken(self) -> Path:
        return self.world.folder / f"{self.project}.taken"

    def rotate(self, kill: tuple[int, str] | None = None) -> Ended:
        return self._typed("keys", self.verb, kill)

    def roll_back(self, kill: tuple[int, str] | None = None) -> Ended:
        return self._typed("rotation", "rollback", kill)

    def _typed(self, group: str, verb: str, kill: tuple[int, str] | None) -> Ended:
        sinks = ["--to", f"env-file:{self.env_file}", "--to", f"secret-manager:projects/{self.project}/secrets/web"]
        program = self.world.folder / "take.py"
        program.write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).write_text(sys.stdin.read())\n")
        sinks += ["--to", f"exec:{sys.executable} {program} {self.taken}"]
        return self.world.run(group, verb, "web-0", "-p", self.project, *sinks, "--yes", "--format", "json", kill=kill)

    def begin(self, **key: Any) -> None:
        """Every sink holds the founder, as after it was made."""
        seed = seed_of([self.project])
        only = seed["projects"][0]["keys"][0] | key
        seed["projects"][0]["keys"] = [{name: value for name, value in only.items() if value is not None}]
        self.world.sandbox.control("seed", seed)
        founder = self.world.string(f"projects/{self.project}/locations/global/keys/web-0")
        self.env_file.write_text(f"# mine\nGEMINI_API_KEY={founder}\nOTHER=1\n")
        self.taken.write_text(founder + "\n")
        parent = f"/v1/projects/{self.project}/secrets"
        self.world.api(
            f"{parent}?secretId=web", "POST", {"Content-Type": "application/json"}, {"replication": {"automatic": {}}}
        )
        payload = {"payload": {"data": base64.b64encode(founder.encode()).decode()}}
        self.world.api(f"{parent}/web:addVersion", "POST", {"Content-Type": "application/json"}, payload)

    def held(self) -> dict[str, str]:
        """The key string that each sink holds now."""
        values = dict(line.split("=", 1) for line in self.env_file.read_text().splitlines() if "=" in line)
        payload = self.world.api(f"/v1/projects/{self.project}/secrets/web/versions/latest:access")["payload"]["data"]
        return {
            "env-file": values["GEMINI_API_KEY"],
            "exec": self.taken.read_text().strip(),
            "secret": base64.b64decode(payload).decode(),
        }

    def check(self, *, grace_over: bool) -> None:
        """What holds whenever somebody looks."""
        for sink, string in self.held().items():
            assert not self.works or self.world.works(string), f"{sink} holds a key that does not work"
        keys = self.world.keys(self.project)
        assert len(keys) <= 2, [key["name"] for key in keys]
        founder = next(key for key in keys if key["name"].endswith("/web-0"))
        assert grace_over or "deleteTime" not in founder, "the predecessor was deleted within the grace period"
        text = self.env_file.read_text()
        assert text.startswith("# mine\n")
        assert text.endswith("OTHER=1\n")

    def end_state(self) -> dict[str, Any]:
        """All that matters at the end, without times, etags and the strings themselves."""
        keys = self.world.keys(self.project)
        names = {self.world.string(key["name"]): key["name"].rpartition("/")[2].partition("-")[0] for key in keys}
        kept = ("keyadmin-generation", "keyadmin-predecessor", "keyadmin-state", "keyadmin-sinks")
        return {
            "keys": [
                {
                    "deleted": "deleteTime" in key,
                    "restrictions": key["restrictions"],
                    "annotations": {name: key.get("annotations", {}).get(name) for name in kept[:3]},
                }
                for key in keys
            ],
            "held": {sink: names[string] for sink, string in self.held().items()},
        }


def undisturbed(world: World, project: str) -> tuple[dict[str, Any], Ended, Ended]:
    """A rotation that nobody kills: its end, and its two runs."""
    scene = Scene(world, project)
    scene.begin()
    first = scene.rotate()
    assert first.code == 0, first.stderr
    assert json.loads(first.stdout)["state"] == "grace"
    world.sandbox.control("clock", {"advance": GRACE})
    second = scene.rotate()
    assert second.code == 0, second.stderr
    assert json.loads(second.stdout)["state"] == "retired"
    end = scene.end_state()
    assert [key["deleted"] for key in end["keys"]] == [False, True]
    assert set(end["held"].values()) == {"ka"}
    return end, first, second


@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("phase", ["until published", "until retired"])
def test_killed_at_every_point(world: World, phase: str, part: int) -> None:
    end, first, second = undisturbed(world, "undisturbed")
    assert {"CreateKey", "UpdateKey", "replace", "exec"} <= set(first.points)
    assert {"DeleteKey", "UpdateKey"} <= set(second.points)
    pattern = first if phase == "until published" else second
    points, matrix = pattern.points, pattern.kills[part::SLICES]
    for at, when in matrix:
        project = f"killed-{at}-{when}"
        scene = Scene(world, project)
        scene.begin()
        if phase == "until retired":
            assert scene.rotate().code == 0
            world.sandbox.control("clock", {"advance": GRACE})
        killed = scene.rotate(kill=(at, when))
        assert killed.code == -9, f"{points[at]} {when}: {killed.code} {killed.stderr}"
        scene.check(grace_over=phase == "until retired")
        again = scene.rotate()
        assert again.code == 0, f"{points[at]} {when}: {again.stderr}"
        scene.check(grace_over=phase == "until retired")
        if phase == "until published":
            world.sandbox.control("clock", {"advance": GRACE})
        last = scene.rotate()
        assert last.code == 0, f"{points[at]} {when}: {last.stderr}"
        assert scene.end_state() == end, f"killed {when} {points[at]}"


@pytest.mark.parametrize("part", range(2))
def test_a_rollback_killed_at_every_point(world: World, part: int) -> None:
    def retired(project: str) -> Scene:
        scene = Scene(world, project)
        scene.begin()
        assert scene.rotate().code == 0
        world.sandbox.control("clock", {"advance": GRACE})
        assert scene.rotate().code == 0
        return scene

    quiet = retired("quiet")
    pattern = quiet.roll_back()
    assert pattern.code == 0, pattern.stderr
    assert {"UndeleteKey", "UpdateKey", "DeleteKey", "replace", "exec"} <= set(pattern.points)
    end = quiet.end_state()
    assert set(end["held"].values()) == {"web"}
    for at, when in pattern.kills[part::2]:
        scene = retired(f"killed-{at}-{when}")
        assert scene.roll_back(kill=(at, when)).code == -9
        scene.check(grace_over=True)
        for _ in range(2):
            again = scene.roll_back()
            assert again.code == 0, f"{pattern.points[at]} {when}: {again.stderr}"
            scene.check(grace_over=True)
        assert scene.end_state() == end, f"killed {when} {pattern.points[at]}"


@pytest.mark.parametrize("part", range(2))
def test_a_migration_killed_at_every_point(world: World, part: int) -> None:
    """APIs and the service account are made on the way; the old key, which is for Maps too, is split."""

    def begun(project: str) -> Scene:
        scene = Scene(world, project, verb="migrate", works=False)
        scene.begin(serviceAccountEmail=None, restrictions={"apiTargets": [GEMINI, MAPS]})
        return scene

    quiet = begun("quiet")
    first = quiet.rotate()
    assert first.code == 0, first.stderr
    assert {"CreateServiceAccount", "CreateKey", "UpdateKey"} <= set(first.points)
    world.sandbox.control("clock", {"advance": GRACE})
    assert quiet.rotate().code == 0
    end = quiet.end_state()
    assert [key["deleted"] for key in end["keys"]] == [False, False]
    assert end["keys"][1]["restrictions"] == {"apiTargets": [MAPS]}
    for at, when in first.kills[part::2]:
        scene = begun(f"killed-{at}-{when}")
        assert scene.rotate(kill=(at, when)).code == -9
        again = scene.rotate()
        assert again.code == 0, f"{first.points[at]} {when}: {again.stderr}"
        world.sandbox.control("clock", {"advance": GRACE})
        last = scene.rotate()
        assert last.code == 0, f"{first.points[at]} {when}: {last.stderr}"
        assert scene.end_state() == end, f"killed {when} {first.points[at]}"
