"""What is longer than the screen, through the person's pager."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from keyadmin.cli import streams
from keyadmin.cli.session import Session
from keyadmin.cli.text import terminal_rows
from keyadmin.local.subprocesses import environment

DEFAULT: Final = ("less", "-FRX")  # quits where all fits, shows colours, leaves the text on the screen


def show(session: Session, lines: Sequence[str]) -> None:
    """Lines to stdout; where they are more than a terminal holds, through the pager.

    `PAGER` names it (empty or `cat`: none), else `less`. There is none with `--quiet`, on a dumb terminal, where stdin or
    stdout is none, and where the program is not there.
    """
    text = "".join(f"{line}\n" for line in lines)
    command = _pager(session)
    size = shutil.get_terminal_size()
    if command is None or terminal_rows(lines, max(1, size.columns)) < size.lines:
        streams.write(text)
        return
    session.observer.finished()
    streams.flush()
    if not _piped(command, text):
        streams.write(text)


def _pager(session: Session) -> list[str] | None:
    """The program, by its place on the PATH, and its arguments. Its name comes from the user's own environment."""
    if session.settings.quiet or session.env.get("TERM") == "dumb" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    try:
        words = shlex.split(session.env["PAGER"]) if "PAGER" in session.env else [*DEFAULT]
    except ValueError:  # a quotation mark without its other half
        return None
    found = shutil.which(words[0]) if words and words[0] != "cat" else None
    return None if found is None else [found, *words[1:]]


def _piped(command: Sequence[str], text: str) -> bool:
    """Whether the pager took it; True too where the person left it before the end."""
    with _interrupts_are_the_pagers():
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, env=_environment())  # noqa: S603 - the user's own PAGER
        except OSError:
            return False
        with suppress(BrokenPipeError):
            process.communicate(text.encode("utf-8", "backslashreplace"))
        process.wait()
    return True


def _environment() -> Mapping[str, str]:
    """Without key strings. `PAGER=less` alone shows colours and UTF-8 too, unless the user's own settings say otherwise."""
    return {"LESS": "FRX", "LESSCHARSET": "utf-8"} | environment()


@contextmanager
def _interrupts_are_the_pagers() -> Iterator[None]:
    """Ctrl-C goes to both: less takes it for the end of a search, and would be left alone with the terminal."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # a program that is started does not inherit it, as it would SIG_IGN
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
