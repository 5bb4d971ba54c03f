"""The embedded sandbox: the whole server inside the calling process, on sockets that only its user can reach.

Where Python has no such sockets (Windows), on two ports of the loopback interface for as long as the command runs.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.server import Server
from keyadmin.sandbox.socket_folder import socket_folder
from keyadmin.sandbox.state.lock import StateLock

_LOOPBACK: Final = "127.0.0.1"


class Endpoints:
    """Where an embedded sandbox is reached. gRPC opens when it is first asked for: most commands need REST only."""

    def __init__(self, server: Server, folder: Path | None) -> None:
        self._server = server
        self._folder = folder
        self.rest_socket = None if folder is None else folder / "rest.sock"

    async def open(self) -> None:
        """Open the REST transport."""
        if self.rest_socket is None:
            await self._server.open_rest_tcp(_LOOPBACK)
        else:
            await self._server.open_rest_unix(self.rest_socket)

    @property
    def rest_url(self) -> str:
        """What REST calls begin with; their connections go to `rest_socket` where there is one."""
        return self._server.rest_address if self.rest_socket is None else "http://localhost"

    async def grpc_target(self) -> str:
        """`unix:PATH` for a gRPC channel, or HOST:PORT."""
        if not self._server.grpc_address and self._folder is None:
            await self._server.open_grpc_tcp(_LOOPBACK)
        elif not self._server.grpc_address and self._folder is not None:
            await self._server.open_grpc_unix(self._folder / "grpc.sock")
        return self._server.grpc_address


def _make_private(folder: Path) -> None:
    """The folder and those above it that are missing, mode 0700 whatever the umask, to which `parents=True` leaves it."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def _folder() -> Iterator[Path | None]:
    """The folder of the sockets; None where there are none."""
    if not hasattr(socket, "AF_UNIX"):
        yield None
        return
    with socket_folder() as folder:
        yield folder


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
        with _folder() as folder:
            cloud = LocalCloud(state)
            cloud.start()
            server = Server(cloud, any_host=folder is not None)  # a UNIX socket has no Host to check
            try:
                endpoints = Endpoints(server, folder)
                await endpoints.open()
                yield endpoints
            finally:
                await server.close()
    finally:
        if lock is not None:
            lock.release()
