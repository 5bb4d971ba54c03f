"""Everything a command says beside its data goes through one `Talk`, to stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final, TextIO

from keyadmin.cli.printed import complete
from keyadmin.cli.streams import abandon
from keyadmin.cli.text import clean
from keyadmin.model.secret import redact

STYLES: Final = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "bold": "1", "dim": "2"}


def paint(text: str, style: str | None, colour: bool) -> str:
    """`text` in a style of `STYLES` where colour is wanted."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if style and colour else text


class Console:
    """Notes, warnings and details. Key strings are masked and control characters spelt out whatever is said."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False, colour: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self.colour = colour

    @property
    def stream(self) -> TextIO:
        """Where talk goes; looked up at each use, so that a redirected stderr is honoured."""
        return sys.stderr

    @property
    def terminal(self) -> bool:
        """Whether somebody sees the talk as it comes."""
        return self.stream.isatty()

    def say(self, text: str, *, style: str | None = None, label: str = "") -> None:
        """One piece of console, dropped by nothing."""
        safe = self.safe(text)
        shown = f"{paint(label, style, self.colour)}{safe}" if label else paint(safe, style, self.colour)
        try:
            self.stream.write(f"{shown}\n")
            self.stream.flush()
        except BrokenPipeError:  # `2>&1 | head`
            abandon(self.stream)

    @staticmethod
    def safe(text: str) -> str:
        """`text` with key strings masked and control characters spelt out; line breaks stay."""
        return clean(redact(complete(text)), keep="\n")

    def note(self, text: str, *, always: bool = False) -> None:
        """A note; `--quiet` drops it unless `always`."""
        if always or not self.quiet:
            self.say(text)

    def warning(self, text: str) -> None:
        """A warning: never dropped."""
        self.say(text, style="yellow", label="Warning: ")

    def detail(self, text: str) -> None:
        """Only with `--verbose`."""
        if self.verbose:
            self.say(text, style="dim")

    def error(self, what: str, why: Sequence[str] = (), following: Sequence[str] = ()) -> None:
        """A failure: what, why, what to type next."""
        self.say(what, style="red", label="Error: ")
        for line in why:
            self.say(_wrapped(line, self.terminal))
        self.following(following)

    def following(self, steps: Sequence[str]) -> None:
        """What to type next."""
        for number, line in enumerate(steps):
            self.say(f"  {'What to do:' if number == 0 else '           '} {line}")


def _wrapped(text: str, terminal: bool) -> str:
    """`text` indented, in lines of a readable width, no wider than the terminal; a line break in it stays one."""
    from shutil import get_terminal_size
    from textwrap import fill

    width = min(98, get_terminal_size().columns) if terminal else 98
    return "\n".join(
        fill(line, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        for line in text.split("\n")
    )
