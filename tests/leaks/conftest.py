"""Repositories made by git itself, and `scan` as a person types it."""

from __future__ import annotations

import os
import random
import shutil
import string
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_LETTERS = string.ascii_letters + string.digits + "-_"
Git = Callable[..., str]


def made_up(kind: str = "AIza", seed: int = 0) -> str:
    """A key string that nobody has: random, and the same for the same seed."""
    dice = random.Random(f"{kind} {seed}")
    body = "".join(dice.choice(_LETTERS) for _ in range(33 if kind == "AIza" else 48))
    return f"AIzaSy{body}" if kind == "AIza" else f"{kind}Ab8RN6{body}7"


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as one JSON document."""
        import json

        return json.loads(self.out)

    def places(self) -> list[tuple[str, int]]:
        """Path and line of every place, sorted."""
        return sorted((place["path"], place["line"]) for leak in self.json for place in leak["places"])


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with nothing of the tester's own, git's settings included."""
    folder = tmp_path / "home"
    (folder / "tmp").mkdir(parents=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "KEYADMIN_SANDBOX_STATE": str(folder / "sandbox.db"),
        "TMPDIR": str(folder / "tmp"),
        "COLUMNS": "200",
    }


@pytest.fixture
def git(tmp_path: Path, home: dict[str, str]) -> Git:
    """`git(FOLDER, "commit", ...)`: git with a name and without settings."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    env = home | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    env |= {
        f"GIT_{who}_{what}": text
        for who in ("AUTHOR", "COMMITTER")
        for what, text in (("NAME", "t"), ("EMAIL", "t@example.com"))
    }

    def run(folder: Path, *words: str, stdin: str = "", more: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *words],
            cwd=folder, env=env | (more or {}), input=stdin, capture_output=True, text=True, check=False, errors="replace",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Callable[..., Path]:
    """`repository("r", {"a": "text"}, {"a": None})`: one commit for each set of files; None = removed."""

    def make(name: str, *commits: dict[str, str | bytes | None], options: tuple[str, ...] = ()) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        git(folder, "init", "-q", *options)
        for number, files in enumerate(commits, 1):
            for path, text in files.items():
                if text is None:
                    (folder / path).unlink()
                    continue
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())
            git(folder, "add", "-A", "-f")
            git(folder, "commit", "-q", "--allow-empty", "-m", f"commit {number}")
        return folder

    return make


@pytest.fixture
def keyadmin(home: dict[str, str], tmp_path: Path) -> Callable[..., Done]:
    """`keyadmin("scan", PATH, ...)` in a process of its own."""

    def run(*words: object, cwd: Path | None = None, env: dict[str, str] | None = None, timeout: float = 120) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "keyadmin", *map(str, words)],
            cwd=cwd or tmp_path, env=home | (env or {}), capture_output=True, timeout=timeout, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))

    return run


@pytest.fixture
def offline(keyadmin: Callable[..., Done]) -> Callable[..., Done]:
    """`offline(PATH, ...)`: a scan that asks nobody, as JSON."""

    def run(*words: object, **options: Any) -> Done:
        return keyadmin("scan", *words, "--offline", *(() if "--format" in words else ("--format", "json")), **options)

    return run
