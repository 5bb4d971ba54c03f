"""A served sandbox, and a driver that runs and kills keyadmin commands against it; subjects in one process (inside.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keyadmin.model.lineage import Member
from keyadmin.rotation import job as jobs
from tests.rotation.inside import Stage, Subject, stage
from tests.sandbox.conftest import Running, start


@dataclass
class Ended:
    """A command that ended or was killed."""

    code: int
    stdout: str
    stderr: str
    points: list[str]
    answered: list[int]

    @property
    def kills(self) -> list[tuple[int, str]]:
        """Every moment at which this command could have been killed."""
        answered = set(self.answered)
        return [
            (at, when) for at in range(len(self.points)) for when in ("before", "after") if when == "before" or at in answered
        ]


class World:
    """A sandbox with its driver; `run` types a command."""

    def __init__(self, sandbox: Running, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.env: dict[str, str] = {}
        """More variables of the commands."""
        self._driver = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("driver.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "0"},
        )
        self._answer()

    def _answer(self) -> Any:
        assert self._driver.stdout is not None
        line = self._driver.stdout.readline()
        assert line, "the driver died"
        return json.loads(line)

    def _order(self, argv: Sequence[str], kill: tuple[int, str] | None) -> dict[str, Any]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return {
            "argv": [*argv, "--sandbox"],
            "cwd": str(self.folder),
            "env": {
                "KEYADMIN_SANDBOX": self.sandbox.rest,
                "HOME": str(home),
                "XDG_CONFIG_HOME": str(home / ".config"),
                **self.env,
            },
            "kill": {"at": kill[0], "when": kill[1]} if kill else None,
        }

    def run_all(self, orders: Sequence[tuple[Sequence[str], tuple[int, str] | None]]) -> list[Ended]:
        """Run several commands side by side, each killed at a point if so ordered."""
        assert self._driver.stdin is not None
        self._driver.stdin.write(json.dumps([self._order(argv, kill) for argv, kill in orders]) + "\n")
        self._driver.stdin.flush()
        return [Ended(one["code"], one["stdout"], one["stderr"], one["points"], one["answered"]) for one in self._answer()]

    def run(self, *argv: str, kill: tuple[int, str] | None = None) -> Ended:
        """Run `keyadmin ARGV --sandbox` against this world, killed at a point if so ordered."""
        return self.run_all([(argv, kill)])[0]

    def api(self, path: str, method: str = "GET", headers: dict[str, str] | None = None, data: Any = None) -> Any:
        """A REST call to the sandbox, as the default owner; tried again where a fault meant for keyadmin hits it."""
        body = None if data is None else json.dumps(data).encode()
        while True:
            request = urllib.request.Request(f"{self.sandbox.rest}{path}", body, headers or {}, method=method)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.loads(answer.read())
            except urllib.error.HTTPError as error:
                if error.code != 503 and "Injected fault" not in error.read().decode():
                    raise

    def keys(self, project: str) -> list[dict[str, Any]]:
        """All keys of a project, deleted ones too."""
        found: list[dict[str, Any]] = self.api(f"/v2/projects/{project}/locations/global/keys?showDeleted=true").get("keys", [])
        return sorted(found, key=lambda key: str(key["name"]))

    def string(self, name: str) -> str:
        """A key's string."""
        found: str = self.api(f"/v2/{name}/keyString")["keyString"]
        return found

    def works(self, key_string: str) -> bool:
        """Whether the Gemini API takes a key."""
        try:
            self.api("/v1beta/models?pageSize=1", headers={"x-goog-api-key": key_string})
        except urllib.error.HTTPError:
            return False
        return True

    def close(self) -> None:
        assert self._driver.stdin is not None
        self._driver.stdin.close()
        self._driver.wait(timeout=60)


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    running = start()
    yield running
    running.stop()


@pytest.fixture
def world(served: Running, tmp_path: Path) -> Iterator[World]:
    """A world with the default seed."""
    served.control("reset", {})
    made = World(served, tmp_path)
    yield made
    made.close()


def seed_of(projects: Sequence[str], keys: int = 1) -> dict[str, Any]:
    """Projects of the owner's with auth keys for Gemini that are 100 days old."""
    return {
        "projects": [
            {
                "projectId": project,
                "services": ["generativelanguage.googleapis.com", "apikeys.googleapis.com", "secretmanager.googleapis.com"],
                "iam": {"roles/owner": ["user:owner@example.com"]},
                "keys": [
                    {
                        "keyId": f"web-{number}",
                        "displayName": f"web {number}",
                        "createTime": "2026-01-01T00:00:00Z",
                        "restrictions": {"apiTargets": [{"service": "generativelanguage.googleapis.com"}]},
                        "serviceAccountEmail": f"app@{project}.iam.gserviceaccount.com",
                    }
                    for number in range(keys)
                ],
            }
            for project in projects
        ]
    }


# ---- one lineage in this process ----------------------------------------------------------------------------------------


@pytest.fixture
async def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    async with stage(tmp_path) as made:
        yield made


@pytest.fixture
def nothing_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the runs took minutes: what was read before is read again."""
    monkeypatch.setattr(jobs, "FRESH_S", 0.0)


def always_live(subject: Subject) -> None:
    """From now on it is watched that every sink holds a key that is not deleted."""

    def look() -> None:
        rows = {row["string"]: row for row in subject.rows().values()}
        for sink, string in subject.held().items():
            assert rows[string]["deleted"] is None, f"{sink} holds a deleted key"

    subject.stage.watch = look


def newest(subject: Subject) -> Member:
    return subject.lineage().newest


def holders(subject: Subject) -> set[str]:
    """The ids of the keys that the sinks hold."""
    names = {string: key_id for key_id, string in subject.strings().items()}
    return {names[string] for string in subject.held().values()}


def deleted(subject: Subject) -> list[str]:
    return [key_id for key_id, row in subject.rows().items() if row["deleted"]]


async def published(on: Stage, **key: Any) -> Subject:
    """A subject whose second generation is published."""
    subject = await on.project(**key)
    (outcome,) = await subject.run(new_auth=bool(key))
    assert outcome.problem is None
    assert outcome.state == "grace"
    return subject


async def retired(on: Stage, **key: Any) -> Subject:
    """A subject whose rotation is complete."""
    subject = await published(on, **key)
    await on.control("clock", {"advance": "25h"})
    (outcome,) = await subject.run(new_auth=bool(key))
    assert outcome.state == "retired"
    return subject


def condition(subject: Subject, member: Member, value: str) -> dict[str, Any]:
    """A seed that gives a key a condition and leaves it as it is."""
    row = subject.rows()[member.key.key_id]
    names = ("displayName", "createTime", "restrictions", "annotations", "serviceAccountEmail")
    key = {name: row[name] for name in names if name in row}
    return {"projectId": subject.project, "keys": [key | {"keyId": member.key.key_id, "condition": value}]}
