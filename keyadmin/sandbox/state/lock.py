"""Who uses a state file: one `serve` alone, or any number of embedded sandboxes together."""

from __future__ import annotations

import errno
import json
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from keyadmin.sandbox.state.file_lock import take, turn

# Windows has none of the first three, and would read and write line ends of its own without the last.
_FLAGS: Final = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


@contextmanager
def opening(state: Path) -> Iterator[None]:
    """Let one process at a time look at a state file and make its tables.

    A record lock, which stands beside the flock of StateLock on the same file and goes with the process too.
    """
    file = _open(state)
    try:
        with turn(file):
            yield
    finally:
        os.close(file)


class NotALock(OSError):
    """What stands where the lock file belongs is something else; it was left as it was."""


def _open(state: Path) -> int:
    """The lock file, made if need be. It is emptied later: a link, or a file with somebody's content, is refused here."""
    path = state.with_name(f"{state.name}.lock")
    try:
        file = os.open(path, os.O_CREAT | os.O_RDWR | _FLAGS, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _not_a_lock(path, error.errno) from None
        raise
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or not _ours(file, found.st_size):
        os.close(file)
        raise _not_a_lock(path, errno.EINVAL)
    return file


def _ours(file: int, size: int) -> bool:
    """Empty, or what a served sandbox has written of itself."""
    if size == 0:
        return True
    try:
        return size <= 4096 and {"rest", "grpc", "pid"} <= json.loads(_read(file)).keys()
    except (ValueError, AttributeError):
        return False


def _read(file: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    return os.read(file, 4096)


def _not_a_lock(path: Path, number: int) -> NotALock:
    return NotALock(
        number, f"it is a link or somebody else's file, not a sandbox's lock: remove {shlex.quote(str(path))}", str(path)
    )


class StateLocked(Exception):
    """Another process has the state file."""


class StateLock:
    """An advisory lock on `STATE.lock`, given back by the kernel even after kill -9."""

    def __init__(self, state: Path, *, alone: bool) -> None:
        self._file = _open(state)
        if not take(self._file, alone=alone):
            holder = self._holder()
            os.close(self._file)
            raise StateLocked(f"{state} is in use by {holder}")
        if alone:
            os.truncate(self._file, 0)

    def _holder(self) -> str:
        try:
            data = json.loads(_read(self._file))
            return f"`keyadmin sandbox serve`, pid {data['pid']}, {data['rest']}"
        except (ValueError, KeyError):
            return "another keyadmin process with the embedded sandbox"

    def announce(self, info: dict[str, Any]) -> None:
        """Write pid and addresses for whoever finds the file locked."""
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, json.dumps(info).encode())

    def release(self) -> None:
        """Give it back; the file stays, as removing it would race with another process opening it."""
        os.truncate(self._file, 0)
        os.close(self._file)
