"""The three standard streams as they may be: closed, not UTF-8, or with a reader that went away.

A closed stdin (`<&-`) is no terminal and has nothing to read. A closed stdout (`>&-`) takes nothing: a key string that would
be printed there is refused beforehand, for it would reach nobody; other data is dropped, as whoever closed it wants. A reader
that goes away early (`| head`) has seen enough: the rest is dropped, and the command ends with the code that it would have
ended with.
"""

from __future__ import annotations

import io
import os
import select
import sys
from typing import IO, Any, Final

from keyadmin.model.problem import Cause, Problem

_GONE: Final = select.POLLERR | select.POLLHUP | select.POLLNVAL if hasattr(select, "poll") else 0


class ClosedOutput(io.TextIOBase):
    """A stdout that was closed before the program began: what is written is dropped."""

    def write(self, text: str) -> int:
        """As a stream that takes everything."""
        return len(text)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As if it took everything."""
        return "utf-8"


def prepare() -> None:
    """Make the streams fit for any text, and put something in the place of closed ones.

    The places of closed ones are taken, so that no file that is opened later gets what is written there.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    if sys.stdout is None:
        os.open(os.devnull, os.O_WRONLY)
        sys.stdout = ClosedOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write(text: str) -> None:
    """To stdout. Where its reader has gone, nowhere. Raises OSError: what it goes to is full."""
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        abandon(sys.stdout)


def flush() -> None:
    """What was written, on its way. Raises OSError as `write` does."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)


def write_at_once(text: str) -> None:
    """To stdout, for what must not be lost (a key string). Raises Problem where it reached nobody."""
    refuse_lost_output()
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        raise lost_output(str(error.strerror or error)) from error


def refuse_lost_output() -> None:
    """Raises Problem where stdout is closed, or its reader has gone: what a command were to print would reach nobody."""
    if isinstance(sys.stdout, ClosedOutput):
        raise lost_output("it is closed")
    if reader_gone(sys.stdout):
        raise lost_output("its reader has gone")


def lost_output(why: str) -> Problem:
    """The Problem of a key string that has nowhere to go."""
    return Problem(
        Cause.INVALID_ARGUMENT,
        f"the key string cannot be written to stdout: {why}",
        fix=("let stdout go to a terminal, a file or a program, or hand the key over with --to",),
    )


def reader_gone(stream: IO[str]) -> bool:
    """Whether a stream is a pipe or socket whose other end is closed."""
    try:
        handle = stream.fileno()
    except (OSError, ValueError):
        return False  # no stream of the system's
    if not _GONE:
        return False
    poll = select.poll()
    poll.register(handle, _GONE)
    return any(event & _GONE for _, event in poll.poll(0))


def abandon(stream: Any) -> None:
    """Point a stream that cannot be written at nothing, so that neither the rest nor the interpreter's last flush complains."""
    try:
        handle = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, handle)
    os.close(nothing)
