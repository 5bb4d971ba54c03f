"""Where every failure ends: words, the JSON object, the exit code, and nothing secret."""

from __future__ import annotations

import errno
import logging
import subprocess
import sys
from typing import Any, NoReturn

import pytest
import typer

from keyadmin.cli.session import current
from keyadmin.model.problem import Cause, Exit, Problem, usage

KEY = "AIza" + "SyD-0123456789abcdefghijklmnopqrstuv"[:35]


def raising(error: BaseException) -> Any:
    """A command that fails with `error`."""

    def trial() -> NoReturn:
        raise error

    return trial


def test_a_problem_is_what_why_and_what_to_type(cli, command) -> None:
    problem = Problem(
        Cause.MISSING_IAM_PERMISSION,
        "apikeys.keys.create is missing on demo-project",
        status="PERMISSION_DENIED",
        permission="apikeys.keys.create",
        project="demo-project",
        fix=("ask for roles/serviceusage.apiKeysAdmin", "then try again"),
    )
    done = cli(command(raising(problem)), "--format", "json")
    assert (done.code, done.out) == (1, "")
    lines = done.err.splitlines()
    assert lines[0] == "Error: apikeys.keys.create is missing on demo-project"
    assert "  What to do: ask for roles/serviceusage.apiKeysAdmin" in lines
    assert "              then try again" in lines
    assert done.error == {
        "cause": "missing-iam-permission",
        "message": "apikeys.keys.create is missing on demo-project",
        "status": "PERMISSION_DENIED",
        "permission": "apikeys.keys.create",
        "project": "demo-project",
        "fix": ["ask for roles/serviceusage.apiKeysAdmin", "then try again"],
    }


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_ends_with_advice_and_its_exit_code(cli, command, cause: Cause) -> None:
    done = cli(command(raising(Problem(cause, "It failed"))), "--format", "json")
    credentials = cause in (
        Cause.CREDENTIALS_MISSING,
        Cause.CREDENTIALS_EXPIRED,
        Cause.REAUTHENTICATION_REQUIRED,
        Cause.SERVICE_ACCOUNT_KEY_INVALID,
        Cause.WORKLOAD_IDENTITY_MISCONFIGURED,
    )
    assert done.code == (4 if credentials else 1)
    assert done.error["cause"] == cause.value
    assert done.error["fix"] or cause is Cause.UNKNOWN  # no advice is invented for what nobody knows
    assert "Traceback" not in done.err


def test_without_json_no_object_is_printed(cli, command) -> None:
    assert '{"error"' not in cli(command(raising(Problem(Cause.UNKNOWN, "It failed")))).err


def test_wrong_usage_found_by_a_command_ends_with_2(cli, command) -> None:
    assert cli(command(raising(usage("give one of them")))).code == 2


def test_a_command_may_end_with_another_code(cli, command) -> None:
    def trial() -> Exit:
        return Exit.FOUND

    assert cli(command(trial)).code == 3


def test_what_nobody_expected_is_short_and_has_no_traceback(cli, command) -> None:
    name = command(raising(ValueError(f"bad thing near {KEY}\nsecond line")))
    done = cli(name, "--format", "json")
    assert done.code == 1
    assert "ValueError: bad thing near AIza...rstu" in done.err
    assert done.error["cause"] == "unknown"
    assert "Traceback" not in done.err
    assert KEY not in done.err
    assert "second line" not in done.err


def test_a_key_string_is_not_cut_into_something_that_no_pattern_knows(cli, command) -> None:
    done = cli(command(raising(ValueError("x" * 280 + KEY))))
    assert KEY[:10] not in done.err


def test_verbose_shows_the_traceback_masked(cli, command) -> None:
    def trial() -> None:
        try:
            raise ValueError(KEY)
        except ValueError as error:
            raise Problem(Cause.UNKNOWN, f"with {KEY}") from error

    done = cli(command(trial), "--verbose", "--format", "json")
    assert "Traceback" in done.err
    assert KEY not in done.err
    assert done.error["message"] == "with AIza...rstu"


def test_the_first_telling_problem_of_a_group_is_reported(cli, command) -> None:
    group = ExceptionGroup("two", [ValueError("x"), ExceptionGroup("in", [Problem(Cause.RATE_LIMITED, "too fast")])])
    assert cli(command(raising(group)), "--format", "json").error["cause"] == "rate-limited"


