"""The list of imported projects: AI Studio shows only those, so keyadmin keeps such a list for each account."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from keyadmin.local.files import config_dir, damaged, locked, read_json, write_json
from keyadmin.model.problem import usage

NOBODY = "default"  # the account of credentials that name nobody
SCHEMA_VERSION: Final = 1  # of the file that `projects list --export` writes
_VERSION_MARK: Final = "schemaVersion"
_ID_COLUMNS: Final = ("id", "projectid", "project_id", "project id")


class Imports:
    """The imported projects of one account, in the order they were imported; the sandbox has its own file."""

    def __init__(self, account: str | None, *, sandbox: bool, directory: Path | None = None) -> None:
        self.account = account or NOBODY
        self.path = (directory or config_dir()) / ("sandbox-imports.json" if sandbox else "imports.json")

    def ids(self) -> list[str]:
        """The project ids. Raises Problem where the file is not an import list."""
        return self._read().get(self.account, [])

    def add(self, ids: Iterable[str]) -> list[str]:
        """Import; gives back those that were not imported yet. Safe beside other processes."""
        with locked(self.path):
            lists = self._read()
            mine = lists.setdefault(self.account, [])
            known = set(mine)
            new = [each for each in dict.fromkeys(ids) if each not in known]
            mine += new
            if new:
                write_json(self.path, lists)
        return new

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Forget; gives back those that were imported. Safe beside other processes."""
        with locked(self.path):
            lists = self._read()
            mine = lists.get(self.account, [])
            gone = dict.fromkeys(ids).keys() & set(mine)
            lists[self.account] = [each for each in mine if each not in gone]
            if gone:
                write_json(self.path, lists)
        return [each for each in mine if each in gone]

    def _read(self) -> dict[str, list[str]]:
        data = read_json(self.path)
        if data is None:
            return {}
        if not isinstance(data, dict):
            raise damaged(self.path, "it should hold one JSON object: account -> project ids")
        for account, ids in data.items():
            if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
                raise damaged(self.path, f"the entry of {account} should be a list of project ids")
        return data


def as_text(account: str, ids: Sequence[str]) -> str:
    """An import list as a file for another machine or another person: comments and an id a line."""
    return "\n".join([f"# projects imported by {account}", f"# {_VERSION_MARK} {SCHEMA_VERSION}", *ids, ""])


def from_text(text: str, source: str) -> list[str]:
    """The project ids in a file: an id a line, or what `projects list` prints as json, jsonl or csv.

    Raises usage() naming what cannot be read. Whether they are ids, and of projects that exist, is not looked at here.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in ("[", "{"):
        return _unique(_from_json(text, source), source)
    lines = [line.strip() for line in text.splitlines()]
    for line in lines:
        if line.startswith(f"# {_VERSION_MARK} "):
            _check_version(line.rpartition(" ")[2], source)
    lines = [line for line in lines if line and not line.startswith("#")]
    header = [name.strip().lower() for name in next(csv.reader(lines[:1]), [])]
    at = next((header.index(name) for name in _ID_COLUMNS if name in header), None)
    if at is None:
        return _unique(lines, source)
    rows = list(csv.reader(lines[1:]))
    for number, row in enumerate(rows, 2):
        if len(row) <= at:
            raise usage(f"{source}: row {number} has no column {header[at]!r}")
    return _unique([row[at].strip() for row in rows], source)


def _from_json(text: str, source: str) -> list[str]:
    try:
        data: Any = json.loads(text)
    except ValueError:
        try:
            data = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise usage(f"{source} is not JSON: {error}") from None
    if isinstance(data, dict) and "projects" in data:
        _check_version(data.get("schemaVersion"), source)
        data = data["projects"]
    found: list[str] = []
    for each in data if isinstance(data, list) else [data]:
        project_id = each.get("projectId") if isinstance(each, dict) else each
        if not isinstance(project_id, str):
            raise usage(f"{source} should hold a list of project ids, or of projects with a projectId")
        found.append(project_id)
    return found


def _check_version(version: object, source: str) -> None:
    if str(version) != str(SCHEMA_VERSION):
        raise usage(f"{source} has schemaVersion {version}, and this keyadmin reads {SCHEMA_VERSION}", "export the list again")


def _unique(ids: Sequence[str], source: str) -> list[str]:
    if not ids:
        raise usage(f"{source} names no project")
    return list(dict.fromkeys(ids))
