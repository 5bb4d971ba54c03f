"""How long one connection waits for a network that does not answer: over all its calls, and what is said meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

TELL_AFTER: Final = 1.5  # seconds of waiting after which a person hears what is waited for: the first word comes within three
TELL_AFTER_AT_HOME: Final = 15.0  # of a sandbox, which is slow only where the machine is busy
TELL_AGAIN: Final = 15.0


class Silence:
    """Adds up the time in which calls got no answer; calls side by side count once, and an answer clears its host's share.

    `limit` = seconds (`--timeout`) after which nothing more is waited for. Waits for quota are none of it.
    """

    def __init__(self, limit: float, on_silence: Callable[[str], None] | None = None, tell_after: float = TELL_AFTER) -> None:
        self.limit = limit
        self._tell_after = tell_after
        self._tell = on_silence
        self._spent: Counter[str] = Counter()
        self._counted_until = 0.0
        self._waiting: Counter[str] = Counter()
        self._since: dict[str, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._told = 0.0

    def left(self) -> float:
        """Seconds that may still be waited."""
        return max(0.0, self.limit - sum(self._spent.values()))

    def begin(self, host: str) -> None:
        """A call to this host is on its way."""
        if not self._waiting[host]:
            self._since[host] = time.monotonic()
        self._waiting[host] += 1
        if self._tell is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._tell_after, self._look)

    def end(self, host: str, *, answered: bool, since: float) -> None:
        """It came back. `since` (monotonic) = when the waiting began of which it was a part."""
        self._waiting[host] -= 1
        now = time.monotonic()
        if answered:
            self._since[host] = now
            self._spent.pop(host, None)
            return
        begin = max(since, self._counted_until)
        if now > begin:
            self._spent[host] += now - begin  # type: ignore[assignment]
        self._counted_until = max(self._counted_until, now)

    def _look(self) -> None:
        """Say what has been waited for too long; look again while anything is on its way."""
        now = time.monotonic()
        self._timer = None
        silent = [host for host, count in self._waiting.items() if count and now - self._since[host] >= self._tell_after - 0.05]
        if silent and self._tell is not None and (not self._told or now - self._told >= TELL_AGAIN):
            self._told = now
            self._tell(f"Waiting for an answer of {', '.join(sorted(silent))} (at most {self.left():.0f} s; Ctrl-C ends it)")
        if any(self._waiting.values()):
            self._timer = asyncio.get_running_loop().call_later(1.0 if not silent else self._tell_after, self._look)

    def close(self) -> None:
        """Say nothing more."""
        if self._timer is not None:
            self._timer.cancel()
