"""`projects create` that goes on with a project which has open keys by now: Gemini is switched on beside them if agreed to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

LINE = ("create", "my-new-project")
OPEN = [{"keyId": "old-map", "displayName": "map"}]


@pytest.fixture
def begun(projects: Callable[..., Any], served: Any) -> Any:
    """A project that was made, but its APIs were not switched on; then somebody made a key in it."""
    served.fault("BatchEnableServices", "INVALID_ARGUMENT", message="no")
    assert projects(*LINE).code == 1
    served.seed(projects=[{"projectId": "my-new-project", "services": ["apikeys.googleapis.com"], "keys": OPEN}])
    return served


def enabled(served: Any) -> int:
    """How often APIs were switched on since the run that failed."""
    return [each["status"] for each in served.control("requests") if "EnableServices" in each["method"]].count("OK")


def test_off_a_terminal_it_takes_the_option(projects: Callable[..., Any], begun: Any) -> None:
    refused = projects(*LINE, "--format", "json")
    assert refused.code == 2
    assert "--allow-exposure" in refused.err
    assert "old-map" in refused.error["message"]
    assert enabled(begun) == 0
    done = projects(*LINE, "--allow-exposure")
    assert done.code == 0, done.err
    assert enabled(begun) == 1


def test_at_a_terminal_it_asks_and_goes_on(projects: Callable[..., Any], begun: Any) -> None:
    done = projects(*LINE, terminal=True, stdin="y\n")
    assert done.code == 0, done.err
    assert "old-map" in done.err
    assert done.err.count("[y/N]") == 1
    assert enabled(begun) == 1


def test_who_declines_has_changed_nothing(projects: Callable[..., Any], begun: Any) -> None:
    done = projects(*LINE, terminal=True, stdin="n\n")
    assert done.code == 1
    assert "Declined; nothing was changed." in done.err
    assert done.err.count("[y/N]") == 1
    assert enabled(begun) == 0
