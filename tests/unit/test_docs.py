"""The documentation cannot lag behind the code."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from keyadmin.model.problem import Cause
from tools.json_schemas import FOLDER
from tools.json_schemas import pages as schema_pages

ROOT = Path(__file__).parents[2]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", _generator().PAGES)
def test_generated_pages_are_as_the_code_says(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert (ROOT / "docs" / page).read_text("utf-8") == _generator().PAGES[page](), "run: nox -s docs"


def test_schemas_are_as_the_dataclasses_say() -> None:
    made = schema_pages()
    written = {f"{FOLDER}/{path.name}": path.read_text("utf-8") for path in (ROOT / "docs" / FOLDER).iterdir()}
    assert written == made, "run: nox -s docs"
    for text in made.values():
        schema = json.loads(text)
        Draft202012Validator.check_schema(schema)
        assert schema["$id"].startswith("urn:keyadmin:schema:")
        open_objects = [each for each in _objects(schema) if "properties" in each and each["additionalProperties"] is not False]
        assert not open_objects, "a schema that takes anything says nothing"


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _objects(each)


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {re.split(r"[\[<>=~ ]", entry)[0] for entry in project["dependencies"]}
    table = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    assert named == set(re.findall(r"^\| ([a-z][a-z0-9-]*) \|", table, re.MULTILINE))


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_cause_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "causes.md").read_text("utf-8")
    assert [cause.value for cause in Cause] == re.findall(r"^## (\S+)$", text, re.MULTILINE)
