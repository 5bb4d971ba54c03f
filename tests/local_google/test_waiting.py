"""Networks that do not answer: a first word, a limit, and an end at the first Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local_google import client
from tests.local_google.client import GEMINI, TARGET, LocalGoogle, service_account, user_with_quota, workload_file
from tests.local_google.conftest import Result, Started

Cli = Callable[..., Result]
Start = Callable[..., Started]
LIST = ("keys", "list", "-p", TARGET, "--format", "json")
TOKEN = [
    (user_with_quota, {"host": "oauth2.googleapis.com"}, "oauth2.googleapis.com"),
    (service_account, {"host": "oauth2.googleapis.com"}, "oauth2.googleapis.com"),
    (workload_file, {"host": "sts.googleapis.com"}, "sts.googleapis.com"),
    (client.workload_url, {"host": "metadata", "path": "/subject"}, "127.0.0.1"),
    (client.impersonated_flag, {"host": "iamcredentials.googleapis.com"}, "iamcredentials.googleapis.com"),
]


@pytest.mark.parametrize(("kind", "where", "named"), TOKEN)
def test_a_token_that_does_not_come_is_given_up_in_words(
    kind: Any, where: dict[str, Any], named: str, cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    google.faults({"kind": "hang", **where})
    done = cli(*LIST, "--timeout", "3s", env_=kind(google, tmp_path))
    assert (done.code, done.error["cause"]) == (1, "network-unreachable"), done.err
    assert f"within 3 s: {named} did not answer" in done.error["message"]
    assert f"Waiting for an access token from {named}" in done.err
    assert "may or may not" not in done.err
    assert done.seconds < 15


def test_a_token_program_that_hangs_is_given_up(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    done = cli(*LIST, "--timeout", "3s", env_=client.workload_executable(google, tmp_path, seconds=8))
    assert (done.code, done.error["cause"]) == (1, "network-unreachable"), done.err
    assert done.seconds < 15


def test_twenty_seconds_are_the_most_for_a_token() -> None:
    from keyadmin.cloud import google_access, identity

    assert identity.LIMIT == 20.0
    assert google_access.TELL_AFTER <= 3.0


@pytest.mark.parametrize(
    ("host", "arguments"),
    [
        ("apikeys.googleapis.com", ("keys", "list")),
        ("apikeys.googleapis.com", ("keys", "show", "old-key")),
        (GEMINI, ("keys", "verify", "old-key")),
        ("iam.googleapis.com", ("keys", "create", "--name", "New")),
        ("*", ("doctor",)),
    ],
)
@pytest.mark.parametrize("kind", ["hang", "connect-hang"])
def test_no_chain_of_calls_waits_longer_than_the_timeout(
    kind: str, host: str, arguments: tuple[str, ...], cli: Cli, google: LocalGoogle, tmp_path: Path
) -> None:
    google.faults({"kind": kind, "host": host})
    done = cli(*arguments, "-p", TARGET, "--timeout", "4s", "--format", "json", env_=user_with_quota(google, tmp_path))
    assert done.code in (1, 3), done.err
    if done.code == 1:
        assert done.error["cause"] == "network-unreachable"
    assert done.seconds < 20
    assert "Waiting for an a" in done.err


def test_a_timeout_is_a_duration_of_a_second_at_least(cli: Cli) -> None:
    for wrong in ("0s", "-1s", "fast", "500ms"):
        assert cli(*LIST, "--timeout", wrong).code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (user_with_quota, {"kind": "hang", "host": "oauth2.googleapis.com"}),
        (workload_file, {"kind": "connect-hang", "host": "sts.googleapis.com"}),
        (user_with_quota, {"kind": "hang", "host": "apikeys.googleapis.com"}),
    ],
)
def test_the_first_interruption_ends_it(
    kind: Any, fault: dict[str, Any], number: int, started: Start, google: LocalGoogle, tmp_path: Path
) -> None:
    google.faults(fault)
    command = started(*LIST, env_=kind(google, tmp_path))
    word, _ = command.word()
    assert word.startswith("Waiting for an a")
    seconds = command.interrupt(number)
    assert command.process.stderr is not None
    rest = command.process.stderr.read()
    assert command.process.returncode == 130
    assert "Interrupted." in rest
    assert "Traceback" not in rest
    assert seconds < 10  # the figure itself, one second, is in docs/figures.md


def test_a_hung_token_program_does_not_keep_an_interrupted_command(started: Start, google: LocalGoogle, tmp_path: Path) -> None:
    command = started(*LIST, env_=client.workload_executable(google, tmp_path, seconds=15))
    assert command.word()[0].startswith("Waiting for an access token")
    assert command.interrupt() < 10
    assert command.process.returncode == 130


def test_what_was_never_sent_is_not_said_to_be_perhaps_done(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    google.faults({"kind": "refuse", "host": "apikeys.googleapis.com"})
    done = cli("keys", "create", "--name", "New", "-p", TARGET, "--format", "json", env_=user_with_quota(google, tmp_path))
    assert (done.code, done.error["cause"]) == (1, "network-unreachable")
    assert "may have been made" not in done.err
    assert "may or may not" not in done.err
