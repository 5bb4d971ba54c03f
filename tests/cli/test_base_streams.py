"""Standard streams that are closed, or whose reader goes away, as a shell makes them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keyadmin.model.secret import PATTERN

KEYADMIN = f"{shlex.quote(sys.executable)} -m keyadmin --sandbox"


@pytest.fixture
def sh(home: dict[str, str]) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a line of bash; `keyadmin` in it is the sandbox's."""

    def run(line: str) -> subprocess.CompletedProcess[str]:
        text = f'set -o pipefail\nkeyadmin() {{ {KEYADMIN} "$@"; }}\n{line}'
        return subprocess.run(["bash", "-c", text], env=home, capture_output=True, text=True, timeout=180, check=False)

    return run


def key_ids(sh: Callable[[str], subprocess.CompletedProcess[str]]) -> list[str]:
    done = sh("keyadmin keys list --all --format json")
    return [each["name"].rpartition("/")[2] for each in json.loads(done.stdout)]


STDIN = [
    ("keys delete web", 2, "--yes"),
    ("keys verify -", 2, "stdin"),
    ("keys lookup -", 2, "stdin"),
    ("env set - --shell dotenv", 2, "stdin"),
    ("explain -", 3, "sandbox"),
    ("keys compromised web", 2, "--yes"),
    ("keys migrate web", 2, "--yes"),
    ("rotation migrate --projects demo-project", 2, "--yes"),
    ("doctor demo-project --apply --member user:new@example.com", 2, "--yes"),
    ("projects delete demo-project", 2, "--yes"),
    ("sandbox reset", 2, "--yes"),
]


def test_a_closed_stdin_is_no_terminal_and_no_input(sh: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    """The same as nothing to read from: the same code, and the same words."""
    assert sh("keyadmin keys create --name web --key-id web --standard").returncode == 0
    for line, code, word in STDIN:
        closed, empty = sh(f"keyadmin {line} <&-"), sh(f"keyadmin {line} </dev/null")
        assert closed.returncode == empty.returncode, (line, closed.stderr, empty.stderr)
        assert closed.stderr == empty.stderr, line
        assert "AttributeError" not in closed.stderr
        assert closed.returncode == code, (line, closed.stderr)
        assert word in closed.stderr, (line, closed.stderr)
    assert key_ids(sh) == ["web"]


@pytest.mark.parametrize(
    "line",
    [
        "keys create --name new --show",
        "keys create --name new --to stdout",
        "keys create --name new --to stdout --format json",
        "keys clone web --to stdout",
        "keys hand-over web --to stdout",
        "keys rotate web --to stdout --grace 0s --yes",
        "keys rotate web --to stdout --grace 0s --yes --format json",
        "keys migrate old --to stdout --grace 0s --yes",
        "keys compromised web --to stdout --yes",
    ],
)
def test_what_would_print_a_key_string_to_a_closed_stdout_changes_nothing(
    sh: Callable[[str], subprocess.CompletedProcess[str]], line: str
) -> None:
    made = "keyadmin keys create --name web --key-id web && keyadmin keys create --name old --key-id old --standard"
    assert sh(made).returncode == 0
    done = sh(f"keyadmin {line} >&-")
    assert done.returncode == 1, done.stderr
    assert "closed" in done.stderr
    assert not PATTERN.search(done.stderr)
    assert sorted(key_ids(sh)) == ["old", "web"]


def test_other_data_is_dropped_where_stdout_is_closed(sh: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    assert sh("keyadmin keys create --name web --key-id web").returncode == 0
    done = sh("keyadmin keys show web >&-")
    assert done.returncode == 1
    assert "stdout" in done.stderr
    for line in ("keys list --all >&-", "keys describe web --format json >&-", "keys rename web web2 2>&-"):
        assert sh(f"keyadmin {line}").returncode == 0, line


def test_a_reader_that_went_away_ends_listings_well_and_keeps_verdicts(
    sh: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    seed = json.dumps({"fleet": {"projects": 60, "keysPerProject": 5}})
    assert sh(f"keyadmin sandbox seed <(echo {shlex.quote(seed)})").returncode == 0
    for line in ("keys list --all-projects --all", "projects list --all", "keys list --all-projects --all --format csv"):
        assert sh(f"keyadmin {line} --format csv | head -1").returncode == 0, line
        assert sh(f"keyadmin {line} | true").returncode == 0, line
    assert sh("keyadmin audit --format jsonl | head -1").returncode == 3
    assert sh("keyadmin doctor no-such-project | true").returncode == 3


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_key_string_that_nobody_reads_is_not_handed_over(
    sh: Callable[[str], subprocess.CompletedProcess[str]], home: dict[str, str], form: str
) -> None:
    assert sh("keyadmin keys create --name web --key-id web").returncode == 0
    reading, writing = os.pipe()
    os.close(reading)
    words = [
        sys.executable,
        "-m",
        "keyadmin",
        "--sandbox",
        "--format",
        form,
        *["keys", "rotate", "web", "--to", "stdout", "--grace", "0s", "--yes"],
    ]
    done = subprocess.run(words, env=home, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=180, check=False)
    os.close(writing)
    assert done.returncode == 1
    assert "reader has gone" in done.stderr
    assert key_ids(sh) == ["web"]


def test_a_run_of_rotations_does_not_print_to_a_closed_stdout(
    sh: Callable[[str], subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    policy = tmp_path / "keyadmin.toml"
    policy.write_text('[[rule]]\nprojects = ["demo-project"]\nsinks = ["stdout"]\nmax-age = "0s"\ngrace = "0s"\n')
    policy.chmod(0o600)
    assert sh("keyadmin keys create --name web --key-id web").returncode == 0
    done = sh(f"cd {shlex.quote(str(tmp_path))} && keyadmin rotation run --policy keyadmin.toml --emergency --yes >&-")
    assert done.returncode == 1, done.stderr
    assert "stdout" in done.stderr
    assert key_ids(sh) == ["web"]
