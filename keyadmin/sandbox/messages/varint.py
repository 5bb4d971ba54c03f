"""The two pieces of protobuf's wire form that are written by hand in more than one place."""

from __future__ import annotations

from keyadmin.sandbox.messages.times import parse_rfc3339

_SHORT = tuple(bytes((number,)) for number in range(128))


def varint(number: int) -> bytes:
    """The variable-length form of a number; a negative one takes ten bytes, as the format has it."""
    if 0 <= number < 128:
        return _SHORT[number]
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def timestamp(text: str) -> bytes:
    """The content of a google.protobuf.Timestamp, of a time such as `2026-01-31T12:00:00.000001Z`."""
    seconds, micros = divmod(parse_rfc3339(text), 1_000_000)
    return b"\x08" + varint(seconds) + (b"\x10" + varint(micros * 1000) if micros else b"")
