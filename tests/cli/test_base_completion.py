"""Completion for four shells, through Typer's mechanism."""

from __future__ import annotations

import shutil
import subprocess
import sys
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
        ("keyadmin keys hand-over web --to aws", ["aws-secrets-manager:", "aws-ssm:"]),
        ("keyadmin keys rotate web --to std", ["stdout"]),
        ("keyadmin keys create --api-target translate", ["translate.googleapis.com"]),
        ("keyadmin keys list --filter keyT", ["keyType=auth", "keyType=standard"]),
        ("keyadmin audit --rule gem", ["gemini-exposed-key"]),
        ("keyadmin snippet ja", ["javascript", "java"]),
    ],
)
def test_commands_options_and_values_complete(typed, words: str, expected: list[str]) -> None:
    place = str(len(words.split(" ")) - 1)
    done = typed(env={"_KEYADMIN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place})
    assert (done.code, done.out.split()) == (0, expected)


def test_projects_that_any_command_saw_are_offered_and_more_behind_a_comma(cli, typed) -> None:
    assert cli("--sandbox", "keys", "list", "--all-projects").code == 0

    def offered(words: str) -> list[str]:
        place = str(len(words.split(" ")) - 1)
        asked = {"_KEYADMIN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place}
        found: list[str] = typed(env=asked).out.split()
        return found

    assert offered("keyadmin --sandbox keys list -p old") == ["old-maps-site"]
    assert offered("keyadmin --sandbox audit --projects old-maps-site,demo") == ["old-maps-site,demo-project"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_the_first_tab_in_zsh_gets_its_answer_apostrophes_and_colons_included(cli, home, tmp_path: Path) -> None:
    """A new zsh that finds the script in a folder of functions; `_arguments` reads its words as zsh's own does."""
    (tmp_path / "_keyadmin").write_text(cli("completion", "zsh").out)
    program = tmp_path / "keyadmin"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m keyadmin "$@"\n')
    program.chmod(0o755)
    asked = """
        fpath=($HOME $fpath); autoload -U _keyadmin
        _arguments() { local action=${1#\\*: :}; eval ws\\=\\( ${action[3,-3]} \\); print -rl -- $ws }
        words=(keyadmin ''); CURRENT=2; _keyadmin
        words=(keyadmin keys hand-over web --to aws-ssm)
        CURRENT=6; _keyadmin
    """
    env = home | {"PATH": f"{tmp_path}:{home['PATH']}"}
    done = subprocess.run(["zsh", "-fc", asked], env=env, capture_output=True, text=True, check=False)
    assert "explain:Explain an error message from Google." in done.stdout.splitlines(), done
    assert "aws-ssm\\:" in done.stdout.splitlines(), done


def test_installing_writes_the_shells_file(cli, tmp_path: Path) -> None:
    done = cli("completion", "fish", "--install")
    assert done.code == 0
    written = [
        path for path in tmp_path.rglob("*") if path.is_file() and "complete --command keyadmin" in path.read_text("utf-8")
    ]
    assert len(written) == 1
    assert str(written[0]) in done.err


def test_bash_loads_it_from_a_start_up_file_in_any_encoding(cli, tmp_path: Path) -> None:
    before = b"# caf\xe9\nalias a=b\n"
    (tmp_path / ".bashrc").write_bytes(before)
    for _ in range(2):
        done = cli("completion", "bash", "--install")
        assert done.code == 0, done.err
    after = (tmp_path / ".bashrc").read_bytes()
    assert after.startswith(before)
    assert after.count(b"source '") == 1, "a second time changes nothing"
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    asked = ["bash", "--norc", "-ic", ". ~/.bashrc; complete -p keyadmin; alias a"]
    said = subprocess.run(asked, env=env, capture_output=True, text=True, check=False).stdout
    assert "_keyadmin_completion keyadmin" in said
    assert "alias a='b'" in said


def test_zsh_and_fish_are_found_where_their_variables_say(cli, tmp_path: Path) -> None:
    done = cli("completion", "zsh", "--install", env={"ZDOTDIR": str(tmp_path / "D")})
    assert done.code == 0, done.err
    assert "compinit" in (tmp_path / "D" / ".zshrc").read_text()
    assert (tmp_path / "D" / ".zfunc" / "_keyadmin").is_file()
    assert not (tmp_path / ".zshrc").exists()
    done = cli("completion", "fish", "--install", env={"XDG_CONFIG_HOME": str(tmp_path / "C")})
    assert (tmp_path / "C" / "fish" / "completions" / "keyadmin.fish").is_file()


def test_a_linked_start_up_file_stays_a_link(cli, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "bashrc").write_text("alias a=b\n")
    (tmp_path / ".bashrc").symlink_to("dotfiles/bashrc")
    assert cli("completion", "bash", "--install").code == 0
    assert (tmp_path / ".bashrc").is_symlink()
    assert "source '" in (tmp_path / "dotfiles" / "bashrc").read_text()


def test_a_dry_run_writes_nothing_and_fails_where_the_run_would(cli, tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("cat <<EOF\nnever closed\n")
    for words in (["--dry-run"], []):
        done = cli("completion", "bash", "--install", *words)
        assert done.code == 1
        assert "not closed" in done.err
        assert not (tmp_path / ".bash_completions").exists()
    (tmp_path / ".bashrc").unlink()
    assert cli("completion", "bash", "--install", "--dry-run").code == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_unknown_shell_is_wrong_usage(cli) -> None:
    done = cli("completion", "tcsh")
    assert done.code == 2
    assert "powershell" in done.err
