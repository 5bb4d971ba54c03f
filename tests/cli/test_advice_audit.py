"""What the audit advises is typed beside neighbours: the finding is gone, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keyadmin.audit.rules import rules
from tests.cli.test_advice import GEMINI, MAPS, commands_in
from tests.cli.test_advice_typed import AUTH, LEGACY, OWNED, SERVICES, Neighbours, typed_out, world

VALUES = {"SINK": "stdout", "SERVICE": MAPS, "ADDRESS": "198.51.100.9", "SITE": "https://new.example/*", "NAME": "new-name"}
TRANSLATE = "translate.googleapis.com"
LATELY = (datetime.now(UTC) - timedelta(days=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
OLD = "2020-01-01T00:00:00Z"
TO_MAPS = {"apiTargets": [{"service": MAPS}]}
SITES = {"browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*"]}}

FOUND: dict[str, dict[str, Any]] = {
    "gemini-exposed-key": {"restrictions": SITES},
    "unrestricted-key": {"restrictions": SITES},
    "standard-key": LEGACY,
    "mixed-targets": AUTH | {"restrictions": {"apiTargets": [{"service": GEMINI}, {"service": MAPS}]}},
    "open-client-restriction": {
        "restrictions": TO_MAPS | {"serverKeyRestrictions": {"allowedIps": ["192.0.2.1", "0.0.0.0/0"]}}
    },
    "key-too-old": AUTH | {"createTime": OLD},
    "unused-key": AUTH | {"createTime": OLD},
    "unused-target": AUTH
    | {
        "createTime": OLD,
        "restrictions": {"apiTargets": [{"service": GEMINI}, {"service": MAPS}, {"service": TRANSLATE}]},
        "use": [{"service": GEMINI, "at": LATELY}, {"service": MAPS, "at": LATELY}],
    },
    "api-off": {"restrictions": {"apiTargets": [{"service": GEMINI}, {"service": MAPS}]}},
    "key-string-in-name": AUTH | {"displayName": "AIza" + "SANDBOXxN2kQ9r7wJ4vTcPq8LmZx3HdUyE1"},
    "no-client-restriction": {"restrictions": TO_MAPS},
}
"""A key with a finding of each rule."""
MOST_STEPS = 3
BY_HAND = {
    "use-anomaly": "typed in tests/cli/audit/test_audit_anomaly.py: it takes calls of the last hours",
    "deleted-key-recoverable": "a key that was deleted on purpose stays so: its step is to see what it was",
    "too-many-keys": "which of the keys may go is for people to say",
    "undisplayable-key": "nothing is wrong with the key: it says where the key is seen",
    "rotation-stuck": "a test of its own below: it takes a rotation",
    "rotation-overdue": "a test of its own below: it takes a rotation",
}


def test_every_rule_is_typed_or_it_is_said_why_not() -> None:
    assert {*FOUND, *BY_HAND} == set(rules())
    assert not set(FOUND) & set(BY_HAND)


@pytest.mark.parametrize("rule", list(FOUND))
def test_after_the_fix_the_finding_is_gone_and_the_neighbours_are_there(
    cli: Callable[..., Any], served: Any, rule: str
) -> None:
    key = {"displayName": "site"} | FOUND[rule] | {"keyId": "web"}
    project = "demo-project"
    if rule in ("unrestricted-key", "api-off"):  # where Gemini is off
        project = "dark-project"
        served.seed(projects=[{"projectId": project, "iam": OWNED, "services": SERVICES[1:], "keys": [key]}])
    served.seed(**world(*([key] if project == "demo-project" else [])))
    env = {"KEYADMIN_SANDBOX": served.rest}
    around = Neighbours(served.rest)
    before = around.standing("web")

    def finding() -> dict[str, Any] | None:
        report = cli("audit", "-p", project, "--rule", rule, "--format", "json", env=env).json
        return next((each for each in report["findings"] if each["key"].endswith("/web")), None)

    for _ in range(MOST_STEPS):  # a finding's fix is the next step of its key, which may be about another finding
        if (seen := finding()) is None:
            break
        (line,) = commands_in(seen["fix"])
        assert typed_out(cli, line, env, **VALUES).code == 0
        if "keys rotate" in line or "keys migrate" in line:  # the old key goes when its grace is over
            served.control("clock", {"advance": "25h"})
            assert typed_out(cli, line, env, **VALUES).code == 0
    assert finding() is None
    after = around.standing("web")
    assert {name: after.get(name) for name in before} == before


def test_after_the_fix_of_a_lineage_over_age_it_is_not_any_more(cli: Callable[..., Any], served: Any) -> None:
    served.seed(**world(AUTH))
    env = {"KEYADMIN_SANDBOX": served.rest}
    assert cli("keys", "rotate", "web", "-p", "demo-project", "--yes", env=env).code == 0
    served.control("clock", {"advance": "25h"})
    assert cli("keys", "rotate", "web", "-p", "demo-project", "--yes", env=env).code in (0, 1)
    served.control("clock", {"advance": "400d"})
    around = Neighbours(served.rest)

    def findings() -> list[dict[str, Any]]:
        report = cli("audit", "-p", "demo-project", "--rule", "rotation-overdue", "--format", "json", env=env)
        return list(report.json["findings"])

    (seen,) = findings()
    own = seen["key"].rpartition("/")[2]
    before = around.standing(own)
    (line,) = commands_in(seen["fix"])
    assert typed_out(cli, line, env, **VALUES).code == 0
    served.control("clock", {"advance": "25h"})
    assert typed_out(cli, line, env, **VALUES).code == 0
    assert findings() == []
    after = around.standing(own)
    assert {name: after.get(name) for name in before} == before


def test_after_the_fix_of_a_successor_that_somebody_deleted_the_rotation_is_not_stuck(
    cli: Callable[..., Any], served: Any
) -> None:
    served.seed(**world(AUTH))
    env = {"KEYADMIN_SANDBOX": served.rest}
    made = cli("keys", "rotate", "web", "-p", "demo-project", "--yes", "--format", "json", env=env).json
    own = made["key"].rpartition("/")[2]
    assert cli("keys", "delete", own, "-p", "demo-project", "--yes", "--force", env=env).code == 0
    around = Neighbours(served.rest)
    before = around.standing(own)

    def findings() -> list[dict[str, Any]]:
        report = cli("audit", "-p", "demo-project", "--rule", "rotation-stuck", "--format", "json", env=env)
        return list(report.json["findings"])

    (seen,) = findings()
    (line,) = commands_in(seen["fix"])
    assert typed_out(cli, line, env, **VALUES).code == 0
    assert findings() == []
    after = around.standing(own)
    assert {name: after.get(name) for name in before} == before
