"""The pages of problems and guides: blocks marked `sh` are typed in a sandbox, those marked `console` name what exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_docs_keys import options

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(str(page.relative_to(DOCS)) for folder in ("problems", "guides") for page in (DOCS / folder).glob("*.md"))
_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"\s+# exit code (\d)$")


def _lines(page: str, language: str) -> list[str]:
    """The commands of keyadmin in a page's blocks of a language."""
    blocks = [text for kind, text in _BLOCK.findall((DOCS / page).read_text("utf-8")) if kind == language]
    return [line.strip() for block in blocks for line in block.splitlines() if re.search(r"\bkeyadmin \w", line)]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_type_runs(
    page: str, cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in _lines(page, "sh"):
        wanted = int(found[1]) if (found := _CODE.search(line)) else 0
        words = shlex.split(line, comments=True)
        assert words[0] == "keyadmin", line
        done = cli(*words[1:], env={"KEYADMIN_SANDBOX": "1"})
        assert done.code == wanted, f"{line}: {done.code}\n{done.out}\n{done.err}"


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_type_at_google_exists(page: str) -> None:
    for line in _lines(page, "console"):
        command = re.sub(r"^.*\| ", "", line).removesuffix("&").strip()
        words = shlex.split(command.partition("  #")[0])
        if words[0] != "keyadmin":
            continue
        known = options(words[1:])
        assert {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"} <= known, line
