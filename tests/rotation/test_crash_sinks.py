"""kill -9 around every call to other systems that a rotation hands keys to; started again, all is as if nothing was."""

from __future__ import annotations

import base64
import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.handover.conftest import kubeconfig
from tests.handover.servers import github, vault
from tests.handover.servers.github import GithubServer
from tests.handover.servers.kubernetes import KubernetesServer
from tests.handover.servers.vault import VaultServer
from tests.rotation.conftest import Ended, World, seed_of

GRACE = "25h"
REGION = "eu-central-1"


class Places:
    """The systems of others, each as it looks from outside."""

    def __init__(self, cluster: KubernetesServer, actions: GithubServer, safe: VaultServer, amazon: str) -> None:
        self._cluster, self._actions, self._safe, self._amazon = cluster, actions, safe, amazon

    def sinks(self, name: str) -> list[str]:
        return [
            f"kubernetes:here/web/{name}",
            f"github-actions:acme/web:{name.replace('-', '_')}",
            f"vault:secret/{name}",
            f"aws-secrets-manager:{REGION}/{name}",
        ]

    def begin(self, name: str, key: str) -> None:
        """Every place holds this key, beside something that is somebody else's."""
        self._cluster.put("web", name, {"GEMINI_API_KEY": key, "OTHER": "theirs"}, manager="keyadmin")
        fields = self._cluster.secrets["web", name]["metadata"]["managedFields"]
        fields[0]["operation"] = "Apply"
        fields[0]["fieldsV1"]["f:data"].pop("f:OTHER")
        self._actions.put(self._path(name), key)
        self._safe.put(f"secret/{name}", GEMINI_API_KEY=key, other="theirs")
        self.amazon("CreateSecret", Name=name, SecretString=key)

    def held(self, name: str) -> dict[str, str]:
        assert self._cluster.value("web", name, "OTHER") == "theirs"
        assert self._safe.fields(f"secret/{name}")["other"] == "theirs"
        return {
            "kubernetes": self._cluster.value("web", name),
            "github": self._actions.opened(self._path(name)),
            "vault": self._safe.fields(f"secret/{name}")["GEMINI_API_KEY"],
            "aws": self.amazon("GetSecretValue", SecretId=name)["SecretString"],
        }

    @staticmethod
    def _path(name: str) -> str:
        return f"/repos/acme/web/actions/secrets/{name.replace('-', '_').upper()}"

    def amazon(self, action: str, **arguments: Any) -> Any:
        credential = f"test/20261128/{REGION}/secretsmanager/aws4_request"
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"secretsmanager.{action}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=, Signature=",
        }
        request = urllib.request.Request(self._amazon, json.dumps(arguments).encode(), headers, method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


@pytest.fixture
def places(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """The servers; the driver's children find them by the variables of these systems."""
    moto_server = pytest.importorskip("moto.server")
    amazon = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    amazon.start()
    host, port = amazon.get_host_and_port()
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST"), timeout=60).close()
    with KubernetesServer() as cluster, GithubServer() as actions, VaultServer() as safe:
        world.env = {
            "KUBECONFIG": str(kubeconfig(tmp_path / "kubeconfig", cluster.url)),
            "GITHUB_API_URL": actions.url,
            "GITHUB_TOKEN": github.TOKEN,
            "VAULT_ADDR": safe.url,
            "VAULT_TOKEN": vault.TOKEN,
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PATH": os.environ["PATH"],
        }
        yield Places(cluster, actions, safe, f"http://{host}:{port}")
    amazon.stop()
    assert actions.broken == []


class OneRotation:
    """One key in all four places."""

    def __init__(self, world: World, places: Places, project: str) -> None:
        self.world, self.places, self.project = world, places, project
        seed = seed_of([project])
        seed["projects"][0]["keys"] = seed["projects"][0]["keys"][:1]
        world.sandbox.control("seed", seed)
        places.begin(project, world.string(f"projects/{project}/locations/global/keys/web-0"))

    def rotate(self, kill: tuple[int, str] | None = None) -> Ended:
        options = [word for sink in self.places.sinks(self.project) for word in ("--to", sink)]
        return self.world.run("keys", "rotate", "web-0", "-p", self.project, *options, "--yes", "--format", "json", kill=kill)

    def check(self) -> None:
        """No place holds a key that does not work."""
        for place, key in self.places.held(self.project).items():
            assert self.world.works(key), f"{place} holds a key that does not work"
        assert len(self.world.keys(self.project)) <= 2

    def end_state(self) -> dict[str, Any]:
        keys = self.world.keys(self.project)
        names = {self.world.string(key["name"]): key["name"].rpartition("/")[2].partition("-")[0] for key in keys}
        return {
            "deleted": ["deleteTime" in key for key in keys],
            "held": {place: names[key] for place, key in self.places.held(self.project).items()},
        }


def finished(one: OneRotation) -> dict[str, Any]:
    done = one.rotate()
    assert done.code == 0, done.stderr
    one.check()
    one.world.sandbox.control("clock", {"advance": GRACE})
    last = one.rotate()
    assert last.code == 0, last.stderr
    one.check()
    return one.end_state()


@pytest.mark.parametrize("part", range(4))
def test_killed_around_every_call_to_others(world: World, places: Places, part: int) -> None:
    quiet = OneRotation(world, places, "undisturbed")
    first = quiet.rotate()
    assert first.code == 0, first.stderr
    end = finished(quiet)
    assert end == {"deleted": [False, True], "held": dict.fromkeys(("kubernetes", "github", "vault", "aws"), "ka")}
    others = {at for at, point in enumerate(first.points) if point == "send" or point.startswith("aws:")}
    assert len(others) > 14
    for at, when in [kill for kill in first.kills if kill[0] in others][part::4]:
        one = OneRotation(world, places, f"killed-{at}-{when}")
        killed = one.rotate(kill=(at, when))
        assert killed.code == -9, f"{first.points[at]} {when}: {killed.code} {killed.stderr}"
        one.check()
        assert finished(one) == end, f"killed {when} {first.points[at]}"


def test_what_is_held_is_read_as_its_owner_would(world: World, places: Places) -> None:
    one = OneRotation(world, places, "reading")
    founder = world.string("projects/reading/locations/global/keys/web-0")
    assert set(places.held("reading").values()) == {founder}
    assert base64.b64decode(places._cluster.secrets["web", "reading"]["data"]["GEMINI_API_KEY"]).decode() == founder
    assert one.end_state()["held"] == dict.fromkeys(("kubernetes", "github", "vault", "aws"), "web")


def test_a_rollback_reaches_every_place(world: World, places: Places) -> None:
    one = OneRotation(world, places, "going-back")
    assert one.rotate().code == 0
    options = [word for sink in places.sinks(one.project) for word in ("--to", sink)]
    done = world.run("rotation", "rollback", "web-0", "-p", one.project, *options, "--yes", "--format", "json")
    assert done.code == 0, done.stderr
    one.check()
    assert one.end_state()["held"] == dict.fromkeys(("kubernetes", "github", "vault", "aws"), "web")
