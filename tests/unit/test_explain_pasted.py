"""explain(): one text, as people paste it: through web pages, chats, terminals, logs, other programs' documents.

What is put around it, or done to its signs, must not change the cause; a part of it may be worth less, seldom something else.
"""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from keyadmin.access.explain import explain, explain_all
from tests.unit.test_explain_corpus import CORPUS, text_of

TEXTS = [text_of(entry) for entry in CORPUS]
Form = Callable[[str], str]


def _cut(text: str, width: int) -> str:
    """Every line broken at a width, wherever that falls."""
    return "\n".join(
        part for line in text.split("\n") for part in ([line[at : at + width] for at in range(0, len(line), width)] or [""])
    )


def _wrapped(text: str, width: int) -> str:
    return "\n".join(part for line in text.split("\n") for part in (textwrap.wrap(line, width) or [""]))


def _box(lines: str, width: int) -> str:
    return "\n".join(("╭" + "─" * width + "╮", *(f"│ {line:{width}} │" for line in lines.split("\n")), "╰" + "─" * width + "╯"))


def _curly(text: str) -> str:
    return re.sub(r"'(\w[^'\n]*)'", r"‘\1’", re.sub(r'"([^"\n]*)"', r"“\1”", text))


SAME: dict[str, Form] = {
    "json": lambda text: json.dumps({"message": text}),
    "json-in-json": lambda text: json.dumps({"error": json.dumps({"message": text})}),
    "python-repr": lambda text: f"Exception: {text!r}",
    "python-bytes": lambda text: f"content: {text.encode()!r}",
    "html": html.escape,
    "html-lines": lambda text: "<p>" + html.escape(text).replace("\n", "<br/>\n") + "</p>",
    "address": lambda text: f"https://example.com/cb?error={quote(text)}",
    "form": lambda text: f"https://example.com/cb?error={quote_plus(text)}",
    "curly-quotes": _curly,
    "no-break-spaces": lambda text: text.replace(" ", "\u00a0"),
    "markdown-code": lambda text: f"```\n{text}\n```",
    "markdown-quote": lambda text: "\n".join(f"> {line}" for line in text.split("\n")),
    "one-line": lambda text: " ".join(text.split()),
    "windows": lambda text: text.replace("\n", "\r\n"),
    "colours": lambda text: "\n".join(f"\x1b[31m{line}\x1b[0m" for line in text.split("\n")),
    "csv": lambda text: '"2026-11-29","error","' + text.replace('"', '""') + '"',
    "mail": lambda text: f"Hi, I get this since yesterday and do not know what to do:\n\n{text}\n\nAny help is welcome!",
    "compose": lambda text: "\n".join(f"worker-1  | {line}" for line in text.split("\n")),
    "wrapped": lambda text: _wrapped(text, 80),
    "box-of-words": lambda text: _box(_wrapped(text, 76), 76),
}


@pytest.mark.parametrize("form", SAME)
def test_what_is_around_a_text_does_not_change_its_cause(form: str) -> None:
    texts = TEXTS[::8]
    other = [text for text in texts if explain(SAME[form](text)).cause is not explain(text).cause]
    assert len(other) <= 0.02 * len(texts), other[:3]


BROKEN: dict[str, Form] = {
    "terminal": lambda text: _cut(text, 80),
    "box": lambda text: _box(_cut(text, 76), 76),
}


@pytest.mark.parametrize("form", BROKEN)
def test_words_that_a_terminal_broke_are_read(form: str) -> None:
    texts = TEXTS[1::8]
    pairs = [(explain(text).cause, explain(BROKEN[form](text)).cause) for text in texts]
    assert sum(before is after for before, after in pairs) >= 0.95 * len(pairs)


PARTS: dict[str, Form] = {
    "the-end-is-missing": lambda text: text[: int(len(text) * 0.7)],
    "the-beginning-is-missing": lambda text: text[int(len(text) * 0.3) :],
}


@pytest.mark.parametrize("form", PARTS)
def test_a_part_of_a_text_is_seldom_taken_for_something_else(form: str) -> None:
    texts = TEXTS[2::8]
    pairs = [(explain(text).cause, explain(PARTS[form](text)).cause) for text in texts]
    wrong = [pair for pair in pairs if pair[1] not in (pair[0], "unknown")]
    assert len(wrong) <= 0.05 * len(pairs), wrong


def test_entries_of_a_log_that_fill_the_width_stay_entries() -> None:
    lines = [
        "2026-11-29 10:00:01 ERROR 429 RESOURCE_EXHAUSTED: quota exceeded for gemini call",
        "2026-11-29 10:00:02 ERROR 403 Permission 'apikeys.keys.create' denied on project",
    ]
    assert {len(line) for line in lines} == {80}
    found = explain_all("\n".join(lines * 2))
    assert [each.cause.value for each in found] == ["rate-limited", "missing-iam-permission"]
