"""Servers that stand in for Kubernetes, GitHub, Vault and Amazon, and the variables that lead keyadmin to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyadmin.handover import http
from keyadmin.model.secret import KeyString
from tests.handover.servers import github, kubernetes, vault
from tests.handover.servers.github import GithubServer
from tests.handover.servers.kubernetes import KubernetesServer
from tests.handover.servers.vault import VaultServer

KEY = KeyString("AQ.SANDBOX-" + "Ab3_" * 10)
OTHER = KeyString("AQ.SANDBOX-" + "Zy9-" * 10)
_FOREIGN = ("GITHUB_", "GH_", "VAULT_", "BAO_", "AWS_", "KUBE")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own clusters, tokens and profiles; retries do not wait."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(http, "FIRST_PAUSE_S", 0.001)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[KubernetesServer]:
    """A cluster with a kubeconfig whose current context is `here`."""
    with KubernetesServer() as server:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "kubeconfig", server.url)))
        yield server


def kubeconfig(path: Path, url: str, user: str = f"token: {kubernetes.TOKEN}", context: str = "here") -> Path:
    """A kubeconfig with one context."""
    path.write_text(
        f"apiVersion: v1\nkind: Config\ncurrent-context: {context}\n"
        f"contexts: [{{name: {context!r}, context: {{cluster: c, user: u}}}}]\n"
        f"clusters: [{{name: c, cluster: {{server: {url!r}}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
    )
    return path


@pytest.fixture
def actions(monkeypatch: pytest.MonkeyPatch) -> Iterator[GithubServer]:
    """GitHub, with a token that may write secrets. What is not as GitHub describes it fails the test."""
    with GithubServer() as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GH_TOKEN", github.TOKEN)
        yield server
    assert server.broken == []


@pytest.fixture
def safe(monkeypatch: pytest.MonkeyPatch) -> Iterator[VaultServer]:
    """Vault, with a token."""
    with VaultServer() as server:
        monkeypatch.setenv("VAULT_ADDR", server.url)
        monkeypatch.setenv("VAULT_TOKEN", vault.TOKEN)
        yield server
