"""Finding key strings in a tree of files: fast, and without keeping more than a piece of a file in memory."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keyadmin.leaks.hit import Hit
from keyadmin.leaks.stream import PIECE, Place, TextSearch, encoding_of
from keyadmin.local.repositories import SKIPPED
from keyadmin.model.command_line import typed
from keyadmin.model.key_search import search
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

WORKERS: Final = 4  # at most: each takes some 25 MB, and more of them wait for the disk
BATCH: Final = 512  # files handed to a worker at once
_HEAD: Final = 64 * 1024  # bytes read first: most files are no longer, and a binary one is passed over
# A pipe or a device that took a file's place between looking and opening is neither waited for nor followed to.
_OPEN: Final = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def files_below(paths: Sequence[Path]) -> tuple[list[str], list[str]]:
    """All regular files, and the folders that could not be read; symbolic links and version-control folders are passed over.

    Raises Problem for a path that is not there, or is a pipe or a device.
    """
    files: list[str] = []
    unreadable: list[str] = []
    for path in paths:
        if path.is_file():
            files.append(str(path))
        elif path.is_dir():
            _walk(str(path), files, unreadable)
        else:
            odd = os.path.lexists(path)
            message = f"{path} is neither a file nor a folder" if odd else f"there is no file or folder {path}"
            raise Problem(Cause.INVALID_ARGUMENT, message, fix=(f"name existing files or folders: {typed('scan', '.')}",))
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
    count = min(workers or min(os.cpu_count() or 1, WORKERS), len(batches))
    if count > 1:
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


def _search_file(path: str) -> Iterator[Place]:
    handle = os.open(path, _OPEN)
    try:
        piece = os.read(handle, _HEAD)
        encoding = encoding_of(piece)
        if encoding is None or (len(piece) < _HEAD and encoding == "utf-8" and not search(piece)):
            return  # as nearly all files: binary, or short and without a key string
        text = TextSearch(encoding)
        if len(piece) == _HEAD:
            piece += os.read(handle, PIECE - _HEAD)
            while more := _read_on(handle):
                yield from text.feed(piece)
                piece = more
        yield from text.feed(piece, last=True)
    finally:
        os.close(handle)


def _read_on(handle: int) -> bytes:
    """The next piece. A hole in a sparse file, which may be said to be terabytes long, is jumped over."""
    piece = os.read(handle, PIECE)
    if piece and not piece[0] and hasattr(os, "SEEK_DATA") and piece.count(0) == len(piece):
        try:
            os.lseek(handle, os.lseek(handle, 0, os.SEEK_CUR), os.SEEK_DATA)
        except OSError as error:
            return b"" if error.errno == errno.ENXIO else piece  # nothing but a hole; or a file system without holes
    return piece
