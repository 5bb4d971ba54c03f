"""`audit --format jsonl`: findings are printed while the audit goes on, the same that a JSON report has."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import GEMINI, OWNER, Audited, ago, key, project

Run = Callable[..., Any]
Audit = Callable[..., Audited]
SCOPE = ("--organization", "77", "--inventory", "api", "--keep", "none")
ENTRY = '[[audit.accept]]\nrule = "key-too-old"\nproject = "web-old"\nkey = "old"\nreason = "kiosk"\nuntil = 2099-01-01\n'


@pytest.fixture
def many(organization: Any) -> int:
    """Projects with a finding each, more than one minute's quota lets list."""
    names = [f"web-{number:03}" for number in range(40)]
    organization(*(project(name, key("open", project=name)) for name in names))
    return len(names)


@pytest.fixture
def mixed(organization: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings of several severities, one of them accepted, a project with none, and one that cannot be listed."""
    organization(
        project("web-one", key("open"), key("old", GEMINI, age=200, lastUsed=ago(1))),
        project("web-old", key("old", GEMINI, age=200, lastUsed=ago(1), project="web-old")),
        project("web-good", key("good", GEMINI, project="web-good")),
        project("denied-one", iam={"roles/browser": [OWNER]}),
    )
    folder = tmp_path / "work"
    folder.mkdir(mode=0o755)
    (folder / "keyadmin.toml").write_text(ENTRY)
    monkeypatch.chdir(folder)


def lines(text: str) -> list[str]:
    """Each finding as text that can be compared, in an order of its own."""
    return sorted(json.dumps(json.loads(line), sort_keys=True) for line in text.splitlines())


def listed(served: Any) -> int:
    """How many lists of keys were answered."""
    return sum(each["method"].endswith("ListKeys") and each["status"] == "OK" for each in served.control("requests", None))


def test_the_first_finding_is_there_before_the_last_project_was_listed(many: int, served: Any, home: dict[str, str]) -> None:
    served.control("quota", {"method": "ListKeys", "per_minute": many // 2})
    served.control("latency", {"ms": 300, "method": "ListKeys"})
    command = [sys.executable, "-m", "keyadmin", "audit", *SCOPE, "--format", "jsonl"]
    env = home | {"KEYADMIN_SANDBOX": served.rest}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        done = listed(served)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert json.loads(first)["project"].startswith("web-")
    assert 0 < done < many
    assert process.returncode == 130
    assert "Traceback" not in err


@pytest.mark.parametrize("more", [(), ("--min-severity", "high"), ("--limit", "1"), ("--group-by", "project")])
def test_the_lines_are_the_findings_of_the_report(mixed: None, run: Run, audit: Audit, more: tuple[str, ...]) -> None:
    whole = audit(*SCOPE, *more)
    streamed = run("audit", *SCOPE, *more, "--format", "jsonl")
    assert lines(streamed.out) == sorted(json.dumps(each, sort_keys=True) for each in whole.report["findings"])
    assert streamed.out
    assert streamed.code == whole.code == 3
    assert streamed.err.count("denied-one could not be checked") == 1
    if not more:
        assert sum('"accepted": {"' in line for line in lines(streamed.out)) == 1


def test_a_baseline_marks_what_is_new_in_the_lines(mixed: None, run: Run, organization: Any) -> None:
    run("audit", *SCOPE, "--output", "before.json")
    organization(project("web-new", key("open", project="web-new")))
    done = run("audit", *SCOPE, "--format", "jsonl", "--baseline", "before.json")
    news = {each["project"]: each["new"] for each in map(json.loads, done.out.splitlines())}
    assert news["web-new"] is True
    assert news["web-one"] is False


def test_nothing_is_printed_of_an_audit_that_could_not_begin(mixed: None, run: Run) -> None:
    done = run("audit", "--projects", "denied-one", "--format", "jsonl", "--keep", "none")
    assert (done.code, done.out) == (1, "")


def test_a_reader_that_has_seen_enough_changes_no_verdict(many: int, served: Any, home: dict[str, str]) -> None:
    line = f"{sys.executable} -m keyadmin audit {' '.join(SCOPE)} --format jsonl | head -1; exit ${{PIPESTATUS[0]}}"
    env = home | {"KEYADMIN_SANDBOX": served.rest}
    done = subprocess.run(["bash", "-c", line], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
