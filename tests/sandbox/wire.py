"""Plain HTTP to the REST transport: what no client library would send, and the bytes as they are."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .conftest import Running

KEYS = "/v2/projects/demo-project/locations/global/keys"


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]  # lower-case names
    body: bytes

    @property
    def data(self) -> Any:
        """The JSON in it."""
        return json.loads(self.body)

    @property
    def reason(self) -> str | None:
        """The ErrorInfo's reason."""
        return next((item["reason"] for item in self.data["error"].get("details", []) if "reason" in item), None)


def send(sandbox: Running, method: str, target: str, data: Any = None, headers: dict[str, str] | None = None) -> Reply:
    """One request on a connection of its own; `data` = JSON, or bytes as they are."""
    connection = http.client.HTTPConnection(urlsplit(sandbox.rest).netloc, timeout=60)
    body = data if isinstance(data, bytes | None) else json.dumps(data).encode()
    try:
        connection.request(method, target, body, {"Content-Type": "application/json"} | (headers or {}))
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def done(sandbox: Running, reply: Reply) -> Any:
    """The response of the operation that a call answered; it must be done at the first poll."""
    assert reply.status == 200, reply.body
    assert "done" not in reply.data
    operation = send(sandbox, "GET", f"/v2/{reply.data['name']}").data
    assert operation["done"] is True, operation
    return operation.get("response", operation.get("error"))


def create(sandbox: Running, key_id: str | None = None, key: Any = None, project: str = "demo-project") -> Any:
    """A key made over REST, as its operation answers it."""
    query = f"?keyId={key_id}" if key_id else ""
    return done(sandbox, send(sandbox, "POST", f"/v2/projects/{project}/locations/global/keys{query}", key or {}))
