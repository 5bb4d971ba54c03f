"""Values in generated files: whatever stands in a path or a name is text there and nothing else."""

from __future__ import annotations

import json
import re
from typing import Final

from keyadmin.model.problem import usage

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What YAML 1.1 takes for the end of a line beside "\n", or does not take at all.
_NOT_IN_BLOCKS: Final = re.compile(r"[^\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def unit_word(text: str) -> str:
    """A word of a command in a systemd unit (`ExecStart=`). Raises usage() for control characters.

    Specifiers (%), variables ($), quotes and backslashes: systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting".
    """
    quoted = unit_path(text).replace("$", "$$")
    return quoted[1:-1] if re.fullmatch(r'"[\w./+:%=,@-]+"', quoted) else quoted


def unit_path(text: str) -> str:
    """A path in a systemd unit (`ReadWritePaths=`), where variables are not expanded. Raises usage() for control characters."""
    if _CONTROL.search(text):
        raise usage(f"{text!r} has a control character, which a unit file cannot hold", "rename it")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def one_line(text: str) -> str:
    """Text in a comment of a script or a crontab. Raises usage() for control characters: it would go on as a command."""
    if _CONTROL.search(text):
        raise usage(f"{text!r} has a control character, which a script cannot hold", "rename it")
    return text


def yaml_text(text: str, indent: int) -> str:
    """A text of several lines as the value of a YAML key: a block where every reader takes the same from it, else quoted."""
    lines = text.replace("\r\n", "\n")
    if _NOT_IN_BLOCKS.search(lines):
        return json.dumps(lines)
    space = " " * indent
    block = "\n".join(f"{space}{line}" if line else "" for line in lines.removesuffix("\n").split("\n"))
    return f"|2\n{block}"
