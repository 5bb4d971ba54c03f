"""`gcloud secrets` and `gcloud asset`: what of them the sandbox has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.clients import Gcloud
from tests.sandbox.conftest import Running


@pytest.fixture
def gcloud(sandbox: Running, tmp_path: Path) -> Gcloud:
    return Gcloud(sandbox, tmp_path)


def _answer(gcloud: Gcloud, *words: str) -> Any:
    done = gcloud(*words, "--project=demo-project", "--format=json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_secrets(gcloud: Gcloud, tmp_path: Path) -> None:
    value = tmp_path / "value"
    value.write_text("first value")
    _answer(gcloud, "secrets", "create", "gemini-key", f"--data-file={value}", "--labels=team=bots")
    value.write_text("second value")
    _answer(gcloud, "secrets", "versions", "add", "gemini-key", f"--data-file={value}")

    def access(version: str) -> str:
        done = gcloud("secrets", "versions", "access", version, "--secret=gemini-key", "--project=demo-project")
        return done.stdout if done.returncode == 0 else done.stderr

    assert access("latest") == "second value"
    assert access("1") == "first value"
    assert [secret["labels"] for secret in _answer(gcloud, "secrets", "list")] == [{"team": "bots"}]
    assert _answer(gcloud, "secrets", "describe", "gemini-key")["name"].endswith("/secrets/gemini-key")
    _answer(gcloud, "secrets", "versions", "disable", "2", "--secret=gemini-key")
    assert "FAILED_PRECONDITION" in access("2")
    _answer(gcloud, "secrets", "versions", "enable", "2", "--secret=gemini-key")
    assert access("2") == "second value"
    _answer(gcloud, "secrets", "versions", "destroy", "1", "--secret=gemini-key")
    states = {
        one["name"].rpartition("/")[2]: one["state"] for one in _answer(gcloud, "secrets", "versions", "list", "gemini-key")
    }
    assert states == {"1": "DESTROYED", "2": "ENABLED"}
    _answer(gcloud, "secrets", "delete", "gemini-key")
    assert _answer(gcloud, "secrets", "list") == []


def test_search_all_resources(gcloud: Gcloud) -> None:
    found = _answer(
        gcloud,
        *("asset", "search-all-resources", "--scope=organizations/1000", "--asset-types=apikeys.googleapis.com/Key"),
        *("--query=displayName:maps", "--page-size=100"),
    )
    assert [one["displayName"] for one in found] == ["Browser key (maps on the website)"]
    assert found[0]["name"].startswith("//apikeys.googleapis.com/projects/")
    every = _answer(gcloud, "asset", "search-all-resources", "--scope=organizations/1000", "--page-size=100")
    assert len(every) > 296
