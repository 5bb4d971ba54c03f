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

from keyadmin.access.permissions import NAMES
from keyadmin.audit.schedule import AuditSchedule
from keyadmin.model.problem import Cause
from keyadmin.unattended.schedule import files_for
from keyadmin.unattended.schedule.install import parse_source
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


def test_doctors_features_are_all_named() -> None:
    text = " ".join((ROOT / "docs" / "troubleshooting.md").read_text("utf-8").split())
    assert re.findall(r"[a-z][a-z-]+", text.partition("`--for` takes: ")[2].partition(".")[0].replace("(the default)", "")) == [
        *NAMES
    ]


def test_what_an_audit_leaves_to_be_filled_in_is_explained() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "keyadmin" / "audit").rglob("*.py"))
    names = set(re.findall(r'"(SINK|SERVICE|ADDRESS|SITE|NAME)"', code))
    assert len(names) == 5, "a name that is gone, or written otherwise"
    said = (ROOT / "docs" / "audit.md").read_text("utf-8").partition("What is written in capitals")[2].partition("Below")[0]
    assert names == set(re.findall(r"`([A-Z]+)`", said))


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_the_repository_has_one_name(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r"git[+:](?!REPOSITORY@|REPOSITORY\"|https?:|ssh:|\[)\w|<(this|the address of this) repository>", text)


def test_the_account_of_a_scheduled_audit_may_do_what_the_page_says() -> None:
    said = (ROOT / "docs" / "audit.md").read_text("utf-8").partition("**What it may do.**")[2].partition("For projects")[0]
    plan = AuditSchedule(
        project="ops-project", organization="123456789012", install=parse_source(f"git:https://x.example/k@{'a' * 40}")
    )
    files = {file.path: file.content for file in files_for("kubernetes", plan)}
    role = next(text for path, text in files.items() if path.endswith("role.yaml"))
    assert re.findall(r"`(\w+\.[\w.]+)`", said.partition("there:")[2]) == re.findall(r"^- (\S+)$", role, re.MULTILINE)
