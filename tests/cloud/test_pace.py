"""Calls a minute, and how many at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.cloud import pace
from keyadmin.cloud.connect import Target, connect
from keyadmin.cloud.endpoints import ApiCall
from keyadmin.cloud.pace import SPAN, Eager, Pace, Waiting, Window, gather_limited

READ = ApiCall("apikeys.googleapis.com", "GetKey")
WRITE = ApiCall("apikeys.googleapis.com", "CreateKey", write=True)


@given(st.integers(1, 20), st.lists(st.floats(0, 30), min_size=1, max_size=80))
def test_never_more_than_the_limit_in_any_minute(limit: int, gaps: list[float]) -> None:
    window = Window(limit)
    now, left = 1000.0, []
    for gap in gaps:
        now += gap
        left.append(window.book(now))
    assert left == sorted(left)
    assert all(later - earlier >= SPAN - 1e-6 for earlier, later in zip(left, left[limit:], strict=False))


def test_long_work_takes_hardly_longer_than_the_quota_allows() -> None:
    window = Window(120)
    last = max(window.book(0.0) for _ in range(6000))
    assert last <= 1.1 * 60 * 6000 / 120


def test_a_short_burst_is_not_slowed() -> None:
    window = Window(240)
    assert {window.book(5.0) for _ in range(240)} == {5.0}
    assert window.book(5.0) == 5.0 + SPAN


def test_without_a_limit_nothing_waits() -> None:
    window = Window(None)
    assert {window.book(100.0) for _ in range(500)} == {100.0}


@pytest.mark.parametrize("limit", [None, 240])
def test_a_refusal_holds_everybody_back_as_long_as_asked_and_no_longer(limit: int | None) -> None:
    window = Window(limit)
    window.book(100.0)
    window.hold(101.0, 30.0)
    window.hold(102.0, 5.0)  # another call of the same burst, refused with a shorter delay
    assert window.held(102.0) == 29.0
    assert [window.book(103.0) for _ in range(3)] == [131.0] * 3
    assert window.book(132.0) == 132.0


def test_time_left_is_what_it_will_take() -> None:
    window = Window(120)
    assert window.time_left(120, 0.0) == 0.0
    assert window.time_left(121, 0.0) == SPAN
    assert window.time_left(1200, 0.0) == 9 * SPAN
    for _ in range(120):
        window.book(0.0)
    assert window.time_left(1, 1.0) == SPAN - 1.0
    assert Window(None).time_left(10_000, 0.0) == 0.0


@given(
    st.none() | st.integers(1, 20), st.lists(st.floats(0, 30), max_size=60), st.integers(0, 90), st.none() | st.floats(0, 200)
)
def test_time_left_agrees_with_what_comes(limit: int | None, gaps: list[float], calls: int, held: float | None) -> None:
    window = Window(limit)
    now, last = 1000.0, 1000.0
    for gap in gaps:
        now += gap
        last = window.book(now)
    if held is not None:
        window.hold(now, held)
    told = window.time_left(calls, now)
    moments = [window.book(now) for _ in range(calls)] or [max(last, now + window.held(now))]
    assert told == pytest.approx(max(0.0, moments[-1] - now), abs=1e-6)


async def test_the_forecast_of_a_job_shrinks_as_its_calls_are_made() -> None:
    paced = Pace(None, 10)
    left = paced.forecast(WRITE.service, None, writes=25)
    assert left() == pytest.approx(2 * SPAN, abs=20)
    for _ in range(10):
        await paced.turn(WRITE, None)
    assert left() == pytest.approx(2 * SPAN, abs=20)  # the burst was free
    assert paced.forecast(WRITE.service, None, writes=25)() == pytest.approx(3 * SPAN, abs=20)
    assert paced.forecast(READ.service, None, reads=10_000)() == 0.0


async def test_charged_to_each_project_there_is_no_forecast(double: Any, service_account: str) -> None:
    async with connect(Target(endpoints=double.endpoints, charge_each=True)) as cloud:
        assert cloud.forecast(writes=1000) is None
    async with connect(Target(endpoints=double.endpoints)) as cloud:
        forecast = cloud.forecast(writes=1000)
        assert forecast is not None
        assert forecast() == pytest.approx(8 * SPAN, abs=20)


async def test_reads_writes_services_and_quota_projects_count_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "SPAN", 0.5)
    monkeypatch.setattr(pace, "TELL_AFTER", 0.0)
    told: list[Waiting] = []
    paced = Pace(2, 1, told.append)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for call, project in ((READ, "a"), (READ, "a"), (WRITE, "a"), (READ, "b"), (WRITE, "b"), (ApiCall("other", "X"), "a")):
        await paced.turn(call, project)
    assert told == [], "none of them waits"
    await paced.turn(WRITE, "a")
    assert loop.time() - began >= 0.5


async def test_waiting_is_told() -> None:
    told: list[Waiting] = []
    paced = Pace(None, 1, told.append)
    turns = [asyncio.create_task(paced.turn(WRITE, None)) for _ in range(3)]
    await turns[0]
    await asyncio.sleep(0)
    assert [(event.write, event.queued) for event in told] == [(True, 1), (True, 2)]
    assert told[1].seconds == pytest.approx(2 * SPAN, abs=20)
    for turn in turns:
        turn.cancel()


@pytest.mark.parametrize(("asked", "limits"), [((None, None), (240, 120)), ((1000, 500), (1000, 500)), ((0, 0), (None, None))])
async def test_googles_defaults_can_be_raised(asked: Any, limits: Any, double: Any, service_account: str) -> None:
    target = Target(endpoints=double.endpoints, reads_per_minute=asked[0], writes_per_minute=asked[1])
    async with connect(target) as cloud:
        assert (cloud.pace._window(READ, None).limit, cloud.pace._window(WRITE, None).limit) == limits


async def test_gather_keeps_order_and_limit() -> None:
    running = most = 0

    async def square(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (number % 3))
        running -= 1
        return number * number

    assert await gather_limited(range(50), square, 7) == [n * n for n in range(50)]
    assert most == 7
    assert await gather_limited([], square) == []


async def test_gather_ends_everything_at_the_first_exception() -> None:
    begun: list[int] = []
    ended: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)
        if number == 3:
            raise ValueError(number)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(number)

    async with asyncio.timeout(50):
        with pytest.raises(ValueError, match="3"):
            await gather_limited(range(100), work, 5)
    assert begun == [0, 1, 2, 3, 4]
    assert sorted(ended) == [0, 1, 2, 4]


async def turns() -> None:
    """All tasks that can go on do."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_known_early_is_begun_early_and_once() -> None:
    begun: list[str] = []
    free = asyncio.Event()

    async def work(name: str) -> str:
        begun.append(name)
        await free.wait()
        return name.upper()

    async with asyncio.timeout(50), Eager(work, 2) as eager:
        for name in "abca":
            eager.start(name)
        await turns()
        assert begun == ["a", "b"]
        free.set()
        await turns()
        assert begun == ["a", "b", "c"]
        assert sorted(eager.done) == ["a", "b", "c"]
        assert await eager.results(["d", "a", "b"]) == ["D", "A", "B"]
    assert begun == ["a", "b", "c", "d"]


async def test_what_is_not_waited_for_is_ended() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        if number == 0:
            raise ValueError(number)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(number)

    async with asyncio.timeout(50), Eager(work, 3) as eager:
        for number in range(6):
            eager.start(number)
        await turns()
    assert sorted(ended) == [1, 2]
