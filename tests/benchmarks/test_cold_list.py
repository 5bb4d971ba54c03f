"""`keyadmin --sandbox keys list`: how long it takes cold, and its memory beside that of Google's client libraries alone."""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path

import pytest

from tests.benchmarks.measure import measured

pytestmark = pytest.mark.benchmark

ROUNDS = 7
LIBRARIES = "import google.cloud.api_keys_v2, google.cloud.resourcemanager_v3, google.cloud.service_usage_v1, aiohttp, typer"


def test_keys_list_cold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new state each time: the default seed is part of what is measured."""
    times, memory = [], []
    for number in range(ROUNDS):
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KEYADMIN_SANDBOX_STATE": str(tmp_path / f"{number}.db")}
        listed = measured([sys.executable, "-m", "keyadmin", "--sandbox", "keys", "list"], env)
        times.append(listed.seconds)
        memory.append(listed.megabytes)
    libraries = measured([sys.executable, "-c", LIBRARIES], {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}).megabytes
    with capsys.disabled():
        print(
            f"\n--sandbox keys list, new state: median {statistics.median(times):.2f} s, worst {max(times):.2f} s; "
            f"{max(memory):.0f} MB, the client libraries alone {libraries:.0f} MB"
        )
    assert statistics.median(times) <= 1.5
    assert max(memory) <= libraries + 25
