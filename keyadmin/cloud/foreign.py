"""Answers that are not Google's: a gateway's block page, a guest network's login, a proxy's error. They judge nothing."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from keyadmin.model.secret import redact

_TITLE: Final = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MOST: Final = 65_536  # bytes of a page that are searched for its title
_PASSING: Final = (408, 429)


class ForeignAnswer(Exception):
    """An HTTP answer that is not in the form of the service asked. Its text never holds the body, which may hold anything.

    `said` = what came, in words. `status` = the HTTP status.
    """

    def __init__(self, host: str, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
        """`body` = None where gRPC kept it to itself."""
        self.host = host
        self.status = status
        self.said = f"HTTP {status} in place of gRPC" if body is None else _said(status, headers, body)
        super().__init__(f"{host}: {self.said}")

    @property
    def passing(self) -> bool:
        """Whether the same call may well be answered rightly in a moment."""
        return self.status >= 500 or self.status in _PASSING

    @property
    def sent(self) -> bool:
        """Whether the service may have seen the call: a gateway that failed may have passed it on."""
        return self.status >= 500


def _said(status: int, headers: Mapping[str, str], body: bytes) -> str:
    if 300 <= status < 400 and (place := urlsplit(headers.get("Location", "")).hostname):
        return f"HTTP {status}, which leads to {redact(place)}"
    title = page_title(body)
    if title:
        return f"HTTP {status} with a page titled {title!r}"
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return (
        f"HTTP {status} with {redact(kind)[:60] or 'a text'} that is not Google's"
        if body.strip()
        else f"HTTP {status} and no text"
    )


def page_title(body: bytes) -> str:
    """The title of an HTML page in one line of at most 80 characters; empty where it has none."""
    found = _TITLE.search(body[:_MOST])
    if found is None:
        return ""
    text = html.unescape(found.group(1).decode("utf-8", "replace"))
    return redact(" ".join("".join(c if c.isprintable() or c.isspace() else " " for c in text).split()))[:80]


def decoded(raw: bytes) -> Any:
    """The JSON, {} for an empty body, None for anything else."""
    try:
        return json.loads(raw) if raw.strip() else {}
    except ValueError:
        return None


def error_object(body: Any) -> bool:
    """Whether it is an error of Google's APIs: `{"error": {"code": NUMBER, ...}}`, some services wrap it in a list."""
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") if isinstance(body, Mapping) else None
    return isinstance(error, Mapping) and isinstance(error.get("code"), int) and ("message" in error or "status" in error)


def oauth_error(body: Any) -> bool:
    """Whether it is an error of OAuth (RFC 6749, 5.2): `{"error": "invalid_grant", ...}`."""
    return isinstance(body, Mapping) and isinstance(body.get("error"), str)
