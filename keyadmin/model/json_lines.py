"""Many values as JSON, a line each, as fast as it goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def json_lines(values: Sequence[Any], *, plain: bool = False) -> str:
    """A line each, its end included; no line break stands in JSON itself. `plain` = in ASCII."""
    if not plain:
        import msgspec

        try:
            return msgspec.json.Encoder().encode_lines(values).decode()
        except (UnicodeEncodeError, msgspec.MsgspecError):
            pass  # half a character, as others may write it
    return "".join(json.dumps(each, ensure_ascii=True) + "\n" for each in values)
