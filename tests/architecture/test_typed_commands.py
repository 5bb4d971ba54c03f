"""Commands that are printed are put together in one place: a hand-written one lacks quotes, and the options of the run."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.imports import modules, trees
from tests.architecture.test_words import texts

COMMAND = re.compile(r"\bkeyadmin (?:keys|projects|rotation|doctor|audit|explain|env|scan|config|sandbox|tokens)\b")
PLACES = (
    "keyadmin.keys",
    "keyadmin.access",
    "keyadmin.projects",
    "keyadmin.cli.keys",
    "keyadmin.cli.projects",
    "keyadmin.audit",
)
# Prose of rules and of help, whose commands `cli.printed` completes.
PROSE = ("keyadmin.audit.rules.", "keyadmin.access.advice")


@pytest.mark.parametrize("module", sorted(name for name in modules() if name.startswith(PLACES) and not name.startswith(PROSE)))
def test_no_command_is_written_by_hand(module: str) -> None:
    tree: ast.Module = trees()[module]
    found = [f"{line}: {text[:90]!r}" for line, text in texts(tree) if COMMAND.search(text)]
    assert not found, "\n".join(found)
