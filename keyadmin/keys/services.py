"""The names of Google's services, to catch a misspelt one before any call is made."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files

SUFFIX = ".googleapis.com"


@cache
def known() -> frozenset[str]:
    """Every service name shipped with keyadmin (data/service-catalogue.tsv says where they come from)."""
    text = files("keyadmin.data").joinpath("service-catalogue.tsv").read_text("utf-8")
    return frozenset(line.partition("\t")[0] for line in text.splitlines() if line and not line.startswith("#"))


def closest(name: str) -> str | None:
    """The known service that `name` was probably meant to be: `translate` and `tranlsate.googleapis.com` both find one."""
    if not name:
        return None
    full = name if "." in name else name + SUFFIX
    if full in known():
        return full
    return next(iter(difflib.get_close_matches(full, known(), n=1, cutoff=0.85)), None)
