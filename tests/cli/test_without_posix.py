"""Every command where there is no POSIX, as on Windows: nothing ends in "something unexpected".

The code for Windows runs here, with stand-ins for what Windows has (tests/without_posix.py); a real Windows is for the
workflow of a public host.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cli.app import ROOT
from tests.waiting import until

fcntl = pytest.importorskip("fcntl", reason="the stand-ins stand on it")
if not hasattr(fcntl, "F_OFD_SETLK"):
    pytest.skip("locks of open files are Linux's", allow_module_level=True)

LINES = """
    projects list --all
    projects search demo
    projects describe demo-project
    projects import demo-project
    projects use demo-project
    projects create new-project --parent organizations/1000
    projects rename demo-project Another
    projects enable demo-project translate.googleapis.com
    projects disable demo-project translate.googleapis.com --yes
    projects delete new-project --yes
    projects undelete new-project
    projects forget new-project --yes
    projects default --yes
    doctor demo-project
    doctor --connection
    keys create --name web --key-id web --to env-file:web.env
    keys create --name old --key-id old --standard --no-verify
    keys list --all
    keys describe web
    keys usage
    keys hand-over web --to env-file:other.env --to exec:cat --to stdout
    keys show web
    keys verify web
    keys restrict web --allowed-ips 192.0.2.1 --yes --force
    keys unrestrict web --clients --yes
    keys rename web shop
    keys annotate web a=b
    keys clone web --name spare --key-id spare --no-verify
    keys lookup - 2
    keys delete spare --yes --force
    keys undelete spare
    keys rotate web --to env-file:web.env --yes
    keys migrate old --to env-file:old.env --yes
    keys compromised spare --yes
    rotation init
    rotation plan
    rotation run
    rotation status
    rotation migrate --projects demo-project --dry-run
    rotation adopt ka-nothing-1 --dry-run 1
    rotation rollback web --to env-file:web.env --yes
    rotation schedule systemd --output units
    audit --projects demo-project --output report.json --fail-on none
    audit schedule systemd --projects demo-project --output audit-units
    audit history
    audit diff report.json report.json
    audit fix --projects old-maps-site --observe 0s --out plan.json
    audit fix --apply plan.json --observe 0s --yes
    audit undo plan.json --yes
    audit accept web --rule key-too-old --reason kiosk --until 90d
    guard plan --organization 1000
    guard apply --organization 1000 --dry-run
    guard status --organization 1000
    guard remove --organization 1000 --yes
    env set web --file start.env --shell dotenv
    env show
    env unset --file start.env --shell dotenv
    env restore start.env
    tokens create web
    scan repository --history --offline
    scan . --offline 3
    explain API_KEY_INVALID
    snippet python
    config set format table
    config get format
    config list
    completion powershell --install
    sandbox seed seed.json
    sandbox env --shell powershell --ready-file ready.json
    sandbox reset --yes
    sandbox serve --state nowhere/state.db 1
"""


@pytest.fixture
def windows(home: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """A process in which only what Windows has is there."""
    env = home | {"PYTHONPATH": os.getcwd(), "LOCALAPPDATA": str(tmp_path / "local"), "APPDATA": str(tmp_path / "roaming")}

    def start(*arguments: str) -> subprocess.Popen[str]:
        streams: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, "-m", "tests.without_posix", *arguments], env=env, cwd=tmp_path, **streams)

    return start


def test_every_command_runs_where_there_is_no_posix(windows: Callable[..., Any], tmp_path: Path) -> None:
    lines = [shlex.split(line) for line in LINES.strip().split("\n")]
    codes = [int(words.pop()) if words[-1].isdigit() and len(words[-1]) == 1 else 0 for words in lines]
    named = {tuple(words[: len(path)]) for words in lines for path, _ in ROOT.leaves()}
    assert {path for path, _ in ROOT.leaves()} <= named, "a new command belongs into the list"
    (tmp_path / "seed.json").write_text('{"projects": [{"projectId": "seeded-project"}]}')
    (tmp_path / "ready.json").write_text('{"rest": "http://127.0.0.1:1", "grpc": "127.0.0.1:2", "pid": 3}')
    subprocess.run(["git", "init", "-q", str(tmp_path / "repository")], check=True)
    process = windows()
    out, err = process.communicate("\n".join(json.dumps([*words, "--sandbox"]) for words in lines), timeout=300)
    done = [json.loads(line) for line in out.splitlines()]
    assert len(done) == len(lines), err
    for words, code, each in zip(lines, codes, done, strict=True):
        assert "unexpected" not in each["err"], (words, each["err"])
        assert each["code"] == code, (words, each)
    assert err == ""


def test_a_sandbox_is_served_and_stopped_and_its_state_is_one_servers_alone(
    windows: Callable[..., Any], cli: Callable[..., Any], tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    server = windows("sandbox", "serve", "--state", "state.db", "--ready-file", str(ready))
    try:
        until(ready.exists, "the sandbox is ready")
        url = json.loads(ready.read_text())["rest"]
        assert cli("keys", "list", "--all-projects", "--format", "json", env={"KEYADMIN_SANDBOX": url}).code == 0
        second = windows("sandbox", "serve", "--state", "state.db")
        assert f"in use by `keyadmin sandbox serve`, pid {server.pid}, {url}" in second.communicate(timeout=60)[1]
    finally:
        server.send_signal(signal.SIGTERM)
    assert server.communicate(timeout=60)[1].count("Traceback") == 0
    assert server.returncode == 0
