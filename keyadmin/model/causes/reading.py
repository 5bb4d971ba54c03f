"""Reads ErrorFacts out of any pasted text: JSON (escaped any number of times, or cut off), Python's repr of it, gcloud's YAML,
protobuf text, Go's and gRPC's lines, with noise around.

There is no parser for each: after `plain` has undone escapes, frames and colours, one detail looks alike in all of them,
`reason`, then a sign, then a name in capitals. So truncated and broken documents are read as far as they go.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

from keyadmin.model.causes import wording
from keyadmin.model.causes.classify import ErrorFacts, Violation

MAX_CHARACTERS: Final = 2_000_000  # of more, the beginning and the end are read
MAX_DETAILS: Final = 200  # a log that repeats one error says it often enough
_BEFORE: Final = 3_000  # how far before its details an error's message may begin
_AROUND: Final = 1_500

_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FRAME: Final = re.compile("[─-╿▀-▟]+")
# A run of backslashes is tried once, where it begins: escapes of any depth, in linear time.
_BREAK: Final = re.compile(r"(?<!\\)\\++[nrt]")
_CHARACTER: Final = re.compile(r"(?<!\\)\\++u00(3[ce]|2[67])", re.IGNORECASE)

_REASON: Final = re.compile(r"""\breason["']?\s*(?::|=>?)\s*["'*]{0,3}([A-Z][A-Z0-9_]{3,62})\b""")
_DETAIL: Final = re.compile(r"@type|\bname = [A-Z]\w+ (?:reason|desc)")
_OBJECT: Final = re.compile(r"""\berror["']?\s*(?::|=>?)\s*[\[{]""")
_DOMAIN: Final = re.compile(r"""\bdomain["']?\s*(?::|=>?)\s*["']?([a-z][\w.-]+)""")
_PAIR: Final = re.compile(
    r"""(?:\bkey:\s*["'](?P<key>[A-Za-z_]+)["'],?\s*value:\s*|["']?\b(?P<name>consumer|service|services|permissions?|"""
    r"""resource|containerInfo|project)["']?\s*(?::|=>?)\s*)["']?(?P<value>[^\s"',}\]]+)"""
)
_RETRY: Final = re.compile(r"""\bretry_?delay["']?\s*(?::|=)\s*(?:\{\s*seconds:\s*)?["']?(\d+(?:\.\d+)?)""", re.IGNORECASE)
_VIOLATION: Final = re.compile(r"""\btype["']?\s*(?::|=>?)\s*["']?(constraints/[\w./]+|[\w.]+/[\w.-]+)""")
_LINK: Final = re.compile(r"""\burl["']?\s*(?::|=>?)\s*["']?(https://[^\s"'}\]]+)""")

_NAME: Final = "[A-Z][A-Z_]{4,24}"
_STATUS: Final = (
    re.compile(rf"""\bstatus["']?\s*(?::|=>?)\s*["']({_NAME})["']"""),
    re.compile(rf"\bStatusCode\.({_NAME})\b"),
    re.compile(r"\bcode = ([A-Z][A-Za-z]{4,24}) desc\b"),
    re.compile(rf"\(gcloud[\w.-]*\) ({_NAME}):"),
    re.compile(rf"\b[Ss]tatus(?: code)?: ({_NAME})\b"),
    re.compile(rf"\b\d{{1,3}} ({_NAME})\b"),  # Node: `7 PERMISSION_DENIED: ...`; google-genai: `429 RESOURCE_EXHAUSTED. ...`
    re.compile(rf": (?:(?<=Exception: )|(?<=Error: ))({_NAME})\b"),  # Java: `StatusRuntimeException: PERMISSION_DENIED: ...`
    re.compile(r"\b([A-Z][a-z]+[A-Z][a-z]+): \d{3}\b"),  # google-api-core: `ResourceExhausted: 429 ...`
)
_CODE: Final = re.compile(r"[45]\d\d\b")
_CODE_BEFORE: Final = re.compile(
    r"\b(?:Error|HttpError|HTTPError|HTTP [Ee]rror:?|got HTTP response code|[Ss]tatus(?: code)?:?|HTTP/[\d.]+|"
    r"google\.(?:api_core\.exceptions|genai\.errors)\.\w+:) $"
)
_GOOGLE: Final = ("google", "gcloud", "gemini", "gserviceaccount", "firebase")
_STATUSES: Final = frozenset(
    ["CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED"]
).union(
    ["UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"],
    ["INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
)
_ANY_STATUS: Final = (*_STATUSES, *(name.title().replace("_", "") for name in _STATUSES))


def decoded(data: bytes) -> str:
    """Bytes of unknown origin as text: UTF-8, or UTF-16 where a byte order mark says so (PowerShell's `>` writes that)."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return data.decode(encoding, "replace")


def plain(text: str) -> str:
    """The text without escapes, colours, frames and runs of blanks."""
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS // 2] + "\n" + text[-MAX_CHARACTERS // 2 :]
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    if not text.isascii():
        text = _FRAME.sub(" ", text)
    if "\\" in text:
        if "u00" in text:
            text = _CHARACTER.sub(lambda found: chr(int(found[1], 16)), text)
        text = _BREAK.sub(" ", text).replace("\\", "")
    return " ".join(text.split())


def details(text: str) -> Iterator[ErrorFacts]:
    """The structured details (ErrorInfo and what stands beside it) in a text that `plain` has gone over, in their order."""
    found = list(_REASON.finditer(text))
    if len(found) > MAX_DETAILS:
        found = found[: MAX_DETAILS // 2] + found[-MAX_DETAILS // 2 :]
    before = 0
    for place, each in enumerate(found):
        following = found[place + 1].start() if place + 1 < len(found) else len(text)
        yield _facts(text, each, before, following)
        before = each.end()


def _facts(text: str, reason: re.Match[str], before: int, following: int) -> ErrorFacts:
    start, end = _bounds(text, reason, before, following)
    detail = text[start:end]
    opening = max(before, reason.start() - _BEFORE)
    for mark in _OBJECT.finditer(text, opening, reason.start()):  # an error object that begins after the last detail
        opening = mark.start()
    around = text[opening : min(following, reason.end() + _AROUND)]
    metadata: dict[str, str] = {}
    for pair in _PAIR.finditer(detail):
        metadata.setdefault(pair["key"] or pair["name"], pair["value"])
    domain = _DOMAIN.search(detail)
    return ErrorFacts(
        status=status_in(around),
        message=around,
        reason=reason[1],
        domain=domain[1] if domain else None,
        metadata=metadata,
        violations=tuple(Violation(kind=kind) for kind in _VIOLATION.findall(around)),
        links=tuple(_LINK.findall(around)),
        retry_delay=retry_delay(around),
    )


def _bounds(text: str, reason: re.Match[str], before: int, following: int) -> tuple[int, int]:
    """Where the detail that holds this reason begins and ends: details are told apart by their types."""
    start = max(before, reason.start() - _AROUND)
    for mark in _DETAIL.finditer(text, start, reason.start() + 1):
        start = mark.start()
    end = min(following, reason.end() + _AROUND)
    after = _DETAIL.search(text, reason.end(), end)
    return start, after.start() if after else end


def loose(text: str) -> ErrorFacts | None:
    """What a text without known details says by its words, else by its status; None where it says nothing.

    The names are those nearest to the words that decided.
    """
    match = wording.find(text)
    if match is not None:
        sentence = text[match.start : match.start + _AROUND]
        earlier = text[max(0, match.start - 800) : match.start]
        return ErrorFacts(
            status=status_in(earlier + sentence),
            message=earlier[-60:] + sentence,
            retry_delay=retry_delay(sentence),
            service=wording.service_in(earlier),
        )
    status, place = _status(text)
    if status is not None:
        window = text[max(0, place - 800) : place + 800]
        return ErrorFacts(status=status, message=window, retry_delay=retry_delay(window))
    for code in _CODE.finditer(text) if any(name in text.lower() for name in _GOOGLE) else ():  # else it may be anybody's
        if _CODE_BEFORE.search(text, max(0, code.start() - 60), code.start()):
            return ErrorFacts(code=int(code[0]), message=text[max(0, code.start() - 300) : code.end() + 800])
    return None


def retry_delay(text: str) -> float | None:
    """RetryInfo's delay, in seconds."""
    found = _RETRY.search(text)
    return float(found[1]) if found else None


def status_in(text: str) -> str | None:
    """The canonical status (`PERMISSION_DENIED`) that the text states."""
    return _status(text)[0]


def _status(text: str) -> tuple[str | None, int]:
    if not any(name in text for name in _ANY_STATUS):
        return None, 0
    for pattern in _STATUS:
        for found in pattern.finditer(text):
            name = found[1] if found[1].isupper() else re.sub(r"(?<!^)(?=[A-Z])", "_", found[1]).upper()
            if name in _STATUSES:
                return name, found.start()
    return None, 0
