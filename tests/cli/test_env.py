"""`keyadmin env`: real shells see the variable; nothing else in their files changes."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.local.environment.syntax import Syntax, erased, read, written
from keyadmin.model.secret import KeyString

KEY = "AQ.SANDBOX-" + "k" * 42
OTHER = "AQ.SANDBOX-" + "o" * 42
Run = Callable[..., subprocess.CompletedProcess[str]]

_text = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=20),
        st.sampled_from(
            ["export GEMINI_API_KEYS=1", "export OTHER='x'", "set -gx OTHER 1", "# GEMINI_API_KEY=1", "$env:X = 1"]
        ),
    ).filter(lambda line: "GEMINI_API_KEY=" not in line or line.startswith("#")),
    max_size=6,
).map(lambda lines: "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("syntax", ["posix", "fish", "powershell"])
@given(before=_text, after=_text)
def test_only_the_line_of_the_variable_changes(syntax: Syntax, before: str, after: str) -> None:
    once = written(before, "GEMINI_API_KEY", KeyString(KEY), syntax)
    assert once.startswith(before)
    found = read(once + after, "GEMINI_API_KEY", syntax)
    assert found is not None
    assert found.value.reveal() == KEY
    assert found.line == before.count("\n") + 1
    again = written(once + after, "GEMINI_API_KEY", KeyString(OTHER), syntax)
    assert again == (once + after).replace(KEY, OTHER)
    assert erased(again, "GEMINI_API_KEY", syntax) == before + after


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    """Run keyadmin in a home of its own."""

    def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "keyadmin", *words],
            capture_output=True,
            text=True,
            timeout=180,
            cwd=home,
            env={**kept, "HOME": str(home), "SHELL": "/bin/bash", "MY_KEY": KEY, **env},
        )

    return run


def _set(run: Run, shell: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run("env", "set", "--key-from-env", "MY_KEY", "--shell", shell, "--sandbox", *words, **env)


@pytest.mark.parametrize(
    ("shell", "command"),
    [
        ("bash", ["bash", "-ic", "printenv GEMINI_API_KEY"]),
        ("zsh", ["zsh", "-ic", "printenv GEMINI_API_KEY"]),
        ("fish", ["fish", "-c", "printenv GEMINI_API_KEY"]),
        ("dotenv", ["bash", "-c", "set -a; . ./.env; printenv GEMINI_API_KEY"]),
    ],
)
def test_a_real_shell_sees_the_variable_and_no_longer_after_unset(run: Run, home: Path, shell: str, command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")

    def seen() -> str:
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb"}
        return subprocess.run(command, capture_output=True, text=True, cwd=home, env=env, timeout=180).stdout.strip()

    first = _set(run, shell)
    assert first.returncode == 0, first.stderr
    assert KEY not in first.stdout + first.stderr
    assert seen() == KEY
    files = {path: path.read_text() for path in home.rglob("*") if path.is_file() and ".config/keyadmin" not in str(path)}
    assert _set(run, shell).returncode == 0
    assert {path: path.read_text() for path in files} == files, "a second time changes nothing"
    assert run("env", "unset", "--shell", shell, "--sandbox").returncode == 0
    assert seen() == ""


def test_only_a_shell_s_own_file_is_said_to_reach_new_terminals(run: Run) -> None:
    assert "New terminals have it; in this one: source " in _set(run, "bash").stderr
    said = _set(run, "dotenv").stderr
    assert "New terminals" not in said
    assert "Programs that read .env there have it; in this terminal: set -a; . " in said


def test_taking_out_what_was_not_there_is_told_from_taking_out(run: Run) -> None:
    assert "GEMINI_API_KEY was not set in" in run("env", "unset", "--shell", "bash", "--sandbox").stderr
    _set(run, "bash")
    assert "GEMINI_API_KEY is no longer set in" in run("env", "unset", "--shell", "bash", "--sandbox").stderr


def test_the_file_keeps_its_other_lines_and_a_backup_is_made(run: Run, home: Path) -> None:
    path = home / ".bashrc"
    path.write_text("# mine\nalias x=y\nexport GEMINI_API_KEY=old\nPS1='$ '\n")
    path.chmod(0o644)
    assert _set(run, "bash").returncode == 0
    assert path.read_text() == f"# mine\nalias x=y\nexport GEMINI_API_KEY='{KEY}'\nPS1='$ '\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (backup,) = home.glob(".bashrc.keyadmin-*")
    assert backup.read_text().startswith("# mine\nalias x=y\nexport GEMINI_API_KEY=old\n")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_no_backup_is_written_over(run: Run, home: Path) -> None:
    path = home / ".bashrc"
    path.write_text("export GEMINI_API_KEY=mine\n")
    for key in (KEY, OTHER, KEY):
        assert _set(run, "bash", MY_KEY=key).returncode == 0
    backups = sorted(home.glob(".bashrc.keyadmin-*"))
    assert len(backups) == 3
    assert {stat.S_IMODE(each.stat().st_mode) for each in backups} == {0o600}
    assert sorted(each.read_text().count("mine") for each in backups) == [0, 0, 1]


def test_two_at_once_lose_no_line(run: Run, home: Path) -> None:
    lines = [f"V{number}={number}\n" for number in range(20)]
    (home / ".env").write_text("".join(lines))
    with ThreadPoolExecutor(3) as pool:
        names = ["GEMINI_API_KEY", "GOOGLE_API_KEY"] * 3
        ended = list(pool.map(lambda name: _set(run, "dotenv", "--variable", name), names))
    assert [each.returncode for each in ended] == [0] * 6
    kept = (home / ".env").read_text().splitlines(keepends=True)
    assert kept[:20] == lines
    assert sorted(kept[20:]) == [f"GEMINI_API_KEY={KEY}\n", f"GOOGLE_API_KEY={KEY}\n"]


def test_show_says_what_counts_and_warns(run: Run, home: Path) -> None:
    assert _set(run, "bash").returncode == 0
    (home / ".bashrc").chmod(0o644)
    subprocess.run(["git", "init", "-q"], cwd=home, check=True)
    (home / ".env").write_text(f"GOOGLE_API_KEY={OTHER}\n")
    subprocess.run(["git", "add", ".env"], cwd=home, check=True)
    ended = run("env", "show", "--format", "json", GEMINI_API_KEY=KEY, GOOGLE_API_KEY=OTHER)
    assert ended.returncode == 0, ended.stderr
    rows: list[dict[str, Any]] = json.loads(ended.stdout)
    assert [(row["variable"], Path(row["source"]).name, row["used"]) for row in rows] == [
        ("GOOGLE_API_KEY", "process", True),
        ("GEMINI_API_KEY", "process", False),
        ("GEMINI_API_KEY", ".bashrc", False),
        ("GOOGLE_API_KEY", ".env", False),
    ]
    assert "both set" in ended.stderr
    assert "readable by others" in ended.stderr
    assert "tracked by git" in ended.stderr
    for secret in (KEY, OTHER):
        assert secret not in ended.stdout + ended.stderr


@pytest.mark.parametrize("kind", ["link", "binary", "read-only"])
def test_what_cannot_be_written_is_said_and_left_alone(run: Run, home: Path, kind: str) -> None:
    path = home / ".bashrc"
    if kind == "link":
        (home / "dotfiles").write_text("# mine\n")
        path.symlink_to(home / "dotfiles")
    elif kind == "binary":
        path.write_bytes(b"\xff\xfe")
    else:
        if os.geteuid() == 0:
            pytest.skip("root may write anywhere")
        home.chmod(0o500)
    ended = _set(run, "bash")
    assert ended.returncode == 1
    assert ".bashrc" in ended.stderr
    assert "Traceback" not in ended.stderr
    if kind == "link":
        assert (home / "dotfiles").read_text() == "# mine\n"


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a file system that even root cannot write")
@pytest.mark.parametrize(("shell", "name"), [("bash", ".bashrc"), ("zsh", ".zshrc"), ("fish", "fish")])
def test_a_read_only_home_is_said(run: Run, shell: str, name: str) -> None:
    ended = _set(run, shell, HOME="/sys", XDG_CONFIG_HOME="/sys/.config")
    assert ended.returncode == 1
    assert name in ended.stderr
    assert "cannot be" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert KEY not in ended.stdout + ended.stderr


def test_a_sandbox_key_leaves_the_sandbox_only_with_the_flag(run: Run, home: Path) -> None:
    ended = run("env", "set", "--key-from-env", "MY_KEY", "--shell", "bash", KEYADMIN_SANDBOX="1")
    assert ended.returncode == 2
    assert "--sandbox" in ended.stderr
    assert not (home / ".bashrc").exists()


def test_programs_are_told_what_was_done(run: Run, home: Path) -> None:
    for command, present in ((["set", "--key-from-env", "MY_KEY"], True), (["unset"], False)):
        ended = run("--sandbox", "env", *command, "--shell", "bash", "--format", "json")
        told = json.loads(ended.stdout)
        assert told == {"variable": "GEMINI_API_KEY", "set": present, "place": str(home / ".bashrc")}


@pytest.mark.parametrize(("world", "key"), [("--no-sandbox", KEY), ("--sandbox", "AIza" + "k" * 35)])
def test_keys_of_the_sandbox_and_real_ones_are_not_taken_for_each_other(run: Run, home: Path, world: str, key: str) -> None:
    ended = run(world, "env", "set", "--key-from-env", "K", "--shell", "bash", K=key)
    assert ended.returncode == 3
    assert key not in ended.stderr
    assert not (home / ".bashrc").exists()


@pytest.mark.parametrize("words", [["--variable", "API_KEY"], ["--shell", "tcsh"]])
def test_wrong_names_are_usage(run: Run, words: list[str]) -> None:
    ended = run("env", "unset", *words)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
