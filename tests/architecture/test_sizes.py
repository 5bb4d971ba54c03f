"""Functions fit a screen, files hold one subject: in the package, in its tests, and in what is beside them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_OF_A_FILE = 400  # lines
MOST_OF_A_FUNCTION = 60  # lines, decorators left out
FOLDERS = ("keyadmin", "tests", "docs")


def files() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return sorted([*found, *ROOT.glob("*.py")])


@pytest.mark.parametrize("folder", [*FOLDERS, "."])
def test_files_and_functions_are_short(folder: str) -> None:
    long = []
    for path in files():
        inside = path.relative_to(ROOT)
        if folder not in (inside.parts[0], str(inside.parent)):
            continue
        text = path.read_text("utf-8")
        long += [f"{inside}: {count} lines"] if (count := text.count("\n")) > MOST_OF_A_FILE else []
        long += [f"{inside}: {name}: {count} lines" for name, count in functions(text) if count > MOST_OF_A_FUNCTION]
    assert long == []


def functions(text: str) -> list[tuple[str, int]]:
    """Each function and its length, those inside others too."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in nodes]


def test_lengths_are_counted() -> None:
    text = "@x\nclass A:\n    @y\n    async def f(self):\n        a = 1\n        def g(): ...\n"
    assert functions(text) == [("f", 3), ("g", 1)]
