"""One editor of a file at a time: of this user's, of others, in other containers, however the path is spelled."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from keyadmin.local.folders import Folder, make_private, open_folder
from keyadmin.model.problem import Cause, Problem

LOCK_TIMEOUT_S = 10.0
_POLL_S: Final = 0.02
_FAR: Final = 1 << 40  # the place of the byte that is locked on Windows


def unwritable(path: Path, error: OSError) -> Problem:
    """The Problem of a file that cannot be written."""
    return Problem(
        Cause.UNKNOWN,
        f"{path} cannot be written: {error.strerror}",
        fix=(f"see that {path.parent} exists and may be written, and that its disk is not full",),
    )


@contextmanager
def entry_lock(folder: Folder, name: str) -> Iterator[None]:
    """The lock of an entry of an open folder: the folder's own (flock goes by device and inode), so that it needs no lock file.

    Where a folder cannot be locked (Windows, some network file systems) it is a file in a private place of keyadmin's, named by
    device and inode. Raises Problem after `LOCK_TIMEOUT_S` seconds of waiting.
    """
    if folder.descriptor is not None and _lockable(folder.descriptor):
        import fcntl

        descriptor = folder.descriptor
        _wait(folder.path / name, lambda: _flock(descriptor))
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        return
    found = os.stat(folder.path) if folder.descriptor is None else os.fstat(folder.descriptor)
    token = hashlib.sha256(f"{found.st_dev}:{found.st_ino}:{os.path.normcase(name)}".encode()).hexdigest()[:32]
    with locked(_lock_folder() / token):
        yield


def _lockable(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # opened for passing only, or a file system that locks files alone
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def _flock(descriptor: int) -> bool:
    """Whether the lock was got now. Raises OSError."""
    if os.name != "posix":
        return _byte_locked(descriptor)
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _byte_locked(descriptor: int) -> bool:
    """The same on Windows, by a byte far behind the file's end: what is locked there cannot be read."""
    msvcrt: Any = import_module("msvcrt")
    here = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, _FAR, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    finally:
        os.lseek(descriptor, here, os.SEEK_SET)
    return True


def hold(descriptor: int, path: Path) -> None:
    """Lock an open file until it is closed. Raises Problem at the time limit, OSError."""
    _wait(path, lambda: _flock(descriptor))


def _wait(path: Path, attempt: Callable[[], bool]) -> None:
    until = time.monotonic() + LOCK_TIMEOUT_S
    while not attempt():
        if time.monotonic() > until:
            raise Problem(Cause.CONFLICT, f"{path} is being changed by another process", fix=("try again",))
        time.sleep(_POLL_S)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that goes with `path` (a file beside it) while reading, changing and writing it.

    Raises Problem after `LOCK_TIMEOUT_S` seconds of waiting for another process, and where no lock can be made.
    """
    try:
        make_private(path.parent)
        release = _acquired(path)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield
    finally:
        release()


def _acquired(path: Path) -> Callable[[], None]:
    if os.name != "posix":
        from filelock import FileLock, Timeout

        lock = FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S)
        try:
            lock.acquire()
        except Timeout:
            raise Problem(Cause.CONFLICT, f"{path} is being changed by another process", fix=("try again",)) from None
        return lock.release
    with open_folder(path.parent) as folder:  # a link in the lock's place is not followed, and nothing is emptied
        descriptor = folder.open(f"{path.name}.lock", os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o600)
    try:
        _wait(path, lambda: _flock(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return lambda: os.close(descriptor)


def _lock_folder() -> Path:
    """In the state directory; where the home is read-only (containers), a private folder for temporary files.

    Raises Problem where that one is somebody else's.
    """
    import tempfile

    from platformdirs import user_state_path

    folder = user_state_path("keyadmin", appauthor=False) / "locks"
    with suppress(OSError):
        make_private(folder)
        if os.access(folder, os.W_OK):
            return folder
    user = os.getuid() if os.name == "posix" else 0
    folder = Path(tempfile.gettempdir()) / f"keyadmin-locks-{user}"
    try:
        make_private(folder)
        found = folder.lstat()
    except OSError as error:
        raise unwritable(folder, error) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user:
        raise Problem(Cause.CONFLICT, f"{folder} belongs to another user", fix=("set TMPDIR to a folder of your own",))
    return folder
