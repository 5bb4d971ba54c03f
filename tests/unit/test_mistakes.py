"""What is said in place of a mistyped command names commands and options that exist; what it replaces does not exist."""

from __future__ import annotations

import re
import shlex

import pytest

from keyadmin.cli.app import ROOT
from keyadmin.cli.lazy import CommandGroup, imported
from keyadmin.cli.mistakes import COMMANDS
from tests.unit.test_docs_keys import options

SAID = [(group, word, said) for group, words in COMMANDS.items() for word, said in words.items()]
IDS = [f"{group} {word}".strip() for group, word, _ in SAID]


@pytest.mark.parametrize(("group", "word", "said"), SAID, ids=IDS)
def test_the_advice_names_what_exists(group: str, word: str, said: str) -> None:
    for line in re.findall(r"`keyadmin ([^`]+)`", said):
        words = shlex.split(line)
        if words[0].startswith("-"):
            continue
        assert {each for each in words if each.startswith("-") and each not in ("-", "--help")} <= options(words), line


@pytest.mark.parametrize(("group", "word", "said"), SAID, ids=IDS)
def test_the_mistake_is_no_command(group: str, word: str, said: str) -> None:
    table = imported(ROOT.entries[group]) if group else ROOT
    assert isinstance(table, CommandGroup)
    assert word not in table.entries
