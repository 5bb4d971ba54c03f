"""A state file says which layout its tables have: a change of the tables goes with another version, and old states are told."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.sandbox.cloud import LocalCloud, tables
from keyadmin.sandbox.state.store import VERSION

# Of each version of the state, what its tables looked like. A version that was released is never changed here.
LAYOUTS = {1: "1662d13dd84b8033", 2: "899f00444aa4b9a5"}

MEND = """The tables of the sandbox's state have changed. States that people have on their disks have the old ones. So:
1. raise VERSION in keyadmin/sandbox/state/store.py by one (unless no release has had the present number),
2. write this line into LAYOUTS in {file}:
       {version}: "{fingerprint}",
3. say in CHANGELOG.md that older states are refused, or migrate them in Store._create."""


def fingerprint(sql: str) -> str:
    """Of the statements, whatever their order, comments and white space."""
    plain = re.sub(r"--[^\n]*", "", sql)
    statements = sorted(" ".join(statement.split()) for statement in plain.split(";"))
    return hashlib.sha256("\n".join(filter(None, statements)).encode()).hexdigest()[:16]


def test_tables_do_not_change_without_a_version() -> None:
    now = fingerprint(tables())
    known = VERSION in LAYOUTS
    new = VERSION if not known else VERSION + 1
    assert LAYOUTS.get(VERSION) == now, MEND.format(file=Path(__file__).name, version=new, fingerprint=now)


def test_what_makes_no_difference_to_a_state_needs_no_version() -> None:
    one, two = "CREATE TABLE a (x INTEGER);", "CREATE INDEX b ON a(x);"
    assert fingerprint(one + two) == fingerprint(f"{two}\n-- a comment; with a semicolon\n  CREATE TABLE a\n (x INTEGER);")
    assert fingerprint(one) != fingerprint("CREATE TABLE a (x TEXT);")
    assert fingerprint(one) != fingerprint(one + two)


def _of_version(path: Path, version: int) -> None:
    cloud = LocalCloud(path, alone=True)
    cloud.start()
    cloud.world.store.close()
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version={version}")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    from keyadmin.cli.app import main

    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))

    def run(*arguments: str, **env: str) -> tuple[int, str]:
        with monkeypatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            code = main(list(arguments))
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(("version", "age"), [(VERSION - 1, "an older"), (VERSION + 1, "a newer")])
def test_a_state_of_another_version_is_told_with_the_mend_and_left_alone(
    typed: Callable[..., Any], tmp_path: Path, version: int, age: str
) -> None:
    state = tmp_path / "my state.db"
    _of_version(state, version)
    before = state.read_bytes()
    embedded = typed("--sandbox", "keys", "list", KEYADMIN_SANDBOX_STATE=str(state))
    served = typed("sandbox", "serve", "--state", str(state))
    for code, said in (embedded, served):
        assert code == 1
        assert f"{state} was made by {age} keyadmin" in said
        assert f"mv '{state}' '{state}.old'" in said
    assert "KEYADMIN_SANDBOX_STATE" in embedded[1]
    assert "--state" in served[1]
    assert state.read_bytes() == before
