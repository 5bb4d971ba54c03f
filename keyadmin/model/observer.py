"""How a use case tells of its progress without knowing whether anybody watches. The terminal's version is cli/progress.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Left = Callable[[], float]


class Observer:
    """Hears of steps, counts, waits and half-made things. This one shows nothing; it only remembers what is half made.

    Nothing secret may be passed in: the texts are printed.
    """

    def __init__(self) -> None:
        self._half_made: list[str] = []

    def step(self, text: str) -> None:
        """A new step begins: `Enabling the Gemini API`."""

    def total(self, count: int, text: str, left: Left | None = None) -> None:
        """`count` things of the same kind are about to be done. `left()` = the seconds that they still take at the least."""

    def advance(self, count: int = 1) -> None:
        """`count` of them are done."""

    def waiting(self, text: str, seconds: float) -> None:
        """Nothing will happen for about `seconds` seconds (a pace, a propagation delay)."""

    def finished(self) -> None:
        """Whatever was shown is cleared."""

    def aside(self) -> None:
        """Data is about to be printed at the same terminal: what is drawn there makes room."""

    def note(self, text: str, *, always: bool = False) -> None:
        """Something worth saying; dropped by `--quiet` unless `always`."""

    def warning(self, text: str) -> None:
        """Something the person should know, `--quiet` or not."""

    def within(self) -> Observer:
        """For one of many things done side by side: its steps and waits would flicker, its notes and warnings are said."""
        return _Within(self)

    @contextmanager
    def half_made(self, text: str) -> Iterator[None]:
        """While inside, an interruption or a failure leaves behind what `text` says.

        Leaving normally forgets it; an exception keeps it, so that the command's end can say it.
        """
        self._half_made.append(text)
        yield
        self._half_made.remove(text)

    @property
    def left_behind(self) -> tuple[str, ...]:
        """What would be left half made if the work ended now."""
        return tuple(self._half_made)


class _Within(Observer):
    """Says what must be said and shows nothing."""

    def __init__(self, outer: Observer) -> None:
        super().__init__()
        self._outer = outer

    def note(self, text: str, *, always: bool = False) -> None:
        """Said by the outer one."""
        self._outer.note(text, always=always)

    def warning(self, text: str) -> None:
        """Said by the outer one."""
        self._outer.warning(text)


SILENT = Observer()
