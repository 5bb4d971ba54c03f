"""Follows a recipe of docs/contributing: its blocks are put where their titles say, in a copy of the package."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "contributing"
_BLOCK = re.compile(
    r'^```python title="(?P<path>[^"]+)"(?: after="(?P<after>[^\n]+)")?\n(?P<code>.*?)^```$', re.MULTILINE | re.DOTALL
)


def blocks(name: str) -> list[tuple[str, str | None, str]]:
    """The blocks of a recipe: the file, the line that they stand behind (None = a new file), the code."""
    text = (RECIPES / f"{name}.md").read_text("utf-8")
    return [(found["path"], found["after"], found["code"]) for found in _BLOCK.finditer(text)]


def follow(name: str, folder: Path) -> Path:
    """A copy of the package in which the recipe was followed. Fails where a place that it names is not there."""
    copy = folder / name
    shutil.copytree(ROOT / "keyadmin", copy / "keyadmin", ignore=shutil.ignore_patterns("__pycache__"))
    for path, after, code in blocks(name):
        target = copy / path
        if after is None:
            assert not target.exists(), f"{path} is there already: the recipe's example is part of keyadmin"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(code, "utf-8")
            continue
        lines = target.read_text("utf-8").splitlines(keepends=True)
        at = [number for number, line in enumerate(lines) if line.rstrip("\n").endswith(after)]
        assert len(at) == 1, f"{path}: {len(at)} lines end in {after!r}"
        target.write_text("".join([*lines[: at[0] + 1], code, *lines[at[0] + 1 :]]), "utf-8")
    return copy


def typed(copy: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`keyadmin WORDS` of the copy, with a home of its own."""
    home = copy / "home"
    home.mkdir(exist_ok=True)
    settings = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "keyadmin", *words],
        cwd=copy,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(copy), "COLUMNS": "200"} | settings | env,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@contextlib.contextmanager
def served(copy: Path) -> Iterator[str]:
    """The copy's sandbox, served: its REST address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "keyadmin", "sandbox", "serve"],
        cwd=copy,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(copy), "HOME": str(copy)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["rest"]
    finally:
        process.terminate()
        process.wait(timeout=60)
