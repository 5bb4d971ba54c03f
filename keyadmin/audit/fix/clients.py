"""`--clients FILE`: which addresses, sites or apps use which key. Use does not show them, so a person writes them down."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyadmin.audit.rules.open_client_restriction import lets_everybody_in
from keyadmin.keys.restriction_edit import edit
from keyadmin.local.files import read_text
from keyadmin.model.key import Key, Restrictions
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import holds_key

COLUMNS: Final = ("key", "kind", "entries")
KINDS: Final = ("ips", "referrers", "android", "ios")
_BETWEEN: Final = re.compile(r"[\s;,]+")


@dataclass(frozen=True, slots=True)
class ClientsRow:
    """One row: a key by its full name, id or display name, and the restrictions to clients that it is to have."""

    line: int
    key: str
    restrictions: Restrictions


@dataclass(frozen=True, slots=True)
class ClientsFile:
    """All rows of a file."""

    path: Path
    rows: tuple[ClientsRow, ...] = ()

    def for_keys(self, keys: Iterable[Key]) -> dict[str, Restrictions]:
        """What each key is to be restricted to, by its full name. Raises Problem (exit 2) for a row that names none, or two."""
        known = list(keys)
        out: dict[str, Restrictions] = {}
        for row in self.rows:
            named = _named(known, row.key)
            if len(named) != 1:
                found = "no key that was audited" if not named else f"{len(named)} keys"
                raise self.wrong(row.line, f"{row.key!r} names {found}", "write the key's full name")
            if named[0].name in out:
                raise self.wrong(row.line, f"{row.key!r} is in two rows", "put all its entries into one row")
            out[named[0].name] = row.restrictions
        return out

    def wrong(self, line: int, what: str, *fix: str) -> Problem:
        """The Problem of a row."""
        return Problem(Cause.INVALID_ARGUMENT, f"{self.path}, line {line}: {what}", fix=fix, exit_code=Exit.USAGE)


def _named(keys: Iterable[Key], text: str) -> list[Key]:
    """Keys by full name, else by id, else by display name."""
    ways: tuple[Callable[[Key], str], ...] = (
        lambda key: key.name,
        lambda key: f"projects/{key.project}/locations/global/keys/{key.key_id}",
        lambda key: key.key_id,
        lambda key: key.display_name,
    )
    known = list(keys)
    return next((found for way in ways if (found := [key for key in known if way(key) == text])), [])


def read_clients(path: Path) -> ClientsFile:
    """A CSV file with the columns key, kind, entries. Raises Problem (exit 2) with the line and what to write instead."""
    try:
        text = read_text(path, what="the file of clients")
    except Problem as problem:
        problem.exit_code = Exit.USAGE
        raise
    file = ClientsFile(path)
    reader = csv.reader(io.StringIO(text), strict=True)
    rows: list[ClientsRow] = []
    head: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if head is None:
                head = _head(file, cells)
            else:
                rows.append(_row(file, reader.line_num, head, cells))
    except csv.Error as error:
        raise file.wrong(reader.line_num, f"it is not CSV: {error}", "quote cells that hold commas") from None
    if head is None:
        raise file.wrong(1, "the file is empty", f"its first line reads: {','.join(COLUMNS)}")
    return ClientsFile(path, tuple(rows))


def _head(file: ClientsFile, cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if sorted(names) != sorted(COLUMNS):
        raise file.wrong(1, f"the columns are {', '.join(names)}", f"the first line reads: {','.join(COLUMNS)}")
    return names


def _row(file: ClientsFile, line: int, head: list[str], cells: list[str]) -> ClientsRow:
    if len(cells) != len(head):
        raise file.wrong(line, f"{len(cells)} cells instead of {len(head)}", "quote entries that hold commas")
    values = {name: cell.strip() for name, cell in zip(head, cells, strict=True)}
    if not values["key"]:
        raise file.wrong(line, "it names no key", "write the key's full name, id or display name")
    if values["kind"] not in KINDS:
        raise file.wrong(line, f"{values['kind']!r} is not a kind of client", f"use one of: {', '.join(KINDS)}")
    entries = [each for each in _BETWEEN.split(values["entries"]) if each]
    if not entries:
        raise file.wrong(line, "it has no entries", "write addresses, sites or apps, with blanks between them")
    if any(holds_key(cell) for cell in cells):
        raise file.wrong(
            line, "it contains a key string, which must not be in any file", "write the key's full name, id or name"
        )
    try:
        wanted = edit({values["kind"]: entries}, {}, {}).replacing or Restrictions()
    except Problem as problem:
        raise file.wrong(line, problem.message, "correct that entry") from None
    if lets_everybody_in(wanted):
        raise file.wrong(line, "its entries let everybody in", "write the addresses, sites or apps that use the key")
    return ClientsRow(line, values["key"], wanted)
