"""As of when an audit knows what it says, and what it did not look at: said in every format, and nothing claimed beyond it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest

from .conftest import GEMINI, Audited, ago, key, project

Audit = Callable[..., Audited]
Run = Callable[..., Any]
DEV = "dev@example.com"
WITHOUT_USE = ["apikeys.keys.list", "serviceusage.services.get"]
BY_INVENTORY = ("--organization", "77", "--inventory", "asset", "--keep", "none")


def _known(done: Audited) -> Any:
    return done.report["scan"]["known"]


def test_keys_that_were_listed_are_known_as_of_the_audit_and_use_by_the_full_hour(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("old", GEMINI, age=200, lastUsed=ago(1))))
    done = audit("--projects", "web-one")
    known = _known(done)
    assert known["keys"] == {"source": "api", "asOf": done.report["scan"]["time"], "lag": None}
    until, now = datetime.fromisoformat(known["use"].pop("until")), datetime.fromisoformat(known["keys"]["asOf"])
    assert known["use"] == {"read": "all", "window": "42d"}
    assert (until.minute, until.second) == (0, 0)
    assert timedelta(minutes=30) <= now - until < timedelta(minutes=90)
    assert known["notLookedAt"] == ["deny policies"]


def test_an_inventory_lags_and_may_show_no_deleted_key(organization: Any, audit: Audit) -> None:
    organization(project("web-one", key("young", GEMINI, age=3)))
    known = _known(audit(*BY_INVENTORY))
    assert known["keys"] == {"source": "asset", "asOf": None, "lag": "minutes to hours"}
    assert known["notLookedAt"][-2:] == ["deleted keys", "deny policies"]
    organization(project("web-two", key("gone", deleteTime=ago(1), project="web-two")))
    assert "deleted keys" not in _known(audit(*BY_INVENTORY))["notLookedAt"]


def test_use_that_may_not_be_read_was_not_looked_at(organization: Any, served: Any, audit: Audit) -> None:
    organization(
        project("web-one", key("one", GEMINI, age=200)), project("web-two", key("two", GEMINI, age=200, project="web-two"))
    )
    served.give("dev@example.com", ["apikeys.keys.list"], on="web-one")
    served.give("dev@example.com", ["apikeys.keys.list", "monitoring.timeSeries.list"], on="web-two")
    known = _known(audit("--projects", "web-one,web-two", user="dev@example.com"))
    assert known["use"]["read"] == "some"
    assert known["notLookedAt"] == ["the use of some keys", "deny policies"]


def test_a_finding_names_what_its_next_step_rests_on_and_was_not_read(organization: Any, served: Any, audit: Audit) -> None:
    organization(project("web-one", key("open", age=3)))
    served.give(DEV, WITHOUT_USE, on="web-one")
    found = audit("--projects", "web-one", user=DEV).report["findings"]
    assert found
    assert {tuple(each["notRead"]) for each in found} == {("use",)}
    other = audit("--projects", "web-one").report["findings"]
    assert other
    assert not any("notRead" in each for each in other)


@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_nothing_found_claims_no_more_than_is_known(organization: Any, run: Run, form: str) -> None:
    organization(project("web-one", key("good", GEMINI, age=3)))
    words = ("--format", form, "--rule", "key-too-old")
    said = unescape(run("audit", *BY_INVENTORY, *words).out)
    assert "Nothing found in the inventory, which lags by minutes to hours." in said
    assert "not read: the use of keys, deleted keys, deny policies" in " ".join(said.split())
    asked = unescape(run("audit", "--projects", "web-one", *words).out)
    assert "Nothing found as of 20" in asked
    assert "in the inventory" not in asked


def test_sarif_bears_the_same(organization: Any, served: Any, run: Run) -> None:
    organization(project("web-one", key("open", age=3)))
    [shown] = json.loads(run("audit", *BY_INVENTORY, "--format", "sarif").out)["runs"]
    assert shown["properties"]["known"]["keys"]["lag"] == "minutes to hours"
    served.give(DEV, WITHOUT_USE, on="web-one")
    [shown] = json.loads(run("audit", "--projects", "web-one", "--format", "sarif", user=DEV).out)["runs"]
    assert {tuple(each["properties"]["notRead"]) for each in shown["results"]} == {("use",)}
