"""Completion of project ids and key names in real shells: from the cache alone, and never anything a shell would run."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from keyadmin.cli.remember import cache_of
from keyadmin.cli.settings import settle
from keyadmin.local.cache import MOST_ACCOUNTS, NameCache, cache_dir
from tests.waiting import DEADLINE_S

HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "\\$(touch pwned)",
    '"; touch pwned; "',
    "'); touch pwned; ('",
    "a:b\n;touch pwned",
]


@pytest.fixture
def shell_env(home: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which `keyadmin` is the one under test and works in the sandbox."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    script = bin_ / "keyadmin"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m keyadmin "$@"\n')
    script.chmod(0o755)
    return home | {"PATH": f"{bin_}:{home['PATH']}", "KEYADMIN_SANDBOX": "1", "TERM": "xterm", "LANG": "C.UTF-8"}


@pytest.fixture
def remembered(home: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write the cache as list commands would."""
    monkeypatch.setenv("XDG_CONFIG_HOME", home["XDG_CONFIG_HOME"])

    def write(projects: Mapping[str, str], keys: Mapping[str, Mapping[str, str]] | None = None, **variables: str) -> None:
        env = home | {"KEYADMIN_SANDBOX": "1"} | variables
        path = cache_of(settle({}, env), env).path
        path = tmp_path / "cache" / path.relative_to(cache_dir().parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"projects": projects, "keys": keys or {}}))

    return write


