"""The CONNECT proxy: the only way out that the clients are told of, and the place of faults below HTTP."""

from __future__ import annotations

import asyncio
import base64
import contextlib

from tests.local_google.faults import CONNECT_KINDS, Wire
from tests.local_google.front import page


class Proxy:
    """Leads every host to the fronts. `password` = USER:PASSWORD that is asked for; `ways` = the ports by certificate."""

    def __init__(self, wire: Wire, ways: dict[str, int]) -> None:
        self._wire = wire
        self._ways = ways
        self.password: str | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One CONNECT and what comes through it."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        host = head[0].split()[1].rpartition(":")[0]
        entry = self._wire.note("connect", host, head[0], headers.items())
        if not head[0].startswith("CONNECT "):
            entry.status = 405
            return _refuse(writer, 405, "This proxy knows CONNECT alone")
        if self.password is not None and headers.get("proxy-authorization") != self._expected():
            entry.status = 407
            return _refuse(writer, 407, "Proxy authentication required")
        fault = self._wire.strikes(CONNECT_KINDS, host)
        entry.status = fault.kind if fault else 200
        if fault is not None and fault.kind == "refuse":
            return _refuse(writer, fault.status, fault.title)
        if fault is not None and fault.kind == "connect-hang":
            await asyncio.sleep(3600)
        if fault is not None and fault.kind == "connect-reset":
            writer.transport.abort()
            return None
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if fault is not None and fault.kind == "cut":
            await reader.read(100)
            writer.transport.abort()
            return None
        port = self._ways[fault.kind if fault else "good"]
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pipe(reader, onward), _pipe(onward_reader, writer))
        return None

    def _expected(self) -> str:
        assert self.password is not None
        return f"Basic {base64.b64encode(self.password.encode()).decode()}"


def _refuse(writer: asyncio.StreamWriter, status: int, title: str) -> None:
    body = page(title)
    more = "Proxy-Authenticate: Basic realm=x\r\n" if status == 407 else ""
    writer.write(
        f"HTTP/1.1 {status} No\r\nContent-Type: text/html\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body
    )


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        return
    finally:
        sink.close()
