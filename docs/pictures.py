"""Takes the pictures of docs/pictures in a browser, from runs of keyadmin in a sandbox: `nox -s pictures`.

Nothing in them is drawn by hand: each shows what these commands made.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import fix_walk  # noqa: E402 - of this folder
from picture_world import ORGANIZATION, seed  # noqa: E402 - of this folder

from tests.browser import BROWSER, Tab, browsing  # noqa: E402 - of the checkout

OUT: Final = HERE / "pictures"
DESK, PHONE = (1280, 720), (390, 844)
_FOUND: Final = 3  # audit's exit code


@dataclass
class Company:
    """A served sandbox with the company in it, and a folder in which keyadmin is called."""

    rest: str
    folder: Path

    def control(self, path: str, data: Any) -> Any:
        """POST below `/_sandbox`."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.rest}/_sandbox/{path}", json.dumps(data).encode(), headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read())

    def type(self, *words: str, code: int = 0) -> None:
        """A command line, which ends with this exit code."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        env = {"PATH": path, "HOME": str(self.folder), "KEYADMIN_SANDBOX": self.rest}
        done = subprocess.run(["keyadmin", *words], env=env, cwd=self.folder, capture_output=True, text=True, check=False)  # noqa: S603, S607
        if done.returncode != code:
            raise SystemExit(f"keyadmin {' '.join(words)}: exit code {done.returncode}\n{done.stderr}")

    def audit(self, *words: str, code: int = _FOUND) -> None:
        """An audit of the company, which finds something."""
        self.type("audit", "--organization", ORGANIZATION.rpartition("/")[2], "--inventory", "api", *words, code=code)


def history(company: Company) -> None:
    """Three weeks of audits: keys are repaired, a finding is accepted; the last audit is compared with the one before."""
    repaired = ("shop-web-0", "support-chat-1", "data-batch-2", "labs-agents-0", "shop-search-1")
    for key in repaired:
        company.audit("--output", "before.json")
        company.type("keys", "restrict", key, "-p", key.rpartition("-")[0], "--to-used", "--window", "42d", "--force", "--yes")
        company.control("clock", {"advance": "4d"})
    company.type(
        *("audit", "accept", "maps-kiosk-0", "-p", "maps-kiosk", "--rule", "key-too-old"),
        *("--reason", "the kiosks are replaced in spring", "--until", "120d", "--owner", "bob@example.com"),
    )
    company.type(
        "keys", "create", "-p", "labs-demo", "--name", "demo day", "--standard", "--api-target", "maps-backend.googleapis.com"
    )
    company.audit("--baseline", "before.json", "--group-by", "owner", "--output", "report.html", code=0)  # nothing new is high


async def report(tab: Tab) -> None:
    """The report as it opens."""
    await tab.look(*DESK)


async def report_key(tab: Tab) -> None:
    """One key opened, in the dark."""
    await tab.look(*DESK, "dark")
    await tab.click("#table .open")
    await tab.value("document.getElementById('keys').scrollIntoView()")


async def report_groups(tab: Tab) -> None:
    """By owner."""
    await tab.look(*DESK)
    await tab.choose("#group", "owner")
    await tab.value("document.getElementById('keys').scrollIntoView()")


async def report_phone(tab: Tab) -> None:
    """On a phone."""
    await tab.look(*PHONE)
    await tab.value("document.getElementById('table').scrollIntoView()")


async def sandbox_keys(tab: Tab) -> None:
    """The sandbox's keys, searched."""
    await tab.look(*DESK)
    await tab.click("#tab-keys")
    await tab.type("#keys .tools input", "shop")
    await tab.until(
        "document.querySelector('#keys [role=status]').textContent.startsWith('1 to') && "
        "!document.querySelector('#keys tbody').innerText.includes('labs')"
    )


async def sandbox_life(tab: Tab) -> None:
    """The life of a key."""
    await tab.look(*DESK)
    await tab.click("#tab-keys")
    await tab.type("#keys .tools input", "shop-web-0")
    await tab.until("document.querySelectorAll('#keys tbody tr').length === 1")
    await tab.click("#keys tbody button")
    await tab.until("document.getElementById('life').open")


async def sandbox_conditions(tab: Tab) -> None:
    """Faults set by hand, in the dark."""
    await tab.look(*DESK, "dark")
    await tab.click("#tab-conditions")
    await tab.click("#conditions form button")
    await tab.until("document.querySelectorAll('#conditions tbody tr').length > 0")


async def fix_report(tab: Tab) -> None:
    """What a repair has done, as it opens."""
    await tab.look(*DESK)


REPAIR: Final = {"fix-report": fix_report}
REPORT: Final = {"report": report, "report-key": report_key, "report-groups": report_groups, "report-phone": report_phone}
SANDBOX: Final = {"sandbox-keys": sandbox_keys, "sandbox-life": sandbox_life, "sandbox-conditions": sandbox_conditions}
PICTURES: Final = (*REPORT, *SANDBOX, *REPAIR)


async def take(address: str, pictures: dict[str, Callable[[Tab], Awaitable[None]]], profile: Path) -> None:
    """Each picture from the page as it opens."""
    async with browsing(address, profile) as tab:
        for name, prepare in pictures.items():
            await tab.open(address)
            await prepare(tab)
            (OUT / f"{name}.png").write_bytes(await tab.picture())


def main() -> None:
    """All pictures, anew."""
    if BROWSER is None:
        raise SystemExit("no Chromium is installed")
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "seed.json").write_text(json.dumps(seed(datetime.now(UTC))), "utf-8")
        words = [sys.executable, "-m", "keyadmin", "sandbox", "serve", "--seed", str(folder / "seed.json")]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: S603
        try:
            assert server.stdout is not None
            company = Company(json.loads(server.stdout.readline())["rest"], folder)
            history(company)
            asyncio.run(take((folder / "report.html").as_uri(), REPORT, folder / "one"))
            asyncio.run(take(f"{company.rest}/", SANDBOX, folder / "two"))
        finally:
            with suppress(ProcessLookupError):
                server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)
        (folder / "walk").mkdir()
        fix_walk.play(folder / "walk")
        asyncio.run(take((folder / "walk" / "done.html").as_uri(), REPAIR, folder / "three"))


if __name__ == "__main__":
    main()
