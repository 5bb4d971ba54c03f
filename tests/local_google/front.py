"""The TLS fronts: one listener for every *.googleapis.com, HTTP/1.1 for REST and HTTP/2 for gRPC, told apart by ALPN."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from tests.local_google.faults import ANSWER_KINDS, Entry, Fault, Wire
from tests.local_google.forward import Answer, RpcAnswer, Sandbox, error, rpc_refusal
from tests.local_google.identity import Holder, Identity, dumped

GEMINI = "generativelanguage.googleapis.com"


def page(title: str) -> bytes:
    """An HTML page, as gateways answer."""
    return f"<!DOCTYPE html>\n<html><head>\n<TITLE>{title}\n</TITLE></head><body>See example.com</body></html>".encode()


class Google:
    """Answers: identity services here, everything else from the sandbox."""

    def __init__(self, wire: Wire, identity: Identity, sandbox: Sandbox) -> None:
        self.wire = wire
        self.identity = identity
        self.sandbox = sandbox
        self.clock_skew = 0.0

    def date(self) -> str:
        """The Date header."""
        import time

        return formatdate(time.time() + self.clock_skew, usegmt=True)

    async def http(self, entry: Entry, verb: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answer to a REST call."""
        path = urlsplit(target).path
        own = self._identity(entry.host, path, headers, body)
        if own is not None:
            data, kind = dumped(own[1])
            return Answer(own[0], data, {"Content-Type": kind})
        if entry.host == GEMINI and "authorization" not in headers:
            return await self.sandbox.http(verb, target, headers, body, None)
        holder = self.identity.holder(headers.get("authorization"))
        if holder is None:
            return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        entry.principal = holder.principal
        refusal = await self.sandbox.refusal(entry.host, holder, headers.get("x-goog-user-project"))
        if refusal is not None:
            return error(403, "PERMISSION_DENIED", refusal["message"], refusal["info"])
        return await self.sandbox.http(verb, target, headers, body, holder.principal)

    def _identity(self, host: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any] | None:
        if host == "oauth2.googleapis.com":
            return self.identity.token(body)
        if host == "sts.googleapis.com":
            return self.identity.sts(path, body)
        if host == "iamcredentials.googleapis.com":
            return self.identity.impersonated(path, headers.get("authorization"))
        if host == "openidconnect.googleapis.com":
            return self.identity.userinfo(headers.get("authorization"))
        return None

    async def rpc(self, entry: Entry, method: str, headers: dict[str, str], message: bytes) -> RpcAnswer:
        """The answer to an RPC."""
        holder: Holder | None = self.identity.holder(headers.get("authorization"))
        if holder is None:
            return rpc_refusal(16, "Request had invalid authentication credentials.")
        entry.principal = holder.principal
        refusal = await self.sandbox.refusal(entry.host, holder, headers.get("x-goog-user-project"))
        if refusal is not None:
            return rpc_refusal(7, refusal["message"], refusal["info"])
        return await self.sandbox.rpc(method, message, holder.principal)


class Front:
    """One connection after another; `serve` is given to asyncio's server."""

    def __init__(self, google: Google) -> None:
        self._google = google

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secure: ssl.SSLObject = writer.get_extra_info("ssl_object")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            if secure.selected_alpn_protocol() == "h2":
                await Http2(self._google, reader, writer).serve()
            else:
                await self._http1(reader, writer)
        writer.close()

    async def _http1(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            verb, target, _ = head[0].split(" ", 2)
            pairs = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in head[1:] if line)]
            headers = dict(pairs)
            body = await _body(reader, headers)
            host = headers.get("host", "").partition(":")[0]
            entry = self._google.wire.note("http/1.1", host, head[0], pairs)
            fault = self._google.wire.strikes(ANSWER_KINDS, host, target)
            if fault is not None and fault.kind == "revoke":
                self._google.identity.revoke_all()
            if fault is not None and not await _spoil(fault, entry, writer):
                return
            answer = await self._google.http(entry, verb, target, headers, body)
            entry.status = answer.status
            if fault is not None and fault.kind == "half":
                writer.write(_message(answer, self._google.date())[:-5])
                await writer.drain()
                return
            writer.write(_message(answer, self._google.date()))
            await writer.drain()


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") == "chunked":
        data = b""
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            data += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
        return data
    return await reader.readexactly(int(headers.get("content-length", "0")))


async def _spoil(fault: Fault, entry: Entry, writer: asyncio.StreamWriter) -> bool:
    """Do what the fault says to an HTTP/1.1 answer; True = the right answer is to follow."""
    entry.status = fault.kind
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        return True
    if fault.kind in ("half", "revoke"):
        return True
    if fault.kind == "hang":
        await asyncio.sleep(3600)
    if fault.kind not in ("reset", "goaway", "hang"):
        writer.write(_message(spoiled(fault), formatdate(usegmt=True)))
        await writer.drain()
    elif fault.kind == "reset":
        writer.transport.abort()
    return False


