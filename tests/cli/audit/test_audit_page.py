"""The HTML report in a real browser: its policy holds, its script sorts and filters, names of others stay text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser import BROWSER, browsing

from .conftest import GEMINI, MAPS, key, project

NASTY = "<script>document.title='taken'</script><img src=x onerror=1>"
ROWS = "Array.from(document.getElementById('findings').tBodies[0].rows)"
SHOWN = f"{ROWS}.filter(row => !row.hidden).length"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


@pytest.fixture
def page(organization: Any, run: Callable[..., Any], tmp_path: Path) -> str:
    """The address of a report as a file."""
    organization(
        project("web-one", key("open", displayName=NASTY), key("old", GEMINI, age=200)),
        project("web-two", key("maps", MAPS, project="web-two", displayName="a map")),
    )
    file = tmp_path / "report.html"
    assert run("audit", "--organization", "77", "--output", str(file)).code == 3
    return f"file://{file}"


async def test_it_sorts_and_filters_and_breaks_no_rule_of_its_own(page: str, tmp_path: Path) -> None:
    async with browsing(page, tmp_path / "profile") as tab:
        await tab.until("document.getElementById('tools').hidden === false")
        total = await tab.value(f"{ROWS}.length")
        assert total == 4
        assert await tab.value("document.getElementById('count').textContent") == "4 of 4 findings"
        assert "API key audit" in await tab.value("document.title")
        assert await tab.value("document.scripts.length + document.images.length") == 1
        assert await tab.value(f"document.body.innerText.includes({NASTY!r})") is True
        await tab.value(
            "(box => { box.value = 'A MAP'; box.dispatchEvent(new Event('input')); })(document.getElementById('text'))"
        )
        assert await tab.value(SHOWN) == 1
        assert await tab.value("document.getElementById('count').textContent") == "1 of 4 findings"
        await tab.value("(box => { box.value = ''; box.dispatchEvent(new Event('input')); })(document.getElementById('text'))")
        await tab.value("document.querySelector('input[value=high]').click()")
        assert await tab.value(SHOWN) == 3
        heading = "document.querySelectorAll('#findings thead th')"
        order = f"{ROWS}.map(row => row.dataset.severity).join()"
        assert await tab.value(order) == "high,medium,low,info"
        await tab.value(f"{heading}[0].querySelector('button').click()")
        assert await tab.value(f"{heading}[0].getAttribute('aria-sort')") == "ascending"
        await tab.value(f"{heading}[0].querySelector('button').click()")
        assert await tab.value(order) == "info,low,medium,high"
        assert await tab.value(f"{heading}[0].getAttribute('aria-sort')") == "descending"
        assert await tab.value("document.title.includes('taken')") is False
        assert tab.said == []


CONTRAST = """
(() => {
  const channel = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const canvas = document.createElement("canvas").getContext("2d");
  const light = colour => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const probe = document.body.appendChild(document.createElement("p"));
  probe.className = "scroll";
  const ratios = ["high", "medium", "low", "info"].map(kind => {
    probe.className = kind;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const pair = [light(getComputedStyle(probe).color), light(dark ? "#121212" : "#ffffff")].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  });
  probe.remove();
  return Math.min(...ratios);
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_its_colours_can_be_told_from_the_paper(page: str, tmp_path: Path, scheme: str) -> None:
    async with browsing(page, tmp_path / "profile") as tab:
        await tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await tab.until(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
        assert await tab.value(CONTRAST) >= 4.5


async def test_it_prints_whole_without_its_tools(page: str, tmp_path: Path) -> None:
    async with browsing(page, tmp_path / "profile") as tab:
        await tab.until("document.getElementById('tools').hidden === false")
        await tab.call("Emulation.setEmulatedMedia", media="print")
        await tab.until("matchMedia('print').matches")
        assert await tab.value("getComputedStyle(document.getElementById('tools')).display") == "none"
