"""Which objects the history of a repository holds, at which paths and commits. Where it is damaged it is walked by hand."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import IO, Final

from keyadmin.local.git import Git
from keyadmin.model.problem import Problem

_RECORD: Final = re.compile(rb":+(?:[0-7]{6} )+([0-7]{6}) (?:[0-9a-f]{40,64} )+([0-9a-f]{40,64}) [A-Z]+\Z")
_NAME: Final = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_CHUNK: Final = 1024 * 1024
_DEEPEST: Final = 2000  # folders in folders: a tree that is deeper was made to do harm
_KINDS: Final = (b"blob", b"tree", b"commit", b"tag")

# All commits from the youngest on, each with what it changed; a merge with what it shares with none of its parents.
_LOG: Final = (
    *("log", "--stdin", "--raw", "-z", "-c", "--root", "--no-abbrev", "--no-renames", "--no-notes", "--no-decorate"),
    *("--no-show-signature", "--no-ext-diff", "--no-textconv", "--no-color", "--no-mailmap", "--format=%x00%H"),
)


class Objects:
    """Asks git for one object after the other."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - fixed words
            self._git.command("cat-file", "--batch"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._git.folder,
            env=self._git.environment(),
        )

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def get(self, number: str) -> tuple[bytes, bytes] | None:
        """Its kind and content; None for one that is missing or damaged."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(number.encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended: there is no answer
        answers = self._process.stdout
        head = answers.readline().split()
        if not head:  # git gives up at a damaged object
            self.__exit__()
            self._process = self._started()
            return None
        if len(head) != 3 or head[1] not in _KINDS:
            return None
        content = answers.read(int(head[2]) + 1)
        return head[1], content[:-1]

    def kind(self, number: str) -> bytes | None:
        """`commit`, `tree`, `blob` or `tag`."""
        found = self.get(number)
        return found[0] if found else None

    def parents(self, commit: str) -> list[str]:
        """The object ids of a commit's parents."""
        found = self.get(commit)
        header = found[1].partition(b"\n\n")[0] if found and found[0] == b"commit" else b""
        return re.findall(r"^parent ([0-9a-f]+)$", header.decode(errors="replace"), re.MULTILINE)


