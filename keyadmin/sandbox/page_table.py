"""Tables of the sandbox's page: what a service shows of itself to a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.world import World

Json = dict[str, Any]

MOST_ROWS = 200  # of a table; how many more there are is said


@dataclass(frozen=True)
class PageTable:
    """One table: `make` gives what `table` makes, every cell text, secrets masked."""

    order: int  # tables stand by it, from the top
    make: Callable[[World], Json]


def table(name: str, title: str, columns: list[str], rows: list[list[str]], total: int, note: str = "") -> Json:
    """`{"id", "title", "note", "columns", "rows"}`; `total` = how many there are in all."""
    more = f"{len(rows)} of {total}" if total > len(rows) else str(total)
    return {"id": name, "title": f"{title} ({more})", "note": note, "columns": columns, "rows": rows}


def seconds(micros: int) -> str:
    """A time for people, in whole seconds."""
    return rfc3339(micros)[:19] + "Z"


def count(world: World, name: str, where: str = "1") -> int:
    """The rows of a database table."""
    return int(world.store.one(f"SELECT count(*) FROM {name} WHERE {where}")[0])  # noqa: S608 - no input of anybody's
