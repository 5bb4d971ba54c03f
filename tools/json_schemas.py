"""Makes the JSON Schemas of what commands print, from the dataclasses of `keyadmin/model/documents`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter

from keyadmin.cli.documents import FORMS
from keyadmin.model.documents.common import ErrorDocument

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
FOLDER: Final = "reference/schemas"
_HERE: Final = "#/$defs/{model}"


def pages() -> dict[str, str]:
    """Every schema, by its place below docs."""
    return {f"{FOLDER}/{name}.json": json.dumps(schema, indent=1) + "\n" for name, schema in schemas()}


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """The names and schemas: of the error object, and of each command, `keys-list` for `keyadmin keys list`."""
    yield "error", _schema("error", "the last line of stderr of a command with --format json that fails", ErrorDocument)
    for words, forms in FORMS.items():
        name = words.replace(" ", "-")
        yield name, _schema(name, f"keyadmin {words} --format json", forms.whole_type, forms.line_type, forms.version)


def _schema(name: str, title: str, whole: Any, line: Any = None, version: int = 1) -> dict[str, Any]:
    """The document; a line of JSON lines is `#line`."""
    made, definitions = _made(whole)
    if line is not None:
        of_line, more = _made(line)
        definitions |= more | {"Line": {"$anchor": "line", "description": "A line of --format jsonl.", **of_line}}
    out = {"$schema": DRAFT, "$id": f"urn:keyadmin:schema:{name}:{version}", "title": title, **made}
    return out | ({"$defs": dict(sorted(definitions.items()))} if definitions else {})


def _made(kind: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of a type, and those of the classes in it."""
    made: dict[str, Any] = _closed(TypeAdapter(kind).json_schema(ref_template=_HERE))
    definitions: dict[str, Any] = made.pop("$defs", {})
    return made, definitions


def _closed(schema: Any) -> Any:
    """Without the words that say nothing; an object has no other members than those that are described."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for name, value in schema.items():
        if name in ("default", "title"):
            continue
        if name in ("properties", "$defs"):
            out[name] = {each.rstrip("_"): _closed(inner) for each, inner in value.items()}
        elif name == "required":
            out[name] = [each.rstrip("_") for each in value]
        else:
            out[name] = _closed(value)
    if "properties" in out:
        out["additionalProperties"] = False
    if "enum" in out:
        out.pop("description", None)  # the code's own words about an enumeration
    return out
