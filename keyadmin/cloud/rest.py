"""The REST transport: JSON over HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from keyadmin.cloud.calls import ListPage, OnRepeat, Runner, pages
from keyadmin.cloud.endpoints import ACCOUNTS, ApiCall, transport
from keyadmin.cloud.errors import HttpError
from keyadmin.cloud.foreign import ForeignAnswer, decoded, error_object, oauth_error
from keyadmin.cloud.http import HttpClient, Params
from keyadmin.cloud.routes import Routes
from keyadmin.model.problem import usage
from keyadmin.model.secret import holds_key

Json = dict[str, Any]
Value = TypeVar("Value")


class RestTransport:
    """Calls of APIs over an HttpClient."""

    def __init__(self, routes: Routes, runner: Runner, http: HttpClient) -> None:
        self._routes = routes
        self._runner = runner
        self._http = http

    def now(self) -> datetime:
        """The time by the server's clock, as far as its answers' Date headers tell (to about a second); else the local one."""
        return self._http.now()

    async def call(
        self,
        call: ApiCall,
        verb: str,
        path: str,
        *,
        params: Params | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        on_repeat: OnRepeat[Json] | None = None,
    ) -> Json:
        """The decoded answer. Raises Problem; ValueError for a call whose transport is not this one."""

        def read(raw: bytes) -> Json:
            found = decoded(raw)
            if not isinstance(found, dict) or not raw.strip():
                raise ValueError("it is not a JSON object")
            return found

        return await self._asked(call, verb, path, read, params=params, body=body, headers=headers, on_repeat=on_repeat)

    async def read(self, call: ApiCall, path: str, read: Callable[[bytes], Value], params: Params) -> Value:
        """What `read` makes of the answer to a GET; it raises ValueError for what is no answer. Raises Problem."""
        return await self._asked(call, "GET", path, read, params=params)

    async def _asked(
        self,
        call: ApiCall,
        verb: str,
        path: str,
        read: Callable[[bytes], Value],
        *,
        params: Params | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        on_repeat: OnRepeat[Value] | None = None,
    ) -> Value:
        if transport(call.service, call.method) != "rest":
            raise ValueError(f"{call.service} {call.method} is not a REST call")
        if any(holds_key(value) for value in (path, *map(str, (params or {}).values()))):
            raise usage("a key string was given where a name is expected; it is not sent, since it would be part of a URL")

        async def attempt(signed: dict[str, str], seconds: float) -> Value:
            url = self._routes.rest(call.service) + path
            sent = {**signed, **(headers or {})}
            answer = await self._http.request(verb, url, params=params, json=body, headers=sent, seconds=seconds)
            if answer.status < 300:
                with contextlib.suppress(ValueError):
                    return read(answer.body)
            found = decoded(answer.body)
            if answer.status >= 400 and (error_object(found) or (call.service == ACCOUNTS and oauth_error(found))):
                raise HttpError(answer.status, answer.headers, found)
            raise ForeignAnswer(call.service, answer.status, answer.headers, answer.body)

        return await self._runner.run(call, attempt, on_repeat)

    async def pages(
        self,
        call: ApiCall,
        path: str,
        field: str,
        read: Callable[[Json], Value],
        params: Params | None = None,
        *,
        ahead: bool = False,
    ) -> AsyncIterator[Value]:
        """Every item of a listing, page by page; `ahead` = the next page is asked for while one is read. Raises Problem."""

        async def fetch(token: str) -> ListPage[Value]:
            asked = {**(params or {}), **({"pageToken": token} if token else {})}
            data = await self.call(call, "GET", path, params=asked)
            return ListPage([read(item) for item in data.get(field, ())], data.get("nextPageToken", ""))

        async for item in pages(fetch, ahead=ahead):
            yield item

    async def close(self) -> None:
        """Close every connection."""
        await self._http.close()
