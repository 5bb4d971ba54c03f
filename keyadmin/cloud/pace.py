"""How fast and how many at once: calls a minute per quota project, and a limit on what is in flight.

Google's defaults for the API Keys API are 240 reads and 120 writes a minute, charged to the quota project (documented on
its quotas page). Each service counts for itself.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Self, TypeVar

from keyadmin.cloud.endpoints import ApiCall

Item = TypeVar("Item")
Result = TypeVar("Result")

READS_PER_MINUTE: Final = 240
WRITES_PER_MINUTE: Final = 120
# A minute and a second: calls that left a minute apart may arrive a little closer.
SPAN: Final = 61.0
# Shorter waits are not worth telling.
TELL_AFTER: Final = 1.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call has to wait for the pace: `seconds` from now; `queued` calls stand before it and wait too."""

    service: str
    write: bool
    seconds: float
    queued: int


class Window:
    """At most `limit` calls leave in any SPAN seconds; None = no limit.

    Each call books the next free moment and sleeps until then: first come, first served. After a refusal everybody waits
    as long as the service asked: one refusal speaks for all, others may share the quota.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.taken = 0
        self.refused = 0
        """Calls that were taken and refused: they are made again."""
        self.doomed = 0
        """Calls under way that will be refused too: more left than the limit that was told meanwhile lets through."""
        self._booked: deque[float] = deque()
        self._held_until = 0.0

    def book(self, now: float) -> float:
        """The moment (monotonic seconds) at which the next call may leave; it is taken."""
        moment = max(now, self._held_until, self._booked[-1] if self._booked else 0.0)
        if self.limit is not None and len(self._booked) >= self.limit:
            moment = max(moment, self._booked[-self.limit] + SPAN)
        self._booked.append(moment)
        self.taken += 1
        while self._booked[0] < now - SPAN:
            self._booked.popleft()
        return moment

    def queued(self, now: float) -> int:
        """How many booked calls have not left yet."""
        return sum(1 for moment in self._booked if moment > now)

    def hold(self, now: float, delay: float) -> None:
        """The service said 429: nothing more leaves for `delay` seconds."""
        self._held_until = max(self._held_until, now + delay)

    def learn(self, limit: int, now: float) -> None:
        """The service told its limit of calls a minute: more are not sent from here on."""
        if self.limit is None or limit < self.limit:
            self.limit = limit
            self.doomed = max(0, sum(1 for moment in self._booked if now - SPAN < moment <= now) - limit)

    def held(self, now: float) -> float:
        """Seconds for which everything is held back."""
        return max(0.0, self._held_until - now)

    def time_left(self, calls: int, now: float) -> float:
        """Seconds until what is booked and `calls` more calls have left, were they all booked now."""
        last = max(now + self.held(now), self._booked[-1] if self._booked else now)
        if self.limit is not None and calls > 0:
            spans = math.ceil(calls / self.limit)
            before = len(self._booked) + calls - 1 - spans * self.limit  # the booked call so many spans before the last
            last = max(last + (spans - 1) * SPAN, self._booked[before] + spans * SPAN if before >= 0 else 0.0)
        return max(0.0, last - now)


class Pace:
    """The windows of all services and quota projects."""

    def __init__(self, reads: int | None, writes: int | None, on_wait: Callable[[Waiting], None] | None = None) -> None:
        self.on_wait = on_wait
        self._limits = {False: reads, True: writes}
        self._windows: dict[tuple[str, str | None, bool], Window] = {}

    def _window(self, call: ApiCall, quota_project: str | None) -> Window:
        key = (call.service, quota_project, call.write)
        if key not in self._windows:
            self._windows[key] = Window(self._limits[call.write])
        return self._windows[key]

    async def turn(self, call: ApiCall, quota_project: str | None) -> None:
        """Wait until this call may leave."""
        if not call.paced:
            return
        window = self._window(call, quota_project)
        now = time.monotonic()
        moment = window.book(now)
        while (wait := max(moment - now, window.held(now))) > 0:
            self.tell(call, wait, window.queued(now))
            await asyncio.sleep(wait)
            now = time.monotonic()

    def tell(self, call: ApiCall, seconds: float, queued: int = 0) -> None:
        """Tell of a wait that is worth it."""
        if self.on_wait is not None and seconds > TELL_AFTER:
            self.on_wait(Waiting(call.service, call.write, seconds, queued))

    def refused(self, call: ApiCall, quota_project: str | None, delay: float, limit: int | None = None) -> None:
        """A rate limit was met: hold back every call of the kind for `delay` seconds. `limit` = calls a minute, where told."""
        window = self._window(call, quota_project)
        now = time.monotonic()
        if limit is not None:
            window.learn(limit, now)
        window.refused += 1
        window.doomed = max(0, window.doomed - 1)
        window.hold(now, delay)

    def forecast(self, service: str, quota_project: str | None, *, reads: int = 0, writes: int = 0) -> Callable[[], float]:
        """Of a job of so many calls from now on: the seconds that the pace still costs it, whenever it is asked."""
        kinds = ((False, reads), (True, writes))
        windows = [(self._window(ApiCall(service, "", write=write), quota_project), count) for write, count in kinds if count]
        planned = [(window, window.taken - window.refused + count) for window, count in windows]
        told: list[tuple[tuple[int | None, ...], float]] = []  # the limits it went by, and the moment of the end

        def left() -> float:
            now = time.monotonic()
            to_come = ((window, end - window.taken + window.refused + window.doomed) for window, end in planned)
            rest = max((window.time_left(calls, now) for window, calls in to_come), default=0.0)
            limits = tuple(window.limit for window, _ in planned)
            if all(limit is None for limit in limits):
                return rest
            # Once told, the time left goes down alone, unless a limit shrinks.
            known = [end for before, end in told if before == limits]
            told[:] = [(limits, min([now + rest, *known]))]
            return max(0.0, told[0][1] - now)

        return left


class Eager(Generic[Item, Result]):
    """`fn` of items from the moment each is known, at most `limit` at once.

    Leaving its `async with` cancels what is under way.
    """

    def __init__(self, fn: Callable[[Item], Awaitable[Result]], limit: int) -> None:
        self.done: dict[Item, Result] = {}
        self.started: set[Item] = set()
        self._fn = fn
        self._free = limit
        self._queue: deque[Item] = deque()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, item: Item) -> None:
        """Of each item once, however often it is named."""
        if item in self.started:
            return
        self.started.add(item)
        self._queue.append(item)
        if self._free:
            self._free -= 1
            self._tasks.append(asyncio.create_task(self._work()))

    async def _work(self) -> None:
        try:
            while self._queue:
                item = self._queue.popleft()
                self.done[item] = await self._fn(item)
        finally:
            self._free += 1

    async def results(self, items: Sequence[Item]) -> list[Result]:
        """The results of these items, in their order; what is not under way yet is started. Raises the first exception."""
        for item in items:
            self.start(item)
        await asyncio.gather(*self._tasks)
        return [self.done[item] for item in items]


async def gather_limited(items: Iterable[Item], fn: Callable[[Item], Awaitable[Result]], limit: int = 64) -> list[Result]:
    """`fn` of every item, at most `limit` at once, results in the order of the items.

    The first exception cancels what is under way and is raised; where one failure must not end the rest, let `fn` return it.
    """
    work = list(items)
    async with Eager[int, Result](lambda index: fn(work[index]), limit) as eager:
        return await eager.results(range(len(work)))
