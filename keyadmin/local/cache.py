"""Names for completion: what list commands saw last. Reading never waits, writing never fails a command."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from keyadmin.local.files import write_json
from keyadmin.model.problem import Problem

MOST_ACCOUNTS: Final = 20  # those whose names were written last; a sandbox on a port of its own counts as one
MOST_PROJECTS: Final = 20_000
MOST_KEY_LISTS: Final = 200  # projects whose keys are remembered, the latest ones


def cache_dir() -> Path:
    """The user's cache directory for keyadmin."""
    from platformdirs import user_cache_path

    return user_cache_path("keyadmin", appauthor=False)


class NameCache:
    """Project ids and key ids with their display names, as one account saw them; the sandbox has its own folder.

    Names only: key strings never get here. The file may vanish at any time.
    """

    def __init__(self, account: str, *, sandbox: bool, directory: Path | None = None) -> None:
        """`account` = any text that stands for who calls which server, the same one at each command."""
        name = hashlib.sha256(account.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self.path = (directory or cache_dir()) / ("sandbox-names" if sandbox else "names") / f"{name}.json"

    def projects(self) -> dict[str, str]:
        """Project id -> display name."""
        return _texts(self._read().get("projects"))

    def keys(self, project: str | None = None) -> dict[str, str]:
        """Key id -> display name: of one project, or of all."""
        lists = self._read().get("keys")
        if not isinstance(lists, dict):
            return {}
        if project is not None:
            return _texts(lists.get(project))
        return {key: name for each in lists.values() for key, name in _texts(each).items()}

    def remember_projects(self, found: Mapping[str, str], *, whole: bool = False) -> None:
        """Add these (id -> display name); `whole` = these are all there are."""
        data = self._read()
        before = {} if whole else _texts(data.get("projects"))
        if not whole and all(before.get(each) == name for each, name in found.items()):
            return
        known = {name: before[name] for name in before if name not in found} | dict(found)
        data["projects"] = dict(list(known.items())[-MOST_PROJECTS:])
        self._write(data)

    def remember_keys(self, found: Mapping[str, Mapping[str, str]]) -> None:
        """Replace the key lists of these projects (project id -> key id -> display name)."""
        data = self._read()
        lists = data.get("keys")
        before = {name: keys for name, keys in lists.items() if name not in found} if isinstance(lists, dict) else {}
        known = before | {name: dict(keys) for name, keys in found.items()}
        data["keys"] = dict(list(known.items())[-MOST_KEY_LISTS:])
        self._write(data)

    def forget_project(self, project: str) -> None:
        """It is gone, and its keys with it."""
        data = self._read()
        for part in ("projects", "keys"):
            if isinstance(data.get(part), dict):
                data[part].pop(project, None)
        self._write(data)

    def _read(self) -> dict[str, Any]:
        try:
            data = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):  # absent, cut short, not ours: a cache may be all that
            return {}
        return data if isinstance(data, dict) else {}

    def _write(self, data: Mapping[str, Any]) -> None:
        """Without a lock: of two that write at once one wins, and the next list command puts it right."""
        new = not self.path.exists()
        try:
            write_json(self.path, data)
        except Problem:
            return  # a full disk or a read-only home is no reason to fail a list
        if new:
            self._tidy()

    def _tidy(self) -> None:
        with suppress(OSError):  # somebody else tidies too
            by_age = sorted(self.path.parent.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
            for path in by_age[:-MOST_ACCOUNTS]:
                path.unlink()


def _texts(value: object) -> dict[str, str]:
    """The pairs of texts in a JSON object that others may have written."""
    if not isinstance(value, dict):
        return {}
    return {key: name for key, name in value.items() if isinstance(key, str) and isinstance(name, str)}
