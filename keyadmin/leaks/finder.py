"""Finding key strings in a tree of files: fast, and without keeping more than a piece of a file in memory."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString

PIECE: Final = 1024 * 1024  # bytes read at once
OVERLAP: Final = 512  # longer than any key string: none is cut in two between pieces
SNIFFED: Final = 8000  # a NUL byte in the first 8,000 makes a file binary, as git has it
WORKERS: Final = 4  # at most: each takes some 25 MB, and more of them wait for the disk
BATCH: Final = 256  # files handed to a worker at once
ALLOW_MARK: Final = b"keyadmin:allow"
SKIPPED: Final = frozenset({".git", ".hg", ".svn"})

# Looked for with bytes.find, which is many times faster than a regular expression; that one judges what was found.
_NEEDLES: Final = (b"AIza", b"AQ.", b"IQ.")
_KEY: Final = re.compile(rb"AIza[0-9A-Za-z_\-]{35}(?![0-9A-Za-z_\-])|[AI]Q\.[0-9A-Za-z_\-]{20,200}")
_WORD: Final = re.compile(rb"[0-9A-Za-z_\-]")


@dataclass(frozen=True, slots=True)
class Hit:
    """A key string at a place: path and line (from 1); `commit` where it was found in the history of a repository."""

    path: str
    line: int
    key: KeyString
    commit: str | None = None

    @property
    def fingerprint(self) -> str:
        """What an allow list names it by."""
        return fingerprint(self.key)


def fingerprint(key: KeyString) -> str:
    """`sha256:` and 16 hexadecimal digits: tells keys apart and gives nothing away."""
    return f"sha256:{hashlib.sha256(key.reveal().encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class AllowList:
    """What is known and meant to be there: fingerprints, and patterns of paths."""

    fingerprints: frozenset[str] = frozenset()
    paths: tuple[str, ...] = field(default=())

    def has(self, hit: Hit) -> bool:
        """Whether a hit is allowed."""
        return hit.fingerprint in self.fingerprints or any(fnmatch.fnmatch(hit.path, pattern) for pattern in self.paths)


def read_allow_list(path: Path) -> AllowList:
    """A line each: `sha256:...`, or a pattern of paths; `#` begins a comment. Raises Problem, or usage() for a key string."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(Cause.INVALID_ARGUMENT, f"the allow list {path} cannot be read: {error}") from None
    prints, patterns = set(), []
    for number, line in enumerate(lines, 1):
        entry = line.partition("#")[0].strip()
        if _KEY.search(entry.encode()):
            raise usage(f"{path}, line {number}: an allow list names keys by their fingerprint, never by the key string")
        if entry.startswith("sha256:"):
            prints.add(entry)
        elif entry:
            patterns.append(entry)
    return AllowList(frozenset(prints), tuple(patterns))


def files_below(paths: Sequence[Path]) -> tuple[list[str], list[str]]:
    """All regular files, and the folders that could not be read; symbolic links and version-control folders are passed over.

    Raises Problem for a path that is not there.
    """
    files: list[str] = []
    unreadable: list[str] = []
    for path in paths:
        if path.is_file():
            files.append(str(path))
        elif path.is_dir():
            _walk(str(path), files, unreadable)
        else:
            fix = "name files or folders that are there: keyadmin scan ."
            raise Problem(Cause.INVALID_ARGUMENT, f"there is no file or folder {path}", fix=(fix,))
    return files, unreadable


def _walk(folder: str, files: list[str], unreadable: list[str]) -> None:
    todo = [folder]
    while todo:
        below = todo.pop()
        try:
            with os.scandir(below) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in SKIPPED:
                            todo.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        files.append(entry.path)
        except OSError:
            unreadable.append(below)


@dataclass
class ScanResult:
    """Hits, and the files that could not be read."""

    hits: list[Hit] = field(default_factory=list)
    files: int = 0
    unreadable: list[str] = field(default_factory=list)


def find(paths: Sequence[Path], workers: int | None = None) -> ScanResult:
    """All key strings in the files below some paths, in the order of the paths. Raises Problem."""
    files, unreadable = files_below(paths)
    found = ScanResult(files=len(files), unreadable=unreadable)
    batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
    count = workers or min(os.cpu_count() or 1, WORKERS)
    if len(batches) > 1 and count > 1:
        with ProcessPoolExecutor(count) as pool:
            results = list(pool.map(_search_files, batches))
    else:
        results = [_search_files(batch) for batch in batches]
    for raw, failed in results:
        found.hits += [Hit(path, line, KeyString(text)) for path, line, text in raw]
        found.unreadable += failed
    return found


Raw = tuple[str, int, str]


def _search_files(paths: Sequence[str]) -> tuple[list[Raw], list[str]]:
    raw: list[Raw] = []
    unreadable = []
    for path in paths:
        try:
            raw += [(path, line, text) for line, text in _search_file(path)]
        except OSError:
            unreadable.append(path)
    return raw, unreadable


def _search_file(path: str) -> Iterator[tuple[int, str]]:
    with open(path, "rb", buffering=0) as file:
        data = file.read(PIECE)
        if b"\0" in data[:SNIFFED]:
            return
        line, tail = 1, b""
        while data:
            more = file.read(PIECE) if len(data) == PIECE else b""
            block = tail + data
            end = len(block) if not more else len(block) - OVERLAP
            yield from ((line + block.count(b"\n", 0, at), text) for at, text in search(block) if at < end)
            line += block.count(b"\n", 0, end)
            tail, data = block[end:], more


def search(data: bytes) -> Iterator[tuple[int, str]]:
    """Places and key strings in some bytes; a line with `keyadmin:allow` in it is passed over."""
    places = sorted({place for needle in _NEEDLES for place in _places(data, needle)})
    for place in places:
        if place and _WORD.match(data, place - 1):
            continue  # the middle of a longer word
        found = _KEY.match(data, place)
        if found is None:
            continue
        start, end = data.rfind(b"\n", 0, place) + 1, data.find(b"\n", place)
        if ALLOW_MARK not in data[start : end if end >= 0 else len(data)]:
            yield place, found.group().decode("ascii")


def _places(data: bytes, needle: bytes) -> Iterator[int]:
    place = data.find(needle)
    while place >= 0:
        yield place
        place = data.find(needle, place + 1)
