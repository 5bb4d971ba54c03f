"""An organisation with a folder, projects and keys of every kind, for `keyadmin guard`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

GEMINI = "generativelanguage.googleapis.com"
MAPS = "maps-backend.googleapis.com"
ORG = "organizations/1000"
ON = {"rules": [{"enforce": True}]}
TARGETS, ALONE = "custom.keyadminKeyHasTargets", "custom.keyadminGeminiAlone"
AUTH, CLIENTS = "custom.keyadminGeminiAuthOnly", "custom.keyadminNoOpenClients"
FOUR = (TARGETS, ALONE, AUTH, CLIENTS)


def key(name: str, *services: str, **more: Any) -> dict[str, Any]:
    """A key of a seed, for these services."""
    targets = {"apiTargets": [{"service": service} for service in services]} if services else {}
    restrictions = targets | more.pop("clients", {})
    return {"keyId": name, "displayName": name, "restrictions": restrictions} | more


KEYS = [
    key("open"),
    key("mixed", GEMINI, MAPS),
    key("standard", GEMINI),
    key("good", GEMINI, serviceAccountEmail="robot@demo-project.iam.gserviceaccount.com"),
    key("wide", MAPS, clients={"serverKeyRestrictions": {"allowedIps": ["0.0.0.0/0"]}}),
    key("narrow", MAPS, clients={"browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*"]}}),
]
SERVICES = [GEMINI, MAPS, "apikeys.googleapis.com", "iam.googleapis.com", "logging.googleapis.com", "orgpolicy.googleapis.com"]


OWNED = {"roles/owner": ["user:owner@example.com"]}
ADMIN = ("orgpolicy.policyAdmin", "resourcemanager.organizationAdmin", "resourcemanager.folderAdmin", "cloudasset.viewer")
TAGS = ("resourcemanager.tagAdmin", "resourcemanager.tagUser")
SEED: dict[str, Any] = {
    "organizations": [
        {
            "name": ORG,
            "displayName": "example.com",
            "iam": {f"roles/{role}": ["user:owner@example.com"] for role in (*ADMIN, *TAGS)},
        }
    ],
    "folders": [{"name": "folders/1001", "displayName": "team", "parent": ORG}],
    "projects": [
        {"projectId": "demo-project", "parent": ORG, "services": SERVICES, "iam": OWNED, "keys": KEYS},
        {"projectId": "below-folder", "parent": "folders/1001", "services": SERVICES, "iam": OWNED, "keys": [key("loose")]},
        {"projectId": "alone-project", "iam": OWNED, "services": SERVICES},
    ],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox that begins with this organisation alone: a reset is quick."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "seed.json").write_text(json.dumps(SEED))
    line = [sys.executable, "-m", "keyadmin", "sandbox", "serve", "--seed", str(folder / "seed.json")]
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | {"KEYADMIN_FORMAT": ""}
    )
    assert process.stdout is not None
    told = process.stdout.readline()
    assert told, "the sandbox did not start"
    yield json.loads(told)["rest"]
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=180)


@pytest.fixture
def org(served: Any) -> Any:
    """The organisation as it was at the start."""
    return served


@pytest.fixture
def guard(cli: Callable[..., Any], org: Any) -> Callable[..., Any]:
    """`guard("apply", ...)` against it."""

    def run(*arguments: str, user: str = "owner@example.com") -> Any:
        return cli("guard", *arguments, env={"KEYADMIN_SANDBOX": org.rest, "KEYADMIN_SANDBOX_USER": user})

    return run


@pytest.fixture
def keys(cli: Callable[..., Any], org: Any) -> Callable[..., Any]:
    """`keys("create", ...)` against it."""

    def run(*arguments: str) -> Any:
        return cli("keys", *arguments, env={"KEYADMIN_SANDBOX": org.rest})

    return run
