"""Regular expressions from callers, as far as they are texts with gaps: matching them cannot run away, as `re` can."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

MOST = 200  # characters of a pattern
_UNDERSTOOD = re.compile(r"\^?(?:[\w/:@ -]|\\?\.\*?|\.\+|\\[/-])*\$?")


class NotUnderstood(ValueError):
    """The pattern uses more of the syntax than letters, escaped dots, `.`, `.*` and `.+`."""


def full_match(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text. Raises NotUnderstood."""
    if len(pattern) > MOST or not _UNDERSTOOD.fullmatch(pattern):
        raise NotUnderstood(pattern)
    glob = pattern.removeprefix("^").removesuffix("$")
    glob = re.sub(r"\\([/-])", r"\1", glob.replace("\\.", "\0")).replace(".*", "*").replace(".+", "?*").replace(".", "?")
    return fnmatchcase(text, glob.replace("\0", "."))


def search(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text; alternatives (`a|b`, `x(a|b)y`) are understood too. Raises NotUnderstood."""
    return any(full_match(_open_ended(one), text) for one in _alternatives(pattern))


def _alternatives(pattern: str) -> list[str]:
    grouped = re.fullmatch(r"([^()|]*)\((?:\?:)?([^()]*)\)([^()|]*)", pattern)
    if grouped:
        return [f"{grouped[1]}{one}{grouped[3]}" for one in grouped[2].split("|")]
    return pattern.split("|")


def _open_ended(pattern: str) -> str:
    head = pattern[1:] if pattern.startswith("^") else f".*{pattern}"
    return head[:-1] if head.endswith("$") and not head.endswith("\\$") else f"{head}.*"
