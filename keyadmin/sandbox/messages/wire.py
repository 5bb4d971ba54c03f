"""Protobuf bytes straight from an answer's JSON form, for answers too large for the JSON parser of the protobuf library.

Understood: strings, bools, integers, messages, repeated fields, maps of strings, Timestamp and Struct. Unknown fields are
left out, as everywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any

from keyadmin.sandbox.messages.published import message_class
from keyadmin.sandbox.messages.varint import timestamp, varint

Json = dict[str, Any]
_Encoder = Callable[[Any], bytes]

_DELIMITED = 2
_TRUE_TYPE, _STRING_TYPE, _MESSAGE_TYPE = 8, 9, 11  # google.protobuf.FieldDescriptorProto.Type
_INTEGER_TYPES = (3, 4, 5, 13)


def encode(name: str, data: Json) -> bytes:
    """The message of this full name."""
    return _message(message_class(name).DESCRIPTOR)(data)


def _block(tag: bytes, content: bytes) -> bytes:
    return tag + varint(len(content)) + content


@cache
def _message(descriptor: Any) -> _Encoder:
    """What encodes a message without its own tag."""
    if descriptor.full_name == "google.protobuf.Timestamp":
        return timestamp
    if descriptor.full_name == "google.protobuf.Struct":
        return _struct
    fields: dict[str, _Encoder] = {}

    def encode_fields(data: Json) -> bytes:
        if not fields:  # at the first use, as messages may contain themselves
            fields.update({field.json_name: _field(field) for field in descriptor.fields})
        return b"".join([fields[name](value) for name, value in data.items() if name in fields])

    return encode_fields


def _field(field: Any) -> _Encoder:
    """What encodes a field with its tag; default values of single ones too, which does no harm."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return _map(field)
    one = _single(field)
    if not field.is_repeated:
        return one
    return lambda values: b"".join([one(value) for value in values])


def _single(field: Any) -> _Encoder:
    number = field.number << 3
    tag = varint(number | _DELIMITED)
    if field.type == _MESSAGE_TYPE:
        content = _message(field.message_type)
        return lambda value: _block(tag, content(value))
    if field.type == _STRING_TYPE:
        return lambda value: _block(tag, value.encode())
    if field.type == _TRUE_TYPE or field.type in _INTEGER_TYPES:
        plain = varint(number)
        return lambda value: plain + varint(int(value))
    raise TypeError(f"{field.full_name} cannot be encoded")


def _map(field: Any) -> _Encoder:
    tag = varint(field.number << 3 | _DELIMITED)
    value = _single(field.message_type.fields_by_name["value"])
    return lambda items: b"".join([_block(tag, _block(b"\x0a", key.encode()) + value(item)) for key, item in items.items()])


def _struct(data: Json) -> bytes:
    """google.protobuf.Struct: map<string, Value> fields = 1."""
    return b"".join(
        [_block(b"\x0a", _block(b"\x0a", key.encode()) + _block(b"\x12", _value(item))) for key, item in data.items()]
    )


def _value(item: Any) -> bytes:
    """google.protobuf.Value."""
    if isinstance(item, str):
        return _block(b"\x1a", item.encode())
    if isinstance(item, bool):
        return b"\x20\x01" if item else b"\x20\x00"
    if isinstance(item, int | float):
        return b"\x11" + struct.pack("<d", item)
    if isinstance(item, dict):
        return _block(b"\x2a", _struct(item))
    if isinstance(item, list):
        return _block(b"\x32", b"".join([_block(b"\x0a", _value(part)) for part in item]))
    return b"\x08\x00"  # null
