"""Waiting by the server's clock: a wave is observed for so long as its minutes pass there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from keyadmin.model.observer import Observer
from keyadmin.model.problem import Exit, Problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

POLL_S = 15.0  # between two looks at the server's clock
TICK_S = 1.0  # between two looks of the countdown


async def wait_until(
    cloud: Cloud, moment: datetime, text: str, observer: Observer, look: Callable[[], Awaitable[object]]
) -> None:
    """Until the server's clock has reached a moment. `look` makes a call, whose answer bears the server's time."""
    while True:
        try:
            await look()
        except Problem as problem:
            if problem.exit is Exit.CREDENTIALS:
                raise  # else the clock is the last one known, which goes on
        left = (moment - cloud.now()).total_seconds()
        if left <= 0:
            return
        end = time.monotonic() + min(left, POLL_S)
        while (rest := end - time.monotonic()) > 0:
            observer.waiting(text, max(0.0, (moment - cloud.now()).total_seconds()))
            await asyncio.sleep(min(TICK_S, rest))
