"""`keyadmin doctor --for hand-over --to SINK`: a sink is checked without a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.handover.servers import github
from tests.handover.servers.github import WORKFLOW_TOKEN, GithubServer
from tests.handover.servers.vault import TOKEN, VaultServer

HAND_OVER = ("--for", "hand-over", "--to")


def sink_checks(done: Any) -> dict[str, str]:
    return {check["id"]: check["status"] for check in done.json[0]["checks"] if check["id"].startswith("sink:")}


def test_a_sink_that_would_take_a_key_is_ready(run: Any, tmp_path: Path) -> None:
    done = run("doctor", "demo-project", "--sandbox", "--for", "hand-over", "--to", f"file:{tmp_path}/k", "--format", "json")
    assert sink_checks(done) == {f"sink:file:{tmp_path}/k": "ok"}
    assert not (tmp_path / "k").exists()


def test_one_that_would_not_is_not_ready_and_says_why(run: Any, tmp_path: Path) -> None:
    done = run(
        "doctor", "demo-project", "--sandbox", "--for", "hand-over", "--to", "file:/no/such/folder/k", "--format", "json"
    )
    assert done.code == 3
    assert sink_checks(done) == {"sink:file:/no/such/folder/k": "failed"}


@pytest.mark.parametrize(("token", "status"), [(github.TOKEN, "ok"), (WORKFLOW_TOKEN, "failed")])
def test_a_token_that_cannot_write_secrets_is_told_apart(run: Any, token: str, status: str) -> None:
    with GithubServer() as server:
        env = {"GITHUB_API_URL": server.url, "GH_TOKEN": token}
        words = ("--for", "hand-over", "--to", "github-actions:acme/web", "--format", "json")
        done = run("doctor", "demo-project", "--sandbox", *words, env=env)
        assert sink_checks(done) == {"sink:github-actions:acme/web:GEMINI_API_KEY": status}
        assert not server.secrets


def test_a_place_that_does_not_answer_is_unknown(run: Any) -> None:
    with VaultServer() as server:
        url = server.url
    env = {"VAULT_ADDR": url, "VAULT_TOKEN": TOKEN}
    done = run(
        "doctor", "demo-project", "--sandbox", "--for", "hand-over", "--to", "vault:secret/web", "--format", "json", env=env
    )
    assert done.code == 3
    assert set(sink_checks(done).values()) == {"unknown"}


def test_what_is_no_sink_is_wrong_usage(run: Any) -> None:
    assert run("doctor", "demo-project", "--for", "hand-over", "--to", "nowhere").code == 2
