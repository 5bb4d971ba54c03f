"""The REST transport: Google's HTTP mapping (google/api/http.proto, AIP-127) onto the same rules as the gRPC transport."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from keyadmin.sandbox.api import Json
from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.faults import Drop
from keyadmin.sandbox.messages import json_form
from keyadmin.sandbox.messages.status import Code, RpcError, invalid
from keyadmin.sandbox.transport.rest_answers import PLAIN, SYSTEM, manner_of, refuse, respond
from keyadmin.sandbox.transport.routes import HOSTS, Match, Router

log = logging.getLogger(__name__)
_quiet = logging.getLogger(f"{__name__}.http")  # what clients get wrong is their affair, and keys may stand in it
_quiet.disabled = True

MOST_BYTES = 11 * 1024 * 1024  # of a request body; unsourced: Google's own limit
MOST_LINE = 64 * 1024  # bytes of the request line, and of a header; unsourced: Google's own limits
MOST_PARAMETERS = 1000
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::[0-9]{0,5})?")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

_OPTIONS: dict[str, Any] = {
    "access_log": None,
    "logger": _quiet,
    "keepalive_timeout": 75.0,
    "max_line_size": MOST_LINE,
    "max_field_size": MOST_LINE,
}

LAST_WORDS_S = 0.5  # for running calls, once the server is to stop; one that is slowed on purpose would keep it for a minute
Extra = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def loopback_host(host: str) -> bool:
    """Whether a Host header names this machine: against DNS rebinding."""
    found = _HOST.fullmatch(host)
    return found is not None and (found[1] or found[2]).lower() in LOOPBACK


def foreign(headers: Mapping[str, str]) -> bool:
    """Whether a browser sent the request for a page of another site: such pages must neither read nor steer the sandbox.

    A page of this machine, or of the server itself, is not foreign.
    """
    if headers.get("Sec-Fetch-Site", "").lower() == "cross-site":
        return True
    origin = headers.get("Origin")
    if origin is None:
        return False
    place = urlsplit(origin).netloc
    return not place or (not loopback_host(place) and place.lower() != headers.get("Host", "").lower())


class RestServer:
    """An HTTP server on one or more addresses. `extras` answer paths by prefix before the APIs do."""

    def __init__(self, cloud: LocalCloud, extras: dict[str, Extra], *, any_host: bool) -> None:
        self._cloud = cloud
        self._router = Router(cloud.apis)
        self._extras = extras
        self._any_host = any_host
        self._date = (-1, "")  # of the last answer: seconds since the epoch, and as text
        self._runner = web.ServerRunner(_Http(self._serve, request_factory=_request), shutdown_timeout=LAST_WORDS_S)

    async def open_tcp(self, host: str, port: int) -> int:
        """Listen; port 0 = any free one. The port. Raises OSError."""
        await self._runner.setup()
        before = len(self._runner.addresses)
        await web.TCPSite(self._runner, host, port).start()
        number: int = self._runner.addresses[before][1]
        return number

    async def open_unix(self, path: Path) -> None:
        """Listen on a UNIX socket."""
        await self._runner.setup()
        await web.UnixSite(self._runner, str(path)).start()

    async def close(self) -> None:
        """Let running calls end for half a second, then stop."""
        await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer, by the sandbox's clock: clients may take the server's time from the Date header."""
        response = await self._answer(request)
        if not response.prepared:
            second = self._cloud.world.clock.now() // 1_000_000
            if second != self._date[0]:
                self._date = (second, formatdate(second, usegmt=True))
            response.headers["Date"] = self._date[1]
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self._any_host and not loopback_host(request.headers.get("Host", "")):
            return refuse(RpcError(Code.PERMISSION_DENIED, "The Host header does not name this machine."))
        if foreign(request.headers):
            return refuse(
                RpcError(Code.PERMISSION_DENIED, "The request comes from a page of another site (Origin, Sec-Fetch-Site).")
            )
        path = request.rel_url.raw_path
        try:
            for prefix, extra in self._extras.items():
                if path == prefix or (prefix != "/" and path.startswith(f"{prefix}/")):
                    return await extra(request)
            return await self._call(request, path)
        except RpcError as error:
            return refuse(error)
        except Drop:
            if request.transport is not None:
                request.transport.abort()
            raise asyncio.CancelledError from None
        except web.HTTPRequestEntityTooLarge:
            return refuse(RpcError(Code.INVALID_ARGUMENT, f"Request payload size exceeds the limit: {MOST_BYTES} bytes."))
        except (web.RequestPayloadError, UnicodeError):
            return refuse(invalid("Invalid request payload."))
        except Exception as error:  # the caller gets INTERNAL, the log says where
            log.error("%s %s failed: %s", request.method, path, type(error).__name__, exc_info=True)
            return refuse(RpcError(Code.INTERNAL, "Internal error encountered."))

    async def _call(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        http, query, body = request.method, request.rel_url.raw_query_string, b""
        if request.body_exists:
            body = await request.read()
        if http == "POST" and (override := request.headers.get("x-http-method-override")):
            http = override.upper()
            if request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
                query, body = "&".join(part for part in (query, body.decode()) if part), b""
        match = self._router.find_by_host(http, path) if path.startswith(HOSTS) else self._router.find(http, path)
        if match is None:
            return refuse(RpcError(Code.UNIMPLEMENTED, f"Method not found: {http} {path[:200]}"))
        pairs = _pairs(query)
        manner = PLAIN if match.method.free else manner_of(pairs, streams=match.method.streams)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if key := next((value for name, value in pairs if name == "key"), ""):
            headers.setdefault("x-goog-api-key", key)
        if request.remote:
            headers.setdefault("x-forwarded-for", request.remote)
        try:
            answer = await self._cloud.handle(match.method, lambda: read_request(match, pairs, body), headers)
        except RpcError as error:
            if match.method.streams and not manner.events:
                return refuse(error, in_array=True)
            api = match.method.api
            return refuse(error, old=(manner.old_errors and api.lists_errors) or api.always_lists_errors)
        return respond(match.method, answer, manner, zipped="gzip" in headers.get("accept-encoding", ""))


class _Http(web.Server):
    """aiohttp's server with connections of our own."""

    def __call__(self) -> web.RequestHandler:
        """Made for each connection."""
        return _Connection(self, loop=asyncio.get_running_loop(), **_OPTIONS)


class _Connection(web.RequestHandler):
    """Errors of the HTTP parser in Google's shape; what it could not parse is not logged, as keys may stand in it."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what is no HTTP request."""
        answer = refuse(invalid("The request is malformed: it could not be read as HTTP."))
        answer.force_close()
        return answer


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    return web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=MOST_BYTES)


