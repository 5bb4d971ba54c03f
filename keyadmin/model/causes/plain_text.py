"""Any pasted text without what programs and terminals put around it: colours, frames, escapes, line breaks.

Where one entry of a log ends and the next begins is marked on the way: RECORD stands there in the result.
"""

from __future__ import annotations

import codecs
import html
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

from keyadmin.model.causes.trailers import spelt_out

MAX_CHARACTERS: Final = 2_000_000  # of more, the beginning and the end are read
RECORD: Final = "\ue000"  # from Unicode's private use area; taken out of what comes in
_MARKS: Final = re.compile("[\ue000-\ue002]")
OWN: Final = "\ue001"  # stands where an error begins that is no part of another: a box of Terraform's, a line of gcloud's
_END: Final = "\ue002"  # of a box
MAX_RECORDS: Final = 50_000

_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_FRAME: Final = "│┃║▌▐|"
_FRAMES: Final = re.compile("[─-╿▀-▟⎿]+")
_BOX_LINE: Final = re.compile(r"^[ >]*[│┃║](.*?)[│┃║]?[ ]*$")
# A name that a terminal broke at the right edge goes on in the next line.
_BROKEN: Final = re.compile(r"[\w.@/=&?%+:-]*[./_=?&%@-][\w.@/=&?%+:-]*$|[a-z0-9]+-[a-z0-9-]*$")
# JavaScript's print of a long string: 'one\n' + 'two'
_JOINED: Final = re.compile(r"""(['"`])\s*\+\s+\1""")
# A run of backslashes is tried once, where it begins: escapes of any depth, in linear time.
_BREAK: Final = re.compile(r"(?<!\\)\\++[nrt]")
_CHARACTER: Final = re.compile(r"(?<!\\)\\++u00(3[ce]|2[67])", re.IGNORECASE)
# The corners of a Terraform box, each on a line of its own (in a CI's log behind a time): an entry begins or ends there.
_CORNER: Final = re.compile(r"^[^\n╷╵│┃║]{0,80}([╷╵])[ \t]*$", re.MULTILINE)
_CORNERS: Final = {"╷": OWN, "╵": _END}
_HOST: Final = re.compile(r"googleapis\. com\b")
# What stands for quotes where an editor, a chat or a web page put its own.
_QUOTES: Final = str.maketrans({**dict.fromkeys("“”„‟″＂", '"'), **dict.fromkeys("‘’‚‛′＇", "'")})
_ENTITY: Final = re.compile(r"&(?:amp;)?(?:quot|apos|lt|gt|nbsp|amp|#\d{2,4}|#x[0-9a-fA-F]{2,4});")
_DOUBLED: Final = re.compile(r'""(?=\w[^"\n]*"")|(?<=\w)""')  # as CSV writes a quote
# What mail, chats and `docker compose logs` put before each line.
_PREFIX: Final = re.compile(r"(?:> ?)+|[\w.-]{1,60}[ \t]+\| ")
_LINE_TAG: Final = re.compile(r"</?(?:br|p|div|li|span|pre|code|b)\b[^<>\n]{0,200}>", re.IGNORECASE)
_ENCODED: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_OF_SENTENCES: Final = ("%20", "%22", "%27", "%3A", "%3D")  # a code that is to be exchanged has none of them
_FORM: Final = re.compile(r"\S{20,}")
# A terminal without boxes breaks at its width, in the middle of words: lines of just this length, and none longer.
_NARROWEST: Final = 60
_USUAL: Final = frozenset({80, 100, 120, 132, 160})  # one line that fills such a width to its last column is enough
_SURELY: Final = 0.8  # of the lines that come near the width, so many fill it
_NEAR: Final = 15

