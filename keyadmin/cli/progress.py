"""Progress as a person at a terminal sees it: one line on stderr, redrawn, gone when the work is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Final

from keyadmin.cli.console import Console
from keyadmin.cli.text import clean
from keyadmin.model.duration import words
from keyadmin.model.observer import Left, Observer
from keyadmin.model.secret import redact

if TYPE_CHECKING:
    import asyncio

BAR_WIDTH: Final = 24
REDRAW_S: Final = 0.08
SPIN_S: Final = 0.15
# Off a terminal a wait of this many seconds is worth a line.
SAID_AFTER_S: Final = 5.0
SAID_EVERY_S: Final = 60.0
SPINNER: Final = "|/-\\"
_ERASE: Final = "\r\x1b[2K"


class TerminalObserver(Observer):
    """Draws steps, a bar and the time left; where stderr is no terminal it only says that it waits, with `--quiet` nothing.

    `dumb` = a terminal that cannot erase a line (TERM=dumb): nothing is drawn there either.
    """

    def __init__(self, console: Console, *, dumb: bool = False) -> None:
        super().__init__()
        self._console = console
        self._shown = console.terminal and not console.quiet and not dumb
        self._drawn = False
        self._text = ""
        self._count = self._done = 0
        self._left: Left | None = None
        self._held_back = False  # whether the quota told the time left of this bar: then it alone does, to the end
        self._began = self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._wait_text, self._wait_began, self._waits_until = "", 0.0, 0.0
        self._wait_said: float | None = None  # when the wait was told of, where nothing is drawn

    def step(self, text: str) -> None:
        """A new step: its text replaces the line; with `--verbose` it stays."""
        self._text, self._count = text, 0
        if self._console.verbose:
            self._clear()
            self._console.detail(text)
        else:
            frames = cycle(SPINNER)
            self._animate(lambda: f"{text} ... {next(frames)}", SPIN_S)

    def total(self, count: int, text: str, left: Left | None = None) -> None:
        """A bar from 0 to `count`."""
        self._text, self._count, self._done, self._left, self._held_back = text, count, 0, left, False
        self._began, self._last = time.monotonic(), 0.0
        self._bar()

    def advance(self, count: int = 1) -> None:
        """The bar grows; redrawn at most a dozen times a second."""
        self._done += count
        now = time.monotonic()
        if self._count and (now - self._last >= REDRAW_S or self._done >= self._count):
            self._last = now
            self._bar()

    def waiting(self, text: str, seconds: float) -> None:
        """A countdown in words, until something else happens or the time is over; of a bar, the bar goes on with the reason."""
        now = time.monotonic()
        end = now + seconds
        if not self._shown:
            self._say_wait(text, seconds, now)

        def line() -> str | None:
            rest = end - time.monotonic()
            if rest <= 0:
                return None
            if self._done < self._count:
                return f"{self._progress()} ({text})"
            return f"{text}: {words(timedelta(seconds=rest))} left"

        self._animate(line, 1.0)

    def _say_wait(self, text: str, seconds: float, now: float) -> None:
        """Where nothing is drawn: a line when a wait begins, and each minute that it goes on.

        Waits for the same that follow one another are one: of a quota without a word of when to come again, many short ones.
        """
        if text != self._wait_text or now > self._waits_until + SAID_AFTER_S:
            self._wait_text, self._wait_began, self._wait_said = text, now, None
            self._waits_until = now
        self._waits_until = max(self._waits_until, now + seconds)
        long = self._waits_until - self._wait_began >= SAID_AFTER_S
        if long and (self._wait_said is None or now >= self._wait_said + SAID_EVERY_S):
            self._wait_said = now
            self._console.note(f"{text}: waiting, {words(timedelta(seconds=seconds))} left as far as is known")

    def finished(self) -> None:
        """The line is erased."""
        self._stop()
        self._clear()
        self._count = 0

    def aside(self) -> None:
        """The line is erased; the next change draws it below what was printed."""
        self._clear()

    def note(self, text: str, *, always: bool = False) -> None:
        """Said above the line."""
        self._clear()
        self._console.note(text, always=always)

    def warning(self, text: str) -> None:
        """Said above the line."""
        self._clear()
        self._console.warning(text)

    def _bar(self) -> None:
        self._stop()
        self._draw(self._progress())

    def _progress(self) -> str:
        """The bar; the time left is what the quota costs, where one holds back, else what the pace of the past says."""
        filled = BAR_WIDTH * min(self._done, self._count) // max(1, self._count)
        spent = time.monotonic() - self._began
        rest = self._left() if self._left is not None else 0.0
        self._held_back = self._held_back or rest >= 1
        if not self._held_back and self._done and spent > 1:  # no quota in the way: the pace of the past tells
            rest = spent / self._done * (self._count - self._done)
        left = f", {words(timedelta(seconds=rest))} left" if self._done < self._count and rest >= 1 else ""
        return f"{self._text} [{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {self._done}/{self._count}{left}"

    def _animate(self, line: Callable[[], str | None], every: float) -> None:
        """Draw `line()` now and, while an event loop runs, every so many seconds until it gives None."""
        self._stop()
        text = line() if self._shown else None
        if text is None:
            self._clear()
            if self._count:
                self._bar()
            return
        self._draw(text)
        import asyncio  # loaded already wherever a loop runs; --help does without

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(every, self._animate, line, every)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _draw(self, line: str) -> None:
        if self._shown:
            from shutil import get_terminal_size

            room = get_terminal_size().columns - 1
            self._console.stream.write(_ERASE + clean(redact(line))[:room])
            self._console.stream.flush()
            self._drawn = True

    def _clear(self) -> None:
        if self._drawn:
            self._console.stream.write(_ERASE)
            self._console.stream.flush()
            self._drawn = False