class Walk:
    """Takes where to begin, and knows afterwards which blobs, commits and tags there are, and where a blob stood.

    A rank is a commit's number from the youngest on.
    """

    def __init__(self, git: Git) -> None:
        self._git = git
        self.missing: set[str] = set()
        self.tags: dict[str, str] = {}
        """The name of each tag by its object id."""
        self._tips: dict[str, None] = {}
        self._trees: dict[str, str] = {}
        self._ids: list[str] = []
        self._ranks: dict[str, int] = {}
        self._first: dict[str, tuple[str, int]] = {}
        self._more: dict[str, dict[str, int]] = {}  # of blobs that stood at several paths

    @property
    def commits(self) -> int:
        """How many were seen."""
        return len(self._ids)

    def start_at(self, names: Mapping[str, str]) -> None:
        """Commits, tags, trees and blobs by object id, each with a name. A reference's that is not there is noted."""
        todo = list(names.items())
        while todo:
            asked = "".join(f"{number}\n" for number, _ in todo).encode()
            answers = self._git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked).splitlines()
            tags = []
            for (number, name), answer in zip(todo, answers, strict=True):
                kind = answer.split()[-1]
                if kind == b"tag" and number not in self.tags:
                    self.tags[number] = name
                    tags.append((number, name))
                elif kind in _KINDS:
                    self._begin(number, name, kind)
                elif name.startswith("refs/") or name == "HEAD":
                    self.missing.add(number)
            todo = self._targets(tags)

    def _begin(self, number: str, name: str, kind: bytes) -> None:
        if kind == b"commit":
            self._tips[number] = None
        elif kind == b"tree":
            self._trees[number] = name
        elif kind == b"blob":
            self._record(number, f"({name})", -1)

    def _targets(self, tags: list[tuple[str, str]]) -> list[tuple[str, str]]:
        if not tags:
            return []
        out = []
        with Objects(self._git) as objects:
            for number, name in tags:
                found = objects.get(number)
                if found and (target := re.match(rb"object ([0-9a-f]+)\n", found[1])):
                    out.append((target[1].decode(), name))
        return out

    def start_at_all(self) -> None:
        """Every commit and tag that is stored, and the blobs and trees that no commit holds."""
        words = ("cat-file", "--batch-check=%(objectname) %(objecttype)", "--batch-all-objects", "--unordered")
        with self._git.streaming(*words, stdin=b"") as lines:
            for line in lines:
                number, _, kind = line.decode().strip().partition(" ")
                if kind == "commit":
                    self._tips[number] = None
                elif kind == "tag":
                    self.tags.setdefault(number, "unreachable")
                elif kind == "blob":
                    self._first.setdefault(number, ("", -1))

    def run(self) -> None:
        """Walk. Raises Problem where git cannot be started."""
        try:
            self._by_git()
        except Problem:  # something is missing or damaged: git stops there, and the rest is walked without it
            self._ids.clear()
            self._ranks.clear()
            self._by_hand()
        if not self._trees:
            return
        with Objects(self._git) as objects:
            for tree, name in self._trees.items():
                self._tree(objects, tree, f"({name})", -1, set())

    def wanted(self) -> Iterator[str]:
        """What is to be searched: blobs, commits, tags, by object id."""
        yield from self._first
        yield from self._ids
        yield from self.tags

    def places(self, blob: str) -> list[tuple[str, int]]:
        """The paths at which a blob stood, each with the rank of the oldest commit; -1 and an empty path for none."""
        found = self._first.get(blob)
        return [found, *self._more.get(blob, {}).items()] if found else []

    def commit(self, rank: int) -> str | None:
        """The object id of a commit."""
        return self._ids[rank] if rank >= 0 else None

    def rank(self, commit: str) -> int | None:
        """The rank of a commit; None for what is none."""
        return self._ranks.get(commit)

    def _record(self, blob: str, path: str, rank: int) -> None:
        known = self._first.get(blob)
        if known is None or not known[0] or (known[0] == path and rank > known[1]):
            self._first[blob] = (path, rank)
        elif known[0] != path:
            more = self._more.setdefault(blob, {})
            more[path] = max(rank, more.get(path, -1))

    def _seen(self, commit: str) -> int:
        self._ranks[commit] = len(self._ids)
        self._ids.append(commit)
        return len(self._ids) - 1

    def _by_git(self) -> None:
        if not self._tips:
            return
        rank, blob = -1, ""
        with self._git.streaming(*_LOG, stdin="".join(f"{tip}\n" for tip in self._tips).encode()) as stream:
            for token in _tokens(stream):
                if blob:
                    if blob.strip("0"):
                        self._record(blob, os.fsdecode(token), rank)
                    blob = ""
                elif (word := token.lstrip(b"\n")).startswith(b":"):
                    found = _RECORD.match(word)
                    blob = found[2].decode() if found and found[1] != b"160000" else "0"  # no submodules
                elif _NAME.match(word):
                    rank = self._seen(word.decode())

    def _by_hand(self) -> None:
        """The same without git's help to walk: what can be read is read."""
        with Objects(self._git) as objects:
            commits: dict[str, tuple[int, str]] = {}
            todo = list(self._tips)
            while todo:
                number = todo.pop()
                if number in commits or number in self.missing:
                    continue
                found = objects.get(number)
                if found is None or found[0] != b"commit":
                    self.missing.add(number)
                    continue
                header = found[1].partition(b"\n\n")[0].decode(errors="replace")
                tree = re.search(r"^tree ([0-9a-f]+)$", header, re.MULTILINE)
                moment = re.search(r"^committer .* (\d{1,15}) [+-]\d+$", header, re.MULTILINE)
                commits[number] = (int(moment[1]) if moment else 0, tree[1] if tree else "")
                todo += re.findall(r"^parent ([0-9a-f]+)$", header, re.MULTILINE)
            order = sorted(commits, key=lambda each: commits[each][0], reverse=True)
            ranks = {number: self._seen(number) for number in order}
            walked: set[tuple[str, str]] = set()
            for number in reversed(order):
                self._tree(objects, commits[number][1], "", ranks[number], walked)

    def _tree(self, objects: Objects, tree: str, path: str, rank: int, walked: set[tuple[str, str]]) -> None:
        size = len(tree) // 2
        entry = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{%d})" % size, re.DOTALL)
        todo = [(tree, path)]
        while todo:
            here = todo.pop()
            if here in walked or not here[0]:
                continue
            walked.add(here)
            found = objects.get(here[0])
            if found is None or found[0] != b"tree" or here[1].count("/") > _DEEPEST:
                self.missing.add(here[0])
                continue
            for mode, name, number in entry.findall(found[1]):
                below = f"{here[1]}/{os.fsdecode(name)}" if here[1] else os.fsdecode(name)
                if mode.lstrip(b"0") == b"40000":
                    todo.append((number.hex(), below))
                elif mode != b"160000":
                    self._record(number.hex(), below, rank)


def _tokens(stream: IO[bytes]) -> Iterator[bytes]:
    """What stands between NUL bytes."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        *tokens, rest = (rest + chunk).split(b"\0")
        yield from tokens
    yield rest