# How an entry of a log begins: with a time, or with the word that programs begin an error with.
_TIME: Final = (
    r"\[?\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d[\d:.,]*(?:Z|[+-]\d\d:?\d\d)?\]?|\]?(?=[ \t]))|"
    r"\[?\d\d:\d\d:\d\d[\d.,-]*\]?|"
    r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|[IWEF]\d{4} \d\d:\d\d:\d\d[\d.]*|time=\S+"
)
_START: Final = re.compile(
    rf"^[ \t]{{0,4}}(?:(?P<box>{OWN})[ \t\n]*(?:Error: )?|(?P<end>{_END})|(?P<own>(?<=\n\n)Error: |ERROR: \(gcloud\.)|"
    rf"(?P<time>{_TIME})[ \t\-|:]*(?P<next>[^\s])|"
    r"(?:(?<!exception:\n\n)(?<!occurred:\n\n)Traceback \(most recent|ERROR: |Error: |error: |[✕✖❌✗×] ?|\$ \S|"
    r"\[?(?:ERROR|CRITICAL)\]?:?[ \t]+\S|(?:ERROR|CRITICAL):\w[\w.-]*:|"
    r"npm ERR! code|panic: |"
    r"Attempt \d|Exception in thread|(?:Uncaught|Unhandled)[ A-Z]|FATAL|(?<=\}\n)\{|(?<=\]\n)[\[{]))",
    re.MULTILINE,
)


def decoded(data: bytes) -> str:
    """Bytes of unknown origin as text: UTF-8, or UTF-16 where a byte order mark says so (PowerShell's `>` writes that)."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return data.decode(encoding, "replace")


def plain(text: str) -> str:
    """The text without escapes, colours, frames and runs of blanks, with RECORD where entries begin."""
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS // 2] + "\n" + text[-MAX_CHARACTERS // 2 :]
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = _MARKS.sub(" ", text)
        if "╷" in text or "╵" in text:
            text = _CORNER.sub(lambda found: _CORNERS[found[1]], text)
        text = _FRAMES.sub(" ", _unboxed(text)).translate(_QUOTES)
    text = _marked(_web(spelt_out(_unbroken(_unquoted(text)))))
    if "+" in text:
        text = _JOINED.sub(" ", text)
    if "\\" in text:
        if "u00" in text:
            text = _CHARACTER.sub(lambda found: chr(int(found[1], 16)), text)
        text = _BREAK.sub(" ", text).replace("\\", "")
    text = " ".join(text.split())
    return _HOST.sub("googleapis.com", text) if "googleapis. " in text else text


def _unquoted(text: str) -> str:
    """The text without what stands before each of its lines."""
    first = _PREFIX.match(text)
    if first is None:
        return text
    lines = text.split("\n")
    bare = first[0].rstrip()
    if not all(line.startswith(bare) for line in lines if line):
        return _of_services(lines)
    return "\n".join(line.removeprefix(first[0]) if line.startswith(first[0]) else line[len(bare) :] for line in lines)


def _of_services(lines: list[str]) -> str:
    """The lines of several services (`web-1  | ...`) without their names; an entry ends where the name changes."""
    found = [_PREFIX.match(line) for line in lines]
    if not all(prefix for prefix, line in zip(found, lines, strict=True) if line):
        return "\n".join(lines)
    out: list[str] = []
    last = ""
    for prefix, line in zip(found, lines, strict=True):
        if prefix is not None and prefix[0] != last:
            out.append(_END)
            last = prefix[0]
        out.append(line[prefix.end() :] if prefix is not None else line)
    return "\n".join(out)


def _web(text: str) -> str:
    """The text without what web pages, addresses and tables write for signs: entities, tags, percent codes, quotes twice."""
    if '""' in text:
        text = _DOUBLED.sub('"', text)
    if "&" in text and _ENTITY.search(text):
        text = _LINE_TAG.sub("\n", _ENTITY.sub(lambda found: html.unescape(html.unescape(found[0])), text))
    if text.count("+") > 2:
        text = _FORM.sub(_spaced, text)
    if any(sign in text for sign in _OF_SENTENCES):
        text = _ENCODED.sub(lambda found: unquote(found[0]), text)
    return text


def _spaced(found: re.Match[str]) -> str:
    """A sentence in a form's encoding, where a + stands for a blank."""
    word = found[0]
    return word.replace("+", " ") if word.count("+") > 2 and ("=" in word or _ENCODED.search(word)) else word


