"""Reads ErrorFacts out of any pasted text: JSON (escaped any number of times, or cut off), Python's, Ruby's and PHP's print of
it, gcloud's YAML, protobuf text, the lines of gRPC and of Google's clients, audit log entries, with noise around.

There is no parser for each: after `plain` has undone escapes, frames and colours, one detail looks alike in all of them, a
name,
a sign, a value. So truncated and broken documents are read as far as they go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from keyadmin.model.causes import names, provenance, wording
from keyadmin.model.causes.entry import Pattern
from keyadmin.model.causes.facts import ErrorFacts, Origin, Violation
from keyadmin.model.causes.plain_text import OWN

MAX_DETAILS: Final = 200  # a log that repeats one error says it often enough
_BEFORE: Final = 3_000  # how far before its details an error's message may begin
_AROUND: Final = 1_500
_LOOKED_AT: Final = 10_000  # of an entry, to tell whether it is an error
_NEIGHBOURS: Final = 50  # so many entries of a log are looked through for names that its errors lack
_RECORD_LENGTH: Final = 60_000  # of a longer record the parts are read in which something stands

_SIGN: Final = r"""["'\]]?\s*(?::|=>?)\s*["'*\[]{0,3}"""
_REASON: Final = re.compile(rf"\breason(?:Code)?{_SIGN}([A-Z][A-Z0-9_]{{3,62}})\b")
_BARE_REASON: Final = re.compile(
    r"\b(ACCESS_TOKEN_TYPE_UNSUPPORTED|MODEL_CAPACITY_EXHAUSTED|ACCESS_TOKEN_SCOPE_INSUFFICIENT)\b"
)
_LEGACY: Final = re.compile(rf"\b[Rr]eason{_SIGN}([a-z][A-Za-z]{{4,40}})\b|\bReason\[([a-z][A-Za-z]{{4,40}})\]")
_GO_LEGACY: Final = re.compile(r"\bgoogleapi: .{0,4000}?, ([a-z][A-Za-z]{4,40})(?=$|[\s'\"`)])", re.DOTALL)
_DETAIL: Final = re.compile(r"@type|\bname = [A-Z]\w+ (?:reason|desc)")
_OBJECT: Final = re.compile(r"""\berror["']?\s*(?::|=>?)\s*[\[{]""")
_DOMAIN: Final = re.compile(rf"\bdomain{_SIGN}([a-z][\w.-]+)")
_PAIR: Final = re.compile(
    r"""(?:\bkey:\s*["'](?P<key>[A-Za-z_]+)["'],?\s*value:\s*|["'\[]?\b(?P<name>consumer|service|services|permissions?|"""
    r"""resource|containerInfo|project|quota_limit_value|quota_limit|quota_metric|quota_unit|model)["'\]]?\s*(?::|=>?)\s*)["']?"""
    r"""(?P<value>[^\s"',}\])]+)"""
)
_RETRY: Final = re.compile(
    r"""\b(?:retry_?delay["']?\s*(?::|=)\s*(?:\{\s*seconds:\s*)?["']?|retry in |retry after |reset after )"""
    r"""(\d+(?:\.\d+)?)(?=s|["'}\s]|$)""",
    re.IGNORECASE,
)
_VIOLATION: Final = re.compile(
    rf"\btype{_SIGN}(?P<kind>constraints/[\w./]+|[\w.]+/[\w.-]+|TOS\b|VPC_SERVICE_CONTROLS\b)|"
    rf"\bsubject{_SIGN}(?P<subject>[^\s\"',}}\]]+)"
)
_QUOTA_ID: Final = re.compile(rf"\b(?:quota_?[iI]d){_SIGN}([A-Za-z][\w-]+)")
_QUOTA_METRIC: Final = re.compile(rf"\b(?:quota_?[mM]etric){_SIGN}([\w./-]+)")
_QUOTA_VALUE: Final = re.compile(rf"\b(?:quota_?[vV]alue){_SIGN}(\d+)")
_LINK: Final = re.compile(rf"\burl{_SIGN}(https://[^\s\"'}}\]]+)")
_CODE_WORD: Final = re.compile(
    r"""\b(?:error|error_subtype|code|error_code)["']?\s*(?::|=>?)\s*["']?([a-z]+(?:[_/.-][a-z-]+)+)\b|\((auth/[a-z-]+)\)"""
)
# Firebase's clients end their sentences with a code of their own, in brackets or after the name of the error.
_OF_FIREBASE: Final = re.compile(
    r"(?<![\w/.-])(?:firebase_)?((?:storage|messaging|installations|app-?[cC]heck|AI|auth)/[a-z]+(?:-[a-z]+)+)(?![\w/-])"
)

# How a web socket (Gemini's Live API) was closed: https://www.iana.org/assignments/websocket
_CLOSED: Final = re.compile(
    r"(?:\bclosed?(?: with)?(?: code)?|\breceived|\bsent|websocket(?: error)?|connectionclosed\w*:?)\W{0,3}(1007|1011|1013)\b",
    re.IGNORECASE,
)

# Google's sign-in page names its error so in every language: `Error 403: access_denied`, `錯誤 403：access_denied`,
# `403 오류: access_denied`.
_PAGE: Final = re.compile(r"\b40[0134]\)?\s?(?:[^\W\da-zA-Z_]{1,9}\s?)?[:：]\s?([a-z]{3,20}(?:_[a-z]{3,20}){1,3})\b")
# And it links to the part of Google's documentation that is about it.
_PAGE_LINK: Final = re.compile(r"identity/protocols/oauth2/[a-z-]+#authorization-errors-([a-z-]{3,40})\b")

_NAME: Final = "[A-Z][A-Z_]{4,24}"
_STATUS: Final = (
    re.compile(rf"\bstatus{_SIGN}({_NAME})[\"']"),
    re.compile(rf"\bStatusCode[.=]+\"?({_NAME}|[A-Z][A-Za-z]{{4,24}})\b"),
    re.compile(r"\bcode = ([A-Z][A-Za-z]{4,24}) desc\b"),
    re.compile(rf"\(gcloud[\w.-]*\) ({_NAME}):"),
    re.compile(rf"\b[Ss]tatus(?: code)?[:{{]? ?(?:code=)?({_NAME})\b"),
    re.compile(rf"\b\d{{1,3}} ({_NAME})\b"),  # Node: `7 PERMISSION_DENIED: ...`; google-genai: `429 RESOURCE_EXHAUSTED. ...`
    re.compile(rf": (?:(?<=Exception: )|(?<=Error: ))({_NAME})\b"),  # Java: `StatusRuntimeException: PERMISSION_DENIED: ...`
    re.compile(r"\b([A-Z][a-z]+[A-Z][a-z]+)(?:: \d{3}\b|\(['\"])"),  # google-api-core: `ResourceExhausted: 429 ...`, its repr
    re.compile(rf"(?:^|[\s\"'(\[])(?!UNKNOWN|INTERNAL|CANCELLED|ABORTED)({_NAME}): "),  # C++, and many a program's own line
)
_CODE: Final = re.compile(r"[45]\d\d\b")
_CODE_BEFORE: Final = re.compile(
    r"(?:\b(?:[Ee]rror|HttpError|HTTPError|HTTP [Ee]rror:?|HTTP|got HTTP response code|got status:|[Ss]tatus(?: [Cc]ode)?:?|"
    r"HTTP/[\d.]+\"?|JsonResponseException:|"
    r"[Ee]rror code:|[Cc]ode\"? ?:|google\.(?:api_core\.exceptions|genai\.errors)\.\w+:)|<HttpError|\[) ?$"
)
# google.rpc.Code by number: what an audit log entry's `status.code` and `grpc_status` are.
_NUMBERS: Final = {
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    16: "UNAUTHENTICATED",
}
_NUMBER: Final = re.compile(
    r"""\bgrpc[_-]status["']?\s*[:=]\s*["']?(\d{1,2})\b|\bstatus["']?: ?\{ ?["']?code["']?: ?(\d{1,2})\b|"""
    r"""\bcode: (\d{1,2}) (?:> ?)?message: ["']"""
)
_GENERIC: Final = re.compile(r"\b[Gg]eneric::([a-z_]{4,24}):")  # as Google's servers write a status among themselves
_STATUSES: Final = frozenset({*_NUMBERS.values(), "CANCELLED", "UNKNOWN", "OUT_OF_RANGE", "UNIMPLEMENTED", "DATA_LOSS"})
_ANY_STATUS: Final = (*_STATUSES, *(name.title().replace("_", "") for name in _STATUSES))


def read(record: str, whole: str, around: str = "") -> Iterator[ErrorFacts]:
    """What one entry of a text says of its error: by each of its details, then by all of it.

    `whole` = the text it stands in, `around` = what of that may name things. All have been gone over by `plain`.
    """
    record = record[-_RECORD_LENGTH:]
    origin, _ = provenance.origin(record, whole)
    yield from (replace(facts, around=f"{record[:_AROUND]} {around}") for facts in details(record))
    yield replace(_facts(record), origin=origin, legacy=_legacy(record), codes=_codes(record), around=around)


def pieces(record: str) -> list[str]:
    """The entry; of a very long one the parts around what may be an error in it, wherever they stand, and its end.

    Its end, because a traceback says there what happened.
    """
    if len(record) <= _RECORD_LENGTH:
        return [record]
    low = wording.lowered(record)
    found = {each.start() for pattern in (_REASON, _BARE_REASON) for each in pattern.finditer(record)}
    for pattern, _ in wording.present([low]):
        found.update(wording.places(low, pattern))
    out: list[tuple[int, int]] = []
    for place in sorted(found):
        if out and place - out[-1][1] < _BEFORE:
            out[-1] = (out[-1][0], place)
        else:
            out.append((place, place))
    parts = [(max(0, first - _BEFORE), last + _BEFORE) for first, last in out]
    if not parts or parts[-1][1] < len(record) - _BEFORE:
        parts.append((len(record) - _BEFORE if parts else 0, len(record)))
    return [part for first, last in parts for part in _ends(record[first:last])]


def _ends(text: str) -> list[str]:
    return [text] if len(text) <= _RECORD_LENGTH else [text[:_RECORD_LENGTH], text[-_RECORD_LENGTH:]]


def names_near(records: list[str]) -> str:
    """What stands beside the errors of a text: the beginnings of its entries that are no error, which may name things."""
    low = [wording.lowered(record[:_LOOKED_AT]) for record in records[:_NEIGHBOURS]]
    words = [pattern for pattern, _ in wording.present(low)]
    out = ""
    for record, flat in zip(records, low, strict=False):
        if not _is_error(record[:_LOOKED_AT], flat, words):
            out += f"{record[:_AROUND]} "
        if len(out) > _AROUND:
            break
    return out[:_AROUND].replace(OWN, "")


def _is_error(text: str, flat: str, words: list[Pattern]) -> bool:
    """Whether it has what errors have: a status, a code, a reason, the words of a cause (`flat` = in lower case)."""
    if status_in(text) is not None or _code_in(text) is not None or _REASON.search(text):
        return True
    return any(next(wording.places(flat, pattern), None) is not None for pattern in words)


def _legacy(text: str) -> tuple[str, ...]:
    """The reasons of older APIs (`errors[].reason`); Go's client ends its line with one."""
    found = [first or second for first, second in _LEGACY.findall(text)] if "eason" in text else []
    return tuple(dict.fromkeys(found + (_GO_LEGACY.findall(text) if "googleapi: " in text else [])))


def _codes(text: str) -> tuple[str, ...]:
    """Codes in words: `"error": "invalid_grant"`, `(auth/invalid-api-key)`."""
    closed = [f"websocket-{code}" for code in _CLOSED.findall(text)] if "10" in text else []
    closed += [f"page-{code}" for code in (*_PAGE.findall(text), *provenance.PAGE.findall(text))] if "40" in text else []
    closed += [f"page-{code.replace('-', '_')}" for code in _PAGE_LINK.findall(text)] if "authorization-errors-" in text else []
    closed += [code.lower() for code in _OF_FIREBASE.findall(text)] if "irebase" in text else []
    if "error" not in text and "code" not in text and "auth/" not in text:
        return tuple(dict.fromkeys(closed))
    return tuple(dict.fromkeys([*(first or second for first, second in _CODE_WORD.findall(text)), *closed]))


def details(text: str) -> Iterator[ErrorFacts]:
    """The structured details (ErrorInfo and what stands beside it) in a text that `plain` has gone over, in their order."""
    found = list(_REASON.finditer(text)) if "reason" in text else []
    found = found or list(_BARE_REASON.finditer(text))
    if len(found) > MAX_DETAILS:
        found = found[: MAX_DETAILS // 2] + found[-MAX_DETAILS // 2 :]
    before = 0
    for place, each in enumerate(found):
        following = found[place + 1].start() if place + 1 < len(found) else len(text)
        yield _detail(text, each, before, following)
        before = each.end()


def _detail(text: str, reason: re.Match[str], before: int, following: int) -> ErrorFacts:
    start, end = _bounds(text, reason, before, following)
    detail = text[start:end]
    opening = max(before, reason.start() - _BEFORE)
    for mark in _OBJECT.finditer(text, opening, reason.start()):  # an error object that begins after the last detail
        opening = mark.start()
    around = text[opening : min(following, reason.end() + _AROUND)]
    domain = _DOMAIN.search(detail)
    return replace(_facts(around), reason=reason[1], domain=domain[1] if domain else None, metadata=_pairs(detail))


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in _PAIR.finditer(text):
        found.setdefault(pair["key"] or pair["name"], pair["value"])
    return found


def _facts(text: str) -> ErrorFacts:
    """What stands in the text, whatever it is a part of."""
    status, code = status_in(text), None
    if status is None:
        code = _code_in(text)
    return ErrorFacts(
        code=code,
        status=status,
        message=text,
        violations=_violations(text),
        links=tuple(dict.fromkeys(_LINK.findall(text) if "url" in text else ())),
        retry_delay=retry_delay(text),
        origin=Origin.GOOGLE,
    )


def _violations(text: str) -> tuple[Violation, ...]:
    found = [Violation(kind=each["kind"] or "", subject=each["subject"] or "") for each in _VIOLATION.finditer(text) if each[0]]
    ids, metrics, values = _QUOTA_ID.findall(text), _QUOTA_METRIC.findall(text), _QUOTA_VALUE.findall(text)
    most = max(len(ids), len(metrics))
    model = names.model_in(text) or "" if most else ""
    found += [
        Violation(
            quota_id=ids[place] if place < len(ids) else "",
            metric=metrics[place] if place < len(metrics) else "",
            value=values[place] if len(values) == most else "",
            model=model,
        )
        for place in range(most)
    ]
    return tuple(found)


def _bounds(text: str, reason: re.Match[str], before: int, following: int) -> tuple[int, int]:
    """Where the detail that holds this reason begins and ends: details are told apart by their types."""
    start = max(before, reason.start() - _AROUND)
    for mark in _DETAIL.finditer(text, start, reason.start() + 1):
        start = mark.start()
    end = min(following, reason.end() + _AROUND)
    after = _DETAIL.search(text, reason.end(), end)
    return start, after.start() if after else end


def retry_delay(text: str) -> float | None:
    """RetryInfo's delay, or the one in words, in seconds."""
    found = _RETRY.search(text) if "retry" in text.lower() or "reset" in text else None
    return float(found[1]) if found else None


def status_in(text: str) -> str | None:
    """The canonical status (`PERMISSION_DENIED`) that the text states."""
    if (number := _NUMBER.search(text)) is not None and (name := _NUMBERS.get(int(number[1] or number[2] or number[3]))):
        return name
    if "eneric::" in text and (spelt := _GENERIC.search(text)) is not None and spelt[1].upper() in _STATUSES:
        return spelt[1].upper()
    if not any(name in text for name in _ANY_STATUS):
        return None
    for pattern in _STATUS:
        for found in pattern.finditer(text):
            name = found[1] if found[1].isupper() else re.sub(r"(?<!^)(?=[A-Z])", "_", found[1]).upper()
            if name in _STATUSES:
                return name
    return None


def _code_in(text: str) -> int | None:
    for code in _CODE.finditer(text):
        if _CODE_BEFORE.search(text, max(0, code.start() - 60), code.start()):
            return int(code[0])
    return None
