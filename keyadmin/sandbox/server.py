"""Both transports around one local cloud."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.transport.control import Control
from keyadmin.sandbox.transport.page import Page
from keyadmin.sandbox.transport.rest_server import Extra, RestServer

if TYPE_CHECKING:
    from keyadmin.sandbox.transport.grpc_server import GrpcServer


class CannotListen(Exception):
    """A port that cannot be had. `transport` = rest or grpc; `why` = the errno, EADDRINUSE most likely."""

    def __init__(self, transport: str, host: str, port: int, why: OSError) -> None:
        super().__init__(f"cannot listen on {host}:{port}: {os.strerror(why.errno) if why.errno else why}")
        self.transport, self.host, self.port, self.why = transport, host, port, why.errno


class Server:
    """A local cloud with its transports; each is opened where it is wanted."""

    def __init__(self, cloud: LocalCloud, *, any_host: bool = False) -> None:
        self.cloud = cloud
        self.rest_address = ""
        self.grpc_address = ""
        extras: dict[str, Extra] = {"/_sandbox": Control(cloud, self.addresses), "/": Page(cloud)}
        self._rest = RestServer(cloud, extras, any_host=any_host)
        self._grpc: GrpcServer | None = None

    def addresses(self) -> dict[str, Any]:
        """Where the transports are."""
        return {"rest": self.rest_address, "grpc": self.grpc_address}

    async def open_tcp(self, host: str, rest_port: int, grpc_port: int) -> None:
        """Both transports on TCP; port 0 = any free one. Raises CannotListen."""
        await self.open_grpc_tcp(host, grpc_port)
        await self.open_rest_tcp(host, rest_port)

    async def open_grpc_tcp(self, host: str, port: int = 0) -> None:
        """The gRPC transport on TCP. Raises CannotListen."""
        shown = f"[{host}]" if ":" in host else host
        self._grpc = self._grpc_server()
        try:
            self.grpc_address = f"{shown}:{await self._grpc.open(f'{shown}:{port}')}"
        except OSError as error:
            raise CannotListen("grpc", shown, port, _reason(host, port) or error) from None

    async def open_rest_tcp(self, host: str, port: int = 0) -> None:
        """The REST transport on TCP. Raises CannotListen."""
        shown = f"[{host}]" if ":" in host else host
        try:
            self.rest_address = f"http://{shown}:{await self._rest.open_tcp(host, port)}"
        except OSError as error:
            raise CannotListen("rest", shown, port, error) from None

    async def open_rest_unix(self, path: Path) -> None:
        """The REST transport on a UNIX socket."""
        await self._rest.open_unix(path)
        self.rest_address = f"unix:{path}"

    async def open_grpc_unix(self, path: Path) -> None:
        """The gRPC transport on a UNIX socket."""
        self._grpc = self._grpc_server()
        await self._grpc.open(f"unix:{path}")
        self.grpc_address = f"unix:{path}"

    def _grpc_server(self) -> GrpcServer:
        from keyadmin.sandbox.transport.grpc_server import (
            GrpcServer,  # a tenth of a second that REST alone need not wait for
        )

        return GrpcServer(self.cloud)

    async def close(self) -> None:
        """Close the transports and the store."""
        if self._grpc is not None:
            await self._grpc.close()
        await self._rest.close()
        self.cloud.close()


def _reason(host: str, port: int) -> OSError | None:
    """Why a port cannot be had, which gRPC does not say: what a plain socket meets there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        try:
            trial.bind((host, port))
        except OSError as error:
            return error
    return None
