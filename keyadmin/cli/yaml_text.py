"""JSON-like data as YAML, piece by piece: of a long list never more than some hundred elements are in memory as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from keyadmin.cli import json_text
from keyadmin.cli.text import clean

_AT_ONCE: Final = 400


def pieces(data: Any, *, plain: bool) -> Iterator[str]:
    """One document, with a line break at its end. `plain` = in ASCII, as it is where others' characters are not safe."""
    unicode = not plain and all(clean(text, keep="\n") == text for text in json_text.pieces(data, plain=False))
    if not isinstance(data, dict) or not any(map(json_text.is_long, data.values())):
        yield _dumped(data, unicode=unicode).rstrip("\n") + "\n"
        return
    for name, value in data.items():
        if json_text.is_long(value):
            yield _dumped({name: []}, unicode=unicode).removesuffix(" []\n") + "\n"
            left = iter(value)
            while batch := list(islice(left, _AT_ONCE)):
                yield _dumped(batch, unicode=unicode)
        else:
            yield _dumped({name: value}, unicode=unicode)


def _dumped(data: Any, *, unicode: bool) -> str:
    """Without tags, and without anchors for values that stand twice."""
    import yaml

    values = json.loads(json.dumps(data, default=json_text.plain_value))
    text: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=unicode, default_flow_style=False)
    return text
