"""A command in lines that fit a terminal: a shell that gets them pasted runs the command."""

from __future__ import annotations

import shlex

import pytest

from keyadmin.cli.text import command_lines

COMMANDS = [
    "keyadmin keys restrict 'a name with a lot of words' -p shop --allowed-ips 192.0.2.7 --yes",
    "python -m keyadmin keys rename f1ee7000-0000-4000-8000-000000000013 NAME -p fleet-00003 --sandbox",
    """keyadmin keys describe 'it'"'"'s a key' --project shop""",
    "keyadmin keys describe a\\ b -p shop",
]


@pytest.mark.parametrize("width", [24, 40, 60, 79, 80, 200])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_shell_reads_the_lines_as_the_command(command: str, width: int) -> None:
    lines = command_lines(command, width, " " * 4)
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == shlex.split(command)
    assert all(line.endswith(" \\") for line in lines[:-1])
    if width >= 60:
        assert all(len(line) + (4 if number == 0 else 0) <= width for number, line in enumerate(lines))


def test_an_option_stays_with_its_value() -> None:
    lines = command_lines(COMMANDS[1], 80, " " * 4)
    assert lines == [
        "python -m keyadmin keys rename f1ee7000-0000-4000-8000-000000000013 NAME \\",
        "      -p fleet-00003 --sandbox",
    ]


def test_one_line_where_there_is_room_or_no_terminal() -> None:
    assert command_lines(COMMANDS[1], None, " " * 4) == [COMMANDS[1]]
    assert command_lines(COMMANDS[1], 120, " " * 4) == [COMMANDS[1]]
