"""`GET /`: a page to look at. Plain HTML made here; a small script asks `/_sandbox/page` for news every second."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Any, Final

from aiohttp import web

from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.messages.status import Code, RpcError
from keyadmin.sandbox.transport.overview import overview

_STYLE: Final = """
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 1rem 1.5rem 3rem; }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
p { margin: .2rem 0; }
.scroll { overflow-x: auto; max-height: 26rem; overflow-y: auto; border: 1px solid #8886; border-radius: 4px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem; border-bottom: 1px solid #8883; }
th { white-space: nowrap; position: sticky; top: 0; background: Canvas; }
td { font-family: ui-monospace, monospace; font-size: .9em; max-width: 32rem; overflow-wrap: break-word; }
.off { color: #c33; }
"""

_SCRIPT: Final = """
"use strict";
const make = (name, text) => { const node = document.createElement(name); if (text) node.textContent = text; return node; };
const shown = {};
function show(table) {
  const text = JSON.stringify(table);
  if (shown[table.id] === text) return;
  shown[table.id] = text;
  const section = document.getElementById(table.id);
  section.querySelector("h2").textContent = table.title;
  const body = make("tbody");
  for (const row of table.rows) {
    const line = make("tr");
    for (const cell of row) line.append(make("td", cell));
    body.append(line);
  }
  section.querySelector("tbody").replaceWith(body);
}
async function refresh() {
  const state = document.getElementById("state");
  try {
    if (!document.hidden) {
      const answer = await fetch("/_sandbox/page", {cache: "no-store"});
      if (!answer.ok) throw new Error(answer.status);
      const data = await answer.json();
      document.getElementById("now").textContent = data.now;
      data.tables.forEach(show);
      state.textContent = "live";
      state.className = "";
    }
  } catch (error) {
    state.textContent = "not connected";
    state.className = "off";
  }
  setTimeout(refresh, 1000);
}
refresh();
"""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Page:
    """The page of one server."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer `GET /`. Raises UNIMPLEMENTED for another method."""
        if request.method not in ("GET", "HEAD"):
            raise RpcError(Code.UNIMPLEMENTED, f"Method not found: {request.method} /")
        return web.Response(text=render(overview(self._cloud)), content_type="text/html", headers=_HEADERS)


def render(data: dict[str, Any]) -> str:
    """The whole page, every value escaped; of use without its script too."""
    sections = "".join(_section(table) for table in data["tables"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(data['title'])}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(data['title'])}</h1>"
        "<p>A local Google Cloud. Nothing here is real, and nothing here reaches Google.</p>"
        f'<p>Sandbox time <span id="now">{escape(data["now"])}</span>, <span id="state" role="status">as of loading</span>.</p>'
        f"{sections}<script>{_SCRIPT}</script></body></html>"
    )


def _section(table: dict[str, Any]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table["columns"])
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table["rows"])
    note = f"<p>{escape(table['note'])}</p>" if table["note"] else ""
    return (
        f'<section id="{escape(table["id"])}"><h2>{escape(table["title"])}</h2>{note}<div class="scroll" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )
