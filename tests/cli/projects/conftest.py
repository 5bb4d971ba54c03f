"""`projects ...` typed against a served sandbox: one server a module, reset before each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli import conftest

OWNER = "owner@example.com"
NEW = "new.person@example.net"  # somebody of no organisation, who sees no project


class Served(conftest.Served):
    """With projects and faults."""

    def projects(self, *ids: str, owner: str = OWNER, **more: Any) -> None:
        """Projects of one owner."""
        self.seed(projects=[{"projectId": each, "iam": {"roles/owner": [f"user:{owner}"]}, **more} for each in ids])

    def fault(self, method: str, code: str = "UNAVAILABLE", *, when: str = "before", times: int = 1, **more: Any) -> None:
        """The next calls of a method fail."""
        self.control("faults", {"method": method, "code": code, "when": when, "times": times, **more})


@pytest.fixture
def served(server: str) -> Served:
    """The server as it was at its start."""
    sandbox = Served(server)
    sandbox.control("reset", {})
    return sandbox


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
