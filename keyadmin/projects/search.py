"""Projects by a part of their name or id, or by Resource Manager's own query language; the best first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project

PAGE: Final = 500  # what one call brings
SHOWN: Final = 50
_LANGUAGE: Final = re.compile(r"""(?:^|[\s(])-?[A-Za-z][\w.]*\s*(?:[:=<>]|!=)|^\s*NOT\s|\s(?:AND|OR)\s""")


@dataclass(frozen=True)
class Hits:
    """What was found, ranked. `cut` = there may be more than the calls brought."""

    projects: tuple[Project, ...]
    cut: bool = False


def is_query(text: str) -> bool:
    """Whether it is written in the query language (`name:how*`, `state:ACTIVE AND parent:folders/1`) and not just words."""
    return bool(_LANGUAGE.search(text))


def query_of(text: str) -> str:
    """The query to send: the text itself, or one that asks for every word anywhere in the name or in the id.

    That `*` may stand before and behind a quoted term is how Google's own IAP Desktop searches (public code).
    """
    if is_query(text):
        return text
    return " AND ".join(f'(name:"*{word}*" OR id:"*{word}*")' for word in _words(text))


def _words(text: str) -> list[str]:
    """The words, without the characters that mean something in the language."""
    return [word for word in re.sub(r'["\\*]', " ", text).split() if word]


async def search(cloud: Cloud, text: str, *, everything: bool = False) -> Hits:
    """The projects that fit, in one call; with `everything` in as many as it takes. Raises Problem."""
    found: list[Project] = []
    async for project in cloud.projects.search(query_of(text)):
        found.append(project)
        if len(found) == PAGE and not everything:
            return Hits(ranked(text, found), cut=True)
    return Hits(ranked(text, found))


def ranked(text: str, found: Iterable[Project]) -> tuple[Project, ...]:
    """Exact hits first, then beginnings, beginnings of words, anything else; active projects before others; then by id."""
    words = [] if is_query(text) else [word.casefold() for word in _words(text)]
    whole = " ".join(words)
    return tuple(sorted(found, key=lambda each: (_distance(whole, words, each), each.state != "ACTIVE", each.project_id)))


def _distance(whole: str, words: Sequence[str], project: Project) -> int:
    if not words:
        return 0
    texts = (project.project_id.casefold(), project.display_name.casefold())
    if whole in texts:
        return 0
    if any(text.startswith(whole) for text in texts):
        return 1
    if any(re.search(rf"\b{re.escape(whole)}", text) for text in texts):
        return 2
    if any(whole in text for text in texts):
        return 3
    return 4 if any(all(word in text for word in words) for text in texts) else 5
