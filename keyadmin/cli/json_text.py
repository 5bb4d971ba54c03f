"""JSON-like data as text, piece by piece: of a long list never more than some hundred elements are in memory as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from keyadmin.model.json_lines import json_lines
from keyadmin.model.lazy import MadeLater

LONG: Final = 1000  # elements, from where on each is a line: indenting would take eight times as long
_AT_ONCE: Final = 400


def pieces(data: Any, *, plain: bool) -> Iterator[str]:
    """One document. `plain` = in ASCII."""
    if is_long(data):
        yield "[\n"
        between = ""
        for text in _lines(data, plain=plain):
            yield between + text[:-1].replace("\n", ",\n")
            between = ",\n"
        yield "\n]"
    elif isinstance(data, dict) and any(map(is_long, data.values())):
        between = "{\n"
        for name, value in data.items():
            yield f"{between}{json.dumps(name)}: "
            yield from pieces(value, plain=plain)
            between = ",\n"
        yield "\n}"
    else:
        yield json.dumps(data, ensure_ascii=plain, indent=2, default=plain_value)


def lines(data: Any, *, plain: bool) -> Iterator[str]:
    """A line an element, some of them at once; a line for what is no list."""
    if is_long(data):
        yield from _lines(data, plain=plain)
        return
    for each in data if isinstance(data, list | MadeLater) else [data]:
        yield json.dumps(each, ensure_ascii=plain) + "\n"


def plain_value(value: Any) -> Any:
    """What stands for a value that JSON does not know. Raises TypeError."""
    if isinstance(value, MadeLater):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def is_long(data: Any) -> bool:
    """Whether it is a list whose elements are written a line each."""
    return isinstance(data, list | MadeLater) and len(data) > LONG


def _lines(data: Sequence[Any], *, plain: bool) -> Iterator[str]:
    left = iter(data)
    while batch := list(islice(left, _AT_ONCE)):
        yield json_lines(batch, plain=plain)
