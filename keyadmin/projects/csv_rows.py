"""Projects to be made, as rows of a CSV file. Every row is checked before anything is made."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from keyadmin.model.problem import Problem, usage
from keyadmin.projects import names

COLUMNS: Final = ("id", "name", "parent")
_ALSO_CALLED: Final = {
    "projectid": "id",
    "project_id": "id",
    "project id": "id",
    "displayname": "name",
    "display_name": "name",
    "display name": "name",
}


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """One project that is wanted. Empty = not said. `number` = the row in the file, from 1, header included."""

    number: int
    project_id: str = ""
    display_name: str = ""
    parent: str = ""


def rows_of(text: str, source: str, most: int) -> list[ProjectRow]:
    """The rows. A first row that names columns (id, name, parent) tells their order; without it that is their order.

    Raises usage() that names every bad row, or says that there are none or too many.
    """
    numbered = [(number, [cell.strip() for cell in cells]) for number, cells in _cells(text, source)]
    numbered = [(number, cells) for number, cells in numbered if any(cells)]
    order: Sequence[str] = COLUMNS
    if numbered and (header := _header(numbered[0][1], source)):
        order, numbered = header, numbered[1:]
    if not numbered:
        raise usage(f"{source} has no rows", f"a row reads: {','.join(COLUMNS)}")
    if len(numbered) > most:
        raise usage(f"{source} has {len(numbered)} rows: {too_many(most)}", "split the file, and run one after the other")
    rows, wrong = [], []
    for number, cells in numbered:
        try:
            rows.append(_row(number, cells, order))
        except Problem as problem:
            wrong.append(f"row {number}: {problem.message}")
    wrong += _twice(rows)
    if wrong:
        raise usage(f"nothing was made, {source} has bad rows: {'; '.join(wrong)}")
    return rows


def too_many(most: int) -> str:
    """Why not more."""
    return f"at most {most} projects are made at a time, as in AI Studio"


def _cells(text: str, source: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    found: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            found.append((reader.line_num, cells))  # noqa: PERF401 (the line number is the reader's)
    except csv.Error as error:
        raise usage(f"{source}: row {reader.line_num} is not CSV: {error}") from None
    return found


def _header(cells: Sequence[str], source: str) -> list[str] | None:
    """The columns in their order, where the first row names any of them."""
    named = [_ALSO_CALLED.get(cell.lower(), cell.lower()) for cell in cells]
    if not set(named) & set(COLUMNS):
        return None
    for name, cell in zip(named, cells, strict=True):
        if name not in COLUMNS:
            raise usage(f"{source} has a column {cell!r}", f"the columns are {', '.join(COLUMNS)}")
        if named.count(name) > 1:
            raise usage(f"{source} has the column {name!r} twice")
    return named


def _row(number: int, cells: Sequence[str], order: Sequence[str]) -> ProjectRow:
    if len(cells) > len(order):
        raise usage(f"it has {len(cells)} cells where there are {len(order)} columns")
    given = dict(zip(order, cells, strict=False))
    checked = {"project_id": _if_given(given.get("id"), names.project_id)}
    checked["display_name"] = _if_given(given.get("name"), names.display_name)
    return ProjectRow(number, parent=given.get("parent", ""), **checked)


def _if_given(text: str | None, check: Callable[[str], str]) -> str:
    return check(text) if text else ""


def _twice(rows: Sequence[ProjectRow]) -> list[str]:
    ids = [row.project_id for row in rows]
    return [
        f"row {row.number}: the id {row.project_id!r} is already in row {rows[ids.index(row.project_id)].number}"
        for place, row in enumerate(rows)
        if row.project_id and row.project_id in ids[:place]
    ]
