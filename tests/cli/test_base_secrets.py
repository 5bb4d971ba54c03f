"""Key strings come in by stdin, a variable or an unseen prompt; as arguments they are refused and not echoed."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer

from keyadmin.cli.options import KeyFromEnv
from keyadmin.cli.secret_input import asked_or_read, key_string
from keyadmin.cli.session import current

BODY = "SyD-0123456789abcdefghijklmnopqrstuv"[:35]
STANDARD = "AIza" + BODY
AUTH = "AQ." + "Ab8RN6J" + BODY
SANDBOX = "AQ.SANDBOX-" + BODY
SANDBOX_STANDARD = "AIza" + "SANDBOX" + BODY[:28]


def reader(context: typer.Context, key: str = "", key_from_env: KeyFromEnv = None) -> None:
    found = key_string(current(context), key, key_from_env)
    print("a name" if found is None else found.reveal()[::-1])


def asker(context: typer.Context, key: Annotated[str | None, typer.Argument()] = None, key_from_env: KeyFromEnv = None) -> None:
    print(asked_or_read(current(context), key, key_from_env).reveal()[::-1])


@pytest.mark.parametrize("secret", [STANDARD, AUTH, SANDBOX, SANDBOX_STANDARD, STANDARD[:25], AUTH[:20]])
@pytest.mark.parametrize(
    "line",
    [
        ("keys", "verify", "{}"),
        ("keys", "verify", "--key={}"),
        ("{}",),
        ("--{}",),
        ("-p", "{}", "keys", "list"),
        ("confg", "x={}x"),
    ],
    ids=" ".join,
)
def test_a_key_string_as_an_argument_is_refused_and_not_echoed(cli, secret: str, line) -> None:
    done = cli(*(word.format(secret) for word in line), "--format", "json")
    assert done.code == 2
    assert done.out == ""
    assert secret[8:] not in done.err
    assert "--key-from-env" in done.err
    assert done.error["cause"] == "invalid-argument"


def test_names_that_only_look_a_little_like_one_are_fine(cli, command) -> None:
    done = cli(command(reader), "--key", "AIza maps key")
    assert (done.code, done.out) == (0, "a name\n")


def test_it_is_read_from_stdin(cli, command) -> None:
    assert cli(command(reader), "--key", "-", stdin=f"  {STANDARD}\n").out == STANDARD[::-1] + "\n"


def test_it_is_read_from_a_variable(cli, command) -> None:
    assert cli(command(reader), "--key-from-env", "MY_KEY", env={"MY_KEY": AUTH}).out == AUTH[::-1] + "\n"


@pytest.mark.parametrize("stdin", ["", "\n", f"{STANDARD}\n{STANDARD}\n", "a b", "x" * 5000, "k\x00y"])
def test_what_is_not_one_key_string_is_refused(cli, command, stdin: str) -> None:
    done = cli(command(reader), "--key", "-", stdin=stdin)
    assert done.code == 2
    assert STANDARD not in done.err


def test_an_unset_variable_and_two_ways_at_once_are_refused(cli, command) -> None:
    name = command(reader)
    assert "MY_KEY is not set" in cli(name, "--key-from-env", "MY_KEY").err
    assert cli(name, "--key-from-env", "MY_KEY").code == 2
    assert cli(name, "--key", "-", "--key-from-env", "MY_KEY", env={"MY_KEY": AUTH}).code == 2
    assert cli(name, "--key-from-env", "not a name").code == 2


def test_without_a_terminal_nobody_is_asked(cli, command) -> None:
    done = cli(command(asker))
    assert done.code == 2
    assert "a key string is needed" in done.err


def test_a_person_at_a_terminal_types_it_unseen(cli, command, monkeypatch) -> None:
    prompts = []

    def answer(prompt: str, stream: object) -> str:
        prompts.append(prompt)
        return STANDARD

    monkeypatch.setattr("getpass.getpass", answer)
    done = cli(command(asker), terminal=True)
    assert (done.code, done.out) == (0, STANDARD[::-1] + "\n")
    assert prompts == ["Key string (not shown): "]


def test_a_key_string_in_a_note_or_warning_is_masked(cli, command) -> None:
    def trial(context: typer.Context) -> None:
        console = current(context).console
        console.note(f"n {STANDARD}")
        console.warning(f"w {AUTH}")
        console.detail(f"d {SANDBOX}")

    done = cli(command(trial), "--verbose")
    assert done.err == "n AIza...rstu\nWarning: w AQ....rstu\nd AQ.SANDBOX-...rstu\n"


@pytest.mark.parametrize("secret", [STANDARD, AUTH, SANDBOX])
@pytest.mark.parametrize(
    "variable",
    [
        "KEYADMIN_PROJECT",
        "KEYADMIN_QUOTA_PROJECT",
        "KEYADMIN_IMPERSONATE_SERVICE_ACCOUNT",
        "KEYADMIN_SANDBOX_USER",
        "KEYADMIN_FORMAT",
        "KEYADMIN_SANDBOX",
    ],
)
def test_a_key_string_in_a_variable_for_something_else_is_not_used(cli, secret: str, variable: str) -> None:
    done = cli("keys", "list", env={"KEYADMIN_SANDBOX": "1", variable: secret})
    assert (done.code, done.out) == (2, "")
    assert secret not in done.err
