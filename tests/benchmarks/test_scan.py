"""scan: a history of 10,000 commits; CPU time beside the release before and beside Kingfisher, in turns in one run.

`KEYADMIN_TEST_BEFORE` = the program of the release before, `KEYADMIN_TEST_TREE` = a folder of unpacked wheels (without it the
packages of this environment are searched); `kingfisher` comes from PyPI (kingfisher-bin). What is not there is skipped.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.benchmark
Say = Callable[[str], None]

COMMITS = 10_000
LONGEST_S = 10.0
ROUNDS = 3
MOST_OF_BEFORE = 1.0
MOST_OF_KINGFISHER = 0.8
KEY = "AIzaSyB7q2Zt1LmVx0Rk9sWc4HyBn5Jf6Gd3Ep8"


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


def history(folder: Path) -> None:
    """Commits of 2 KB each; every thousandth has a key string, which the next takes out."""
    dice = random.Random(3)
    lines = ["blob\nmark :1\ndata 0\n"]
    for number in range(COMMITS):
        text = "".join(f"{dice.getrandbits(256):064x}\n" for _ in range(31)) + (
            f"k = '{KEY}'\n" if number % 1000 == number // 1000 * 7 else ""
        )
        lines.append(f"commit refs/heads/main\ncommitter t <t@example.com> {1_700_000_000 + number} +0000\ndata 2\nm\n")
        lines.append(f"M 644 inline d{number % 20}/f{number % 200}.txt\ndata {len(text)}\n{text}\n")
    subprocess.run(["git", "init", "-q", "--initial-branch=main", str(folder)], check=True)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input="".join(lines).encode(), check=True)


def cpu(command: Sequence[str], env: dict[str, str]) -> tuple[float, int]:
    """Seconds of CPU of a program and all that it starts; its exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.returncode


def test_a_history_of_10_000_commits(keyadmin: list[str], say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    history(folder)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    began = time.perf_counter()
    done = subprocess.run(
        [*keyadmin, "scan", str(folder), "--history", "--offline", "--format", "jsonl"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    spent = time.perf_counter() - began
    assert done.returncode == 3, done.stderr
    assert f"{COMMITS} commits" in done.stderr
    assert done.stdout.count('"commit"') == COMMITS // 1000
    say(f"scan --history of {COMMITS} commits of 2 KB: {spent:.1f} s")
    assert spent <= LONGEST_S


@pytest.mark.parametrize("other", ["before", "kingfisher"])
def test_cpu_beside(other: str, keyadmin: list[str], say: Say, tmp_path: Path) -> None:
    tree = os.environ.get("KEYADMIN_TEST_TREE") or sysconfig.get_path("purelib")
    before, kingfisher = os.environ.get("KEYADMIN_TEST_BEFORE"), shutil.which("kingfisher")
    if not (before if other == "before" else kingfisher):
        pytest.skip(f"{other} is not there")
    words = ["scan", tree, "--offline", "--quiet", "--format", "json"]
    theirs = [str(before), *words]
    if other == "kingfisher":
        theirs = [
            str(kingfisher),
            "scan",
            tree,
            "--no-validate",
            "--git-history",
            "none",
            "--format",
            "json",
            "--rule",
            "betterleaks.gcp",
        ]
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    for command in ([*keyadmin, *words], theirs):  # fills the file cache, and Kingfisher's of its rules
        cpu(command, env)
    pairs = [(cpu([*keyadmin, *words], env)[0], cpu(theirs, env)[0]) for _ in range(ROUNDS)]
    mine, others = (statistics.median(column) for column in zip(*pairs, strict=True))
    say(f"scan of {tree}: {mine:.2f} s of CPU, {other} {others:.2f} s, ratio {mine / others:.2f}")
    assert mine <= (MOST_OF_BEFORE if other == "before" else MOST_OF_KINGFISHER) * others
