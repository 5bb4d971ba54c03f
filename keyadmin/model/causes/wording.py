"""What the wording of an error says: the table's patterns, looked for by plain string search.

That keeps a megabyte of log within a few milliseconds a hundred patterns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import Pattern
from keyadmin.model.causes.table import patterns

GAP: Final = 300  # what ` * ` in a pattern stands for at most


@dataclass(frozen=True)
class PatternMatch:
    """A pattern found: what it means and where it begins."""

    cause: Cause
    start: int
    pattern: Pattern


def lowered(text: str) -> str:
    """Lower case of the same length (only the dotted capital I would grow), so that places stay; plain apostrophes."""
    return text.replace("\u0130", "I").lower().replace("’", "'").replace("‘", "'")


def normal(text: str) -> str:
    """Lower case and single spaces: what the patterns are written against."""
    return " ".join(lowered(text).split())


def present(flat: str) -> tuple[tuple[Pattern, Cause], ...]:
    """The patterns whose parts all stand somewhere in a long text: only these have to be looked for in its records."""
    return tuple((pattern, cause) for pattern, cause in patterns() if all(part in flat for part in _parts(pattern)))


def find(flat: str, *, google: bool, among: tuple[tuple[Pattern, Cause], ...] | None = None) -> PatternMatch | None:
    """The pattern that says most in a text that `normal` (or `lowered`, of single blanks) has gone over.

    `google` = the text is known to be Google's, so that words count which are anybody's.
    """
    for pattern, cause in patterns() if among is None else among:
        if pattern.google and not google:
            continue
        start = next(places(flat, pattern), -1)
        if start >= 0:
            return PatternMatch(cause, start, pattern)
    return None


def cause_of(text: str, *, google: bool = True) -> Cause | None:
    """The cause that the wording names, or None."""
    match = find(normal(text), google=google)
    return match.cause if match else None


def places(flat: str, pattern: Pattern) -> Iterator[int]:
    """Where a pattern begins, each time."""
    head, *rest = _parts(pattern)
    if not rest:  # the usual case
        start = flat.find(head)
        while start >= 0:
            yield start
            start = flat.find(head, start + 1)
        return
    start = flat.find(head) if all(part in flat for part in rest) else -1
    while start >= 0:
        at = start + len(head)
        for part in rest:
            found = flat.find(part, at, at + GAP + len(part))
            at = found + len(part) if found >= 0 else -1
            if at < 0:
                break
        if at >= 0:
            yield start
        start = flat.find(head, start + 1)


@cache
def _parts(pattern: Pattern) -> tuple[str, ...]:
    return tuple(pattern.text.split(" * "))
