"""The layers of docs/architecture.md: which package may import which, and that nothing runs in a circle."""

from __future__ import annotations

import ast
from collections import defaultdict

import pytest

from tests.architecture.imports import area, circles, doubled, imports, modules, named, own, trees

# A package may import those that stand before it, and nothing else of keyadmin, but for the two lists below.
LAYERS = "data model local cloud handover unattended access keys projects rotation leaks audit guard cli"
ORDER = LAYERS.split(" ")
# Two that stand side by side: neither imports the other.
APART = {("cloud", "local"), ("local", "cloud")}
# The sandbox shares no code with what is tested against it, so that the two cannot share a mistake: data, the type of a key
# string, and the lock that keeps two threads from importing one package from both ends.
SANDBOX_MAY = {"keyadmin.model.secret", "keyadmin.model.loading"}
KNOWS_SANDBOX = ("keyadmin.cloud.connect", "keyadmin.cli.sandbox")
GOOGLE = ("google", "grpc", "proto", "googleapiclient")
ROOT = "keyadmin"  # holds the version alone


def seen(module: str) -> frozenset[str]:
    return frozenset(own(module))


def allowed(importer: str, imported: str) -> bool:
    here, there = area(importer), area(imported)
    if here == there or imported == ROOT:
        return True
    if here == "sandbox":
        return there == "data" or imported in SANDBOX_MAY
    if there == "sandbox":
        return importer.startswith(KNOWS_SANDBOX)
    if importer in (ROOT, "keyadmin.__main__"):
        return there == "cli"
    return (here, there) not in APART and ORDER.index(there) < ORDER.index(here)


@pytest.mark.parametrize("module", sorted(modules()))
def test_arrows_go_downwards_only(module: str) -> None:
    wrong = [other for other in sorted(seen(module)) if not allowed(module, other)]
    assert not wrong, f"{module} imports {wrong}, which is not below it"


def test_no_circle_of_modules() -> None:
    assert circles({name: seen(name) for name in modules()}) == []


def test_no_ring_of_packages() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for name in modules():
        graph[area(name)] |= {area(other) for other in seen(name)} - {area(name), ROOT}
    assert circles({name: frozenset(others) for name, others in graph.items()}) == []


def test_a_circle_is_seen() -> None:
    ring = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a"), "d": frozenset("a")}
    assert circles(ring) == [["a", "b", "c"]]


@pytest.mark.parametrize("module", sorted(modules()))
def test_google_s_packages_are_known_to_the_wire_alone(module: str) -> None:
    others = {each.split(".")[0] for each in imports()[module]} & set(GOOGLE)
    assert not others or area(module) in ("cloud", "sandbox"), f"{module} imports {sorted(others)}"


@pytest.mark.parametrize("module", sorted(name for name in modules() if area(name) not in ("cli", "sandbox", "__main__")))
def test_only_the_command_line_knows_typer(module: str) -> None:
    others = {each.split(".")[0] for each in imports()[module]}
    assert not others & {"typer", "click", "tabulate", "questionary", "prompt_toolkit"}


@pytest.mark.parametrize("module", sorted(name for name in modules() if area(name) == "model"))
def test_the_model_asks_nobody(module: str) -> None:
    others = {each.split(".")[0] for each in imports()[module]}
    assert not others & {"aiohttp", "grpc", "google", "requests", "socket", "subprocess", "sqlite3", "asyncio"}


def test_no_exported_class_name_means_two_things() -> None:
    assert doubled(trees()) == {}


def test_a_class_name_that_means_two_things_is_seen() -> None:
    sources = {
        "one": "class Found: ...\nclass _Own: ...\nclass Alone: ...",
        "two": "@dataclass\nclass Found: ...\nclass _Own: ...",
        "three": "from one import Found\ndef make():\n    class Alone: ...",
    }
    assert doubled({name: ast.parse(text) for name, text in sources.items()}) == {"Found": ["one", "two"]}


_EVERYWHERE = """
from typing import TYPE_CHECKING
import at.the.top
if TYPE_CHECKING:
    from keyadmin.rotation import engine
    from for_types import Alone
def use():
    from keyadmin.cloud.connect import connect
    import deep
    async def inner():
        from . import lineage
        from ..rotation.decide import decide
class Holder:
    from in_class import x
    def method(self):
        try:
            import tried
        except ImportError:
            import instead
"""


def test_imports_inside_functions_and_for_types_count() -> None:
    ours = {"rotation.engine", "cloud.connect", "model.lineage", "rotation.decide"}
    others = {"typing", "at.the.top", "for_types", "deep", "in_class", "tried", "instead"}
    assert set(named("keyadmin.model.key", ast.parse(_EVERYWHERE))) == {f"keyadmin.{each}" for each in ours} | others


@pytest.mark.parametrize("where", ["def late():\n    {}", "if TYPE_CHECKING:\n    {}", "class A:\n    {}"])
def test_a_circle_that_is_closed_inside_a_function_or_for_types_is_seen(where: str) -> None:
    back = ast.parse(where.format("from keyadmin.rotation.engine import advance"))
    graph = {
        "keyadmin.rotation.engine": frozenset({"keyadmin.model.key"}),
        "keyadmin.model.key": frozenset(named("keyadmin.model.key", back)),
    }
    assert circles(graph) == [["keyadmin.model.key", "keyadmin.rotation.engine"]]
    assert not allowed("keyadmin.model.key", "keyadmin.rotation.engine")
