"""How each shell sets a variable: the lines that can be replaced as they stand, what else sets it, what is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from keyadmin.local.environment import masks

Syntax = Literal["posix", "fish", "powershell", "dotenv"]

_COMMENT: Final = r"(?P<comment>[ \t]+#[^\r\n]*)?"
_END: Final = r"[ \t]*(?P<semicolon>;?)" + _COMMENT + r"[ \t]*\r?$"

# One word without anything that runs, changes another variable or goes on in the next line. A substitution is taken only
# behind `export`, which makes nothing of its exit status.
_INNER: Final = r"(?:[^()`\n#\\'\"<>;&]|'[^'\n]*'|\"[^\"`\\\n()]*\"|<(?!<)|2>[ \t]*/dev/null)*"
_POSIX_VARIABLE: Final = r"\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*(?::?[-+][^}\"'`$\\\n]*)?\}"
_POSIX_PLAIN: Final = r"'[^'\n]*'|\$'(?:\\.|[^'\\\n])*'|\\[^\n\r]|[^\s'\"\\`$;&|<>()#{}*?\[\]!~]"
_POSIX_QUOTED: Final = rf"\"(?:\\[^\n\r]|{_POSIX_VARIABLE}|[^\"\\`$\n])*\""
_POSIX_RUN: Final = rf"\$\((?!\(){_INNER}\)|`[^`\\\n]*`"
_POSIX_RUN_QUOTED: Final = rf"\"(?:\\[^\n\r]|{_POSIX_VARIABLE}|{_POSIX_RUN}|[^\"\\`$\n])*\""

_FISH_VARIABLE: Final = r"\$[A-Za-z_]\w*"
_FISH_RUN: Final = rf"\$?\({_INNER}\)"
_FISH_WORD: Final = (
    rf"(?:'(?:\\.|[^'\\\n])*'|\"(?:\\.|{_FISH_VARIABLE}|[^\"\\$\n])*\"|{_FISH_VARIABLE}|{_FISH_RUN}"
    r"|[^\s'\"\\$;&|<>()#*?{}\[\]^])+"
)
_HERE: Final = r"(?:^|[;&|(){}!`]|\b(?:then|else|elif|do|if|while|until|time|and|or|not|begin)\b|&&|\|\|)[ \t]*"


@dataclass(frozen=True)
class Dialect:
    """The forms of a shell. Patterns are templates in which NAME stands for the variable."""

    mask: Callable[[str], masks.Masked]
    lone: tuple[str, ...]
    other: tuple[str, ...]
    loud: str
    """Words behind which a quoted text may be an assignment too (eval, export)."""
    set_line: Callable[[str, str], str]
    unset_line: Callable[[str], str]
    after: str
    """What in the next line would see that a line was replaced or taken out: its exit status."""
    ends: str
    """What ends the file early, or keeps this shell from going on."""
    read_only: str = r"(?!)"
    crlf_guard: str = " #"
    """What ends a line that is written before a carriage return, which would be part of the value else."""
    flags: int = 0
    """Of `re`: names of PowerShell are the same in any case."""

    def compiled(self, pattern: str, name: str) -> re.Pattern[str]:
        """A template for one variable."""
        return re.compile(pattern.replace("NAME", name), re.MULTILINE | self.flags)


def posix_quoted(text: str) -> str:
    """One word of bash, zsh and sh, whatever it consists of (a newline and NUL excepted: ValueError)."""
    return "'" + _one_line(text).replace("'", "'\\''") + "'"


def fish_quoted(text: str) -> str:
    """One word of fish."""
    return "'" + _one_line(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def powershell_quoted(text: str) -> str:
    """One string of PowerShell, which takes typographic quotes for quotes too."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", _one_line(text)) + "'"


def _one_line(text: str) -> str:
    if re.search(r"[\r\n\x00]", text):
        raise ValueError("a value of a start-up file is one line")
    return text


