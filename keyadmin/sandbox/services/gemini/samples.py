"""Made-up values that fit a schema, for function calls and structured answers that no model wrote."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_DEEPEST = 12
_MOST_ITEMS, _LONGEST = 20, 1_000
_TEXTS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "somebody@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def sample(schema: Any, root: Any = None, depth: int = 0) -> Any:
    """A value of an OpenAPI or JSON schema; types in either case. None for what it does not say."""
    root = schema if root is None else root
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    if "$ref" in schema:
        return sample(_target(str(schema["$ref"]), root), root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    for name in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(name), list) and schema[name]:
            return sample(schema[name][0], root, depth + 1)
    return _of_type(schema, root, depth)


def _target(reference: str, root: Any) -> Any:
    found = root
    for name in reference.removeprefix("#/").split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _of_type(schema: Json, root: Any, depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if str(one).lower() != "null"), "null")
    kind = str(kind).lower()
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "array":
        count = max(1, _number(schema.get("minItems"), _MOST_ITEMS))
        return [sample(schema.get("items", {"type": "string"}), root, depth + 1) for _ in range(count)]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    text = _TEXTS.get(str(schema.get("format", "")), "sandbox")
    return text.ljust(_number(schema.get("minLength"), _LONGEST), "x")


def _number(value: Any, most: int) -> int:
    """A count that a schema gives, as a number or as a text; 0 where it is none."""
    try:
        return max(0, min(int(value), most))
    except (TypeError, ValueError, OverflowError):
        return 0


def _object(schema: Json, root: Any, depth: int) -> Json:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    wanted = schema.get("required")
    wanted = wanted if isinstance(wanted, list) and wanted else list(properties)
    return {name: sample(properties[name], root, depth + 1) for name in properties if name in wanted}
