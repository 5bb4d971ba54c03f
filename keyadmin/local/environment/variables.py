"""What is set where: the report of `env show`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from keyadmin.local.edited import peek
from keyadmin.local.environment import windows
from keyadmin.local.environment.places import VARIABLES, Place, all_files, readable_by_others
from keyadmin.local.environment.reading import assigned, decoded
from keyadmin.local.git_status import tracked
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString

PROCESS: Final = "process"


@dataclass(frozen=True)
class VariableSetting:
    """A variable set at a place. `value` None where a shell works it out; `line` for files; `warnings` in words."""

    name: str
    value: KeyString | None
    source: str
    line: int | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self, *, used: bool) -> dict[str, Any]:
        """One row of `env show`; the value masked, null where it is worked out."""
        masked = self.value.masked if self.value is not None else None
        out: dict[str, Any] = {"variable": self.name, "source": self.source, "maskedKey": masked, "used": used}
        if self.line is not None:
            out["line"] = self.line
        return out | {"warnings": list(self.warnings)}

    @property
    def where(self) -> str:
        """The place with its line."""
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True)
class VariableReport:
    """What is set where. `used` = what Gemini's libraries take in this process; `warnings` about the whole."""

    settings: tuple[VariableSetting, ...]
    used: VariableSetting | None
    warnings: tuple[str, ...]


def look_up(env: Mapping[str, str], folder: Path) -> VariableReport:
    """Read the process, start-up files, `.env` files and the Windows user environment. What cannot be read is a warning."""
    settings = [VariableSetting(name, KeyString(env[name]), PROCESS) for name in VARIABLES if env.get(name)]
    used = settings[0] if settings else None
    unread: list[str] = []
    for place in all_files(env, folder):
        try:
            settings += _in_file(place, unread)
        except Problem as problem:
            unread.append(f"{problem.message}: what it sets is not known")
        except OSError as error:
            unread.append(f"{place.path} cannot be read: {error.strerror}: what it sets is not known")
    for name in VARIABLES:
        if (value := windows.read(name)) is not None:
            settings.append(VariableSetting(name, value, "Windows user environment"))
    return VariableReport(tuple(settings), used, (*_general(settings), *unread))


def _in_file(place: Place, notes: list[str]) -> list[VariableSetting]:
    """Through links, which start-up files often are; what is odd goes to `notes`. Raises Problem, OSError."""
    if not place.path.exists():
        return _left_behind(place)
    real = Place(place.path.resolve(), place.syntax, place.label, place.shell)
    text, _ = decoded(real, peek(real.path) or b"")
    if odd := re.search("[\ud800-\udfff]", text):
        line = text.count("\n", 0, odd.start()) + 1
        notes.append(f"{place.path} is not UTF-8 text (line {line}): it was read all the same")
    out = []
    for name in VARIABLES:
        if (found := assigned(place, text, name)) is not None:
            warnings = []
            if readable_by_others(place.path):
                warnings.append(f"{place.path} is readable by others: chmod 600 {place.path}")
            if tracked(place.path):
                warnings.append(f"{place.path} is tracked by git: take the key out, and treat it as leaked if it was pushed")
            out.append(VariableSetting(name, found.value, str(place.path), found.line, tuple(warnings)))
    return out + _left_behind(place)


def _left_behind(place: Place) -> list[VariableSetting]:
    """Backups that keyadmin 0.1 put beside the file: they hold keys, and git may take them up."""
    out = []
    for path in sorted(place.path.parent.glob(f"{place.path.name}.keyadmin-*")):
        text, _ = decoded(place, peek(path) or b"")
        for name in VARIABLES:
            if (found := assigned(place, text, name)) is not None:
                warning = f"{path} is a backup that an earlier keyadmin made beside the file; it holds a key: delete it"
                out.append(VariableSetting(name, found.value, str(path), found.line, (warning,)))
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
