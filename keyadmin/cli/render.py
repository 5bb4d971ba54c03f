"""The one way to print data: a table, JSON, JSON lines, CSV, YAML or Markdown, to stdout."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Generic, TypeVar

from keyadmin.cli import json_text, streams, table
from keyadmin.cli.printed import complete, complete_data
from keyadmin.cli.reveal import masked
from keyadmin.cli.session import Session
from keyadmin.cli.table import StyledText
from keyadmin.cli.text import clean, clean_json, terminal_width

T = TypeVar("T")
_FORMULA = frozenset("=+-@\u2212")  # compared with what a character is compatible with: full-width ones count, too
_AT_ONCE = 400  # rows of CSV


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column of a resource: its title, its value, its style (`red`, `green`, `yellow`, ...) where the value asks for one.

    Where the table is wider than the terminal, `spare` = is left out (another column says the same, less exactly), `fold` = its
    cells may take several lines, `below` = is put on lines of its own under the row.
    """

    title: str
    value: Callable[[T], object]
    style: Callable[[T], str | None] | None = None
    fold: bool = False
    below: bool = False
    spare: bool = False


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
    else:
        show_table(session, list(items), view)


def show_table(session: Session, rows: Sequence[T], view: View[T]) -> None:
    """A list for people, whatever the format."""
    if rows:
        for line in table.lines(view.columns, [_styled(row, view) for row in rows], terminal_width(), session.colour):
            write(line)
    else:
        session.console.note(view.empty)


def show_one(session: Session, item: T, view: View[T]) -> None:
    """Print one thing: a JSON object; in a table one line a field."""
    form = session.format
    if form in ("json", "jsonl", "yaml"):
        show_data(session, view.to_json(item))
    elif form == "table":
        for line in table.record(
            [column.title for column in view.columns], _styled(item, view), terminal_width(), session.colour
        ):
            write(line)
    else:
        show_list(session, [item], view)


def show_document(session: Session, data: Any, text: str, painted: Callable[[str], str] | None = None) -> None:
    """Print a report: `text` for people (table, markdown, csv), `data` for programs. `text` is made safe here.

    `painted` puts colours into one line of it, where colour is wanted.
    """
    if session.format in ("json", "jsonl", "yaml"):
        show_data(session, data)
        return
    lines = clean(complete(text), keep="\n").rstrip("\n")
    write("\n".join(map(painted, lines.split("\n"))) if painted and session.colour else lines)


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


def _styled(row: T, view: View[T]) -> list[StyledText]:
    styles = (column.style(row) if column.style else None for column in view.columns)
    return [StyledText(text, style) for text, style in zip(_cells(row, view), styles, strict=True)]


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
