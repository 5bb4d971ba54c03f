"""JSON text as Google prints it: indented by two. Several times as fast as `json.dumps(indent=2)`, which is not in C."""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import Any


def pretty(value: Any, line: str = "\n") -> str:
    """The text of a JSON value; `line` = a line break and the indentation where the value stands."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        if not value:
            return "{}"
        inner = f"{line}  "
        members = [f"{encode_basestring(name)}: {pretty(item, inner)}" for name, item in value.items()]
        return f"{{{inner}{f',{inner}'.join(members)}{line}}}"
    if isinstance(value, list):
        if not value:
            return "[]"
        inner = f"{line}  "
        return f"[{inner}{f',{inner}'.join([pretty(item, inner) for item in value])}{line}]"
    return json.dumps(value)