def _pairs(query: str) -> list[tuple[str, str]]:
    if query.count("&") >= MOST_PARAMETERS:
        raise invalid(f"Too many query parameters: at most {MOST_PARAMETERS} are taken.")
    return parse_qsl(query, keep_blank_values=True) if query else []


def read_request(match: Match, pairs: list[tuple[str, str]], body: bytes) -> Json:
    """Path variables, body and query parameters as one canonical request. Raises INVALID_ARGUMENT."""
    method, shape = match.method, match.method.shape()
    if method.free:
        return dict(match.variables)
    request: Json = {}
    if method.body and body.strip():
        data = _json(body)
        if method.body == "*":
            request = json_form.parse(shape, data)
        else:
            field = shape.fields[method.body]
            assert field.message is not None
            request = {field.name: json_form.parse(field.message, data, method.body)}
    elif method.body and method.body != "*":
        request = {shape.fields[method.body].name: {}}
    for name, value in pairs:
        if name not in SYSTEM:
            json_form.bind(shape, request, name, value)
    for name, value in match.variables.items():
        json_form.bind(shape, request, name, value)
    return request


def _json(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=lambda text: text)
    except RecursionError:
        raise invalid("Invalid JSON payload received. The message is nested too deeply.") from None
    except ValueError as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise invalid(f"Invalid JSON payload received. Unexpected token{where}.") from None
