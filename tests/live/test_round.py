"""A small round against a real project: made, seen, renamed, verified, deleted. Run by `nox -s live` only; costs nothing.

Needs Application Default Credentials and KEYADMIN_LIVE_PROJECT. Whatever it makes is named `keyadmin-live-...` and deleted.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from typing import Any

import pytest

PROJECT = os.environ.get("KEYADMIN_LIVE_PROJECT", "")
pytestmark = [pytest.mark.live, pytest.mark.skipif(not PROJECT, reason="KEYADMIN_LIVE_PROJECT is not set")]


def keyadmin(*arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
    """Run a command against Google; its JSON."""
    command = [sys.executable, "-m", "keyadmin", *arguments, "--no-sandbox", "-p", PROJECT, "--format", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode in codes, ended.stderr
    return json.loads(ended.stdout) if ended.stdout.strip() else None


def test_the_whole_life_of_a_key() -> None:
    connection = keyadmin("doctor", "--connection")
    assert all(host["reached"] for host in connection["hosts"])
    report = keyadmin("doctor", codes=(0, 3))
    assert report[0]["project"] == PROJECT
    name = f"keyadmin-live-{secrets.token_hex(4)}"
    made = keyadmin("keys", "create", "--name", name)
    key_id = made["name"].rpartition("/")[2]
    try:
        assert made["verification"] == "ok"
        assert "keyString" not in made
        assert name in [key["displayName"] for key in keyadmin("keys", "list", "--all")]
        keyadmin("keys", "rename", key_id, f"{name}-2")
        assert keyadmin("keys", "describe", key_id)["displayName"] == f"{name}-2"
        assert keyadmin("keys", "verify", key_id)["verification"] == "ok"
        turned = keyadmin("keys", "rotate", key_id, "--yes", "--grace", "0s")
        assert turned["state"]
        assert "errors" in keyadmin("audit", "--projects", PROJECT, codes=(0, 3))["summary"]
    finally:
        for key in keyadmin("keys", "list", "--all"):
            if key["displayName"].startswith(name):
                keyadmin("keys", "delete", key["name"], "--yes", "--force")
    assert not [key for key in keyadmin("keys", "list", "--all") if key["displayName"].startswith(name)]
    assert key_id in [key["name"].rpartition("/")[2] for key in keyadmin("keys", "list", "--all", "--deleted")]
