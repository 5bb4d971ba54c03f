"""Verification waits for what time mends, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from keyadmin.keys import retry_until
from keyadmin.model.key import GEMINI
from keyadmin.model.lineage import read
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Cause
from keyadmin.rotation.acceptance import rejection
from keyadmin.rotation.decide import RotationTerms
from keyadmin.rotation.job import Job, Outcome, Shared
from tests.rotation.conftest import newest, published
from tests.rotation.inside import Stage, Subject

PATIENT_S = 300.0  # as without an option
AT_ONCE_S = 30.0  # far less than that, and enough for a busy machine


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_until, "FIRST_S", 0.01)


async def patient(subject: Subject, key_id: str) -> Outcome:
    """`keys rotate KEY` with the patience that it has without an option."""
    async with asyncio.timeout(AT_ONCE_S):
        return await subject.rotate(key_id, verify_s=PATIENT_S)


def after_rejections(on: Stage, count: int, then: Callable[[], Awaitable[object]]) -> list[str]:
    """Do something before the check that follows so many; the methods called, as they are called."""
    called: list[str] = []

    async def pause(method: str) -> None:
        called.append(method)
        if method == "ListModels" and called.count(method) == count + 1:
            await then()

    on.pause = pause
    return called


async def test_an_api_that_is_off_is_not_waited_for(on: Stage) -> None:
    subject = await on.project()
    await on.cloud.services.disable(subject.project, GEMINI)
    outcome = await patient(subject, "web")
    assert outcome.problem is not None
    assert outcome.problem.cause is Cause.API_NOT_ENABLED
    assert subject.held()["secret"] == subject.strings()["web"]


async def test_an_api_that_was_switched_on_just_now_is_waited_for(on: Stage) -> None:
    subject = await on.project()
    await on.cloud.services.disable(subject.project, GEMINI)
    await patient(subject, "web")
    await on.control("clock", {"advance": "1h"})  # the successor is old enough to be known everywhere
    await on.control("propagation", {"service": "60s"})
    await on.cloud.services.enable(subject.project, [GEMINI])
    called = after_rejections(on, 3, lambda: on.control("clock", {"advance": "61s"}))
    outcome = await patient(subject, "web")
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert called.count("ListModels") == 4


async def test_a_new_key_is_waited_for(on: Stage) -> None:
    subject = await on.project()
    await on.control("propagation", {"key": "30s"})
    called = after_rejections(on, 2, lambda: on.control("clock", {"advance": "31s"}))
    outcome = await patient(subject, "web")
    assert (outcome.problem, outcome.state) == (None, "grace")
    assert called.count("ListModels") == 3


async def test_a_key_that_should_be_known_by_now_is_not_waited_for(on: Stage) -> None:
    await on.control("propagation", {"key": "2h"})
    subject = await on.project()
    first = await subject.run()
    assert first[0].problem is not None
    await on.control("clock", {"advance": "10m"})
    called = after_rejections(on, 1, lambda: asyncio.sleep(0))
    outcome = await patient(subject, "web")
    assert outcome.problem is not None
    assert outcome.problem.cause is Cause.API_KEY_INVALID
    assert called.count("ListModels") == 1


async def test_no_time_of_a_key_need_tell_that_it_was_brought_back(on: Stage) -> None:
    subject = await on.project()
    (key,) = [key async for key in on.cloud.keys.list(subject.project)]
    await on.cloud.keys.delete(key.name)
    await on.control("propagation", {"key": "30s"})
    await on.cloud.keys.undelete(key.name)
    lineage = read([key], subject.project)[0]  # as it was when it was 100 days old
    job = Job(Shared(on.cloud, Observer()), lineage, RotationTerms(), verify_s=PATIENT_S)
    refused = await rejection(job, lineage.newest)
    assert refused is not None
    assert refused.cause is Cause.API_KEY_INVALID
    after_rejections(on, 1, lambda: on.control("clock", {"advance": "31s"}))
    async with asyncio.timeout(AT_ONCE_S):
        assert await rejection(job, lineage.newest, came_back=True) is None


async def test_a_key_that_was_brought_back_is_waited_for(on: Stage) -> None:
    subject = await published(on)
    await on.control("clock", {"advance": "25h"})
    await subject.run()
    assert newest(subject).state == "retired"
    await on.control("clock", {"advance": "1h"})
    await on.control("propagation", {"key": "30s"})
    called = after_rejections(on, 2, lambda: on.control("clock", {"advance": "31s"}))
    async with asyncio.timeout(AT_ONCE_S):
        outcome = await subject.roll_back("web", verify_s=PATIENT_S)
    assert outcome.problem is None
    assert called.count("ListModels") == 3
    assert subject.held()["secret"] == subject.strings()["web"]
