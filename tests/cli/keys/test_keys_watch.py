"""`keys list --watch`: what changed is told, and nothing that did not."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.waiting import until

GEMINI = "generativelanguage.googleapis.com"


def project(name: str, *keys: str, target: str = GEMINI) -> dict[str, Any]:
    made = [{"keyId": key, "displayName": key, "restrictions": {"apiTargets": [{"service": target}]}} for key in keys]
    return {"projectId": name, "iam": {"roles/owner": ["user:owner@example.com"]}, "services": [GEMINI], "keys": made}


@pytest.fixture
def watch(served: Any, home: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `keys list --watch` with some options."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        words = ("keys", "list", "--watch", "--interval", "1s", *options)
        process = subprocess.Popen(
            [sys.executable, "-m", "keyadmin", *words],
            env=home | {"KEYADMIN_SANDBOX": served.rest},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def event(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stdout is not None
    found = json.loads(process.stdout.readline())
    return found["event"], found["key"]["displayName"]


def ended(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    return said


def test_a_project_that_cannot_be_listed_for_once_loses_no_keys(served: Any, watch: Callable[..., Any]) -> None:
    served.control("seed", {"projects": [project("alpha-project", "one"), project("beta-project", "two")]})
    watching = watch("--all-projects", "--format", "jsonl", "--filter", "project=(alpha-project beta-project)")
    assert {event(watching), event(watching)} == {("added", "one"), ("added", "two")}
    before = served.methods().count("ListKeys")
    served.control("faults", {"method": "ListKeys", "code": "PERMISSION_DENIED", "times": 6})  # more than there are projects
    until(lambda: served.methods().count("ListKeys") >= before + 12, "it looked twice more", process=watching)
    served.control("seed", {"projects": [project("alpha-project", "one", "three")]})
    assert event(watching) == ("added", "three")
    said = ended(watching)
    told = re.findall(r"Warning: (.*?)(?: and others)? could not be listed; their keys are shown as they were", said)
    named = ", ".join(told).split(", ")
    assert len(set(named)) == len(named) > 1, "each project once: the faults may have begun in the middle of a look"


def test_what_is_hidden_is_said_once(served: Any, watch: Callable[..., Any]) -> None:
    served.control(
        "seed", {"projects": [project("alpha-project", "one"), project("beta-project", "two", target="x.googleapis.com")]}
    )
    watching = watch("--all-projects", "--format", "jsonl", "--filter", "project=(alpha-project beta-project)")
    assert event(watching) == ("added", "one")
    before = served.methods().count("ListKeys")
    until(lambda: served.methods().count("ListKeys") >= before + 12, "it looked twice more", process=watching)
    assert ended(watching).count("1 key is hidden, as in AI Studio") == 1
