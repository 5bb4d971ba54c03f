"""Locks lie in a folder of one's own: in the one of another user nobody knows who takes them away."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs
import pytest

from keyadmin.local import locks
from keyadmin.model.problem import Cause, Problem

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners are POSIX's")


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose state folder cannot be written, so that locks go to the folder for temporary files."""
    nowhere = tmp_path / "file"
    nowhere.write_text("not a folder")
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *_, **__: nowhere / "state")
    shared = tmp_path / "tmp"
    shared.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    return shared


def test_ones_own_is_used(shared: Path) -> None:
    folder = locks._lock_folder()
    assert folder.parent == shared
    assert folder.stat().st_mode & 0o077 == 0


def test_that_of_another_user_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shared / f"keyadmin-locks-{os.getuid() + 1}").mkdir(mode=0o700)  # belongs to this user, and is that of the next
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    with pytest.raises(Problem) as caught:
        locks._lock_folder()
    assert caught.value.cause is Cause.CONFLICT
    assert "another user" in caught.value.message


def test_a_link_there_is_refused(shared: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (shared / f"keyadmin-locks-{os.getuid()}").symlink_to(elsewhere)
    with pytest.raises(Problem):
        locks._lock_folder()
    assert list(elsewhere.iterdir()) == []