def test_control_characters_of_others_do_not_reach_the_terminal(cli, command) -> None:
    done = cli(command(raising(Problem(Cause.UNKNOWN, "project \x1b]0;owned\x07 \u202eevil"))), "--format", "json")
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err
    assert "\\x1b]0;owned\\x07" in done.err
    assert done.error["message"] == "project \x1b]0;owned\x07 \u202eevil"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_interruption_ends_with_130_and_says_what_is_half_made(cli, command, error: BaseException) -> None:
    def trial(context: typer.Context) -> None:
        observer = current(context).observer
        with observer.half_made("the key of before (done since)"):
            pass
        with observer.half_made("key ka-1 exists and is not verified"):
            raise error

    done = cli(command(trial), "--format", "json")
    assert done.code == 130
    assert "Interrupted" in done.err
    assert "Left unfinished: key ka-1 exists and is not verified" in done.err
    assert "done since" not in done.err
    assert done.error["message"] == "interrupted; left unfinished: key ka-1 exists and is not verified"


def test_a_failure_says_what_is_half_made(cli, command) -> None:
    def trial(context: typer.Context) -> None:
        with current(context).observer.half_made("a service account without a key"):
            raise Problem(Cause.SERVICE_UNAVAILABLE, "try later")

    assert "Left unfinished: a service account without a key" in cli(command(trial)).err


def test_a_full_disk_is_said_plainly(cli, command) -> None:
    done = cli(command(raising(OSError(errno.ENOSPC, "No space left on device"))))
    assert (done.code, done.err.splitlines()[0]) == (1, "Error: there is no space left on the disk")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
def test_a_full_disk_under_the_output_is_said_plainly(home) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "keyadmin", "config", "list"],
            env=home,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "Error: there is no space left on the disk"
    assert "Exception" not in done.stderr


def test_a_reader_that_went_away_is_no_complaint(home) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "keyadmin", "config", "list"],
        env=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stderr:
        assert stderr.read() == ""
    assert process.wait(60) == 0


@pytest.mark.parametrize("verbose", [False, True])
def test_log_records_of_libraries_are_said_with_verbose_alone(cli, command, verbose: bool) -> None:
    def trial() -> None:
        try:
            raise ValueError(KEY)
        except ValueError:
            logging.getLogger("asyncio").exception("a task failed")
            logging.getLogger("keyadmin.cloud").debug("a detail of keyadmin's own")
            logging.getLogger("google").debug("a whole answer")

    done = cli(command(trial), *(["--verbose"] if verbose else []))
    assert ("a task failed" in done.err) is verbose
    assert ("Traceback" in done.err) is verbose
    assert ("a detail of keyadmin's own" in done.err) is verbose
    assert "a whole answer" not in done.err
    assert KEY not in done.err


def test_a_closed_output_is_no_failure(home) -> None:
    line = f'exec "{sys.executable}" -m keyadmin config list >&-'
    done = subprocess.run(["sh", "-c", line], env=home, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_names_that_the_output_cannot_carry_are_escaped(typed) -> None:
    env = {"PYTHONIOENCODING": "ascii", "KEYADMIN_IMPERSONATE_SERVICE_ACCOUNT": "caf\u00e9@example.com"}
    get = ("config", "get", "impersonate-service-account")
    assert "caf\\xe9@example.com" in typed(*get, env=env).out
    assert typed(*get, "--format", "json", env=env).json["value"] == "caf\u00e9@example.com"
    assert "\\xE9" in typed(*get, "--format", "yaml", env=env).out


def test_the_stderr_of_a_reader_that_went_away_is_no_complaint(home) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "keyadmin", "confg"], env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    process.stderr.close()
    assert process.stdout is not None
    with process.stdout as stdout:
        assert stdout.read() == ""
    assert process.wait(60) in (1, 2)


def test_links_are_not_broken_over_lines(cli, command) -> None:
    link = f"https://console.example/{'a/long/way/' * 12}end"
    problem = Problem(Cause.API_NOT_ENABLED, "off", notes=[f"See {link} and go on."])
    assert link in cli(command(raising(problem))).err


def test_the_reason_is_no_wider_than_the_terminal(cli, command) -> None:
    name = command(raising(Problem(Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, "no project", fix=("look",))))
    told = cli(name, terminal=True, env={"COLUMNS": "60"}).err.splitlines()
    assert len(told) > 5
    assert max(map(len, told)) <= 60
    assert max(map(len, cli(name, env={"COLUMNS": "60"}).err.splitlines())) > 60, "a pipe has no width"
