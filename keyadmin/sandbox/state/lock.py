"""Who uses a state file: one `serve` alone, or any number of embedded sandboxes together."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def opening(state: Path) -> Iterator[None]:
    """Let one process at a time look at a state file and make its tables.

    A record lock, which stands beside the flock of StateLock on the same file and goes with the process too.
    """
    file = os.open(_lock_file(state), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _lock_file(state: Path) -> Path:
    return state.with_name(f"{state.name}.lock")


class StateLocked(Exception):
    """Another process has the state file."""


class StateLock:
    """An advisory lock on `STATE.lock`, given back by the kernel even after kill -9."""

    def __init__(self, state: Path, *, alone: bool) -> None:
        self._file = os.open(_lock_file(state), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._holder()
            os.close(self._file)
            raise StateLocked(f"{state} is in use by {holder}") from None
        if alone:
            os.truncate(self._file, 0)

    def _holder(self) -> str:
        try:
            data = json.loads(os.read(self._file, 4096))
            return f"`keyadmin sandbox serve`, pid {data['pid']}, {data['rest']}"
        except (ValueError, KeyError):
            return "another keyadmin process with the embedded sandbox"

    def announce(self, info: dict[str, Any]) -> None:
        """Write pid and addresses for whoever finds the file locked."""
        os.pwrite(self._file, json.dumps(info).encode(), 0)

    def release(self) -> None:
        """Give it back; the file stays, as removing it would race with another process opening it."""
        os.truncate(self._file, 0)
        os.close(self._file)
