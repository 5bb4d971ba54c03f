"""Folders of embedded sandboxes: gone with their process, however it ended, and nobody else's is touched."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keyadmin.sandbox.embedded import embedded
from keyadmin.sandbox.socket_folder import socket_folder

HOLD = """
import sys
from keyadmin.sandbox.socket_folder import socket_folder
with socket_folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def _old(folder: Path) -> None:
    past = time.time() - 3600
    os.utime(folder, (past, past))


def test_a_killed_runs_folder_goes_at_the_next_run_and_a_living_ones_stays(place: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    living, killed = (Path(process.stdout.readline().strip()) for process in running)  # type: ignore[union-attr]
    running[1].kill()
    running[1].wait()
    assert living.parent == killed.parent == place
    for folder in (living, killed):
        _old(folder)
    with socket_folder() as mine:
        assert stat.S_IMODE(mine.stat().st_mode) == 0o700
        assert (living.exists(), killed.exists()) == (True, False)
    assert not mine.exists()
    running[0].communicate("", timeout=60)
    assert list(place.iterdir()) == []


def test_what_else_has_such_a_name_stays(place: Path) -> None:
    for name in ("keyadmin-12345678", "keyadmin-other123", "keyadmin-abcdefgh"):
        (place / name).mkdir(mode=0o700)
    (place / "keyadmin-12345678" / "notes.txt").write_text("mine")
    (place / "keyadmin-abcdefgh").chmod(0o755)
    (place / "keyadmin-linked00").symlink_to("keyadmin-other123")
    (place / "keyadmin-young000").mkdir(mode=0o700)
    for name in ("keyadmin-12345678", "keyadmin-other123", "keyadmin-abcdefgh"):
        _old(place / name)
    with socket_folder():
        pass
    assert sorted(path.name for path in place.iterdir()) == [
        "keyadmin-12345678", "keyadmin-abcdefgh", "keyadmin-linked00", "keyadmin-other123", "keyadmin-young000",
    ]  # fmt: skip


async def test_the_states_folders_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with embedded(tmp_path / "a" / "b" / "state.db"):
            pass
    finally:
        os.umask(before)
    for folder in ("a", "a/b"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
