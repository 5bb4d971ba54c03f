"""keys list beside gcloud's own on one server, and scan of a gigabyte: whole processes, measured in turns."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.benchmark

ROUNDS = 9
SHARE = 0.8
GIGABYTE = 1 << 30
LONGEST_S = 15.0
MOST_MB = 150
KEYS = 50

Say = Callable[[str], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print a figure past pytest's capture."""

    def printed(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}")

    return printed


@pytest.fixture
def keyadmin() -> list[str]:
    """The installed command, as a person runs it; the module where there is none beside this Python."""
    script = shutil.which("keyadmin", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-m", "keyadmin"]


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[str]:
    """A sandbox with a project of KEYS keys."""
    made = [{"keyId": f"key-{number}", "displayName": f"Key {number}"} for number in range(KEYS)]
    seed = tmp_path / "seed.json"
    owner = {"roles/owner": ["user:owner@example.com"]}
    project = {"projectId": "bench-project", "services": ["apikeys.googleapis.com"], "keys": made, "iam": owner}
    seed.write_text(json.dumps({"projects": [project]}))
    command = [sys.executable, "-m", "keyadmin", "sandbox", "serve", "--seed", str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())["rest"]
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=10)


def seconds(command: list[str], env: dict[str, str]) -> tuple[float, str]:
    """Wall time of one run, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return time.perf_counter() - began, done.stdout


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_list_beside_gcloud(keyadmin: list[str], rest: str, say: Say, tmp_path: Path) -> None:
    base = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "KEYADMIN_SANDBOX": rest}
    shown = subprocess.run([*keyadmin, "sandbox", "env", "--format", "json"], env=base, check=True, capture_output=True)
    env = base | json.loads(shown.stdout) | {"CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}
    ours = [*keyadmin, "keys", "list", "-p", "bench-project"]
    theirs = ["gcloud", "services", "api-keys", "list", "--project=bench-project"]
    for command in (ours, theirs):  # fills the file cache
        assert seconds(command, env)[1].count("key-49") >= 1
    pairs = [(seconds(ours, env)[0], seconds(theirs, env)[0]) for _ in range(ROUNDS)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    say(f"keys list against gcloud: {mine:.2f} s against {other:.2f} s, ratio {mine / other:.2f}")
    assert mine <= SHARE * other


def tree(folder: Path) -> tuple[int, int]:
    """About a gigabyte as people have it: sources, logs, some binaries; how many files, how many key strings."""
    chance = random.Random(7)
    words = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz_AQI0123456789", k=chance.randint(2, 12))) for _ in range(5000)]
    lines = b"".join(b" ".join(chance.choices(words, k=9)) + b";\n" for _ in range(40_000))
    key = b"AIzaSyB7q2Zt1LmVx0Rk9sWc4HyBn5Jf6Gd3Ep8"
    total = files = keys = 0
    while total < GIGABYTE:
        size = chance.choice([2_000, 8_000, 30_000, 120_000, 1_000_000] if files % 50 else [20_000_000])
        start = chance.randrange(len(lines))
        text = (lines[start:] + lines * (size // len(lines) + 1))[:size]
        if files % 97 == 3:
            text = b"\0" + text  # a binary
        elif files % 500 == 7:
            text, keys = text + b"\nkey = '" + key + b"'\n", keys + 1
        path = folder / f"{files % 100:02}" / f"{files}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
        total, files = total + len(text), files + 1
    return files, keys


def test_scan_of_a_gigabyte(keyadmin: list[str], say: Say, tmp_path: Path) -> None:
    import psutil

    folder = tmp_path / "tree"
    folder.mkdir()
    files, keys = tree(folder)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    out = tmp_path / "out.json"
    command = [*keyadmin, "scan", str(folder), "--offline", "--quiet", "--format", "json"]
    peak = 0.0  # of the process and all its children together, pages that they share counted for each
    began = time.perf_counter()
    with out.open("w") as file:
        process = subprocess.Popen(command, env=env, stdout=file)
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            peak = max(peak, sum(each.memory_info().rss for each in family) / 1e6)
        time.sleep(0.05)
    spent = time.perf_counter() - began
    assert process.returncode == 3
    (found,) = json.loads(out.read_text())
    assert len(found["places"]) == keys
    say(f"scan of 1 GiB in {files} files: {spent:.1f} s, at most {peak:.0f} MB in all processes")
    assert spent <= LONGEST_S
    assert peak <= MOST_MB
    shutil.rmtree(folder)
