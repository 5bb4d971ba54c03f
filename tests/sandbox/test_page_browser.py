"""The sandbox's page in a real browser: live, searched, sorted, paged; faults set by hand; a key's life; phone and dark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser import BROWSER, CONTRAST, TOO_WIDE, browsing

from .conftest import Running
from .test_page import NASTY, seed_nasty
from .wire import KEYS, create, send

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")

LIVE = "document.getElementById('state').textContent === 'live'"
FIRST = "document.querySelector('section:not([hidden]) tbody td').textContent"
COUNT = "document.querySelector('section:not([hidden]) .tools [role=status]').textContent"
SEARCH = "section:not([hidden]) .tools input"


async def test_it_is_live_and_texts_of_others_stay_text(sandbox: Running, tmp_path: Path) -> None:
    seed_nasty(sandbox)
    async with browsing(f"{sandbox.rest}/", tmp_path) as tab:
        await tab.until(LIVE)
        assert await tab.value("document.getElementById('projects').innerText.includes('<img src=x')") is True
        await tab.click("#tab-keys")
        await tab.until("location.hash === '#keys' && document.getElementById('projects').hidden")
        assert not await tab.value("document.body.innerText.includes('appears later')")
        create(sandbox, "later", {"displayName": "appears later"})
        await tab.until("document.getElementById('keys').innerText.includes('appears later')")
        await tab.press("ArrowRight")  # the tab has the focus
        await tab.until("location.hash === '#iam'")
        assert NASTY.split(">")[1][:20] in await tab.value("document.getElementById('iam').innerText")
        assert await tab.value("document.title") == sandbox.control("page")["title"]
        assert await tab.value("document.scripts.length + document.images.length") == 2
        assert tab.said == []


async def test_ten_thousand_rows_are_searched_sorted_and_paged(sandbox: Running, tmp_path: Path) -> None:
    sandbox.control("seed", {"fleet": {"projects": 1000, "keysPerProject": 1}})
    async with browsing(f"{sandbox.rest}/#projects", tmp_path) as tab:
        await tab.until(f"{COUNT} === '1 to 100 of 1,005'")
        await tab.click("section:not([hidden]) .tools button:nth-of-type(2)")
        await tab.until(f"{COUNT} === '101 to 200 of 1,005'")
        await tab.type(SEARCH, "fleet-0099")
        await tab.until(f"{COUNT} === '1 to 10 of 10'")
        await tab.click("#projects th button")
        await tab.click("#projects th button")
        await tab.until(f"{FIRST} === 'fleet-00999'")
        assert await tab.value("document.querySelector('#projects th').getAttribute('aria-sort')") == "descending"
        await tab.type(SEARCH, "no such thing")
        await tab.until(f"{COUNT} === 'none of 0'")
        assert tab.said == []


async def test_faults_are_set_and_requests_filtered_by_hand(sandbox: Running, tmp_path: Path) -> None:
    form = "#conditions form:nth-of-type({})"
    async with browsing(f"{sandbox.rest}/#conditions", tmp_path) as tab:
        await tab.until(LIVE)
        await tab.type(form.format(1) + " [name=method]", "GetKey")
        await tab.choose(form.format(1) + " [name=code]", "ABORTED")
        await tab.click(form.format(1) + " button")
        await tab.until(
            "document.querySelector('#conditions tbody').innerText.includes('ABORTED before the change, 1 more time')"
        )
        assert send(sandbox, "GET", f"{KEYS}/none").status == 409
        await tab.type(form.format(2) + " [name=per_minute]", "7")
        await tab.click(form.format(2) + " button")
        await tab.until("document.querySelector('#conditions tbody').innerText.includes('7 a minute')")
        await tab.type(form.format(5) + " [name=advance]", "no time")
        await tab.click(form.format(5) + " button")
        await tab.until("document.getElementById('said').textContent.includes('Invalid duration')")
        await tab.type(form.format(5) + " [name=advance]", "31d")
        before = sandbox.control("")["now"]
        await tab.click(form.format(5) + " button")
        await tab.until("document.getElementById('said').textContent === ''")
        assert sandbox.control("")["now"] > before
        await tab.click("#tab-requests")
        await tab.type("#requests .tools input", "aborted !OK")
        await tab.until("document.getElementById('requests').innerText.includes('ApiKeys.GetKey')")
        assert await tab.value("document.querySelectorAll('#requests tbody tr').length") == 1
        # a refusal is an answer that the browser notes in its console
        assert all("400" in said for said in tab.said)


async def test_a_key_opens_its_life_on_a_phone_too(sandbox: Running, tmp_path: Path) -> None:
    create(sandbox, "lived", {"displayName": "born"})
    async with browsing(f"{sandbox.rest}/#keys", tmp_path) as tab:
        for width, scheme in ((1280, "light"), (390, "dark")):
            await tab.look(width, 844, scheme)
            await tab.until("document.querySelector('#keys tbody button')?.textContent === 'lived'")
            assert await tab.value(TOO_WIDE.replace("body *", "body > :not(main) *")) == ""
            least, where = json.loads(await tab.value(CONTRAST))
            assert least >= 4.5, where
            await tab.click("#keys tbody button")
            await tab.until("document.getElementById('life').open")
            text = await tab.value("document.getElementById('life').innerText")
            assert "CreateKey" in text
            assert "owner@example.com" in text
            least, where = json.loads(await tab.value(CONTRAST))
            assert least >= 4.5, where
            await tab.click("#life-close")
            await tab.until("!document.getElementById('life').open")
        assert tab.said == []


async def test_it_says_when_the_server_is_gone(start_sandbox: Any, tmp_path: Path) -> None:
    running = start_sandbox()
    async with browsing(f"{running.rest}/", tmp_path) as tab:
        await tab.until(LIVE)
        running.stop()
        await tab.until("document.getElementById('state').textContent === 'not connected'")
