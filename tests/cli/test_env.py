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

KEY = "AQ.SANDBOX-" + "k" * 42
OTHER = "AQ.SANDBOX-" + "o" * 42
Run = Callable[..., subprocess.CompletedProcess[str]]


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
    assert list(home.glob(".bashrc.*")) == [], "no copy with a key lies beside it"
    (backup,) = backups(home)
    assert backup.read_text() == "# mine\nalias x=y\nexport GEMINI_API_KEY=old\nPS1='$ '\n"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    for folder in (backup.parent, backup.parent.parent, backup.parent.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def backups(home: Path) -> list[Path]:
    return sorted(path for path in (home / ".local/state/keyadmin/backups").glob("*/2*") if path.is_file())


def test_ten_backups_of_a_file_are_kept_and_none_is_written_over(run: Run, home: Path) -> None:
    path = home / ".bashrc"
    path.write_text("export GEMINI_API_KEY=mine\n")
    for number in range(12):
        assert _set(run, "bash", MY_KEY=f"AQ.SANDBOX-{number:040d}").returncode == 0
    texts = [each.read_text() for each in backups(home)]
    assert texts == [f"export GEMINI_API_KEY='AQ.SANDBOX-{number:040d}'\n" for number in range(1, 11)]


def test_a_file_is_restored_and_the_restoring_undone(run: Run, home: Path) -> None:
    path = home / ".bashrc"
    path.write_text("# mine\nexport GEMINI_API_KEY=first\n")
    path.chmod(0o644)
    said = _set(run, "bash").stderr
    assert f"env restore {path} --sandbox" in said
    path.write_text(path.read_text() + "alias new=1\n")
    changed = path.read_text()
    rows = json.loads(run("--sandbox", "env", "restore", "--list", "--format", "json").stdout)
    assert [(row["path"], row["number"]) for row in rows] == [(str(path), 1)]
    done = run("--sandbox", "env", "restore")
    assert done.returncode == 0, done.stderr
    assert path.read_text() == "# mine\nexport GEMINI_API_KEY=first\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KEY not in done.stdout + done.stderr
    assert run("--sandbox", "env", "restore", str(path)).returncode == 0
    assert path.read_text() == changed, "what was changed since is not lost"
    assert run("--sandbox", "env", "restore", str(path), "--number", "9").returncode == 1
    assert run("--sandbox", "env", "restore", str(home / "other")).returncode == 1


def test_restoring_without_any_backup_is_wrong_usage(run: Run) -> None:
    done = run("--sandbox", "env", "restore")
    assert (done.returncode, "no backup of any file" in done.stderr) == (2, True)
    assert json.loads(run("--sandbox", "env", "restore", "--list", "--format", "json").stdout) == []


def test_the_former_key_does_not_lie_in_a_file_that_git_would_take_up(run: Run, home: Path) -> None:
    subprocess.run(["git", "init", "-q", str(home)], check=True)
    (home / ".gitignore").write_text(".env\n.local\n.config\n")
    (home / ".env").write_text(f"GEMINI_API_KEY={OTHER}\n")
    assert _set(run, "dotenv").returncode == 0
    status = subprocess.run(["git", "-C", str(home), "status", "--short"], capture_output=True, text=True, check=True)
    assert status.stdout == "?? .gitignore\n"


CASES = {
    "case arm": (
        "bash",
        'case "$HOST" in\n  work)\n    export GEMINI_API_KEY=w ;;\n  *)\n    export GEMINI_API_KEY=h ;;\nesac\n',
    ),
    "prefix of a command": ("bash", 'gem() {\n  GEMINI_API_KEY=old npx gemini "$@"\n}\n'),
    "if and else": ("bash", "if true; then\n  export GEMINI_API_KEY=a\nelse\n  export GEMINI_API_KEY=b\nfi\n"),
    "several lines": ("bash", 'export GEMINI_API_KEY="$(cat \\\n   ~/.secrets/gemini)"\nexport EDITOR=vi\n'),
    "several on a line": ("bash", "export GEMINI_API_KEY=abc FOO=1 BAR=2\nexport GEMINI_API_KEY=abc; export EDITOR=vi\n"),
    "function": ("bash", "usegem() {\n  export GEMINI_API_KEY=x\n}\n"),
    "behind another": ("bash", "export FOO=1 GEMINI_API_KEY=abc\n"),
    "fish question": ("fish", "set -q GEMINI_API_KEY && echo yes\nif test -d ~/x\n  set -gx GEMINI_API_KEY abc\nend\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_lone_line_stays_and_a_block_at_the_end_does_it(run: Run, home: Path, name: str) -> None:
    shell, text = CASES[name]
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    path = home / "file"
    for words, line in ((["set", "--key-from-env", "MY_KEY"], KEY), (["unset"], "")):
        path.write_text(text)
        done = run("--sandbox", "env", *words, "--shell", shell, "--file", str(path))
        assert done.returncode == 0, done.stderr
        assert path.read_text().startswith(text), "every line that was there is there"
        assert line in path.read_text()
        assert subprocess.run([shell, "-n", str(path)], check=False).returncode == 0
    sets = name != "prefix of a command"
    assert ("unset GEMINI_API_KEY" in path.read_text() or "set -e GEMINI_API_KEY" in path.read_text()) is sets
    assert ("a block of lines marked keyadmin unsets it" in done.stderr) is sets


def test_powershell_lines_that_are_not_alone_are_refused(run: Run, home: Path) -> None:
    text = 'if ($env:CI) {\n  $env:GEMINI_API_KEY = "a"\n}\n$env:GEMINI_API_KEY = @"\nabc\n"@.Trim()\n'
    (home / "profile.ps1").write_text(text)
    for words in (["set", "--key-from-env", "MY_KEY"], ["unset"]):
        done = run("--sandbox", "env", *words, "--file", str(home / "profile.ps1"))
        assert done.returncode == 1
        assert "in line 2, 4 in a form that keyadmin does not change" in done.stderr
        assert (home / "profile.ps1").read_text() == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_powershell_files_keep_their_encoding(run: Run, home: Path, encoding: str) -> None:
    path = home / "profile.ps1"
    path.write_bytes("# café\r\n$env:GEMINI_API_KEY = 'old' # mine\r\nfunction x { 'y' }\r\n".encode(encoding))
    assert run("--sandbox", "env", "set", "--key-from-env", "MY_KEY", "--file", str(path)).returncode == 0
    expected = f"# café\r\n$env:GEMINI_API_KEY = '{KEY}' # mine\r\nfunction x {{ 'y' }}\r\n"
    assert path.read_bytes().decode(encoding) == expected


@pytest.mark.parametrize(
    "value",
    ["AQ.SANDBOX-x';touch${IFS}PWN;'", "AQ.SANDBOX-" + "x" * 8, "AQ.SANDBOX-" + "x" * 246, "AQ.SANDBOX-" + "x" * 30 + "#"],
)
def test_what_is_no_key_string_is_not_written_into_a_file_that_is_run(run: Run, home: Path, value: str) -> None:
    done = run("--sandbox", "env", "set", "--key-from-env", "MY_KEY", "--shell", "bash", MY_KEY=value)
    assert done.returncode == 1
    assert "that is not a key string" in done.stderr
    assert value not in done.stdout + done.stderr
    assert not (home / ".bashrc").exists()


def test_what_else_is_set_and_wins_is_said(run: Run, home: Path) -> None:
    (home / ".zshenv").write_text(f"export GOOGLE_API_KEY={OTHER}\n")
    (home / ".profile").write_text("export GEMINI_API_KEY=another-one\n")
    (home / ".bashrc").write_text("[[ $- == *i* ]] || return\nif true; then export GEMINI_API_KEY=x; fi\nexec fish\n")
    said = _set(run, "bash").stderr
    assert "GOOGLE_API_KEY is set in" in said
    assert ".zshenv:1, and Gemini's libraries take it before GEMINI_API_KEY" in said
    assert f"GEMINI_API_KEY is set in {home}/.profile:1 too" in said
    assert "line 2 of" in said
    assert "(return) may end the file before line 6" in said
    assert "(exec) may end the file before line 6" in said


def test_without_the_shell_only_the_block_is_written_and_that_is_said(run: Run, home: Path) -> None:
    (home / ".zshrc").write_text("export GEMINI_API_KEY=old\n")
    done = _set(run, "zsh", PATH="/nonexistent")
    assert done.returncode == 0, done.stderr
    assert "zsh is not installed and cannot check the file" in done.stderr
    text = (home / ".zshrc").read_text()
    assert text.startswith("export GEMINI_API_KEY=old\n# >>> keyadmin GEMINI_API_KEY >>>\n")
    again = _set(run, "zsh", PATH="/nonexistent")
    assert (again.returncode, (home / ".zshrc").read_text()) == (0, text)


def test_a_dry_run_says_what_the_run_does_and_fails_where_it_fails(run: Run, home: Path) -> None:
    path = home / ".bashrc"
    path.write_text("if true; then export GEMINI_API_KEY=x; fi\n")
    dry = _set(run, "bash", "--dry-run")
    assert (dry.returncode, path.read_text()) == (0, "if true; then export GEMINI_API_KEY=x; fi\n")
    done = _set(run, "bash")
    notes = [line for line in done.stderr.splitlines() if line.startswith("Note: ")]
    assert notes
    assert [line for line in dry.stderr.splitlines() if line.startswith("Note: ")] == notes
    path.write_text("readonly GEMINI_API_KEY=x\n")
    dry, done = _set(run, "bash", "--dry-run"), _set(run, "bash")
    assert (dry.returncode, dry.stderr) == (done.returncode, done.stderr)
    assert done.returncode == 1
    assert "read-only" in done.stderr
    assert path.read_text() == "readonly GEMINI_API_KEY=x\n"


def test_show_reads_every_place_and_warns_of_what_it_cannot_read(run: Run, home: Path) -> None:
    (home / ".profile").write_bytes(b"# caf\xe9\nexport GEMINI_API_KEY=latin-one-latin-one-1\n")
    (home / ".bashrc").write_bytes(b"\xff\xfee\x00")
    (home / ".bash_login").mkdir()
    fish = home / ".config" / "fish"
    (fish / "conf.d").mkdir(parents=True)
    (fish / "conf.d" / "keys.fish").write_text("set -Ux GEMINI_API_KEY conf-d-conf-d-conf-d-1\n")
    (fish / "fish_variables").write_text("# VERSION: 3.0\n\nSETUVAR --export GEMINI_API_KEY:AIza\\x2duniversal\nSETUVAR x:y\n")
    for name in (".env.local", ".envrc", ".gemini/.env"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text("export GOOGLE_API_KEY=value-value-value-value\n")
    (home / ".zshrc").write_text("export GEMINI_API_KEY=$(pass gemini)\n")
    done = run("env", "show", "--format", "json", "--sandbox")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    found = {(Path(row["source"]).name, row["variable"], row["line"]) for row in rows}
    assert found == {
        (".profile", "GEMINI_API_KEY", 2), ("keys.fish", "GEMINI_API_KEY", 1), ("fish_variables", "GEMINI_API_KEY", 3),
        (".env.local", "GOOGLE_API_KEY", 1), (".envrc", "GOOGLE_API_KEY", 1), (".env", "GOOGLE_API_KEY", 1),
        (".zshrc", "GEMINI_API_KEY", 1),
    }  # fmt: skip
    assert [row["maskedKey"] for row in rows if row["source"].endswith(".zshrc")] == [None]
    assert ".bashrc cannot be used: it is UTF-16 or binary" in done.stderr
    assert ".bash_login is not a regular file" in done.stderr
    assert ".profile is not UTF-8 text (line 1): it was read all the same" in done.stderr


def test_unset_says_where_the_variable_is_still_set(run: Run, home: Path) -> None:
    fish = home / ".config" / "fish"
    fish.mkdir(parents=True)
    (fish / "fish_variables").write_text("SETUVAR --export GEMINI_API_KEY:universal-universal\n")
    (home / ".profile").write_text("export GEMINI_API_KEY=other-other-other-other\n")
    (home / ".bashrc").write_text("export GEMINI_API_KEY=old\n")
    said = run("--sandbox", "env", "unset", "--shell", "bash", GEMINI_API_KEY=OTHER).stderr
    assert "still set in this terminal: unset GEMINI_API_KEY" in said
    assert f"still set in {fish}/fish_variables:1: in fish, type: set -eU GEMINI_API_KEY" in said
    assert f"still set in {home}/.profile:1: take it out of {home}/.profile" in said


def test_zsh_files_are_where_zdotdir_says(run: Run, home: Path) -> None:
    (home / "z").mkdir()
    assert _set(run, "zsh", ZDOTDIR=str(home / "z")).returncode == 0
    assert KEY in (home / "z" / ".zshrc").read_text()
    assert not (home / ".zshrc").exists()


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
