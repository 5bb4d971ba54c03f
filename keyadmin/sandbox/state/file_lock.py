"""Locks on an open file, gone with its process however that ends: the kernel's own, or on Windows bytes far behind its end.

Windows locks bytes for one process alone; so that several may share a file, each of those takes a byte of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

_FAR: Final = 1 << 20  # nothing is written there: what is locked cannot be read on Windows
_SHARES: Final = 64  # processes that may use a file together
_POLL_S: Final = 0.01
_PATIENCE_S: Final = 60.0


def take(file: int, *, alone: bool) -> bool:
    """Whether the file is this process's now, alone or with others, until it is closed."""
    if os.name != "posix":
        return _bytes(file, _FAR, _SHARES) if alone else any(_bytes(file, _FAR + at, 1) for at in range(_SHARES))
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def turn(file: int) -> Iterator[None]:
    """Wait until no other process has its turn with the file. Beside what `take` locks. Raises OSError."""
    if os.name != "posix":
        until = time.monotonic() + _PATIENCE_S
        while not _bytes(file, _FAR + _SHARES, 1):
            if time.monotonic() > until:
                raise TimeoutError("another process does not let go of it")
            time.sleep(_POLL_S)
    else:
        import fcntl

        fcntl.lockf(file, fcntl.LOCK_EX)
    yield  # closing the file ends it


def _bytes(file: int, start: int, count: int) -> bool:
    """Whether these bytes are locked for this process now. Windows only."""
    msvcrt: Any = import_module("msvcrt")
    os.lseek(file, start, os.SEEK_SET)
    try:
        msvcrt.locking(file, msvcrt.LK_NBLCK, count)
    except OSError:
        return False
    return True
