"""The folder of an embedded sandbox's sockets: private, and gone with its process, however that ended."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "keyadmin-"
_LOCK: Final = "alive"  # a file that its process has locked for as long as it lives
_LONGEST: Final = 100  # bytes of a socket's path: 108 on Linux, 104 elsewhere
_YOUNG_S: Final = 60.0  # what is younger may be between its making and its lock


@contextmanager
def socket_folder() -> Iterator[Path]:
    """A folder of mode 0700. Those that killed runs of this user left are removed first."""
    parent = Path(tempfile.gettempdir())
    if len(os.fsencode(parent / f"{_PREFIX}12345678" / "grpc.sock")) > _LONGEST:
        parent = Path("/tmp")  # noqa: S108 - mkdtemp makes a folder of its own in it
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        _try_lock(lock)
        yield folder
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the folders of processes that are gone: only this user's, only with sockets and the lock in them."""
    for folder in parent.glob(f"{_PREFIX}????????"):
        with suppress(OSError):  # another process removes it too
            if _is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left_behind(folder: Path) -> bool:
    found = folder.lstat()
    mine = found.st_uid == os.getuid() and stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    if not mine or _age(found) < _YOUNG_S:
        return False
    names = set(os.listdir(folder))
    if not names or not names <= {_LOCK, "rest.sock", "grpc.sock"}:
        return False
    if _LOCK not in names:  # of a version that did not lock: its sockets tell whether somebody listens
        return not any(_answers(folder / name) for name in names)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | getattr(os, "O_CLOEXEC", 0))
    try:
        return _try_lock(lock)
    finally:
        os.close(lock)


def _age(found: os.stat_result) -> float:
    """Seconds since a folder was last changed, by the clock of its file system."""
    with tempfile.TemporaryFile() as now:
        return os.fstat(now.fileno()).st_mtime - found.st_mtime


def _answers(path: Path) -> bool:
    import socket

    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        return client.connect_ex(str(path)) == 0


def _try_lock(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
