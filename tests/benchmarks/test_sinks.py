"""Rotations whose keys go to other systems at 100 ms a call, 8 at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.test_rotation import Server
from tests.handover.conftest import kubeconfig
from tests.handover.servers import github
from tests.handover.servers.github import GithubServer
from tests.handover.servers.kubernetes import KubernetesServer
from tests.rotation.conftest import seed_of

pytestmark = pytest.mark.benchmark

LINEAGES = 100
LATENCY_S = 0.1
SECONDS = 15.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made._process.terminate()
    made._process.wait(60)


def rotated(server: Server, sink: str, env: dict[str, str]) -> float:
    """Seconds that 100 lineages take until they are handed over."""
    projects = [f"bench-{number:02}" for number in range(10)]
    server.control("seed", seed_of(projects, 10))
    (server.folder / "keyadmin.toml").write_text(f"[[rule]]\nprojects = {json.dumps(projects)}\nsinks = [{json.dumps(sink)}]\n")
    server.env |= env
    found: Any = server.command("rotation", "run", "--emergency", "--yes")
    return float(found[1])


def test_a_hundred_lineages_into_kubernetes(server: Server, tmp_path: Path) -> None:
    with KubernetesServer(LATENCY_S) as cluster:
        config = kubeconfig(tmp_path / "kubeconfig", cluster.url)
        seconds = rotated(server, "kubernetes:here/web/{lineage}", {"KUBECONFIG": str(config)})
        assert len(cluster.secrets) == LINEAGES
    print(f"\n100 lineages into Kubernetes at 100 ms: {seconds:.1f} s")
    assert seconds <= SECONDS


def test_a_hundred_lineages_into_github(server: Server) -> None:
    with GithubServer(LATENCY_S) as actions:
        env = {"GITHUB_API_URL": actions.url, "GH_TOKEN": github.TOKEN}
        seconds = rotated(server, "github-actions:acme/web:K_{lineage}", env)
        assert len(actions.secrets) == LINEAGES
    print(f"\n100 lineages into GitHub at 100 ms: {seconds:.1f} s")
    assert seconds <= SECONDS
