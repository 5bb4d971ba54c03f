"""The use cases of `env`: what is set where, setting a key, taking it out."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from keyadmin.local.edited import editing
from keyadmin.local.environment import windows
from keyadmin.local.environment.places import (
    VARIABLES,
    Place,
    all_files,
    readable_by_others,
    tracked_by_git,
)
from keyadmin.local.environment.syntax import erased, read, written
from keyadmin.local.files import read_text, write_text
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

PROCESS: Final = "process"


@dataclass(frozen=True)
class VariableSetting:
    """A variable set at a place. `line` for files; `warnings` in words."""

    name: str
    value: KeyString
    source: str
    line: int | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self, *, used: bool) -> dict[str, Any]:
        """One row of `env show`; the value masked."""
        out: dict[str, Any] = {"variable": self.name, "source": self.source, "maskedKey": self.value.masked, "used": used}
        if self.line is not None:
            out["line"] = self.line
        return out | {"warnings": list(self.warnings)}


@dataclass(frozen=True)
class VariableReport:
    """What is set where. `used` = what Gemini's libraries take in this process; `warnings` about the whole."""

    settings: tuple[VariableSetting, ...]
    used: VariableSetting | None
    warnings: tuple[str, ...]


def look_up(env: Mapping[str, str], folder: Path) -> VariableReport:
    """Look at the process, shell files, `.env` and the Windows user environment. Raises Problem: a file cannot be read."""
    settings = [VariableSetting(name, KeyString(env[name]), PROCESS) for name in VARIABLES if env.get(name)]
    used = settings[0] if settings else None
    for place in all_files(env, folder):
        settings += _in_file(place)
    for name in VARIABLES:
        if (value := windows.read(name)) is not None:
            settings.append(VariableSetting(name, value, "Windows user environment"))
    return VariableReport(tuple(settings), used, tuple(_general(settings)))


def _in_file(place: Place) -> list[VariableSetting]:
    if not place.path.is_file():
        return []
    text = read_text(place.path)
    out = []
    for name in VARIABLES:
        if (found := read(text, name, place.syntax)) is not None:
            warnings = []
            if readable_by_others(place.path):
                warnings.append(f"{place.path} is readable by others: chmod 600 {place.path}")
            if tracked_by_git(place.path):
                warnings.append(f"{place.path} is tracked by git: take the key out, and treat it as leaked if it was pushed")
            out.append(VariableSetting(name, found.value, str(place.path), found.line, tuple(warnings)))
    return out


def _general(settings: list[VariableSetting]) -> list[str]:
    here = {one.name: one.value for one in settings if one.source == PROCESS}
    out = []
    if len(here) == 2:
        same = "the same key" if here["GOOGLE_API_KEY"] == here["GEMINI_API_KEY"] else "another key"
        out.append(
            f"GOOGLE_API_KEY and GEMINI_API_KEY are both set; GOOGLE_API_KEY wins, GEMINI_API_KEY holds {same}: set only one"
        )
    return out


def set_variable(place: Place, name: str, value: KeyString) -> Path | None:
    """Write the variable into a file, idempotently; the backup of what was there, None where nothing was changed or there.

    Raises Problem: a symbolic link, a folder that is not there or not writable, a file that is not text.
    """
    return _edit(place, lambda text: written(text, name, value, place.syntax))


def unset_variable(place: Place, name: str) -> Path | None:
    """Take the variable out of a file; the backup. The backup holds the key and is as private as the file."""
    return _edit(place, lambda text: erased(text, name, place.syntax))


def _edit(place: Place, change: Callable[[str], str]) -> Path | None:
    path = place.path
    if path.is_symlink():
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"{path} is a symbolic link to {path.readlink()}; replacing it would cut the link",
            fix=(f"name the file itself: --file {path.resolve()}",),
        )
    if place.syntax in ("fish", "powershell"):
        _make_folder(path.parent)
    with editing(path):
        there = path.exists()
        old = read_text(path) if there else ""
        new = change(old)
        if new == old:
            return None
        backup = _back_up(path) if there else None
        mode = stat.S_IMODE(path.stat().st_mode) & 0o700 if there else 0o600
        write_text(path, new, mode or 0o600)
    return backup


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(Cause.UNKNOWN, f"{path} cannot be made: {error.strerror}") from None


def _back_up(path: Path) -> Path:
    """A copy beside it that nobody else may read at any moment; an earlier one is never written over."""
    stem = f"{path.name}.keyadmin-{time.strftime('%Y%m%d-%H%M%S')}"
    for number in count(1):
        backup = path.with_name(stem if number == 1 else f"{stem}-{number}")
        try:
            handle = os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(path.read_bytes())
        except FileExistsError:
            continue
        except OSError as error:
            why = f"no backup could be written to {backup}: {error.strerror}; nothing was changed"
            raise Problem(Cause.UNKNOWN, why) from None
        return backup
    raise AssertionError("unreachable: numbers do not end")
