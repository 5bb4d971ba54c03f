"""The list of imported projects: AI Studio shows only those, so keyadmin keeps such a list for each account."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from keyadmin.local.files import config_dir, damaged, locked, read_json, write_json

NOBODY = "default"  # the account of credentials that name nobody


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
            new = [each for each in dict.fromkeys(ids) if each not in mine]
            mine += new
            if new:
                write_json(self.path, lists)
        return new

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Forget; gives back those that were imported. Safe beside other processes."""
        with locked(self.path):
            lists = self._read()
            mine = lists.get(self.account, [])
            gone = [each for each in dict.fromkeys(ids) if each in mine]
            lists[self.account] = [each for each in mine if each not in gone]
            if gone:
                write_json(self.path, lists)
        return gone

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
