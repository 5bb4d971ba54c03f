"""Google's own clients, pointed at a sandbox through each of its transports."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
from google.api_core import operation
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.oauth2.credentials import Credentials

from .conftest import Running


def grpc_client(client: Any, sandbox: Running) -> Any:
    """A synchronous client over gRPC."""
    return client(transport=client.get_transport_class("grpc")(channel=grpc.insecure_channel(sandbox.grpc)))


def async_client(client: Any, sandbox: Running) -> Any:
    """An asyncio client over gRPC; make it inside the event loop."""
    return client(transport=client.get_transport_class("grpc_asyncio")(channel=grpc.aio.insecure_channel(sandbox.grpc)))


def rest_client(client: Any, sandbox: Running) -> Any:
    """A synchronous client over REST."""
    host = urlsplit(sandbox.rest).netloc
    return client(
        transport=client.get_transport_class("rest")(host=host, url_scheme="http", credentials=AnonymousCredentials())
    )


def discovered(api: str, version: str, sandbox: Running, caller: str = "owner@example.com") -> Any:
    """google-api-python-client with its bundled discovery document."""
    from googleapiclient.discovery import build

    return build(
        api,
        version,
        credentials=Credentials(token=caller),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": sandbox.rest},
        static_discovery=True,
        cache_discovery=False,
    )


def bearer(caller: str) -> list[tuple[str, str]]:
    """Call metadata that names who calls."""
    return [("authorization", f"Bearer {caller}")]


@contextmanager
def refused(error: type[GoogleAPICallError], *words: str, reason: str | None = None) -> Iterator[Any]:
    """The block raises this error with these words (and ErrorInfo reason). Over REST its HTTP class: BadRequest, Forbidden."""
    with pytest.raises(GoogleAPICallError) as caught:
        yield caught
    assert isinstance(caught.value, error) or type(caught.value) in error.__mro__
    for word in words:
        assert word in caught.value.message
    if reason is not None:
        assert caught.value.reason == reason


class Gcloud:
    """The gcloud command of this machine, pointed at a sandbox."""

    def __init__(self, sandbox: Running, config: Path, caller: str = "owner@example.com") -> None:
        command = shutil.which("gcloud")
        if command is None:
            pytest.skip("gcloud is not installed")
        self._command = command
        self._env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._env |= {
            "CLOUDSDK_CONFIG": str(config),
            "CLOUDSDK_AUTH_ACCESS_TOKEN": caller,
            "CLOUDSDK_CORE_CHECK_GCE_METADATA": "0",
            "CLOUDSDK_METRICS_ENVIRONMENT": "local-emulator",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
            "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
            "CLOUDSDK_CORE_SHOW_STRUCTURED_LOGS": "never",
            "GCE_METADATA_ROOT": "127.0.0.1:9",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        for api in (
            *("APIKEYS", "CLOUDRESOURCEMANAGER", "SERVICEUSAGE", "IAM", "IAMCREDENTIALS", "ORGPOLICY"),
            *("SECRETMANAGER", "CLOUDASSET"),
        ):
            self._env[f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api}"] = f"{sandbox.rest}/"

    @property
    def environment(self) -> dict[str, str]:
        """What a script that calls gcloud is to be run with."""
        return dict(self._env)

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it; stdout, stderr and the exit code."""
        return subprocess.run([self._command, *words], env=self._env, capture_output=True, text=True, timeout=300)


def finished(started: Any, client: Any, result: Any, metadata: Any) -> Any:
    """What an operation came to, polled with the same metadata as the call that began it; the clients poll without."""
    polled = operation.from_gapic(started.operation, client.transport.operations_client, result, grpc_metadata=metadata)
    return polled.result(timeout=60)
