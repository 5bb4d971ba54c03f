"""Tables of the sandbox's page: what a service shows of itself to a person, searched, sorted and cut by the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from keyadmin.sandbox.messages.status import invalid
from keyadmin.sandbox.messages.times import rfc3339
from keyadmin.sandbox.world import World

Json = dict[str, Any]

MOST_ROWS: Final = 200  # of a table at once; how many more there are is said
_MOST_WORDS: Final = 8  # of a search
_ESCAPED: Final = str.maketrans({"%": "\\%", "_": "\\_", "\\": "\\\\"})


@dataclass(frozen=True)
class RowsWanted:
    """Which rows of a table: those with every word of the search and none of its words behind `!`, from one on, by a column."""

    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    sort: int | None = None  # the place of a column; None = the table's own order
    down: bool = False
    offset: int = 0
    limit: int = MOST_ROWS

    @classmethod
    def of(cls, data: Json, columns: int) -> RowsWanted:
        """From `{"search"?, "sort"?, "down"?, "offset"?, "limit"?}`. Raises INVALID_ARGUMENT."""
        words = str(data.get("search", "")).lower().split()[:_MOST_WORDS]
        sort = data.get("sort")
        offset, limit = data.get("offset", 0), data.get("limit", MOST_ROWS)
        if sort is not None and not (type(sort) is int and 0 <= sort < columns):
            raise invalid(f"sort is the place of a column, from 0 to {columns - 1}.", "sort")
        if not (type(offset) is int and 0 <= offset < 2**31 and type(limit) is int and 0 < limit <= MOST_ROWS):
            raise invalid(f"offset is a whole number from 0, limit one from 1 to {MOST_ROWS}.", "offset")
        return cls(
            tuple(word for word in words if not word.startswith("!")),
            tuple(word[1:] for word in words if len(word) > 1 and word[0] == "!"),
            *(sort, bool(data.get("down")), offset, limit),
        )


@dataclass(frozen=True)
class PageColumn:
    """One column: its title, the SQL of its value, and the text of a value where it is not the value itself."""

    title: str
    sql: str
    text: Callable[[Any], str] = lambda value: "" if value is None else str(value)
    searched: str | None = None  # SQL of what a search looks at, where that is another


@dataclass(frozen=True)
class PageTable:
    """One table of the database. Secrets are masked by their column's `text`, and are not what it is searched by."""

    order: int  # tables stand by it, from the top
    id: str
    title: str
    source: str  # SQL behind FROM, with its WHERE
    by: str  # SQL behind ORDER BY where no column is asked for
    columns: tuple[PageColumn, ...]
    note: str = ""
    life: Callable[[World, list[str]], Json] | None = None
    """All that happened to the thing of a row, by the row's cells: `{"title", "facts": [[name, text]], "events": [[..]]}`."""

    def make(self, world: World, wanted: RowsWanted = RowsWanted()) -> Json:
        """What `table` makes."""
        rest, values = self._rest(wanted)
        columns = ", ".join(column.sql for column in self.columns)
        order = self.by if wanted.sort is None else f"{wanted.sort + 1} {'DESC' if wanted.down else 'ASC'}, {self.by}"
        sql = f"SELECT {columns} FROM {rest} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 - no input of anybody's
        rows = [
            [column.text(value) for column, value in zip(self.columns, row, strict=True)]
            for row in world.store.all(sql, *values, wanted.limit, wanted.offset)
        ]
        total = int(world.store.one(f"SELECT count(*) FROM {rest}", *values)[0])  # noqa: S608
        made = table(self.id, self.title, [column.title for column in self.columns], rows, total, self.note)
        return made | {"offset": wanted.offset, "life": self.life is not None}

    def _rest(self, wanted: RowsWanted) -> tuple[str, list[str]]:
        """The SQL behind FROM of all rows that are wanted, and the values that stand in it."""
        text = " || ' ' || ".join(f"ifnull({column.searched or column.sql}, '')" for column in self.columns)
        tests = [f"lower({text}) LIKE ? ESCAPE '\\'"] * len(wanted.words)
        tests += [f"lower({text}) NOT LIKE ? ESCAPE '\\'"] * len(wanted.without)
        values = [f"%{word.translate(_ESCAPED)}%" for word in (*wanted.words, *wanted.without)]
        return self.source + "".join(f" AND {test}" for test in tests), values


def listed(name: str, title: str, columns: list[str], every: Sequence[list[str]], wanted: RowsWanted, note: str = "") -> Json:
    """A table of rows that are not in the database, in the order in which they stand."""
    rows = [row for row in every if _fits(row, wanted)]
    if wanted.sort is not None:
        rows.sort(key=lambda row: row[wanted.sort or 0], reverse=wanted.down)
    made = table(name, title, columns, rows[wanted.offset : wanted.offset + wanted.limit], len(rows), note)
    return made | {"offset": wanted.offset, "life": False}


def _fits(row: list[str], wanted: RowsWanted) -> bool:
    if not (wanted.words or wanted.without):
        return True
    text = " ".join(row).lower()
    return all(word in text for word in wanted.words) and not any(word in text for word in wanted.without)


def table(name: str, title: str, columns: list[str], rows: list[list[str]], total: int, note: str = "") -> Json:
    """`{"id", "title", "note", "columns", "rows", "total"}`; `total` = how many there are in all."""
    more = f"{len(rows)} of {total}" if total > len(rows) else str(total)
    return {"id": name, "title": f"{title} ({more})", "note": note, "columns": columns, "rows": rows, "total": total}


def seconds(micros: int) -> str:
    """A time for people, in whole seconds."""
    return rfc3339(micros)[:19] + "Z"
