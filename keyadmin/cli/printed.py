"""The last look at what is printed: every command in it that is keyadmin's own carries this run's program and global options.

Commands that are put together by `model.command_line.typed` have them already. Those in prose (causes, rules, notes) get them
here, behind the command's name, by the command table: wherever a text comes from, what it says to type goes to the same cloud.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from keyadmin.model.command_line import PROGRAM, called_as
from keyadmin.model.lazy import MadeLater

FIELDS: Final = frozenset({"fix", "commands", "message", "detail", "explanation", "waysOut", "notes"})
"""The fields of JSON documents that hold advice."""


def complete(text: str) -> str:
    """The same text; its commands complete."""
    invocation = called_as()
    if (not invocation.options and invocation.program == PROGRAM) or PROGRAM not in text:
        return text
    options = " ".join(map(shlex.quote, invocation.options))
    if options in text and invocation.program in text and text.count(PROGRAM) == 1:
        return text  # put together by `typed`: the rule, in reports of thousands of findings

    def put(found: re.Match[str]) -> str:
        rest = text[found.end() : _end(text, found.end())]
        more = f" {options}" if options and options not in rest else ""
        whole = f"{text[: found.start()]}{PROGRAM}".endswith(invocation.program)  # `python -m keyadmin` is there already
        return f"{PROGRAM if whole else invocation.program} {found[1]}{more}"

    return _commands().sub(put, text)


def complete_data(data: Any) -> Any:
    """JSON-like data, its advice complete."""
    invocation = called_as()
    if not invocation.options and invocation.program == PROGRAM:
        return data
    return _deep(data, advice=False)


def _deep(data: Any, *, advice: bool) -> Any:
    if isinstance(data, dict):
        return {name: _deep(value, advice=name in FIELDS) for name, value in data.items()}
    if isinstance(data, MadeLater):
        return MadeLater(data, lambda value: _deep(value, advice=advice))
    if isinstance(data, list):
        return [_deep(value, advice=advice) for value in data]
    return complete(data) if advice and isinstance(data, str) else data


def _end(text: str, start: int) -> int:
    """Where the next command begins, or the line ends."""
    ends = [place for place in (text.find("\n", start), text.find(f"{PROGRAM} ", start)) if place >= 0]
    return min(ends, default=len(text))


@cache
def _commands() -> re.Pattern[str]:
    """`keyadmin` behind nothing that makes it a part of a path, and a command of the table."""
    paths = sorted(command_paths(), key=len, reverse=True)
    return re.compile(rf"(?<![\w./-]){PROGRAM} ({'|'.join(map(re.escape, paths))})(?![\w-])")


@cache
def command_paths() -> tuple[str, ...]:
    """Every command of the table: `doctor`, `keys list`."""
    out: list[str] = []
    for name, target in _targets.items():
        module, _, attribute = target.partition(":")
        if attribute == "GROUP":
            group = getattr(import_module(module), attribute)
            out += [f"{name} {command}" for command in group.entries]
        if attribute != "GROUP" or group.own is not None:
            out.append(name)
    return tuple(out)


_targets: dict[str, str] = {}


def use_table(targets: Mapping[str, str]) -> None:
    """The root of the command table, `{name: module:attribute}`: told by the one who has it."""
    _targets.clear()
    _targets.update(targets)
    command_paths.cache_clear()
    _commands.cache_clear()
