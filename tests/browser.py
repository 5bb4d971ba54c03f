"""A headless Chromium for tests of our pages: one tab, spoken to over the DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.waiting import until, until_async

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# A test browser has nothing to say to anybody but the page: no updates, no first run, no look-ups.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
)
_SAYS = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")


# The least contrast of any text that is shown, and where: WCAG 2.2, 1.4.3. Foreground on the nearest painted background.
CONTRAST = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const paint = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return Array.from(canvas.getImageData(0, 0, 1, 1).data);
  };
  const channel = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = paint(getComputedStyle(node).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return paint("Canvas");
  };
  let worst = [99, ""];
  for (const node of document.querySelectorAll("body *")) {
    if (!node.checkVisibility() || node.closest(".unseen, noscript, script, style, option")) continue;
    const own = Array.from(node.childNodes).some(child => child.nodeType === 3 && child.textContent.trim());
    if (!own && node.tagName !== "INPUT") continue;
    const style = getComputedStyle(node);
    const front = paint(node instanceof SVGElement ? style.fill : style.color);
    const pair = [light(front), light(behind(node))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < worst[0]) worst = [ratio, node.tagName + "." + node.className + ": " + node.textContent.slice(0, 40)];
  }
  return JSON.stringify(worst);
})()
"""
# What stands out of the window to the right, by name; empty where nothing does.
TOO_WIDE = """
document.documentElement.scrollWidth <= document.documentElement.clientWidth ? "" :
  Array.from(document.querySelectorAll("body *"))
    .filter(node => node.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map(node => node.tagName + "." + node.className).join()
"""


class Tab:
    """A browser tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.said: list[str] = []  # console messages and violations of the policy

    async def call(self, method: str, **params: Any) -> Any:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json(timeout=60)
            if message.get("method") in _SAYS:
                self.said.append(str(message["params"]))
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]

    async def value(self, expression: str) -> Any:
        """What it evaluates to. An exception in the page is a failure here, not a missing value."""
        answer = await self.call("Runtime.evaluate", expression=expression)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait for an expression to be true."""
        try:
            await until_async(lambda: self.value(expression), expression)
        except AssertionError as error:
            raise AssertionError(f"{error}; the page: {await self.value('document.body?.innerText')}") from None

    async def look(self, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """The window's size in pixels, and whether the system is light or dark."""
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await self.until(f"innerWidth === {width} && matchMedia('(prefers-color-scheme: {scheme})').matches")

    async def click(self, selector: str) -> None:
        """With the mouse, in the middle of the first element that fits."""
        place = f"document.querySelector({json.dumps(selector)})"
        await self.value(f"{place}.scrollIntoView({{block: 'center'}})")
        box = await self.value(
            f"(box => [box.x + box.width / 2, box.y + box.height / 2].join())({place}.getBoundingClientRect())"
        )
        x, y = map(float, box.split(","))
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def type(self, selector: str, text: str) -> None:
        """Into a box, in place of what is there."""
        await self.value(f"(box => {{ box.focus(); box.select(); }})(document.querySelector({json.dumps(selector)}))")
        await self.call("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """One key, as `KeyboardEvent.key` names it."""
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    async def choose(self, selector: str, value: str) -> None:
        """An option of a list."""
        place = f"document.querySelector({json.dumps(selector)})"
        await self.value(f"(box => {{ box.value = {json.dumps(value)}; box.dispatchEvent(new Event('change')); }})({place})")

    async def picture(self) -> bytes:
        """What is in the window, as PNG."""
        answer = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    async def open(self, url: str) -> None:
        """Go to a page and wait until all of it is there, its script run."""
        answer = await self.call("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer['errorText']}"
        await self.until("location.href !== 'about:blank' && document.readyState === 'complete'")


@asynccontextmanager
async def browsing(url: str, profile: Path) -> AsyncIterator[Tab]:
    """A browser with one tab, in which the page is loaded. What it says from its first line on is in `said`."""
    assert BROWSER is not None
    command = [BROWSER, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    try:
        port_file = profile / "DevToolsActivePort"
        until(lambda: port_file.exists() and "\n" in port_file.read_text(), "Chromium says its port", process=process)
        port = port_file.read_text().split()[0]
        async with aiohttp.ClientSession() as session, session.ws_connect(await _page(session, port)) as socket:
            tab = Tab(socket)
            for domain in ("Runtime", "Log", "Page"):
                await tab.call(f"{domain}.enable")
            await tab.open(url)
            yield tab
    finally:
        process.kill()
        process.wait(timeout=60)


async def _page(session: aiohttp.ClientSession, port: str) -> str:
    """The address of the tab, which is listed a moment after the port is written."""
    found: list[str] = []

    async def listed() -> bool:
        async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            found[:] = [page["webSocketDebuggerUrl"] for page in await answer.json() if page["type"] == "page"]
        return bool(found)

    await until_async(listed, "Chromium lists its tab")
    return found[0]
