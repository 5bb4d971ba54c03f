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
    stem = name.removesuffix(SUFFIX).partition(".")[0]
    stems = {each.removesuffix(SUFFIX): each for each in known()}
    return next((stems[near] for near in difflib.get_close_matches(stem, stems, n=1, cutoff=0.8)), None)
