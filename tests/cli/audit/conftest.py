"""`audit` typed against a served sandbox with an organisation of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.doctor.conftest import Served, run, served  # noqa: F401 (fixtures)

GEMINI, MAPS = "generativelanguage.googleapis.com", "maps-backend.googleapis.com"
ON = ["apikeys.googleapis.com", GEMINI, MAPS]
OWNER = "user:owner@example.com"
ORGANIZATION = "organizations/77"
AUDITOR = ("roles/browser", "roles/cloudasset.viewer")


def ago(days: float) -> str:
    """A time so many days before now."""
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def key(
    key_id: str, *services: str, auth: bool = True, project: str = "web-one", age: float = 10, **more: Any
) -> dict[str, Any]:
    """A key of a seed, restricted to one address."""
    restrictions = {"serverKeyRestrictions": {"allowedIps": ["203.0.113.7"]}}
    if services:
        restrictions["apiTargets"] = [{"service": service} for service in services]  # type: ignore[assignment]
    made = {"keyId": key_id, "displayName": f"the {key_id} key", "createTime": ago(age), "restrictions": restrictions}
    if auth:
        made["serviceAccountEmail"] = f"robot@{project}.iam.gserviceaccount.com"
    return made | more


def project(
    name: str, *keys: dict[str, Any], services: Sequence[str] = ON, parent: str | None = ORGANIZATION, **more: Any
) -> dict[str, Any]:
    """A project of a seed."""
    return {
        "projectId": name,
        **({"parent": parent} if parent else {}),
        "services": list(services),
        "iam": {"roles/owner": [OWNER]},
        "keys": list(keys),
    } | more


@dataclass(frozen=True)
class Audited:
    """What an audit said: `run` = the command's result."""

    run: Any

    @property
    def code(self) -> int:
        return int(self.run.code)

    @property
    def report(self) -> Any:
        return self.run.json

    @property
    def found(self) -> set[tuple[str, str]]:
        """Rule and key id of every finding."""
        return {(each["rule"], (each["key"] or "").rpartition("/")[2]) for each in self.report["findings"]}

    def of(self, rule: str) -> list[str]:
        """The ids of the keys that a rule found, as they are ordered."""
        return [(each["key"] or "").rpartition("/")[2] for each in self.report["findings"] if each["rule"] == rule]


@pytest.fixture
def organization(served: Served) -> Callable[..., None]:  # noqa: F811
    """`organization(project(...), ...)`: an organisation 77 with these projects."""

    def fill(*projects: dict[str, Any], roles: Sequence[str] = AUDITOR, **more: Any) -> None:
        served.seed(
            organizations=[{"name": ORGANIZATION, "displayName": "audit.example", "iam": {role: [OWNER] for role in roles}}],
            **({"folders": more.pop("folders")} if "folders" in more else {}),
            projects=list(projects),
            **more,
        )

    return fill


@pytest.fixture
def audit(run: Callable[..., Any]) -> Callable[..., Audited]:  # noqa: F811
    """`audit("--projects", "web-one")`: the JSON report."""

    def typed(*words: str, **options: Any) -> Audited:
        return Audited(run("audit", *words, "--format", "json", **options))

    return typed
