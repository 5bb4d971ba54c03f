"""The gRPC transport: Google's generated asyncio clients, each built at its first call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from keyadmin import __version__
from keyadmin.cloud.calls import OPERATION_DEADLINE, OnRepeat, Operation, Runner, finished
from keyadmin.cloud.credentials import silence
from keyadmin.cloud.endpoints import ApiCall, GrpcApi, transport
from keyadmin.cloud.errors import status_json
from keyadmin.cloud.network import proxy_for
from keyadmin.cloud.routes import Routes
from keyadmin.cloud.threads import in_daemon_thread
from keyadmin.model.loading import load

_OPTIONS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.primary_user_agent", f"keyadmin/{__version__}"),
)


class GrpcTransport:
    """Clients and their channels. Retrying is `Runner`'s alone: the clients' own is switched off."""

    def __init__(self, routes: Routes, runner: Runner) -> None:
        self._routes = routes
        self._runner = runner
        self._clients: dict[GrpcApi, Any] = {}
        self._channels: list[Any] = []
        self._lock = asyncio.Lock()

    async def call(
        self,
        api: GrpcApi,
        method: str,
        request: Mapping[str, Any] | Any,
        *,
        project: str | None = None,
        write: bool = False,
        repeatable: bool = True,
        charged: bool = False,
        uncharged: bool = False,
        on_repeat: OnRepeat[Any] | None = None,
    ) -> Any:
        """The client's own answer (a protobuf, a pager holding its first page, or an AsyncOperation). Raises Problem."""
        call = ApiCall(api.host, _rpc_name(method), project, write, repeatable, charged=charged, uncharged=uncharged)
        if transport(call.service, call.method) != "grpc":
            raise ValueError(f"{call.service} {call.method} is not a gRPC call")
        bound = getattr(await self.client(api), method)

        async def attempt(headers: dict[str, str], seconds: float) -> Any:
            return await bound(request=request, retry=None, timeout=seconds, metadata=tuple(headers.items()))

        return await self._runner.run(call, attempt, on_repeat)

    async def operate(
        self,
        api: GrpcApi,
        method: str,
        request: Mapping[str, Any],
        *,
        project: str,
        on_repeat: OnRepeat[Any] | None = None,
        deadline: float | None = None,
        uncharged: bool = False,
    ) -> Any:
        """As `call`, for a change that answers an operation: its packed response once done, or what `on_repeat` gave."""
        answer = await self.call(api, method, request, project=project, write=True, on_repeat=on_repeat, uncharged=uncharged)
        if not hasattr(answer, "operation"):
            return answer
        call = ApiCall(api.host, _rpc_name(method), project)

        async def poll(name: str) -> Operation:
            return await self.poll(api, name, project, uncharged=uncharged)

        return await finished(operation_of(answer.operation), poll, call, deadline or OPERATION_DEADLINE)

    async def poll(self, api: GrpcApi, name: str, project: str | None, *, uncharged: bool = False) -> Operation:
        """The operation as it stands."""
        client = await self.client(api)
        operations = client.transport.operations_client

        async def attempt(headers: dict[str, str], seconds: float) -> Any:
            return await operations.get_operation(name, retry=None, timeout=seconds, metadata=list(headers.items()))

        return operation_of(await self._runner.run(ApiCall(api.host, "GetOperation", project, uncharged=uncharged), attempt))

    async def client(self, api: GrpcApi) -> Any:
        """The client, imported and connected when first asked for."""
        if api not in self._clients:
            async with self._lock:
                if api not in self._clients:
                    self._clients[api] = await self._build(api)
        return self._clients[api]

    async def _build(self, api: GrpcApi) -> Any:
        silence()
        # In a thread: importing these packages takes half a second, and an embedded sandbox lives in this event loop.
        module = await in_daemon_thread(load, api.module)
        kind = getattr(module, api.client)
        channel = open_channel(self._routes, await self._routes.grpc(api.host))
        self._channels.append(channel)
        return kind(transport=kind.get_transport_class("grpc_asyncio")(host=api.host, channel=channel))

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._channels:
            await channel.close()


def open_channel(routes: Routes, target: str) -> Any:
    """A channel to `target` (HOST:PORT or unix:PATH) with the proxy and the authorities that REST has."""
    import grpc

    if not routes.secure:
        return grpc.aio.insecure_channel(target, options=(*_OPTIONS, ("grpc.enable_http_proxy", 0)))
    assert routes.roots is not None
    name, _, port = target.rpartition(":")
    proxy = proxy_for(name, int(port))
    way = ("grpc.http_proxy", proxy) if proxy else ("grpc.enable_http_proxy", 0)
    trust = grpc.ssl_channel_credentials(root_certificates=routes.roots.pem)
    return grpc.aio.secure_channel(target, trust, options=(*_OPTIONS, way))


def operation_of(answer: Any) -> Operation:
    """From google.longrunning.Operation; `response` stays packed (`google.protobuf.Any`)."""
    error = status_json(answer.error) if answer.HasField("error") else None
    return Operation(answer.name, answer.done, error, answer.response if answer.HasField("response") else None)


def _rpc_name(method: str) -> str:
    return "".join(part.capitalize() for part in method.split("_"))
