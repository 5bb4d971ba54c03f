"""The names of Google's services, to catch a misspelt one before any call is made."""

from __future__ import annotations

import difflib
from collections.abc import Set

from keyadmin.data import services

SUFFIX = ".googleapis.com"


def known() -> Set[str]:
    """Every service name shipped with keyadmin."""
    return services().keys()


def closest(name: str) -> str | None:
    """The known service that `name` was probably meant to be: `translate` and `tranlsate.googleapis.com` both find one."""
    if not name:
        return None
    stem = name.removesuffix(SUFFIX).partition(".")[0]
    stems = {each.removesuffix(SUFFIX): each for each in known()}
    return next((stems[near] for near in difflib.get_close_matches(stem, stems, n=1, cutoff=0.8)), None)
