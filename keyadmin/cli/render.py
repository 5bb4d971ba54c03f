"""The one way to print data: a table, JSON, JSON lines, CSV, YAML or Markdown, to stdout."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from keyadmin.cli import json_text, streams, table
from keyadmin.cli.printed import complete, complete_data
from keyadmin.cli.reveal import masked
from keyadmin.cli.session import Session
from keyadmin.cli.table import StyledText
from keyadmin.cli.text import clean, clean_json, terminal_width
from keyadmin.model.lazy import MadeLater

if TYPE_CHECKING:
    from keyadmin.cli.fields import ChosenFields

T = TypeVar("T")
_AT_ONCE = 400  # rows of CSV
PROGRAMS = ("json", "jsonl", "yaml", "csv")  # the formats of programs


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column of a resource: its title, its value, its style (`red`, `green`, `yellow`, ...) where the value asks for one.

    Where the table is wider than the terminal, `spare` = is left out (another column says the same, less exactly), `fold` = its
    cells may take several lines, `below` = is put on lines of its own under the row. `exact` = the title is a field's name.
    """

    title: str
    value: Callable[[T], object]
    style: Callable[[T], str | None] | None = None
    fold: bool = False
    below: bool = False
    spare: bool = False
    exact: bool = False


@dataclass(frozen=True)  # no slots: a generic alias called cannot set __orig_class__ on a frozen slotted class
class View(Generic[T]):
    """How a resource is shown: its columns, its JSON object, and what is noted where there is none.

    `spelt` = CSV has control characters and line breaks spelt out, also in a file: an attacker may have chosen the names.
    `widest` = in a pipe a row is one line however wide, unless this many columns are the most: for tables of whole sentences.
    """

    columns: Sequence[Column[T]]
    to_json: Callable[[T], Any]
    empty: str = "Nothing found."
    spelt: bool = False
    widest: int | None = None


def show_list(session: Session, items: Iterable[T], view: View[T]) -> None:
    """Print a list. An empty one is `[]`, no line, a header, or a note, according to the format."""
    form = session.format
    if form in PROGRAMS:
        _show_rows(session, items, view)
    elif session.fields is not None:
        _show_chosen(session, [view.to_json(row) for row in items], view.empty, session.fields)
    elif form == "markdown":
        _markdown([column.title for column in view.columns], (_cells(row, view) for row in items))
    else:
        show_table(session, list(items), view)


def show_table(session: Session, rows: Sequence[T], view: View[T]) -> None:
    """A list for people, whatever the format."""
    if session.fields is not None:
        _show_chosen(session, [view.to_json(row) for row in rows], view.empty, session.fields)
    else:
        _table(session, rows, view)


def _table(session: Session, rows: Sequence[T], view: View[T]) -> None:
    if rows:
        width = terminal_width() or view.widest
        for line in table.lines(view.columns, [_styled(row, view) for row in rows], width, session.colour):
            write(line)
    else:
        session.console.note(view.empty)


def show_one(session: Session, item: T, view: View[T]) -> None:
    """Print one thing: a JSON object; in a table one line a field."""
    form = session.format
    if form in PROGRAMS:
        show_data(session, view.to_json(item))
    elif form == "table" and session.fields is not None:
        _record(session, view.to_json(item), _chosen_view(session.fields, view.empty))
    elif form == "table":
        _record(session, item, view)
    else:
        show_list(session, [item], view)


def _record(session: Session, item: T, view: View[T]) -> None:
    """A line a field."""
    titles = [column.title for column in view.columns]
    for line in table.record(titles, _styled(item, view), terminal_width(), session.colour):
        write(line)


def show_document(session: Session, data: Any, text: str, painted: Callable[[str], str] | None = None) -> None:
    """Print a report: `text` for people (table, markdown), `data` for programs. `text` is made safe here.

    `painted` puts colours into one line of it, where colour is wanted.
    """
    if session.format in PROGRAMS:
        show_data(session, data)
        return
    if session.fields is not None:
        _show_chosen(session, rows_of(session, data), "Nothing found.", session.fields)
        return
    lines = clean(complete(text), keep="\n").rstrip("\n")
    write("\n".join(map(painted, lines.split("\n"))) if painted and session.colour else lines)


def show_text(session: Session, data: Any, text: str) -> None:
    """Print what is to be taken as it stands, a program or a file; `data` is the same for programs."""
    if session.format in PROGRAMS or session.fields is not None:
        show_document(session, data, text)
    else:
        write(text)


def show_to_programs(session: Session, data: Any) -> None:
    """Print `data` where the format is one of programs; people are told on stderr."""
    if session.format in PROGRAMS:
        show_data(session, data)


