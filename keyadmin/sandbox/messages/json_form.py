"""JSON and query parameters as canonical requests, checked and refused in the words of Google's JSON parser."""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from typing import Any

from keyadmin.sandbox.messages.shape import Field, Shape, snake
from keyadmin.sandbox.messages.status import RpcError, field_violation, invalid

Json = dict[str, Any]

_INTEGERS = {"int32", "int64", "uint32", "uint64"}
_DEEPEST = 100  # levels of messages, as protobuf's own JSON parsers allow


def parse(shape: Shape, data: Any, where: str = "", depth: int = 0) -> Json:
    """A JSON object as a canonical request. Raises INVALID_ARGUMENT in Google's words."""
    if not isinstance(data, dict):
        if not where:
            raise _bad(where, 'Invalid JSON payload received. Unknown name "": Root element must be a message.')
        raise _wrong(where, shape.full_name, data)
    if depth > _DEEPEST:
        raise _bad(where[:100], "Invalid JSON payload received. The message is nested too deeply.")
    out: Json = {}
    for name, value in data.items():
        field = shape.fields.get(name)
        if field is None:
            at = f" at '{where}'" if where else ""
            raise _bad(where, f'Invalid JSON payload received. Unknown name "{name[:200]}"{at}: Cannot find field.')
        if value is None:
            continue
        path = f"{where}.{_snake(field.name)}" if where else _snake(field.name)
        parsed = _field(field, value, path, depth)
        if field.optional or field.kind == "message" or parsed not in ("", 0, False, [], {}):
            out[field.name] = parsed
    return out


def bind(shape: Shape, request: Json, path: str, text: str) -> None:
    """Set a query parameter or path variable (`pageSize=5`, `key.displayName=x`) in a request. Raises INVALID_ARGUMENT."""
    target = request
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
            raise _wrong(_snake(path), "TYPE_BOOL", text)
        value = lowered in ("true", "1")
    elif text == "" and field.kind not in ("string", "mask"):
        return
    parsed = _scalar(field, value, _snake(path), 0)
    if field.repeated:
        target.setdefault(field.name, []).append(parsed)
    elif field.optional or parsed not in ("", 0, False):
        target[field.name] = parsed


_snake = lru_cache(4096)(snake)


def _bad(field: str, description: str) -> RpcError:
    """400; the violation names the field unless it is the whole message."""
    violation: Json = field_violation(field, description)
    if not field:
        del violation["fieldViolations"][0]["field"]
    error = invalid(description)
    error.details.append(violation)
    return error


def _wrong(path: str, kind: str, value: Any) -> RpcError:
    """`Invalid value at 'key.display_name' (TYPE_STRING), 5`."""
    shown = f'"{value[:200]}"' if isinstance(value, str) else "Starting an object on a scalar field"
    if not isinstance(value, str | dict):
        shown = _plain(value)
    kind = kind if kind.startswith("TYPE_") or kind == "Map" else f"type.googleapis.com/{kind}"
    return _bad(path, f"Invalid value at '{path}' ({kind}), {shown}")


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > 300:
        return "a number of more than 90 digits"
    return str(value)[:100]


def _unbound(path: str) -> RpcError:
    path = path[:200]
    return _bad(
        "",
        f'Invalid JSON payload received. Unknown name "{path}": Cannot bind query parameter. '
        f"Field '{path}' could not be found in request message.",
    )


def _field(field: Field, value: Any, path: str, depth: int) -> Any:
    if field.is_map:
        if not isinstance(value, dict):
            raise _wrong(path, "Map", value)
        for key in value:
            _text(key, f"{path}.key")
        return {key: _scalar(field, item, f"{path}[{key[:80]}].value", depth) for key, item in value.items()}
    if field.repeated:
        # Google's parser takes a lone value for a list of one.
        items = value if isinstance(value, list) else [value]
        return [_scalar(field, item, f"{path}[{index}]", depth) for index, item in enumerate(items)]
    if isinstance(value, list) and field.kind != "any":
        parent = path.rpartition(".")[0]
        at = f" at '{parent}'" if parent else ""
        raise _bad(
            parent,
            f'Invalid JSON payload received. Unknown name "{field.name}"{at}: Proto field is not repeating, cannot start list.',
        )
    return _scalar(field, value, path, depth)


def _scalar(field: Field, value: Any, path: str, depth: int) -> Any:
    kind = field.kind
    if kind == "message":
        assert field.message is not None
        return parse(field.message, value, path, depth + 1)
    if kind == "any":
        _free(value, path)
        return value
    if kind in _INTEGERS:
        return _integer(kind, value, path)
    if kind == "enum":
        return _enum(field, value, path)
    if kind == "bool":
        if isinstance(value, bool) or value in ("true", "false"):
            return value in (True, "true")
        raise _wrong(path, "TYPE_BOOL", value)
    if kind == "double":
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            raise _wrong(path, "TYPE_DOUBLE", value) from None
    return _string(kind, value, path)


def _string(kind: str, value: Any, path: str) -> str:
    """What JSON writes as text: strings, bytes, times, durations, masks."""
    if not isinstance(value, str):
        raise _wrong(path, _TEXT_KINDS.get(kind, f"TYPE_{kind.upper()}"), value)
    _text(value, path)
    if kind == "bytes":
        try:
            base64.b64decode(value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise _bad(path, f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for \"{value[:100]}\"") from None
    elif kind in ("timestamp", "duration") and not _well_formed(kind, value):
        raise _wrong(path, _TEXT_KINDS[kind], value)
    return value


_TEXT_KINDS = {
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
    "mask": "google.protobuf.FieldMask",
}


def _well_formed(kind: str, value: str) -> bool:
    if kind == "duration":
        found = re.fullmatch(r"-?(\d{1,12})(\.\d{1,9})?s", value)
        return found is not None and int(found[1]) <= 315_576_000_000
    from google.protobuf.timestamp_pb2 import Timestamp

    try:
        Timestamp().FromJsonString(value)
    except (ValueError, IndexError):
        return False
    return True


def _text(value: str, path: str) -> None:
    """Refuse a lone surrogate, as `"\\ud800"` in JSON."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _bad(path, f"Invalid value at '{path}' (TYPE_STRING), the string is not valid UTF-8") from None


def _free(value: Any, path: str) -> None:
    """The strings of free-form JSON."""
    if isinstance(value, str):
        _text(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            _text(key, path)
            _free(item, path)
    elif isinstance(value, list):
        for item in value:
            _free(item, path)


def _integer(kind: str, value: Any, path: str) -> int:
    bits = 32 if "32" in kind else 64
    low, high = (0, 2**bits - 1) if kind.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    whole = (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
    written = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value)
    number = int(value) if whole or written else None
    if number is None or not low <= number <= high:
        raise _wrong(path, f"TYPE_{kind.upper()}", value)
    return number


def _enum(field: Field, value: Any, path: str) -> Any:
    """An enum's name; the number where it has none; empty for the default."""
    if isinstance(value, str) and value in field.numbers:
        return value if field.numbers[value] else ""
    try:
        number = _integer("int32", value, path)
    except RpcError:
        raise _wrong(path, field.enum or "TYPE_ENUM", value) from None
    return next((name if number else "" for name, known in field.numbers.items() if known == number), number)
