"""Finding key strings in bytes, plain and encoded to a depth of two: what `scan` finds and what is masked everywhere.

Nearly all bytes of a tree hold none, so what counts is how fast they are passed over: of each form one character that is rare
in texts is looked for (memchr), and what stands around it decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import starmap
from typing import Final

from keyadmin.model.key_encodings import BASE64, base64_run, beginning, encoded, is_folded, unescape
from keyadmin.model.key_shape import LOOSE, STRICT, begins_at, plausible

DEPTH: Final = 2
REACH: Final = 2048
"""Bytes: no key string, however encoded, is longer, and nothing further away changes what is found at a place."""

# A rare character, how many stand in front of it, and what stands there where a key string may begin.
_AIZA: Final = (b"z", 2, frozenset((b"AIza", b"AIz=", b"AIz\x1b", b"\nIza", b"=\nza", b"\r\nza")))
_AQ: Final = frozenset((*(b"%bQ%b" % (a, b) for a in (b"A", b"I") for b in (b".", b"%", b"\\", b"&", b"=")), b"\nQ."))
# One look at each Q serves plain auth keys and base64: what may follow it.
_PAIRS: Final = (b"Q", 0, frozenset((b"Q.", b"Q%", b"Q\\", b"Q&", b"Q=", b"QU", b"Ql", b"QB")))
_TOKEN: Final = (b"_", 4, frozenset((b"auth_tokens/",)))
# Characters that are escapes themselves: of A and I, with which key strings begin.
_ESCAPED: Final = (
    (b"%", 0, frozenset((b"%41", b"%49", b"%25", b"%u0"))),
    (b"\\", 0, frozenset((b"\\x4", b"\\u0", b"\\u{", b"\\U0", b"\\10", b"\\11"))),
    (b"&", 0, frozenset((b"&#6", b"&#7", b"&#0", b"&#x", b"&#X"))),
)
_ESCAPES: Final = (b"%", b"\\", b"&", b"=", b"\x1b")  # what escapes begin with: one may stand for the next character of a key
_RUN: Final = re.compile(rb"[0-9A-Za-z_\-.]{0,256}")
_BACK: Final = 5  # a soft line break (= CR LF) and two characters
_SHORT: Final = 1024  # bytes: up to here one regular expression is quicker than a look for each character


@dataclass(frozen=True, slots=True)
class KeyMatch:
    """A key string in some bytes: where what stands for it begins and ends, and the string."""

    start: int
    end: int
    key: str


def search(data: bytes, *, loose: bool = False, depth: int = DEPTH) -> list[KeyMatch]:
    """Every key string, in the order of its place. `loose` = whatever may be one, for masking: placeholders, tokens too."""
    if len(data) <= _SHORT and not _hint().search(data):
        return []
    pairs = list(_places(data, *_PAIRS))
    found = list(_plain(data, pairs, loose, depth))
    if depth:
        found += _escaped(data, loose)
        found += _base64(data, pairs, loose, depth)
    if loose:
        found += _tokens(data)
    if len(found) > 1:
        found.sort(key=lambda match: match.start)
    return found


def _places(data: bytes, char: bytes, left: int, windows: Collection[bytes]) -> Iterator[int]:
    """Where one of some windows (of one length) begins, each with `char` behind `left` others."""
    size, near, wanted = _NEIGHBOURS.get((char, left)) or _neighbour(char, left, windows)
    find, stop = data.find, len(data) - max(near, 0)
    at = find(char, 0, stop)
    while at >= 0:
        if wanted[data[at + near]]:  # several times faster than to cut out and compare each
            begin = at - left
            if data[begin : begin + size] in windows:
                yield begin
        at = find(char, at + 1, stop)


_NEIGHBOURS: Final[dict[tuple[bytes, int], tuple[int, int, bytes]]] = {}


def _neighbour(char: bytes, left: int, windows: Collection[bytes]) -> tuple[int, int, bytes]:
    """The windows' length; on which side of the character fewer bytes can stand; for each byte whether it can."""
    near, beside = _beside(left, windows)
    found = len(next(iter(windows))), near, bytes(byte in beside for byte in range(256))
    _NEIGHBOURS[char, left] = found
    return found


def _beside(left: int, windows: Collection[bytes]) -> tuple[int, set[int]]:
    """On which side of the character fewer bytes can stand, and which."""
    size = len(next(iter(windows)))
    beside = {near: {window[left + near] for window in windows} for near in (-1, 1) if 0 <= left + near < size}
    near = min(beside, key=lambda each: len(beside[each]))
    return near, beside[near]


@cache
def _hint() -> re.Pattern[bytes]:
    """What stands in every text with a key string in any form: one of the characters, and beside it what can stand there."""
    return re.compile(b"|".join(starmap(_with_neighbour, (_AIZA, _PAIRS, _TOKEN, *_ESCAPED, *BASE64))))


