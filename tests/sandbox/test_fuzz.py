"""One fuzzer over both transports: whatever comes in, the documented error goes out; nothing crashes, nothing grows.

`FUZZ_EXAMPLES=20000 pytest tests/sandbox/test_fuzz.py` looks longer.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import grpc
import psutil
import pytest
from google.rpc import status_pb2
from hypothesis import HealthCheck, given, settings

from tests.waiting import until

from .conftest import Running, start
from .fuzzing import grpc_request, rest_request

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "600"))
_MANNER = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# What the documented errors are, in HTTP and in gRPC; 500 and INTERNAL are the sandbox's own failures.
ALLOWED = {200, 400, 401, 403, 404, 409, 429, 501}
NAMES = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND"} | {
    *("ALREADY_EXISTS", "ABORTED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    running = start()
    yield running
    running.stop()


def _ask(server: Running, http_method: str, target: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.rest).netloc, timeout=60)
    try:
        connection.request(http_method, target, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    finally:
        connection.close()


_sent = itertools.count()


def _mended(server: Running) -> None:
    """Now and then back to the start, or what was deleted and locked away would keep the rest from being reached."""
    if next(_sent) % 100 == 0:
        server.control("reset", {})


@_MANNER
@given(request=rest_request())
def test_rest_answers_whatever_is_sent(server: Running, request: tuple[str, str, bytes, dict[str, str]]) -> None:
    _mended(server)
    status, kind, body = _ask(server, *request)
    assert status in ALLOWED, (status, body)
    if kind.startswith("application/json"):
        data = json.loads(body)
        if status != 200:
            data = data[0] if isinstance(data, list) else data  # streamed answers are arrays, refusals too
            if "interactions" in request[1] and isinstance(data["error"]["code"], str):
                return  # that API refuses in a form of its own
            assert data["error"]["code"] == status
            assert data["error"]["status"] in NAMES
    else:
        assert status == 200
        assert kind == "text/event-stream"


@pytest.fixture(scope="module")
def channel(server: Running) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc) as channel:
        yield channel


@_MANNER
@given(request=grpc_request())
def test_grpc_answers_whatever_is_sent(server: Running, channel: grpc.Channel, request: tuple[str, bytes]) -> None:
    _mended(server)
    path, data = request
    call = channel.unary_unary(path).future(data)
    error = call.exception(timeout=60)
    if error is not None:
        assert call.code().name in NAMES, (path, error)
        status = status_pb2.Status.FromString(dict(call.trailing_metadata())["grpc-status-details-bin"])
        assert (status.code, status.message) == (call.code().value[0], call.details())


def _huge() -> list[tuple[str, str, bytes, dict[str, str]]]:
    keys = "/v2/projects/demo-project/locations/global/keys"
    kind = {"Content-Type": "application/json"}
    ten = 10 * 1024 * 1024
    return [
        ("POST", keys, json.dumps({"displayName": "x" * ten}).encode(), kind),
        ("POST", keys, json.dumps({"annotations": {"a": "x" * ten}}).encode(), kind),
        ("POST", keys, b"[" * ten, kind),
        ("POST", keys, b'{"restrictions":' * 100_000 + b"{}" + b"}" * 100_000, kind),
        ("POST", keys, b'{"a":' * 500 + b"1" + b"}" * 500, kind),
        ("POST", keys, b"\x00" * ten, kind),
        ("POST", keys, b"9" * 1_000_000, kind),
        ("POST", keys, b" " * (12 * 1024 * 1024), kind),
        ("GET", keys + "?" + "&".join(f"pageSize={n}" for n in range(1001)), b"", {}),
        ("GET", keys + "?fields=" + "(" * 3000, b"", {}),
        ("GET", keys + "?fields=" + "a(" * 3000, b"", {}),
        ("GET", keys + "?pageToken=" + "A" * 6000, b"", {}),
        ("GET", "/v2/" + "a/" * 3000, b"", {}),
        ("GET", "/" + "%2F" * 2000, b"", {}),
    ]


@pytest.mark.parametrize("request_", _huge(), ids=range(len(_huge())))
def test_huge_and_deep_requests_are_refused(server: Running, request_: tuple[str, str, bytes, dict[str, str]]) -> None:
    status, _, body = _ask(server, *request_)
    assert status in ALLOWED - {200}, body[:500]
    assert json.loads(body)["error"]["code"] == status


def test_huge_grpc_messages_are_refused(server: Running, channel: grpc.Channel) -> None:
    from google.cloud import api_keys_v2

    server.control("reset", {})
    request = api_keys_v2.CreateKeyRequest(
        parent="projects/demo-project/locations/global", key=api_keys_v2.Key(display_name="x" * 10 * 1024 * 1024)
    )
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/google.api.apikeys.v2.ApiKeys/CreateKey")(
            api_keys_v2.CreateKeyRequest.serialize(request), timeout=60
        )
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/google.api.apikeys.v2.ApiKeys/CreateKey")(b"\x0a" * 12 * 1024 * 1024, timeout=60)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def _stays_small(server: Running, before: int) -> None:
    """It has hardly more memory than before (20 MB of slack): now, or once it has put away what it was just sent."""
    process = psutil.Process(server.process.pid)
    until(lambda: process.memory_info().rss - before < 20 * 1024 * 1024, "it is as small as before")


def test_names_of_nothing_are_not_kept(server: Running, channel: grpc.Channel) -> None:
    """Fifty names of 4 MB each, after ten."""
    from google.cloud import api_keys_v2

    def ask_for_nothing(rounds: int) -> None:
        for number in range(rounds):
            name = f"projects/{number}{os.urandom(4).hex()}{'x' * 4_000_000}/locations/global"
            data = api_keys_v2.ListKeysRequest.serialize(api_keys_v2.ListKeysRequest(parent=name))
            assert channel.unary_unary("/google.api.apikeys.v2.ApiKeys/ListKeys").future(data).exception(timeout=60)

    ask_for_nothing(10)
    before = psutil.Process(server.process.pid).memory_info().rss
    ask_for_nothing(50)
    _stays_small(server, before)


def test_bad_input_does_not_make_it_grow(server: Running) -> None:
    """The same bad requests over and over: after two rounds the memory stays where it is."""
    bad: list[Any] = [request for request in _huge() if len(request[2]) < 2_000_000]

    def round_of_requests() -> None:
        for index in range(30):
            for request in bad:
                _ask(server, *request)
            _ask(server, "GET", f"/v2/projects/p-{index}-{os.urandom(4).hex()}/locations/global/keys", b"", {})

    for _ in range(2):
        round_of_requests()
    before = psutil.Process(server.process.pid).memory_info().rss
    for _ in range(3):
        round_of_requests()
    _stays_small(server, before)
