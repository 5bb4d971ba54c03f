"""The one way to print data: a table, JSON, JSON lines, CSV, YAML or Markdown, to stdout."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Generic, TypeVar

from keyadmin.cli import json_text, streams
from keyadmin.cli.console import paint
from keyadmin.cli.printed import complete, complete_data
from keyadmin.cli.reveal import masked
from keyadmin.cli.session import Session
from keyadmin.cli.text import clean, clean_json, folded, terminal_width

T = TypeVar("T")
NARROWEST = 12  # a column is not cut below this many characters
_FORMULA = frozenset("=+-@\u2212")  # compared with what a character is compatible with: full-width ones count, too
_BELOW = "    "  # before what stands below its row
_AT_ONCE = 400  # rows of CSV


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column of a resource: its title, its value, its style (`red`, `green`, `yellow`, ...) where the value asks for one.

    `cut` = may be shortened where the table is wider than the terminal; `below` = is put on lines of its own there.
    """

    title: str
    value: Callable[[T], object]
    style: Callable[[T], str | None] | None = None
    cut: bool = False
    below: bool = False


@dataclass(frozen=True)  # no slots: a generic alias called cannot set __orig_class__ on a frozen slotted class
class View(Generic[T]):
    """How a resource is shown: its columns, its JSON object, and what is noted where there is none."""

    columns: Sequence[Column[T]]
    to_json: Callable[[T], Any]
    empty: str = "Nothing found."


def show_list(session: Session, items: Iterable[T], view: View[T]) -> None:
    """Print a list. An empty one is `[]`, no line, a header, or a note, according to the format."""
    form = session.format
    if form in ("json", "jsonl", "yaml"):
        show_data(session, [view.to_json(row) for row in items])
    elif form == "csv":
        _csv([column.title for column in view.columns], (_cells(row, view, exact=True) for row in items))
    elif form == "markdown":
        _markdown([column.title for column in view.columns], (_cells(row, view) for row in items))
    elif rows := list(items):
        _table(session, rows, view)
    else:
        session.console.note(view.empty)


def show_one(session: Session, item: T, view: View[T]) -> None:
    """Print one thing: a JSON object; in a table one line a field."""
    form = session.format
    if form in ("json", "jsonl", "yaml"):
        show_data(session, view.to_json(item))
    elif form == "table":
        cells = _cells(item, view)
        width = max(len(column.title) for column in view.columns)
        for column, cell in zip(view.columns, cells, strict=True):
            style = column.style(item) if column.style else None
            write(f"{paint(column.title.ljust(width), 'bold', session.colour)}  {paint(cell, style, session.colour)}".rstrip())
    else:
        show_list(session, [item], view)


def show_document(session: Session, data: Any, text: str) -> None:
    """Print a report: `text` for people (table, markdown, csv), `data` for programs. `text` is made safe here."""
    if session.format in ("json", "jsonl", "yaml"):
        show_data(session, data)
    else:
        write(clean(complete(text), keep="\n").rstrip("\n"))


def show_to_programs(session: Session, data: Any) -> None:
    """Print `data` where the format is one of programs; people are told on stderr."""
    if session.format in ("json", "jsonl", "yaml"):
        show_data(session, data)


def show_data(session: Session, data: Any) -> None:
    """Print JSON-like data as json (one document), jsonl (a line an item) or yaml. Commands in its advice are complete."""
    data = complete_data(data)
    if session.format == "yaml":
        from keyadmin.cli import yaml_text

        for piece in yaml_text.pieces(data, plain=not _unicode()):
            streams.write(masked(piece))
    elif session.format == "jsonl":
        _write_all(json_text.lines(data, plain=not _unicode()))
    else:
        _write_all(json_text.pieces(data, plain=not _unicode()))
        streams.write("\n")


def _write_all(pieces: Iterable[str]) -> None:
    for piece in pieces:
        streams.write(masked(clean_json(piece)))


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


def _cells(row: T, view: View[T], *, exact: bool = False) -> list[str]:
    texts = [cell(column.value(row), exact=exact) for column in view.columns]
    return texts if exact and not sys.stdout.isatty() else [clean(text) for text in texts]


