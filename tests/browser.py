"""A headless Chromium for tests of our pages: one tab, spoken to over the DevTools protocol."""

from __future__ import annotations

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
