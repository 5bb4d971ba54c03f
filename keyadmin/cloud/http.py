"""One HTTP client for API calls and identity services alike: the same proxy, certificate authorities, clock and name server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from keyadmin import __version__
from keyadmin.cloud.network import proxy_for, ssl_context
from keyadmin.cloud.routes import Routes
from keyadmin.cloud.threads import in_daemon_thread
from keyadmin.model.leaned_on import repeat_nothing

if TYPE_CHECKING:
    import aiohttp

TIMEOUT: Final = 60.0  # seconds for a call, CONNECT and TLS included
CONNECT_TIMEOUT: Final = 20.0  # seconds for the connection alone
IN_FLIGHT: Final = 256
LEAP: Final = timedelta(seconds=5)


Params = Mapping[str, str | tuple[str, ...]]
"""The query of a URL; a tuple stands for a parameter given several times."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """One aiohttp session, opened at the first call."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Semaphore(IN_FLIGHT)
        self._dated = ""  # the Date header that the skew was last taken from
        self.skew: timedelta | None = None
        """How far the servers' clock is ahead of this one, once a server said; to about a second."""

    def now(self) -> datetime:
        """The time by the server's clock, as far as its answers' Date headers tell (to about a second); else the local one."""
        return datetime.now(UTC) + (self.skew or timedelta())

    async def request(
        self,
        verb: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params | None = None,
        json: Any = None,
        data: bytes | None = None,
        encoded: bool = False,
        seconds: float = TIMEOUT,
    ) -> HttpReply:
        """The answer, whatever its status; redirects are not followed. Raises aiohttp's exceptions and TimeoutError.

        `encoded` = the URL is sent as it is; else what needs escaping in it is escaped.
        """
        import aiohttp
        import yarl

        asked: dict[str, Any] = {
            "params": params,
            "headers": headers,
            "proxy": self._proxy(url),
            "allow_redirects": False,
            "timeout": aiohttp.ClientTimeout(total=seconds, connect=min(CONNECT_TIMEOUT, seconds)),
        }
        asked |= {"json": json} if json is not None else {"data": data}
        session = self._opened()
        # The gate keeps the wait for a free connection out of aiohttp's timeouts, which are the call's own.
        async with self._gate, session.request(verb, yarl.URL(url, encoded=encoded), **asked) as answer:
            self._note_date(answer.headers.get("Date"))
            return HttpReply(answer.status, answer.headers, await answer.read())

    def _note_date(self, header: str | None) -> None:
        """Dates are cut to seconds, so the largest difference seen is the nearest; a leap of either clock replaces it."""
        if header is None or header == self._dated:
            return
        self._dated = header
        try:
            difference = parsedate_to_datetime(header) - datetime.now(UTC)
        except (TypeError, ValueError):
            return
        if self.skew is None or abs(difference - self.skew) > LEAP:
            self.skew = difference
        else:
            self.skew = max(self.skew, difference)

    def _proxy(self, url: str) -> str | None:
        """No trust_env: with it aiohttp would add what ~/.netrc says to calls that are signed already."""
        if not self._routes.secure:
            return None
        parts = urlsplit(url)
        return proxy_for(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), parts.scheme)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            connector: aiohttp.BaseConnector
            if self._routes.unix_socket is not None:
                connector = aiohttp.UnixConnector(self._routes.unix_socket, limit=IN_FLIGHT)
            elif self._routes.roots is not None:
                trust = ssl_context(self._routes.roots)
                connector = aiohttp.TCPConnector(limit=IN_FLIGHT, ssl=trust, resolver=system_resolver())
            else:
                connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": f"keyadmin/{__version__}", "x-goog-api-client": f"keyadmin/{__version__}"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            repeat_nothing(self._session)
        return self._session

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()


def system_resolver() -> Any:
    """A resolver for aiohttp, whose own asks the system in a pool of threads that the end of the process waits for."""
    from aiohttp.abc import AbstractResolver, ResolveResult

    class SystemResolver(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            found = await in_daemon_thread(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
            return [
                ResolveResult(
                    hostname=host,
                    host=str(address[0]),
                    port=port,
                    family=kind,
                    proto=proto,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
                for kind, _, proto, _, address in found
                if kind in (socket.AF_INET, socket.AF_INET6)
            ]

        async def close(self) -> None:
            return None

    return SystemResolver()
