"""What is printed where the network fails is typed while it fails: it names the place and the reason; mended, all is well."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from keyadmin.cli.app import ROOT
from keyadmin.cli.printed import use_table
from tests.cli.test_advice import commands_in
from tests.local_google.client import TARGET, LocalGoogle, service_account, user_with_quota
from tests.local_google.conftest import Result

Cli = Callable[..., Result]
LIST = ("keys", "list", "-p", TARGET, "--all", "--format", "json", "--timeout", "4s")

use_table({each: entry.target for each, entry in ROOT.entries.items()})


def typed_from(done: Result, cli: Cli, env: dict[str, str]) -> list[Result]:
    """The commands of keyadmin that an error ends with, typed."""
    lines = [line for step in done.error["fix"] for line in commands_in(step)]
    assert lines, done.error
    return [cli(*shlex.split(line)[1:], "--timeout", "4s", env_=env) for line in lines]


@pytest.mark.parametrize("kind", ["refuse", "connect-reset", "untrusted", "cut"])
def test_the_connection_is_looked_at_while_the_trouble_lasts(kind: str, cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    env = user_with_quota(google, tmp_path)
    before = cli(*LIST, env_=env).json
    google.faults({"kind": kind, "host": "apikeys.googleapis.com"})
    failed = cli(*LIST, env_=env)
    assert (failed.code, failed.error["cause"]) == (1, "network-unreachable"), failed.err
    for seen in typed_from(failed, cli, env):
        assert seen.code in (0, 3), seen.err
        (line,) = [line for line in seen.out.splitlines() if line.startswith("apikeys.googleapis.com")]
        assert "ms" not in line.split(), "it is not called reached"
    google.faults()
    assert all(seen.code == 0 for seen in typed_from(failed, cli, env))
    assert cli(*LIST, env_=env).json == before


def test_credentials_that_are_refused_are_shown_where_the_advice_leads(cli: Cli, google: LocalGoogle, tmp_path: Path) -> None:
    env = service_account(google, tmp_path)
    body = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    google.faults({"kind": "json", "host": "oauth2.googleapis.com", "status": 400, "body": body})
    failed = cli(*LIST, env_=env)
    assert failed.code == 4, failed.err
    (seen,) = typed_from(failed, cli, env)
    assert seen.code in (0, 3, 4), seen.err
    assert env["GOOGLE_APPLICATION_CREDENTIALS"] in seen.out
    google.faults()
    assert cli(*LIST, env_=env).code == 0
