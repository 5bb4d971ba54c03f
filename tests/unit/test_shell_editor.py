"""The editor of start-up files: shells run them before and after, and nothing but the variable differs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings

from keyadmin.local.environment.checker import Checker, checker
from keyadmin.local.environment.dialects import DIALECTS, Syntax
from keyadmin.local.environment.editor import Editor
from keyadmin.model.env_text import encode
from keyadmin.model.problem import Problem
from keyadmin.model.secret import KeyString
from tests import start_up_files
from tests.start_up_files import NAME

EXAMPLES = int(os.environ.get("KEYADMIN_TEST_START_UP_FILES", "30"))  # files a shell
KEY = "AQ.SANDBOX-" + "k" * 42
OTHER = "AQ.SANDBOX-" + "o" * 42
NOISE = (
    r"_|BASH_\w+|BASHPID|COLUMNS|LINES|EPOCH\w+|FUNCNAME|LINENO|PPID|RANDOM|SECONDS|SRANDOM|SHLVL|TTYIDLE|fish_pid|PIPESTATUS"
    r"|pipestatus|status|argv|func\w+|\?|TTY|HISTCMD|fish_kill\w*|status_generation"
)

# Runs a file as the shell does at its start, and says on the third descriptor what it left behind.
RUN = {
    "bash": ["bash", "--norc", "--noprofile", "-c", ". ./rc; { declare -p; declare -f; alias; shopt; set -o; pwd; } >&3; :"],
    "zsh": ["zsh", "-f", "-c", "setopt aliases; . ./rc; { typeset -p; functions; alias; setopt; pwd; } >&3; :"],
    "fish": ["fish", "--no-config", "-c", "source ./rc; set -L >state; for f in (functions -n | string split ', ' | "
             "string match -r '^(?:f_|gem|ll|g$).*'); functions --no-details $f >>state; end; true"],
}  # fmt: skip


@dataclass(frozen=True)
class Left:
    """What running a file left: its output, all variables, functions and options but the one, and the one."""

    output: str
    state: str
    value: str | None


def syntax_of(shell: str) -> Syntax:
    return "fish" if shell == "fish" else "posix"


def editor(text: str, shell: str, check: Checker | None = None) -> Editor:
    return Editor(text, NAME, DIALECTS[syntax_of(shell)], check or checker(shell, os.environ), "FILE")


def run(shell: str, text: str, folder: Path) -> Left:
    """Run it in an empty environment."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (folder / "rc").write_bytes(encode(text))
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb", "XDG_CONFIG_HOME": str(home)}
    words = RUN[shell]
    state = folder / "state"
    state.write_bytes(b"")
    command = words if shell == "fish" else ["/bin/sh", "-c", 'exec "$@" 3>state', "sh", *words]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    left = state.read_bytes().decode("utf-8", "surrogateescape")
    ask = f'. ./rc >/dev/null 2>&1; printf "[%s]" "${{{NAME}-UNSET}}" >&3'
    if shell == "fish":
        ask = f"source ./rc >/dev/null 2>&1; printenv {NAME} >state; or echo -n UNSET >state"
        command = ["fish", "--no-config", "-c", ask]
    else:
        start = ["bash", "--norc", "--noprofile"] if shell == "bash" else ["zsh", "-f"]
        command = ["/bin/sh", "-c", 'exec "$@" 3>state', "sh", *start, "-c", ask]
    subprocess.run(command, cwd=folder, env=env, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    value = state.read_text("utf-8", "surrogateescape").strip().removeprefix("[").removesuffix("]")
    said = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
    said = re.sub(r"(line |rc:|rc \(line )\d+", r"\1N", said)  # lines that went count no more
    return Left(
        said,
        _others(shell, left),
        None if value == "UNSET" else value,
    )


def _others(shell: str, state: str) -> str:
    """The state without the variable, and without what differs from run to run."""
    prefix = r"(?:declare -\S+ |typeset (?:-\S+ )*|export (?:-\S+ )*)?" if shell != "fish" else ""
    after = "(?:=|$)" if shell != "fish" else "(?: |$)"
    return "\n".join(line for line in state.split("\n") if not re.match(rf"{prefix}(?:{NAME}|{NOISE}){after}", line))


def _check(shell: str, text: str, folder: Path) -> None:
    """Set, set again, unset: whatever the file, only the variable differs."""
    before = run(shell, text, folder)
    try:
        once = editor(text, shell).set(KeyString(KEY))
    except Problem as problem:
        refused = problem.message
    else:
        refused = ""
    if refused:
        assert re.search("its end is inside|ends in a backslash|waits for a command", refused), refused
        return
    if checker(shell, os.environ).complaint(text):  # the shell itself gives up on such a file before its end
        assert once.text.startswith(text)
        assert "does not accept the file as it was" in once.notes[0]
        return
    after = run(shell, once.text, folder)
    assert after.value == KEY, once.text
    assert (after.output, after.state) == (before.output, before.state), once.text
    again = editor(once.text, shell).set(KeyString(KEY))
    assert (again.how, again.text) == ("nothing", once.text), "a second time changes nothing"
    other = editor(once.text, shell).set(KeyString(OTHER))
    assert other.text == once.text.replace(KEY, OTHER), "another key goes to the same place"
    for source in (text, once.text):
        gone = editor(source, shell).unset()
        left = run(shell, gone.text, folder)
        assert not left.value, gone.text  # in zsh `export NAME` alone sets it to nothing
        assert (left.output, left.state) == (before.output, before.state), gone.text
        assert editor(gone.text, shell).unset().text == gone.text, "a second time changes nothing"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shells")


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


@pytest.mark.parametrize("piece", start_up_files._POSIX_MINE)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_each_form_of_posix_shells(folder: Path, shell: str, piece: str) -> None:
    needs(shell)
    _check(shell, f"A=1\n{piece}\nB2=2\n", folder)


@pytest.mark.parametrize("piece", start_up_files._FISH_MINE)
def test_each_form_of_fish(folder: Path, piece: str) -> None:
    needs("fish")
    _check("fish", f"set A 1\n{piece}\nset B2 2\n", folder)


@pytest.mark.parametrize("shell", ["bash", "zsh", "sh"])
@pytest.mark.parametrize(
    "end", ["A=1\\\n", "true \\\n", "printf 'a\\n' \\\n", "# comment \\\n", "# comment \\", "true # \\\n", "true;", "A=1"]
)
def test_the_block_is_no_part_of_what_stands_before_it(folder: Path, shell: str, end: str) -> None:
    needs(shell)
    found = editor(f"A=1\n{end}", shell).set(KeyString(KEY))
    assert found.how == "block"
    assert found.text.startswith(f"A=1\n{end}")
    if shell != "sh":
        before, after = run(shell, f"A=1\n{end}", folder), run(shell, found.text, folder)
        assert (after.output, after.state, after.value) == (before.output, before.state, KEY)


@pytest.mark.parametrize(
    ("shell", "text", "why"),
    [
        ("bash", "cat <<EOF\ntext\n", "is inside something that is not closed"),
        ("zsh", "cat <<EOF\ntext\n", "is inside something that is not closed"),
        ("zsh", "for x in a b\n", "is inside something that is not closed"),
        ("zsh", "true &&\n", "waits for a command"),
        ("bash", "true \\", "ends in a backslash"),
        ("bash", f"readonly {NAME}=x\n", "read-only"),
        ("zsh", f"typeset -rx {NAME}=x\n", "read-only"),
    ],
)
def test_where_a_block_would_not_be_run_nothing_is_changed(shell: str, text: str, why: str) -> None:
    needs(shell)
    with pytest.raises(Problem, match=why):
        editor(text, shell).set(KeyString(KEY))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_files_at_random(folder: Path, shell: str) -> None:
    needs(shell)
    texts = start_up_files.fish() if shell == "fish" else start_up_files.posix(shell)

    @settings(max_examples=EXAMPLES)
    @given(texts)
    def check(text: str) -> None:
        _check(shell, text, folder)

    check()


REAL = {
    "bash": ["/etc/skel/.bashrc", "/etc/bash.bashrc", "/etc/profile", "/usr/share/bash-completion/bash_completion"],
    "zsh": ["/etc/zsh/zshrc", "/usr/share/zsh/functions/Completion/compinit", "/usr/share/zsh/functions/MIME/pick-web-browser"],
    "fish": ["/usr/share/fish/config.fish", "/usr/share/fish/functions/fish_git_prompt.fish"],
    "sh": ["/usr/bin/which", "/usr/bin/ldd", "/usr/bin/zgrep"],
}


@pytest.mark.parametrize(("shell", "path"), [(shell, Path(path)) for shell, paths in REAL.items() for path in paths])
def test_files_of_others_as_they_are_on_this_machine(shell: str, path: Path) -> None:
    needs(shell)
    if not path.is_file() or checker(shell, os.environ).complaint(text := path.read_text("utf-8", "surrogateescape")):
        pytest.skip(f"{path} is not there, or not a file of {shell}")
    once = editor(text, shell).set(KeyString(KEY))
    assert (once.how, once.text.startswith(text)) == ("block", True)
    assert editor(once.text, shell).unset().text.rstrip("\n") == text.rstrip("\n")
    lone = f"set -gx {NAME} old\n" if shell == "fish" else f"export {NAME}=old\n"
    for whole in (lone + text, text.rstrip("\n") + "\n" + lone):
        assert editor(whole, shell).set(KeyString(KEY)).how == "line"
