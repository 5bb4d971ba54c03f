"""doctor on 500 projects at 95 ms a call, explain on a megabyte of log, as a person runs them: the whole process measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.measure import PEAK

pytestmark = pytest.mark.benchmark

PROJECTS = 500
LATENCY_MS = 95
LONGEST_S = 6.0
MOST_MB = 200

# The child's own peak, so that pytest's does not count.
MEASURED = f"""
import sys, time
from keyadmin.cli.app import main
began = time.perf_counter()
code = main(sys.argv[1:])
spent = time.perf_counter() - began
print(code, spent, {PEAK}, file=sys.stderr)
"""


def control(rest: str, path: str, data: Any) -> None:
    request = urllib.request.Request(
        f"{rest}/_sandbox/{path}", data=json.dumps(data).encode(), headers={"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=60).read()


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[str]:
    """A sandbox with a fleet, answering as slowly as the real service."""
    command = [sys.executable, "-m", "keyadmin", "sandbox", "serve", "--ready-file", str(tmp_path / "ready.json")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    address = json.loads(process.stdout.readline())["rest"]
    control(address, "seed", {"fleet": {"projects": PROJECTS, "keysPerProject": 5}})
    control(address, "latency", {"ms": LATENCY_MS})
    yield address
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)


def measured(
    *arguments: str, env: dict[str, str], stdin: bytes = b""
) -> tuple[subprocess.CompletedProcess[bytes], float, float]:
    """The run, its seconds from before the command line is read until it has answered, its peak in MB."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", MEASURED, *arguments], env=env, input=stdin, capture_output=True, check=True)
    whole = time.perf_counter() - began
    _, _, peak = done.stderr.split()[-3:]
    return done, whole, float(peak)


def test_500_projects(rest: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KEYADMIN_SANDBOX": rest}
    names = [f"fleet-{number:05}" for number in range(PROJECTS)]
    done, spent, peak = measured("doctor", *names, "--format", "json", env=env)
    with capsys.disabled():
        print(f"\ndoctor on {PROJECTS} projects at {LATENCY_MS} ms a call: {spent:.2f} s with start-up, {peak:.0f} MB")
    found = json.loads(done.stdout)
    assert len(found) == PROJECTS
    assert all(each["principal"] == "owner@example.com" for each in found)
    assert all(check["status"] != "unknown" for each in found for check in each["checks"])
    assert spent <= LONGEST_S
    assert peak <= MOST_MB


def test_explain_a_megabyte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the same command on one line: what the megabyte costs is the difference."""
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    line = b"2026-01-01T00:00:00Z INFO 10.0.0.1 GET /index.html 200 http://x.example/projects/foo permission ok status: 200\n"
    error = b"googleapi: Error 403: Permission 'apikeys.keys.create' denied on resource (or it may not exist)., forbidden\n"
    log = (line * (1 + (1 << 20) // len(line)))[: 1 << 20] + b"\n" + error
    whole, short = [], []
    for _ in range(5):
        done, spent, _ = measured("explain", "-", "--format", "json", env=env, stdin=log)
        assert json.loads(done.stdout)["cause"] == "missing-iam-permission"
        whole.append(spent)
        short.append(measured("explain", "-", env=env, stdin=error)[1])
    cost = min(whole) - min(short)
    with capsys.disabled():
        print(f"\nexplain on 1 MB: {cost:.3f} s beyond explain on a line, {min(whole):.2f} s with start-up")
    assert cost < 0.3
