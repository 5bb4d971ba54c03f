"""The embedded sandbox: the whole server inside the calling process, on sockets that only its user can reach."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.server import Server
from keyadmin.sandbox.socket_folder import socket_folder
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


def _make_private(folder: Path) -> None:
    """The folder and those above it that are missing, mode 0700 whatever the umask, to which `parents=True` leaves it."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@asynccontextmanager
async def embedded(state: Path | None) -> AsyncIterator[Endpoints]:
    """Run a sandbox over a state file (None = in memory) for as long as the block lasts.

    Raises StateLocked where `sandbox serve` has the file, NotAState where it is something else.
    """
    lock = None
    if state is not None:
        _make_private(state.parent)
        lock = StateLock(state, alone=False)
    try:
        with socket_folder() as folder:
            cloud = LocalCloud(state)
            cloud.start()
            server = Server(cloud, any_host=True)  # a UNIX socket has no Host to check
            try:
                await server.open_rest_unix(folder / "rest.sock")
                yield Endpoints(server, folder)
            finally:
                await server.close()
    finally:
        if lock is not None:
            lock.release()
