"""`keys ...` typed against a served sandbox: one server a module, reset before each test."""

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


@dataclass
class Served:
    """A running sandbox and its controls."""

    rest: str

    def control(self, path: str, data: Any = None) -> Any:
        """GET `/_sandbox/PATH`, or POST where there is data."""
        request = urllib.request.Request(
            f"{self.rest}/_sandbox/{path}",
            data=None if data is None else json.dumps(data).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def methods(self, principal: str | None = None) -> list[str]:
        """The short names of the methods called since the reset, in order."""
        calls = self.control("requests")
        return [
            each["method"].rpartition("/")[2].rpartition(".")[2] for each in calls if principal in (None, each["principal"])
        ]

    def grant(self, member: str, *permissions: str, project: str = "demo-project") -> None:
        """Give somebody exactly these permissions in a project, by a custom role of their own."""
        role = f"organizations/1000/roles/role{abs(hash((member, project, permissions)))}"
        self.control(
            "seed",
            {
                "customRoles": {role: list(permissions)},
                "projects": [{"projectId": project, "iam": {role: [f"user:{member}"]}}],
            },
        )


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
def keys(cli: Callable[..., Any], served: Served) -> Callable[..., Any]:
    """`keys("create", "--name", "x", user="me@example.com")` runs `keyadmin keys create --name x` against the server."""

    def run(*arguments: str, user: str = "owner@example.com", env: dict[str, str] | None = None, **options: Any) -> Any:
        chosen = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": user} | (env or {})
        return cli("keys", *arguments, env=chosen, **options)

    return run


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder of the test's own."""
    return tmp_path
