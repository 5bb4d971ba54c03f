"""What the wording of an error says: the table's patterns, looked for by plain string search.

That keeps a megabyte of log within a few milliseconds a hundred patterns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
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


_FIGURES: Final = bytes.maketrans(b"123456789", b"000000000")


def _bare(text: str) -> str:
    """The text with every digit a 0: so most lines of a log are one."""
    return text.encode("utf-8", "surrogatepass").translate(_FIGURES).decode("utf-8", "surrogatepass")


def present(records: Iterable[str]) -> tuple[tuple[Pattern, Cause], ...]:
    """The patterns that may be in a log's records, in lower case: only these have to be looked for in each of them."""
    flat = "\n".join({_bare(record) for record in records})
    words = set(flat.split())
    return tuple(
        (pattern, cause)
        for (pattern, cause), (whole, bare) in zip(patterns(), _whole_words(), strict=True)
        if words.issuperset(whole) and all(part in flat for part in bare)
    )


def find(flat: str, *, google: bool) -> PatternMatch | None:
    """The pattern that says most in a text that `normal` (or `lowered`, of single blanks) has gone over.

    `google` = the text is known to be Google's, so that words count which are anybody's.
    """
    of_all, of_anybodys = _found(flat)
    return of_all if google else of_anybodys


@lru_cache(maxsize=256)
def _found(flat: str) -> tuple[PatternMatch | None, PatternMatch | None]:
    """The pattern that says most, and that one of those which count in anybody's text."""
    first: PatternMatch | None = None
    for head, rest, pattern, cause in _split():
        if head not in flat or (first is not None and pattern.google):
            continue
        start = next(places(flat, pattern), -1) if rest else flat.find(head)
        if start >= 0:
            found = PatternMatch(cause, start, pattern)
            if not pattern.google:
                return first or found, found
            first = found
    return first, None


@cache
def _split() -> tuple[tuple[str, tuple[str, ...], Pattern, Cause], ...]:
    """The patterns with their parts."""
    return tuple((*_parts(pattern), pattern, cause) for pattern, cause in patterns())


@cache
def _whole_words() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Of each pattern, without figures: the words with blanks on both sides, quicker to rule out by; and its parts."""
    bare = [tuple(_bare(part) for part in (head, *rest)) for head, rest, _, _ in _split()]
    return tuple((tuple(word for part in parts for word in part.split(" ")[1:-1] if word), parts) for parts in bare)


def cause_of(text: str, *, google: bool = True) -> Cause | None:
    """The cause that the wording names, or None."""
    match = find(normal(text), google=google)
    return match.cause if match else None


def places(flat: str, pattern: Pattern) -> Iterator[int]:
    """Where a pattern begins, each time."""
    head, rest = _parts(pattern)
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


def _parts(pattern: Pattern) -> tuple[str, tuple[str, ...]]:
    head, *rest = pattern.text.split(" * ")
    return head, tuple(rest)
