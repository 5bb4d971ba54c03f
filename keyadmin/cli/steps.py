"""Steps of advice in a terminal: commands so that they can be pasted, what is said of them below, both within its width."""

from __future__ import annotations

import re
from typing import Final

from keyadmin.cli.text import command_lines, folded

_SAID: Final = "    # "  # between a command and what it does
_RUNS: Final = re.compile(r"(?P<who>[^`]{0,100}?:) (?P<command>(?:gcloud|keyadmin|firebase|kubectl) .*)")
_INDENT: Final = " " * 5


def step_lines(number: int, step: str, width: int | None) -> list[str]:
    """A step, numbered; one line where `width` is None."""
    head = f"  {number}. "
    if width is None or len(head) + len(step) <= width:
        return [f"{head}{step}"]
    command, said, words = step.partition(_SAID)
    if said:
        return [*_command(head, command, width), *folded(f"# {words}", width, _INDENT + "  ")]
    if runs := _RUNS.fullmatch(step):
        return [f"{head}{runs['who']}", *_command(_INDENT, runs["command"], width)]
    first, *rest = folded(step, width, _INDENT)
    return [head + first.removeprefix(_INDENT), *rest]


def _command(head: str, command: str, width: int) -> list[str]:
    first, *rest = command_lines(command, width, _INDENT)
    return [head + first, *rest]
