"""`keyadmin rotation ...` typed against a served sandbox, in a folder of its own, with policy files."""

from __future__ import annotations

import base64
import json
import shlex
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keyadmin.model.secret import PATTERN
from tests.sandbox.conftest import Running, start

GEMINI = {"service": "generativelanguage.googleapis.com"}
MAPS = {"service": "maps-backend.googleapis.com"}
SERVICES = [f"{name}.googleapis.com" for name in ("generativelanguage", "apikeys", "secretmanager", "iam", "monitoring")]


@dataclass
class World:
    """The sandbox, the folder, and the command line."""

    sandbox: Running
    folder: Path
    cli: Callable[..., Any]

    def type(self, *words: str, user: str = "owner@example.com", **more: Any) -> Any:
        """Type a command; no key string may appear."""
        env = {"KEYADMIN_SANDBOX": self.sandbox.rest, "KEYADMIN_SANDBOX_USER": user} | more.pop("env", {})
        done = self.cli(*words, "--sandbox", env=env, **more)
        assert not PATTERN.search(done.out + done.err), "a key string was printed"
        assert "Traceback" not in done.err
        return done

    def rotation(self, *words: str, **more: Any) -> Any:
        """`keyadmin rotation ...`"""
        return self.type("rotation", *words, **more)

    def say(self, command: str) -> Any:
        """A command as keyadmin printed it."""
        return self.type(*shlex.split(command[command.index("keyadmin ") + 9 :]), "--yes" if "rollback" in command else "-q")

    def seed(self, project: str, *keys: dict[str, Any], services: Sequence[str] = SERVICES, **more: Any) -> None:
        """A project of the owner's. Keys are auth keys for Gemini, 100 days old, unless they say otherwise."""
        account = f"app@{project}.iam.gserviceaccount.com"
        whole = []
        for number, key in enumerate(keys):
            base: dict[str, Any] = {"keyId": f"web-{number}", "displayName": f"web {number}", "createTime": self.ago(100)}
            base |= {"restrictions": {"apiTargets": [GEMINI]}, "serviceAccountEmail": account}
            whole.append({name: value for name, value in (base | key).items() if value is not None})
        owner = {"roles/owner": ["user:owner@example.com"]}
        project_data = {"projectId": project, "services": list(services), "iam": owner, "keys": whole} | more
        self.sandbox.control("seed", {"projects": [project_data]})

    def ago(self, days: float) -> str:
        """A moment by the sandbox's clock."""
        from datetime import datetime, timedelta

        now = datetime.fromisoformat(self.sandbox.control("")["now"])
        return (now - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def advance(self, by: str) -> None:
        self.sandbox.control("clock", {"advance": by})

    def grant(self, member: str, role: str, *permissions: str, projects: Sequence[str]) -> None:
        """Give somebody exactly these permissions, by a custom role."""
        name = f"organizations/1000/roles/{role}"
        bound = [{"projectId": project, "iam": {name: [f"user:{member}"]}} for project in projects]
        self.sandbox.control("seed", {"customRoles": {name: list(permissions)}, "projects": bound})

    def policy(self, text: str) -> None:
        (self.folder / "keyadmin.toml").write_text(text)

    def api(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.sandbox.rest}{path}", timeout=60) as answer:
            return json.loads(answer.read())

    def keys(self, project: str) -> dict[str, dict[str, Any]]:
        """All keys by id, deleted ones too."""
        found = self.api(f"/v2/projects/{project}/locations/global/keys?showDeleted=true").get("keys", [])
        return {key["name"].rpartition("/")[2]: key for key in found}

    def string(self, project: str, key_id: str) -> str:
        found: str = self.api(f"/v2/projects/{project}/locations/global/keys/{key_id}/keyString")["keyString"]
        return found

    def secret(self, project: str, name: str) -> str:
        data = self.api(f"/v1/projects/{project}/secrets/{name}/versions/latest:access")["payload"]["data"]
        return base64.b64decode(data).decode()

    def newest(self, project: str) -> str:
        """The id of the only live successor."""
        (found,) = [
            key_id for key_id, key in self.keys(project).items() if key_id.startswith("ka-") and "deleteTime" not in key
        ]
        return found

    def writes(self) -> list[str]:
        """The writing calls so far."""
        methods = [each["method"].rpartition(".")[2] for each in self.sandbox.control("requests")]
        return [name for name in methods if name.startswith(("Create", "Update", "Delete", "Undelete", "Add", "Disable"))]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    served = start()
    yield served
    served.stop()


@pytest.fixture
def world(running: Running, cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A fresh sandbox, and an empty folder to be in."""
    running.control("reset", {})
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return World(running, folder, cli)


SECRET = 'sinks = ["secret-manager:projects/{project}/secrets/{name}"]\n'


def rule(*projects: str, sinks: str = SECRET, **more: str) -> str:
    """A rule over these projects; each key goes to a secret of its own."""
    settings = "".join(f"{name.replace('_', '-')} = {value}\n" for name, value in more.items())
    return f"[[rule]]\nprojects = {json.dumps(list(projects))}\n{sinks}{settings}\n"


def three(world: World) -> None:
    """Three projects with a key that is due, the first one's the oldest, and one with a young one."""
    for age, project in ((300, "shop-a"), (100, "shop-b"), (100, "shop-c")):
        world.seed(project, {"createTime": world.ago(age)})
    world.seed("shop-young", {"createTime": world.ago(3)})
    world.policy(rule("shop-*"))
