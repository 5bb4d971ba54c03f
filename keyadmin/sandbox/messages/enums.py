"""`$alt=json;enum-encoding=int`: enums as numbers in REST answers, as Google's generated REST clients ask."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.messages.shape import Shape, shape_of


def with_enum_numbers(data: Any, response: str) -> Any:
    """A copy of an answer with enum names replaced by their numbers."""
    return _convert(data, shape_of(response))


def _convert(data: Any, shape: Shape) -> Any:
    if not isinstance(data, dict):
        return data
    out = dict(data)
    for name, value in data.items():
        field = shape.fields.get(name)
        if field is None or field.is_map:
            continue
        if field.kind == "enum":
            out[name] = [field.numbers.get(v, v) for v in value] if field.repeated else field.numbers.get(value, value)
        elif field.message is not None:
            out[name] = [_convert(v, field.message) for v in value] if field.repeated else _convert(value, field.message)
    return out
