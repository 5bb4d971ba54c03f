"""Plain English in what people read: turns that are signs of a sentence to write again (architecture, words)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyadmin.cli.app import ROOT
from keyadmin.cli.lazy import CommandGroup, build, imported
from tests.architecture.imports import modules, trees

TURNS = (
    r"(?<![Tt]here )\b(?:is|are|was|were) no (?!longer|such|more\b|standard key to)[a-z]",  # "is no duration": invalid duration
    r"\bmend(?:s|ed|ing)?\b",  # fix
    r"\b(?:goes|going|gone|went) on with\b",  # continue
    r"\b(?:is|are) told\b",  # is reported; comes with
    r"\blooked at\b",  # checked
    r"\banew\b",  # again
    r"\bby hand\b",  # manually; yourself
    r"\b(?:is|are|was|were) to be [a-z]+",  # should be; must be
    r"\bfor so long\b|\bso many (?!\w+ that)",  # for this long; this many
    r"(?:^|[.;] )Who (?!is\b|can\b|may create\b)[^.?]*(?:\.|$)",  # "Who renames a key ...": Renaming a key ...
    r"\b(?:counted|quota|observing|stands?) apart\b",  # separately; not counting
    r"\bstands? (?:there|in\b|alone|beside|before|behind|on\b|for itself|where|still)",  # is in; comes before; exists
    r"\bas things are\b",
    r"(?:changed|else|write) in between\b",  # meanwhile
    r"\b[Rr]eplac\w+ [^.,;:]{0,40}? by (?:a|an|the|new|one)\b",  # with
    r"\b(?:an?|one) (?:id|line|call|row|secret|name|word) an? [a-z]+\b",  # per
    r"\bhalf made\b",  # unfinished
    r"\b(?:gets?|none) made\b",
    r"\bin the place of\b",  # instead of
    r"\bno use\b(?! in)",  # do not count as use
    r"\band (?:is |are )?said\b",  # is reported
    r"\bbut for\b",  # except
    r"\bas good as\b|\bwherefrom\b|\bwhereto\b",
)
BANNED = re.compile("|".join(TURNS))
PAGES = sorted(
    path for path in (*Path("docs").rglob("*.md"), *(Path(f"{name}.md") for name in ("README", "CONTRIBUTING", "SECURITY")))
)
# What keyadmin writes into an organisation and knows again by its words: other words would not be its own.
KEPT = frozenset({"keyadmin.guard.constraints"})


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """String constants that are no docstrings, with their lines; the parts of a folded one are one."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def bad(text: str) -> list[str]:
    """The sentences to write again, as far as one can tell from a few words around."""
    line = " ".join(text.split())
    return [line[max(0, found.start() - 50) : found.end() + 50] for found in BANNED.finditer(line)]


@pytest.mark.parametrize("module", sorted(set(modules()) - KEPT))
def test_messages_are_plain_english(module: str) -> None:
    found = [f"{line}: {each!r}" for line, text in texts(trees()[module]) if " " in text for each in bad(text)]
    assert not found, "\n".join(found)


def test_help_is_plain_english() -> None:
    said: list[str] = [ROOT.help]
    for path, entry in ROOT.leaves():
        command = build(path[-1], entry)
        own = getattr(command, "own", command)
        said += [entry.help, own.help, *(parameter.help or "" for parameter in own.params)]
    for entry in ROOT.entries.values():
        group = imported(entry)
        said += [entry.help, group.help if isinstance(group, CommandGroup) else ""]
    assert [each for text in said for each in bad(text)] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_pages_are_plain_english(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "``", page.read_text("utf-8"), flags=re.DOTALL)
    assert bad(prose) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "'x' is no duration",
        "A run that was cut short is gone on with.",
        "Who has projects already gets none made.",
        "Who renames a key changes its name.",
        "the smallest grant that mends it",
        "what is to be looked at",
        "Replace a standard key by an auth key",
        "Begin at most so many rotations.",
        "the ids of a file, an id a line",
        "What stands in brackets",
        "was changed by somebody else in between",
    ],
)
def test_the_signs_are_seen(sentence: str) -> None:
    assert bad(sentence)


@pytest.mark.parametrize(
    "sentence", ["there is no such key", "it is no longer set", "Who can create keys?", "one call per project"]
)
def test_plain_sentences_are_left_alone(sentence: str) -> None:
    assert not bad(sentence)