def _with_neighbour(char: bytes, left: int, windows: Collection[bytes]) -> bytes:
    near, beside = _beside(left, windows)
    sign, others = re.escape(char), b"[%b]" % b"".join(re.escape(bytes((byte,))) for byte in sorted(beside))
    return sign + (others if near > 0 else b"(?<=%b%b)" % (others, sign))  # the rare one first: it is looked for


def _judged(data: bytes, start: int, end: int, key: bytes, loose: bool) -> KeyMatch | None:
    """A string of the right shape as a match, if it begins there and may be a key."""
    if loose:
        return KeyMatch(start, end, key.decode("ascii")) if begins_at(data, start, key) else None
    if not plausible(text := key.decode("ascii")) or not begins_at(data, start, key):
        return None
    if text[1] == "Q" and data[end : end + 1] == b"(":  # a function that is called
        return None
    return KeyMatch(start, end, text)


def _plain(data: bytes, pairs: Sequence[int], loose: bool, depth: int) -> Iterator[KeyMatch]:
    shape = LOOSE if loose else STRICT
    auth = (at - 1 for at in pairs if data[at - 1 : at + 2] in _AQ)
    for place in (*_places(data, *_AIZA), *auth):
        found = shape.match(data, place)
        match = _judged(data, place, found.end(), found[0], loose) if found else None
        stop = found.end() if found else _RUN.match(data, place).end()  # type: ignore[union-attr] # it matches nothing, too
        if depth and (data[stop : stop + 1] in _ESCAPES or data[place : place + 1] not in (b"A", b"I")):
            longer = _unescaped(data, place, loose)
            match = longer if longer and (match is None or longer.end > match.end) else match
        if match is not None:
            yield match


def _escaped(data: bytes, loose: bool) -> Iterator[KeyMatch]:
    for char, left, windows in _ESCAPED:
        if char not in data:
            continue
        for place in _places(data, char, left, windows):
            if beginning().match(data, place) and (match := _unescaped(data, place, loose)):
                yield match


def _unescaped(data: bytes, place: int, loose: bool) -> KeyMatch | None:
    """The key string that begins at `place` or, broken there by a line's end, a little before; escapes are undone."""
    begin = beginning().match(data, place) or beginning().search(data, max(0, place - _BACK), place + 4 * _BACK)
    found = encoded(twice=data[place : place + 4] == b"%25%").match(data, begin.start()) if begin else None
    if found is None:
        return None
    text, shape = found[0], LOOSE if loose else STRICT
    for _ in range(DEPTH):
        text = unescape(text)
        if key := shape.match(text):
            end = found.start() + _length(found[0], key[0])
            return _judged(data, found.start(), end, key[0], loose)
    return None


def _length(text: bytes, key: bytes) -> int:
    """How many bytes of an escaped text stand for a key string."""
    low, high = len(key), len(text)
    while low < high:
        middle = (low + high) // 2
        once = unescape(text[:middle])
        if once.startswith(key) or unescape(once).startswith(key):
            high = middle
        else:
            low = middle + 1
    return low


def _base64(data: bytes, pairs: Sequence[int], loose: bool, depth: int) -> Iterator[KeyMatch]:
    for char, left, windows in BASE64:
        if char not in data:
            continue
        decoded = [0, 0, 0, 0]  # by step in a quad: up to where the text was decoded already
        known = (at for at in pairs if data[at : at + 4] in windows) if char == _PAIRS[0] else None
        for window in known or _places(data, char, left, windows):
            quad = windows[data[window : window + 4]]
            step = (window - quad) % 4
            if window < decoded[step]:
                continue
            run = base64_run(data, window, quad)
            keys = _inside(run.text, loose, depth - 1)
            decoded[step] = run.end if keys or not run.cut else run.end - REACH
            broken = not keys or run.text.endswith(keys[-1].encode())
            if broken and run.end - window < REACH and is_folded(data, run.end):
                longer = base64_run(data, window, quad, folded=REACH)
                if more := _inside(longer.text, loose, depth - 1):
                    run, keys = longer, more
            yield from (KeyMatch(run.start, run.end, key) for key in keys)


def _inside(text: bytes, loose: bool, depth: int) -> list[str]:
    """The key strings of a decoded text, UTF-16 too (PowerShell's encoded commands)."""
    plain = text.replace(b"\0", b"") if b"\0" in text else text
    return [match.key for match in search(plain, loose=loose, depth=depth)]


def _tokens(data: bytes) -> Iterator[KeyMatch]:
    char, left, windows = _TOKEN
    for place in _places(data, char, left, windows):
        if found := LOOSE.match(data, place):
            yield KeyMatch(place, found.end(), found[0].decode("ascii"))
