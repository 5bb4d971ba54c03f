"""The way to identity services: google.auth's transport over keyadmin's own HTTP client, with a limit, retries and plain words.

google.auth works in a thread; each request it makes is carried out in the event loop. So a token endpoint is asked through the
same proxy and with the same certificate authorities as everything else, and Ctrl-C ends it at once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from keyadmin.cloud import errors
from keyadmin.cloud.endpoints import ApiCall
from keyadmin.cloud.foreign import ForeignAnswer, decoded
from keyadmin.cloud.http import HttpClient, HttpReply
from keyadmin.model.problem import Problem

LIMIT: Final = 20.0  # seconds for a token, all requests and programs included
TRIES: Final = 4
_FIRST_PAUSE: Final = 0.3
_EACH: Final = 9.0  # seconds for one request, so that a lost one leaves time for another


@dataclass(frozen=True)
class IdentityAnswer:
    """What google.auth wants of a response."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class IdentityTransport:
    """A `google.auth.transport.Request`, called in a thread.

    `asking` = the host that is being asked, `said` = what came of the last try, where that was no answer of it.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._loop = asyncio.get_running_loop()
        self.asking = ""
        self.said: str | None = None

    @property
    def skew(self) -> timedelta | None:
        """How far the servers' clock is ahead of this machine's."""
        return self._http.skew

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> IdentityAnswer:
        """As google.auth asks for it. Raises Problem, which none of its handlers takes for one of its own exceptions."""
        asking = self.ask(method, url, body, headers)
        try:
            return asyncio.run_coroutine_threadsafe(asking, self._loop).result()
        except RuntimeError:  # the loop is closed: the command has ended meanwhile
            asking.close()
            raise

    async def ask(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None, tries: int = TRIES
    ) -> IdentityAnswer:
        """The answer; 5xx, 429 and broken connections are tried again. Raises Problem(network-unreachable)."""
        host = self.asking = urlsplit(url).hostname or ""
        self.said = None
        data = body.encode() if isinstance(body, str) else body
        call = ApiCall(host, "Token", paced=False)
        for attempt in range(tries):
            last = attempt == tries - 1
            try:
                answer = await self._http.request(method, url, data=data, headers=headers, encoded=True, seconds=_EACH)
                foreign = (
                    None if _in_form(method, url, answer) else ForeignAnswer(host, answer.status, answer.headers, answer.body)
                )
                if (answer.status < 500 and answer.status != 429) or (last and foreign is None):
                    if foreign is not None:
                        raise foreign
                    return IdentityAnswer(answer.status, answer.headers, answer.body)
                self.said = foreign.said if foreign is not None else f"HTTP {answer.status}"
                if foreign is not None and last:
                    raise foreign
            except errors.foreign() as error:
                failure = errors.read(error, call)
                self.said = failure.problem.message
                if last or not failure.transient:
                    failure.problem.unsent = True  # of the call that wanted the token
                    raise failure.problem from None
            await asyncio.sleep(_FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)
        raise AssertionError("unreachable")


def _in_form(method: str, url: str, answer: HttpReply) -> bool:
    """Token endpoints are asked by POST and answer JSON objects, errors too; Google's APIs do. Others answer as they like."""
    host = urlsplit(url).hostname or ""
    if 300 <= answer.status < 400:
        return False
    if method != "POST" and not host.endswith(".googleapis.com"):
        return True
    return isinstance(decoded(answer.body), dict) and bool(answer.body.strip())


def unanswered(asking: str, seconds: float, said: str | None = None) -> Problem:
    """The limit is over. `said` = what came of the last try before the one that was cut off."""
    from keyadmin.cloud.network import way_out
    from keyadmin.model.problem import Cause

    return Problem(
        Cause.NETWORK_UNREACHABLE,
        f"no access token could be had within {seconds:.0f} s: {asking or 'the credentials'} did not answer"
        + (f" (the try before: {said})" if said else ""),
        status="UNAUTHENTICATED",
        unsent=True,
        fix=way_out(asking),
    )
