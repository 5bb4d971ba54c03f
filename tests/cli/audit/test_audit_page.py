"""The HTML report in a real browser: used as a reader uses it, on a screen, a phone and paper; its policy holds."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyadmin.audit.result import TrendPoint
from tests.browser import BROWSER, CONTRAST, TOO_WIDE, Tab, browsing

from .conftest import GEMINI, MAPS, key, project
from .page_report import NASTY, NOW, few, judged, report, written

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

KEYS = "Array.from(document.querySelectorAll('#table tr.key .open'), each => each.textContent).join('|')"
COUNT = "document.getElementById('count').textContent"
PARTS = "document.getElementById('table').tHead.rows[0].cells"


@pytest.fixture
def page(tmp_path: Path) -> str:
    """The address of a report of a few keys."""
    return written(report(few(), errors=30), tmp_path / "report.html")


async def _shown(tab: Tab) -> list[str]:
    text: str = await tab.value(KEYS)
    return text.split("|") if text else []


@pytest.fixture
def audited(organization: Any, run: Callable[..., Any], tmp_path: Path) -> str:
    """The address of a report that the command wrote."""
    organization(
        project("web-one", key("open", displayName=NASTY[:60]), key("old", GEMINI, age=200)),
        project("web-two", key("maps", MAPS, project="web-two", displayName="a map")),
    )
    file = tmp_path / "report.html"
    assert run("audit", "--organization", "77", "--output", str(file)).code == 3
    return file.as_uri()


async def test_a_report_of_the_command_is_searched(audited: str, tmp_path: Path) -> None:
    async with browsing(audited, tmp_path / "profile") as tab:
        total = len(await _shown(tab))
        assert total >= 3
        await tab.type("#text", "A MAP")
        assert await _shown(tab) == ["a map"]
        assert await tab.value(COUNT) == f"1 of {total} keys"
        await tab.click("#reset")
        assert len(await _shown(tab)) == total
        assert "taken" not in await tab.value("document.title")
        assert tab.said == []


async def test_every_choice_narrows_the_keys(page: str, tmp_path: Path) -> None:
    async with browsing(page, tmp_path / "profile") as tab:
        assert await tab.value(COUNT) == "7 of 8 keys"  # one is accepted wholly
        assert any(name.startswith("</script>") and "\\u202e" in name for name in await _shown(tab))
        for words, found in (
            ("web-one", ["a map"]),
            ("KEY 6", ["key 6"]),
            ("rotate mixed-targets", ["five things"]),
            ("label ann@example.com", []),
            ("ann@example.com map", ["a map"]),
            ("keys list", ["the project itself"]),
        ):
            await tab.type("#text", words)
            assert await _shown(tab) == found, words
        await tab.click("#reset")
        await tab.click("#severities button:nth-of-type(2)")  # medium
        assert await _shown(tab) == ["0a1b2c3d-000000000003"]
        await tab.click("#severities button:nth-of-type(3)")  # and low
        assert set(await _shown(tab)) == {"0a1b2c3d-000000000003", "key 6", "the project itself"}
        await tab.click("#reset")
        await tab.choose("#state", "accepted")
        assert set(await _shown(tab)) == {"kiosk", "half accepted"}
        await tab.click("#reset")
        await tab.click("#new")
        assert sorted(await _shown(tab))[1:] == ["five things"]
        await tab.click("#reset")
        await tab.type("#project", "shop-f")
        assert await _shown(tab) == ["the project itself"]
        assert await tab.value("document.querySelector('#projects option').value") == "shop-full"
        await tab.click("#reset")
        rule = await tab.value(
            "Array.from(document.querySelectorAll('#rule option')).find(each => each.text === 'mixed-targets').value"
        )
        await tab.choose("#rule", rule)
        assert await _shown(tab) == ["five things"]
        assert tab.said == []


async def test_charts_count_what_is_shown_and_narrow_it(page: str, tmp_path: Path) -> None:
    bar = "Array.from(document.querySelectorAll('.bars button')).find(each => each.textContent.startsWith('{}'))"
    async with browsing(page, tmp_path / "profile") as tab:
        assert await tab.value(bar.format("high") + ".lastChild.textContent") == "4"
        assert await tab.value(bar.format("medium") + ".lastChild.textContent") == "1"
        await tab.value(bar.format("high") + ".click()")
        assert await tab.value(bar.format("high") + ".getAttribute('aria-pressed')") == "true"
        assert await tab.value("document.querySelector('#severities [aria-pressed=true]').textContent") == "high"
        assert len(await _shown(tab)) == 4
        assert await tab.value(bar.format("medium") + ".lastChild.textContent") == "1"  # what pressing it would add
        await tab.value(bar.format("high") + ".click()")
        await tab.value(bar.format("> 2 y") + ".click()")
        assert await _shown(tab) == ["key 6"]
        assert await tab.value(bar.format("high") + ".lastChild.textContent") == "0"
        assert await tab.value("document.querySelectorAll('#charts svg').length") > 10


async def test_earlier_audits_are_a_line_that_says_its_numbers(tmp_path: Path) -> None:
    made = report(few())
    earlier = tuple(
        TrendPoint(NOW - timedelta(days=days), {"high": high, "medium": 9, "low": 2, "info": 0})
        for days, high in ((30, 40), (7, 12))
    )
    page = written(replace(made, trend=earlier), tmp_path / "report.html")
    async with browsing(page, tmp_path / "profile") as tab:
        label = await tab.value("document.querySelector('svg.plot').getAttribute('aria-label')")
        high = made.by_severity["high"]
        assert label.startswith(f"Findings in 3 audits from 2026-10-29 to 2026-11-28: high 40 to {high}, medium 9 to ")
        points = await tab.value("document.querySelector('.line-high').getAttribute('points').split(' ').length")
        assert points == 3
        assert tab.said == []


async def test_columns_sort_and_say_so(page: str, tmp_path: Path) -> None:
    async with browsing(page, tmp_path / "profile") as tab:
        assert await tab.value(f"{PARTS}[0].getAttribute('aria-sort')") == "descending"
        await tab.click("#table thead th:nth-child(2) button")
        assert await tab.value(f"{PARTS}[1].getAttribute('aria-sort')") == "ascending"
        assert await tab.value(f"{PARTS}[0].hasAttribute('aria-sort')") is False
        names = await _shown(tab)
        assert names[1:4] == ["0a1b2c3d-000000000003", "a map", "five things"]
        await tab.click("#table thead th:nth-child(2) button")
        assert await _shown(tab) == names[::-1]
        await tab.click("#table thead th:nth-child(6) button")
        assert (await _shown(tab))[0] == "key 6"  # the oldest
        await tab.click("#table thead th:nth-child(5) button")
        assert (await _shown(tab))[0] == "five things"  # the most findings


async def test_keys_are_grouped_with_their_counts(page: str, tmp_path: Path) -> None:
    words = "each => each.innerText.replace(/\\s+/g, ' ').trim()"
    groups = f"Array.from(document.querySelectorAll('#table tr.group'), {words}).join('|')"
    async with browsing(page, tmp_path / "profile") as tab:
        await tab.look(height=2000)
        await tab.choose("#group", "severity")
        assert await tab.value(groups) == "high 4 keys 4 high|medium 1 key 1 medium|low 2 keys 2 low"
        await tab.click("#table tr.group button")
        assert len(await _shown(tab)) == 3
        assert await tab.value("document.activeElement.getAttribute('aria-expanded')") == "false"
        await tab.choose("#group", "owner")
        assert {each.split(" ")[0] for each in (await tab.value(groups)).split("|")} == {"ann@example.com", "unknown", "owner"}
        await tab.choose("#group", "rule")
        assert "mixed-targets 1 key 1 high" in await tab.value(groups)
        await tab.choose("#group", "project")
        assert "web-one 1 key 1 high" in await tab.value(groups)


async def test_an_open_key_says_all_and_its_commands_are_copied(page: str, tmp_path: Path) -> None:
    async with browsing(page, tmp_path / "profile") as tab:
        await tab.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        await tab.type("#text", "web-one")
        await tab.click("#table tr.key .copy")
        await tab.until("document.querySelector('#table tr.key .copy').textContent === 'Copied'")
        copied = "navigator.clipboard.readText()"
        answer = await tab.call("Runtime.evaluate", expression=copied, awaitPromise=True, userGesture=True)
        assert answer["result"]["value"] == "keyadmin keys restrict 0a1b2c3d-000000000002 --to-used -p web-one"
        assert "web-one" in await tab.value("document.getElementById('said').textContent")
        await tab.type("#text", "half")
        await tab.click("#table .open")
        more = await tab.value("document.querySelector('#table tr.more').innerText")
        for text in (
            "projects/500000000005/locations/global/keys/0a1b2c3d-000000000005",
            "accepted by ann@example.com until 2027-03-01: the kiosks cannot be updated",
            "keyadmin keys rotate 0a1b2c3d-000000000005 --to SINK -p shop-00005",
            "shop-00005 has it since long",
            "Not read: what the key is used for.",
        ):
            assert text in more
        assert await tab.value("document.activeElement.textContent") == "half accepted"
        assert tab.said == []


async def test_it_is_used_with_the_keyboard_alone(page: str, tmp_path: Path) -> None:
    focused = "document.activeElement.textContent"
    async with browsing(page, tmp_path / "profile") as tab:
        await tab.press("/")
        assert await tab.value("document.activeElement.id") == "text"
        await tab.value("document.querySelector('#table .open').focus()")
        names = await _shown(tab)
        await tab.press("ArrowDown")
        assert await tab.value(focused) == names[1]
        await tab.press("End")
        assert await tab.value(focused) == names[-1]
        await tab.press("ArrowDown")
        await tab.press("Home")
        assert await tab.value(focused) == names[0]
        assert await tab.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"


async def test_many_keys_are_virtual_rows_and_all_are_reached(tmp_path: Path) -> None:
    page = written(report([judged(n, "key-too-old") for n in range(3000)]), tmp_path / "r.html")
    async with browsing(page, tmp_path / "profile") as tab:
        await tab.look()
        assert await tab.value("document.getElementById('table').getAttribute('aria-rowcount')") == "3001"
        assert await tab.value("document.querySelectorAll('#table tr.key').length") < 60
        whole = await tab.value("document.body.scrollHeight")
        await tab.value("document.querySelector('#table .open').focus()")
        await tab.press("End")
        assert await tab.value("document.activeElement.closest('tr').getAttribute('aria-rowindex')") == "3001"
        assert abs(await tab.value("document.body.scrollHeight") - whole) < 2
        await tab.value("scrollTo(0, document.body.scrollHeight / 2)")
        first = "Number(document.querySelector('#table tr.key').getAttribute('aria-rowindex'))"
        await tab.until(f"{first} > 1000 && {first} < 2000")
        assert await tab.value("document.elementFromPoint(400, 450).closest('tr').className") == "key"
        assert tab.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_read_on_a_phone_in_light_and_dark(page: str, tmp_path: Path, scheme: str) -> None:
    async with browsing(page, tmp_path / "profile") as tab:
        for width in (1280, 390):
            await tab.look(width, 844, scheme)
            await tab.click("#table .open")
            least, where = json.loads(await tab.value(CONTRAST))
            assert least >= 4.5, where
            assert await tab.value(TOO_WIDE) == ""
            await tab.choose("#group", "project")
            assert await tab.value(TOO_WIDE) == ""
            await tab.click("#reset")
        other = {"light": "dark", "dark": "light"}[scheme]
        before = await tab.value("getComputedStyle(document.body).backgroundColor")
        while await tab.value("document.documentElement.dataset.theme") != other:
            await tab.click("#theme")
        assert await tab.value("getComputedStyle(document.body).backgroundColor") != before
        assert json.loads(await tab.value(CONTRAST))[0] >= 4.5


async def test_paper_gets_every_key_whole_without_the_tools(page: str, tmp_path: Path) -> None:
    async with browsing(page, tmp_path / "profile") as tab:
        note = "addEventListener('beforeprint', () => { window.printed = document.querySelectorAll('#table tr.more').length; })"
        await tab.value(note)
        answer = await tab.call("Page.printToPDF", printBackground=False)
        pdf = base64.b64decode(answer["data"])
        assert pdf.startswith(b"%PDF")
        assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 12
        assert await tab.value("window.printed") == 7
        assert await tab.value("document.querySelectorAll('#table tr.more').length") == 0  # as it was
        await tab.call("Emulation.setEmulatedMedia", media="print")
        await tab.until("matchMedia('print').matches")
        assert await tab.value("getComputedStyle(document.getElementById('tools')).display") == "none"
        assert tab.said == []


async def test_without_its_script_the_worst_keys_stand_there(page: str, tmp_path: Path) -> None:
    async with browsing("about:blank#", tmp_path / "profile") as tab:
        await tab.call("Emulation.setScriptExecutionDisabled", value=True)
        await tab.call("Page.navigate", url=page)
        await tab.until("document.readyState === 'complete' && document.querySelector('noscript') !== null")
        await tab.until("document.body.innerText.includes('The worst keys')")
        text = await tab.value("document.body.innerText")
        for words in ("a map", "keyadmin keys rotate 0a1b2c3d-000000000002", "30 projects", "accepted", "Show all"):
            assert (words in text) is (words != "Show all"), words
        assert tab.said == []
