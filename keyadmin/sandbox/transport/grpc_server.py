"""The gRPC transport: raw messages in, raw messages out; every method of every service through one generic handler."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from keyadmin.sandbox.api import Encoded, Json, Method
from keyadmin.sandbox.cloud import LocalCloud
from keyadmin.sandbox.faults import Drop
from keyadmin.sandbox.messages.published import message_class
from keyadmin.sandbox.messages.shape import from_message, to_message
from keyadmin.sandbox.messages.status import Code, RpcError, invalid
from keyadmin.sandbox.messages.trailer import trailer

log = logging.getLogger(__name__)

MOST_BYTES = 11 * 1024 * 1024  # of a request; unsourced: Google's own limit
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class _Handler(grpc.GenericRpcHandler):  # type: ignore[misc, type-arg, unused-ignore]
    """Finds the method by its path; protobuf classes are imported at the first call of a method."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._handlers: dict[str, Any] = {}
        for method in [method for api in cloud.apis.values() for method in api.methods.values()]:
            if method.response is not None and not isinstance(method.request, str):
                raise TypeError(f"{method.full_name} has a response class and no request class")
            if method.response is not None:
                self._handlers[f"/{method.api.name}/{method.name}"] = grpc.unary_unary_rpc_method_handler(self._serve(method))

    def service(self, handler_call_details: Any) -> Any:
        """None makes gRPC answer UNIMPLEMENTED."""
        return self._handlers.get(handler_call_details.method)

    def _serve(self, method: Method) -> Callable[[bytes, Any], Awaitable[bytes]]:
        assert isinstance(method.request, str)
        request_path, response_path = method.request, method.response

        def read(data: bytes) -> Json:
            try:
                return from_message(message_class(request_path).FromString(data))
            except (DecodeError, UnicodeDecodeError):
                raise invalid("The request message could not be parsed.") from None

        async def serve(data: bytes, context: Any) -> bytes:
            metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            try:
                answer = await self._cloud.handle(method, lambda: read(data), metadata)
                if isinstance(answer, Encoded):
                    return answer.grpc
                assert response_path is not None
                assert isinstance(answer, dict)
                return self._encoded(response_path, answer)
            except RpcError as error:
                return _refuse(context, error)
            except Drop:
                context.set_code(grpc.StatusCode.UNAVAILABLE)
                context.set_details("Socket closed")
                return b""
            except Exception as error:  # the caller gets INTERNAL, the log says where
                log.error("%s failed: %s", method.full_name, type(error).__name__, exc_info=True)
                return _refuse(context, RpcError(Code.INTERNAL, "Internal error encountered."))

        return serve

    def _encoded(self, name: str, answer: Json) -> bytes:
        """The answer's bytes."""
        try:
            data: bytes = to_message(name, answer).SerializeToString()
        except json_format.ParseError:
            raise RpcError(Code.UNIMPLEMENTED, "The answer has no protobuf form: ask over REST.") from None
        return data


def _refuse(context: Any, error: RpcError) -> bytes:
    """Set the call's status.

    `context.abort` is not used: each abort, and what its frames hold, stays in memory for good (seen with grpcio 1.85).
    """
    context.set_code(_CODES[int(error.code)])
    context.set_details(error.message)
    context.set_trailing_metadata((("grpc-status-details-bin", trailer(error)),))
    return b""


class GrpcServer:
    """A plaintext gRPC server on one address."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", MOST_BYTES),
                ("grpc.max_send_message_length", -1),
            ]
        )
        self._server.add_generic_rpc_handlers((_Handler(cloud),))

    async def open(self, address: str) -> int:
        """Listen on `HOST:PORT` (port 0 = any free one) or `unix:PATH`; the port. Raises OSError where it cannot."""
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError:
            port = 0
        if not port:
            raise OSError(f"cannot listen on {address}: the address is in use or may not be taken")
        await self._server.start()
        return int(port)

    async def close(self) -> None:
        """Let running calls end for half a second, then stop."""
        await self._server.stop(0.5)
