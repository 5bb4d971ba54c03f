"""How a REST answer is written: JSON pretty-printed, compact, partial, with enum numbers, gzipped, or as events."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from keyadmin.sandbox.api import Encoded, Json, Method, Raw, Stream
from keyadmin.sandbox.messages import selector
from keyadmin.sandbox.messages.enums import with_enum_numbers
from keyadmin.sandbox.messages.pretty import pretty
from keyadmin.sandbox.messages.status import HTTP_STATUS, Code, RpcError, invalid

COMPRESS_FROM = 4096  # bytes

# System parameters: https://cloud.google.com/apis/docs/system-parameters
SYSTEM = {
    *("alt", "$alt", "fields", "$fields", "prettyPrint", "$prettyPrint", "key", "access_token", "oauth_token", "callback"),
    *("quotaUser", "$.xgafv", "uploadType", "upload_protocol", "$unique", "$userProject", "userProject", "$apiVersion"),
}
_HEADERS = {
    "Content-Type": "application/json; charset=UTF-8",
    "Vary": "Origin, X-Origin, Referer",
    "Server": "ESF",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "0",
}


@dataclass(frozen=True, slots=True)
class Manner:
    """What the system parameters of a request ask of its answer."""

    events: bool = False  # alt=sse
    numbers: bool = False  # $alt=json;enum-encoding=int
    fields: selector.Tree | None = None
    compact: bool = False  # prettyPrint=false
    old_errors: bool = False  # alt=json in so many words, and no $alt: what clients of the older format send

    @property
    def plain(self) -> bool:
        """Nothing was asked: an answer already encoded can go out as it is."""
        return not (self.numbers or self.fields or self.compact)


PLAIN = Manner()


def manner_of(pairs: list[tuple[str, str]], *, streams: bool) -> Manner:
    """From the query parameters, before anything is done. Raises INVALID_ARGUMENT."""
    system = {name.lstrip("$"): value for name, value in pairs if name in SYSTEM}
    if not system:
        return PLAIN
    alt, _, options = system.get("alt", "json").partition(";")
    if alt not in ("json", "sse" if streams else "json"):
        raise invalid(f"Invalid value at 'alt': {alt[:40]!r} is not available; use json.", "alt")
    return Manner(
        events=alt == "sse",
        numbers="enum-encoding=int" in options,
        fields=selector.parse(system["fields"]) if "fields" in system else None,
        compact=system.get("prettyPrint") == "false",
        old_errors=("alt", "json") in pairs and all(name != "$alt" for name, _ in pairs),
    )


def respond(method: Method, answer: Json | Encoded | Stream | Raw, manner: Manner, *, zipped: bool) -> web.Response:
    """The answer of a rule; `zipped` = the client takes gzip."""
    if isinstance(answer, Raw):
        return web.Response(body=answer.body, headers=_HEADERS | {"Content-Type": answer.content_type})
    if isinstance(answer, Stream) and (manner.events or answer.event):
        return web.Response(body=_events(answer).encode(), headers=_HEADERS | {"Content-Type": "text/event-stream"})
    if isinstance(answer, Encoded):
        if manner.plain:
            return _body(answer.rest, zipped)
        answer = answer.data
    data: Any = answer.messages if isinstance(answer, Stream) else answer
    if manner.numbers and method.response is not None:
        data = with_enum_numbers(data, method.response)
    if manner.fields:
        data = selector.select(data, manner.fields)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")) if manner.compact else pretty(data)
    return _body(f"{text}\n".encode(), zipped)


def _events(answer: Stream) -> str:
    """Server-sent events. Named ones end with `done`, as the Interactions API writes them."""
    texts = [(message, json.dumps(message, ensure_ascii=False)) for message in answer.messages]
    if not answer.event:
        return "".join(f"data: {text}\r\n\r\n" for _, text in texts)
    named = [f"event: {message[answer.event]}\ndata: {text}\n\n" for message, text in texts]
    return "".join(named) + "event: done\ndata: [DONE]\n\n"


def _body(body: bytes, zipped: bool) -> web.Response:
    if zipped and len(body) >= COMPRESS_FROM:
        return web.Response(body=gzip.compress(body, 1), headers=_HEADERS | {"Content-Encoding": "gzip"})
    return web.Response(body=body, headers=_HEADERS)


def refuse(error: RpcError, *, in_array: bool = False, old: bool = False) -> web.Response:
    """The error body; `in_array` as a stream of JSON objects begins; `old` = with the list `errors`."""
    headers = dict(_HEADERS)
    if error.code == Code.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/"'
    body: Any = [error.rest()] if in_array else error.rest(listed=old)
    text = json.dumps(body, ensure_ascii=True, indent=2) + "\n"
    return web.Response(body=text.encode(), status=HTTP_STATUS[error.code], headers=headers)
