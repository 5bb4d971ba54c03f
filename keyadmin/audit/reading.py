"""Reports that were written earlier, read back piece by piece: of a large one never more than a piece is in memory."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from keyadmin.model.problem import Problem, usage

Member = tuple[str, Any]

_CHUNK: Final = 1 << 16  # bytes
_MOST: Final = 1 << 31  # characters of a report: forty times as many as of one with 137,500 findings
_MOST_OF_ONE: Final = 1 << 25  # characters of one member or finding
_GZIP: Final = b"\x1f\x8b"
_BLANK: Final = " \t\r\n"
_LISTS: Final = frozenset({"findings", "errors"})
_UNREADABLE: Final = (OSError, EOFError, zlib.error, UnicodeDecodeError)


def members(path: Path) -> Iterator[Member]:
    """The members of a report in JSON, gzip or not, in their order: (`summary`, {...}), then each of (`findings`, {...}).

    Of the lists of findings and errors each element comes by itself. Raises Problem (exit 2) with the place of the mistake.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.peek(2)[:2] == _GZIP
            yield from _Reader(path, cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw).members()
    except _UNREADABLE as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error) or "it is cut short"
        raise unreadable(path, why) from None


def unreadable(path: Path, why: str) -> Problem:
    """The Problem of a file that is not a report (exit 2)."""
    return usage(f"{path} cannot be used: {why}", "name a report that was written with --format json, or one of audit history")


class _Reader:
    """Decodes one JSON object member by member, from as much text as the next value takes."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._text = ""
        self._at = 0
        self._dropped = 0  # characters before the text
        self._lines = 1  # the line that the text begins on
        self._ended = False
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._json = json.JSONDecoder()

    def members(self) -> Iterator[Member]:
        self._expect("{")
        if self._peek() == "}":
            return
        while True:
            name = self._value()
            if not isinstance(name, str):
                raise self._wrong("the name of a member is missing")
            self._expect(":")
            if name in _LISTS and self._peek() == "[":
                for element in self._elements():
                    yield name, element
            else:
                yield name, self._value()
            if self._peek() == "}":
                return
            self._expect(",")

    def _elements(self) -> Iterator[Any]:
        self._expect("[")
        if self._peek() == "]":
            self._expect("]")
            return
        while True:
            yield self._value()
            if self._peek() == "]":
                self._expect("]")
                return
            self._expect(",")

    def _more(self, size: int = _CHUNK) -> bool:
        """Read on; False at the end. What was decoded is dropped."""
        if self._ended:
            return False
        self._lines += self._text.count("\n", 0, self._at)
        self._dropped += self._at
        data = self._file.read(size)
        self._ended = not data
        self._text = self._text[self._at :] + self._decode(data, self._ended)
        self._at = 0
        if self._dropped + len(self._text) > _MOST:
            raise self._wrong("it is larger than any report")
        return True

    def _peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise self._wrong(f"{sign!r} is missing")
        self._at += 1

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
                if end < len(self._text) or self._ended:  # a number may go on behind what was read
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                if self._ended:
                    raise self._wrong(error.msg, error.pos) from None
            except RecursionError:
                raise self._wrong("it is nested too deeply") from None
            if len(self._text) - self._at > _MOST_OF_ONE:
                raise self._wrong("a value in it is larger than any of a report")
            self._more(max(_CHUNK, len(self._text) - self._at))

    def _wrong(self, what: str, at: int | None = None) -> Problem:
        place = self._at if at is None else at
        line = self._lines + self._text.count("\n", 0, place)
        return unreadable(self._path, f"line {line}: it is not a report in JSON: {what}")
