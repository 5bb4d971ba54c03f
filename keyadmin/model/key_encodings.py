"""The encoded forms in which key strings lie about: percent, C and JSON escapes, HTML entities, quoted-printable, base64."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

_NAMED: Final = {b"amp": b"&", b"lowbar": b"_", b"UnderBar": b"_", b"period": b".", b"hyphen": b"-", b"dash": b"-"}
_SIMPLE: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


@cache
def _escape() -> re.Pattern[bytes]:
    return re.compile(
        rb"%(?:u00)?(?P<hex1>[0-9A-Fa-f]{2})"
        rb"|\\(?:u00|x|u\{0*|U000000)(?P<hex2>[0-9A-Fa-f]{2})\}?"
        rb"|\\(?P<octal>[0-3][0-7]{2})"
        rb"|\\(?P<simple>[nrt\\/\"'])"
        rb"|&#[xX]0*(?P<hex3>[0-9A-Fa-f]{2});"
        rb"|&#0*(?P<decimal>[0-9]{2,3});"
        rb"|&(?P<named>amp|lowbar|UnderBar|period|hyphen|dash);"
        rb"|=(?P<hex4>[0-9A-F]{2})"
        rb"|=\r?\n|\x1b\[[0-9;]*[mK]"  # a soft line break, a colour: nothing is left of them
    )


def unescape(text: bytes) -> bytes:
    """`text` with one layer of escapes undone; what stands for no byte of ASCII or Latin-1 stays."""
    return _escape().sub(_decoded, text)


def _decoded(found: re.Match[bytes]) -> bytes:
    kind, value = found.lastgroup, found[found.lastgroup] if found.lastgroup else b""
    if kind is None:
        return b""
    if kind == "simple":
        return _SIMPLE.get(value, value)
    if kind == "named":
        return _NAMED[value]
    number = int(value, {"octal": 8, "decimal": 10}.get(kind, 16))
    return bytes((number,)) if number < 256 else found[0]


_NOTHING: Final = r"(?:=\r?\n|\x1b\[[0-9;]*[mK])?"


def _any_form(character: str) -> str:
    """A regular expression for a character, as it is and as an escape, also one that was escaped again."""
    code = ord(character)
    twice = "%25" + "".join(f"%(?:{ord(digit):02x}|{ord(digit.upper()):02x})" for digit in f"{code:02x}")
    return (
        rf"(?:{re.escape(character)}|%(?:25)?(?:u00)?{code:02x}|{twice}|\\{{1,2}}(?:u00|x|u\{{0*|U000000){code:02x}\}}?"
        rf"|\\{{1,2}}{code:03o}|&(?:amp;)?#(?:x0*{code:x}|0*{code});|={code:02x}){_NOTHING}"
    )


@cache
def beginning() -> re.Pattern[bytes]:
    """How a key string begins, each character in whatever form: cheap to try at every place where one may begin."""
    return re.compile(_beginning(), re.IGNORECASE)  # made when it is needed: --help needs none


@cache
def encoded(*, twice: bool = False) -> re.Pattern[bytes]:
    """The whole of one. `twice` = every character was escaped twice: each is three of its pieces."""
    return re.compile(
        rb"(?:%b)(?:[0-9A-Za-z_\-]|%%(?:25)?(?:u00)?[0-9A-Fa-f]{2}|\\{1,2}(?:u00|x|u\{0*|U000000)[0-9A-Fa-f]{2}\}?"
        rb"|\\{1,2}[0-3][0-7]{2}|&(?:amp;)?(?:#[xX]?[0-9A-Fa-f]{2,8}|[A-Za-z]{4,8});|=[0-9A-F]{2}"
        rb"|=\r?\n|\x1b\[[0-9;]*[mK]){20,%d}" % (_beginning(), 800 if twice else 256),
        re.IGNORECASE,
    )


def _beginning() -> bytes:
    forms = {each: _any_form(each) for each in "AIzaQ"}
    return "(?:{A}{I}{z}{a}|(?:{A}|{I}){Q}{dot})".format(dot=_any_form("."), **forms).encode()


# What "AIza", "AQ." and "IQ." become in base64 depends on where they stand in three bytes, and encoded twice in nine. Each of
# these windows of four characters tells one; the number is its place in a quad, by which the text around it is decoded.
# The key is a character that is rare in texts and the window's place of it. A test makes them anew from base64 itself.
Windows = dict[bytes, int]


def _windows(**quads: str) -> Windows:
    return {window: int(quad[1:]) for quad, words in quads.items() for window in words.encode().split()}


BASE64: Final[tuple[tuple[bytes, int, Windows], ...]] = (
    (b"V", 1, _windows(q0="QVEu SVEu UVVs UVZF", q1="lVTN mVtR", q2="FVbD JVUz", q3="CVVM RVWw RVkV")),
    (
        *(b"J", 1),
        _windows(
            q1="EJTW UJTW kJTW lJMa lJMb",
            q2="1JUS 5JUS 9JUS BJAH BJUS FJUS FJem JJUS NJUS RJUS VJUS ZJUS dJUS hJUS lJUS pJUS tJUS xJUS",
        ),
    ),
    (b"Q", 0, _windows(q0="QUl6 QlNY", q1="QB6A")),
    (
        *(b"U", 2),
        _windows(
            q2="1BUS 5BUS 5CU1 9BUS BBUS BCU1 BGUk FBUS FCU1 JBUS JCU1 NBUS RBUS RCU1 VBUS VCU1 VGUk ZBUS ZCU1 dBUS hBUS "
            "hCU1 lBUS lCU1 pBUS pCU1 tBUS tGUk xBUS xCU1",
            q3="lbUU lbUV lbUY lbUZ",
        ),
    ),
    (b"Z", 2, _windows(q0="M0ZS MEZS MUZS R0ZS REZS RUZS V0ZS VEZS VUZS a0ZS aEZS aUZS", q2="ZKZW")),
    (b"X", 2, _windows(q3="BSXp WRXV")),
    (b"L", 3, _windows(q1="0FRL 0lRL EFRL ElRL UFRL UlRL kFRL klRL")),
)

_RUN: Final = re.compile(rb"(?:[A-Za-z0-9+/_\-]|\\/|%2[BbFf])+")
_FOLDED_RUN: Final = re.compile(rb"(?:[A-Za-z0-9+/_\-]|\\/|%2[BbFf]|=?\r?\n[ \t]*|\\r|\\n)+")
_FOLD: Final = re.compile(rb"=?\r?\n[ \t]*|\\r|\\n")
_FOLDED_LINE: Final = 40  # characters: base64 is folded at 60 to 76
_BEFORE: Final = 24  # characters in front of a window that are decoded with it: what the key is glued to
_AT_ONCE: Final = 65_536
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def is_folded(data: bytes, end: int) -> bool:
    """Whether base64 that ends here may go on in the next line."""
    return data[end : end + 1] in (b"\r", b"\n", b"\\", b"=") and bool(_RUN.fullmatch(data, max(0, end - _FOLDED_LINE), end))


@dataclass(frozen=True, slots=True)
class Base64Run:
    """A stretch of base64: where it begins and ends, what it says. `cut` = it goes on behind its end."""

    start: int
    end: int
    text: bytes
    cut: bool = False


def base64_run(data: bytes, window: int, quad: int, *, folded: int = 0) -> Base64Run:
    """The base64 around a window that stands at place `quad` of four. `folded` = so far, line breaks do not end it.

    It begins in step with the window, at most 24 characters before it, and ends after 64 KiB at the latest.
    """
    begin = window - quad
    if begin < 0:
        return Base64Run(window, window + 4, b"")
    while begin >= 4 and window - begin < _BEFORE and _RUN.fullmatch(data, begin - 4, begin):
        begin -= 4
    found = (_FOLDED_RUN if folded else _RUN).match(data, begin, begin + (folded or _AT_ONCE))
    if found is None:
        return Base64Run(window, window + 4, b"")
    text = unescape(_FOLD.sub(b"", found[0]) if folded else found[0]).translate(_STANDARD)
    text = text[: len(text) - (len(text) % 4 == 1)]
    decoded = binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    return Base64Run(begin, found.end(), decoded, cut=found.end() - begin >= _AT_ONCE)
