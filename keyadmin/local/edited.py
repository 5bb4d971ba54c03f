"""A file of the person's own (`.env`, `.bashrc`), locked, read, changed and written back."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyadmin.local.files import replace, sweep
from keyadmin.local.folders import Folder, open_folder
from keyadmin.local.locks import entry_lock, unwritable
from keyadmin.model.problem import Cause, Problem

MOST_BYTES: Final = 2**20  # of a start-up file or a .env file
IN_PLACE: Final = (
    "it is mounted by itself and was written in place: a program that read it in that moment may have seen half of it"
)


@dataclass
class EditedFile:
    """An open file under its lock. `data` None = there is no file; `found` says whose it is and its mode."""

    path: Path
    data: bytes | None
    found: os.stat_result | None
    folder: Folder

    @property
    def mode(self) -> int | None:
        """Its permissions, None where there is no file."""
        return stat.S_IMODE(self.found.st_mode) if self.found is not None else None

    @property
    def mounted(self) -> bool:
        """Whether it is mounted by itself, and so written in place."""
        return self.found is not None and self.folder.is_mount(self.path.name)

    def refuse_others(self) -> None:
        """Replaced by this user, another one's file would be this user's, and its owner could not read it. Raises Problem."""
        if os.name != "posix" or self.found is None:
            return
        owner, me = self.found.st_uid, os.geteuid()
        if me != 0 and owner not in (me, 0):  # root reads it all the same
            raise Problem(
                Cause.CONFLICT,
                f"{self.path} belongs to the user {owner}, who could not read it any more: this is the user {me}",
                fix=("run keyadmin as its owner, or as root, who leaves it to its owner",),
            )

    def write(self, data: bytes, mode: int) -> bool:
        """Replace it in one step; where it is mounted by itself write into it, and return True. Raises Problem."""
        name = self.path.name
        try:
            if self.mounted:
                self._write_in_place(data, mode)
                return True
            try:
                replace(self.folder, name, data, mode)
            except OSError as error:
                if error.errno != errno.EBUSY or self.found is None:
                    raise
                self._write_in_place(data, mode)
                return True
            sweep(self.folder, name)  # a run that was killed left a key there
        except OSError as error:
            raise unwritable(self.path, error) from error
        return False

    def _write_in_place(self, data: bytes, mode: int) -> None:
        """Into the same file. What a full disk would cut off is put back. Raises OSError, Problem."""
        assert self.found is not None
        descriptor = self.folder.open(self.path.name, os.O_WRONLY)
        try:
            there = os.fstat(descriptor)
            if (there.st_dev, there.st_ino) != (self.found.st_dev, self.found.st_ino):
                raise OSError(errno.EAGAIN, "another process exchanged it in the same moment")
            try:
                _fill(descriptor, data)
            except OSError:
                with suppress(OSError):
                    _fill(descriptor, self.data or b"")
                raise
            if stat.S_IMODE(there.st_mode) != mode:
                with suppress(PermissionError):  # the owner outside the container is another user: it stays as open as it was
                    os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)


def _fill(descriptor: int, data: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


@contextmanager
def editing(path: Path) -> Iterator[EditedFile]:
    """The file under the lock of its real place, for this and every other user. Raises Problem as `opened` does."""
    with opened(path, lock=True) as file:
        yield file


@contextmanager
def opened(path: Path, *, lock: bool = False) -> Iterator[EditedFile]:
    """The file as it is now.

    Raises Problem: a symbolic link, another thing than a regular file, larger than `MOST_BYTES`, no folder, not readable.
    """
    try:
        with open_folder(path.parent) as folder:
            if not lock:
                yield _read(folder, path)
                return
            with entry_lock(folder, path.name):
                file = _read(folder, path)
                with _own_lock(file):
                    yield file
    except OSError as error:
        raise (unwritable(path, error) if lock else _unreadable(path, error)) from None


def peek(path: Path) -> bytes | None:
    """What the file holds now, None where there is no such file or folder. Raises Problem as `opened` does."""
    if not path.parent.is_dir():
        return None
    with opened(path) as file:
        return file.data


def refuse_unwritable(path: Path) -> None:
    """Raises Problem where there is no folder, or this user may write neither into it nor into a file that is there."""
    if not path.parent.is_dir():
        raise unwritable(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
    if not os.access(path.parent, os.W_OK | os.X_OK) and not (path.exists() and os.access(path, os.W_OK)):
        raise unwritable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _read(folder: Folder, path: Path) -> EditedFile:
    name = path.name
    found = folder.look_up(name)
    if found is None:
        return EditedFile(path, None, None, folder)
    if stat.S_ISLNK(found.st_mode):
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"{path} is a symbolic link to {folder.read_link(name)}; replacing it would cut the link",
            fix=(f"name the file itself: {os.path.realpath(path)}",),
        )
    if not stat.S_ISREG(found.st_mode):  # a device may be endless, a pipe waits for ever
        raise Problem(Cause.INVALID_ARGUMENT, f"{path} is not a regular file", fix=("name a text file",))
    try:
        descriptor = folder.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise _unreadable(path, error) from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Problem(Cause.INVALID_ARGUMENT, f"{path} is not a regular file", fix=("name a text file",))
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Problem(Cause.INVALID_ARGUMENT, f"{path} holds more than {MOST_BYTES // 2**20} MiB", fix=("name a text file",))
    return EditedFile(path, data, found, folder)


def _unreadable(path: Path, error: OSError) -> Problem:
    fix = f"see that {path} is there and may be read"
    return Problem(Cause.UNKNOWN, f"{path} cannot be read: {error.strerror}", fix=(fix,))


@contextmanager
def _own_lock(file: EditedFile) -> Iterator[None]:
    """Of a file that is mounted by itself: it has another folder on the other side, and another lock there."""
    if file.found is None or not file.folder.is_mount(file.path.name):
        yield
        return
    from keyadmin.local.locks import hold

    descriptor = file.folder.open(file.path.name, os.O_RDONLY)
    try:
        hold(descriptor, file.path)
        os.lseek(descriptor, 0, os.SEEK_SET)
        file.data = os.read(descriptor, MOST_BYTES)  # another one may have written it while this one waited
        yield
    finally:
        os.close(descriptor)
