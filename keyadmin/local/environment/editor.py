"""The one editor of start-up files: a lone line at top level is replaced as it stands, anything else gets a block at the end.

The shell's own parser has the last word: it says where top level is, and no text is written that it does not take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from keyadmin.local.environment.checker import Checker
from keyadmin.local.environment.dialects import Dialect
from keyadmin.local.environment.masks import Masked, unquoted
from keyadmin.local.environment.mentions import HINT, Ending, Mention, block, endings, find, in_function
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString, redact

How = Literal["nothing", "line", "block"]
_MOST_SAID: Final = 5
_WAITS: Final = re.compile(r"(?:&&|\|\||\||\|&|\b(?:coproc|time|noglob|nocorrect|not|function[ \t]+\S+)|(?:^|[ \t;])!)$")
_OPEN: Final = re.compile(  # PowerShell: what goes on in the next line
    r"(?:[`|=,+\-*/%&({\[!.]|(?<!\w)-(?:and|or|xor|not|[ci]?(?:eq|ne|gt|lt|ge|le|like|notlike|match|notmatch|contains|notcontains|in|"
    r"notin|replace|split)|join|f|is|isnot|as|band|bor|bxor|bnot|shl|shr)"
    r"|\b(?:else|do|try|finally|return|throw|trap|function[ \t]+\S+))$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Edit:
    """What a file would hold. `how`: nothing to change, lines alone, or a block at the end; `notes` = what to know."""

    text: str
    how: How
    notes: tuple[str, ...] = ()


class Editor:
    """One variable in one start-up file. `checker` None = a shell without a parser to ask (PowerShell)."""

    def __init__(self, text: str, name: str, dialect: Dialect, checker: Checker | None, where: str) -> None:
        self._text = text
        self._name = name
        self._dialect = dialect
        self._checker = checker
        self._where = where
        self._complaint = checker.complaint(text) if checker is not None else ""
        self._masked = self._mask(text)
        self.found = find(text, self._masked, dialect, name)
        self._lone = [each for each in self.found if each.kind != "other" and self._at_top(each)]
        self._others = [each for each in self.found if each not in self._lone]

    def set(self, value: KeyString) -> Edit:
        """The variable set. Raises Problem where the file cannot be changed without risk."""
        self._refuse_read_only()
        if self._checker is None:
            self._refuse_others()
        line = self._dialect.set_line(self._name, value.reveal())
        new = self._replaced(line, blocks=True)
        if self.found and self.found[-1] in self._lone and not self._refused(new):
            return Edit(new, "nothing" if new == self._text else "line", tuple(self._said(new)))
        new = self._replaced(line, blocks=False)
        return self._with_block(line, new if not self._refused(new) else self._text)

    def unset(self) -> Edit:
        """The variable taken away. Raises Problem as `set` does."""
        self._refuse_read_only()
        if self._checker is None:
            self._refuse_others()
        others = [each for each in self._others if each.sets]
        line = self._dialect.unset_line(self._name)
        if others:
            standing = self.found[-1] if self.found[-1].kind == "block" and not self.found[-1].sets else None
            if standing is not None and not any(each.sets for each in self._lone):
                return Edit(self._text, "nothing", tuple(self._said(self._text)))
            return self._with_block(line, self._without_lone())
        new = self._without_lone()
        if new == self._text or not self._refused(new):
            return Edit(new, "nothing" if new == self._text else "line")
        return self._with_block(line, self._text)

    def _mask(self, text: str) -> Masked:
        masked = self._dialect.mask(text)
        understood = masked.closed or self._checker is None or bool(self._complaint)
        return masked if understood else unquoted(text)

    def ensure(self, line: str, hint: str) -> Edit:
        """A line that is not about a variable, in a marked block at the end; nothing where the file has it. Raises Problem."""
        if line in (each.strip() for each in self._masked.code.splitlines()):
            return Edit(self._text, "nothing")
        edit = self._with_block(line, self._text, hint)
        return Edit(edit.text, edit.how)

    def _at_top(self, mention: Mention) -> bool:
        """Whether lines are commands of their own, run whenever the file is, whatever stands around them."""
        before = self._text[: mention.start]
        if _backslash(self._masked.code[: mention.start]) or _waits(before):
            return False
        if self._checker is None:
            depth = self._masked.depths[mention.line - 1] if mention.line <= len(self._masked.depths) else 1
            return depth == 0 and self._masked.closed and not _OPEN.search(self._masked.code[: mention.start].rstrip())
        if self._complaint:
            return mention.kind == "block"
        own = self._text[mention.start : mention.end]
        return self._checker.top_level_after(before) and not self._checker.complaint(own)

    def _replaced(self, line: str, *, blocks: bool) -> str:
        """The text with its lone lines holding the new value, and so its blocks; without `blocks` these are gone."""
        out, at = [], 0
        for each in self._lone:
            old = self._text[each.start : each.end]
            new = (
                self._line(old, line)
                if each.kind == "lone"
                else block(self._name, line, _newline(old), self._dialect)
                if blocks
                else ""
            )
            if new and not old.endswith("\n"):
                new = new.removesuffix(_newline(old))
            out += [self._text[at : each.start], new]
            at = each.end
        return "".join((*out, self._text[at:]))

    def _line(self, old: str, line: str) -> str:
        """A lone line with another value: what stands before the value stays where it exports, and so does a comment."""
        for pattern in self._dialect.lone:
            found = self._dialect.compiled(pattern, self._name).match(old)
            if found is not None:
                break
        else:
            raise AssertionError("a lone line was found by one of the patterns")
        lead = found["lead"]
        indent = lead[: len(lead) - len(lead.lstrip())]
        words = lead.split()
        if words[:1] in (["declare"], ["typeset"]) or words in (["set", "-gx"], ["set", "-xg"]):
            line = f"{lead.strip()} {line.split(' ', 2)[2] if words[0] == 'set' else line.split(' ', 1)[1]}"
        end = re.search(r"\r?\n?\Z", old)
        assert end is not None
        comment = found["comment"] or (self._dialect.crlf_guard if end.group().startswith("\r") else "")
        return f"{indent}{line}{found['semicolon']}{comment}{end.group()}"

    def _without_lone(self) -> str:
        """The text without its lone lines and blocks."""
        out, at = [], 0
        for each in self._lone:
            out.append(self._text[at : each.start])
            at = each.end
        return "".join((*out, self._text[at:]))

    def _with_block(self, line: str, kept: str, hint: str = HINT) -> Edit:
        """A block at the end of what is kept of the file. Raises Problem where the end is not top level."""
        newline = _newline(kept)
        start = kept if not kept or kept.endswith("\n") else kept + newline
        if kept != start and kept.endswith("\\") and self._mask(kept).code.endswith("\\"):
            raise self._problem("its last line ends in a backslash and no newline", f"end the last line of {self._where}")
        if _backslash(self._mask(start).code):
            start += newline  # an empty line ends what the backslash would go on with
        if _waits(start):
            raise self._problem("its last line waits for a command", f"complete the last line of {self._where}")
        if self._checker is not None and not self._complaint and not self._checker.top_level_after(start):
            why = "its end is inside something that is not closed (a here-document, a loop)"
            raise self._problem(why, f"close it in {self._where}")
        if self._checker is None and (not self._masked.closed or _OPEN.search(self._mask(start).code.rstrip())):
            raise self._problem(
                "keyadmin cannot tell where its strings and brackets end", f"write into {self._where}: {self._hint()}"
            )
        new = start + block(self._name, line, newline, self._dialect, hint)
        if self._refused(new):
            raise self._problem(f"the shell would not take the result: {redact(self._refused(new))}", f"look at {self._where}")
        return Edit(new, "nothing" if new == self._text else "block", tuple(self._said(new)))

    def _refused(self, new: str) -> str:
        """The shell's complaint about a text, where it had none about the file as it was."""
        return "" if self._checker is None or self._complaint else self._checker.complaint(new)

    def _said(self, new: str) -> list[str]:
        """Why there is a block, what else sets the variable and which one wins, and what may end the file before."""
        masked = self._mask(new)
        found = find(new, masked, self._dialect, self._name)
        if not found:
            return []
        out, counts = [], found[-1]
        if self._checker is not None and self._complaint:
            refused = f"does not accept the file as it was ({redact(self._complaint)})"
            why = refused if self._checker.program is not None else "is not installed and cannot check the file"
            out.append(f"{self._checker.shell} {why}: only the marked block of lines was written, no other line was changed")
        if counts.kind == "block":
            does = "sets it" if counts.sets else "unsets it"
            out.append(f"a block of lines marked keyadmin {does}, at the end of {self._where} (line {counts.line})")
        others = [each for each in found[:-1] if each.value is None or each.value != counts.value]
        out += [self._rival(masked, each, counts) for each in others[:_MOST_SAID]]
        if len(others) > _MOST_SAID:
            out.append(f"{len(others) - _MOST_SAID} more lines set it; line {counts.line} comes last and wins")
        before = [each for each in endings(masked, self._dialect) if each.line < counts.line]
        return out + [self._may_end(each, counts) for each in before[:_MOST_SAID]]

    def _rival(self, masked: Masked, each: Mention, counts: Mention) -> str:
        does = ("sets it too" if counts.sets else "still sets it") if each.sets else "takes it away"
        if in_function(masked, each):
            return f"line {each.line} of {self._where} {does} whenever its function is called"
        return f"line {each.line} of {self._where} {does}; line {counts.line} comes later and wins"

    def _may_end(self, each: Ending, counts: Mention) -> str:
        return f"line {each.line} of {self._where} ({each.word}) may end the file before line {counts.line} is reached"

    def _refuse_read_only(self) -> None:
        found = self._dialect.compiled(self._dialect.read_only, self._name).search(self._masked.bare)
        if found is not None:
            line = self._masked.bare.count("\n", 0, found.start()) + 1
            raise self._problem(
                f"line {line} makes {self._name} read-only, so that no other line can set it", f"change line {line} yourself"
            )

    def _refuse_others(self) -> None:
        if self._others:
            lines = ", ".join(str(each.line) for each in self._others[:_MOST_SAID])
            why = f"{self._name} is in line {lines} in a form that keyadmin does not change"
            raise self._problem(why, f"change it yourself: {self._hint()}")

    def _hint(self) -> str:
        return self._dialect.set_line(self._name, "YOUR_KEY")

    def _problem(self, why: str, fix: str) -> Problem:
        return Problem(Cause.INVALID_ARGUMENT, f"{self._where} was not changed: {why}", fix=(fix,))


def _newline(text: str) -> str:
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def _backslash(before: str) -> bool:
    """Whether the last line goes on in the next one."""
    found = re.search(r"(\\+)\r?\n\Z", before)
    return found is not None and len(found[1]) % 2 == 1


def _waits(before: str) -> bool:
    """Whether the last command waits for another one: some parsers take the end of a file for it."""
    for line in reversed(before.splitlines()):
        code = line.strip()
        if code and not code.startswith("#"):
            return _WAITS.search(code) is not None
    return False
