"""Holds what commands print to the schemas in docs/reference/schemas: `tests/cli/conftest.py` gives it every output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from keyadmin.cli.documents import FORMS

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
MOST = 40  # elements of a list that are looked at: the first and the last
ERROR = '{"error"'


@cache
def validator(name: str, *, lines: bool = False) -> Draft202012Validator:
    """Of a command's document, or of a line of its JSON lines."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    return Draft202012Validator(_line(schema) if lines else schema)


def _line(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": schema["$schema"], "$id": schema["$id"], "$ref": "#line", "$defs": schema["$defs"]}


def words_of(arguments: Sequence[str]) -> str:
    """The command among what was typed."""
    plain = [word for word in arguments if not word.startswith("-")]
    named = (" ".join(plain[at : at + size]) for size in (2, 1) for at in range(len(plain)))
    return next((words for words in named if words in FORMS), "")


def check(words: str, form: str, out: str, err: str) -> None:
    """Fail where a document, a line or an error object is not what its schema says."""
    last = err.rstrip("\n").rpartition("\n")[2]
    if form == "json" and last.startswith(ERROR):
        _fits("error", json.loads(last), validator("error"))
    if words not in FORMS or form not in ("json", "jsonl") or not out:
        return
    name = words.replace(" ", "-")
    if form == "json":
        _fits(words, json.loads(out), validator(name))
    else:
        for line in _some(out.splitlines()):
            _fits(words, json.loads(line), validator(name, lines=True))


def _fits(words: str, document: Any, checker: Draft202012Validator) -> None:
    error = best_match(checker.iter_errors(_short(document)))
    assert error is None, f"{words}: {error.json_path}: {error.message[:600]}"


def _short(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _short(value) for name, value in data.items()}
    return [_short(each) for each in _some(data)] if isinstance(data, list) else data


def _some(items: list[Any]) -> list[Any]:
    return items if len(items) <= MOST else [*items[: MOST // 2], *items[-MOST // 2 :]]
