"""The rule `use-anomaly`: where the line is. What it finds in a sandbox: tests/cli/audit/test_audit_anomaly.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keyadmin.audit.model import Use
from keyadmin.model.key import Restrictions
from tests.unit.test_audit_judgement import judged
from tests.unit.test_audit_rules import GEMINI, MAPS, NOW, found, key, targets


@pytest.mark.parametrize(
    ("use", "age", "said"),
    [
        ({"recent": 501, "earlier": 3_900}, 10, "called 501 times; usual are 100"),
        ({"recent": 500, "earlier": 3_900}, 10, ""),
        ({"recent": 99}, 10, ""),
        ({"recent": 100}, 10, "called 100 times; usual are 0"),
        ({"recent": 100}, 6, ""),
        ({"recent": 1, "earlier": 5, "fresh": frozenset({MAPS})}, 10, f"called {MAPS}, which it had not called before"),
        ({"earlier": 3_900}, 10, ""),
        ({"recent": 900, "earlier": 16_700}, 500, "usual are 100"),  # over six weeks, which is all that is kept
    ],
)
def test_a_key_that_is_used_otherwise_than_usual(use: dict[str, Any], age: int, said: str) -> None:
    one = key(age=age)
    used = {one.uid: Use(NOW, frozenset({GEMINI}), frozenset({GEMINI}), **use)}
    findings = found("use-anomaly", one, used=used, anomaly=5.0)
    assert [said in finding.message for finding in findings] == ([True] if said else [])
    assert [finding.fix for finding in findings] == (["keyadmin keys compromised one -p p1 --to SINK"] if said else [])
    assert found("use-anomaly", one, used=used) == [], "it is off without a multiple"
    assert found("use-anomaly", replace(one, delete_time=NOW), used=used, anomaly=5.0) == []


@pytest.mark.parametrize(
    "clients", [{"referrers": ("https://a.example/*",)}, {"ios": ("com.example.app",)}, {"android": ()}], ids=str
)
def test_a_key_that_a_page_or_an_app_bears_is_not_handed_over_nor_deleted_at_once(clients: dict[str, Any]) -> None:
    one = key(age=20, account=None, restrictions=Restrictions(**clients, targets=targets(MAPS)))
    used = {one.uid: Use(NOW, frozenset({MAPS}), frozenset({MAPS}), recent=900, earlier=3_900)}
    (finding,) = found("use-anomaly", one, used=used, anomaly=5.0)
    assert finding.fix == "keyadmin keys clone one -p p1"
    [judgement] = judged(one, used=used, anomaly=5.0, also="use-anomaly")
    assert judgement.steps[0].command == "keyadmin keys clone one -p p1"
    assert "publish the page or the app" in judgement.steps[0].why
    assert "SINK" not in str(judgement.steps)
