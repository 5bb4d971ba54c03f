"""One scan: files, then the history of repositories; what is allowed or ignored is taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keyadmin.leaks import finder, history
from keyadmin.leaks.env_files import placed
from keyadmin.leaks.hit import AllowList, Hit, marked
from keyadmin.local.git_status import ignored


@dataclass(frozen=True)
class ScanOptions:
    """What is to be searched.

    `history` = also all that is committed, `unreachable` = and what no reference leads to any more. `pass_ignored` = key
    strings in files that git ignores are where they belong.
    """

    paths: Sequence[Path]
    history: bool = False
    unreachable: bool = False
    pass_ignored: bool = False
    allowed: AllowList = field(default_factory=AllowList)


@dataclass
class Searched:
    """What was found, and what could not be read (`gaps`, in words) or is known to be elsewhere (`notes`)."""

    hits: list[Hit]
    files: int
    commits: int = 0
    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    passed: int = 0
    """How many places were passed over since git ignores them."""


def search(options: ScanOptions) -> Searched:
    """Search as asked. Raises Problem: a path that is not there, no git for the history."""
    files = finder.find(options.paths)
    hits = [hit for hit in files.hits if not options.allowed.has(hit)]
    hits = placed(marked(hits, ignored(hit.path for hit in hits))) if hits else []
    found = Searched(hits, files.files, gaps=[f"{path} could not be read" for path in files.unreadable])
    if options.pass_ignored:
        found.hits = [hit for hit in hits if not hit.gitignored]
        found.passed = len(hits) - len(found.hits)
    if options.history or options.unreachable:
        past = history.find(options.paths, unreachable=options.unreachable)
        found.hits += [hit for hit in past.hits if not options.allowed.has(hit)]
        found.commits = past.commits
        found.gaps += past.gaps
        found.notes += past.notes
    return found
