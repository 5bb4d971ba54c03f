"""What of a start-up file is code: comments, here-documents and quoted words blanked, every character in its place.

This only finds lines to look at and to tell of. Whether a line stands at top level is asked of the shell itself (checker.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

BLANK: Final = " "
_NEAR: Final = 200  # characters of a line in which the begin of an arithmetic expression is looked for
QUOTED: Final = "\x01"  # is no blank, no letter and no operator


@dataclass(frozen=True, slots=True)
class Masked:
    """Two views of a text, of its length: `code` without comments and here-documents, `bare` without quoted characters too.

    `closed` = all quotes, here-documents and (PowerShell) brackets are closed at the end. `depths` = the bracket depth at the
    begin of each line, in PowerShell.
    """

    code: str
    bare: str
    closed: bool
    depths: tuple[int, ...] = ()


class _Scanner:
    """Walks over a text once and writes down both views."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.code = list(text)
        self.bare = list(text)

    def blank(self, end: int) -> None:
        """A comment or a here-document up to `end`."""
        for place in range(self.at, min(end, len(self.text))):
            if self.text[place] not in "\r\n":
                self.code[place] = self.bare[place] = BLANK
        self.at = end

    def quote(self, end: int) -> None:
        """Quoted characters up to `end`."""
        for place in range(self.at, min(end, len(self.text))):
            self.bare[place] = QUOTED if self.text[place] != "\n" else "\n"
        self.at = end

    def masked(self, closed: bool, depths: tuple[int, ...] = ()) -> Masked:
        return Masked("".join(self.code), "".join(self.bare), closed, depths)

    def line_end(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def word_begins(self, before: str) -> bool:
        return self.at == 0 or self.text[self.at - 1] in before


class _Posix(_Scanner):
    """bash, zsh, sh. `nest` = what is open: `"`, `(` of a substitution, `{` of a parameter, `` ` ``."""

    HERE: Final = re.compile(r"<<(?P<tabs>-?)[ \t]*(?P<word>(?:'[^'\n]*'|\"[^\"\n]*\"|\\.|[^\s;&|<>()'\"\\])+)")

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.nest: list[str] = []
        self.here: list[tuple[str, bool]] = []
        self.unclosed = False

    def run(self) -> Masked:
        while self.at < len(self.text):
            if self.nest and self.nest[-1] == '"':
                self.in_quotes()
            else:
                self.in_code()
        return self.masked(not self.nest and not self.unclosed and not self.here)

    def in_quotes(self) -> None:
        character = self.text[self.at]
        if character == "\\":
            self.quote(self.at + 2)
        elif character == '"':
            self.nest.pop()
            self.quote(self.at + 1)
        elif not self.opened():
            self.quote(self.at + 1)

    def opened(self) -> bool:
        """Whether a substitution begins here; it is code again, also inside double quotes."""
        two = self.text[self.at : self.at + 2]
        if two in ("$(", "${"):
            self.nest.append(two[1])
            self.at += 2
        elif two[:1] == "`":
            if "`" in self.nest:
                while self.nest.pop() != "`":
                    pass
            else:
                self.nest.append("`")
            self.at += 1
        else:
            return False
        return True

    def in_code(self) -> None:
        character = self.text[self.at]
        if character == "\\":
            self.join() if self.text[self.at + 1 : self.at + 2] == "\n" else self.quote(self.at + 2)
        elif character == "'":
            ansi = self.at > 0 and self.text[self.at - 1] == "$"
            found = re.compile(r"'(?:\\.|[^'\\])*'" if ansi else r"'[^']*'", re.DOTALL).match(self.text, self.at)
            self.unclosed |= found is None
            self.quote(found.end() if found else len(self.text))
        elif character == '"':
            self.nest.append('"')
            self.quote(self.at + 1)
        elif character == "#" and "{" not in self.nest[-1:] and self.word_begins(" \t\n;&|()`"):
            self.blank(self.line_end())
        elif character == "\n":
            self.at += 1
            self.bodies()
        elif character == "<" and (found := self.HERE.match(self.text, self.at)) and not self.arithmetic():
            word = re.sub(r"['\"\\]", "", found["word"])
            self.here.append((word, bool(found["tabs"])))
            self.at = found.end()
        elif self.text.startswith("<<<", self.at):
            self.at += 3
        elif not self.opened():
            self.bracket(character)
            self.at += 1

    def join(self) -> None:
        """A line that goes on in the next one."""
        self.bare[self.at] = BLANK
        self.bare[self.at + 1] = BLANK
        self.at += 2

    def bracket(self, character: str) -> None:
        if not self.nest:
            return
        if character == "(" and self.nest[-1] == "(":
            self.nest.append("(")
        elif (self.nest[-1], character) in (("(", ")"), ("{", "}")):
            self.nest.pop()

    def arithmetic(self) -> bool:
        line = self.text[max(self.text.rfind("\n", 0, self.at) + 1, self.at - _NEAR) : self.at]
        return line.count("((") > line.count("))") or self.text.startswith("<<<", self.at)

    def bodies(self) -> None:
        """Here-documents begin at the end of the line that names them."""
        while self.here:
            word, tabs = self.here.pop(0)
            end = len(self.text)
            at = self.at
            while at < len(self.text):
                stop = self.text.find("\n", at)
                stop = len(self.text) if stop < 0 else stop
                line = self.text[at:stop].removesuffix("\r")
                if (line.lstrip("\t") if tabs else line) == word:
                    end = stop
                    break
                at = stop + 1
            else:
                self.unclosed = True
            self.blank(end)
            if self.here and self.at < len(self.text):
                self.at += 1


class _Fish(_Scanner):
    def run(self) -> Masked:
        closed = True
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "\\":
                if self.text[self.at + 1 : self.at + 2] == "\n":
                    self.bare[self.at] = self.bare[self.at + 1] = BLANK
                    self.at += 2
                else:
                    self.quote(self.at + 2)
            elif character in "'\"":
                found = re.compile(rf"{character}(?:\\.|[^{character}\\])*{character}", re.DOTALL).match(self.text, self.at)
                closed = closed and found is not None
                self.quote(found.end() if found else len(self.text))
            elif character == "#" and self.word_begins(" \t\n;&|()"):
                self.blank(self.line_end())
            else:
                self.at += 1
        return self.masked(closed)


class _PowerShell(_Scanner):
    STRINGS: Final = (
        re.compile(r"@'[ \t]*\r?\n(?:.*?\n)??'@", re.DOTALL),
        re.compile(r'@"[ \t]*\r?\n(?:.*?\n)??"@', re.DOTALL),
        re.compile(r"['\u2018\u2019\u201a\u201b](?:[^'\u2018\u2019\u201a\u201b]|['\u2018\u2019\u201a\u201b]{2})*"
                   r"['\u2018\u2019\u201a\u201b]"),
        re.compile(r'["\u201c\u201d\u201e](?:`.|""|[^"\u201c\u201d\u201e`])*["\u201c\u201d\u201e]', re.DOTALL),
    )  # fmt: skip

    def run(self) -> Masked:
        depth, certain = 0, True
        depths = [0]
        while self.at < len(self.text):
            character, before = self.text[self.at], self.at
            if self.text.startswith("<#", self.at):
                end = self.text.find("#>", self.at)
                certain &= end >= 0
                self.blank(len(self.text) if end < 0 else end + 2)
            elif character == "#" and self.word_begins(" \t\r\n;|(){},="):
                self.blank(self.line_end())
            elif character == "`":
                self.quote(self.at + 2)
            elif self.text.startswith(("@'", '@"'), self.at) or character in "'\"\u2018\u2019\u201a\u201b\u201c\u201d\u201e":
                found = next((match for each in self.STRINGS if (match := each.match(self.text, self.at))), None)
                if found is None or "$(" in found.group():  # code inside a string may hold quotes of its own
                    certain = False
                self.quote(found.end() if found else len(self.text))
            else:
                depth += (character in "({[") - (character in ")}]")
                certain &= depth >= 0
                self.at += 1
            depths += [depth] * self.text.count("\n", before, self.at)
        return self.masked(certain and depth == 0, tuple(depths))


def posix(text: str) -> Masked:
    """Of bash, zsh and sh."""
    return _Posix(text).run()


def unquoted(text: str) -> Masked:
    """Where the parser of a shell accepts what these scanners do not understand: everything is code but whole comment lines."""
    code = "\n".join(BLANK * len(line) if line.lstrip().startswith("#") else line for line in text.split("\n"))
    return Masked(code, code, closed=True)


def fish(text: str) -> Masked:
    """Of fish."""
    return _Fish(text).run()


def powershell(text: str) -> Masked:
    """Of PowerShell; `closed` also says that nothing was met which this cannot tell."""
    return _PowerShell(text).run()
