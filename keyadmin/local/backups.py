"""Copies of files that keyadmin changed: private, in the state directory, ten of each file."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from keyadmin.local.files import read_bytes, replace, state_dir, write_text
from keyadmin.local.folders import make_private, open_folder
from keyadmin.local.locks import locked
from keyadmin.model.problem import Cause, Problem

MOST: Final = 10  # of one file
_NAME: Final = re.compile(r"(?P<time>\d{8}T\d{6}Z)-(?P<number>\d{4})-(?P<mode>[0-7]{4})")
_PATH_FILE: Final = "path"


@dataclass(frozen=True)
class Backup:
    """A copy of a file. `number` counts from 1, the newest; `mode` = the permissions that the file had; `time` aware, UTC."""

    path: Path
    number: int
    time: datetime
    mode: int
    size: int
    copy: Path

    def to_json(self) -> dict[str, Any]:
        """One row of `env restore --list`."""
        return {
            "path": str(self.path),
            "number": self.number,
            "time": self.time.isoformat(),
            "bytes": self.size,
            "backup": str(self.copy),
        }

    def read(self) -> bytes:
        """What the file held. Raises Problem."""
        return read_bytes(self.copy)


def keep(path: Path, data: bytes, mode: int) -> Path:
    """Keep a copy that nobody else may read at any moment; of more than ten the oldest goes. Raises Problem."""
    real = _real(path)
    folder = _folder(real)
    try:
        make_private(folder)
        with locked(folder / "lock"), open_folder(folder) as opened:
            if opened.look_up(_PATH_FILE) is None:
                write_text(folder / _PATH_FILE, str(real) + "\n")
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            known = sorted(name for name in opened.names() if _NAME.fullmatch(name))
            last = max((int(name.split("-")[1]) for name in known), default=0)
            name = f"{stamp}-{last % 9999 + 1:04d}-{mode:04o}"
            replace(opened, name, data, 0o600)
            for old in sorted([*known, name], key=_age)[:-MOST]:
                opened.unlink(old)
    except OSError as error:
        why = f"no backup of {path} could be written to {folder}: {error.strerror}; {path} was not changed"
        raise Problem(Cause.UNKNOWN, why, fix=("set XDG_STATE_HOME to a folder that can be written",)) from None
    return folder / name


def of(path: Path) -> list[Backup]:
    """The copies of a file, the newest first."""
    real = _real(path)
    return _in(_folder(real), real)


def everything() -> list[Backup]:
    """The copies of all files, the newest first (numbers count within each file). Raises Problem for a damaged folder."""
    root = _root()
    out: list[Backup] = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if (folder / _PATH_FILE).is_file():
            path = read_bytes(folder / _PATH_FILE).decode("utf-8", "surrogateescape").removesuffix("\n")
            out += _in(folder, Path(path))
    return sorted(out, key=lambda each: (each.time, each.copy.name), reverse=True)


def _in(folder: Path, path: Path) -> list[Backup]:
    if not folder.is_dir():
        return []
    names = sorted((name for name in os.listdir(folder) if _NAME.fullmatch(name)), key=_age, reverse=True)
    out = []
    for number, name in enumerate(names, 1):
        found = (folder / name).lstat()
        parts = _NAME.fullmatch(name)
        if parts is not None and stat.S_ISREG(found.st_mode):
            when = datetime.strptime(parts["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            out.append(Backup(path, number, when, int(parts["mode"], 8), found.st_size, folder / name))
    return out


def _age(name: str) -> tuple[str, str]:
    stamp, number, _ = name.split("-")
    return stamp, number


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path.parent)) / path.name


def _root() -> Path:
    return state_dir() / "backups"


def _folder(real: Path) -> Path:
    token = hashlib.sha256(os.fsencode(real)).hexdigest()[:24]
    return _root() / token
