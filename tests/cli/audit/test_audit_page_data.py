"""The HTML report without a browser: what it holds, that nothing of others becomes markup, how large it gets."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from keyadmin.audit.report.html import FORMAT, data
from keyadmin.audit.report.html.page import FILES
from keyadmin.audit.rules import rules

from .page_report import ACCEPTED, NASTY, few, judged, report

MOST_A_KEY = 12e6 / 50_000  # bytes


class Elements(HTMLParser):
    """The names of a page's elements, their attributes, and the text of its JSON."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.json = ""
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        self._inside = ("type", "application/json") in attrs

    def handle_data(self, text: str) -> None:
        self.json += text if self._inside else ""


def _read(page: str) -> Any:
    return json.loads(Elements(page).json)


def _page(*judgements: Any, **more: Any) -> str:
    return "".join(FORMAT.pieces(report(list(judgements), **more)))


def test_every_text_comes_back_as_it_was() -> None:
    made = report(few())
    read = _read("".join(FORMAT.pieces(made)))
    for judgement, row in zip(made.judgements, read["rows"], strict=True):
        key_id, name, project = row[:3]
        findings, steps, unread = read["shapes"][row[5]]

        def said(place: int, key_id: str = key_id, project: str = read["projects"][project][0]) -> str:
            text: str = read["strings"][place]
            return text.replace(data.KEY, key_id).replace(data.PROJECT, project)

        assert name == (judgement.key.display_name if judgement.key else "")
        assert [said(each[2]) for each in findings] == [each.message for each in judgement.findings]
        assert [read["rules"][each[0]][0] for each in findings] == [each.rule for each in judgement.findings]
        assert [each[3] >= 0 for each in findings] == [each.accepted is not None for each in judgement.findings]
        assert [said(each[1]) for each in steps] == [each.command for each in judgement.steps]
        assert [said(each) for each in unread] == list(judgement.not_read)
    assert read["accepted"] == [[ACCEPTED.reason, ACCEPTED.owner, "2027-03-01"]]
    assert read["baseline"] is True


def test_private_characters_of_others_name_no_key() -> None:
    sly = judged(1, "key-too-old", name=f"{data.KEY} of {data.PROJECT}")
    sly = replace(sly, findings=(replace(sly.findings[0], message=f"see {data.KEY} of {data.PROJECT}"),))
    read = _read(_page(sly))
    assert "see ? of ?" in read["strings"]
    assert read["rows"][0][1] == f"{data.KEY} of {data.PROJECT}"


def test_texts_of_others_are_text() -> None:
    page = _page(*few())
    names = Elements(page).names
    assert names.count("script") == 2
    assert not {"img", "iframe", "object", "form", "base"} & set(names)
    block = page[page.index('id="data"') :]
    assert "<" not in block[block.index("\n") : block.index("</script>")]
    assert block.isascii() or block[: block.index("</script>")].isascii()
    assert NASTY not in page


def test_the_policy_names_this_script_and_style_and_nothing_else() -> None:
    policy = FILES.policy()
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"unsafe|\*|https?:", policy)
    page = _page(*few())
    assert f"<style>{FILES.style}</style>" in page
    assert f"<script>{FILES.script}</script>" in page
    attributes = Elements(page).attributes
    assert not {"src", "action", "style"} & {name for name, _ in attributes}
    assert not any(name.startswith("on") for name, _ in attributes)
    links = [value or "" for name, value in attributes if name == "href"]
    assert all(link.startswith(("#", "data:,", "https://")) for link in links)
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "XMLHttp", "import "):
        assert word not in FILES.script


def test_many_keys_stay_small_and_come_in_pieces() -> None:
    many = report([judged(n, *list(rules())[n % 3 : n % 3 + 3]) for n in range(2500)])
    pieces = list(FORMAT.pieces(many))
    rows = [piece for piece in pieces if piece.startswith((",\n[", "["))]
    assert len(rows) == 5
    assert sum(map(len, pieces[1:-1])) / 2500 < MOST_A_KEY


def test_projects_not_checked_are_told_by_reason() -> None:
    page = _page(*few(), errors=4000)
    assert page.count("<td>not allowed in PROJECT</td>") == 1
    assert "<summary>4,000 projects</summary>" in page
    assert "not allowed in shut-00000" in _page(*few(), errors=1)


def test_what_was_left_out_on_purpose_is_said() -> None:
    whole = report(few())
    some = replace(whole, judgements=whole.judgements[:2], whole=whole)
    assert "Shown as asked for: 2 of 8 keys with findings." in "".join(FORMAT.pieces(some))
    assert "as asked for" not in "".join(FORMAT.pieces(replace(whole, whole=whole)))


def test_nothing_found_is_a_page_too() -> None:
    page = _page()
    assert "<p>Nothing found " in page
    assert _read(page)["rows"] == []


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js is installed")
def test_the_script_is_one_that_node_reads(tmp_path: Path) -> None:
    whole = tmp_path / "whole.js"
    whole.write_text(FILES.script, "utf-8")
    done = subprocess.run(["node", "--check", str(whole)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_scripts_and_styles_pass_the_linter() -> None:
    biome = Path(sys.executable).with_name("biome")
    if not biome.exists():
        pytest.skip("biome is not installed: the extra `lint`")
    words = [str(biome), "ci", "--error-on-warnings", "--colors=off", "--reporter=summary", "keyadmin"]
    done = subprocess.run(words, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
