"""kill -9 while a key is contained and, in the next wave, migrated by one plan: gone on with, all is as if nothing had been.

KEYADMIN_TEST_KILLS=all kills before and after every remote call, line of the journal and file; else at a few of them.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from typing import Any

from tests.fix.conftest import GEMINI, OLD, ON, OWNER
from tests.rotation.conftest import Ended, World

STRIDE = 1 if os.environ.get("KEYADMIN_TEST_KILLS") == "all" else 37
POLICY = '[[rule]]\nprojects = ["{}"]\nsinks = ["secret-manager:projects/{{project}}/secrets/gemini-{{lineage}}"]\n'


class Chat:
    """A project with an open standard key for Gemini, a policy with a sink for it, and a plan of two steps."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        now = datetime.fromisoformat(world.sandbox.control("")["now"])
        used = [{"service": GEMINI, "at": (now - timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ"), "calls": 9}]
        key = {"keyId": "chat", "displayName": "chat", "createTime": OLD, "use": used}
        services = [*ON, "secretmanager.googleapis.com", "iam.googleapis.com"]
        project = {"projectId": name, "services": services, "iam": OWNER, "keys": [key]}
        world.sandbox.control("seed", {"projects": [project]})
        (world.folder / f"{name}.toml").write_text(POLICY.format(name))
        done = world.run("audit", "fix", "--projects", name, "--policy", f"{name}.toml", "--out", f"{name}.json")
        assert done.code == 0, done.stderr
        plan = json.loads((world.folder / f"{name}.json").read_text())
        assert [each["kind"] for each in plan["changes"]] == ["restrict-apis", "migrate"]

    def apply(self, kill: tuple[int, str] | None = None) -> Ended:
        words = ("--policy", f"{self.name}.toml", "--yes", "--observe", "0s", "--format", "json")
        return self.world.run("audit", "fix", "--apply", f"{self.name}.json", *words, kill=kill)

    def state(self) -> list[Any]:
        """Every key (the old one? restrictions, deleted? how far), the last words of the journal, versions of the secret."""
        keys = [
            (
                key["name"].endswith("/chat"),
                key.get("restrictions", {}),
                "deleteTime" in key,
                key.get("annotations", {}).get("keyadmin-state"),
            )
            for key in self.world.keys(self.name)
        ]
        journal = (self.world.folder / f"{self.name}.json.run.jsonl").read_text().splitlines()
        last = {(each["key"], each["change"]): each["step"] for each in map(json.loads, journal) if "key" in each}
        secrets = self.world.api(f"/v1/projects/{self.name}/secrets").get("secrets", [])
        versions = [self.world.api(f"/v1/{secret['name']}/versions")["versions"] for secret in secrets]
        return [sorted(keys, key=str), sorted(last.values()), [len(each) for each in versions]]


def test_two_steps_killed_anywhere_are_made_once(world: World) -> None:
    quiet = Chat(world, "quiet")
    pattern = quiet.apply()
    assert pattern.code == 0, pattern.stderr
    end = quiet.state()
    assert end[1] == ["done", "waiting"]
    assert {"UpdateKey", "CreateKey", "journal"} <= set(pattern.points)
    for at, when in pattern.kills[::STRIDE]:
        chat = Chat(world, f"killed-{at}-{when}")
        where = f"killed {when} {pattern.points[at]} ({at})"
        assert chat.apply(kill=(at, when)).code == -9, where
        again = chat.apply()
        assert again.code == 0, f"{where}: {again.stderr}"
        assert chat.state() == end, where
