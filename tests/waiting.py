"""Waiting for something in another process or in a browser, which can only be asked again and again: with a deadline."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable

EVERY_S = 0.02
DEADLINE_S = 120.0  # for a busy machine; what has gone wrong is mostly told by the process that ended


def until(true: Callable[[], object], what: str, *, process: subprocess.Popen[str] | None = None) -> None:
    """Ask until it is true. Fails after two minutes, and at once where `process`, which is to make it true, has ended."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        if process is not None and process.poll() is not None:
            if true():  # just before it ended
                return
            raise AssertionError(f"the process ended ({process.returncode}) before this was true: {what}; {_said(process)}")
        assert time.monotonic() < deadline, f"never true: {what}"
        time.sleep(EVERY_S)


async def until_async(true: Callable[[], Awaitable[object]], what: str) -> None:
    """The same for what is asked asynchronously. Fails after two minutes."""
    deadline = time.monotonic() + DEADLINE_S
    while not await true():
        assert time.monotonic() < deadline, f"never true: {what}"
        await asyncio.sleep(EVERY_S)


def _said(process: subprocess.Popen[str]) -> str:
    return "".join(stream.read() for stream in (process.stdout, process.stderr) if stream is not None)
