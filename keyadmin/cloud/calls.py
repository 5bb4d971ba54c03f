"""One call, tried until it is answered: the only place that retries, and the only one that pages or waits for an operation."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from keyadmin.cloud import errors
from keyadmin.cloud.credentials import Access
from keyadmin.cloud.endpoints import ApiCall
from keyadmin.cloud.errors import Failure
from keyadmin.cloud.http import TIMEOUT
from keyadmin.cloud.network import way_out
from keyadmin.cloud.pace import Pace
from keyadmin.cloud.silence import Silence
from keyadmin.model.problem import Cause, Problem

Result = TypeVar("Result")

TIMEOUT_DEFAULT: Final = 90.0  # seconds for a chain of calls to a network that does not answer (`--timeout`)
OPERATION_DEADLINE: Final = 120.0  # seconds; creating a key takes half a second (recorded)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a call is tried again, in seconds since its first attempt.

    `seconds` for UNAVAILABLE and DEADLINE_EXCEEDED, `patience` for rate limits. Where no connection can be made the call
    is tried `connects` times only: a person without a network should hear so at once.
    """

    first: float = 0.25
    most: float = 8.0
    seconds: float = 30.0
    patience: float = 600.0
    connects: int = 3

    def delay(self, attempt: int, asked: float | None) -> float:
        """Seconds before the next attempt: doubling, jittered, never less than what the service asked for."""
        backoff = min(self.most, self.first * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
        return backoff if asked is None else asked + 0.1 * backoff


# What to make of a refusal that meets a repeated call whose first answer was lost: the result, or None if it is a refusal.
OnRepeat = Callable[[Problem], Awaitable[Result | None]]


class Runner:
    """Signs, paces, tries and tries again. `sandbox` = its address, for messages."""

    def __init__(
        self,
        access: Access,
        pace: Pace,
        policy: RetryPolicy,
        *,
        charge_each: bool,
        sandbox: str | None,
        silence: Silence | None = None,
    ) -> None:
        self.access = access
        self.silence = silence or Silence(TIMEOUT_DEFAULT)
        self.pace = pace
        self.sandbox = sandbox
        self._policy = policy
        self._charge_each = charge_each

    async def run(
        self,
        call: ApiCall,
        attempt: Callable[[dict[str, str], float], Awaitable[Result]],
        on_repeat: OnRepeat[Result] | None = None,
    ) -> Result:
        """The answer of `attempt(headers, seconds)`, which is to give up after so many seconds. Raises Problem."""
        history = _History(call, self._policy)
        while True:
            charged = self._charged(call)
            await self.pace.turn(call, charged)
            headers = await self._headers(call, charged)
            failure = await self._tried(call, attempt, headers, history)
            if not isinstance(failure, Failure):
                return failure
            if failure.facts.status == "UNAUTHENTICATED" and failure.answered and call.signed and call.renews:
                if not history.renewed and await self.access.renew(headers.get("authorization", "")):
                    history.renewed = True
                    continue
                raise self.access.advised(failure.problem)
            if history.lost and on_repeat is not None and not failure.transient:
                result = await on_repeat(failure.problem)
                if result is not None:
                    return result
            delay = history.again_after(failure, self.silence.left())
            if delay is None:
                raise failure.problem
            if failure.problem.cause is Cause.RATE_LIMITED and call.paced:
                self.pace.refused(call, charged, delay, errors.calls_a_minute(failure.facts))
            else:
                if failure.problem.cause is Cause.RATE_LIMITED:
                    self.pace.tell(call, delay)
                await asyncio.sleep(delay)

    async def _tried(
        self,
        call: ApiCall,
        attempt: Callable[[dict[str, str], float], Awaitable[Result]],
        headers: dict[str, str],
        history: _History,
    ) -> Result | Failure:
        """One attempt, its waiting counted. Raises Problem where this connection has waited long enough already."""
        left = self.silence.left()
        if left <= 0:
            raise _given_up(call, self.silence.limit)
        self.silence.begin(call.service)
        answered = False
        try:
            result = await attempt(headers, min(TIMEOUT, left))
            answered = True
            return result
        except errors.foreign() as error:
            failure = errors.read(error, call, self.sandbox)
            answered = failure.answered
            return failure
        finally:
            self.silence.end(call.service, answered=answered, since=history.waiting_since)
            history.waiting_since = time.monotonic()

    def forecast(self, service: str, *, reads: int = 0, writes: int = 0) -> Callable[[], float] | None:
        """As Pace.forecast; None where every project is charged for itself, so that no one pace holds all back."""
        if self._charge_each:
            return None
        return self.pace.forecast(service, self.access.quota_project, reads=reads, writes=writes)

    def _charged(self, call: ApiCall) -> str | None:
        if call.uncharged:
            return None
        if (self._charge_each or call.charged) and call.project:
            return call.project
        return self.access.quota_project

    async def _headers(self, call: ApiCall, charged: str | None) -> dict[str, str]:
        if not call.signed:
            return {}
        headers = await self.access.headers()
        if charged:
            headers["x-goog-user-project"] = charged
        return headers


def _given_up(call: ApiCall, limit: float) -> Problem:
    return Problem(
        Cause.NETWORK_UNREACHABLE,
        f"{call.service} was not asked: the network has not answered for {limit:.0f} s in all (--timeout)",
        service=call.service if "." in call.service else None,
        project=call.project,
        fix=way_out(call.service),
        unsent=True,
    )


class _History:
    """What became of a call's attempts so far."""

    def __init__(self, call: ApiCall, policy: RetryPolicy) -> None:
        self.lost = False
        self.renewed = False
        self._call = call
        self._policy = policy
        self._began = self.waiting_since = time.monotonic()
        self._attempts = 0

    def again_after(self, failure: Failure, left: float) -> float | None:
        """Seconds until the next attempt, or None: give up. `left` = seconds that may still be waited for no answer."""
        self.lost = self.lost or failure.lost
        delay = self._policy.delay(self._attempts, failure.facts.retry_delay)
        self._attempts += 1
        if failure.problem.cause is Cause.RATE_LIMITED:
            limit = self._policy.patience if self._call.patient else 0.0
        elif not failure.worth_repeating(self._call) or (not failure.answered and delay >= left):
            return None
        elif not failure.sent:
            return delay if self._attempts < self._policy.connects else None
        else:
            limit = self._policy.seconds if self._call.repeatable else 0.0
        return delay if time.monotonic() - self._began + delay <= limit else None


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Result]):
    """One page of a listing; an empty token ends it."""

    items: list[Result]
    token: str


