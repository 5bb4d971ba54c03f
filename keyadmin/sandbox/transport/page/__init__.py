"""`GET /`: a page to look at and to work with. Of use without its script, which asks `/_sandbox/page` for news every second."""

from __future__ import annotations

import json
from html import escape
from string import Template
from typing import Any, Final

from aiohttp import web

from keyadmin.data.pages import PageFiles
from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.faults import SPREADS
from keyadmin.sandbox.messages.status import Code, RpcError
from keyadmin.sandbox.transport.overview import overview

FILES: Final = PageFiles(
    "keyadmin.sandbox.transport.page", ("sandbox.css",), ("server.js", "life.js", "tables.js", "conditions.js", "sandbox.js")
)


class Page:
    """The page of one server."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer `GET /`. Raises UNIMPLEMENTED for another method."""
        if request.method not in ("GET", "HEAD"):
            raise RpcError(Code.UNIMPLEMENTED, f"Method not found: {request.method} /")
        return web.Response(text=render(overview(self._cloud)), content_type="text/html", headers=_headers())


def _headers() -> dict[str, str]:
    return {
        "Content-Security-Policy": FILES.policy("connect-src 'self'", "frame-ancestors 'none'"),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def render(data: dict[str, Any]) -> str:
    """The whole page, every value escaped."""
    known = {
        "methods": data["methods"],
        "codes": ["DROP", *(code.name for code in Code if code)],
        "spreads": list(SPREADS),
    }
    parts = {
        "style": FILES.style,
        "script": FILES.script,
        "title": escape(data["title"]),
        "now": escape(data["now"]),
        "sections": "".join(_section(table) for table in data["tables"]),
        "known": json.dumps(known).replace("<", "\\u003c"),
    }
    return Template(FILES.text("page.html")).substitute(parts)


def _section(table: dict[str, Any]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table["columns"])
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table["rows"])
    name = escape(table["id"])
    return (
        f'<section id="{name}"><h2>{escape(table["title"])}</h2><p class="note">{escape(table["note"])}</p>'
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>'
    )
