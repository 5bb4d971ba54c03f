"""Tables for people. At a terminal no line is wider than the terminal; in a pipe or a file a row is one line, unless its
view says how wide that may be at most.

Where there is no room, in this order: columns that say no more than another one are left out; what may be folded takes several
lines; what may stand below goes under its row; and where even that is too wide, each row is told field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from keyadmin.cli.console import paint
from keyadmin.cli.text import display_width, folded, split

COMFORTABLE: Final = 20  # columns are folded to this many characters before anything goes below its row
NARROWEST: Final = 12  # and to this many after that
_GAP: Final = 2
_BELOW: Final = "    "  # before what stands below its row


class StyledText(NamedTuple):
    """A value as text, without control characters, and its style."""

    text: str
    style: str | None = None


class TableColumn(Protocol):
    """What is asked of a column; see `cli.render.Column`."""

    @property
    def title(self) -> str: ...
    @property
    def fold(self) -> bool: ...
    @property
    def below(self) -> bool: ...
    @property
    def spare(self) -> bool: ...
    @property
    def exact(self) -> bool: ...


@dataclass(frozen=True)
class _Layout:
    """The columns side by side with their widths, and those below; both by their places."""

    beside: dict[int, int]
    below: tuple[int, ...] = ()


def lines(
    columns: Sequence[TableColumn], rows: Sequence[Sequence[StyledText]], width: int | None, colour: bool
) -> Iterator[str]:
    """The table; `width` = the terminal's, None where there is none."""
    widths = [max(map(display_width, (column.title, *(row[at].text for row in rows)))) for at, column in enumerate(columns)]
    layout = _Layout(dict(enumerate(widths))) if width is None else _layout(columns, widths, width)
    if layout is not None:
        yield from _side_by_side(columns, rows, layout, width, colour)
        return
    titles = [column.title for column in columns]
    for number, row in enumerate(rows):
        if number:
            yield ""
        yield from record(titles, row, width, colour)


def record(titles: Sequence[str], cells: Sequence[StyledText], width: int | None, colour: bool) -> Iterator[str]:
    """One thing, a line a field; a value that is too long goes on below itself."""
    left = max(map(len, titles))
    for title, cell in zip(titles, cells, strict=True):
        pieces = folded(cell.text, None if width is None else width - left - _GAP) or [""]
        for number, piece in enumerate(pieces):
            head = paint(title.ljust(left), "bold", colour) if number == 0 else " " * left
            yield f"{head}{' ' * _GAP}{paint(piece, cell.style, colour) if piece else ''}".rstrip()


def _layout(columns: Sequence[TableColumn], widths: Sequence[int], width: int) -> _Layout | None:
    everything = dict(enumerate(widths))
    if _excess(everything, width) <= 0:
        return _Layout(everything)
    beside = {at: wide for at, wide in everything.items() if not columns[at].spare}
    if fitting := _fitted(columns, beside, width, COMFORTABLE):
        return _Layout(fitting)
    below = tuple(at for at, column in enumerate(columns) if column.below)
    for several in ([at for at in everything if at not in below], [at for at in beside if at not in below]):
        if fitting := _fitted(columns, {at: everything[at] for at in several}, width, NARROWEST):
            return _Layout(fitting, below)
    return None


def _excess(beside: dict[int, int], width: int) -> int:
    """By how many characters a line is wider than the terminal."""
    return sum(beside.values()) + _GAP * (len(beside) - 1) - width


def _fitted(columns: Sequence[TableColumn], beside: dict[int, int], width: int, least: int) -> dict[int, int] | None:
    """The widths that fit: columns that may be folded give way, the widest first. None where that is not enough."""
    widths = dict(beside)
    for _ in range(_excess(widths, width)):
        widest = max((at for at in widths if columns[at].fold), key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= max(least, len(columns[widest].title)):
            return None
        widths[widest] -= 1
    return widths


def _header(column: TableColumn) -> str:
    """A title in capitals; a field's name as it is typed."""
    return column.title if column.exact else column.title.upper()


def _side_by_side(
    columns: Sequence[TableColumn], rows: Sequence[Sequence[StyledText]], layout: _Layout, width: int | None, colour: bool
) -> Iterator[str]:
    import tabulate

    tabulate.MIN_PADDING = 0  # two columns more than its title needs: four of these are lost on a terminal
    painted: list[list[str]] = []
    last: dict[int, int] = {}  # by the number of a line: the row that ends with it
    for number, row in enumerate(rows):
        painted += _folded(row, layout.beside, colour)
        last[len(painted)] = number
    header = [paint(_header(columns[at]), "bold", colour) for at in layout.beside]
    whole = tabulate.tabulate(painted, header, tablefmt="plain", disable_numparse=True)
    for number, line in enumerate(whole.split("\n")):
        yield line.rstrip() if width is not None else line
        if layout.below and number in last:
            yield from _under(columns, rows[last[number]], layout.below, width, colour)


def _folded(row: Sequence[StyledText], beside: dict[int, int], colour: bool) -> list[list[str]]:
    """A row as the lines that it takes, painted."""
    cells = [split(row[at].text, wide) for at, wide in beside.items()]
    styles = [row[at].style for at in beside]
    return [
        [
            paint(cell[line], style, colour) if line < len(cell) and cell[line] else ""
            for cell, style in zip(cells, styles, strict=True)
        ]
        for line in range(max(map(len, cells)))
    ]


def _under(
    columns: Sequence[TableColumn], row: Sequence[StyledText], below: Sequence[int], width: int | None, colour: bool
) -> Iterator[str]:
    """What goes below a row: with its title where there are several of it, folded to the terminal."""
    for at in below:
        text = f"{columns[at].title}: {row[at].text}" if len(below) > 1 else row[at].text
        for line in folded(text, width, _BELOW):
            yield _BELOW + paint(line.removeprefix(_BELOW), row[at].style, colour)
