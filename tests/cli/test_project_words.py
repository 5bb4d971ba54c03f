"""Wherever a project is named, a word that no project can be called ends the command before any call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

COMMANDS = [
    ("keys", "create", "--name", "x", "-p", "Bad_Id"),
    ("keys", "create", "--name", "x", "--quota-project", "Bad_Id"),
    ("keys", "list", "--project", "Bad_Id"),
    ("keys", "clone", "mine", "--into", "Bad_Id"),
    ("keys", "describe", "projects/Bad_Id/locations/global/keys/mine"),
    ("keys", "delete", "projects/Bad_Id/locations/global/keys/mine", "--yes"),
    ("keys", "rotate", "projects/BadId/locations/global/keys/mine", "--yes"),
    ("doctor", "Bad_Id"),
    ("doctor", "-p", "Bad_Id"),
    ("projects", "describe", "Bad_Id"),
    ("projects", "import", "Bad_Id"),
    ("projects", "forget", "Bad_Id", "--yes"),
    ("projects", "rename", "Bad_Id", "A new name"),
    ("projects", "delete", "Bad_Id", "--yes"),
    ("projects", "undelete", "Bad_Id"),
    ("projects", "use", "Bad_Id"),
    ("projects", "enable", "Bad_Id"),
    ("projects", "disable", "Bad_Id", "generativelanguage.googleapis.com", "--yes"),
    ("projects", "default", "-p", "Bad_Id"),
    ("rotation", "plan", "-p", "Bad_Id"),
    ("rotation", "migrate", "-p", "Bad_Id"),
    ("tokens", "create", "-p", "Bad_Id"),
    ("config", "set", "project", "Bad_Id"),
    ("config", "set", "quota-project", "Bad_Id"),
]


# The key is looked for, and its name taken apart, once there is a connection.
BY_FULL_NAME = [words for words in COMMANDS if any(word.startswith("projects/") for word in words)]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_word_that_is_no_project_is_wrong_usage(cli: Callable[..., Any], words: tuple[str, ...]) -> None:
    # Google without credentials, where a call would end in exit code 4.
    world = ("--sandbox",) if words in BY_FULL_NAME else ()
    done = cli(*words, *world, "--format", "json")
    assert (done.code, done.error["cause"]) == (2, "invalid-argument"), done.err
    assert "is not a project id or number" in done.error["message"]
    assert done.error["fix"]
