"""Where the two transports stand: at Google, at a test's TLS server, at a sandbox. Only this differs between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from keyadmin.cloud.network import Roots


@dataclass(frozen=True, slots=True)
class Routes:
    """`rest(host)` = base URL, `grpc(host)` = gRPC target.

    `roots` is None where the traffic stays on this machine, in plaintext.
    """

    rest: Callable[[str], str]
    grpc: Callable[[str], Awaitable[str]]
    roots: Roots | None = None
    unix_socket: str | None = None

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken: always, except with a sandbox."""
        return self.roots is not None


def google(roots: Roots, rest: str | None = None, grpc: str | None = None) -> Routes:
    """Google's own addresses; `rest` (https://HOST:PORT) and `grpc` (HOST:PORT) put another TLS server in their place."""

    async def target(host: str) -> str:
        return grpc or f"{host}:443"

    return Routes(lambda host: rest or f"https://{host}", target, roots)
