"""Key strings in `.env` files, where they belong as long as git ignores the file: of which variable, and whether git does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from keyadmin.leaks.hit import Hit
from keyadmin.local.git_status import not_ignored, tracked
from keyadmin.local.repositories import read_small
from keyadmin.model.env_text import decode, value_of

_NAMES: Final = re.compile(r"\.env(\..+)?|.+\.env")
_SETS: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")


def placed(hits: Iterable[Hit]) -> list[Hit]:
    """The hits, those in `.env` files with their variable and whether git leaves the file lying about."""
    named = [replace(hit, variable=_variable(hit)) if _NAMES.fullmatch(Path(hit.path).name) else hit for hit in hits]
    open_ = not_ignored({hit.path for hit in named if hit.variable and hit.gitignored is False})
    loose = {path for path in open_ if tracked(Path(path)) is False}
    return [replace(hit, loose=True) if hit.variable and hit.path in loose else hit for hit in named]


def _variable(hit: Hit) -> str:
    """The variable of the hit's line, if its value is the key; else empty."""
    text = decode(read_small(Path(hit.path)) or b"")
    lines = text.splitlines()
    found = _SETS.match(lines[hit.line - 1]) if 0 < hit.line <= len(lines) else None
    return found[1] if found and value_of(text, found[1]) == hit.key.reveal() else ""
