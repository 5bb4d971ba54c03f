"""The REST transport: JSON over aiohttp."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from keyadmin import __version__
from keyadmin.cloud.calls import OnRepeat, Runner
from keyadmin.cloud.endpoints import ApiCall, transport
from keyadmin.cloud.errors import HttpError
from keyadmin.cloud.network import proxy_for, ssl_context
from keyadmin.cloud.routes import Routes
from keyadmin.model.problem import usage
from keyadmin.model.secret import PATTERN

if TYPE_CHECKING:
    import aiohttp

TIMEOUT: Final = 60.0  # seconds for a call, CONNECT and TLS included
IN_FLIGHT: Final = 256
LEAP: Final = timedelta(seconds=5)

Json = dict[str, Any]


class RestTransport:
    """One aiohttp session, opened at the first call."""

    def __init__(self, routes: Routes, runner: Runner) -> None:
        self._routes = routes
        self._runner = runner
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Semaphore(IN_FLIGHT)
        self._skew: timedelta | None = None
        self._dated = ""  # the Date header that the skew was last taken from

    def now(self) -> datetime:
        """The time by the server's clock, as far as its answers' Date headers tell (to about a second); else the local one."""
        return datetime.now(UTC) + (self._skew or timedelta())

    async def call(
        self,
        call: ApiCall,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        on_repeat: OnRepeat[Json] | None = None,
    ) -> Json:
        """The decoded answer. Raises Problem; ValueError for a call whose transport is not this one."""
        if transport(call.service, call.method) != "rest":
            raise ValueError(f"{call.service} {call.method} is not a REST call")
        if PATTERN.search(path) or any(PATTERN.search(value) for value in (params or {}).values()):
            raise usage("a key string stands where a name is expected; it is not sent, for it would stand in a URL")

        async def attempt(signed: dict[str, str]) -> Json:
            return await self._send(call, verb, path, params, body, {**signed, **(headers or {})})

        return await self._runner.run(call, attempt, on_repeat)

    async def _send(
        self,
        call: ApiCall,
        verb: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Json | None,
        headers: Mapping[str, str],
    ) -> Json:
        import yarl

        base = self._routes.rest(call.service)
        session = self._opened()
        asked: dict[str, Any] = {
            "params": params,
            "json": body,
            "headers": headers,
            "proxy": self._proxy(base),
            "allow_redirects": False,
        }
        # The gate keeps the wait for a free connection out of aiohttp's timeouts, which are the call's own.
        async with self._gate, session.request(verb, yarl.URL(base + path, encoded=False), **asked) as answer:
            self._note_date(answer.headers.get("Date"))
            decoded = _decoded(await answer.read())
            if answer.status >= 300 or not isinstance(decoded, dict):
                raise HttpError(answer.status if answer.status >= 300 else 502, answer.headers, decoded)
            return decoded

    def _note_date(self, header: str | None) -> None:
        """Dates are cut to seconds, so the largest difference seen is the nearest; a leap of either clock replaces it."""
        if header is None or header == self._dated:
            return
        self._dated = header
        try:
            difference = parsedate_to_datetime(header) - datetime.now(UTC)
        except (TypeError, ValueError):
            return
        if self._skew is None or abs(difference - self._skew) > LEAP:
            self._skew = difference
        else:
            self._skew = max(self._skew, difference)

    def _proxy(self, base: str) -> str | None:
        """No trust_env: with it aiohttp would add what ~/.netrc says to calls that are signed already."""
        if not self._routes.secure:
            return None
        parts = urlsplit(base)
        return proxy_for(parts.hostname or "", parts.port or 443)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            connector: aiohttp.BaseConnector
            if self._routes.unix_socket is not None:
                connector = aiohttp.UnixConnector(self._routes.unix_socket, limit=IN_FLIGHT)
            elif self._routes.roots is not None:
                connector = aiohttp.TCPConnector(limit=IN_FLIGHT, ssl=ssl_context(self._routes.roots))
            else:
                connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT, connect=20.0),
                headers={"User-Agent": f"keyadmin/{__version__}", "x-goog-api-client": f"keyadmin/{__version__}"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            # aiohttp repeats a DELETE silently when a kept connection breaks; a lost answer must be known here.
            self._session._retry_connection = False
        return self._session

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()


def _decoded(raw: bytes) -> Any:
    """The JSON, {} for an empty body, None for anything else."""
    try:
        return json.loads(raw) if raw.strip() else {}
    except ValueError:
        return None
