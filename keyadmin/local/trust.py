"""Whether a file may say what is done: a policy names programs that are run and places that keys go to, as root even.

`read_trusted` is the one way in which such a file is read: who may write it is asked of the open file itself, so that it cannot
be exchanged in between, and no more than a limit is read.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keyadmin.model.problem import Cause, Exit, Problem, usage

LIMIT: Final = 1 << 20
"""Bytes; a policy of a thousand rules has a fifth of it."""
_LINKS: Final = 40  # as many as Linux follows


def read_trusted(path: Path, *, found: bool, limit: int = LIMIT) -> str:
    """The text of a file, UTF-8 with or without a byte order mark, if others cannot have written it.

    `found` = nobody named it; it lay in the folder that keyadmin was started in. Then it has to belong to this user or to
    root, and neither the world nor a group other than the owner's private one may write it or its folder. One that was named
    is refused only where the world may write it, unless this user is root. Raises FileNotFoundError, and Problem (exit code 2)
    with what to type.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    try:
        data = _read(path, descriptor, found, limit + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise usage(f"{path} is larger than {limit:,} bytes, which nothing of its kind is", "name the right file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not UTF-8 text") from None


def _read(path: Path, descriptor: int, found: bool, most: int) -> bytes:
    """At most so many bytes of a file that may say what is done. Raises Problem, OSError."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):  # a device may be endless
        raise usage(f"{path} is not a regular file", "name a text file")
    if os.name == "posix":
        if why := distrust(path, descriptor, found=found):
            raise why
        os.set_blocking(descriptor, True)  # a pipe is read to its end
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read(most)


def distrust(path: Path, descriptor: int, *, found: bool) -> Problem | None:
    """Why an open file may not say what is done; None = it may. POSIX only."""
    me = os.geteuid()
    state = os.fstat(descriptor)
    if stat.S_ISFIFO(state.st_mode) and not found:
        return None  # a pipe of this user's shell: who could open it could read the key, too
    strict = found or me == 0
    if strict and state.st_uid not in (me, 0):
        return _not_own(path, state.st_uid, found=found)
    if why := _writable(state, _read_only(descriptor), strict=strict, sticky=False):
        return _refused(path, path, why, found=found)
    for folder, links in _folders(path):
        about = folder.stat()
        if strict and (about.st_uid not in (me, 0) or any(owner not in (me, 0) for owner in links)):
            return _not_own(folder, about.st_uid, found=found)
        if why := _writable(about, _read_only(folder), strict=strict, sticky=not strict):
            return _refused(path, folder, why, found=found)
    return None


def _folders(path: Path) -> Iterator[tuple[Path, list[int]]]:
    """The folder of a file, and those of all links on the way to it, each with the owners of the links that lie there."""
    here = path
    for _ in range(_LINKS):
        try:
            link = here.lstat() if here.is_symlink() else None
        except OSError:
            return
        yield here.parent, [] if link is None else [link.st_uid]
        if link is None:
            return
        here = here.parent / os.readlink(here)


def _writable(state: os.stat_result, read_only: bool, *, strict: bool, sticky: bool) -> str | None:
    """Who else may write it, in words. `sticky` = a folder in which only owners may replace files counts as not writable."""
    if read_only:  # Kubernetes mounts ConfigMaps as folders that all may write, on a mount that nobody can
        return None
    if state.st_mode & stat.S_IWOTH and not (sticky and state.st_mode & stat.S_ISVTX):
        return "everybody"
    if strict and state.st_mode & stat.S_IWGRP and not _private(state.st_uid, state.st_gid):
        return f"the group {_group(state.st_gid)}"
    return None


def _read_only(where: int | Path) -> bool:
    try:
        return bool(os.statvfs(where).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _private(owner: int, group: int) -> bool:
    """Whether a group is its owner's alone, as where each user has a group of the same name (umask 002 goes with that)."""
    import grp
    import pwd

    try:
        user, members = pwd.getpwuid(owner), grp.getgrgid(group)
    except KeyError:  # in a container nobody may know them
        return False
    others = {name for name in members.gr_mem if name != user.pw_name}
    shared = any(one.pw_gid == group and one.pw_uid != owner for one in pwd.getpwall())
    return user.pw_gid == group and members.gr_name == user.pw_name and not others and not shared


def _group(group: int) -> str:
    import grp

    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)


def _user(owner: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)


def _not_own(path: Path, owner: int, *, found: bool) -> Problem:
    """Somebody else's: what this user would do with it is that one's to say."""
    whose = f"{path} belongs to the user {_user(owner)}, and this is {_user(os.geteuid())}"
    folder = path if path.is_dir() else path.parent
    ways = (
        f"if you trust it, make it yours: chown {os.geteuid()} {shlex.quote(str(path))}",
        f"or run keyadmin as {_user(owner)}, who may use what lies in {shlex.quote(str(folder))}",
    )
    if found and os.geteuid() != 0:
        ways = (f"if you trust it, name it: --policy {shlex.quote(str(path))}", *ways[1:]) if not path.is_dir() else ways
    return Problem(Cause.INVALID_ARGUMENT, f"{whose}: it is not used", fix=ways, exit_code=Exit.USAGE)


def _refused(path: Path, where: Path, who: str, *, found: bool) -> Problem:
    """Whoever may write there may say what this user does."""
    letters = "o-w" if who == "everybody" else "g-w"
    ways: tuple[str, ...] = (f"take that away: chmod {letters} {shlex.quote(str(where))}",)
    if found and who != "everybody" and os.geteuid() != 0:
        ways += (f"or, if you trust them, name the file: --policy {shlex.quote(str(path))}",)
    what = f"{path} is not used: {who} may write {'it' if where == path else f'its folder {where}'}"
    return Problem(Cause.INVALID_ARGUMENT, what, fix=ways, exit_code=Exit.USAGE)


def _unreadable(path: Path, why: str) -> Problem:
    fix = "see that it is a UTF-8 text file that you may read"
    return Problem(Cause.INVALID_ARGUMENT, f"{path} cannot be read: {why}", fix=(fix,), exit_code=Exit.USAGE)
