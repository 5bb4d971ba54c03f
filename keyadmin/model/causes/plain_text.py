"""Any pasted text without what programs and terminals put around it: colours, frames, escapes, line breaks.

Where one entry of a log ends and the next begins is marked on the way: RECORD stands there in the result.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

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
        text = _FRAMES.sub(" ", _unboxed(text.replace(RECORD, " ")))
    text = _marked(text)
    if "+" in text:
        text = _JOINED.sub(" ", text)
    if "\\" in text:
        if "u00" in text:
            text = _CHARACTER.sub(lambda found: chr(int(found[1], 16)), text)
        text = _BREAK.sub(" ", text).replace("\\", "")
    text = " ".join(text.split())
    return _HOST.sub("googleapis.com", text) if "googleapis. " in text else text


def _unboxed(text: str) -> str:
    """The text without the sides of boxes that a terminal drew; names broken at a side are whole again."""
    if not any(side in text for side in "│┃║"):
        return text
    out: list[str] = []
    full = False
    for line in text.split("\n"):
        found = _BOX_LINE.match(line)
        if found is None:
            out.append(line)
            full = False
            continue
        inner = found[1].removeprefix(" ")
        content = inner.rstrip()
        if full and out and content[:1].strip() and _BROKEN.search(out[-1].rpartition(" ")[2]):
            out[-1] += content
        else:
            out.append(content)
        full = len(inner) - len(content) <= 1 and len(content) > 30
    return "\n".join(out)


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
