"""What names look like: the forms in which names of others may stand in what keyadmin prints to be typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# Wider than the rule for new ids (6 to 30 characters, the first a letter): legacy ids are shorter, longer, begin with a digit,
# or have a domain before a colon. Source: Compute Engine's discovery document, the pattern of its parameter `project`.
_ID: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = r"(?:[a-z0-9-]{1,63}\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
PROJECT: Final = re.compile(rf"(?:{_DOMAIN}:)?{_ID}")

# Wider than the rules for new names, but nothing that a shell or a person could take for anything else.
FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "key": re.compile(r"(?:projects/[a-z0-9.:-]+/locations/global/keys/)?[a-z0-9](?:[a-z0-9-]{0,62})"),
    "project": PROJECT,
    "service": re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}"),
    "permission": re.compile(r"[a-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+){2,}"),
    "constraint": re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)+"),
    "address": re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9.-]+\.[A-Za-z]+"),
    "member": re.compile(r"(?:user|serviceAccount|group):[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9.-]+\.[A-Za-z]+"),
    "account": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@[a-z0-9.-]+\.gserviceaccount\.com"),
    "number": re.compile(r"[0-9]{6,16}"),
    "pool": re.compile(r"[a-z0-9-]{4,32}"),
    "provider": re.compile(r"[a-z0-9-]{4,32}"),
    "owner": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*"),
    "repo": re.compile(r"[A-Za-z0-9_.][A-Za-z0-9._-]*"),
    "bucket": re.compile(r"[a-z0-9][a-z0-9._-]*[a-z0-9]"),
    "secret": re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}"),
    "role": re.compile(r"(?:(?:projects/[a-z0-9.:-]+|organizations/[0-9]+)/)?roles/[A-Za-z0-9_.]+"),
}
PLACEHOLDER: Final = re.compile(r"[A-Z][A-Z0-9_]*(?:=[A-Z0-9_]+)?(?:\.\.\.)?")


def name(kind: str, text: str | None) -> str:
    """`text` where it has the form of what it names (`FORMS`), or is a placeholder; else the placeholder: `KEY`, `PROJECT`."""
    if text and (FORMS[kind].fullmatch(text) or PLACEHOLDER.fullmatch(text)):
        return text
    return kind.upper()
