"""`GET /`: a page to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from keyadmin.sandbox.cloud import LocalCloud


class Page:
    """The page of one server."""

    def __init__(self, cloud: LocalCloud, addresses: Callable[[], dict[str, Any]]) -> None:
        self._cloud = cloud
        self._addresses = addresses

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer `GET /`."""
        return web.Response(text="<!doctype html><title>keyadmin sandbox</title>", content_type="text/html")
