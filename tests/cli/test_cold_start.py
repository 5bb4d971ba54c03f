"""A command in a process of its own, where nothing is imported yet: refusals come while packages are still being loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_a_refusal_in_a_cold_process_is_told_as_ever(typed: Callable[..., Any]) -> None:
    newcomer = {"KEYADMIN_SANDBOX_USER": "newcomer@example.com"}
    for _ in range(2):
        done = typed("--sandbox", "keys", "create", "--name", "mine", "-p", "demo-project", "--format", "json", env=newcomer)
        assert (done.code, done.error["cause"]) == (1, "project-not-found-or-no-access"), done.err
