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
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d[\d:.,]*(?:Z|[+-]\d\d:?\d\d)?\]?|\[?\d\d:\d\d:\d\d[\d.,-]*\]?|"
    r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|[IWEF]\d{4} \d\d:\d\d:\d\d[\d.]*|time=\S+"
)
_START: Final = re.compile(
    rf"^[ \t]{{0,4}}(?:(?P<time>{_TIME})[ \t\-|:]*(?P<next>[^\s])|"
    r"(?:(?<!exception:\n\n)(?<!occurred:\n\n)Traceback \(most recent|ERROR: |Error: |error: |[✕✖❌✗×╷] ?|\$ \S|"
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
        text = _FRAMES.sub(" ", _unboxed(text.replace(RECORD, " "))).translate(_QUOTES)
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
        return text
    return "\n".join(line.removeprefix(first[0]) if line.startswith(first[0]) else line[len(bare) :] for line in lines)


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
    """RECORD put before each entry of a log. Not inside an object that is still open, unless a sentence begins there."""
    first = text.find("{") if "{" in text else len(text)
    starts = [found.start() for found in _START.finditer(text, 0, first) if found.start()]  # quicker where nothing can be open
    since = depth = 0
    for found in _START.finditer(text, first):
        place = found.start()
        depth += text.count("{", since, place) - text.count("}", since, place)
        since = place
        if depth > 0 and (found["time"] is None or not found["next"].isalpha()):
            continue
        if place:
            starts.append(place)
        depth = 0
    starts = starts[:MAX_RECORDS]
    if not starts:
        return text
    pieces = [text[begin:end] for begin, end in zip([0, *starts], [*starts, len(text)], strict=True)]
    return f" {RECORD} ".join(pieces)
