"""The embedded sandbox: the whole server inside the calling process, on sockets that only its user can reach."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.server import Server
from keyadmin.sandbox.state.lock import StateLock


class Endpoints:
    """Where an embedded sandbox is reached. gRPC opens when it is first asked for: most commands need REST only."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.rest_socket = folder / "rest.sock"

    async def grpc_target(self) -> str:
        """`unix:PATH` for a gRPC channel."""
        if not self._server.grpc_address:
            await self._server.open_grpc_unix(self._folder / "grpc.sock")
        return self._server.grpc_address


def _folder() -> Path:
    """A folder of mode 0700 whose sockets' paths are short enough (108 bytes on Linux, 104 elsewhere)."""
    folder = Path(tempfile.mkdtemp(prefix="keyadmin-"))
    if len(os.fsencode(folder / "grpc.sock")) > 100:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="keyadmin-", dir="/tmp"))
    return folder


@asynccontextmanager
async def embedded(state: Path | None) -> AsyncIterator[Endpoints]:
    """Run a sandbox over a state file (None = in memory) for as long as the block lasts.

    Raises StateLocked where `sandbox serve` has the file, NotAState where it is something else.
    """
    lock = None
    if state is not None:
        state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = StateLock(state, alone=False)
    folder = _folder()
    try:
        cloud = LocalCloud(state)
        cloud.start()
        server = Server(cloud, any_host=True)  # a UNIX socket has no Host to check
        try:
            await server.open_rest_unix(folder / "rest.sock")
            yield Endpoints(server, folder)
        finally:
            await server.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            lock.release()
