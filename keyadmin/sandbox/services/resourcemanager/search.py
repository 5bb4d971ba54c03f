"""Pages of the projects or folders that a caller may get, read from the eventually consistent index piece by piece."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.messages import paging
from keyadmin.sandbox.services.resourcemanager import nodes
from keyadmin.sandbox.services.resourcemanager.query import Sql
from keyadmin.sandbox.state.hierarchy import COLUMNS, Node, read_node

Json = dict[str, Any]


def search(call: Call, kind: str, request: Json, where: Sql, *, consistent: bool = False) -> tuple[list[Node], str]:
    """A page of the nodes of a kind that fit and that the caller can get, and the next page's token.

    Whatever the number of nodes, a page reads little more than what it shows. `consistent`: from the nodes themselves.
    """
    size = paging.page_size(request, default=nodes.PAGE, most=nodes.PAGE)
    method = call.method.full_name
    after = paging.read_token(method, request) or f"{kind}/"
    call.world.hierarchy.catch_up(call.now)
    table = "nodes" if consistent else "search_index"
    sql = f"SELECT {COLUMNS} FROM {table} WHERE name > ? AND name < ? AND ({where.text}) ORDER BY name LIMIT ?"  # noqa: S608
    permission = f"resourcemanager.{kind}.get"
    found: list[Node] = []
    while True:
        rows = call.store.all(sql, after, f"{kind}0", *where.values, size + 1)  # "0" is the character behind "/"
        for row in rows:
            if not call.holds(permission, row[0]):
                continue
            if len(found) == size:
                return found, paging.make_token(method, request, found[-1].name)
            found.append(read_node(row))
        if len(rows) <= size:
            return found, ""
        after = rows[-1][0]


def children(call: Call, kind: str, request: Json, parent: str) -> tuple[list[Node], str]:
    """A page of a parent's direct children of a kind, strongly consistent, by display name (documented), and the next token."""
    size = paging.page_size(request, default=nodes.PAGE, most=nodes.PAGE)
    method = call.method.full_name
    name, _, display_name = paging.read_token(method, request).partition(" ")
    states = "" if request.get("showDeleted") else " AND state != 'DELETE_REQUESTED'"
    rows = call.store.all(
        f"SELECT {COLUMNS} FROM nodes WHERE parent = ? AND (display_name, name) > (?, ?) AND name > ? AND name < ?{states}"  # noqa: S608
        " ORDER BY display_name, name LIMIT ?",
        *(parent, display_name, name, f"{kind}/", f"{kind}0", size + 1),
    )
    found = [read_node(row) for row in rows[:size]]
    token = paging.make_token(method, request, f"{found[-1].name} {found[-1].display_name}") if len(rows) > size else ""
    return found, token
