"""What a person may write for a new project: refused here, before any call, in words that say what is right.

Sources: the Resource Manager v3 discovery document (`projectId`, `displayName`); AI Studio's style of ids.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from keyadmin.model.problem import usage

STYLE: Final = "gen-lang-client-"  # how AI Studio's ids begin; ten digits follow
LONGEST_NAME: Final = 30
SHORTEST_NAME: Final = 4
_ID: Final = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_NAME: Final = re.compile(r"[A-Za-z0-9\-'\" !]*")


def new_id() -> str:
    """`gen-lang-client-NNNNNNNNNN`."""
    return f"{STYLE}{secrets.randbelow(10**10):010}"


def project_id(text: str) -> str:
    """An id for a new project. Raises usage()."""
    if not _ID.fullmatch(text):
        raise usage(
            f"{text!r} cannot be a project's id: 6 to 30 lower-case letters, digits and hyphens, "
            "the first a letter, the last no hyphen",
            f"leave it out and one like {STYLE}0123456789 is chosen",
        )
    return text


def display_name(text: str) -> str:
    """A project's display name. Raises usage()."""
    if not SHORTEST_NAME <= len(text) <= LONGEST_NAME:
        count = "1 character" if len(text) == 1 else f"{len(text)} characters"
        raise usage(f"the name {text!r} has {count}: a project's name has {SHORTEST_NAME} to {LONGEST_NAME}")
    if not _NAME.fullmatch(text):
        raise usage(f"the name {text!r}: letters without accents, digits, spaces and - ' \" ! are allowed")
    return text
