"""Trying again what is expected to work soon: changes take up to minutes to reach all of Google's servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from keyadmin.model.observer import Observer
from keyadmin.model.problem import Problem

T = TypeVar("T")
FIRST_S: Final = 1.0
LONGEST_S: Final = 15.0
TICK_S: Final = 1.0


async def retry_until(
    call: Callable[[], Awaitable[T]],
    *,
    worth_it: Callable[[Problem], bool],
    limit_s: float,
    text: str,
    observer: Observer,
) -> T:
    """`call`'s result, tried again after 1, 2, 4 ... 15 s while it raises a Problem that is `worth_it`.

    Raises the last Problem once `limit_s` seconds have passed. The observer is shown the time left each second.
    """
    end = time.monotonic() + limit_s
    pause = FIRST_S
    while True:
        try:
            return await call()
        except Problem as problem:
            left = end - time.monotonic()
            if not worth_it(problem) or left <= 0:
                raise
        await _wait(min(pause, left), end, text, observer)
        pause = min(2 * pause, LONGEST_S)


async def _wait(seconds: float, end: float, text: str, observer: Observer) -> None:
    """Sleep, with a countdown to `end` (a monotonic time) that moves."""
    until = time.monotonic() + seconds
    while (rest := until - time.monotonic()) > 0:
        observer.waiting(text, max(0.0, end - time.monotonic()))
        await asyncio.sleep(min(TICK_S, rest))
