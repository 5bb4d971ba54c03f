"""Completion for four shells, through Typer's mechanism."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from keyadmin.cli.app import ROOT

SHELLS = {
    "bash": "complete -o default -F _keyadmin_completion keyadmin",
    "zsh": "compdef _keyadmin_completion keyadmin",
    "fish": "complete --command keyadmin",
    "powershell": "Register-ArgumentCompleter -Native -CommandName keyadmin",
    "pwsh": "Register-ArgumentCompleter -Native -CommandName keyadmin",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_script(cli, shell: str) -> None:
    done = cli("completion", shell)
    assert done.code == 0
    assert SHELLS[shell] in done.out


def test_the_bash_script_is_bash(cli) -> None:
    assert subprocess.run(["bash", "-n"], input=cli("completion", "bash").out, text=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("keyadmin ", list(ROOT.entries)),
        ("keyadmin con", ["config"]),
        ("keyadmin config ", ["get", "set", "list"]),
        ("keyadmin --format j", ["json", "jsonl"]),
        ("keyadmin config list --imp", ["--impersonate-service-account"]),
        ("keyadmin completion z", ["zsh"]),
    ],
)
def test_commands_options_and_values_complete(typed, words: str, expected: list[str]) -> None:
    place = str(len(words.split(" ")) - 1)
    done = typed(env={"_KEYADMIN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place})
    assert (done.code, done.out.split()) == (0, expected)


def test_installing_writes_the_shells_file(cli, tmp_path: Path) -> None:
    done = cli("completion", "fish", "--install")
    assert done.code == 0
    written = [
        path for path in tmp_path.rglob("*") if path.is_file() and "complete --command keyadmin" in path.read_text("utf-8")
    ]
    assert len(written) == 1
    assert str(written[0]) in done.err


def test_an_unknown_shell_is_wrong_usage(cli) -> None:
    done = cli("completion", "tcsh")
    assert done.code == 2
    assert "powershell" in done.err
