"""Where a start-up file sets a variable, takes it away, or may end before it does."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final, Literal

from keyadmin.local.environment.dialects import Dialect
from keyadmin.local.environment.masks import Masked

Kind = Literal["lone", "block", "other"]
_LONG_LINE: Final = 4096  # characters; a longer line with the name in it counts as one that sets it
_FUNCTION: Final = re.compile(r"^[ \t]*(?:function[ \t]+[^\s(){};]+|[^\s(){};$=]+[ \t]*\(\))", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that sets the variable: its offsets in the text (whole lines for `lone` and `block`), its line from 1.

    `value` where it can be read off the text, `sets` False where the place takes the variable away.
    """

    kind: Kind
    start: int
    end: int
    line: int
    value: str | None = None
    sets: bool = True


@dataclass(frozen=True, slots=True)
class Ending:
    """A word that may end the file early (return, exit, exec), at a line."""

    word: str
    line: int


HINT: Final = "# Written by keyadmin env set; keyadmin env unset takes it away."


def block(name: str, line: str, newline: str, dialect: Dialect, hint: str = HINT) -> str:
    """A marked block around one line, which sets the variable or takes it away; `name` is told in its marks."""
    guard = dialect.crlf_guard if newline == "\r\n" else ""
    return newline.join((_begin(name), hint, line + guard, _end(name), ""))


def _begin(name: str) -> str:
    return f"# >>> keyadmin {name} >>>"


def _end(name: str) -> str:
    return f"# <<< keyadmin {name} <<<"


def find(text: str, masked: Masked, dialect: Dialect, name: str) -> list[Mention]:
    """All places that set the variable or take it away, in their order."""
    found = _blocks(text, masked, dialect, name)
    found += [each for each in _lone(text, masked, dialect, name) if not _inside(each, found)]
    found += [each for each in _others(text, masked, dialect, name) if not _inside(each, found)]
    return sorted(found, key=lambda each: each.start)


def endings(masked: Masked, dialect: Dialect) -> list[Ending]:
    """What may end the file early, functions left out."""
    inside = _functions(masked)
    return [
        Ending(each["word"], _line(masked.bare, each.start("word")))
        for each in dialect.compiled(dialect.ends, "").finditer(masked.bare)
        if not any(start <= each.start("word") < end for start, end in inside)
    ]


def in_function(masked: Masked, mention: Mention) -> bool:
    """Whether the place is in the body of a function, which runs only when it is called."""
    return any(start <= mention.start < end for start, end in _functions(masked))


def literal(text: str) -> str | None:
    """The value of a word, None where the shell would have to work it out."""
    if re.search(r"[$`(]", re.sub(r"'[^']*'", "", text)):
        return None
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    return words[0] if len(words) == 1 else None if words else ""


def _blocks(text: str, masked: Masked, dialect: Dialect, name: str) -> list[Mention]:
    sets = re.escape(dialect.set_line(name, "VALUE")).replace("VALUE", r"(?P<value>[^'\n]*)")
    whole = re.compile(
        rf"^{re.escape(_begin(name))}\r?\n#[^\n]*\n(?P<body>{sets}|{re.escape(dialect.unset_line(name))})(?: #)?\r?\n"
        rf"{re.escape(_end(name))}[ \t]*\r?(?:\n|\Z)",
        re.MULTILINE,
    )
    out = []
    for each in whole.finditer(text):
        start = each.start("body")
        if masked.bare[start : start + 3] == text[start : start + 3]:  # else in a here-document or a quoted text
            value = each["value"]
            out.append(Mention("block", each.start(), each.end(), _line(text, start), value, sets=value is not None))
    return out


def _lone(text: str, masked: Masked, dialect: Dialect, name: str) -> list[Mention]:
    out: list[Mention] = []
    for pattern in dialect.lone:
        for each in dialect.compiled(pattern, name).finditer(text):
            end = each.end() + 1 if each.end() < len(text) else each.end()
            head = slice(each.start(), each.start("value"))
            if masked.bare[head] == text[head] and not re.search(dialect.after, _next(text, end), re.MULTILINE):
                mention = Mention("lone", each.start(), end, _line(text, each.start()), literal(each["value"].strip()))
                out += [] if _inside(mention, out) else [mention]
    return out


def _found(view: str, pattern: re.Pattern[str], name: str) -> list[int]:
    """Where a pattern matches, in lines that have the name alone: nobody waits for lines that were made to be slow."""
    out, at = [], 0
    for line in view.split("\n"):
        if name.casefold() in line.casefold():
            if len(line) > _LONG_LINE:
                out.append(at + line.casefold().index(name.casefold()))
            else:
                out += [at + each.end() - 1 for each in pattern.finditer(line)]
        at += len(line) + 1
    return out


def _next(text: str, at: int) -> str:
    """The next line that is more than a comment."""
    for line in text[at:].splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return line
    return ""


def _others(text: str, masked: Masked, dialect: Dialect, name: str) -> list[Mention]:
    patterns = [dialect.compiled(pattern, name) for pattern in dialect.other]
    views = [masked.bare, masked.code] if dialect.flags else [masked.bare]  # PowerShell: a name in a string may be what is set
    places = [place for view in views for pattern in patterns for place in _found(view, pattern, name)]
    loud = _found(masked.code, dialect.compiled(dialect.loud, name), name)
    places += [place for place in loud if masked.bare[place] != masked.code[place]]  # quoted behind eval, export and the like
    out: dict[int, Mention] = {}
    for place in places:
        start = text.rfind("\n", 0, place) + 1
        stop = text.find("\n", place)
        end = len(text) if stop < 0 else stop + 1
        line = _line(text, place)
        taken = re.search(
            rf"\b(?:unset|export[ \t]+-n|set[ \t]+(?:-\w*e\w*|--erase)|Remove-Item)\b[^;&|\n]*{name}", masked.bare[start:end]
        )
        out.setdefault(line, Mention("other", start, end, line, sets=taken is None))
    return list(out.values())


def _inside(mention: Mention, found: list[Mention]) -> bool:
    return any(each.start <= mention.start < each.end for each in found)


def _functions(masked: Masked) -> list[tuple[int, int]]:
    """Where the bodies of functions stand, as far as braces (posix) or `end` (fish) tell."""
    out: list[tuple[int, int]] = []
    for each in _FUNCTION.finditer(masked.bare):
        if out and each.start() < out[-1][1]:
            continue
        brace = re.compile(r"\s*[{(]").match(masked.bare, each.end())
        end = _closed(masked.bare, brace.end() - 1) if brace else _fish_end(masked.bare, each.end())
        out.append((each.start(), end))
    return out


def _closed(text: str, at: int) -> int:
    opening = text[at]
    closing = "}" if opening == "{" else ")"
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] == opening) - (text[place] == closing)
        if depth == 0:
            return place
    return len(text)


def _fish_end(text: str, at: int) -> int:
    depth = 1
    words = r"(?:^|[;&|(]|\b(?:and|or|not|else)\b)[ \t]*(?P<word>function|begin|if|while|for|switch|end)\b"
    for each in re.compile(words, re.MULTILINE).finditer(text, at):
        depth += -1 if each["word"] == "end" else 1
        if depth == 0:
            return each.start()
    return len(text)


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
