"""Domains below which anybody can have one: `com`, `co.uk`, `github.io` (publicsuffix.org, by the package publicsuffixlist)."""

from __future__ import annotations

from functools import cache
from typing import Any


def is_public_suffix(domain: str) -> bool:
    """Whether anybody can register a name right below `domain`. A name that is in no list is not: it may be a private one."""
    return bool(domain) and bool(_list().is_public(domain))


@cache
def _list() -> Any:
    """The list is read when a wildcard has to be judged: that takes a quarter of a second."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False)
