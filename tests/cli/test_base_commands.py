"""The root and its groups: global options anywhere, help, mistyped names, the sandbox's line, the version."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer

from keyadmin import __version__
from keyadmin.cli.app import ROOT
from keyadmin.cli.lazy import imported
from keyadmin.cli.runner import run_alone
from keyadmin.cli.session import Session, current

EVERYWHERE = ("--sandbox", "config", "list"), ("config", "--sandbox", "list"), ("config", "list", "--sandbox")


@pytest.mark.parametrize("line", EVERYWHERE, ids=" ".join)
def test_global_options_work_before_between_and_after(cli, line) -> None:
    done = cli(*line, "--format", "json")
    assert done.code == 0
    assert done.json[0] == {"name": "project", "value": "demo-project", "source": "default"}


def test_the_later_of_two_wins(cli) -> None:
    assert (
        cli("--format", "json", "config", "--format", "yaml", "get", "project", "-p", "one-two", "--format", "csv").out
        == "name,value,source\nproject,one-two,'--project\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        ("-p", "first-one", "config", "get", "project", "-p", "second-one"),
        ("config", "get", "project", "-p", "first-one", "--project=second-one"),
        ("-p", "first-one", "config", "-p", "first-one", "get", "project", "-psecond-one"),
        ("keys", "list", "--all-projects", "-p", "first-one"),
        ("-p", "first-one", "doctor", "second-one"),
        ("doctor", "first-one", "-p", "first-one"),
        ("audit", "--projects", "a-project", "-p", "first-one"),
        ("audit", "--folder", "1", "-p", "first-one"),
        ("rotation", "migrate", "--organization", "1", "-p", "first-one"),
        ("projects", "import", "first-one", "-p", "second-one"),
    ],
    ids=" ".join,
)
def test_a_command_is_about_one_project(cli, line) -> None:
    """The first of two projects was dropped in silence: the command then ran in the other one."""
    done = cli(*line, env={"KEYADMIN_SANDBOX": "1"})
    assert done.code == 2
    assert "--project" in done.err


def test_the_same_project_twice_and_a_variable_beside_it_are_one(cli) -> None:
    line = ("-p", "one-two", "config", "get", "project", "-p", "projects/one-two")
    assert cli(*line, env={"KEYADMIN_PROJECT": "three"}).out.strip().endswith("one-two")


def test_short_forms(cli) -> None:
    done = cli("config", "get", "project", "-qvp", "some-project")
    assert (done.code, done.out) == (0, "some-project\n")


@pytest.mark.parametrize("line", EVERYWHERE, ids=" ".join)
def test_a_line_says_sandbox_even_when_quiet(cli, line) -> None:
    assert "sandbox" in cli(*line, "--quiet").err
    assert "sandbox" in cli("config", "list", "--quiet", env={"KEYADMIN_SANDBOX": "1"}).err
    assert "sandbox" not in cli("config", "list").err


def test_the_line_names_a_served_sandbox(cli) -> None:
    done = cli("config", "list", env={"KEYADMIN_SANDBOX": "http://127.0.0.1:9"})
    assert "the sandbox at http://127.0.0.1:9" in done.err


def test_the_version_is_answered_anywhere(cli, typed) -> None:
    assert typed("--version").out == f"keyadmin {__version__}\n"
    for line in (("--version",), ("-q", "--version"), ("config", "list", "--version")):
        assert (cli(*line).code, cli(*line).out) == (0, f"keyadmin {__version__}\n")


def test_root_help_lists_every_group(cli) -> None:
    done = cli("--help")
    assert done.code == 0
    for name, entry in ROOT.entries.items():
        assert name in done.out
        assert entry.help in done.out


def test_without_a_command_the_help_is_shown_and_it_counts_as_wrong_usage(cli) -> None:
    for line, said in (((), "All commands: keyadmin --help"), (("config",), "Usage: keyadmin")):
        done = cli(*line)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
        assert len(done.err.splitlines()) <= 15 or line, "keyadmin alone fits 15 lines"
        assert cli("--format", "json", *line).error["cause"] == "invalid-argument"


@pytest.mark.parametrize("given", [(), ("--sandbox",), ("--sandbox", "--quota-project", "demo-project")])
def test_the_first_steps_carry_what_was_given(cli, given) -> None:
    """Each of them is typed as it stands: without --sandbox they would fail, or reach Google."""
    said = cli(*given).err
    steps = re.findall(r"^  keyadmin (.+?)  ", said, re.MULTILINE)
    assert len(steps) == 7
    assert ("Add --sandbox" in said) is not bool(given)
    for step in (*steps, *re.findall(r"^(?:All commands|One command): keyadmin (.+)", said, re.MULTILINE)):
        assert shlex.split(step)[-len(given) :] == list(given) or not given, step
        if given and not step.startswith(("scan", "rotation init", "audit")):
            assert cli(*shlex.split(step)).code in (0, 1, 3), "neither wrong usage nor want of credentials"


def test_a_mistyped_command_is_answered_with_the_near_ones(cli) -> None:
    done = cli("confg", "list")
    assert (done.code, done.out) == (2, "")
    assert "No such command 'confg'. Did you mean 'config'?" in done.err
    assert "Did you mean 'list'?" in cli("config", "lsit").err
    assert "What to do: keyadmin config list --format json\n" in cli("config", "lsit", "--format", "json").err
    assert "Did you mean" not in cli("xyzzy").err


def test_a_command_without_its_group_is_answered_with_the_groups_that_have_it(cli) -> None:
    assert "Did you mean 'keys rotate' or 'rotation'?" in cli("rotate", "web").err
    assert "What to do: keyadmin keys rotate web\n" in cli("rotate", "web").err
    assert "Did you mean 'projects create' or 'keys create' or 'tokens create'?" in cli("create").err
    assert "Did you mean 'sandbox serve'?" in cli("serve", "--rest-port", "0").err


def test_wrong_usage_is_told_as_json_too(cli) -> None:
    for line in (
        ("config", "get", "--format", "json"),
        ("config", "--format=json", "get", "a", "b"),
        ("--format", "json", "confg"),
    ):
        done = cli(*line)
        assert done.code == 2
        assert done.error["cause"] == "invalid-argument"
        assert done.error["fix"]
    assert cli("config", "get", env={"KEYADMIN_FORMAT": "json"}).error["cause"] == "invalid-argument"
    assert "{" not in cli("config", "get", "--format", "csv").err.splitlines()[-1]


def test_wrong_global_values_end_before_the_command_runs(cli, command) -> None:
    def trial() -> None:
        raise AssertionError

    name = command(trial)
    for extra in (("--format", "toml"), ("-p", "a b"), ("--quota-project", "a b")):
        assert cli(name, *extra).code == 2
    for variable in ("KEYADMIN_FORMAT", "KEYADMIN_SANDBOX", "KEYADMIN_QUIET", "KEYADMIN_VERBOSE", "KEYADMIN_NO_COLOR"):
        assert cli(name, env={variable: "perhaps"}).code == 2


def test_a_command_gets_the_settled_session(cli, command) -> None:
    def trial(context: typer.Context) -> None:
        session = current(context)
        print(json.dumps([session.format, session.settings.quiet, session.sandbox is not None and session.sandbox.by_flag]))

    assert cli(command(trial), "-q", "--sandbox").json == ["table", True, True]


def test_every_command_has_help_and_its_line_in_the_table(cli) -> None:
    for path, entry in ROOT.leaves():
        name = " ".join(path)
        done = cli(*path, "--help")
        assert done.code == 0, name
        assert done.out.startswith(f"Usage: keyadmin {name} "), name
        assert entry.help.endswith("."), name
        assert inspect.getdoc(imported(entry)), name


def test_no_command_line_module_imports_googles_packages() -> None:
    folder = Path(sys.modules["keyadmin.cli"].__file__ or "").parent
    heavy = {"google", "grpc", "aiohttp", "proto"}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert not heavy & {name.partition(".")[0] for name in names}, path


@pytest.mark.parametrize(
    ("line", "heavy"),
    [
        ("--help", "google grpc aiohttp asyncio yaml tabulate rich pydantic sqlite3 filelock logging"),
        ("keys --help", "google grpc aiohttp asyncio yaml tabulate rich pydantic sqlite3 filelock logging"),
        ("config get project -p some-project", "google grpc aiohttp asyncio yaml tabulate rich pydantic sqlite3 filelock"),
    ],
)
def test_nothing_heavy_is_imported_for(line: str, heavy: str, home) -> None:
    script = (
        f"import sys; from keyadmin.cli.app import main; code = main({line.split()!r});"
        f"print(sorted(set({heavy.split()!r}) & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=home, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_values_that_are_no_text_are_still_checked_and_converted(cli, command) -> None:
    def trial(
        context: typer.Context,
        number: Annotated[int, typer.Option(min=1)] = 5,
        words: Annotated[list[str] | None, typer.Option()] = None,
        place: Annotated[Path | None, typer.Option()] = None,
        word: str = "w",
        names: Annotated[list[str] | None, typer.Argument()] = None,
    ) -> None:
        print(repr((number, words, place, word, names)))

    name = command(trial)
    assert cli(name).out == "(5, None, None, 'w', None)\n"
    line = ("--number", "7", "--words", "a", "--words", "b", "--place", "x/y", "--word", "z", "n", "m")
    assert cli(name, *line).out == f"(7, ['a', 'b'], {Path('x/y')!r}, 'z', ['n', 'm'])\n"
    for wrong in (("--number", "0"), ("--number", "many")):
        assert cli(name, *wrong).code == 2


def test_a_result_is_not_written_out_at_the_end() -> None:
    """Of ten thousand keys that takes half a second and thirty megabytes."""
    written = []

    class Result:
        def __repr__(self) -> str:
            written.append(self)
            return "a long text"

    async def work() -> Result:
        return Result()

    context = typer.Context(typer.main.get_command(typer.Typer(callback=print)), obj=Session({}))
    assert isinstance(run_alone(context, work()), Result)
    assert not written
