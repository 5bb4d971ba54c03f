"""The schemas of plans and journals hold for what is written, and say no to what the reader refuses."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest

from keyadmin.audit.fix.schema import journal_schema, plan_schema

CHANGE: dict[str, Any] = {
    "kind": "restrict-apis",
    "key": "projects/12/locations/global/keys/map",
    "project": "shop",
    "displayName": "the map",
    "wave": 1,
    "severity": "high",
    "etag": "e1",
    "fingerprint": "f",
    "before": {},
    "after": {"apiTargets": [{"service": "maps-backend.googleapis.com"}]},
    "why": "used for it alone",
    "evidence": {"window": "3628800s", "calls": {"maps-backend.googleapis.com": 7}, "refused": 0, "last": None},
    "owner": None,
}
PLAN: dict[str, Any] = {
    "schemaVersion": 1,
    "document": "keyadmin-fix-plan",
    "run": "fix-20261129-004237-10a627ad",
    "created": "2026-11-29T00:42:37.501038Z",
    "sandbox": True,
    "scope": {"parent": "organizations/77", "organizations": ["organizations/77"]},
    "waves": [{"wave": 1, "changes": 1, "pause": "0s"}],
    "changes": [CHANGE],
    "left": [],
    "digest": "sha256:0",
}


def test_a_plan_fits_its_schema() -> None:
    jsonschema.validate(PLAN, plan_schema())


@pytest.mark.parametrize(
    ("name", "value"),
    [("kind", "open"), ("wave", 0), ("etag", ""), ("key", "map"), ("before", {"x": 1}), ("severity", "dreadful")],
)
def test_what_is_refused_does_not_fit(name: str, value: Any) -> None:
    plan = copy.deepcopy(PLAN)
    plan["changes"][0][name] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plan, plan_schema())


@pytest.mark.parametrize(
    "line",
    [
        {"schemaVersion": 1, "document": "keyadmin-fix-journal", "run": PLAN["run"], "at": "2026-11-29T00:42:37Z", "by": None},
        {"at": "2026-11-29T00:42:37Z", "key": CHANGE["key"], "change": "delete", "step": "begin", "before": {}, "etag": "e"},
        {"at": "2026-11-29T00:42:37Z", "wave": 1, "step": "judged", "verdict": "unharmed", "harmed": []},
    ],
)
def test_lines_of_a_journal_fit_theirs(line: dict[str, Any]) -> None:
    jsonschema.validate(line, journal_schema())
