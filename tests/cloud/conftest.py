"""A TLS server in Google's place that records what it is sent and answers what a test lays out; a CONNECT proxy."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
import trustme
from aiohttp import web
from google.cloud.api_keys_v2.types import apikeys
from google.rpc import status_pb2
from grpc_status import rpc_status

from keyadmin.cloud.calls import RetryPolicy
from keyadmin.cloud.connect import Cloud, EndpointOverride, Target, Url, connect

GOOGLE_NAMES = (
    "localhost",
    "127.0.0.1",
    "apikeys.googleapis.com",
    "generativelanguage.googleapis.com",
    "iamcredentials.googleapis.com",
    "oauth2.googleapis.com",
)
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "grpc_proxy", "no_grpc_proxy")
KEY_RPC = "/google.api.apikeys.v2.ApiKeys/GetKeyString"
DROP = object()  # an answer that is none: the connection is closed


@dataclass
class Seen:
    """One request as it arrived."""

    door: str
    what: str  # "GET /v2/..." or the RPC's full name
    headers: dict[str, str]
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None


class Double:
    """`script["GET /v2/x"]` or `script[RPC]` holds answers to give first; then come the standing ones."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.ca_file = folder / "company-ca.pem"
        self.ca.cert_pem.write_to_path(self.ca_file)
        self.seen: list[Seen] = []
        self.script: dict[str, deque[Any]] = defaultdict(deque)
        self.token_life = 3600
        self.issued: list[str] = []
        self.revoked: set[str] = set()
        self.rest_port = 0
        self.grpc_port = 0

    async def start(self) -> None:
        cert = self.ca.issue_cert(*GOOGLE_NAMES)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        cert.configure_cert(context)
        self._runner = web.ServerRunner(web.Server(self._rest))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.rest_port = self._runner.addresses[0][1]
        self._grpc = grpc.aio.server()
        self._grpc.add_generic_rpc_handlers((_Handler(self),))
        key, chain = cert.private_key_pem.bytes(), b"".join(pem.bytes() for pem in cert.cert_chain_pems)
        self.grpc_port = self._grpc.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))
        await self._grpc.start()

    async def stop(self) -> None:
        await self._grpc.stop(None)
        await self._runner.cleanup()

    @property
    def endpoints(self) -> EndpointOverride:
        return EndpointOverride(f"https://localhost:{self.rest_port}", f"localhost:{self.grpc_port}")

    def calls(self, what: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.what == what]

    def accepts(self, header: str | None) -> bool:
        token = (header or "").removeprefix("Bearer ")
        return token in self.issued and token not in self.revoked

    async def _rest(self, request: web.BaseRequest) -> web.StreamResponse:
        what = f"{request.method} {request.path}"
        raw = await request.read()
        body = json.loads(raw) if request.content_type == "application/json" and raw else raw.decode()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(
            Seen("rest", what, headers, {name: ",".join(request.query.getall(name)) for name in request.query}, body)
        )
        if self.script[what]:
            answer = self.script[what].popleft()
            if answer is DROP:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            return _response(*answer)
        if request.path == "/token":
            return web.json_response(
                {"access_token": self._issue("token"), "expires_in": self.token_life, "token_type": "Bearer"}
            )
        if "x-goog-api-key" not in headers and not self.accepts(headers.get("authorization")):
            return web.json_response({"error": {"code": 401, "message": "no", "status": "UNAUTHENTICATED"}}, status=401)
        if request.path.endswith(":generateAccessToken"):
            token = self._issue("impersonated")
            return web.json_response({"accessToken": token, "expireTime": "2999-01-01T00:00:00Z"})
        return web.json_response({"models": []} if request.path == "/v1beta/models" else {})

    def _issue(self, kind: str) -> str:
        self.issued.append(f"{kind}-{len(self.issued) + 1}")
        return self.issued[-1]


def _response(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    if isinstance(body, str):
        return web.Response(status=status, text=body, headers=headers, content_type="text/html")
    return web.json_response(body, status=status, headers=headers)


class _Handler(grpc.GenericRpcHandler):
    """Answers every unary RPC from the script, GetKeyString with a standing answer."""

    def __init__(self, double: Double) -> None:
        self._double = double

    def service(self, details: Any) -> Any:
        async def answer(request: bytes, context: Any) -> bytes:
            headers = {str(name): str(value) for name, value in details.invocation_metadata}
            self._double.seen.append(Seen("grpc", details.method, headers, body=request))
            if self._double.script[details.method]:
                given = self._double.script[details.method].popleft()
                if isinstance(given, bytes):
                    return given
                await context.abort_with_status(rpc_status.to_status(given))
            if not self._double.accepts(headers.get("authorization")):
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")
            if details.method != KEY_RPC:
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, "not scripted")
            return apikeys.GetKeyStringResponse.serialize(apikeys.GetKeyStringResponse(key_string="AQ.SANDBOX-no"))

        return grpc.unary_unary_rpc_method_handler(answer)


