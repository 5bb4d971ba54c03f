"""Start-up: keyadmin beside Typer itself, measured in turns in one run, so that a busy machine slows both."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.benchmark

ROUNDS = 21
TWO_COMMANDS = """
import typer

app = typer.Typer(rich_markup_mode={markup})


@app.command()
def hello(name: str, count: int = 1) -> None:
    "Say hello."


@app.command()
def goodbye(name: str, formal: bool = False) -> None:
    "Say goodbye."


app()
"""


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Wall time of one run. The output is thrown away; a failure is one."""
    began = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def compared(ours: list[str], theirs: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Medians of `ROUNDS` runs of both, taken in turns after one run of each that fills the file cache."""
    seconds(ours, env)
    seconds(theirs, env)
    pairs = [(seconds(ours, env), seconds(theirs, env)) for _ in range(ROUNDS)]
    return statistics.median(mine for mine, _ in pairs), statistics.median(other for _, other in pairs)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A bare environment."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}


@pytest.fixture
def keyadmin() -> list[str]:
    """The installed command, as a person runs it; the module where there is none beside this Python."""
    script = shutil.which("keyadmin", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-m", "keyadmin"]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str, float, float], None]:
    """Print a figure past pytest's capture."""

    def printed(what: str, ours: float, theirs: float) -> None:
        with capsys.disabled():
            print(f"\n{what}: {ours * 1000:.0f} ms against {theirs * 1000:.0f} ms, ratio {ours / theirs:.2f}")

    return printed


def test_version_is_answered_sooner_than_typer_is_imported(keyadmin, env, say) -> None:
    ours, theirs = compared([*keyadmin, "--version"], [sys.executable, "-c", "import typer"], env)
    say("--version against `import typer`", ours, theirs)
    assert ours <= theirs


@pytest.mark.parametrize("markup", ['"rich"', "None"], ids=["as-typer-comes", "without-rich"])
def test_help_costs_little_more_than_a_two_command_typer_programs(keyadmin, env, say, tmp_path: Path, markup: str) -> None:
    program = tmp_path / "two_commands.py"
    program.write_text(TWO_COMMANDS.format(markup=markup))
    ours, theirs = compared([*keyadmin, "--help"], [sys.executable, str(program), "--help"], env)
    say(f"--help against a two-command Typer program (rich_markup_mode={markup})", ours, theirs)
    assert ours <= 1.3 * theirs
