"""The HTML report of 50,000 keys: its size, the memory of who writes it, and how soon a browser shows and filters it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.measure import PEAK
from tests.benchmarks.test_audit import SEARCHED, Server, server  # noqa: F401 (fixture)
from tests.browser import BROWSER, browsing

pytestmark = [pytest.mark.benchmark, pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")]

MOST_BYTES = 12e6
PAINT_MS, FILTER_MS = 2000, 200
COMMAND = f"""
import sys
from keyadmin.cli.app import main
code = main(sys.argv[1:])
print(code, {PEAK}, file=sys.stderr)
"""
# Each choice until what it leads to is painted.
CHOICES = """
(async () => {
  const out = {};
  const timed = async (name, act) => {
    const began = performance.now();
    act();
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    out[name] = Math.round(performance.now() - began);
  };
  const put = (id, value, event) => () => {
    const box = document.getElementById(id);
    box.value = value;
    box.dispatchEvent(new Event(event));
  };
  await timed("text", put("text", "fleet-0123", "input"));
  await timed("several words", put("text", "fleet-0 gemini restrict", "input"));
  await timed("none", put("text", "", "input"));
  await timed("severity", () => document.querySelector("#severities button").click());
  await timed("rule", put("rule", "1", "change"));
  await timed("all", () => document.getElementById("reset").click());
  await timed("project", put("project", "fleet-09", "input"));
  await timed("all again", () => document.getElementById("reset").click());
  return JSON.stringify(out);
})()
"""


async def _in_a_browser(page: str, profile: Path) -> tuple[float, float, dict[str, int]]:
    """Milliseconds to the first paint and to the table, and of each choice."""
    async with browsing(page, profile) as tab:
        paint = await tab.value("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        ready = await tab.value("performance.timing.domComplete - performance.timing.navigationStart")
        answer = await tab.call("Runtime.evaluate", expression=CHOICES, awaitPromise=True)
        assert tab.said == []
        return paint, ready, json.loads(answer["result"]["value"])


def test_50000_keys_as_a_page(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    server.fill(SEARCHED)
    file = tmp_path / "report.html"
    words = [sys.executable, "-c", COMMAND, "audit", "--inventory", "asset", "--organization", "77", "--output", str(file)]
    done = subprocess.run(words, env=server.env, capture_output=True, text=True, check=True)
    code, peak = done.stderr.split()[-2:]
    assert code == "3", done.stderr
    paint, ready, choices = asyncio.run(_in_a_browser(file.as_uri(), tmp_path / "profile"))
    size = file.stat().st_size
    with capsys.disabled():
        print(f"\nHTML of {SEARCHED * 5} keys: {size / 1e6:.1f} MB, written with {float(peak):.0f} MB of memory; ", end="")
        print(f"first paint {paint:.0f} ms, table {ready:.0f} ms, milliseconds of each choice: {choices}")
    assert size <= MOST_BYTES
    assert paint <= PAINT_MS
    assert max(choices.values()) <= FILTER_MS
