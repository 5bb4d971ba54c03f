"""`doctor` typed against a served sandbox: one server a module, reset before each test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

    def seed(self, **parts: Any) -> None:
        """Merge a seed."""
        self.control("seed", parts)

    def grant(self, user: str, permissions: list[str], on: str = "demo-project") -> str:
        """Give a user exactly these permissions on a project, folder or organisation, by a custom role of their own."""
        role = f"organizations/1000/roles/r{abs(hash((user, on, *permissions)))}"
        binding = {role: [f"user:{user}"]}
        self.seed(customRoles={role: permissions})
        if on.startswith("folders/"):
            self.seed(
                folders=[{"name": on, "displayName": on.replace("/", "-"), "parent": "organizations/1000", "iam": binding}]
            )
        elif on.startswith("organizations/"):
            self.seed(organizations=[{"name": on, "displayName": "example.com", "iam": binding}])
        else:
            self.seed(projects=[{"projectId": on, "iam": binding}])
        return role

    def methods(self, principal: str) -> list[str]:
        """The short names of the methods that somebody called since the reset, in order."""
        return [each["method"].rpartition(".")[2] for each in self.control("requests") if each["principal"] == principal]


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
    """`run("doctor", "demo-project", user="me@example.com")` against the server."""

    def typed(*arguments: str, user: str = "owner@example.com", env: dict[str, str] | None = None, **options: Any) -> Any:
        chosen = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": user} | (env or {})
        return cli(*arguments, env=chosen, **options)

    return typed


class Answer:
    """One project's diagnosis out of the JSON."""

    def __init__(self, result: Any, place: int = 0) -> None:
        self.result = result
        self.whole = result.json[place]
        self.checks = {check["id"]: check for check in self.whole["checks"]}

    @property
    def code(self) -> int:
        return int(self.result.code)

    @property
    def ready(self) -> bool:
        return bool(self.whole["ready"])

    @property
    def missing(self) -> set[str]:
        return set(self.whole["missingPermissions"])

    def status(self, identity: str) -> str:
        return str(self.checks[identity]["status"])


@pytest.fixture
def doctor(run: Callable[..., Any]) -> Callable[..., Answer]:
    """`doctor("demo-project", user=...)`: the JSON answer for one project."""

    def ask(*arguments: str, **options: Any) -> Answer:
        return Answer(run("doctor", *arguments, "--format", "json", **options))

    return ask
