"""A key string at a place, and the list of those that are meant to be there."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from keyadmin.local.files import read_text
from keyadmin.model.key_search import search
from keyadmin.model.problem import usage
from keyadmin.model.secret import KeyString

_MOST: Final = 8 * 1024 * 1024  # bytes of an allow list


@dataclass(frozen=True, slots=True)
class Hit:
    """A key string at a place: path and line (from 1); `commit` where it was found in the history of a repository.

    `gitignored` = it lies in a file that git ignores and does not track; None where that was not asked. `variable` = the
    variable of an `.env` file whose value it is; `loose` = git neither ignores nor tracks that file of a work tree.
    """

    path: str
    line: int
    key: KeyString
    commit: str | None = None
    gitignored: bool | None = None
    variable: str = ""
    loose: bool = False

    @property
    def fingerprint(self) -> str:
        """What an allow list names it by."""
        return fingerprint(self.key)

    @property
    def sink(self) -> str | None:
        """The sink that writes to this place, where it is one and can be typed."""
        if not self.variable or self.commit or not self.path.isprintable():
            return None
        return f"env-file:{self.path}:{self.variable}"


def fingerprint(key: KeyString) -> str:
    """`sha256:` and 16 hexadecimal digits: tells keys apart and gives nothing away."""
    return f"sha256:{hashlib.sha256(key.reveal().encode()).hexdigest()[:16]}"


def marked(hits: Iterable[Hit], ignored: frozenset[str]) -> list[Hit]:
    """The hits, each with whether git ignores its file."""
    return [hit if hit.commit else replace(hit, gitignored=hit.path in ignored) for hit in hits]


@dataclass(frozen=True)
class AllowList:
    """What is known and meant to be there: fingerprints, and patterns of paths.

    `tests/*` means the same whether `tests` or `.` or the whole path is scanned: both are compared without `./`, and from the
    current folder on where they lie below it.
    """

    fingerprints: frozenset[str] = frozenset()
    paths: tuple[str, ...] = field(default=())

    def has(self, hit: Hit) -> bool:
        """Whether a hit is allowed."""
        if hit.fingerprint in self.fingerprints:
            return True
        path = _normal(hit.path)
        return any(fnmatch.fnmatchcase(each, pattern) for pattern in self._patterns for each in (path, _from_here(path)))

    @cached_property
    def _patterns(self) -> list[str]:
        return [f"{_normal(each)}/*" if each.endswith("/") else _normal(each) for each in self.paths]


def _normal(path: str) -> str:
    return posixpath.normpath(path.replace(os.sep, "/"))


def _from_here(path: str) -> str:
    here = _normal(os.getcwd())
    return path.removeprefix(f"{here}/")


def read_allow_list(path: Path) -> AllowList:
    """A line each: `sha256:...`, or a pattern of paths; `#` begins a comment. Raises Problem, or usage() for a key string."""
    prints, patterns = set(), []
    for number, line in enumerate(read_text(path, _MOST, "the allow list").splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if search(entry.encode()):
            raise usage(f"{path}, line {number}: an allow list names keys by their fingerprint, never by the key string")
        if entry.startswith("sha256:"):
            prints.add(entry)
        elif entry:
            patterns.append(entry)
    return AllowList(frozenset(prints), tuple(patterns))
