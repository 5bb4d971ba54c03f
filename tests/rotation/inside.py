"""A sandbox and keyadmin in one process and one event loop, with an eye on every moment between two remote calls.

`Stage.watch` is called before and after every attempt of a call and every replaced file; it looks into the sandbox's tables,
so that looking is neither seen nor hit by faults. `Stage.pause` is awaited before every attempt, with the method's name: there
one run can be held up while another goes on.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from keyadmin.cloud import calls
from keyadmin.cloud.calls import RetryPolicy
from keyadmin.cloud.connect import Cloud, Target, Url, connect
from keyadmin.handover.registry import parse
from keyadmin.handover.sink import SinkSpec
from keyadmin.model.key import Key
from keyadmin.model.lineage import Lineage, read
from keyadmin.rotation.adopt import execute_adopt, plan_adopt
from keyadmin.rotation.compromised import execute_compromised, plan_compromised
from keyadmin.rotation.decide import RotationTerms
from keyadmin.rotation.job import Outcome
from keyadmin.rotation.options import RunOptions
from keyadmin.rotation.policy import PolicyRule, RotationPolicy
from keyadmin.rotation.rollback import execute_rollback, plan_rollback
from keyadmin.rotation.rotate import execute_rotate, plan_rotate
from keyadmin.rotation.run import execute_run
from keyadmin.rotation.scope import RotationScope, plan_run
from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.server import Server

Done = TypeVar("Done")

GEMINI = {"service": "generativelanguage.googleapis.com"}
MAPS = {"service": "maps-backend.googleapis.com"}
QUICK = RetryPolicy(first=0.001, most=0.004, seconds=0.03, patience=0.03)


async def go_on(method: str) -> None:
    """Nobody is held up."""


@dataclass
class Stage:
    """One sandbox, one connection; projects come and go."""

    local: LocalCloud
    cloud: Cloud
    rest: str
    folder: Path
    http: aiohttp.ClientSession
    watch: Callable[[], None] = lambda: None
    pause: Callable[[str], Awaitable[None]] = go_on
    count: int = 0

    async def control(self, path: str, data: Any = None, method: str = "POST") -> Any:
        """`/_sandbox/PATH`."""
        kind = {"Content-Type": "application/json"}
        async with self.http.request(method, f"{self.rest}/_sandbox/{path}", json=data, headers=kind) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def project(self, **key: Any) -> Subject:
        """A fresh project with one key that is 100 days old, in a secret and in a file."""
        self.count += 1
        name = f"subject-{self.count}"
        restrictions = {"apiTargets": [GEMINI]}
        spec = {"keyId": "web", "displayName": "web", "createTime": self.ago(100), "restrictions": restrictions}
        spec |= {"serviceAccountEmail": f"app@{name}.iam.gserviceaccount.com"} | key
        spec = {field: value for field, value in spec.items() if value is not None}
        services = ("generativelanguage", "apikeys", "secretmanager", "monitoring", "iam", "maps-backend")
        project = {
            "projectId": name,
            "services": [f"{service}.googleapis.com" for service in services],
            "iam": {"roles/owner": ["user:owner@example.com"]},
        }
        await self.control("seed", {"projects": [project | {"keys": [spec]}]})
        subject = Subject(self, name)
        founder = subject.strings()["web"]
        await self.control("seed", {"projects": [{"projectId": name, "secrets": {"web": [founder]}}]})
        subject.env_file.write_text(f"# kept\nGEMINI_API_KEY={founder}\n")
        return subject

    def ago(self, days: float) -> str:
        """A moment by the sandbox's clock."""
        from keyadmin.sandbox.messages.times import rfc3339

        return rfc3339(self.local.world.clock.now() - int(days * 86_400_000_000))


