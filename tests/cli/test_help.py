"""Every command's --help: one style, no jargon of the parser's, and examples that may be typed as they stand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from keyadmin.cli.app import ROOT
from keyadmin.cli.examples import EXAMPLES
from keyadmin.cli.lazy import build
from keyadmin.cli.session import Session

COMMANDS = dict(ROOT.leaves())
each_command = pytest.mark.parametrize("path", COMMANDS, ids=" ".join)


@pytest.fixture
def help_of(cli: Callable[..., Any]) -> Callable[[tuple[str, ...]], str]:
    def read(path: tuple[str, ...]) -> str:
        done = cli(*path, "--help")
        assert done.code == 0
        return str(done.out)

    return read


@each_command
def test_the_usage_line_reads_as_manuals_write_it(help_of: Callable[..., str], path: tuple[str, ...]) -> None:
    text = help_of(path)
    usage = text.partition("\n")[0]
    assert re.fullmatch(
        rf"Usage: keyadmin {' '.join(path)} \[OPTIONS\]( [A-Z][A-Z_=|-]*(\.\.\.)?| \[[A-Z-][A-Z_=|-]*\](\.\.\.)?)*", usage
    ), usage
    assert not re.search(r"<(str|path|int|list\[|Path)", text), "the parser's types are no words for people"


@each_command
def test_there_are_examples(help_of: Callable[..., str], path: tuple[str, ...]) -> None:
    assert "\nExamples:\n" in help_of(path)
    for line in EXAMPLES[" ".join(path)]:
        assert f"\n  {line}\n" in help_of(path)


@each_command
def test_it_fits_a_terminal_of_80_columns(cli: Callable[..., Any], path: tuple[str, ...]) -> None:
    shown = cli(*path, "--help", env={"COLUMNS": "80"}).out.splitlines()
    assert [line for line in shown if len(line) > 80] == []


@each_command
def test_the_examples_can_be_typed(path: tuple[str, ...]) -> None:
    for line in EXAMPLES[" ".join(path)]:
        words = line[line.index(f"keyadmin {' '.join(path)}") :].rstrip(')"')  # of a pipe, or inside $(...)
        command = build(path[-1], COMMANDS[path])
        typed = shlex.split(words)[1 + len(path) :]
        with command.make_context(path[-1], typed, obj=Session({})) as context:  # raises where an option is not there
            assert context.args == []


def test_no_example_is_of_a_command_that_is_gone() -> None:
    assert set(EXAMPLES) == {" ".join(path) for path in COMMANDS}


def options() -> Iterator[tuple[str, Any]]:
    for path, entry in COMMANDS.items():
        for parameter in build(path[-1], entry).params:
            yield " ".join(path), parameter


def test_options_are_written_in_one_style() -> None:
    for path, parameter in options():
        where = f"{path}: {parameter.name}"
        assert parameter.help, where
        assert parameter.help.endswith((".", "]")), where
        assert "repeatable" not in parameter.help, f"{where}: the others say: may be repeated"
        takes_a_value = parameter.param_type_name == "option" and not parameter.is_flag
        assert parameter.metavar or not takes_a_value, f"{where}: it wants a metavar"


def test_one_option_means_one_thing() -> None:
    seen: dict[str, set[str]] = {}
    for path, parameter in options():
        if parameter.param_type_name == "option":
            for name in parameter.opts:
                same = ("--yes", "--dry-run", "--async", "--to", "--key-from-env", "--key-id", "--only", "--shard")
                if name in same and (path, name) != ("audit fix", "--only"):  # of a wave: the word that the contract has
                    seen.setdefault(name, set()).add(f"{parameter.metavar}: {parameter.help}")
    assert {name: said for name, said in seen.items() if len(said) > 1} == {}
