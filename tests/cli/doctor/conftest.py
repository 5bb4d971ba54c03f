"""`doctor` typed against a served sandbox: one server a module, reset before each test."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli import conftest


class Served(conftest.Served):
    """Grants on folders and organisations too."""

    def give(self, user: str, permissions: list[str], on: str = "demo-project") -> str:
        """Give a user exactly these permissions on a project, folder or organisation, by a custom role of their own."""
        role = f"organizations/1000/roles/r{zlib.crc32(repr((user, on, permissions)).encode())}"
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


@pytest.fixture
def served(server: str) -> Served:
    """The server as it was at its start."""
    sandbox = Served(server)
    sandbox.control("reset", {})
    return sandbox


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
