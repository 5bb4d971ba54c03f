"""What the wording of an error says where no structured detail is to be had, and the names that stand in it.

The phrases are in `model/causes/message_patterns.py`. They are looked for by plain string search, which keeps a megabyte of log
within a few milliseconds a phrase.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Final

from keyadmin.data import services
from keyadmin.model.causes.message_patterns import GAP, RULES
from keyadmin.model.problem import Cause

_NAME_WINDOW: Final = 20_000  # names are looked for in this many characters: an error message, not a whole log

_KEY_BINDING: Final = "disableserviceaccountapikeycreation"
_SERVICE_ACCOUNT_KEY: Final = ("disableserviceaccountkeycreation", "disableserviceaccountkeyupload")
_POLICY_TALK: Final = (
    "constraint",
    "violat",
    "not allowed",
    "org policy",
    "organization polic",
    "organisation polic",
    "enforced",
)

_PERMISSION: Final = r"[a-z][A-Za-z0-9]*\.[a-zA-Z][A-Za-z0-9]*\.[a-z][A-Za-z0-9]*"
_PERMISSION_IN: Final = (
    re.compile(rf"[Pp]ermission(?:s|\(s\))?:?\s*[\[('\"`]*\s*({_PERMISSION})(?![\w.])"),
    re.compile(rf"[\"'`\[]?({_PERMISSION})[\"'`\]]?\s+(?:permission|access|denied)"),
    re.compile(rf"(?:lacks?|missing|requires?d?)\s+[\"'`\[]?({_PERMISSION})(?![\w.])"),
)
_SERVICE_IN: Final = (
    re.compile(r"\bservices?(?:\(s\))?[\s:\"'`\[(]+([a-z][a-z0-9-]*\.googleapis\.com)"),
    re.compile(r"/apis/(?:api|library)/([a-z][a-z0-9-]*\.googleapis\.com)"),
    re.compile(r"\b([a-z][a-z0-9-]*\.googleapis\.com)"),
)
_TITLE: Final = re.compile(r"\b(?:[A-Z][\w&()/'-]* ){1,6}API\b")
_PROJECT_ID: Final = r"(?:[a-z0-9.-]+:)?(?:[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{6,16})"
_PROJECT_IN: Final = (
    re.compile(rf"\bprojects/({_PROJECT_ID})(?![\w-])"),
    re.compile(rf"\bprojects? instance \[({_PROJECT_ID})\]"),
    re.compile(rf"[?&](?:project|consumerId)=(?:project:)?({_PROJECT_ID})(?![\w-])"),
    re.compile(
        rf"\bproject(?:[_ ]?id|[_ ]number)?\s*(?:is|:|=|#)?\s*[\"'`\[#(]+\s*(?:project:)?({_PROJECT_ID})[\"'`\])]",
        re.IGNORECASE,
    ),
    re.compile(r"\b[Pp]roject(?: number)?:? #?(\d{6,16})\b"),
    re.compile(r"\b[Pp]roject(?: id:?| named)? ([a-z][a-z0-9]*-[a-z0-9-]{0,24}[a-z0-9])(?= |[.,:;)]|$)"),
    re.compile(r"\bconsumer\s+[\"'`]?project(?:_number)?:([a-z0-9-]{6,30})"),
)
# Placeholders, and hosts that say nothing of the service called.
_NOT_NAMES: Final = frozenset(
    ["project", "projects", "project-id", "your-project", "locations", "instance", "type.googleapis.com", "www.googleapis.com"]
)


@dataclass(frozen=True)
class PatternMatch:
    """A phrase found: what it means and where it begins."""

    cause: Cause
    start: int


def normal(text: str) -> str:
    """Lower case and single spaces: what the phrases are written against. Typographic apostrophes become plain ones."""
    return " ".join(_lower(text).split())


def _lower(text: str) -> str:
    """Lower case of the same length (of all letters only the dotted capital I grows), so that places stay."""
    return text.replace("\u0130", "I").lower().replace("’", "'").replace("‘", "'")


def cause_of(text: str) -> Cause | None:
    """The cause that the wording names, or None."""
    match = _first_rule(normal(text))
    return match.cause if match else None


def find(flat: str) -> PatternMatch | None:
    """The same with the place, for a text whose blanks are single already."""
    return _first_rule(_lower(flat))


def _first_rule(flat: str) -> PatternMatch | None:
    for cause, phrases in RULES:
        places = [place for phrase in phrases if (place := _find(flat, phrase)) >= 0]
        if places:
            return PatternMatch(cause, min(places))
    return None


def _find(flat: str, phrase: str) -> int:
    """Where a phrase begins, -1 for nowhere."""
    head, *rest = phrase.split(" * ")
    start = flat.find(head) if all(part in flat for part in rest) else -1
    while start >= 0:
        at = start + len(head)
        for part in rest:
            found = flat.find(part, at, at + GAP + len(part))
            at = found + len(part) if found >= 0 else -1
            if at < 0:
                break
        if at >= 0:
            return start
        start = flat.find(head, start + 1)
    return -1


def policy_cause(text: str) -> Cause | None:
    """The organisation-policy constraint that blocks, when the text says that one does."""
    flat = text.lower()
    if _KEY_BINDING in flat:
        cause = Cause.ORG_POLICY_BLOCKS_KEY_BINDING
    elif any(name in flat for name in _SERVICE_ACCOUNT_KEY) or "key creation is not allowed on this service account" in flat:
        cause = Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY
    else:
        return None
    return cause if any(word in flat for word in _POLICY_TALK) else None


def says_quota_project(text: str) -> bool:
    """Whether the text says that the call had no quota project of its own."""
    flat = normal(text)
    return "requires a quota project" in flat or _find(flat, "end user credentials * not supported by") >= 0


def says_enabling(text: str) -> bool:
    """Whether the text is about enabling a service."""
    return "enable" in text.lower()


def mentions_gemini(text: str) -> bool:
    """Whether the text names the Gemini API by its host, its models or its clients."""
    flat = text.lower()
    return any(
        word in flat for word in ("generativelanguage", "gemini", "google.genai", "@google/genai", "generative language")
    )


def permission_in(text: str) -> str | None:
    """The first IAM permission that the text says is lacking."""
    text = text[:_NAME_WINDOW]
    found = [match for pattern in _PERMISSION_IN if (match := pattern.search(text))]
    return min(found, key=lambda match: match.start(1)).group(1) if found else None


def service_in(text: str) -> str | None:
    """The first service (host name under googleapis.com) in the text, else the one whose title stands there."""
    return _first(_SERVICE_IN, text) or _service_titled(text)


def _service_titled(text: str) -> str | None:
    for found in _TITLE.finditer(text[:_NAME_WINDOW]):
        words = found[0].casefold().split()
        for start in range(len(words) - 1):  # words before the title may begin with capitals too
            if name := _titles().get(" ".join(words[start:])):
                return name
    return None


@cache
def _titles() -> dict[str, str]:
    """Services by their titles, but for those that share one."""
    titles = Counter(title.casefold() for title, _ in services().values())
    own = {title.casefold(): name for name, (title, _) in services().items() if titles[title.casefold()] == 1}
    return own | {"gemini api": "generativelanguage.googleapis.com"}  # as the Cloud Console calls it


def project_in(text: str) -> str | None:
    """The first project id or number in the text."""
    return _first(_PROJECT_IN, text)


def project_in_name(name: str) -> str | None:
    """The project in a resource name, a consumer (`projects/123`, `project_number:123`) or a bare number."""
    if name.isdigit():
        return name
    found = re.search(rf"(?:projects/|project_number:|project:)({_PROJECT_ID})(?![\w-])", name)
    return found.group(1) if found else None


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> str | None:
    text = text[:_NAME_WINDOW]
    for pattern in patterns:
        for found in pattern.finditer(text):
            value = found.group(1)
            if value and value not in _NOT_NAMES:
                return value
    return None
