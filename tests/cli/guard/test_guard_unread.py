"""Constraints that may not be read: what makes a successor says so, once, in words and in JSON, and goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.guard.conftest import GEMINI, OWNED, SERVICES

TOLD = "whether a constraint of the organisation refuses it is not known"
Rotation = Callable[..., Any]


@pytest.fixture
def unread(cli: Callable[..., Any], org: Any, tmp_path: Path) -> Rotation:
    """`rotation ...` by the owner of three keys in two projects, who may read no constraint."""
    key = {"createTime": "2020-01-01T00:00:00Z", "restrictions": {"apiTargets": [{"service": GEMINI}]}}
    standard = {"keyId": "std-key", "displayName": "std", **key}
    above = {"parent": "organizations/1000", "services": SERVICES, "iam": {"roles/owner": ["user:plain@example.com"]}}

    def project(name: str, *keys: dict[str, Any]) -> dict[str, Any]:
        return {"projectId": name, **above, "keys": list(keys)}

    def auth(name: str, project: str) -> dict[str, Any]:
        account = f"robot@{project}.iam.gserviceaccount.com"
        return {"keyId": f"{name}-key", "displayName": name, "serviceAccountEmail": account, **key}

    one = project("shop-one", auth("one", "shop-one"), auth("two", "shop-one"))
    org.seed(projects=[one, project("shop-two", auth("far", "shop-two")), project("shop-std", standard)])
    policy = tmp_path / "keyadmin.toml"
    policy.write_text('[[rule]]\nname = "all"\nprojects = ["shop-one", "shop-two"]\nmax-age = "90d"\nsinks = []\n')

    def typed(*words: str, **more: Any) -> Any:
        env = {"KEYADMIN_SANDBOX": org.rest, "KEYADMIN_SANDBOX_USER": "plain@example.com"}
        return cli(*words, env=env, **more)

    typed.policy = str(policy)  # type: ignore[attr-defined]
    return typed


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry"])
def test_a_run_says_once_that_constraints_could_not_be_read(unread: Any, dry: tuple[str, ...]) -> None:
    done = unread("rotation", "run", "--policy", unread.policy, *dry, "--format", "json")
    assert done.code == 0, done.err
    assert done.err.count(TOLD) == 1, done.err
    assert [len(one["unknown"]) for one in done.json] == [1, 1, 1]
    assert all("orgpolicy.customConstraints.list" in one["unknown"][0] for one in done.json)


def test_json_lines_say_it_once(unread: Any) -> None:
    done = unread("rotation", "run", "--policy", unread.policy, "--format", "jsonl")
    assert done.code == 0, done.err
    events = [json.loads(line) for line in done.out.splitlines()]
    (told,) = [one for one in events if one["step"] == "constraints"]
    assert told["status"] == "skipped"
    assert TOLD in told["detail"]


@pytest.mark.parametrize(
    "line",
    [
        ("rotation", "migrate", "--projects", "shop-std"),
        ("keys", "rotate", "one-key", "-p", "shop-one"),
        ("keys", "migrate", "std-key", "-p", "shop-std"),
        ("keys", "compromised", "one-key", "-p", "shop-one"),
    ],
    ids=lambda line: f"{line[0]}-{line[1]}",
)
def test_every_command_that_makes_a_successor_says_it(unread: Any, line: tuple[str, ...]) -> None:
    for how in ("--dry-run", "--yes"):
        done = unread(*line, how, "--format", "json")
        assert done.code == 0, done.err
        assert done.err.count(TOLD) == 1, (how, done.err)
        row = done.json[0] if isinstance(done.json, list) else done.json
        assert TOLD in row["unknown"][0], how


def test_nothing_is_said_where_they_were_read(cli: Callable[..., Any], org: Any) -> None:
    org.seed(projects=[{"projectId": "demo-project", "iam": OWNED}])
    done = cli("keys", "rotate", "good", "-p", "demo-project", "--yes", "--format", "json", env={"KEYADMIN_SANDBOX": org.rest})
    assert done.code == 0, done.err
    assert TOLD not in done.err
    assert "unknown" not in done.json