@pytest.fixture
def offered(typed, home: dict[str, str]) -> Callable[..., list[str]]:
    """What bash would be offered for a line of words."""

    def complete(words: str, **env: str) -> list[str]:
        place = str(len(words.split(" ")) - 1)
        asked = {"_KEYADMIN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place, "KEYADMIN_SANDBOX": "1"}
        done = typed(env=asked | env)
        assert (done.code, done.err) == (0, ""), done.err
        return done.out.split()

    return complete


# --- what is offered ------------------------------------------------------------------------------------------------------


def test_list_commands_fill_the_cache_that_completes_projects(cli, offered) -> None:
    assert offered("keyadmin projects use ") == []
    assert cli("--sandbox", "projects", "list", "--all").code == 0
    assert {"demo-project", "old-maps-site"} <= set(offered("keyadmin projects use "))
    assert offered("keyadmin projects use dem") == ["demo-project"]
    assert offered("keyadmin keys list --project cro") == ["crowded-project"]
    assert offered("keyadmin doctor old") == ["old-maps-site"]


def test_listing_keys_fills_the_cache_that_completes_their_names(cli, offered) -> None:
    assert cli("--sandbox", "keys", "create", "--name", "chatbot", "--key-id", "key-one").code == 0
    assert cli("--sandbox", "keys", "list").code == 0
    assert offered("keyadmin keys describe ch") == ["chatbot"]
    assert offered("keyadmin keys show ") == ["chatbot"]


def test_a_key_whose_name_is_no_single_word_is_offered_by_its_id(remembered, offered) -> None:
    remembered({}, {"demo-project": {"key-one": "my key", "key-two": "plain", "key-three": "twice", "key-four": "twice"}})
    assert offered("keyadmin keys describe ") == ["key-four", "key-one", "key-three", "plain"]


def test_the_keys_of_the_project_that_is_meant(remembered, offered) -> None:
    remembered({}, {"demo-project": {"key-one": "one"}, "other-project": {"key-two": "two"}})
    assert offered("keyadmin keys describe ") == ["one"]
    assert offered("keyadmin keys describe -p other-project ") == ["two"]
    assert offered("keyadmin keys describe ", KEYADMIN_PROJECT="other-project") == ["two"]


def test_the_sandbox_and_google_have_caches_of_their_own(remembered, offered) -> None:
    remembered({"sandbox-one": ""})
    remembered({"google-one": ""}, KEYADMIN_SANDBOX="0")
    assert offered("keyadmin projects use ") == ["sandbox-one"]
    assert offered("keyadmin projects use ", KEYADMIN_SANDBOX="0") == ["google-one"]
    assert offered("keyadmin --sandbox projects use ", KEYADMIN_SANDBOX="0") == ["sandbox-one"]
    assert offered("keyadmin --no-sandbox projects use ") == ["google-one"]


def test_a_damaged_cache_offers_nothing_and_is_mended_by_the_next_list(cli, remembered, offered, tmp_path: Path) -> None:
    remembered({})
    (path,) = (tmp_path / "cache" / "keyadmin" / "sandbox-names").iterdir()
    for text in ("{", "[]", '{"projects": [1], "keys": {"p": 3}}', '{"projects": {"a": 1}}', "\x00"):
        path.write_text(text)
        assert offered("keyadmin projects use ") == []
        assert offered("keyadmin keys show ") == []
    assert cli("--sandbox", "projects", "list").code == 0
    assert "demo-project" in offered("keyadmin projects use ")


def test_a_cache_that_cannot_be_written_fails_no_list(cli, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert cli("--sandbox", "projects", "list").code == 0


def test_wrong_settings_offer_nothing_and_say_nothing(remembered, offered) -> None:
    remembered({"demo-project": ""})
    assert offered("keyadmin projects use ", KEYADMIN_SANDBOX="maybe") == []
    assert offered("keyadmin keys show ", KEYADMIN_FORMAT="nonsense") == []


ME = {"KEYADMIN_SANDBOX_USER": "me@example.net"}


def test_each_account_is_offered_its_own_names(cli, offered) -> None:
    cli("--sandbox", "projects", "list")
    assert offered("keyadmin projects use ", **ME) == []
    cli("--sandbox", "projects", "create", "my-own-project", env=ME)
    assert offered("keyadmin projects use ", **ME) == ["my-own-project"]
    mine = offered("keyadmin projects use ")
    assert "demo-project" in mine
    assert "my-own-project" not in mine


def test_an_account_that_is_acted_as_is_another_account(cli, offered) -> None:
    cli("--sandbox", "projects", "list")
    robot = "robot@demo-project.iam.gserviceaccount.com"
    assert offered(f"keyadmin --impersonate-service-account {robot} projects use ") == []
    assert offered("keyadmin projects use ", KEYADMIN_IMPERSONATE_SERVICE_ACCOUNT=robot) == []


def test_nothing_is_suggested_from_what_another_account_saw(cli) -> None:
    cli("--sandbox", "projects", "list")
    typo = ("--sandbox", "projects", "describe", "demo-projct", "--format", "json")
    assert any("demo-project" in step for step in cli(*typo).error["fix"])
    assert "demo-project" not in cli(*typo, env=ME).err


def test_each_sandbox_has_names_of_its_own(cli, offered, tmp_path: Path) -> None:
    cli("--sandbox", "projects", "list")
    assert offered("keyadmin projects use ", KEYADMIN_SANDBOX_STATE=str(tmp_path / "another.db")) == []
    assert offered("keyadmin projects use ", KEYADMIN_SANDBOX="http://127.0.0.1:1") == []
    assert "demo-project" in offered("keyadmin projects use ")


def test_each_account_of_google_s_is_told_by_its_credentials_without_asking_anybody(
    remembered, offered, tmp_path: Path
) -> None:
    for name in ("mine", "yours"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"type": "authorized_user", "refresh_token": name}))
        google = {"KEYADMIN_SANDBOX": "0", "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / f"{name}.json")}
        remembered({f"{name}-project": ""}, **google)
        assert offered("keyadmin projects use ", **google) == [f"{name}-project"]
    default = tmp_path / "gcloud" / "application_default_credentials.json"
    default.parent.mkdir()
    default.write_text((tmp_path / "mine.json").read_text())
    assert offered("keyadmin projects use ", KEYADMIN_SANDBOX="0", CLOUDSDK_CONFIG=str(default.parent)) == ["mine-project"]
    assert offered("keyadmin projects use ", KEYADMIN_SANDBOX="0") == []


def test_accounts_that_are_long_gone_are_forgotten(tmp_path: Path) -> None:
    for number in range(MOST_ACCOUNTS + 5):
        NameCache(f"account {number}", sandbox=False, directory=tmp_path).remember_projects({f"project-{number}": ""})
    kept = [NameCache(f"account {number}", sandbox=False, directory=tmp_path).projects() for number in range(MOST_ACCOUNTS + 5)]
    assert sum(map(bool, kept)) == MOST_ACCOUNTS
    assert kept[-1] == {f"project-{MOST_ACCOUNTS + 4}": ""}


def test_a_deleted_project_is_offered_no_more(cli, offered) -> None:
    cli("--sandbox", "projects", "list")
    cli("--sandbox", "projects", "delete", "demo-project", "--yes")
    assert "demo-project" not in offered("keyadmin projects use ")


def test_the_cache_holds_no_key_string(cli, tmp_path: Path) -> None:
    cli("--sandbox", "keys", "create", "--name", "chatbot", "--show")
    cli("--sandbox", "keys", "list")
    cli("--sandbox", "projects", "describe", "demo-project")
    (path,) = (tmp_path / "cache" / "keyadmin" / "sandbox-names").iterdir()
    text = path.read_text()
    assert "chatbot" in text
    assert "SANDBOX-" not in text


# --- in real shells -------------------------------------------------------------------------------------------------------


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


def run_script(shell: list[str], script: str, env: dict[str, str], tmp_path: Path) -> list[str]:
    done = subprocess.run(shell, input=script, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs("bash")
def test_bash_completes(remembered, shell_env, tmp_path: Path) -> None:
    remembered({"demo-project": "Demo", "other-project": "Other"}, {"demo-project": {"key-one": "chatbot"}})
    script = """
    eval "$(keyadmin completion bash 2>/dev/null)"
    try() { COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _keyadmin_completion keyadmin; printf '%s\\n' "${COMPREPLY[@]}"; }
    try keyadmin projects use d; try keyadmin keys show ''; try keyadmin projects des
    """
    lines = run_script(["bash", "--norc"], script, shell_env, tmp_path)
    assert lines == ["demo-project", "chatbot", "describe"]


@needs("fish")
def test_fish_completes(remembered, shell_env, tmp_path: Path) -> None:
    remembered({"demo-project": "Demo: the (first)"}, {"demo-project": {"key-one": "my key"}})
    script = """
    keyadmin completion fish 2>/dev/null | source
    complete -C "keyadmin projects use d"; complete -C "keyadmin keys show "; complete -C "keyadmin projects des"
    """
    lines = run_script(["fish", "--no-config"], script, shell_env, tmp_path)
    assert lines == ["demo-project\tDemo the first", "key-one\tmy key", lines[2]]
    assert lines[2].startswith("describe\t")


class Zsh:
    """An interactive zsh without the tester's settings: keys are typed, the screen is read."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        import pty

        self.end, end = pty.openpty()
        self.process = subprocess.Popen(
            ["zsh", "-f", "-i"], env=env, cwd=folder, stdin=end, stdout=end, stderr=end, start_new_session=True
        )
        os.close(end)
        self.seen = ""
        self.types("PS1='READY> '; autoload -U compinit; compinit -u -D\n")
        self.types('eval "$(keyadmin completion zsh 2>/dev/null)"; echo SET"UP"\n')
        self.sees("SETUP")

    def types(self, text: str) -> None:
        os.write(self.end, text.encode())

    def sees(self, text: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self.seen += os.read(self.end, 4096).decode(errors="replace")

    def leave(self) -> None:
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self.end)


@pytest.fixture
def zsh(shell_env, tmp_path: Path) -> Iterator[Callable[[], Zsh]]:
    started: list[Zsh] = []

    def start() -> Zsh:
        started.append(Zsh(shell_env, tmp_path))
        return started[-1]

    yield start
    for each in started:
        each.leave()


@needs("zsh")
def test_zsh_completes(remembered, zsh) -> None:
    remembered({"demo-project": "Demo: the (first)"}, {"demo-project": {"key-one": "chatbot"}})
    shell = zsh()
    shell.types("keyadmin projects use de\t")
    shell.sees("use demo-project")
    shell.types("\x15keyadmin keys show \t")
    shell.sees("show chatbot")
    shell.types("\x15keyadmin projects des\t")
    shell.sees("projects describe")


@needs("zsh")
def test_zsh_runs_nothing_that_stands_in_a_name(remembered, zsh, tmp_path: Path) -> None:
    """zsh reads what it is offered with eval; the names of projects and keys are written by others."""
    keys = {f"key-{place}": text for place, text in enumerate(HOSTILE)}
    projects = {f"project-{place}": text for place, text in enumerate(HOSTILE)}
    hostile = dict.fromkeys(HOSTILE, "")
    remembered(projects | hostile, {"demo-project": keys | hostile})
    shell = zsh()
    shell.types("keyadmin projects use \t\t")
    shell.sees("project-5")
    shell.types("\x15keyadmin keys show \t\t")
    shell.sees("key-5")
    assert not list(tmp_path.rglob("pwned"))


@needs("bash")
def test_bash_runs_nothing_that_stands_in_a_name(remembered, shell_env, tmp_path: Path) -> None:
    keys = {f"key-{place}": text for place, text in enumerate(HOSTILE)}
    remembered({"$(touch pwned)": ""}, {"demo-project": keys | {"`touch pwned`": "x"}})
    script = """
    eval "$(keyadmin completion bash 2>/dev/null)"
    COMP_WORDS=(keyadmin keys show ''); COMP_CWORD=3; _keyadmin_completion keyadmin; printf '%s\\n' "${COMPREPLY[@]}"
    COMP_WORDS=(keyadmin projects use ''); COMP_CWORD=3; _keyadmin_completion keyadmin; printf '%s\\n' "${COMPREPLY[@]}"
    """
    lines = run_script(["bash", "--norc"], script, shell_env, tmp_path)
    assert lines[: len(HOSTILE)] == sorted(keys)
    assert not list(tmp_path.rglob("pwned"))