_STATUS: Final = r"\$\?|\$\{\?|\bPIPESTATUS\b|\bpipestatus\b|\$status\b|\$_\b|\$\{_\}"
_POSIX: Final = Dialect(
    mask=masks.posix,
    lone=(
        rf"^(?P<lead>[ \t]*(?:export|(?:declare|typeset)[ \t]+-(?:g?x|xg))[ \t]+)NAME="
        rf"(?P<value>(?:{_POSIX_PLAIN}|{_POSIX_VARIABLE}|{_POSIX_RUN}|{_POSIX_RUN_QUOTED})*){_END}",
        rf"^(?P<lead>[ \t]*)NAME=(?P<value>(?:{_POSIX_PLAIN}|{_POSIX_VARIABLE}|{_POSIX_QUOTED})*){_END}",
    ),
    other=(
        # at the begin of a command, perhaps behind other assignments; NAME=x COMMAND sets it for the command alone
        rf"{_HERE}(?:(?:builtin|command)[ \t]+)?(?P<declared>(?:export|declare|typeset|local|readonly|integer)\b[ \t]+"
        r"(?:[^;&|\n]*[ \t])?)?(?:[A-Za-z_]\w*\+?=\S*[ \t]+)*NAME(?:\[[^\]]*\])?\+?="
        r"(?(declared)|(?!\S*[ \t]+(?![A-Za-z_]\w*\+?=)[^\s;&|)}#]))",
        rf"{_HERE}(?:(?:builtin|command)[ \t]+)?(?:unset|readonly|local|read|getopts|mapfile|readarray|vared|"
        r"unsetenv|export[ \t]+-n|(?:declare|typeset)[ \t]+\+x)\b[^;&|\n]*[ \t]NAME(?![\w=])",  # `export NAME` sets no value
        r"\bprintf[ \t]+-v[ \t]*NAME\b|\bfor[ \t]+NAME\b|\bselect[ \t]+NAME\b|\$\{NAME:?=|\bforeach[ \t]+NAME\b",
    ),
    loud=r"\b(?:eval|export|declare|typeset|readonly|local|unset|trap|printf)\b[^\n]*(?<![\w${])NAME\b",
    set_line=lambda name, value: f"export {name}={posix_quoted(value)}",
    unset_line=lambda name: f"unset {name}",
    after=_STATUS,
    ends=rf"{_HERE}(?P<word>return|exit|exec)\b(?![ \t]*[0-9]*[<>])",
    read_only=r"^[ \t]*(?:readonly|(?:declare|typeset)[ \t]+-\w*r\w*)[ \t][^;&|\n]*\bNAME\b",
)
_FISH: Final = Dialect(
    mask=masks.fish,
    lone=(
        rf"^(?P<lead>[ \t]*set[ \t]+(?:(?:-[gxU]+|--global|--export|--universal)[ \t]+)*)NAME"
        rf"(?P<value>(?:[ \t]+{_FISH_WORD})+){_END}",
        rf"^(?P<lead>[ \t]*export[ \t]+)NAME=(?P<value>{_FISH_WORD}){_END}",
    ),
    other=(
        rf"{_HERE}(?:(?:builtin|command)[ \t]+)?set[ \t]+(?!(?:-\S+[ \t]+)*(?:-[a-zA-Z]*[qSn]|--query|--show|--names))"
        r"(?:-\S+[ \t]+)*NAME\b",
        rf"{_HERE}(?:builtin[ \t]+)?(?:read|export|set_universal|getopts|argparse)\b[^;&|\n]*[ \t]NAME(?!\w)",
        r"\bfor[ \t]+NAME[ \t]+in\b",
    ),
    loud=r"\b(?:eval|export)\b[^\n]*(?<![\w${])NAME\b",
    set_line=lambda name, value: f"set -gx {name} {fish_quoted(value)}",
    unset_line=lambda name: f"set -e {name}; set -eg {name}",  # a loop variable of the name may hide the global one
    after=rf"{_STATUS}|^[ \t]*(?:and|or)\b",
    ends=rf"{_HERE}(?P<word>return|exit|exec)\b",
)
_POWERSHELL: Final = Dialect(
    mask=masks.powershell,
    lone=(
        rf"^(?P<lead>[ \t]*)\$env:NAME[ \t]*=[ \t]*(?P<value>'(?:[^'\u2018-\u201b\n]|'')*'|\"[^\"$`\u201c-\u201e\n]*\"){_END}",
    ),
    other=(r"(?<!\$env:)(?<!\$\{env:)\bNAME\b|\bNAME\b\}?[ \t]*(?:[-+*/%]|\?\?)?=(?!=)",),
    loud=r"(?!)",
    set_line=lambda name, value: f"$env:{name} = {powershell_quoted(value)}",
    unset_line=lambda name: f"Remove-Item Env:{name} -ErrorAction SilentlyContinue",
    after=r"^[ \t]*(?:\||\.|&&|\|\|)|\$\?",
    ends=r"^[ \t]*(?P<word>return|exit)\b",
    crlf_guard="",  # carriage returns are line ends there
    flags=re.IGNORECASE,
)
DIALECTS: Final[dict[Syntax, Dialect]] = {"posix": _POSIX, "fish": _FISH, "powershell": _POWERSHELL}
