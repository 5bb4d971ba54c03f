"""The accepted findings of a file: `[[audit.accept]]` in `keyadmin.toml`, each with a reason and an end."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from keyadmin.audit.acceptance import FULL_NAME, Acceptance
from keyadmin.audit.rules import rules
from keyadmin.local.trust import read_trusted
from keyadmin.model.leaned_on import TOML_LINE
from keyadmin.model.problem import Problem, usage
from keyadmin.model.project_ref import REFERENCE
from keyadmin.rotation.settings import ACCEPTED, check_version

_NEEDED: Final = ("rule", "reason", "until")
_HEAD: Final = re.compile(r"\s*\[\[\s*[\"']?audit[\"']?\s*\.\s*[\"']?accept[\"']?\s*\]\]")


@dataclass
class Acceptances:
    """The entries of a file that hold today. `warnings` = what is to be said of the others, each with its line."""

    path: Path | None = None
    entries: tuple[Acceptance, ...] = ()
    warnings: list[str] = field(default_factory=list)
    used: set[Acceptance] = field(default_factory=set)
    _by_rule: dict[str, list[Acceptance]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in self.entries:
            self._by_rule.setdefault(entry.rule, []).append(entry)

    def of(self, rule: str, projects: Collection[str], key: str) -> Acceptance | None:
        """The entry by which a finding is accepted; it counts as used.

        `projects`, `key` as in Acceptance.covers; `key` empty where the finding is about the project.
        """
        for entry in self._by_rule.get(rule, ()):
            if entry.covers(projects, key):
                self.used.add(entry)
                return entry
        return None

    def unused(self, rules_applied: Collection[str], projects: Collection[str] | None) -> Iterator[str]:
        """What is to be said of entries that no finding needed, as far as this audit can tell.

        `projects` = ids and numbers of those that were checked; None = it is not known which.
        """
        for entry in self.entries:
            if entry in self.used or entry.rule not in rules_applied or not _within(entry, projects):
                continue
            yield f"{self.place(entry)}: nothing is found there any more ({entry.rule}, {entry.subject}); the entry can go"

    def place(self, entry: Acceptance) -> str:
        """`keyadmin.toml, line 12`."""
        return f"{self.path}, line {entry.line}" if entry.line else str(self.path)


def _within(entry: Acceptance, projects: Collection[str] | None) -> bool:
    full = FULL_NAME.fullmatch(entry.key)
    named = entry.project or (full["project"] if full else "")
    return projects is not None and named in projects


def read_accepted(path: Path, now: datetime, *, found: bool) -> Acceptances:
    """The accepted findings of a policy file; none where it has no such table.

    `found` = nobody named the file: it has to be one that others cannot have written, and where it is not, or is not TOML, it
    is left out with a warning. Raises FileNotFoundError, and Problem (exit 2) for a file that was named.
    """
    try:
        text = read_trusted(path, found=found)
        data = _parsed(path, text)
    except Problem as problem:
        if not found:
            raise
        return Acceptances(path, warnings=[f"no finding counts as accepted: {problem.message}", *problem.fix])
    return _Reader(path, text, now.astimezone(UTC).date()).accepted(data)


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(TOML_LINE, str(error))
        line = at[1] if at else len(text.splitlines())
        raise usage(f"{path}, line {line}: invalid TOML: {error}", "see https://toml.io") from None
    except RecursionError:
        raise usage(f"{path} is nested too deeply", "see https://toml.io") from None
    check_version(path, data)
    return data


class _Reader:
    """Checks the entries, and knows their lines, which TOML parsers do not keep."""

    def __init__(self, path: Path, text: str, today: date) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._heads = [number + 1 for number, line in enumerate(self._lines) if _HEAD.match(line)]
        self._today = today
        self._warnings: list[str] = []

    def accepted(self, data: Mapping[str, Any]) -> Acceptances:
        table = data.get("audit", {})
        entries = table.get("accept", []) if isinstance(table, dict) else None
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            return Acceptances(self._path, warnings=[f"{self._path}: write each accepted finding below [[audit.accept]]"])
        for name in set(table) - {"accept"}:
            self._warnings.append(f"{self._path}: the table [audit] has no setting {name!r}")
        known = len(self._heads) == len(entries)
        read = [self._entry(each, self._heads[place] if known else 0) for place, each in enumerate(entries)]
        return Acceptances(self._path, tuple(self._single([each for each in read if each is not None])), self._warnings)

    def _say(self, line: int, what: str) -> None:
        self._warnings.append(f"{self._path}, line {line}: {what}" if line else f"{self._path}: {what}")

    def _line(self, line: int, name: str) -> int:
        """The line of a setting of the entry that begins on `line`, else that one."""
        end = next((head for head in self._heads if head > line), len(self._lines) + 1)
        pattern = re.compile(rf"\s*[\"']?{re.escape(name)}[\"']?\s*=")
        return next((at for at in range(line, end) if line and pattern.match(self._lines[at - 1])), line)

    def _entry(self, data: Mapping[str, Any], line: int) -> Acceptance | None:
        wrong = list(self._faults(data, line))
        for name, what in wrong:
            self._say(self._line(line, name), f"{what}; the entry is left out")
        if wrong:
            return None
        named = {name: data.get(name, "") for name in ("key", "project", "owner")}
        return Acceptance(data["rule"], data["reason"], until=_day(data["until"]), line=line, **named)

    def _faults(self, data: Mapping[str, Any], line: int) -> Iterator[tuple[str, str]]:
        for name in data:
            if name not in ACCEPTED:
                yield name, f"unknown setting {name!r} (the settings are {', '.join(ACCEPTED)})"
        for name in _NEEDED:
            if name not in data:
                yield "", f"an accepted finding needs {name}"
        for name in ("rule", "key", "project", "reason", "owner"):
            if name in data and not (isinstance(data[name], str) and data[name].strip()):
                yield name, f"{name} is not a text"
                return
        if isinstance(rule := data.get("rule"), str) and rule not in rules():
            yield "rule", f"there is no rule {rule!r}"
        if "key" not in data and "project" not in data:
            yield "", "an accepted finding needs a key or a project"
        if (project := data.get("project")) and not REFERENCE.fullmatch(project):
            yield "project", f"{project!r} is neither a project's id nor its number"
        if "until" in data and _day(data["until"]) is None:
            yield "until", "until is not a day: write until = 2027-03-31"

    def _single(self, entries: Sequence[Acceptance]) -> Iterator[Acceptance]:
        """Those that hold today, each thing once."""
        before: dict[tuple[str, str, str], Acceptance] = {}
        for entry in entries:
            about = (entry.rule, entry.key, entry.project)
            if entry.until is not None and entry.until < self._today:
                what = f"accepted until {entry.until.isoformat()}, which is over: the finding is back"
                self._say(self._line(entry.line, "until"), f"{what} ({entry.rule}, {entry.subject})")
            elif about in before:
                first = before[about].line
                where = f" on line {first}" if first else ""
                self._say(entry.line, f"{entry.rule} of {entry.subject} is accepted{where} already; that entry counts")
            else:
                before[about] = entry
                yield entry


def _day(value: object) -> date | None:
    """A day: TOML's own, or a text. A time of day counts as its day."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
