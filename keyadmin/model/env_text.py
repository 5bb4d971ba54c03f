"""The text of `.env` files: finding, setting and taking out one variable, every other byte left as it is.

python-dotenv's parser says which lines set what, so that a `NAME=` inside a quoted value of several lines is no variable. What
other programs read differently (node's dotenv, `docker --env-file`, systemd, a shell that sources the file) decides how
a line is written: unquoted, without blanks after `=`, and never behind a line that ends in a backslash.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from keyadmin.model.leaned_on import env_bindings

BOM: Final = "\ufeff"  # python-dotenv and docker skip it at the start of a file
_SAFE: Final = re.compile(r"[A-Za-z0-9._-]+")  # needs no quotes in any dialect: what key strings consist of
_PIECE: Final = re.compile(
    r"(?P<lead>\s*)(?P<head>(?:export[^\S\r\n]+)?(?:'[^']+'|[^=#\s]+))(?P<gap>[^\S\r\n]*)"
    r"(?P<rest>(?:=.*?)?(?:[^\S\r\n]*\#[^\r\n]*)?)(?P<end>\r\n|\n|\r|)",
    re.DOTALL,
)
_QUOTED: Final = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EnvLine:
    """A line that sets a variable. `number` from 1; `value` None for a bare `NAME` (docker: the value of its own process)."""

    number: int
    value: str | None


def decode(data: bytes) -> str:
    """The text of a file, whatever its encoding: what is not UTF-8 becomes lone surrogates, and `encode` gives it back."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `decode` was given, where the text was not changed."""
    return text.encode("utf-8", "surrogateescape")


def find(text: str, name: str) -> list[EnvLine]:
    """The lines that set the variable, in their order; the last one counts, as in shells."""
    out = []
    for piece in _pieces(text):
        if piece.key == name:
            lead = re.match(r"\s*", piece.text)
            assert lead is not None
            number = piece.line + len(re.findall(r"\r\n|\r|\n", lead.group()))
            out.append(EnvLine(number, piece.value))
    return out


def value_of(text: str, name: str) -> str | None:
    """The variable's value, the last one counting; None where it is not set."""
    found = find(text, name)
    return found[-1].value if found else None


def with_variable(text: str, name: str, value: str) -> str:
    """The text with `NAME=value` in the place of the variable's first line, its other lines gone; at the end if it had none.

    Kept are comments behind the value, an `export`, indentation, blank lines, line ends, and a comment of a line that goes.
    Raises ValueError for a value that would need quotes: the dialects quote in different ways.
    """
    if not _SAFE.fullmatch(value):
        raise ValueError("a value in a .env file consists of A-Z, a-z, 0-9, '.', '_' and '-'")
    out: list[str] = []
    done = False
    for piece in _pieces(text):
        if piece.key != name:
            out.append(piece.text)
        elif done:
            out.append(_without(piece, keep_comment=True))
        elif _belongs_to_another("".join(out) + _lead(piece)):
            out.append(piece.text)
        else:
            out.append(_with_value(piece, value))
            done = True
    changed = "".join(out)
    return changed if done and value_of(changed, name) == value else _appended(changed, f"{name}={value}")


def without_variable(text: str, name: str) -> str:
    """The text without the variable's lines; blank lines around them stay."""
    out: list[str] = []
    for piece in _pieces(text):
        if piece.key != name:
            out.append(piece.text)
            continue
        before = "".join(out) + _lead(piece)
        rest = _without(piece, keep_comment=False)
        out.append(rest + (_newline(text) if _continues(before) else ""))  # else the next line would go on with the one before
    return "".join(out)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the text as the parser cuts it: a line, with the blank lines before it."""

    text: str
    key: str | None
    value: str | None
    line: int


def _pieces(text: str) -> Iterator[_Piece]:
    if text.startswith(BOM):
        yield _Piece(BOM, None, None, 1)
        text = text[len(BOM) :]
    for binding in env_bindings(io.StringIO(text, newline="")):
        key = None if binding.error else binding.key
        yield _Piece(binding.original.string, key, binding.value, binding.original.line)


def _lead(piece: _Piece) -> str:
    return piece.text[: len(piece.text) - len(piece.text.lstrip())]


def _with_value(piece: _Piece, value: str) -> str:
    """The line with another value; what stands before the value and behind it is the same."""
    found = _PIECE.fullmatch(piece.text)
    assert found is not None, "python-dotenv took it for an assignment"
    comment = _comment(found["rest"])
    gap = found["gap"] if found["rest"].startswith("=") else ""
    return f"{found['lead']}{found['head']}{gap}={value}{comment}{found['end']}"


def _comment(rest: str) -> str:
    """What stands behind the value, blanks included; `rest` begins with `=` or is a bare name's comment."""
    value = rest[1:].lstrip(" \t\f\v") if rest.startswith("=") else rest
    if value.startswith("#") and (not rest.startswith("=") or len(value) < len(rest) - 1):
        return f" {value}"  # no value at all: the comment needs a blank before it now
    if not rest.startswith("="):
        return f" {value.lstrip()}" if value.strip() else value
    if quoted := _QUOTED.match(value):
        behind = value[quoted.end() :]
        return f" {behind}" if behind.startswith("#") else behind
    found = re.search(r"\s+#.*|\s+\Z", value)
    return found.group() if found else ""


def _without(piece: _Piece, *, keep_comment: bool) -> str:
    """What is left of a line that goes: the blank lines before it, and where that is wanted its comment."""
    found = _PIECE.fullmatch(piece.text)
    assert found is not None, "python-dotenv took it for an assignment"
    blank_lines = re.match(r"(?:[^\S\r\n]*(?:\r\n|\r|\n))*", found["lead"])
    assert blank_lines is not None
    comment = _comment(found["rest"]).strip() if keep_comment else ""
    return blank_lines.group() + (comment + found["end"] if comment else "")


def _appended(text: str, line: str) -> str:
    end = _newline(text)
    bare = text.removeprefix(BOM)
    closed = not bare or bare.endswith(("\n", "\r"))
    before = text if closed else text + end
    if _continues(before):
        before += end  # an empty line ends what the backslash would go on with
    return f"{before}{line}{end}"


def _newline(text: str) -> str:
    """How most lines of the text end."""
    crlf, lf = text.count("\r\n"), text.count("\n")
    if crlf * 2 > lf:
        return "\r\n"
    return "\r" if lf == 0 and "\r" in text else "\n"


def _belongs_to_another(before: str) -> bool:
    """Whether others read the next line as part of a value: systemd and shells behind a backslash, node in backticks."""
    opened = [found[1] for found in re.finditer(r"=[^\S\r\n]*`[^`]*(`|\Z)", before)]
    return _continues(before) or (bool(opened) and opened[-1] == "")


def _continues(before: str) -> bool:
    """Whether the line before ends in a backslash that is not escaped itself: systemd and shells read on."""
    last = re.search(r"(\\+)(?:\r\n|\n|\r)\Z", before)
    return last is not None and len(last[1]) % 2 == 1
