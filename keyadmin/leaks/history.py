"""Finding key strings in what git repositories ever held: every object once, whatever attributes and references say.

git only walks and unpacks here (`keyadmin/local/git.py`); what an object says is searched as a file is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from keyadmin.leaks.finder import WORKERS
from keyadmin.leaks.hit import Hit
from keyadmin.leaks.stream import PIECE, SNIFFED, Place, TextSearch, encoding_of
from keyadmin.leaks.walk import Objects, Walk
from keyadmin.local import repositories
from keyadmin.local.git import Git, own_repository
from keyadmin.local.repositories import Repository, Tips
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString

BATCH: Final = 2000  # objects handed to a worker at once
MESSAGE: Final = "(commit message)"
HEADER: Final = "(commit header)"
UNREACHABLE: Final = "(in no commit)"
_NOTES: Final = "refs/notes/"


@dataclass
class History:
    """What was found in repositories, and what could not be checked, in words."""

    hits: list[Hit] = field(default_factory=list)
    commits: int = 0
    gaps: list[str] = field(default_factory=list)
    """What is certainly missing: the result is not complete."""
    notes: list[str] = field(default_factory=list)
    """What is not missing but elsewhere: all that a shallow clone holds was searched."""


def find(paths: Sequence[Path], *, unreachable: bool = False, workers: int | None = None) -> History:
    """Every key string once for each path, at the oldest commit that shows it. Raises Problem: no git.

    `unreachable` = also what no reference leads to any more. A path without a repository, or one that cannot be read, is a gap.
    """
    found = History()
    done: set[Path] = set()
    for path in paths:
        folder = path if path.is_dir() else path.parent
        there = repositories.below(folder) if path.is_dir() else []
        if not any(each.label == "" for each in there) and (around := repositories.enclosing(folder)):
            there.insert(0, around)
        if not there:
            found.gaps.append(f"{path} is not in a git repository" + (", and none lies below it" if path.is_dir() else ""))
        for repository in there:
            if repository.common not in done:
                done.add(repository.common)
                _in_repository(repository, found, unreachable=unreachable, workers=workers)
    return found


def _in_repository(repository: Repository, found: History, *, unreachable: bool, workers: int | None) -> None:
    name = repository.top or repository.git_dir
    try:
        form = repositories.format_of(repository)
        folders = repositories.object_folders(repository)
        tips = repositories.tips_of(repository, form)
        with own_repository(folders, sha256=form.sha256) as git:
            cut = _cut(git, tips)
        with own_repository(folders, sha256=form.sha256, shallow=cut) as git:
            missing, commits = _searched(git, tips, repository.label, found, unreachable=unreachable, workers=workers)
    except Problem as problem:
        if "git is not installed" in problem.message:
            raise
        found.gaps.append(f"the history of {name} could not be searched: {problem.message}")
        return
    found.commits += commits
    if cut:
        found.notes.append(f"the history of {name} is cut off (a shallow clone); to search all of it: git fetch --unshallow")
    if missing:
        found.gaps.append(
            f"{missing:,} objects of {name} are not there (a partial clone?) and were not searched; nothing was fetched"
        )


def _cut(git: Git, tips: Tips) -> list[str]:
    """The commits at which a shallow clone really ends: a list that somebody wrote may hide a history that is there."""
    with Objects(git) as objects:
        ends = []
        for commit in tips.cut:
            parents = [objects.kind(each) for each in objects.parents(commit)]
            if parents and None in parents:
                ends.append(commit)
        return ends


def _searched(git: Git, tips: Tips, label: str, found: History, *, unreachable: bool, workers: int | None) -> tuple[int, int]:
    """Search a repository's objects; how many are missing, and how many commits there were."""
    walk = Walk(git)
    walk.start_at({number: name for number, name in tips.names.items() if not name.startswith(_NOTES)})
    if unreachable:
        walk.start_at_all()
    walk.run()
    notes = Walk(git)
    notes.start_at({number: name for number, name in tips.names.items() if name.startswith(_NOTES)})
    notes.run()
    wanted = list(dict.fromkeys((*walk.wanted(), *notes.wanted())))
    missing: set[str] = walk.missing | notes.missing
    best: dict[tuple[str, str], tuple[int, Hit]] = {}
    for number, kind, line, text in _search(git, wanted, missing, workers):
        one = notes if notes.rank(number) is not None or (notes.places(number) and not walk.places(number)) else walk
        for path, rank, at in _places(one, number, kind, line, note=one is notes):
            shown = _labelled(label, path)
            if (shown, text) not in best or rank > best[shown, text][0]:
                best[shown, text] = (rank, Hit(shown, at, KeyString(text), one.commit(rank)))
    found.hits += [hit for _, hit in best.values()]
    return len(missing), walk.commits


