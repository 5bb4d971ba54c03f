"""Calls of other systems' REST APIs: Kubernetes, GitHub, Vault.

The second way of this package to retry, on purpose: `cloud/calls.py` knows Google's quotas, errors and refreshed tokens, none
of which is here. Every call that sinks make may be repeated: it puts a state, or it is guarded by a version.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from keyadmin import __version__
from keyadmin.cloud.http import system_resolver
from keyadmin.cloud.network import CA_VARIABLES, is_loopback, proxy_for, ssl_context, trusted_roots
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import redact

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_S: Final = 30.0
ATTEMPTS: Final = 5
AT_ONCE: Final = 8
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
"""A server that asks for a longer pause is not waited for: the next run of a rotation goes on."""
_PASSING: Final = (429, 500, 502, 503, 504)
_SHOWN: Final = 200  # characters of an answer that is not JSON


@dataclass(frozen=True)
class HttpAnswer:
    """What a server answered. `data` = the decoded JSON, None where it is none; `text` = the start of such an answer."""

    status: int
    headers: Mapping[str, str]
    data: Any
    text: str = ""

    @property
    def ok(self) -> bool:
        """Whether the call was carried out."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class HttpTarget:
    """Where calls go and as whom. `name` = the system in words; `headers` hold its credentials and are never shown."""

    name: str
    base: str
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    tls: ssl.SSLContext | None = None
    """None = the authorities that the environment names, as for Google."""
    attempts: int = ATTEMPTS
    timeout_s: float = TIMEOUT_S


class HttpSession:
    """Calls of one target, over one connection pool: `async with HttpSession(target) as session`."""

    def __init__(self, target: HttpTarget) -> None:
        self._target = target
        self._session: aiohttp.ClientSession | None = None
        self._gate = _gate(target.name)

    async def __aenter__(self) -> Self:
        import aiohttp

        parts = urlsplit(self._target.base)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise Problem(
                Cause.INVALID_ARGUMENT,
                f"{self._target.name} at {self._target.base} is not https: a key would cross the network in the clear",
                fix=("name an https:// address",),
            )
        secure = parts.scheme == "https"
        context = (self._target.tls or _default_tls(_authorities())) if secure else False
        self._proxy = proxy_for(parts.hostname or "", parts.port or 443) if secure else None
        await self._gate.acquire()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, resolver=system_resolver()),
            timeout=aiohttp.ClientTimeout(total=self._target.timeout_s, connect=10.0),
            headers={"User-Agent": f"keyadmin/{__version__}"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        self._gate.release()
        await self._session.close()

    async def call(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json", **headers: str
    ) -> HttpAnswer:
        """One call, repeated while the server asks for it or does not answer. Raises Problem where it cannot be reached.

        `body` = what JSON is made of, or the bytes themselves.
        """
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        typed = {**self._target.headers, **headers, **({"Content-Type": content_type} if data is not None else {})}
        for attempt in range(1, self._target.attempts + 1):
            last = attempt == self._target.attempts
            try:
                answer = await self.send(method, path, data, typed)
            except (OSError, TimeoutError) as error:  # aiohttp's errors of connections are OSErrors
                if last or isinstance(error, ssl.SSLCertVerificationError) or _certificate(error):
                    raise self._unreachable(error) from error
                pause = _pause(attempt)
            else:
                asked = _asked_pause(answer)
                if last or not _passing(answer, asked) or (asked or 0) > LONGEST_PAUSE_S:
                    return answer
                pause = _pause(attempt) if asked is None else asked
            await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def send(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> HttpAnswer:
        """One attempt. Redirects are not followed: the body may hold the key."""
        import aiohttp
        import yarl

        assert self._session is not None
        url = yarl.URL(self._target.base.rstrip("/") + path, encoded=True)
        try:
            async with self._session.request(
                method, url, data=data, headers=headers, proxy=self._proxy, allow_redirects=False
            ) as got:
                raw = await got.read()
                try:
                    decoded, text = (json.loads(raw) if raw.strip() else {}), ""
                except ValueError:
                    decoded, text = None, " ".join(raw.decode(errors="replace").split())[:_SHOWN]
                return HttpAnswer(got.status, got.headers, decoded, redact(text))
        except aiohttp.ClientError as error:
            raise error if isinstance(error, OSError) else OSError(str(error)) from error

    def _unreachable(self, error: Exception) -> Problem:
        why = redact(str(error)) or type(error).__name__
        if isinstance(error, TimeoutError):
            why = f"no answer within {self._target.timeout_s:.0f} s"
        parts = urlsplit(self._target.base)
        host = parts.netloc.rpartition("@")[2]
        return Problem(
            Cause.NETWORK_UNREACHABLE,
            f"{self._target.name} at {host} cannot be reached: {why}",
            fix=(f"check that {host} answers from this machine, with its certificate and through its proxy", "then run again"),
        )


_GATES: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Semaphore]]] = WeakKeyDictionary()


def _gate(name: str) -> asyncio.Semaphore:
    """Hand-overs to one system at the same time: GitHub calls more than that abuse, and clusters queue them."""
    gates = _GATES.setdefault(asyncio.get_running_loop(), {})
    return gates.setdefault(name, asyncio.Semaphore(AT_ONCE))


def refused(name: str, answer: HttpAnswer, what: str, words: str, *fix: str) -> Problem:
    """The Problem of a call that was not carried out. `words` = what the server said."""
    if answer.data is None:
        return Problem(
            Cause.NETWORK_UNREACHABLE,
            f"{what}: something else than {name} answered HTTP {answer.status}{f': {answer.text}' if answer.text else ''}",
            fix=("check the address, and whether a proxy or a sign-in page is in between",),
        )
    cause = {
        401: Cause.CREDENTIALS_EXPIRED,
        403: Cause.MISSING_IAM_PERMISSION,
        404: Cause.NOT_FOUND,
        409: Cause.CONFLICT,
        429: Cause.RATE_LIMITED,
    }.get(answer.status, Cause.SERVICE_UNAVAILABLE if answer.status >= 500 else Cause.INVALID_ARGUMENT)
    said = redact(" ".join(words.split()))
    return Problem(cause, f"{what}: {name} answered {answer.status}{f': {said}' if said else ''}", fix=fix, exit_code=None)


def _authorities() -> tuple[str, ...]:
    return tuple(os.environ.get(name, "") for name in CA_VARIABLES)


@cache
def _default_tls(authorities: tuple[str, ...]) -> ssl.SSLContext:
    """Made once: reading all public authorities takes longer than a call. `authorities` = what the variables say."""
    return ssl_context(trusted_roots())


def _certificate(error: BaseException) -> bool:
    """Whether the server's certificate is the trouble, which no repetition ends."""
    import aiohttp

    return isinstance(error, aiohttp.ClientConnectorCertificateError)


def _passing(answer: HttpAnswer, asked: float | None) -> bool:
    # GitHub answers 403 with Retry-After for its secondary limits.
    return answer.status in _PASSING or (answer.status == 403 and asked is not None)


def _asked_pause(answer: HttpAnswer) -> float | None:
    """Seconds that the server asks to wait for: Retry-After, or GitHub's time of reset where nothing is left."""
    if answer.ok:
        return None
    if text := answer.headers.get("Retry-After"):
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
        except (TypeError, ValueError):
            return None
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit() and answer.status in (403, 429):
        return max(0.0, int(reset) - datetime.now(UTC).timestamp())
    return None


def _pause(attempt: int) -> float:
    return FIRST_PAUSE_S * 2.0 ** (attempt - 1) * (0.5 + random.random())  # noqa: S311 - spreads callers, guards nothing
