"""`/_sandbox`: reset, seed, clock, faults, quotas, latency, propagation and the request log. Not part of any Google API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from keyadmin import __version__
from keyadmin.sandbox import seed as seeds
from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.messages.status import HTTP_STATUS, Code, RpcError, invalid
from keyadmin.sandbox.messages.times import parse_duration, rfc3339
from keyadmin.sandbox.transport.overview import overview, part
from keyadmin.sandbox.transport.rest_server import foreign, loopback_host

Json = dict[str, Any]


class Control:
    """The control surface of one server. `addresses` gives {"rest", "grpc"}."""

    def __init__(self, cloud: LocalCloud, addresses: Callable[[], Json]) -> None:
        self._cloud = cloud
        self._addresses = addresses

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request below `/_sandbox`."""
        try:
            self._guard(request)
            answer = await self._dispatch(request)
        except RpcError as error:
            return web.json_response(error.rest(), status=HTTP_STATUS[error.code])
        except seeds.BadSeed as error:
            return web.json_response(invalid(str(error)).rest(), status=400)
        return web.json_response(answer)

    @staticmethod
    def _guard(request: web.BaseRequest) -> None:
        """Pages of other sites must not steer the sandbox: loopback Host, no foreign Origin, JSON where something changes."""
        if not loopback_host(request.headers.get("Host", "")) or foreign(request.headers):
            raise RpcError(Code.PERMISSION_DENIED, "/_sandbox answers this machine only: foreign Host or Origin header.")
        if request.method == "POST" and request.content_type != "application/json":
            raise invalid("Send Content-Type: application/json.")

    async def _dispatch(self, request: web.BaseRequest) -> Any:
        path = request.path.removeprefix("/_sandbox").strip("/")
        if request.method == "GET":
            if path == "":
                return self._addresses() | {"version": __version__, "now": rfc3339(self._cloud.world.clock.now())}
            if path == "page":
                return overview(self._cloud)
            if path == "requests":
                return self._cloud.log()
        elif request.method == "DELETE" and path == "faults":
            self._cloud.world.faults.injected.clear()
            return {}
        elif request.method == "POST" and path == "page":  # a POST, for what is searched for is in no address
            return part(self._cloud, await self._body(request))
        elif request.method == "POST":
            change = self._changes().get(path)
            if change is not None:
                change(await self._body(request))
                return {"now": rfc3339(self._cloud.world.clock.now())}
        raise RpcError(Code.NOT_FOUND, f"There is no {request.method} {request.path[:120]}.")

    def _changes(self) -> dict[str, Callable[[Json], None]]:
        faults = self._cloud.world.faults
        return {
            "reset": lambda data: self._cloud.reset(),
            "seed": lambda data: seeds.apply(self._cloud.world, data),
            "clock": lambda data: self._cloud.world.clock.advance(parse_duration(data.get("advance"))),
            "faults": faults.add_fault,
            "quota": faults.set_quota,
            "latency": lambda data: faults.set_latency(data.get("ms"), data.get("method")),
            "propagation": faults.set_propagation,
        }

    @staticmethod
    async def _body(request: web.BaseRequest) -> Json:
        try:
            data = json.loads(await request.read() or b"{}")
        except (ValueError, RecursionError, web.RequestPayloadError):
            raise invalid("The body is not JSON.") from None
        except web.HTTPRequestEntityTooLarge:
            raise invalid("The body is too large.") from None
        if not isinstance(data, dict):
            raise invalid("The body is not a JSON object.")
        return data
