"""Making foreign text fit for a terminal. Names, messages and annotations are written by others."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

# C0 and C1 controls, and the characters that reorder or hide text (bidirectional overrides, zero-width joiners, BOM).
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_UNSAFE_BUT_BREAKS: Final = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
_WORD: Final = r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|\S)"""  # a sign, or what quotes hold together
_SHELL_PART: Final = re.compile(rf"--?[\w-]+ (?!-){_WORD}+|{_WORD}+")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def clean(text: str, *, keep: str = "") -> str:
    """`text` with control characters spelt out (`\\x1b`), those in `keep` untouched."""
    text = _LONE_SURROGATE.sub(_spell, text)
    return _UNSAFE.sub(lambda found: found.group() if found.group() in keep else _spell(found), text)


def _spell(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def counted(count: int, noun: str) -> str:
    """`1 key`, `2 keys`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def terminal_width() -> int | None:
    """The width of the terminal; None where stdout is none."""
    from shutil import get_terminal_size

    return get_terminal_size().columns if sys.stdout.isatty() else None


def terminal_height() -> int | None:
    """The height of the terminal in lines; None where stdout is none."""
    from shutil import get_terminal_size

    return get_terminal_size().lines if sys.stdout.isatty() else None


def folded(text: str, width: int | None, indent: str = "") -> list[str]:
    """`text` in lines of at most `width` columns (24 at the least), names and links whole; one line where that is None."""
    if width is None:
        return [f"{indent}{text}"]
    return [f"{indent}{line}" for line in _filled(text, max(width, 24) - len(indent))]


def command_lines(text: str, width: int | None, indent: str = "") -> list[str]:
    """A command in lines of at most `width` columns that a shell joins again (`\\` at their ends); words stay whole, and
    options with their values.

    `indent` stands before the lines but the first, two columns further in; its room is kept in the first one.
    """
    if width is None or len(indent) + display_width(text) <= width:
        return [text]
    room, lines = max(width, 24) - len(indent), [""]
    for found in _SHELL_PART.finditer(text):
        word = found.group()
        if lines[-1].strip() and display_width(f"{lines[-1]} {word}") > room - 2:
            lines.append(f"  {word}")
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    joined = [f"{line} \\" for line in lines[:-1]] + lines[-1:]
    return [joined[0], *(f"{indent}{line}" for line in joined[1:])]


def split(text: str, width: int) -> list[str]:
    """`text` in one or more lines of at most `width` columns, whatever stands in it: longer words are broken."""
    if display_width(text) <= width:
        return [text]
    return [piece for line in _filled(text, width) for piece in _broken(line, width)] or [""]


def _filled(text: str, width: int) -> list[str]:
    """Words in lines of at most `width` columns; a longer word has a line of its own."""
    lines: list[str] = []
    for found in re.finditer(r"(\s*)(\S+)", text):
        gap, word = found.groups()
        gap = " " * len(gap)
        if lines and display_width(lines[-1] + gap + word) <= width:
            lines[-1] += gap + word
        else:
            lines.append(word if lines else gap + word)
    return lines


def _broken(line: str, width: int) -> Iterator[str]:
    """Pieces of at most `width` columns, ended by a mark of punctuation where one stands in their second half."""
    while display_width(line) > width:
        at = used = 0
        while used + _columns(line[at]) <= width:
            used += _columns(line[at])
            at += 1
        mark = max(line.rfind(sign, at // 2, at) for sign in "-./,@:_=")
        at = mark + 1 if mark >= 0 else max(at, 1)
        yield line[:at]
        line = line[at:]
    yield line


def clean_json(dumped: str) -> str:
    """JSON text with the same characters as escapes; outside strings JSON has none of them but line breaks.

    Of those in ASCII only DEL is not an escape already.
    """
    if dumped.isascii() and "\x7f" not in dumped:
        return dumped
    return _UNSAFE_BUT_BREAKS.sub(lambda found: f"\\u{ord(found.group()):04x}", dumped)


_ESCAPE: Final = re.compile("\x1b\\[[0-9;]*m")


def display_width(text: str) -> int:
    """Columns of a terminal that `text` takes: colours none, wide characters (CJK) two."""
    plain = _ESCAPE.sub("", text)
    return len(plain) if plain.isascii() else sum(map(_columns, plain))


def terminal_rows(lines: Iterable[str], columns: int) -> int:
    """How many rows of a terminal the lines take: longer ones are folded."""
    return sum(max(1, -(-display_width(line) // columns)) for line in lines)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns; what is left out is a `…`. Text without colours."""
    if display_width(text) <= width:
        return text
    kept, used = [], 0
    for char in text:
        used += _columns(char)
        if used >= width:
            break
        kept.append(char)
    return "".join(kept) + "…"


def padded(text: str, width: int) -> str:
    """`text` cut or filled with blanks to `width` columns."""
    shown = cut(text, width)
    return shown + " " * max(0, width - display_width(shown))


def _columns(char: str) -> int:
    return 1 if char.isascii() else max(0, _measure()(char))


@cache
def _measure() -> Callable[[str], int]:
    """wcwidth where it is installed, which knows more than the Unicode width alone."""
    try:
        from wcwidth import wcwidth
    except ImportError:
        from unicodedata import combining, east_asian_width

        return lambda char: 0 if combining(char) else 1 + (east_asian_width(char) in "WF")
    return wcwidth