def _unboxed(text: str) -> str:
    """The text without the sides of boxes that a terminal drew; names broken at a side are whole again."""
    if not any(side in text for side in "│┃║"):
        return text
    out: list[str] = []
    box: list[str] = []
    for line in text.split("\n"):
        found = _BOX_LINE.match(line)
        if found is not None:
            box.append(found[1].removeprefix(" "))
            continue
        out += _within(box)
        box = []
        out.append(line)
    return "\n".join([*out, *_within(box)])


def _within(box: list[str]) -> Iterator[str]:
    """The lines of one box, whole again where its side broke a name or, as some do, any word."""
    hard = _hard_width([line.rstrip() for line in box])
    held = ""
    full = False
    for inner in box:
        content = inner.rstrip()
        broken = len(held) and full and content[:1].strip()
        if broken and (hard or _BROKEN.search(held.rpartition(" ")[2])):
            held += content
        else:
            if held or full:
                yield held
            held = content
        full = len(content) == hard if hard else len(inner) - len(content) <= 1 and len(content) > 30
        if not held:
            yield ""
            full = False
    if held:
        yield held


def _hard_width(lines: list[str]) -> int:
    """The width at which every line was broken, wherever that fell in a word; 0 = the lines end where they want."""
    width = max(map(len, lines), default=0)
    if width < _NARROWEST:
        return 0
    near = [line for line in lines if len(line) > width - _NEAR]
    exact = {line for line in near if len(line) >= width - 1}
    alike = max(Counter(line[:4] for line in lines if line).values())
    least = 1 if width in _USUAL else 2
    return width if len(exact) >= max(least, _SURELY * len(near)) and alike <= max(1, len(lines) / 2) else 0


def _unbroken(text: str) -> str:
    """The text whole again where a terminal broke it at its width, in the middle of words."""
    lines = text.split("\n")
    hard = _hard_width([line.rstrip() for line in lines])
    if len(lines) == 1 or not hard:
        return text
    ends = ["" if len(line) == hard and not _START.match(after) else "\n" for line, after in pairwise((*lines, ""))]
    return "".join(line + end for line, end in zip(lines, ends, strict=True)).removesuffix("\n")


def _marked(text: str) -> str:
    """RECORD put before each entry of a log, and OWN before those that are no part of another."""
    places = list(_starts(text))[:MAX_RECORDS]
    if places:
        edges = [0, *(place for place, _ in places if place), len(text)]
        marks = dict(places)
        pieces = [f"{OWN} " * marks.get(begin, False) + text[begin:end] for begin, end in pairwise(edges)]
        text = f" {RECORD} ".join(pieces)
    return text.replace(_END, " ")


def _starts(text: str) -> Iterator[tuple[int, bool]]:
    """Where entries begin, and whether each is surely an error of its own.

    None begins inside a box, nor inside an object that is still open, unless a sentence begins there or surely an error.
    """
    depth = boxed = 0
    first = since = text.find("{") if "{" in text else len(text)  # before it nothing can be open
    for found in _START.finditer(text):
        place = found.start()
        kind = found.lastgroup
        if place < boxed:
            continue
        if kind in ("box", "end", "own"):
            depth, since = 0, max(first, place)
            boxed = _box_end(text, place) if kind == "box" else 0
            yield place, kind != "end"
            continue
        if place > first:
            depth += text.count("{", since, place) - text.count("}", since, place)
            since = place
            if depth > 0 and (found["time"] is None or not found["next"].isalpha()):
                continue
            depth = 0
        yield place, False


def _box_end(text: str, place: int) -> int:
    """Where the box that begins here ends; the place itself where its end was cut off."""
    following = text.find(OWN, place + 1)
    end = text.find(_END, place, following if following >= 0 else len(text))
    return max(end, place)
