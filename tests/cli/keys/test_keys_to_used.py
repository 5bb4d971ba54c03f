"""keys restrict --to-used: to the APIs whose calls were answered, within the targets; refused where use says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

GEMINI = "generativelanguage.googleapis.com"
MAPS = "maps-backend.googleapis.com"
TRANSLATE = "translate.googleapis.com"


@pytest.fixture
def used(served: Any) -> Any:
    """An old key with calls to two APIs of its three."""
    now = served.control("")["now"]
    targets = {
        "apiTargets": [{"service": MAPS}, {"service": TRANSLATE, "methods": ["Get*"]}, {"service": "vision.googleapis.com"}]
    }
    services = [GEMINI, "apikeys.googleapis.com", "monitoring.googleapis.com"]
    old = {"createTime": "2025-01-01T00:00:00Z"}
    uses = [{"service": MAPS, "at": now, "calls": 40}, {"service": TRANSLATE, "at": now}]
    keys = [
        {"keyId": "worn", "displayName": "worn", "restrictions": targets, "use": uses, **old},
        {
            "keyId": "wide",
            "displayName": "wide",
            "use": [*uses, {"service": GEMINI, "at": now, "calls": 0, "errors": {"403": 7}}],
            **old,
        },
        {"keyId": "idle", "displayName": "idle", **old},
        {"keyId": "young", "displayName": "young", "use": uses},
    ]
    served.seed(projects=[{"projectId": "demo-project", "services": services, "keys": keys}])
    return served


def test_to_used_goes_by_answered_calls_within_the_targets(keys: Callable[..., Any], used: Any) -> None:
    asked = keys("restrict", "worn", "--to-used")
    assert asked.code == 2, "it always asks"
    assert f"{MAPS}: 40 calls" in asked.err
    assert "7 more calls turned the key down (401, 403)" in keys("restrict", "wide", "--to-used", "--dry-run", "--force").err
    (use,) = keys("usage", "wide", "--format", "json").json
    assert (sum(use["calls"].values()), use["refused"]) == (48, 7), "why the two counts differ"
    assert keys("restrict", "worn", "--to-used", "--dry-run").code == 0
    done = keys("restrict", "worn", "--to-used", "--yes", "--format", "json")
    assert done.code == 0, "a key in daily use: nothing that it is used for goes"
    assert done.json["restrictions"]["apiTargets"] == [{"service": MAPS}, {"service": TRANSLATE, "methods": ["Get*"]}]
    wide = keys("restrict", "wide", "--to-used", "--without", TRANSLATE, "--force", "--yes", "--format", "json")
    assert wide.json["restrictions"]["apiTargets"] == [{"service": MAPS}], "refused calls are no use"


@pytest.mark.parametrize("more", [("--without", TRANSLATE), ("--window", "6d")])
def test_to_used_by_less_than_all_use_of_a_week_takes_force(keys: Callable[..., Any], used: Any, more: tuple[str, ...]) -> None:
    for last in ("--dry-run", "--yes"):
        done = keys("restrict", "worn", "--to-used", *more, last)
        assert done.code == 1
        assert "was used in the last 7 days" in done.err
    assert keys("restrict", "worn", "--to-used", *more, "--yes", "--force").code == 0


@pytest.mark.parametrize(("key", "says"), [("idle", "no call"), ("young", "younger")])
def test_to_used_is_refused_where_use_says_nothing(keys: Callable[..., Any], used: Any, key: str, says: str) -> None:
    done = keys("restrict", key, "--to-used", "--force", "--yes")
    assert done.code == 1
    assert says in done.err
    assert "UpdateKey" not in used.methods()


def test_to_used_is_refused_where_use_cannot_be_read(keys: Callable[..., Any], used: Any) -> None:
    used.control("faults", {"method": "ListTimeSeries", "code": "PERMISSION_DENIED", "times": 9})
    done = keys("restrict", "worn", "--to-used", "--force", "--yes")
    assert done.code == 1
    assert "cannot be read in full" in done.err
    assert "UpdateKey" not in used.methods()
