"""The local Google as a process of a test's own: `python -m tests.local_google.server FOLDER [--port-443]`.

It writes FOLDER/ca.pem, starts a served sandbox, and prints one line of JSON with its addresses when it is ready. Everything is
on loopback. It ends when its standard input is closed, so it never outlives the test.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.local_google.authority import DAY, Authority
from tests.local_google.faults import ANSWER_KINDS, Wire
from tests.local_google.forward import Sandbox
from tests.local_google.front import Front, Google, spoiled
from tests.local_google.identity import Holder, Identity, dumped
from tests.local_google.proxy import Proxy


class Control:
    """Plain HTTP for the test (`/control/...`), for metadata and for subject tokens."""

    def __init__(self, google: Google, proxy: Proxy) -> None:
        self._google = google
        self._proxy = proxy

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        if request.path.startswith("/control/"):
            return web.json_response(await self._control(request.path.removeprefix("/control/"), await request.read()))
        headers = {name.lower(): value for name, value in request.headers.items()}
        entry = self._google.wire.note("metadata", "metadata", f"{request.method} {request.path_qs}", headers.items())
        fault = self._google.wire.strikes(ANSWER_KINDS, "metadata", request.path)
        if fault is not None:
            return await self._spoiled(request, fault)
        if request.path == "/subject":
            return web.Response(text="subject-token")
        status, body = self._google.identity.metadata_answer(request.path)
        entry.status = status
        data, kind = dumped(body)
        return web.Response(status=status, body=data, content_type=kind, headers={"Metadata-Flavor": "Google"})

    async def _spoiled(self, request: web.BaseRequest, fault: Any) -> web.StreamResponse:
        if fault.kind == "hang":
            await asyncio.sleep(3600)
        if fault.kind in ("reset", "goaway", "half"):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        answer = spoiled(fault)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def _control(self, what: str, raw: bytes) -> Any:
        google = self._google
        asked: Any = json.loads(raw) if raw else None
        if what == "log":
            return google.wire.entries()
        if what == "faults":
            google.wire.lay(asked)
        elif what == "reset":
            google.wire.lay([])
            google.wire.log.clear()
            google.identity.reset()
            google.sandbox.charging = asked.get("charging", True)
            google.clock_skew = 0.0
            self._proxy.password = None
            await google.sandbox.json("POST", "/_sandbox/reset", {})
            return await google.sandbox.json("POST", "/_sandbox/seed", asked["seed"]) if "seed" in asked else {}
        elif what == "clear":
            google.wire.lay([])
            google.wire.log.clear()
            google.identity.reset()
            self._proxy.password = None
        elif what == "set":
            google.clock_skew = asked.get("skew", google.clock_skew)
            google.identity.life = asked.get("life", google.identity.life)
            google.identity.metadata |= asked.get("metadata", {})
            self._proxy.password = asked.get("password", self._proxy.password)
        elif what == "issue":
            return {"token": google.identity.issue(Holder(**asked))}
        elif what == "revoke":
            google.identity.revoke_all()
        elif what == "sandbox":
            return await google.sandbox.json(asked["verb"], asked["path"], asked.get("body"))
        else:
            raise web.HTTPNotFound
        return {}


async def _sandbox(folder: Path) -> tuple[asyncio.subprocess.Process, Sandbox]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "keyadmin", "sandbox", "serve", "--quiet"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        limit=1 << 20,
    )
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if line.startswith(b"{"):
            ready = json.loads(line)
            return process, Sandbox(ready["rest"], ready["grpc"])
    raise RuntimeError("the sandbox did not start")


async def _open(folder: Path, google: Google, fixed: bool) -> Proxy:
    """The listeners, one for each certificate."""
    good, unknown = Authority(), Authority("nobody knows")
    (folder / "ca.pem").write_bytes(good.pem)
    contexts = {
        "good": good.context(folder),
        "untrusted": unknown.context(folder),
        "not-yet-valid": good.context(folder, valid_from=20 * DAY),
        "wrong-name": good.context(folder, ("another.googleapis.com",)),
    }
    front = Front(google)
    ways = {}
    for name, context in contexts.items():
        server = await asyncio.start_server(front.serve, "127.0.0.1", 0, ssl=context, limit=1 << 20)
        ways[name] = server.sockets[0].getsockname()[1]
    if fixed:
        for address in ("127.0.0.1", "::1"):
            await asyncio.start_server(front.serve, address, 443, ssl=contexts["good"], limit=1 << 20)
    return Proxy(google.wire, ways)


async def main(folder: Path, *, fixed: bool) -> None:
    """Serve until standard input is closed."""
    process, sandbox = await _sandbox(folder)
    google = Google(Wire(), Identity(), sandbox)
    proxy = await _open(folder, google, fixed)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    runner = web.ServerRunner(web.Server(Control(google, proxy).handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    ready = {
        "proxy": f"127.0.0.1:{listening.sockets[0].getsockname()[1]}",
        "plain": f"127.0.0.1:{runner.addresses[0][1]}",
        "ca": str(folder / "ca.pem"),
        "private_key": google.identity.private_key,
        "sandbox": sandbox.rest,
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await _closed()
    process.terminate()
    await process.wait()
    os._exit(0)  # half-answered connections and what waits for them are nobody's any more


async def _closed() -> None:
    """Until standard input ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), fixed="--port-443" in sys.argv))