def spoiled(fault: Fault) -> Answer:
    """The answer that a fault gives in place of the right one."""
    if fault.kind == "redirect":
        return Answer(fault.status if fault.status // 100 == 3 else 302, b"", {"Location": fault.location})
    if fault.kind == "status":
        answer = error(fault.status, fault.reason, f"The service said {fault.reason}.")
        answer.headers |= fault.headers
        return answer
    if fault.kind == "json":
        return Answer(fault.status, json.dumps(fault.body).encode(), {"Content-Type": "application/json"})
    if fault.kind == "text":
        return Answer(fault.status, str(fault.body).encode(), {"Content-Type": "text/plain"})
    return Answer(fault.status, page(fault.title), {"Content-Type": "text/html; charset=utf-8"} | fault.headers)


def _message(answer: Answer, date: str) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} Said", f"Date: {date}", f"Content-Length: {len(answer.body)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + answer.body


class Http2:
    """One HTTP/2 connection with gRPC's unary calls on it."""

    def __init__(self, google: Google, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._google = google
        self._reader = reader
        self._writer = writer
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self._asked: dict[int, tuple[list[tuple[str, str]], bytearray]] = {}
        self._room = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        self._h2.initiate_connection()
        self._flush()
        try:
            while data := await self._reader.read(65536):
                for event in self._h2.receive_data(data):
                    self._on(event)
                self._flush()
        except h2.exceptions.ProtocolError:
            return
        finally:
            for task in self._tasks:
                task.cancel()

    def _flush(self) -> None:
        if pending := self._h2.data_to_send():
            self._writer.write(pending)

    def _on(self, event: Any) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self._asked[event.stream_id] = ([(str(name), str(value)) for name, value in event.headers], bytearray())
        elif isinstance(event, h2.events.DataReceived):
            self._asked[event.stream_id][1].extend(event.data)
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.WindowUpdated):
            self._room.set()
        elif isinstance(event, h2.events.StreamEnded):
            task = asyncio.create_task(self._answer(event.stream_id, *self._asked.pop(event.stream_id)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, stream: int, fields: list[tuple[str, str]], data: bytearray) -> None:
        headers = dict(fields)
        host, method = headers[":authority"].partition(":")[0], headers[":path"]
        pairs = [(name, value) for name, value in fields if not name.startswith(":")]
        plain = dict(pairs)
        entry = self._google.wire.note("h2", host, f"{headers[':method']} {method}", pairs)
        fault = self._google.wire.strikes(ANSWER_KINDS, host, method)
        if fault is not None and fault.kind == "revoke":
            self._google.identity.revoke_all()
        with contextlib.suppress(h2.exceptions.ProtocolError, ConnectionError):
            if fault is not None and not await self._spoil(fault, entry, stream):
                return
            answer = await self._google.rpc(entry, method, plain, bytes(data[5:]))
            entry.status = answer.code
            await self._send(stream, answer, half=fault is not None and fault.kind == "half")

    async def _spoil(self, fault: Fault, entry: Entry, stream: int) -> bool:
        entry.status = fault.kind
        if fault.kind in ("slow", "half", "revoke"):
            await asyncio.sleep(fault.seconds if fault.kind == "slow" else 0)
            return True
        if fault.kind == "hang":
            return False
        if fault.kind == "reset":
            self._writer.transport.abort()
        elif fault.kind == "goaway":
            self._h2.close_connection(h2.errors.ErrorCodes.NO_ERROR, last_stream_id=0)
            self._flush()
            await self._writer.drain()
            self._writer.close()
        elif fault.kind == "status":
            numbers = {
                "UNAVAILABLE": 14,
                "RESOURCE_EXHAUSTED": 8,
                "INTERNAL": 13,
                "PERMISSION_DENIED": 7,
                "UNAUTHENTICATED": 16,
            }
            await self._send(stream, rpc_refusal(numbers[fault.reason], f"The service said {fault.reason}."))
        else:  # HTTP without gRPC: what a gateway sends
            answer = spoiled(fault)
            fields = [(name.lower(), value) for name, value in answer.headers.items()]
            self._h2.send_headers(stream, [(":status", str(answer.status)), *fields])
            self._h2.send_data(stream, answer.body, end_stream=True)
            self._flush()
        return False

    async def _send(self, stream: int, answer: RpcAnswer, *, half: bool = False) -> None:
        start = [(":status", "200"), ("content-type", "application/grpc"), ("date", self._google.date())]
        self._h2.send_headers(stream, start)
        if answer.code == 0:
            data = b"\0" + len(answer.message).to_bytes(4, "big") + answer.message
            if half:
                self._h2.send_data(stream, data[: len(data) // 2])
                self._h2.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
                self._flush()
                return
            await self._data(stream, data)
        trailers = [("grpc-status", str(answer.code)), ("grpc-message", quote(answer.text, safe=" /:'(),."))]
        if answer.details:
            import base64

            trailers.append(("grpc-status-details-bin", base64.b64encode(answer.details).decode().rstrip("=")))
        self._h2.send_headers(stream, trailers, end_stream=True)
        self._flush()

    async def _data(self, stream: int, data: bytes) -> None:
        while data:
            window = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if window <= 0:
                self._room.clear()
                self._flush()
                await self._room.wait()
                continue
            self._h2.send_data(stream, data[:window])
            data = data[window:]
        self._flush()