def json_document(data: Any, *, plain: bool = False) -> Iterator[str]:
    """JSON-like data as one document, piece by piece, key strings masked. `plain` = in ASCII."""
    return map(_safe, json_text.pieces(complete_data(data), plain=plain))


def show_data(session: Session, data: Any, heard: Callable[[str], None] | None = None) -> None:
    """Print JSON-like data as json (one document), jsonl (a line an item), yaml or csv: all, or what `--fields` chose.

    Commands in its advice are complete. `heard` gets each piece of a JSON document before it is printed.
    """
    data = complete_data(data)
    if session.format == "csv":
        _csv(session, rows_of(session, data))
        return
    if session.fields is not None:
        data = session.fields.of(data)
    if session.format == "yaml":
        from keyadmin.cli import yaml_text

        for piece in yaml_text.pieces(data, plain=not _unicode()):
            streams.write(masked(piece))
    elif session.format == "jsonl":
        for text in json_text.lines(data, plain=not _unicode()):
            streams.write(_safe(text))
    else:
        for piece in map(_safe, json_text.pieces(data, plain=not _unicode())):
            if heard is not None:
                heard(piece)
            streams.write(piece)
        streams.write("\n")


def _safe(piece: str) -> str:
    """A piece of JSON without key strings and without what a terminal obeys."""
    return masked(clean_json(piece))


def _unicode() -> bool:
    """Whether stdout can carry every character."""
    return (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def write(line: str) -> None:
    """One line of data to stdout."""
    streams.write(masked(line) + "\n")


def cell(value: object, *, exact: bool = False) -> str:
    """A value as text: times to the minute (RFC 3339 where `exact`), yes and no, lists with commas; key strings masked."""
    return masked(_text(value, exact=exact))


def _text(value: object, *, exact: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if exact else moment.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_text(each, exact=exact) for each in value)
    return str(value)


def _cells(row: T, view: View[T]) -> list[str]:
    return [clean(cell(column.value(row))) for column in view.columns]


def _styled(row: T, view: View[T]) -> list[StyledText]:
    styles = (column.style(row) if column.style else None for column in view.columns)
    return [StyledText(text, style) for text, style in zip(_cells(row, view), styles, strict=True)]


def _show_rows(session: Session, items: Iterable[T], view: View[T]) -> None:
    """A list to programs; of CSV never more than some hundred rows are made at once."""
    if session.format == "csv":
        _csv(session, (complete_data(view.to_json(row)) for row in items), spelt=view.spelt)
    else:
        show_data(session, [view.to_json(row) for row in items])


def rows_of(session: Session, data: Any) -> Iterable[Any]:
    """The rows of a document."""
    from keyadmin.cli.documents import FORMS

    forms = FORMS.get(session.words)
    if isinstance(data, dict) and forms is not None and forms.rows in data:
        data = data[forms.rows]
    return data if isinstance(data, list | MadeLater) else [data]


def _csv(session: Session, rows: Iterable[Any], *, spelt: bool = False) -> None:
    """The fields of JSON as columns: docs/reference/output.md."""
    import csv

    from keyadmin.cli.fields import columns, reader

    left = iter(rows)
    first = list(islice(left, 1))
    paths = session.fields.paths if session.fields is not None else columns(session.words, *first)
    left = map(reader(paths), chain(first, left))
    batch: list[list[str]] = [[".".join(path) for path in paths]] if paths else []
    while batch:
        text = io.StringIO()
        cells = [list(map(clean, row)) for row in batch] if spelt else batch
        csv.writer(text, lineterminator="\n").writerows(cells)
        whole = masked(text.getvalue())
        streams.write(clean(whole, keep="\n") if sys.stdout.isatty() else whole)
        batch = list(islice(left, _AT_ONCE))


def _show_chosen(session: Session, rows: Iterable[Any], empty: str, chosen: ChosenFields) -> None:
    """To people, the fields that they chose: a table, or Markdown."""
    show = _chosen_view(chosen, empty)
    form = session.format
    rows = list(rows)
    if form == "markdown":
        _markdown([column.title for column in show.columns], (_cells(row, show) for row in rows))
    else:
        _table(session, rows, show)


def _chosen_view(chosen: ChosenFields, empty: str) -> View[Any]:
    from keyadmin.cli.fields import below, plain

    def column(path: tuple[str, ...]) -> Column[Any]:
        return Column(".".join(path), lambda row: plain(below(row, path)), fold=True, exact=True)

    return View([column(path) for path in chosen.paths], lambda row: row, empty)


def _markdown(header: list[str], rows: Iterable[list[str]]) -> None:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(re.sub(r"([\\|`*_<>\[\]])", r"\\\1", text) for text in cells) + " |"

    write(line(header))
    write("|" + " --- |" * len(header))
    for row in rows:
        write(line(row))
