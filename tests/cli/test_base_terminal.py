"""A real terminal: prompts, progress that is erased, colour, Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.waiting import DEADLINE_S

pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX's")


# The terminal becomes the new session's own, so that Ctrl-C typed there is a signal to the program.
AT_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "keyadmin", *sys.argv[1:]])
"""


class Person:
    """Somebody at a terminal, typing."""

    def __init__(self, arguments: list[str], env: dict[str, str]) -> None:
        self.end, end = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", AT_A_TERMINAL, *arguments],
            env=env,
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
        )
        os.close(end)
        self.seen = ""

    def sees(self, text: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self.seen += os.read(self.end, 4096).decode(errors="replace")

    def types(self, text: str) -> None:
        os.write(self.end, text.encode())

    def leaves(self) -> int:
        with contextlib.suppress(OSError):  # Linux's word for: everybody has closed the terminal
            while more := os.read(self.end, 4096):
                self.seen += more.decode(errors="replace")
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def person(home: dict[str, str]) -> Iterator[Callable[..., Person]]:
    """Sit somebody down before a command."""
    people: list[Person] = []

    def sit(*arguments: str) -> Person:
        people.append(Person(list(arguments), home | {"TERM": "xterm"}))
        return people[-1]

    yield sit
    for each in people:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        os.close(each.end)


def test_a_person_is_asked_and_answers(person) -> None:
    for answer, code in (("y", 0), ("n", 1)):
        somebody = person("sandbox", "reset")
        somebody.sees("start over? [y/N] ")
        somebody.types(f"{answer}\n")
        assert somebody.leaves() == code
        assert ("Declined; nothing was changed.\r\n" in somebody.seen) is (code == 1)
        assert "Error" not in somebody.seen, "an answer is no error"
        assert "\x1b[31m" not in somebody.seen


def test_ctrl_c_at_a_question_ends_with_130(person) -> None:
    somebody = person("sandbox", "reset")
    somebody.sees("[y/N] ")
    somebody.types("\x03")
    assert somebody.leaves() == 130
    assert "Interrupted." in somebody.seen
    assert "Traceback" not in somebody.seen


def test_a_table_has_colour_on_a_terminal(person) -> None:
    somebody = person("config", "list")
    assert somebody.leaves() == 0
    assert "\x1b[1mNAME\x1b[0m" in somebody.seen
