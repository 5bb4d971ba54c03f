"""The table of guards holds together; that every one of them is noticed when it is broken is proven by `nox -s guards`."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.guards.guard import Guard
from tests.guards.table import GUARDS, PROBES

ROOT = Path(__file__).parents[2]


@cache
def functions(file: str) -> frozenset[str]:
    """The test functions of a file."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("guard", [*PROBES, *GUARDS], ids=lambda guard: f"{guard.file}: {guard.protects}")
def test_every_guard_still_applies_and_its_tests_are_there(guard: Guard) -> None:
    changed = guard.applied((ROOT / "keyadmin" / guard.file).read_text("utf-8"))
    assert guard.new in changed
    assert guard.tests
    for test in guard.tests:
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in functions(file), test


def test_every_guard_is_there_once() -> None:
    seen = [(guard.file, guard.old, guard.new) for guard in GUARDS]
    assert len(set(seen)) == len(seen)
    words = [(guard.file, guard.protects) for guard in GUARDS]
    assert len(set(words)) == len(words)


def test_a_guard_that_is_not_found_exactly_once_is_told() -> None:
    guard = Guard("nothing", "x.py", "if a:", "if b:", ())
    assert guard.applied("if a:\n    pass\n") == "if b:\n    pass\n"
    for text in ("", "if a:\n    pass\nif a:\n    pass\n"):
        with pytest.raises(ValueError, match="instead of once"):
            guard.applied(text)
    with pytest.raises(SyntaxError):
        Guard("nothing", "x.py", "a", "if", ()).applied("a = 1\n")
