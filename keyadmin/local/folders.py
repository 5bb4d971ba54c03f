"""Folders by descriptor: what is written in a folder that others may change goes where it was meant to go.

A path is walked once, and everything is done below the descriptor that was found (openat, renameat, fchown, fchmod). A symbolic
link on the way is followed only where nobody but this user and root can have put it there. Windows has no such calls:
paths are used there.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from keyadmin.model.problem import Cause, Problem

BY_DESCRIPTOR: Final = os.open in os.supports_dir_fd and os.name == "posix"
_MOST_LINKS: Final = 40  # as Linux
_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_ALWAYS: Final = getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)  # line ends stay as they are, on Windows too
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY: Final = getattr(os, "O_DIRECTORY", 0)
_STEP: Final = getattr(os, "O_PATH", os.O_RDONLY) | _DIRECTORY | _NOFOLLOW | _CLOEXEC


class Folder:
    """An open folder. Names are single path components; a name that is a symbolic link is never followed."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self.descriptor = descriptor
        self._at: dict[str, Any] = {} if descriptor is None else {"dir_fd": descriptor}

    def _name(self, name: str) -> str:
        return str(self.path / name) if self.descriptor is None else name

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        """A descriptor of an entry. Raises OSError; ELOOP where it is a symbolic link."""
        return os.open(self._name(name), flags | _NOFOLLOW | _CLOEXEC | _ALWAYS, mode, **self._at)

    def look_up(self, name: str) -> os.stat_result | None:
        """What the entry itself is, links not followed; None where there is none. Raises OSError."""
        try:
            return os.stat(self._name(name), follow_symlinks=False, **self._at)
        except FileNotFoundError:
            return None

    def read_link(self, name: str) -> str:
        """Where a symbolic link points."""
        return os.readlink(self._name(name), **self._at)

    def replace(self, old: str, new: str) -> None:
        """Rename an entry over another one, in one step. Raises OSError."""
        if self.descriptor is None:
            os.replace(self._name(old), self._name(new))
        else:
            os.replace(old, new, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def unlink(self, name: str) -> None:
        """Remove an entry. Raises OSError."""
        os.unlink(self._name(name), **self._at)

    def names(self) -> list[str]:
        """The names of its entries. Raises OSError."""
        with suppress(OSError):  # the descriptor may be for passing only
            return os.listdir(self.path if self.descriptor is None else self.descriptor)
        return os.listdir(self.path)

    def is_mount(self, name: str) -> bool:
        """Whether the entry is mounted by itself (a file given to a container), so that it cannot be replaced.

        Source: proc(5), mountinfo. False where the system does not tell.
        """
        if self.descriptor is None:
            return False
        try:
            here = os.path.join(os.readlink(f"/proc/self/fd/{self.descriptor}"), name)
            lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
        except OSError:
            return False
        points = (line.split(b" ")[4].decode("unicode_escape").encode("latin-1") for line in lines if line.count(b" ") > 4)
        return os.fsencode(here) in points


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """The folder at a path.

    Raises Problem for a link on the way that another user may have placed, OSError where there is no folder.
    """
    if not BY_DESCRIPTOR:
        if not path.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        yield Folder(path, None)
        return
    descriptor = _walk(path)
    try:
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)


def _walk(path: Path) -> int:
    at = os.open("/" if path.is_absolute() else ".", _STEP)
    try:
        left = deque(part for part in path.parts if part != "/")
        links = 0
        while left:
            part = left.popleft()
            try:
                at = _entered(at, part)
            except _LinkFound as link:
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
                target = Path(link.target)
                if target.is_absolute():
                    at = _exchanged(at, os.open("/", _STEP))
                left.extendleft(reversed([each for each in target.parts if each != "/"]))
        with suppress(PermissionError):  # one may enter a folder and not list it: it cannot be locked then
            at = _exchanged(at, os.open(".", os.O_RDONLY | _DIRECTORY | _CLOEXEC, dir_fd=at))
    except BaseException:
        os.close(at)
        raise
    return at


class _LinkFound(Exception):
    def __init__(self, target: str) -> None:
        self.target = target


def _entered(at: int, part: str) -> int:
    """The descriptor one step further, the former one closed. Raises _LinkFound, Problem, OSError (`at` stays open)."""
    try:
        further = os.open(part, _STEP, dir_fd=at)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        raise _LinkFound(trusted_link(at, part, error)) from None
    return _exchanged(at, further)


def _exchanged(old: int, new: int) -> int:
    os.close(old)
    return new


def trusted_link(at: int, name: str, error: OSError) -> str:
    """Where a symbolic link in an open folder points, if this user or root made it, or nobody else could.

    Raises Problem for one of others (as Linux does with fs.protected_symlinks), `error` where it is no link.
    """
    found, target = _link(at, name, error)
    folder = os.fstat(at)
    trusted = (0, os.geteuid())
    if found.st_uid in trusted or (folder.st_uid in trusted and not folder.st_mode & 0o022):
        return target
    raise Problem(
        Cause.INVALID_ARGUMENT,
        f"{name} is a symbolic link to {target} that other users may exchange",
        fix=("name the place that it points to",),
    )


def _link(at: int, name: str, error: OSError) -> tuple[os.stat_result, str]:
    """What a symbolic link is and where it points: of the very same link, whoever exchanges it."""
    if not hasattr(os, "O_PATH"):
        found, target = os.stat(name, dir_fd=at, follow_symlinks=False), os.readlink(name, dir_fd=at)
        if os.stat(name, dir_fd=at, follow_symlinks=False).st_ino != found.st_ino:
            raise OSError(errno.EAGAIN, "another process exchanged it in the same moment")
        return found, target
    descriptor = os.open(name, os.O_PATH | _NOFOLLOW | _CLOEXEC, dir_fd=at)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISLNK(found.st_mode):
            raise error
        return found, os.readlink("", dir_fd=descriptor)
    finally:
        os.close(descriptor)


def make_private(path: Path, mode: int = 0o700) -> None:
    """The folder and those above it that are missing, each with `mode` whatever the umask. Raises OSError."""
    if path.is_dir():
        return
    make_private(path.parent, mode)
    with suppress(FileExistsError):  # another process was faster
        os.mkdir(path, mode)
    if not path.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