def _labelled(label: str, path: str) -> str:
    if not label:
        return path
    return f"{label} {path}" if path.startswith("(") else f"{label}/{path}"


def _places(walk: Walk, number: str, kind: str, line: int, *, note: bool) -> list[tuple[str, int, int]]:
    """The paths, ranks and lines of something found in an object. A line below 1 is one of a header."""
    if kind == "commit":
        return [(MESSAGE if line > 0 else HEADER, walk.rank(number) or 0, max(line, 1))]
    if kind == "tag":
        return [(f"(tag {walk.tags.get(number, number).removeprefix('refs/tags/')})", -1, max(line, 1))]
    return [
        (f"(note on {path.replace('/', '')})" if note else path or UNREACHABLE, rank, line)
        for path, rank in walk.places(number)
    ]


Raw = tuple[str, str, int, str]
"""An object's id and kind, a line, a key string."""


def _search(git: Git, wanted: list[str], missing: set[str], workers: int | None) -> Iterator[Raw]:
    batches = [(git, wanted[start : start + BATCH]) for start in range(0, len(wanted), BATCH)]
    count = min(workers or min(os.cpu_count() or 1, WORKERS), len(batches))
    if count > 1:
        with ProcessPoolExecutor(count) as pool:
            yield from _joined(pool.map(_search_objects, batches), missing)
    else:
        yield from _joined(map(_search_objects, batches), missing)


def _joined(results: Iterable[tuple[list[Raw], list[str]]], missing: set[str]) -> Iterator[Raw]:
    for raw, gone in results:
        missing.update(gone)
        yield from raw


def _search_objects(batch: tuple[Git, list[str]]) -> tuple[list[Raw], list[str]]:
    """What some objects hold, and which of them are not there or damaged. At a damaged one git ends: it is begun anew."""
    git, rest = batch
    raw: list[Raw] = []
    gone: list[str] = []
    while rest:
        done = 0
        with (
            suppress(Problem),
            git.streaming("cat-file", "--batch", "--buffer", stdin="".join(f"{each}\n" for each in rest).encode()) as stream,
        ):
            while done < len(rest) and (head := stream.readline().split()):
                if len(head) == 3:
                    number, kind = head[0].decode(), head[1].decode()
                    raw += [(number, kind, line, text) for line, text in _search_object(stream, kind, int(head[2]))]
                    stream.read(1)
                else:
                    gone.append(rest[done])
                done += 1
        gone += rest[done : done + 1]
        rest = rest[done + 1 :]
    return raw, gone


def _search_object(stream: IO[bytes], kind: str, size: int) -> Iterator[Place]:
    left = size
    piece = stream.read(min(left, PIECE))
    left -= len(piece)
    encoding = encoding_of(piece[:SNIFFED])
    text = TextSearch(encoding or "utf-8")
    before = 0 if kind == "blob" else piece.partition(b"\n\n")[0].count(b"\n") + 2
    while piece:
        more = stream.read(min(left, PIECE)) if left else b""
        left -= len(more)
        if encoding is not None:
            yield from ((line - before, key) for line, key in text.feed(piece, last=not more))
        piece = more
