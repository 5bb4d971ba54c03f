"""A pytest plugin: the fixture `keyadmin_sandbox`, a fresh local Google Cloud for each test, and `keyadmin_sandbox_env`, which
also sets the variables by which programs find their credentials, endpoints and Gemini API key.

It is there wherever keyadmin is installed; nothing has to be switched on. Importing this module imports nothing heavy.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final, TypeVar

import pytest

_CHILD = "from keyadmin.sandbox.pytest_plugin import child; child()"


OWNER: Final = "owner@example.com"
GEMINI: Final = "generativelanguage.googleapis.com"
Client = TypeVar("Client")

# What would lead a program elsewhere: another key, Vertex AI, the person's own gcloud and credentials, a proxy.
_ELSEWHERE: Final = (
    *("GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_CLOUD_QUOTA_PROJECT"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
)


class SandboxFixture:
    """A running sandbox, as it is at the start. Who calls it is told by `Authorization: Bearer E-MAIL`; without one it is
    owner@example.com, who owns `demo-project`.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter and a constant
            [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the keyadmin sandbox did not start; stderr says why")
        import json

        info = json.loads(line)
        self.rest: str = info["rest"]  # http://127.0.0.1:PORT, every REST API
        self.grpc: str = info["grpc"]  # 127.0.0.1:PORT, every gRPC service, plaintext

    def seed(self, data: dict[str, Any]) -> None:
        """Add projects, keys, roles and more, merged by id (the format: docs/sandbox.md). Raises ValueError for a bad seed."""
        self._control("POST", "seed", data)

    def faults(
        self,
        method: str,
        code: str = "UNAVAILABLE",
        *,
        times: int = 1,
        when: str = "before",
        message: str = "",
        details: list[dict[str, Any]] | None = None,
    ) -> None:
        """The next `times` calls of a method (`CreateKey`, a full name, or `*`) fail with a canonical code, or `DROP`.

        `when`: before the change, after it, or in its operation. `details`: JSON objects with `@type`, as in errors.
        """
        fault = {"method": method, "code": code, "times": times, "when": when, "message": message, "details": details or []}
        self._control("POST", "faults", fault)

    def clear_faults(self) -> None:
        """Take all faults back."""
        self._control("DELETE", "faults")

    def clock(self, advance: str = "0s") -> str:
        """Move the sandbox's clock by `31d`, `12h`, `30m`, `5s`; its time then, RFC 3339."""
        now: str = self._control("POST", "clock", {"advance": advance})["now"]
        return now

    def requests(self) -> list[dict[str, str]]:
        """What was called since the test began: `[{"method", "principal", "status", "at"}]`, oldest first."""
        log: list[dict[str, str]] = self._control("GET", "requests")
        return log

    def quota(self, method: str, per_minute: int | None) -> None:
        """Allow so many calls of a method a minute for each payer; None takes the limit away."""
        self._control("POST", "quota", {"method": method, "per_minute": per_minute})

    def latency(self, milliseconds: float | str, method: str | None = None) -> None:
        """Answer later by so many milliseconds, or as `recorded` from the real service; all methods or one."""
        self._control("POST", "latency", {"ms": milliseconds} | ({"method": method} if method else {}))

    def propagation(self, **delays: str) -> None:
        """How long changes take to be seen.

        `key="30s"`, `service="60s"`, `serviceAccount="5s"`, `search="2m"`, `keyDeletion="23m"`.
        """
        self._control("POST", "propagation", delays)

    def client(self, kind: type[Client], caller: str = OWNER) -> Client:
        """One of Google's clients, such as `google.cloud.api_keys_v2.ApiKeysClient`, that calls the sandbox as somebody."""
        import grpc

        made: Any = kind
        channel = grpc.insecure_channel(self.grpc)
        if caller != OWNER:
            channel = grpc.intercept_channel(channel, _calling_as(caller))
        client: Client = made(transport=made.get_transport_class("grpc")(channel=channel))
        return client

    def credentials(self, caller: str = OWNER) -> Any:
        """google-auth credentials of somebody, for clients over REST: `transport="rest"` and the api_endpoint `.rest`."""
        from google.oauth2.credentials import Credentials

        return Credentials(token=caller)  # type: ignore[no-untyped-call]

    def gemini_key(self) -> str:
        """The key string of an auth key that works for the Gemini API, in a project `gemini-app` of its own."""
        key = {
            "keyId": "gemini-app",
            "displayName": "gemini app",
            "restrictions": {"apiTargets": [{"service": GEMINI}]},
            "serviceAccountEmail": "app@gemini-app.iam.gserviceaccount.com",
        }
        project = {
            "projectId": "gemini-app",
            "services": [GEMINI, "apikeys.googleapis.com"],
            "iam": {"roles/owner": [f"user:{OWNER}"]},
            "serviceAccounts": ["app"],
            "keys": [key],
        }
        self.seed({"projects": [project]})
        found: str = self._ask("GET", "/v2/projects/gemini-app/locations/global/keys/gemini-app/keyString")["keyString"]
        return found

    def reset(self) -> None:
        """Back to the start: default seed, no faults, no quotas, the real time."""
        self._control("POST", "reset", {})

    def _control(self, method: str, path: str, data: dict[str, Any] | None = None) -> Any:
        return self._ask(method, f"/_sandbox/{path}", data)

    def _ask(self, method: str, path: str, data: dict[str, Any] | None = None) -> Any:
        import http.client
        import json
        from urllib.parse import urlsplit

        connection = http.client.HTTPConnection(urlsplit(self.rest).netloc, timeout=60)
        try:
            body = None if data is None else json.dumps(data)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(answer["error"]["message"])
        return answer

    def _alive(self) -> bool:
        return self._process.poll() is None

    def _stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class _Keeper:
    """One server for a session (for each worker of pytest-xdist), started when a test first asks."""

    def __init__(self) -> None:
        self._running: SandboxFixture | None = None

    def fresh(self) -> SandboxFixture:
        if self._running is not None and self._running._alive():
            self._running.reset()
        else:
            self._running = SandboxFixture()
        return self._running

    def stop(self) -> None:
        if self._running is not None:
            self._running._stop()


@pytest.fixture(scope="session")
def _keyadmin_sandboxes() -> Iterator[_Keeper]:
    keeper = _Keeper()
    yield keeper
    keeper.stop()


@pytest.fixture
def keyadmin_sandbox(_keyadmin_sandboxes: _Keeper) -> SandboxFixture:
    """A fresh keyadmin sandbox, a local Google Cloud: `.rest`, `.grpc`, `.seed()`, `.faults()`, `.clock()`, `.requests()`."""
    return _keyadmin_sandboxes.fresh()


@pytest.fixture
def keyadmin_sandbox_env(
    keyadmin_sandbox: SandboxFixture, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> SandboxFixture:
    """The same sandbox, and an environment in which programs find it and nothing else.

    google-genai and the other Gen AI SDKs get its address and a key that works, keyadmin and gcloud its address. The
    Application Default Credentials are nobody's, so that nothing can reach Google with yours.
    """
    folder = tmp_path_factory.mktemp("keyadmin-sandbox")
    nobody = folder / "credentials.json"
    nobody.write_text('{"type": "authorized_user", "client_id": "none", "client_secret": "none", "refresh_token": "none"}')
    for name in _ELSEWHERE:
        monkeypatch.delenv(name, raising=False)
    loopback = "127.0.0.1,localhost"
    for name, value in {
        "KEYADMIN_SANDBOX": keyadmin_sandbox.rest,
        "GOOGLE_GEMINI_BASE_URL": keyadmin_sandbox.rest,
        "GEMINI_API_KEY": keyadmin_sandbox.gemini_key(),
        "GOOGLE_CLOUD_PROJECT": "demo-project",
        "GOOGLE_APPLICATION_CREDENTIALS": str(nobody),
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN": OWNER,
        "NO_PROXY": loopback,
        "no_proxy": loopback,
    }.items():
        monkeypatch.setenv(name, value)
    return keyadmin_sandbox


def _calling_as(caller: str) -> Any:
    """What puts a bearer token into each call of a channel."""
    import grpc

    class Bearer(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
        def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            metadata = [*(details.metadata or ()), ("authorization", f"Bearer {caller}")]
            names = ("method", "timeout", "credentials", "wait_for_ready", "compression")
            same = {name: getattr(details, name, None) for name in names}
            return continuation(SimpleNamespace(**same, metadata=metadata), request)

    return Bearer()


def child() -> None:
    """The server's process. It ends with its parent, however that ends: then its standard input is closed."""
    import asyncio
    import os
    import signal
    import threading

    from keyadmin.sandbox.serve import ServeOptions, serve

    def follow() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()
    asyncio.run(serve(ServeOptions()))
