"""The shape of messages: what a request may hold, taken from Google's published protobuf classes or written by hand.

A request reaches the rules as a dict with camelCase names, whichever transport it came through: default values left out,
integers as int, enums as names, times and durations as strings, field masks as comma-separated text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from keyadmin.sandbox.messages import published

Json = dict[str, Any]

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

    __slots__ = ("enum", "is_map", "kind", "message", "name", "numbers", "optional", "repeated")

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
        enum: str = "",
    ) -> None:
        self.name = name
        self.kind = kind
        self.repeated = repeated
        self.is_map = is_map
        self.optional = optional  # presence is tracked: an explicit default is kept
        self.message = message
        self.numbers = numbers or {}  # of an enum: name -> number
        self.enum = enum  # its full name


class Shape:
    """The fields of one message, by camelCase and by snake_case name."""

    def __init__(self, *fields: Field, full_name: str = "") -> None:
        self.fields: dict[str, Field] = {}
        self.full_name = full_name  # google.api.apikeys.v2.Key
        for field in fields:
            self.add(field)

    def add(self, field: Field) -> None:
        """Add a field; both spellings find it."""
        self.fields[field.name] = field
        self.fields[snake(field.name)] = field

    def own(self) -> list[Field]:
        """Each field once."""
        return [field for name, field in self.fields.items() if name == field.name]


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


@cache
def shape_of(name: str) -> Shape:
    """The shape of a published message, by its full name."""
    return _from_descriptor(published.message_class(name).DESCRIPTOR, {})


def _from_descriptor(descriptor: Any, seen: dict[str, Shape]) -> Shape:
    if descriptor.full_name in seen:
        return seen[descriptor.full_name]
    shape = seen[descriptor.full_name] = Shape(full_name=descriptor.full_name)
    for field in descriptor.fields:
        shape.add(_field_from_descriptor(field, seen))
    return shape


def _field_from_descriptor(field: Any, seen: dict[str, Shape]) -> Field:
    message = field.message_type
    is_map = message is not None and message.GetOptions().map_entry
    value = message.fields_by_name["value"] if is_map else field
    kind, inner, numbers, enum = _kind(value), None, None, ""
    if kind == "message":
        inner = _from_descriptor(value.message_type, seen)
    elif kind == "enum":
        numbers, enum = {entry.name: entry.number for entry in value.enum_type.values}, value.enum_type.full_name
    return Field(
        field.json_name,
        kind,
        repeated=field.is_repeated and not is_map,
        is_map=is_map,
        optional=field.has_presence and kind != "message",
        message=inner,
        numbers=numbers,
        enum=enum,
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
    for what has no published Python protobuf (Resource Manager v1, Gemini, REST-only fields), or where importing it is to be
    spared. `@type` is the message's full name."""
    shape = Shape()
    for name, kind in fields.items():
        if name == "@type":
            shape.full_name = kind
        else:
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

        return json_format.MessageToDict(value, descriptor_pool=published.pool())
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "enum":
        found = field.enum_type.values_by_number.get(value)
        return found.name if found else value
    return value


def to_message(name: str, data: Json) -> Any:
    """A rule's answer as a protobuf message; REST-only fields (serviceAccountEmail) are left out."""
    from google.protobuf import json_format

    message = published.message_class(name)()
    return json_format.ParseDict(data, message, ignore_unknown_fields=True, descriptor_pool=published.pool())
