"""`keyadmin --sandbox keys list`: how long it takes cold, and its memory beside that of Google's client libraries alone."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.benchmark

ROUNDS = 7
LIBRARIES = "import google.cloud.api_keys_v2, google.cloud.resourcemanager_v3, google.cloud.service_usage_v1, aiohttp, typer"


def run(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Wall seconds and peak memory in MB of one run."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def test_keys_list_cold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new state each time: the default seed is part of what is measured."""
    times, memory = [], []
    for number in range(ROUNDS):
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KEYADMIN_SANDBOX_STATE": str(tmp_path / f"{number}.db")}
        seconds, megabytes = run([sys.executable, "-m", "keyadmin", "--sandbox", "keys", "list"], env)
        times.append(seconds)
        memory.append(megabytes)
    _, libraries = run([sys.executable, "-c", LIBRARIES], {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    with capsys.disabled():
        print(
            f"\n--sandbox keys list, new state: median {statistics.median(times):.2f} s, worst {max(times):.2f} s; "
            f"{max(memory):.0f} MB, the client libraries alone {libraries:.0f} MB"
        )
    assert statistics.median(times) <= 1.5
    assert max(memory) <= libraries + 25
