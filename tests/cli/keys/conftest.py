"""`keys ...` typed against a served sandbox: one server a module, reset before each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Served


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
