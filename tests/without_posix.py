"""keyadmin as it finds itself on Windows: what only POSIX has is hidden from its modules, and from nothing else.

Libraries keep the real modules, since they have Windows code of their own; keyadmin's modules get stand-ins. As a program it
reads command lines (JSON lists, a line each) and prints what became of each of them (JSON, a line each).
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import fcntl
import importlib
import io
import json
import os
import struct
import sys
import time
import types
from typing import Any, Final

MODULES: Final = frozenset({"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"})
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "os": (
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_PATH", "ST_RDONLY", "WNOHANG"),
        *("chown", "fchmod", "fchown", "fork", "get_blocking", "getegid", "geteuid", "getgid", "getpgid", "getuid", "killpg"),
        *("mkfifo", "pread", "pwrite", "register_at_fork", "sched_getaffinity", "set_blocking", "setsid", "statvfs", "uname"),
    ),
    "select": ("POLLERR", "POLLHUP", "POLLNVAL", "poll"),
    "signal": ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "alarm", "pthread_sigmask", "setitimer"),
    "socket": ("AF_UNIX",),
    "time": ("tzset",),
    "asyncio": ("open_unix_connection", "start_unix_server"),
}


def hide() -> None:
    """From here on modules of keyadmin that are imported get the stand-ins."""
    sys.modules["msvcrt"] = _msvcrt()
    stand_ins = {name: _without(importlib.import_module(name), gone) for name, gone in NAMES.items()}
    vars(stand_ins["os"]).update(name="nt", supports_dir_fd=frozenset())
    ordinary = builtins.__import__

    def importing(name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if str((globals_ or {}).get("__name__", "")).partition(".")[0] == "keyadmin":
            if name in MODULES:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in stand_ins:
                return stand_ins[name]
        return ordinary(name, globals_, locals_, fromlist, level)

    builtins.__import__ = importing  # type: ignore[assignment]

    def no_signals(*_: object) -> None:
        raise NotImplementedError

    asyncio.SelectorEventLoop.add_signal_handler = no_signals  # type: ignore[assignment]


def _msvcrt() -> types.ModuleType:
    """Locks on bytes of a file, which belong to the one who opened it, as on Windows."""
    out: Any = types.ModuleType("msvcrt")
    out.LK_NBLCK = 2

    def locking(file: int, _mode: int, count: int) -> None:
        start = os.lseek(file, 0, os.SEEK_CUR)
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, start, count, 0))

    out.locking = locking
    return out  # type: ignore[no-any-return]


def _without(module: types.ModuleType, gone: tuple[str, ...]) -> types.ModuleType:
    out = types.ModuleType(module.__name__)
    vars(out).update({name: value for name, value in vars(module).items() if name not in gone})
    return out


def main() -> None:
    """Run the command line of the arguments, else each one of stdin."""
    hide()
    from keyadmin.cli.app import main as command

    if sys.argv[1:]:
        sys.exit(command(sys.argv[1:]))
    lines, told = list(sys.stdin), sys.stdout
    for line in lines:
        out, err = io.StringIO(), io.StringIO()
        begun = time.monotonic()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            sys.stdin = io.StringIO("")
            code = command(json.loads(line))
        print(
            json.dumps({"code": code, "out": out.getvalue(), "err": err.getvalue(), "s": time.monotonic() - begun}),
            file=told,
            flush=True,
        )


if __name__ == "__main__":
    main()
