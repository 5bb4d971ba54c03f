"""Searching a text that comes in pieces, with the numbers of lines: a file, or an object of a repository."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Final

from keyadmin.model.key_search import REACH, search

PIECE: Final = 1024 * 1024  # bytes searched at once
ALLOW_MARK: Final = b"keyadmin:allow"
SNIFFED: Final = 8000  # a NUL byte in the first 8,000 makes a file binary, as git has it
_LEFT: Final = 64  # bytes in front of a piece that are searched again: they tell whether a key string is the end of a word
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ANY_MARK: Final = tuple(mark for mark, _ in _MARKS)
_WIDE: Final = 0.4  # of all bytes: NULs, all at odd or all at even places, are what text of 16 bits has without a mark, too

Place = tuple[int, str]
"""The number of a line, from 1, and a key string in it."""


def encoding_of(head: bytes) -> str | None:
    """`utf-8` for all text of bytes, or the wider encoding by its mark or, without one, where it is clear; None = binary."""
    if head.startswith(_ANY_MARK):
        return next(encoding for mark, encoding in _MARKS if head.startswith(mark))
    if head.find(0, 0, SNIFFED) < 0:
        return "utf-8"
    sniffed = head[:SNIFFED]
    half = max(1, len(sniffed) // 2)
    even, odd = sniffed[::2].count(0), sniffed[1::2].count(0)
    if not even and odd > 2 * _WIDE * half:
        return "utf-16-le"
    if not odd and even > 2 * _WIDE * half:
        return "utf-16-be"
    return None


class TextSearch:
    """Takes the pieces of a text in their order, and gives back what is found in them.

    A key string across the border of two pieces is found once; a line with `keyadmin:allow` in it is passed over, however
    long it is: what was found in an unfinished line waits for its end. The work is linear in the text, whatever it holds.
    """

    def __init__(self, encoding: str = "utf-8") -> None:
        self._decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)("replace")
        self._text = b""
        self._from = 0  # where in it what is new begins
        self._line = 1
        self._waiting: list[Place] = []
        self._allowed = False  # the line that is not finished

    def feed(self, piece: bytes, *, last: bool = False) -> Iterator[Place]:
        """What is settled with this piece; with the `last` one all the rest."""
        if self._decoder is not None:
            piece = self._decoder.decode(piece, last).encode("utf-8", "replace")
        text = self._text + piece if self._text else piece
        end = len(text) if last else max(self._from, len(text) - REACH)
        yield from self._search(text, end)
        if last:
            yield from self._settle(self._allowed)
        keep = max(0, end - _LEFT)
        self._text, self._from = text[keep:], end - keep

    def _search(self, text: bytes, end: int) -> Iterator[Place]:
        begin = seen = self._from  # of the line; up to where it has no end
        for match in search(text):
            if self._from <= match.start < end:
                stop = text.find(b"\n", seen, match.start)
                seen = match.start
                if stop >= 0:
                    yield from self._settle(self._allowed or _marked(text, begin, stop))
                    self._line += text.count(b"\n", stop, seen)
                    begin = text.rfind(b"\n", stop, seen) + 1
                self._waiting.append((self._line, match.key))
        stop = text.find(b"\n", seen, end)
        if stop >= 0:
            yield from self._settle(self._allowed or _marked(text, begin, stop))
            self._line += text.count(b"\n", stop, end)
            begin = text.rfind(b"\n", stop, end) + 1
        self._allowed = self._allowed or _marked(text, begin, end)

    def _settle(self, allowed: bool) -> list[Place]:
        """The line is over: what was found in it, unless that is allowed."""
        found, self._waiting, self._allowed = self._waiting, [], False
        return [] if allowed else found


def _marked(text: bytes, begin: int, end: int) -> bool:
    """Whether the part of a line says that it is allowed, perhaps with a word that began in the piece before."""
    return text.find(ALLOW_MARK, max(0, begin - len(ALLOW_MARK) + 1), end) >= 0
