"""What the fronts do with a call that is not an identity service's: Google's rules on who pays, then over to the sandbox."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import grpc

from tests.local_google.identity import Holder

# Of the same length, so that a protobuf's length fields stay right.
MARKERS: Final = ((b"AQ.SANDBOX-", b"AQ.LOCALGG-"), (b"AIzaSANDBOX", b"AIzaLOCALGG"))
ADC_CLIENT: Final = "764086051850"  # the project of gcloud's OAuth client for Application Default Credentials (facts 10)
OWNER: Final = "owner@example.com"
_OWN: Final = ("host", "authorization", "content-length", "transfer-encoding", "connection", "accept-encoding")


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class RpcAnswer:
    """A gRPC answer: a message, or a status with its packed google.rpc.Status."""

    message: bytes = b""
    code: int = 0
    text: str = ""
    details: bytes = b""


def out(data: bytes) -> bytes:
    """From the sandbox to the client: its keys lose the sandbox's marker."""
    for inside, outside in MARKERS:
        data = data.replace(inside, outside)
    return data


def back(data: bytes) -> bytes:
    """From the client to the sandbox."""
    for inside, outside in MARKERS:
        data = data.replace(outside, inside)
    return data


def error(code: int, status: str, message: str, *details: dict[str, Any]) -> Answer:
    """An error of Google's form."""
    body = {"error": {"code": code, "message": message, "status": status, "details": list(details)}}
    return Answer(code, json.dumps(body).encode(), {"Content-Type": "application/json; charset=UTF-8"})


class Sandbox:
    """The served sandbox behind the fronts."""

    def __init__(self, rest: str, target: str) -> None:
        self.rest = rest
        self.charging = True
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._channel = grpc.aio.insecure_channel(target, options=[("grpc.max_receive_message_length", -1)])

    async def close(self) -> None:
        await self._session.close()
        await self._channel.close()

    async def json(self, verb: str, path: str, body: Any = None) -> Any:
        """A call of the test's own, as the owner."""
        async with self._session.request(
            verb, self.rest + path, json=body, headers={"Authorization": f"Bearer {OWNER}"}
        ) as answer:
            return await answer.json()

    async def refusal(self, host: str, holder: Holder, quota_project: str | None) -> dict[str, Any] | None:
        """Google's rule: an API must be on in the project that the call is charged to (facts 10). None = it may go on."""
        if not self.charging:
            return None
        charged = quota_project or holder.own_project
        if charged is None:
            text = (
                "Your application is authenticating by using local Application Default Credentials. "
                f"The {host} API requires a quota project, which is not set by default."
            )
            return _disabled(host, ADC_CLIENT, text)
        found = await self.json("GET", f"/v1/projects/{charged}/services/{host}")
        if found.get("state") == "ENABLED":
            return None
        number = str(found.get("parent", charged)).rpartition("/")[2]
        text = (
            f"{host} has not been used in project {number} before or it is disabled. Enable it by visiting "
            f"https://console.developers.google.com/apis/api/{host}/overview?project={number} then retry."
        )
        return _disabled(host, number, text)

    async def http(self, verb: str, target: str, headers: dict[str, str], body: bytes, principal: str | None) -> Answer:
        """Hand a REST call over."""
        from yarl import URL

        sent = {name: back(value.encode()).decode() for name, value in headers.items() if name not in _OWN}
        sent.pop("x-goog-user-project", None)
        if "x-goog-user-project" in headers and not self.charging:
            sent["x-goog-user-project"] = headers["x-goog-user-project"]
        if principal:
            sent["Authorization"] = f"Bearer {principal}"
        url = URL(self.rest + target, encoded=True)
        async with self._session.request(verb, url, headers=sent, data=back(body), allow_redirects=False) as answer:
            data = out(await answer.read())
            return Answer(answer.status, data, {"Content-Type": answer.headers.get("Content-Type", "application/json")})

    async def rpc(self, method: str, message: bytes, principal: str | None) -> RpcAnswer:
        """Hand a unary RPC over. What goes into Secret Manager stays as it is: a checksum covers it."""
        same = "secretmanager" in method
        call = self._channel.unary_unary(method)
        metadata = [("authorization", f"Bearer {principal}")] if principal else []
        try:
            answer = await call(message if same else back(message), metadata=metadata, timeout=30)
        except grpc.aio.AioRpcError as refused:
            trailers = dict(refused.trailing_metadata() or ())
            details = trailers.get("grpc-status-details-bin", b"")
            return RpcAnswer(b"", refused.code().value[0], refused.details() or "", details)
        return RpcAnswer(answer if same else out(answer))


def _disabled(host: str, number: str, text: str) -> dict[str, Any]:
    return {
        "message": text,
        "info": {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": {"service": host, "consumer": f"projects/{number}"},
        },
    }


def rpc_refusal(code: int, text: str, info: dict[str, Any] | None = None) -> RpcAnswer:
    """A gRPC error with its details."""
    from google.rpc import error_details_pb2, status_pb2

    status = status_pb2.Status(code=code, message=text)
    if info is not None:
        packed = error_details_pb2.ErrorInfo(reason=info["reason"], domain=info["domain"], metadata=info["metadata"])
        status.details.add().Pack(packed)
    return RpcAnswer(b"", code, text, status.SerializeToString())
