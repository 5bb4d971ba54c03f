"""Small files: read up to a limit, written whole or not at all, and never through a link that another user placed."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from keyadmin.local.folders import Folder, make_private, open_folder, trusted_link
from keyadmin.local.locks import locked, unwritable
from keyadmin.model.problem import Cause, Problem

__all__ = [
    "config_dir",
    "damaged",
    "locked",
    "read_bytes",
    "read_json",
    "read_text",
    "sweep",
    "write_json",
    "write_pieces",
    "write_text",
]

MOST_BYTES: Final = 64 * 2**20  # of any file that is read whole: policies, seeds, lists, reports
_TEMPORARY: Final = ".keyadmin"
_MOST_LINKS: Final = 40


def config_dir() -> Path:
    """The user's configuration directory for keyadmin (XDG_CONFIG_HOME and its like on other systems)."""
    from platformdirs import user_config_path

    return user_config_path("keyadmin", appauthor=False)


def state_dir() -> Path:
    """The user's state directory for keyadmin (XDG_STATE_HOME and its like on other systems)."""
    from platformdirs import user_state_path

    return user_state_path("keyadmin", appauthor=False)


def data_dir() -> Path:
    """The user's data directory for keyadmin (XDG_DATA_HOME and its like on other systems)."""
    from platformdirs import user_data_path

    return user_data_path("keyadmin", appauthor=False)


def read_json(path: Path) -> Any:
    """The file's JSON, None where there is no file. Raises Problem naming the file and the place of the mistake."""
    try:
        return json.loads(bounded(path, MOST_BYTES).decode("utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, OSError, RecursionError) as error:
        raise damaged(path, str(error)) from None


def damaged(path: Path, why: str) -> Problem:
    """The Problem of a file that is not what it should be; the file is left alone."""
    return Problem(
        Cause.INVALID_ARGUMENT,
        f"{path} cannot be used: {why}",
        fix=(f"correct or move away {path}; keyadmin left it as it was",),
    )


def bounded(path: Path, most: int, what: str = "") -> bytes:
    """The bytes of a file, a pipe or a device, up to `most`. Raises Problem past it, OSError where it cannot be read."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"{what} {path}".strip()
            + f" holds more than {most // 2**20} MiB, which is more than keyadmin reads of such a file",
            fix=("name the right file",),
        )
    return data


def read_bytes(path: Path, most: int = MOST_BYTES, what: str = "") -> bytes:
    """A file's bytes. Raises Problem where it cannot be read or is larger than `most` bytes."""
    try:
        return bounded(path, most, what)
    except OSError as error:
        fix = f"see that {path} is there and may be read"
        message = f"{what} {path}".strip() + f" cannot be read: {error.strerror}"
        raise Problem(Cause.UNKNOWN, message, fix=(fix,)) from None


def read_text(path: Path, most: int = MOST_BYTES, what: str = "") -> str:
    """A text file's text, line ends as they are, without a byte order mark. `what` = "the allow list": how messages call it.

    Raises Problem: it cannot be read, is larger than `most` bytes, or is not UTF-8 text.
    """
    data = read_bytes(path, most, what)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise damaged(path, f"it is not UTF-8 text (line {line})") from None


def write_json(path: Path, value: Any) -> None:
    """Replace the file in one step, mode 0600, its directory 0700. Raises Problem where it cannot be written."""
    try:
        make_private(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace the file in one step: the old text stands there or the new one. Its owner stays, where this user may say so.

    A symbolic link stays a link: what it points to is replaced, if nobody else can have placed it. A pipe or a device gets
    the text. Raises Problem where it cannot be written.
    """
    data = text.encode("utf-8", "surrogateescape")
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            _pour(path, data)
            return
        with _place(path) as (folder, name):
            replace(folder, name, data, mode)
    except OSError as error:
        raise unwritable(path, error) from error


def _pour(path: Path, data: bytes) -> None:
    """Into a pipe or a device, which a renamed file would take away. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nobody reads the pipe") from None
        raise
    with os.fdopen(descriptor, "wb") as file:
        if os.name == "posix":
            os.set_blocking(descriptor, True)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):  # exchanged in this moment
            raise OSError(errno.EAGAIN, "it is being exchanged by another process")
        file.write(data)


@contextmanager
def _place(path: Path) -> Iterator[tuple[Folder, str]]:
    """The folder and the name behind all links of a path. Raises Problem, OSError."""
    for _ in range(_MOST_LINKS):
        with open_folder(path.parent) as folder:
            found = folder.look_up(path.name)
            if found is None or not stat.S_ISLNK(found.st_mode):
                yield folder, path.name
                return
            refused = OSError(errno.EAGAIN, "it is being exchanged by another process")
            at = folder.descriptor
            path = path.parent / (folder.read_link(path.name) if at is None else trusted_link(at, path.name, refused))
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def write_pieces(path: Path, pieces: Iterable[bytes], mode: int = 0o600) -> None:
    """As `write_text`, of what is not to be held whole: the file stands there once the last piece is written."""
    try:
        with _place(path) as (folder, name):
            replace(folder, name, pieces, mode)
    except OSError as error:
        raise unwritable(path, error) from error


def replace(folder: Folder, name: str, data: bytes | Iterable[bytes], mode: int) -> None:
    """Put a new file in the place of an entry, in one step; the owner of the old one keeps it, where this user may say so.

    `data` = the file whole or in pieces. Everything is done on descriptors. Raises Problem where there is no regular file,
    OSError.
    """
    old = folder.look_up(name)
    if old is not None and not stat.S_ISREG(old.st_mode):
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"{folder.path / name} is not a regular file, and is left as it is",
            fix=("name another file",),
        )
    temporary = f".{name}.{os.urandom(8).hex()}{_TEMPORARY}"
    descriptor = folder.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in [data] if isinstance(data, bytes) else data:
                file.write(piece)
            file.flush()
            if os.name == "posix":
                if old is not None and os.geteuid() == 0:  # root writes for others, who could read it no more
                    os.fchown(descriptor, old.st_uid, old.st_gid)
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
            mine = os.fstat(descriptor)
        folder.replace(temporary, name)
    except BaseException:
        with suppress(OSError):
            folder.unlink(temporary)
        raise
    there = folder.look_up(name)
    if os.name == "posix" and (there is None or (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)):
        raise OSError(errno.EAGAIN, "another process exchanged it in the same moment")


def sweep(folder: Folder, name: str) -> None:
    """Remove what `replace` left beside an entry when it was killed. Only for who holds the lock of all its writers."""
    begin = f".{name}."
    for each in folder.names():  # names alone: a folder may hold thousands, and each of them is swept for
        if each.startswith(begin) and each.endswith(_TEMPORARY):
            with suppress(OSError):  # somebody else's: nothing of this user's is in it
                folder.unlink(each)
