"""Small files that several processes edit: written whole or not at all, one editor at a time."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from keyadmin.model.problem import Cause, Problem

LOCK_TIMEOUT_S = 10.0
_TEMPORARY = ".keyadmin"


def config_dir() -> Path:
    """The user's configuration directory for keyadmin (XDG_CONFIG_HOME and its like on other systems)."""
    from platformdirs import user_config_path

    return user_config_path("keyadmin", appauthor=False)


def read_json(path: Path) -> Any:
    """The file's JSON, None where there is no file. Raises Problem naming the file and the place of the mistake."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        raise damaged(path, str(error)) from None


def damaged(path: Path, why: str) -> Problem:
    """The Problem of a file that is not what it should be; the file is left alone."""
    return Problem(
        Cause.INVALID_ARGUMENT,
        f"{path} cannot be used: {why}",
        fix=(f"mend or move away {path}; keyadmin left it as it was",),
    )


def write_json(path: Path, value: Any) -> None:
    """Replace the file in one step, mode 0600, its directory 0700. Raises Problem where it cannot be written."""
    try:
        _private_directory(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace the file in one step: the old text stands there or the new one. Its owner stays, where this user may say so.

    Raises Problem where it cannot be written.
    """
    if path.exists() and not path.is_file():  # renaming a file over a device would take the device away
        raise Problem(Cause.INVALID_ARGUMENT, f"{path} is no regular file, and is left as it is", fix=("name another file",))
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_TEMPORARY)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            _give(temporary, path)
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


def _give(temporary: str, path: Path) -> None:
    """To whom the file belongs now: root writes for others, who could read it no more."""
    if os.name == "posix" and os.geteuid() == 0 and path.exists():
        found = path.stat()
        os.chown(temporary, found.st_uid, found.st_gid)


def sweep(path: Path) -> None:
    """Remove what `write_text` left beside the file when it was killed. Only for who holds the lock of all its writers."""
    begin = f".{path.name}."
    for name in os.listdir(path.parent):  # names alone: a folder may hold thousands, and each of them is swept for
        if name.startswith(begin) and name.endswith(_TEMPORARY):
            with suppress(OSError):  # somebody else's: nothing of this user's is in it
                (path.parent / name).unlink()


def read_text(path: Path) -> str:
    """A text file's text, line endings as they are. Raises Problem where it cannot be read or is no UTF-8 text."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError:
        raise damaged(path, "it is not UTF-8 text") from None
    except OSError as error:
        fix = f"see that {path} is there and may be read"
        raise Problem(Cause.UNKNOWN, f"{path} cannot be read: {error.strerror}", fix=(fix,)) from None


def editing(path: Path) -> AbstractContextManager[None]:
    """The lock of a file of the person's own, kept in keyadmin's folder so that no lock file lies beside it."""
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:32]
    return locked(_lock_folder() / name)


def _lock_folder() -> Path:
    """In the configuration directory; where the home is read-only (containers), a private folder for temporary files.

    Raises Problem where that one is somebody else's.
    """
    folder = config_dir() / "locks"
    with suppress(OSError):
        _private_directory(folder)
        if os.access(folder, os.W_OK):
            return folder
    user = os.getuid() if os.name == "posix" else 0
    folder = Path(tempfile.gettempdir()) / f"keyadmin-locks-{user}"
    try:
        _private_directory(folder)
        found = folder.lstat()
    except OSError as error:
        raise _unwritable(folder, error) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user:
        raise Problem(Cause.CONFLICT, f"{folder} belongs to another user", fix=("set TMPDIR to a folder of your own",))
    return folder


def _unwritable(path: Path, error: OSError) -> Problem:
    return Problem(
        Cause.UNKNOWN,
        f"{path} cannot be written: {error.strerror}",
        fix=(f"see that {path.parent} exists and may be written, and that its disk is not full",),
    )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that goes with `path` (a file beside it) while reading, changing and writing it.

    Raises Problem after `LOCK_TIMEOUT_S` seconds of waiting for another process, and where no lock can be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S)
    try:
        _private_directory(path.parent)
        lock.acquire()
    except Timeout:
        raise Problem(Cause.CONFLICT, f"{path} is being changed by another process", fix=("try again",)) from None
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _private_directory(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
