"""A person at a terminal who named no project chooses one from a list that narrows as they type."""

from __future__ import annotations

import contextlib
import os
import re
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.waiting import DEADLINE_S

pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX's")

ENTER, SPACE, DOWN, CTRL_C = "\r", " ", "\x1b[B", "\x03"


class Person:
    """Somebody at a terminal of 24 lines; stdout goes elsewhere, as with `> file`."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        import fcntl
        import termios

        self.end, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.process = subprocess.Popen(command, env=env, stdin=end, stderr=end, stdout=subprocess.PIPE, start_new_session=True)
        os.close(end)
        self.seen = ""

    def sees(self, text: str) -> None:
        """Wait for a text; of a screen that is drawn again only what has changed arrives."""
        deadline = time.monotonic() + DEADLINE_S
        while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen):
            assert time.monotonic() < deadline, self.seen
            self.read()

    def read(self) -> None:
        assert select.select([self.end], [], [], DEADLINE_S)[0], f"nothing happens: {self.seen}"
        told = self.seen.count("\x1b[6n")
        self.seen += os.read(self.end, 4096).decode(errors="replace")
        if self.seen.count("\x1b[6n") > told:  # the terminal is asked where its cursor is
            self.types("\x1b[1;1R")

    def types(self, text: str) -> None:
        os.write(self.end, text.encode())

    def leaves(self) -> tuple[int, str]:
        with contextlib.suppress(OSError):  # Linux's word for: everybody has closed the terminal
            while True:
                self.read()
        assert self.process.stdout is not None
        return self.process.wait(DEADLINE_S), self.process.stdout.read().decode()


@pytest.fixture
def person(home, served) -> Iterator[Callable[..., Person]]:
    """Sit somebody down before `keyadmin ...`, or before a piece of Python."""
    people: list[Person] = []

    def sit(*arguments: str, code: str | None = None, **env: str) -> Person:
        command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "keyadmin", *arguments]
        whole = home | {"TERM": "xterm", "KEYADMIN_SANDBOX": served.rest} | env
        people.append(Person(command, whole))
        return people[-1]

    yield sit
    for each in people:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        os.close(each.end)


def test_a_project_is_chosen_by_typing_a_part_of_it(person, run) -> None:
    somebody = person("projects", "use")
    somebody.sees("Which project?")
    somebody.sees("suspended-project")
    somebody.types("maps")
    somebody.sees("/ maps")
    somebody.types(ENTER)
    assert somebody.leaves()[0] == 0
    assert run("config", "get", "project").out == "old-maps-site\n"


def test_by_name_and_with_arrow_keys(person) -> None:
    somebody = person("projects", "delete")
    somebody.sees("Crowded project")
    somebody.types(DOWN + ENTER)
    somebody.sees("Delete project demo-project (Demo project)?")
    somebody.types("n\n")
    assert somebody.leaves()[0] == 1


def test_imported_projects_come_first(person, projects) -> None:
    projects("import", "suspended-project")
    somebody = person("projects", "use")
    somebody.sees("Which project?")
    somebody.sees("crowded-project")
    somebody.types(ENTER)
    somebody.sees("suspended-project is now the default project.")
    assert somebody.leaves()[0] == 0


def test_the_question_is_not_in_the_data(person) -> None:
    somebody = person("projects", "import", "--format", "json")
    somebody.sees("Which projects?")
    somebody.sees("demo-project")
    somebody.types(SPACE + DOWN + SPACE + ENTER)
    code, out = somebody.leaves()
    assert code == 0
    assert out.startswith("[\n")
    assert '"crowded-project"' in out
    assert '"demo-project"' in out
    assert '"old-maps-site"' not in out


def test_ctrl_c_at_the_list_ends_with_130(person) -> None:
    somebody = person("projects", "use")
    somebody.sees("Which project?")
    somebody.types(CTRL_C)
    assert somebody.leaves()[0] == 130
    assert "Traceback" not in somebody.seen


def test_somebody_without_projects_is_told_how_to_make_one(person) -> None:
    somebody = person("projects", "use", KEYADMIN_SANDBOX_USER="new.person@example.net")
    somebody.sees("keyadmin projects default")
    assert somebody.leaves()[0] == 1


def test_names_that_would_play_with_the_terminal_are_spelt_out(person, served) -> None:
    served.projects("evil-project", displayName="\x1b[31mred\x1b]0;title\x07")
    somebody = person("projects", "use")
    somebody.sees("\\x1b[31mred")
    assert "\x1b]0;title" not in somebody.seen
    somebody.types(CTRL_C)
    somebody.leaves()


def test_5000_projects_can_be_narrowed(person, served, run) -> None:
    served.seed(fleet={"projects": 5000, "keysPerProject": 0})
    somebody = person("projects", "use")
    somebody.sees("Which project?")
    somebody.types("04321")
    somebody.sees("/ 04321")
    somebody.types(ENTER)
    assert somebody.leaves()[0] == 0
    assert run("config", "get", "project").out == "fleet-04321\n"


ANY_COMMAND = """
import asyncio, dataclasses, os
from keyadmin.cli.picker import pick_project
from keyadmin.cli.session import Session
from keyadmin.cloud.connect import connect

async def main():
    session = Session(os.environ)
    session.choose_project = pick_project
    session._settings = dataclasses.replace(session.settings, project=None)  # as with Google, where nothing names one
    async with connect(session.target()) as cloud:
        print(await session.project(cloud), await session.project(cloud))

asyncio.run(main())
"""


def test_any_command_that_needs_a_project_asks_once_where_nothing_names_one(person) -> None:
    somebody = person(code=ANY_COMMAND)
    somebody.sees("Which project?")
    somebody.types("demo")
    somebody.sees("/ demo")
    somebody.types(ENTER)
    code, out = somebody.leaves()
    assert (code, out) == (0, "demo-project demo-project\n")


def test_nothing_is_loaded_for_the_list_where_nobody_is_asked(home, served) -> None:
    code = "import sys; from keyadmin.cli.app import main; main(['projects', 'use', 'demo-project']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=home | {"KEYADMIN_SANDBOX": served.rest}, capture_output=True, text=True, check=True
    )
    assert not {"questionary", "prompt_toolkit"} & set(done.stdout.split())
