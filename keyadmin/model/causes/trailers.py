"""gRPC's trailer `grpc-status-details-bin`, a google.rpc.Status in protobuf bytes, as the JSON that REST would have said.

Without it a pasted trailer is a message and a number. Bytes are taken as they come: in base64 (curl, grpcurl, proxies' logs),
as Python and Rust print them, and in hexadecimal (Node.js). What is cut off is read as far as it goes.
Field numbers: google/rpc/status.proto and google/rpc/error_details.proto.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, Final

_NAME: Final = "grpc-status-details-bin"
_LENGTH: Final = 40_000  # characters of one trailer: gRPC itself allows 8 KiB of metadata
_BYTES: Final = re.compile(
    rf"(?:{_NAME}['\"]?\s*[:=,]?\s*(?:value=)?|\bdetails: )"
    rf"b(?P<quote>['\"])(?P<escaped>(?:\\.|(?!(?P=quote))[^\n]){{2,{_LENGTH}}})(?P=quote)"
)
_BASE64: Final = re.compile(rf"{_NAME}['\"]?\s*(?:=>|[:=,])?\s*[\[('\"]*\s*(?P<base64>[A-Za-z0-9+/_-]{{8,{_LENGTH}}}={{0,2}})")
_HEX: Final = re.compile(rf"{_NAME}['\"]?\s*(?:=>|[:=,])?\s*\[?\s*<Buffer (?P<hex>(?:[0-9a-f]{{2}} ?)+)")
_TYPE: Final = "type.googleapis.com/google.rpc."

_VARINT, _LONG, _BYTES_TYPE, _SHORT = 0, 1, 2, 5
Value = int | bytes


def spelt_out(text: str) -> str:
    """The text with its binary trailers as JSON."""
    if _NAME not in text and "details: b" not in text:
        return text
    for pattern in (_BYTES, _HEX, _BASE64):
        text = pattern.sub(_spelt, text)
    return text


def _spelt(found: re.Match[str]) -> str:
    details = list(_details(_raw(found)))
    return f"{_NAME} {json.dumps({'details': details}, ensure_ascii=False)}" if details else found[0]


def _raw(found: re.Match[str]) -> bytes:
    named = found.groupdict()
    try:
        if named.get("hex"):
            return bytes.fromhex(named["hex"])
        if named.get("base64"):
            plain = named["base64"].rstrip("=").replace("-", "+").replace("_", "/")
            return base64.b64decode(plain[: len(plain) - (len(plain) % 4 == 1)] + "=" * (-len(plain) % 4))
        return named["escaped"].encode("latin-1", "replace").decode("unicode_escape").encode("latin-1", "replace")
    except (ValueError, binascii.Error):
        return b""


def _details(status: bytes) -> Iterator[dict[str, Any]]:
    """The details of a google.rpc.Status that say something."""
    for number, value in _fields(status):
        if number == 3 and isinstance(value, bytes):
            parts = dict(_fields(value))
            kind = _text(parts.get(1)).removeprefix(_TYPE)
            body = parts.get(2)
            if kind in _READERS and isinstance(body, bytes):
                yield {"@type": _TYPE + kind, **_READERS[kind](body)}


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """The fields of one message, until its end or the first that is broken."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
        elif kind == _BYTES_TYPE:
            length, at = _varint(data, at)
            yield number, data[at : at + length]
            at += length
        elif kind in (_LONG, _SHORT):
            at += 8 if kind == _LONG else 4
        else:
            return


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            break
        shift += 7
    return value, at


def _text(value: Value | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _map(data: bytes, field: int) -> dict[str, str]:
    pairs = (dict(_fields(value)) for number, value in _fields(data) if number == field and isinstance(value, bytes))
    return {_text(pair.get(1)): _text(pair.get(2)) for pair in pairs}


def _error_info(data: bytes) -> dict[str, Any]:
    parts = dict(_fields(data))
    return {"reason": _text(parts.get(1)), "domain": _text(parts.get(2)), "metadata": _map(data, 3)}


def _quota_failure(data: bytes) -> dict[str, Any]:
    return {"violations": [_quota_violation(value) for _, value in _fields(data) if isinstance(value, bytes)]}


def _quota_violation(data: bytes) -> dict[str, Any]:
    parts = dict(_fields(data))
    known = {"subject": 1, "description": 2, "quotaMetric": 4, "quotaId": 5}
    out: dict[str, Any] = {name: _text(parts[number]) for name, number in known.items() if number in parts}
    out |= {"quotaDimensions": dimensions} if (dimensions := _map(data, 6)) else {}
    return out | ({"quotaValue": str(parts[7])} if 7 in parts else {})


def _precondition_failure(data: bytes) -> dict[str, Any]:
    names = {1: "type", 2: "subject", 3: "description"}
    violations = (dict(_fields(value)) for _, value in _fields(data) if isinstance(value, bytes))
    return {"violations": [{names[key]: _text(value) for key, value in each.items() if key in names} for each in violations]}


def _retry_info(data: bytes) -> dict[str, Any]:
    delay = dict(_fields(data)).get(1)
    seconds = dict(_fields(delay)).get(1) if isinstance(delay, bytes) else None
    return {"retryDelay": f"{seconds}s"} if isinstance(seconds, int) else {}


def _help(data: bytes) -> dict[str, Any]:
    links = (dict(_fields(value)) for _, value in _fields(data) if isinstance(value, bytes))
    return {"links": [{"description": _text(link.get(1)), "url": _text(link.get(2))} for link in links]}


def _localized(data: bytes) -> dict[str, Any]:
    parts = dict(_fields(data))
    return {"locale": _text(parts.get(1)), "message": _text(parts.get(2))}


_READERS: Final = {
    "ErrorInfo": _error_info,
    "QuotaFailure": _quota_failure,
    "PreconditionFailure": _precondition_failure,
    "RetryInfo": _retry_info,
    "Help": _help,
    "LocalizedMessage": _localized,
}