def grpc_status(code: int, message: str, *details: Any) -> status_pb2.Status:
    """A status for the script."""
    status = status_pb2.Status(code=code, message=message)
    for detail in details:
        status.details.add().Pack(detail)
    return status


@pytest.fixture(name="grpc_status")
def _grpc_status() -> Callable[..., status_pb2.Status]:
    return grpc_status


@pytest.fixture
def dropped() -> object:
    """What to put into a script for an answer that gets lost."""
    return DROP


@pytest.fixture
def key_rpc() -> str:
    """The full name of GetKeyString."""
    return KEY_RPC


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No certificate authority, proxy or credentials of the machine that runs the tests."""
    for name in (*CA_VARIABLES, *PROXIES, *(name.lower() for name in PROXIES)):
        monkeypatch.delenv(name, raising=False)
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud"))


@pytest.fixture
async def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Double]:
    """The server, running, its CA in the environment as a company's would be."""
    server = Double(tmp_path)
    await server.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    yield server
    await server.stop()


@pytest.fixture
async def another_double(tmp_path: Path) -> AsyncIterator[Double]:
    """A second server, whose certificate authority nobody trusts."""
    folder = tmp_path / "another"
    folder.mkdir()
    server = Double(folder)
    await server.start()
    yield server
    await server.stop()


class Sandbox:
    """A sandbox served on loopback from this process, and its control surface."""

    def __init__(self, server: Any) -> None:
        self.url = server.rest_address
        self.target = Target(sandbox=Url(server.rest_address), retry=RetryPolicy(first=0.01, most=0.05, seconds=60.0))

    async def control(self, path: str, data: Any = None) -> Any:
        """POST `data` to /_sandbox/PATH, or GET it."""
        async with aiohttp.ClientSession() as session:
            url = f"{self.url}/_sandbox/{path}"
            request = session.get(url) if data is None else session.post(url, json=data)
            async with request as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json()

    async def asked(self, method: str) -> list[str]:
        """The statuses with which a method was answered so far."""
        return [entry["status"] for entry in await self.control("requests") if entry["method"].endswith(f".{method}")]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A sandbox in memory with the default seed."""
    from keyadmin.sandbox.cloud import LocalCloud
    from keyadmin.sandbox.server import Server

    cloud = LocalCloud(None)
    cloud.start()
    server = Server(cloud)
    await server.open_tcp("127.0.0.1", 0, 0)
    yield Sandbox(server)
    await server.close()


@pytest.fixture
async def cloud(sandbox: Sandbox) -> AsyncIterator[Cloud]:
    """The sandbox, called as its owner."""
    async with connect(sandbox.target) as connected:
        yield connected


@pytest.fixture(scope="session")
def private_key() -> str:
    """An RSA key for service account files."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def service_account(double: Double, private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A service account's key file as Application Default Credentials, its tokens from the double; its e-mail address."""
    email = "robot@their-project.iam.gserviceaccount.com"
    info = {
        "type": "service_account",
        "project_id": "their-project",
        "private_key_id": "1",
        "private_key": private_key,
        "client_email": email,
        "client_id": "1",
        "token_uri": f"https://localhost:{double.rest_port}/token",
    }
    _use(info, tmp_path, monkeypatch)
    return email


@pytest.fixture
def user_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A person's Application Default Credentials; their tokens come from oauth2.googleapis.com."""

    def use(**more: str) -> None:
        info = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
        _use(info | more, tmp_path, monkeypatch)

    return use


def _use(info: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "credentials.json"
    path.write_text(json.dumps(info))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


@pytest.fixture
def quick() -> RetryPolicy:
    """Retries that do not keep a test waiting, for a time that a busy machine does not use up between two of them."""
    return RetryPolicy(first=0.01, most=0.05, seconds=60.0, patience=60.0)


@pytest.fixture
def target(double: Double, service_account: str, quick: RetryPolicy) -> Target:
    """The double, called as the service account."""
    return Target(endpoints=double.endpoints, retry=quick)


class ConnectProxy:
    """An HTTP proxy that knows CONNECT alone. It leads every host to the double: h2 to its gRPC door, the rest to REST."""

    def __init__(self, double: Double) -> None:
        self._double = double
        self.asked: list[str] = []
        self.authorization: list[str] = []

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        self.asked.append(lines[0].split()[1])
        self.authorization += [line.partition(": ")[2] for line in lines if line.lower().startswith("proxy-authorization")]
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        hello = await reader.read(65536)
        port = self._double.grpc_port if b"\x02h2" in hello else self._double.rest_port
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", port)
        onward.write(hello)
        await asyncio.gather(_pipe(reader, onward), _pipe(onward_reader, writer))


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        return
    finally:
        sink.close()


@pytest.fixture
async def proxy(double: Double) -> AsyncIterator[tuple[ConnectProxy, str]]:
    """A running proxy and its HOST:PORT; a test puts it into the environment as it likes."""
    running = ConnectProxy(double)
    address = await running.start()
    yield running, address
    await running.stop()
