"""Page sizes and page tokens: opaque, and tied to the query that they came from."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from keyadmin.sandbox.messages.status import invalid

Json = dict[str, Any]


def page_size(request: Json, *, default: int, most: int) -> int:
    """The number of items of a page: 0 = the default, more than the cap = the cap. Raises INVALID_ARGUMENT."""
    size = request.get("pageSize", 0)
    if size < 0:
        raise invalid(f"Invalid page size {size}: it must not be negative.", "page_size")
    return min(size or default, most)


def _seal(method: str, request: Json, start: str) -> str:
    """Binds a start to its query, so that a token cut short or made up is refused too."""
    bound = {name: value for name, value in request.items() if name not in ("pageSize", "pageToken")}
    return hashlib.sha256(json.dumps([method, bound, start], sort_keys=True).encode()).hexdigest()[:16]


def read_token(method: str, request: Json) -> str:
    """Where the page starts (a rule's own text; empty = at the beginning). Raises INVALID_ARGUMENT for a foreign token."""
    token = request.get("pageToken", "")
    if not token:
        return ""
    try:
        seal, _, start = base64.urlsafe_b64decode(token.encode("ascii") + b"==").decode().partition(":")
    except (ValueError, UnicodeError):
        seal, start = "", ""
    if seal != _seal(method, request, start):
        raise invalid("The page token is invalid, or belongs to a request with other parameters.", "page_token")
    return start


def make_token(method: str, request: Json, start: str) -> str:
    """The token with which the next page starts."""
    return base64.urlsafe_b64encode(f"{_seal(method, request, start)}:{start}".encode()).decode().rstrip("=")