_CIRCLES: Final = "the service gave the same page token twice; the listing is incomplete"


async def pages(fetch: Callable[[str], Coroutine[Any, Any, ListPage[Result]]], *, ahead: bool = False) -> AsyncIterator[Result]:
    """Every item of every page. As `whole_pages`."""
    async for items in whole_pages(fetch, ahead=ahead):
        for item in items:
            yield item


async def whole_pages(
    fetch: Callable[[str], Coroutine[Any, Any, ListPage[Result]]], *, ahead: bool = False
) -> AsyncIterator[list[Result]]:
    """The items of each page. `fetch(token)` gets "" first. Raises Problem where a service goes round in circles.

    `ahead` = the next page is fetched while one is worked on: for those who want all of them in any case.
    """
    token = ""
    following: asyncio.Task[ListPage[Result]] | None = None
    try:
        while True:
            page = await (fetch(token) if following is None else following)
            circles = bool(token) and page.token == token
            token = page.token
            if ahead and token and not circles:
                following = asyncio.create_task(fetch(token))
                following.add_done_callback(_heard)
            yield page.items
            if not token:
                return
            if circles:
                raise Problem(Cause.SERVICE_UNAVAILABLE, _CIRCLES)
    finally:
        if following is not None:
            following.cancel()


def _heard(task: asyncio.Task[Any]) -> None:
    """Of a page that nobody waits for any more a failure is no news."""
    if not task.cancelled():
        task.exception()


@dataclass(frozen=True, slots=True)
class Operation:
    """A long-running operation as polled. `error` is a google.rpc.Status as JSON; `response` may hold a key string."""

    name: str
    done: bool
    error: dict[str, Any] | None = None
    response: Any = None


async def finished(
    operation: Operation,
    poll: Callable[[str], Awaitable[Operation]],
    call: ApiCall,
    deadline: float = OPERATION_DEADLINE,
) -> Any:
    """The operation's response once it is done: polled at once, then with growing pauses, for `deadline` seconds.

    Raises Problem: what the operation failed with, or service-unavailable with the operation's name when time is up.
    """
    began = time.monotonic()
    pause = 0.25
    while not operation.done:
        operation = await poll(operation.name)
        if operation.done:
            break
        if time.monotonic() - began + pause > deadline:
            message = f"{call.method} is still under way after {deadline:.0f} s: {operation.name}"
            raise Problem(Cause.SERVICE_UNAVAILABLE, message, status="DEADLINE_EXCEEDED", project=call.project)
        await asyncio.sleep(pause)
        pause = min(5.0, pause * 1.6)
    if operation.error is not None:
        raise errors.read(errors.StatusError(operation.error), call).problem
    return operation.response
