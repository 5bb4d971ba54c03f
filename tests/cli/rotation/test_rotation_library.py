"""keyadmin as a library: the example of docs/library.md is run as it is printed, and what it names is there."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from keyadmin.model.problem import Problem
from tests.cli.rotation.conftest import World, rule

PAGE = (Path(__file__).parents[3] / "docs" / "library.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `keyadmin.")]


def example() -> str:
    found = re.search(r"<!-- library example -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def run(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    """The example as a program of its own."""
    (world.folder / "example.py").write_text(example())
    env = {"PATH": os.environ["PATH"], "HOME": str(world.folder)}
    command = [sys.executable, "example.py", *words, world.sandbox.rest]
    return subprocess.run(command, cwd=world.folder, env=env, capture_output=True, text=True, timeout=180, check=False)


def test_the_example_plans_and_runs_a_rotation(world: World) -> None:
    world.seed("shop-a", {}, {"createTime": world.ago(1)})
    world.policy(rule("shop-a"))
    done = run(world, "keyadmin.toml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("shop-a web 0: create, ")
    assert "publish secret-manager:projects/shop-a/secrets/web-0 done" in done.stdout
    assert world.secret("shop-a", "web-0") == world.string("shop-a", world.newest("shop-a"))
    assert world.string("shop-a", world.newest("shop-a")) not in done.stdout + done.stderr


def test_what_fails_is_told_with_the_exit_code_of_the_command(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    assert run(world, "none.toml").returncode == 2
    fault = {"method": "CreateKey", "code": "PERMISSION_DENIED", "times": 9}
    world.sandbox.control("faults", fault)
    done = run(world, "keyadmin.toml")
    assert done.returncode == 3
    assert "missing-iam-permission" in done.stderr


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_the_page_calls_public_is_there_and_asynchronous(row: list[str]) -> None:
    package, *more = re.findall(r"`([^`]+)`", row[0])
    modules = [importlib.import_module(name) for name in (package, *(f"{package.rpartition('.')[0]}{each}" for each in more))]
    for name, arguments in re.findall(r"`([a-z_]+)\(([^)]*)\)`", " ".join(row[1:3])):
        (function,) = {getattr(module, name) for module in modules if hasattr(module, name)}
        assert inspect.iscoroutinefunction(function), name
        assert [each.strip() for each in arguments.split(",")] == list(inspect.signature(function).parameters)[
            : len(arguments.split(","))
        ], name
        assert function.__doc__


def test_every_pair_of_rotation_stands_on_the_page() -> None:
    package = Path(importlib.import_module("keyadmin.rotation").__file__ or "").parent
    names = {
        name
        for path in package.glob("*.py")
        for name in re.findall(r"^async def ((?:plan|execute)_\w+)", path.read_text(), re.MULTILINE)
    }
    assert names
    assert {name for name in names if f"`{name}(" not in PAGE} == set()


def test_other_names_of_the_page_are_there() -> None:
    text = PAGE.partition("With them:")[2].partition("\n\n")[0]
    for module, names in re.findall(r"`(keyadmin[\w.]+)` \(([^)]*)\)", text):
        for name in re.findall(r"`(\w+)`", names):
            assert hasattr(importlib.import_module(module), name), f"{module}.{name}"
    for path in re.findall(r"`(keyadmin[\w.]+\.[A-Za-z]+)`", text):
        module, _, name = path.rpartition(".")
        if name[0].isupper() or name == "parse":
            assert hasattr(importlib.import_module(module), name), path
    assert issubclass(Problem, Exception)