@dataclass
class Subject:
    """A project with one lineage."""

    stage: Stage
    project: str
    more_sinks: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        node = self.stage.local.world.hierarchy.project(self.project)
        assert node is not None
        return node.name

    @property
    def env_file(self) -> Path:
        return self.stage.folder / f"{self.project}.env"

    @property
    def specs(self) -> list[SinkSpec]:
        texts = (f"env-file:{self.env_file}", f"secret-manager:projects/{self.project}/secrets/web", *self.more_sinks)
        return [parse(text) for text in texts]

    def rule(self, **more: Any) -> PolicyRule:
        import socket

        sinks = tuple(spec.text for spec in self.specs)
        return PolicyRule("test", projects=(self.project,), sinks=sinks, machine=socket.gethostname(), **more)

    # ---- looking, behind keyadmin's back ----

    def rows(self) -> dict[str, dict[str, Any]]:
        """Every key by id, deleted ones too, as stored."""
        found = self.stage.local.world.store.all(
            "SELECT key_id, uid, key_string, changed, deleted, rest FROM keys WHERE project = ?", self.number
        )
        return {
            key_id: json.loads(rest) | {"uid": uid, "string": string, "changed": changed, "deleted": deleted}
            for key_id, uid, string, changed, deleted, rest in found
        }

    def strings(self) -> dict[str, str]:
        return {key_id: row["string"] for key_id, row in self.rows().items()}

    def held(self) -> dict[str, str]:
        """The key string in each sink."""
        lines = dict(line.split("=", 1) for line in self.env_file.read_text().splitlines() if "=" in line)
        (secret,) = self.stage.local.world.store.one(
            "SELECT data FROM secret_versions WHERE project = ? AND secret_id = 'web' ORDER BY version DESC", self.number
        )
        return {"env-file": lines["GEMINI_API_KEY"], "secret": secret.decode()}

    def writes(self) -> list[str]:
        """The writing calls that were made, over all projects."""
        methods = (method.rpartition(".")[2] for method, *_ in self.stage.local.requests)
        return [name for name in methods if name.startswith(("Create", "Update", "Delete", "Undelete", "Add", "Disable"))]

    # ---- doing ----

    def lineage(self) -> Lineage:
        """As keyadmin would read it."""
        from keyadmin.model.key_codec import key_from_json

        keys = [key_from_json({k: v for k, v in row.items() if k != "string"}, self.project) for row in self.rows().values()]
        (found,) = read(keys, self.project)
        return found

    async def key(self, key_id: str) -> Key:
        return await self.stage.cloud.keys.get(f"projects/{self.project}/locations/global/keys/{key_id}")

    def manner(self, **more: Any) -> RunOptions:
        """As where nobody is asked: what others change meanwhile is read again."""
        return RunOptions(**{"flagged": True, "verify_s": 0.0, "pinned": False} | more)

    async def home(self) -> str:
        """What names the project where a key is not named in full."""
        return self.project

    async def run(
        self, *, emergency: bool = False, force_use: bool = False, new_auth: bool = False, **rule: Any
    ) -> list[Outcome]:
        """`rotation run`."""
        rule["new_type"] = "auth" if new_auth else "keep"
        policy = RotationPolicy(self.stage.folder / "keyadmin.toml", (self.rule(**rule),))
        plan = await plan_run(self.stage.cloud, RotationScope(policy, emergency=emergency))
        for problem in plan.selection.errors.values():
            raise problem
        done = await execute_run(self.stage.cloud, plan, self.manner(force_use=force_use))
        return list(done.outcomes)

    async def rotate(self, name: str, terms: RotationTerms | None = None, **more: Any) -> Outcome:
        """`keys rotate KEY`."""
        asked = terms or RotationTerms(force=True)
        manner = self.manner(**more)
        plan = await plan_rotate(self.stage.cloud, name, self.home, asked, self.specs, manner)
        return await execute_rotate(self.stage.cloud, plan, manner)

    async def compromised(self, name: str, grace: timedelta = timedelta(), specs: list[SinkSpec] | None = None) -> Outcome:
        """`keys compromised KEY`."""
        given, manner = self.specs if specs is None else specs, self.manner()
        plan = await plan_compromised(self.stage.cloud, name, self.home, grace, given, manner)
        return await execute_compromised(self.stage.cloud, plan, manner)

    async def adopt(self, name: str) -> None:
        """`rotation adopt KEY`."""
        plan = await plan_adopt(self.stage.cloud, [name], self.home)
        done = await execute_adopt(self.stage.cloud, plan, pinned=False)
        for _, problem in done.failed:
            raise problem

    async def roll_back(self, name: str, specs: list[SinkSpec] | None = None, **more: Any) -> Outcome:
        """`rotation rollback KEY`."""
        given, manner = self.specs if specs is None else specs, self.manner(**more)
        plan = await plan_rollback(self.stage.cloud, name, self.home, given, (), manner)
        return await execute_rollback(self.stage.cloud, plan, manner)


class Gate:
    """Put into `Stage.pause`, it holds up the n-th call of a method until it is opened."""

    def __init__(self, method: str, nth: int = 1) -> None:
        self._method = method
        self._left = nth
        self._reached = asyncio.Event()
        self._open = asyncio.Event()

    async def __call__(self, method: str) -> None:
        self._left -= method == self._method
        if method == self._method and self._left == 0:
            self._reached.set()
            await self._open.wait()

    async def reached(self) -> None:
        """Wait until somebody is held up."""
        waiting = asyncio.create_task(self._reached.wait())
        done, _ = await asyncio.wait([waiting], timeout=60)
        waiting.cancel()
        assert done, f"nobody came to {self._method}"

    def open(self) -> None:
        """Let go."""
        self._open.set()


async def held_up(stage: Stage, gate: Gate, work: Coroutine[Any, Any, Done]) -> asyncio.Task[Done]:
    """Begin some work, and wait until it is held up at the gate."""
    stage.pause = gate
    task = asyncio.create_task(work)
    await gate.reached()
    return task


@contextmanager
def between_calls(stage: Stage) -> Iterator[None]:
    """Call `stage.watch` at every point."""
    run, replace = calls.Runner.run, os.replace

    async def watched_run(self: Any, call: Any, attempt: Callable[..., Awaitable[Any]], on_repeat: Any = None) -> Any:
        async def watched(*given: Any) -> Any:
            stage.watch()
            await stage.pause(call.method)
            try:
                return await attempt(*given)
            finally:
                stage.watch()

        return await run(self, call, watched, on_repeat)

    def watched_replace(source: Any, target: Any, **more: Any) -> None:
        stage.watch()
        replace(source, target, **more)
        stage.watch()

    calls.Runner.run = watched_run  # type: ignore[method-assign]
    os.replace = watched_replace  # type: ignore[assignment]
    try:
        yield
    finally:
        calls.Runner.run = run  # type: ignore[method-assign]
        os.replace = replace


@asynccontextmanager
async def stage(folder: Path, retry: RetryPolicy = QUICK) -> AsyncIterator[Stage]:
    """A sandbox in memory, on loopback."""
    local = LocalCloud(None)
    local.start()
    server = Server(local)
    await server.open_tcp("127.0.0.1", 0, 0)
    try:
        target = Target(sandbox=Url(server.rest_address, server.grpc_address), retry=retry)
        async with aiohttp.ClientSession() as http, connect(target) as cloud:
            made = Stage(local, cloud, server.rest_address, folder, http)
            with between_calls(made):
                yield made
            await asyncio.sleep(0)
    finally:
        await server.close()
