"""Fleets whose keys are to be repaired, in a sandbox in a process of its own, with commands that are killed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.rotation.conftest import Ended, World, served  # noqa: F401 (fixture)

GEMINI, MAPS = "generativelanguage.googleapis.com", "maps-backend.googleapis.com"
TRANSLATE = "translate.googleapis.com"
ON = [GEMINI, MAPS, TRANSLATE, "apikeys.googleapis.com", "monitoring.googleapis.com"]
OWNER = {"roles/owner": ["user:owner@example.com"]}
OLD = "2025-01-01T00:00:00Z"


@dataclass
class Fleet:
    """Projects with keys to be narrowed and deleted, a plan for them, and the command line."""

    world: World
    projects: Sequence[str]
    name: str
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def plan_file(self) -> Path:
        return self.world.folder / f"{self.name}.json"

    @property
    def journal_file(self) -> Path:
        return self.plan_file.with_name(self.plan_file.name + ".run.jsonl")

    def begin(self, copies: int = 1) -> None:
        """Seed it: in each project `copies` keys of each kind."""
        now = datetime.fromisoformat(self.world.sandbox.control("")["now"])
        lately = (now - timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
        projects = [
            {"projectId": name, "services": ON, "iam": OWNER, "keys": [k for n in range(copies) for k in _keys(n, lately)]}
            for name in self.projects
        ]
        self.world.sandbox.control("seed", {"projects": projects})
        self.before = self.keys()

    def planned(self, *words: str) -> None:
        """Write the plan."""
        done = self.world.run("audit", "fix", "--projects", ",".join(self.projects), "--out", str(self.plan_file), *words)
        assert done.code == 0, done.stderr

    def apply(self, *words: str, kill: tuple[int, str] | None = None) -> Ended:
        return self.world.run(*self.applying(*words), kill=kill)

    def applying(self, *words: str) -> list[str]:
        """The command."""
        return ["audit", "fix", "--apply", str(self.plan_file), "--yes", "--observe", "0s", "--format", "json", *words]

    def undo(self, *words: str, kill: tuple[int, str] | None = None) -> Ended:
        return self.world.run("audit", "undo", str(self.plan_file), "--yes", "--format", "json", *words, kill=kill)

    def keys(self) -> dict[str, Any]:
        """All that matters of every key: restrictions, whether it is deleted, name, annotations but for the mark's value."""
        out = {}
        for project in self.projects:
            for key in self.world.keys(project):
                marks = {name: value if name != "keyadmin-fix" else "RUN" for name, value in key.get("annotations", {}).items()}
                name = f"{project}/{key['name'].rpartition('/')[2]}"
                out[name] = (key.get("restrictions", {}), "deleteTime" in key, key["displayName"], marks)
        return out

    def state(self) -> list[Any]:
        """The same without the names of the projects."""
        return sorted(([name.partition("/")[2], *each] for name, each in self.keys().items()), key=json.dumps)

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal_file.read_text().splitlines()]

    def last_steps(self) -> dict[str, str]:
        """The last word on each key."""
        return {each["key"]: each["step"] for each in self.journal() if "key" in each}


def _keys(number: int, lately: str) -> list[dict[str, Any]]:
    def key(kind: str, *targets: str, **more: Any) -> dict[str, Any]:
        restrictions = {"restrictions": {"apiTargets": [{"service": each} for each in targets]}} if targets else {}
        made = {"keyId": f"{kind}-{number}", "displayName": f"{kind} {number}", "createTime": OLD}
        return made | {"annotations": {"team": "web"}} | restrictions | more

    used = {"use": [{"service": MAPS, "at": lately, "calls": 9}]}
    return [key("map", **used), key("both", GEMINI, MAPS, **used), key("idle")]


@pytest.fixture
def world(served: Any, tmp_path: Path) -> Iterator[World]:  # noqa: F811
    """A world with the default seed."""
    served.control("reset", {})
    made = World(served, tmp_path)
    yield made
    made.close()
