"""Plain English in what people read: turns that are signs of a sentence to write again (architecture, words)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.imports import area, modules, trees

BANNED = re.compile(
    r"(?<![Tt]here )\b(?:is|are) no (?!longer|such|more\b|standard key to)[a-z]|\bmend(?:s|ed|ing)?\b"
    r"|\bgone on with\b|\bgoes on with\b|\bis told\b|\blooked at\b"
)


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """String constants that are no docstrings, with their lines."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


@pytest.mark.parametrize("module", sorted(name for name in modules() if area(name) != "sandbox"))
def test_messages_are_plain_english(module: str) -> None:
    found = [f"{line}: {text[:90]!r}" for line, text in texts(trees()[module]) if BANNED.search(text)]
    assert not found, "\n".join(found)