def _csv(header: list[str], rows: Iterable[list[str]]) -> None:
    """A name that a spreadsheet would take for a formula begins with an apostrophe: whoever may name a key chose it.

    Blanks and signs nobody sees before it do not help, nor do full-width signs. Source: OWASP, CSV Injection.
    """
    import csv

    safe = ([f"'{cell}" if _is_formula(cell) else cell for cell in row] for row in rows)
    batch: list[list[str]] = [header]
    while batch:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(batch)
        streams.write(text.getvalue())
        batch = list(islice(safe, _AT_ONCE))


def _is_formula(text: str) -> bool:
    import unicodedata

    first = text[:1]
    if first in ("\t", "\r", "\n"):
        return bool(first)
    if first.isascii() and first.isalnum():
        return False
    for char in text:
        if char.isspace() or unicodedata.category(char) in ("Cc", "Cf", "Zs"):
            continue
        return unicodedata.normalize("NFKC", char)[:1] in _FORMULA
    return False


def _markdown(header: list[str], rows: Iterable[list[str]]) -> None:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(re.sub(r"([\\|`*_<>\[\]])", r"\\\1", text) for text in cells) + " |"

    write(line(header))
    write("|" + " --- |" * len(header))
    for row in rows:
        write(line(row))


def _table(session: Session, rows: list[T], view: View[T]) -> None:
    """One line a row; on a terminal that is too narrow the columns that go below follow on lines of their own."""
    import tabulate

    tabulate.MIN_PADDING = 0  # two columns more than its title needs: four of these are lost on a terminal
    columns = list(view.columns)
    texts = {column.title: [cell(column.value(row)) for row in rows] for column in columns}
    texts = {title: [clean(text) for text in cells] for title, cells in texts.items()}
    below: list[Column[T]] = []
    if sys.stdout.isatty():
        if _excess(columns, texts) > 0:
            below = [column for column in columns if column.below]
        columns = [column for column in columns if column not in below]
        _fit(columns, texts)
    painted = [_painted(session, column, rows, texts[column.title]) for column in columns]
    header = [paint(column.title.upper(), "bold", session.colour) for column in columns]
    whole = tabulate.tabulate(list(zip(*painted, strict=True)), header, tablefmt="plain", disable_numparse=True)
    for number, line in enumerate(whole.split("\n")):
        write(line.rstrip() if below else line)
        if number:
            _below(session, below, rows[number - 1], {column.title: texts[column.title][number - 1] for column in below})


def _painted(session: Session, column: Column[T], rows: Sequence[T], texts: Sequence[str]) -> list[str]:
    return [
        paint(text, column.style(row) if column.style else None, session.colour) for row, text in zip(rows, texts, strict=True)
    ]


def _below(session: Session, columns: Sequence[Column[T]], row: T, texts: Mapping[str, str]) -> None:
    """What goes below a row: with its title where there are several of it, folded to the terminal."""
    for column in columns:
        text = f"{column.title}: {texts[column.title]}" if len(columns) > 1 else texts[column.title]
        style = column.style(row) if column.style else None
        for line in folded(text, terminal_width(), _BELOW):
            write(_BELOW + paint(line.removeprefix(_BELOW), style, session.colour))


def _widths(columns: Sequence[Column[T]], texts: Mapping[str, Sequence[str]]) -> list[int]:
    return [max(len(column.title), *map(len, texts[column.title])) for column in columns]


def _excess(columns: Sequence[Column[T]], texts: Mapping[str, Sequence[str]]) -> int:
    """By how many characters a line is wider than the terminal."""
    from shutil import get_terminal_size

    return sum(_widths(columns, texts)) + 2 * (len(columns) - 1) - get_terminal_size().columns


def _fit(columns: Sequence[Column[T]], texts: dict[str, list[str]]) -> None:
    """Shorten the columns that may be cut, the widest first, until a line fits the terminal."""
    widths, excess = _widths(columns, texts), _excess(columns, texts)
    while excess > 0:
        place = max((p for p, column in enumerate(columns) if column.cut), key=lambda p: widths[p], default=None)
        if place is None or widths[place] <= NARROWEST:
            break
        widths[place] -= 1
        excess -= 1
    for column, width in zip(columns, widths, strict=True):
        cells = texts[column.title]
        cells[:] = [text if len(text) <= width else f"{text[: width - 1]}…" for text in cells]
