"""The shape of messages: what a request may hold, taken from Google's published protobuf classes or written by hand.

A request reaches the rules as a dict with camelCase names, whichever door it came through: default values left out,
integers as int, enums as names, times and durations as strings, field masks as comma-separated text.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from keyadmin.sandbox.status import RpcError, invalid

Json = dict[str, Any]

_INTEGERS = {"int32", "int64", "uint32", "uint64"}
_WELL_KNOWN = {
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
    "google.protobuf.FieldMask": "mask",
    "google.protobuf.Struct": "any",
    "google.protobuf.Value": "any",
    "google.protobuf.Any": "any",
}


class Field:
    """One field: its kind is string, int32, int64, bool, double, bytes, enum, timestamp, duration, mask, any or message."""

    __slots__ = ("is_map", "kind", "message", "name", "numbers", "optional", "repeated")

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        repeated: bool = False,
        is_map: bool = False,
        optional: bool = False,
        message: Shape | None = None,
        numbers: dict[str, int] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.repeated = repeated
        self.is_map = is_map
        self.optional = optional  # presence is tracked: an explicit default is kept
        self.message = message
        self.numbers = numbers or {}  # of an enum: name -> number


class Shape:
    """The fields of one message, by camelCase and by snake_case name."""

    def __init__(self, *fields: Field) -> None:
        self.fields: dict[str, Field] = {}
        for field in fields:
            self.add(field)

    def add(self, field: Field) -> None:
        """Add a field; both spellings find it."""
        self.fields[field.name] = field
        self.fields[snake(field.name)] = field

    def own(self) -> list[Field]:
        """Each field once."""
        return [field for name, field in self.fields.items() if name == field.name]

    def parse(self, data: Any, where: str = "") -> Json:
        """A JSON object as a canonical request. Raises INVALID_ARGUMENT in Google's words."""
        if not isinstance(data, dict):
            raise _bad(where, f"Invalid value at '{where or 'root'}' (type.googleapis.com), {_quote(data)}")
        out: Json = {}
        for name, value in data.items():
            field = self.fields.get(name)
            if field is None:
                at = f" at '{where}'" if where else ""
                raise _bad(where, f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.')
            if value is None:
                continue
            path = f"{where}.{snake(field.name)}" if where else snake(field.name)
            parsed = _parse_field(field, value, path)
            if field.optional or field.kind == "message" or parsed not in ("", 0, False, [], {}):
                out[field.name] = parsed
        return out

    def bind(self, request: Json, path: str, text: str) -> None:
        """Set a query parameter such as `pageSize=5` or `key.displayName=x` in a request."""
        shape, target = self, request
        *parents, last = path.split(".")
        for part in parents:
            field = shape.fields.get(part)
            if field is None or field.message is None or field.repeated or field.is_map:
                raise _unbound(path)
            target = target.setdefault(field.name, {})
            shape = field.message
        field = shape.fields.get(last)
        if field is None or field.is_map or field.kind == "message":
            raise _unbound(path)
        value: Any = text
        if field.kind == "bool":
            lowered = text.lower()
            if lowered not in ("true", "false", "1", "0", ""):
                raise _bad(snake(path), f"Invalid value at '{snake(path)}' (TYPE_BOOL), {_quote(text)}")
            value = lowered in ("true", "1")
        elif text == "" and field.kind not in ("string", "mask"):
            return
        parsed = _parse_scalar(field, value, snake(path))
        if field.repeated:
            target.setdefault(field.name, []).append(parsed)
        elif field.optional or parsed not in ("", 0, False):
            target[field.name] = parsed


def snake(name: str) -> str:
    """`updateMask` -> `update_mask`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() if not name.isupper() else name


def camel(name: str) -> str:
    """`update_mask` -> `updateMask`; camelCase is left as it is."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def mask_paths(mask: str) -> list[str]:
    """The paths of a field mask, camelCase, whichever spelling was sent: `display_name,restrictions.api_targets`."""
    return [".".join(camel(part) for part in path.strip().split(".")) for path in mask.split(",") if path.strip()]


def _quote(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)[:100]


def _bad(field: str, description: str) -> RpcError:
    return invalid(description, field or "root")


def _unbound(path: str) -> RpcError:
    return invalid(
        f'Invalid JSON payload received. Unknown name "{path}": Cannot bind query parameter. '
        f"Field '{path}' could not be found in request message."
    )


def _parse_field(field: Field, value: Any, path: str) -> Any:
    if field.is_map:
        if not isinstance(value, dict):
            raise _bad(path, f"Invalid value at '{path}' (Map), {_quote(value)}")
        return {str(key): _parse_scalar(field, item, f"{path}[{key}].value") for key, item in value.items()}
    if field.repeated:
        # Google's parser takes a lone value for a list of one.
        items = value if isinstance(value, list) else [value]
        return [_parse_scalar(field, item, f"{path}[{index}]") for index, item in enumerate(items)]
    return _parse_scalar(field, value, path)


def _parse_scalar(field: Field, value: Any, path: str) -> Any:
    kind = field.kind
    if kind == "message":
        assert field.message is not None
        return field.message.parse(value, path)
    if kind == "any":
        return value
    if kind in _INTEGERS:
        return _parse_integer(kind, value, path)
    if kind == "enum":
        return _parse_enum(field, value, path)
    return _parse_plain(kind, value, path)


def _parse_plain(kind: str, value: Any, path: str) -> Any:
    if kind == "bool":
        if isinstance(value, bool) or value in ("true", "false"):
            return value in (True, "true")
        raise _bad(path, f"Invalid value at '{path}' (TYPE_BOOL), {_quote(value)}")
    if kind == "double":
        try:
            return float(value)
        except (TypeError, ValueError):
            raise _bad(path, f"Invalid value at '{path}' (TYPE_DOUBLE), {_quote(value)}") from None
    if not isinstance(value, str):
        raise _bad(path, f"Invalid value at '{path}' (TYPE_{kind.upper()}), {_quote(value)}")
    if kind == "bytes":
        try:
            base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise _bad(path, f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed") from None
    elif kind == "string" and not _encodable(value):
        raise _bad(path, f"Invalid value at '{path}' (TYPE_STRING), the string is not valid UTF-8")
    return value


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate, as "\ud800" in JSON
        return False
    return True


def _parse_integer(kind: str, value: Any, path: str) -> int:
    bits = 32 if "32" in kind else 64
    low, high = (0, 2**bits - 1) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    try:
        number = value if isinstance(value, int) and not isinstance(value, bool) else int(value, 10)
    except (TypeError, ValueError):
        if isinstance(value, float) and value.is_integer():
            number = int(value)
        else:
            raise _bad(path, f"Invalid value at '{path}' (TYPE_{kind.upper()}), {_quote(value)}") from None
    if not low <= number <= high:
        raise _bad(path, f"Invalid value at '{path}' (TYPE_{kind.upper()}), {_quote(value)}")
    return number


def _parse_enum(field: Field, value: Any, path: str) -> Any:
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        if value not in field.numbers:
            raise _bad(path, f"Invalid value at '{path}' (TYPE_ENUM), {_quote(value)}")
        return value if field.numbers[value] else ""
    number = _parse_integer("int32", value, path)
    return next((name if number else "" for name, known in field.numbers.items() if known == number), number)


@cache
def message_class(path: str) -> Any:
    """The protobuf class at `package.module:Name`; proto-plus wrappers are taken off."""
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found.pb() if hasattr(found, "pb") else found


@cache
def shape_of(path: str) -> Shape:
    """The shape of a published protobuf class."""
    return _from_descriptor(message_class(path).DESCRIPTOR, {})


def _from_descriptor(descriptor: Any, seen: dict[str, Shape]) -> Shape:
    if descriptor.full_name in seen:
        return seen[descriptor.full_name]
    shape = seen[descriptor.full_name] = Shape()
    for field in descriptor.fields:
        shape.add(_field_from_descriptor(field, seen))
    return shape


def _field_from_descriptor(field: Any, seen: dict[str, Shape]) -> Field:
    message = field.message_type
    is_map = message is not None and message.GetOptions().map_entry
    value = message.fields_by_name["value"] if is_map else field
    kind, inner, numbers = _kind(value), None, None
    if kind == "message":
        inner = _from_descriptor(value.message_type, seen)
    elif kind == "enum":
        numbers = {entry.name: entry.number for entry in value.enum_type.values}
    return Field(
        field.json_name,
        kind,
        repeated=field.is_repeated and not is_map,
        is_map=is_map,
        optional=field.has_presence and kind != "message",
        message=inner,
        numbers=numbers,
    )


def _kind(field: Any) -> str:
    if field.message_type is not None:
        return _WELL_KNOWN.get(field.message_type.full_name, "message")
    names = {
        1: "double",
        2: "double",
        3: "int64",
        4: "uint64",
        5: "int32",
        8: "bool",
        9: "string",
        12: "bytes",
        13: "uint32",
        14: "enum",
    }
    return names.get(field.type, "int64")


def hand_written(fields: Mapping[str, Any]) -> Shape:
    """A shape from `{"name": "string", "labels": {"*": "string"}, "ids": ["string"], "key": {...}, "mode": "enum:NONE,ALL"}`
    for what has no published Python protobuf (Resource Manager v1, Gemini, REST-only fields)."""
    shape = Shape()
    for name, kind in fields.items():
        shape.add(_hand_written_field(name, kind))
    return shape


def _hand_written_field(name: str, kind: Any) -> Field:
    repeated = isinstance(kind, list)
    inner = kind[0] if repeated else kind
    if isinstance(inner, Shape):
        return Field(name, "message", repeated=repeated, message=inner)
    if isinstance(inner, dict):
        if set(inner) == {"*"}:
            return Field(name, inner["*"], is_map=True)
        return Field(name, "message", repeated=repeated, message=hand_written(inner))
    if inner.startswith("enum:"):
        numbers = {value: number for number, value in enumerate(inner[5:].split(","))}
        return Field(name, "enum", repeated=repeated, numbers=numbers)
    return Field(name, inner, repeated=repeated)


def from_message(message: Any) -> Json:
    """A protobuf message as a canonical request."""
    out: Json = {}
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            inner = field.message_type.fields_by_name["value"]
            out[field.json_name] = {str(key): _from_value(inner, item) for key, item in value.items()}
        elif field.is_repeated:
            out[field.json_name] = [_from_value(field, item) for item in value]
        else:
            out[field.json_name] = _from_value(field, value)
    return out


def _from_value(field: Any, value: Any) -> Any:
    kind = _kind(field)
    if kind == "message":
        return from_message(value)
    if kind == "mask":
        return ",".join(value.paths)
    if kind in ("timestamp", "duration"):
        return value.ToJsonString()
    if kind == "any":
        from google.protobuf import json_format

        return json_format.MessageToDict(value)
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "enum":
        found = field.enum_type.values_by_number.get(value)
        return found.name if found else value
    return value


def to_message(path: str, data: Json) -> Any:
    """A rule's answer as a protobuf message; REST-only fields (serviceAccountEmail) are left out."""
    from google.protobuf import json_format

    return json_format.ParseDict(data, message_class(path)(), ignore_unknown_fields=True)
