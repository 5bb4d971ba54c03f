"""The time left under a quota that the service told only goes down, and is within a fifth of the truth. In its own time."""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from keyadmin.cloud import pace
from keyadmin.cloud.endpoints import APIKEYS, ApiCall
from keyadmin.cloud.errors import calls_a_minute
from keyadmin.cloud.pace import Pace, gather_limited
from keyadmin.model.causes.facts import ErrorFacts

READ = ApiCall(APIKEYS, "ListKeys")


class OwnTime(asyncio.SelectorEventLoop):
    """A loop whose time passes by waiting alone: minutes take milliseconds, and the load of the machine nothing."""

    def __init__(self) -> None:
        selector = selectors.SelectSelector()
        super().__init__(selector)
        self._now = 1000.0
        select = selector.select

        def passing(timeout: float | None = None) -> Any:
            self._now += timeout or 0.0
            return select(0)

        selector.select = passing  # type: ignore[method-assign]

    def time(self) -> float:
        """The time so far."""
        return self._now


class Quota:
    """A service that answers so many calls in any minute and refuses the rest, telling when to come again."""

    def __init__(self, limit: int, now: Callable[[], float]) -> None:
        self.limit = limit
        self._now = now
        self._answered: deque[float] = deque()
        self.refused = 0

    def ask(self) -> float | None:
        """None = answered, else the seconds to wait."""
        now = self._now()
        while self._answered and self._answered[0] <= now - 60:
            self._answered.popleft()
        if len(self._answered) < self.limit:
            self._answered.append(now)
            return None
        self.refused += 1
        return self._answered[0] + 60 - now


@pytest.mark.parametrize(("limit", "calls", "told"), [(240, 1000, True), (60, 500, True), (240, 1000, False)])
def test_it_only_goes_down_and_is_within_a_fifth_of_the_truth(
    monkeypatch: pytest.MonkeyPatch, limit: int, calls: int, told: bool
) -> None:
    loop = OwnTime()
    monkeypatch.setattr(f"{pace.__name__}.time.monotonic", loop.time)
    service = Quota(limit, loop.time)
    paced = Pace(None if told else limit, None)
    seen: list[tuple[float, float]] = []

    async def job() -> float:
        left = paced.forecast(APIKEYS, None, reads=calls)

        async def one(number: int) -> None:
            while True:
                await paced.turn(READ, None)
                await asyncio.sleep(0.050 + number % 90 / 1000)  # no two answers come at once
                wait = service.ask()
                if wait is None:
                    break
                paced.refused(READ, None, wait, limit if told else None)
                seen.append((loop.time(), left()))  # the first refusal tells: those of other calls are still to come
            if not told or service.refused:
                seen.append((loop.time(), left()))

        async def watch() -> None:
            while True:
                await asyncio.sleep(1)
                if not told or service.refused:
                    seen.append((loop.time(), left()))

        watching = asyncio.ensure_future(watch())
        await gather_limited(range(calls), one)
        watching.cancel()
        return loop.time()

    end = loop.run_until_complete(job())
    loop.close()
    assert end - 1000 > 100, "the quota did hold back"
    for (_, before), (_, after) in itertools.pairwise(seen):
        assert after <= before + 1e-6
    for at, rest in seen:
        truth = end - at
        assert abs(rest - truth) <= max(truth / 5, 2.0), (at, rest, truth)


def test_the_limit_is_read_off_the_refusal() -> None:
    def facts(**metadata: str) -> ErrorFacts:
        return ErrorFacts(code=429, metadata=metadata)

    assert calls_a_minute(facts(quota_limit_value="240", quota_limit="ReadRequestsPerMinutePerProject")) == 240
    assert calls_a_minute(facts(quota_limit_value="60", quota_unit="1/min/{project}")) == 60
    assert calls_a_minute(facts(quota_limit_value="1000", quota_limit="RequestsPerDayPerProject")) is None
    assert calls_a_minute(facts(quota_limit_value="0", quota_unit="1/min/{project}")) is None
    assert calls_a_minute(facts(quota_limit_value="many", quota_unit="1/min/{project}")) is None
    assert calls_a_minute(ErrorFacts(code=429)) is None
