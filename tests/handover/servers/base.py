"""An HTTP server on loopback, in a thread of its own, with faults on order and a log of what was asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ServerFault:
    """What goes wrong with the next `times` requests whose "METHOD path" starts with `match`.

    `status` = this answer in place of the work; 0 = the connection breaks, `after` the work was done or before.
    """

    match: str
    status: int = 0
    after: bool = False
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None


class LocalServer:
    """One server. Subclasses answer in `handle`; state is changed in its thread alone."""

    def __init__(self, latency_s: float = 0.0) -> None:
        self.requests: list[str] = []
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[ServerFault] = []
        self.latency_s = latency_s
        self.url = ""
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        raise AssertionError("a server answers")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _start(self) -> web.AppRunner:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        line = f"{request.method} {request.path_qs}"
        self.requests.append(line)
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.json() if request.body_exists else None)
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        fault = next((each for each in self.faults if each.times > 0 and line.startswith(each.match)), None)
        if fault is None:
            return await self.handle(request)
        fault.times -= 1
        if fault.status:
            body = fault.body if fault.body is not None else {"message": "injected"}
            if isinstance(body, str):
                return web.Response(status=fault.status, text=body, headers=fault.headers, content_type="text/html")
            return web.json_response(body, status=fault.status, headers=fault.headers)
        if fault.after:
            await self.handle(request)
        assert request.transport is not None
        request.transport.close()
        return web.Response()
