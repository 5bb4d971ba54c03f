"""`projects ...` typed against a served sandbox: one server a module, reset before each test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

OWNER = "owner@example.com"
NEW = "new.person@example.net"  # somebody of no organisation, who sees no project


@dataclass
class Served:
    """A running sandbox and its controls."""

    rest: str

    def control(self, path: str, data: Any = None, method: str | None = None) -> Any:
        """GET `/_sandbox/PATH`, or POST where there is data."""
        request = urllib.request.Request(
            f"{self.rest}/_sandbox/{path}",
            data=None if data is None else json.dumps(data).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def seed(self, **data: Any) -> None:
        """Merge into what is there."""
        self.control("seed", data)

    def projects(self, *ids: str, owner: str = OWNER, **more: Any) -> None:
        """Projects of one owner."""
        self.seed(projects=[{"projectId": each, "iam": {"roles/owner": [f"user:{owner}"]}, **more} for each in ids])

    def fault(self, method: str, code: str = "UNAVAILABLE", *, when: str = "before", times: int = 1, **more: Any) -> None:
        """The next calls of a method fail."""
        self.control("faults", {"method": method, "code": code, "when": when, "times": times, **more})

    def grant(self, member: str, *permissions: str, project: str = "demo-project") -> None:
        """Give somebody exactly these permissions in a project, by a custom role of their own."""
        role = f"organizations/1000/roles/role{abs(hash((member, project, permissions)))}"
        self.seed(customRoles={role: list(permissions)}, projects=[{"projectId": project, "iam": {role: [f"user:{member}"]}}])

    def methods(self) -> list[str]:
        """The short names of the methods called since the reset, in order."""
        return [each["method"].rpartition("/")[2].rpartition(".")[2] for each in self.control("requests")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The module's server, started as a person starts it."""
    ready = tmp_path_factory.mktemp("served") / "ready.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "keyadmin", "sandbox", "serve", "--ready-file", str(ready)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"KEYADMIN_FORMAT": ""},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the sandbox did not start"
    yield Served(json.loads(line)["rest"])
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)


@pytest.fixture
def served(server: Served) -> Served:
    """The server as it was at its start."""
    server.control("reset", {})
    return server


@pytest.fixture
def run(cli: Callable[..., Any], served: Served) -> Callable[..., Any]:
    """`run("projects", "list", user="me@example.com")` runs a command against the server."""

    def typed(*arguments: str, user: str = OWNER, env: dict[str, str] | None = None, **options: Any) -> Any:
        chosen = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": user} | (env or {})
        return cli(*arguments, env=chosen, **options)

    return typed


@pytest.fixture
def projects(run: Callable[..., Any]) -> Callable[..., Any]:
    """`projects("list", "--all")`."""
    return lambda *arguments, **options: run("projects", *arguments, **options)


@pytest.fixture
def listed(projects: Callable[..., Any]) -> Callable[..., list[str]]:
    """The ids that a `projects` command prints as JSON; it has to succeed."""

    def ids(*arguments: str, **options: Any) -> list[str]:
        done = projects(*arguments, "--format", "json", **options)
        assert done.code == 0, done.err
        return [each["projectId"] for each in done.json]

    return ids


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Write a file of the test's own; its path."""

    def write(text: str, name: str = "projects.csv") -> str:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return str(path)

    return write
