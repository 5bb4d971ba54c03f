"""The names of Google's services, to catch a misspelt one before any call is made."""

from __future__ import annotations

import difflib
from collections.abc import Set

from keyadmin.data import services

SUFFIX = ".googleapis.com"


def known() -> Set[str]:
    """Every service name shipped with keyadmin."""
    return services().keys()


# What people call services, where neither its name nor its title says so.
_CALLED: dict[str, str] = {
    "ai": "generativelanguage.googleapis.com",
    "ai-studio": "generativelanguage.googleapis.com",
    "gemini": "generativelanguage.googleapis.com",
    "geocoding": "geocoding-backend.googleapis.com",
    "maps": "maps-backend.googleapis.com",
    "places": "places.googleapis.com",
    "vertex": "aiplatform.googleapis.com",
    "vertexai": "aiplatform.googleapis.com",
    "vertex-ai": "aiplatform.googleapis.com",
}


def meant(name: str) -> list[str]:
    """At most three services that `name` may stand for, the likeliest first: `maps` is maps-backend.googleapis.com first."""
    word = name.strip().lower().removesuffix(SUFFIX)
    if not word:
        return []
    near = closest(name)
    first = [each for each in (_CALLED.get(word), near) if each is not None and each in known()]
    begun = [each for each in sorted(known()) if each.startswith(f"{word}-")]
    found = [*first, *begun] or [each for each, (title, _) in services().items() if word in title.lower().split()]
    return list(dict.fromkeys(found))[:3]


def closest(name: str) -> str | None:
    """The known service that `name` was probably meant to be: `translate` and `tranlsate.googleapis.com` both find one."""
    if not name:
        return None
    stem = name.removesuffix(SUFFIX).partition(".")[0]
    stems = {each.removesuffix(SUFFIX): each for each in known()}
    return next((stems[near] for near in difflib.get_close_matches(stem, stems, n=1, cutoff=0.8)), None)
