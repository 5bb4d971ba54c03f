"""`/_sandbox`: conditions on demand, seen through the wire of both transports; its guards; reset, clock, log."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import api_keys_v2
from google.longrunning import operations_pb2
from google.rpc import error_details_pb2, status_pb2

from . import clients
from .conftest import Running
from .wire import KEYS, Reply, create, done, send

PARENT = "projects/demo-project/locations/global"
SERVICE = "google.api.apikeys.v2.ApiKeys"


@pytest.fixture(params=["grpc", "rest"])
def client(request: pytest.FixtureRequest, sandbox: Running) -> Any:
    make = {"grpc": clients.grpc_client, "rest": clients.rest_client}[request.param]
    return make(api_keys_v2.ApiKeysClient, sandbox)


def _list(client: Any) -> list[Any]:
    return list(client.list_keys(parent=PARENT, retry=None))


def _create(client: Any, key_id: str) -> Any:
    return client.create_key(parent=PARENT, key=api_keys_v2.Key(), key_id=key_id, retry=None)


# Faults


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("UNAVAILABLE", exceptions.ServiceUnavailable),
        ("DEADLINE_EXCEEDED", exceptions.GatewayTimeout),
        ("INTERNAL", exceptions.InternalServerError),
        ("ABORTED", exceptions.Conflict),
        ("RESOURCE_EXHAUSTED", exceptions.TooManyRequests),
    ],
)
def test_a_fault_before_the_change(sandbox: Running, client: Any, code: str, error: type[Exception]) -> None:
    sandbox.control("faults", {"method": "CreateKey", "code": code, "times": 2, "message": "not today"})
    for _ in range(2):
        with pytest.raises(error, match="not today"):
            _create(client, "k")
    _create(client, "k").result(timeout=60)
    assert len(_list(client)) == 1


@pytest.mark.parametrize("method", ["CreateKey", f"{SERVICE}.CreateKey", "*"])
def test_a_fault_after_the_change_loses_the_answer(sandbox: Running, client: Any, method: str) -> None:
    sandbox.control("faults", {"method": method, "code": "UNAVAILABLE", "when": "after"})
    with pytest.raises(exceptions.ServiceUnavailable):
        _create(client, "k")
    with pytest.raises((exceptions.AlreadyExists, exceptions.Conflict)):
        _create(client, "k")


def test_a_fault_inside_the_operation_changes_nothing(sandbox: Running, client: Any) -> None:
    sandbox.control("faults", {"method": "CreateKey", "code": "INTERNAL", "when": "operation", "message": "lost"})
    operation = _create(client, "k")
    with pytest.raises(exceptions.GoogleAPICallError, match="lost"):
        operation.result(timeout=60)
    assert _list(client) == []
    _create(client, "k").result(timeout=60)


def test_a_fault_inside_the_operation_of_a_call_without_one_fails_the_call(sandbox: Running, client: Any) -> None:
    sandbox.control("faults", {"method": "CreateKey", "code": "ABORTED", "when": "operation"})
    sandbox.control("faults", {"method": "ListKeys", "code": "ABORTED", "when": "after"})
    with pytest.raises(exceptions.Conflict):
        _list(client)


def test_a_dropped_connection(sandbox: Running) -> None:
    for when in ("before", "after", "operation"):
        sandbox.control("faults", {"method": "CreateKey", "code": "DROP", "when": when})
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            send(sandbox, "POST", f"{KEYS}?keyId={when}", {})
    assert [key["name"].rpartition("/")[2] for key in send(sandbox, "GET", KEYS).data["keys"]] == ["after"]
    grpc_client = clients.grpc_client(api_keys_v2.ApiKeysClient, sandbox)
    sandbox.control("faults", {"method": "CreateKey", "code": "DROP", "when": "before"})
    with pytest.raises(exceptions.ServiceUnavailable):
        _create(grpc_client, "other")


def test_a_fault_with_details(sandbox: Running, client: Any) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "CONSUMER_SUSPENDED", "domain": "googleapis.com"}
    sandbox.control("faults", {"method": "ListKeys", "code": "PERMISSION_DENIED", "details": [info]})
    with pytest.raises(exceptions.Forbidden) as caught:
        _list(client)
    assert caught.value.reason == "CONSUMER_SUSPENDED"


def test_faults_can_be_taken_back(sandbox: Running, client: Any) -> None:
    sandbox.control("faults", {"method": "*", "code": "UNAVAILABLE", "times": 1000})
    assert sandbox.control("faults", method="DELETE") == {}
    assert _list(client) == []


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("faults", {}),
        ("faults", {"method": "ListKeys", "code": "NONSENSE"}),
        ("faults", {"method": "ListKeys", "code": "OK"}),
        ("faults", {"method": "ListKeys", "when": "never"}),
        ("faults", {"method": "ListKeys", "times": 0}),
        ("faults", {"method": "ListKeys", "times": True}),
        ("faults", {"method": "ListKeys", "details": ["x"]}),
        ("faults", {"method": "ListKeys", "details": [{"@type": "type.googleapis.com/no.such.Type"}]}),
        ("quota", {}),
        ("quota", {"method": "ListKeys", "per_minute": -1}),
        ("quota", {"method": "ListKeys", "per_minute": True}),
        ("latency", {"ms": "slow"}),
        ("latency", {"ms": -1}),
        ("latency", {"ms": [1]}),
        ("latency", {"ms": 1e12}),
        ("latency", {"ms": "nan"}),
        ("latency", {"ms": 5, "method": 5}),
        ("propagation", {"key": "soon"}),
        ("propagation", {"nonsense": "1s"}),
        ("propagation", {"key": 5}),
        ("clock", {}),
        ("clock", {"advance": "tomorrow"}),
        ("clock", {"advance": "99999999999d"}),
        ("clock", {"advance": "-99999d"}),
        ("clock", {"advance": "9" * 400 + "d"}),
        ("seed", {"projects": "many"}),
    ],
)
def test_conditions_that_make_no_sense(shared_sandbox: Running, path: str, data: Any) -> None:
    with pytest.raises(HTTPError) as caught:
        shared_sandbox.control(path, data)
    answer = json.loads(caught.value.read())["error"]
    assert (caught.value.code, answer["status"]) == (400, "INVALID_ARGUMENT")
    assert answer["message"]


# Latency


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def test_fixed_latency_slows_every_call_and_its_operations(sandbox: Running, client: Any) -> None:
    _list(client)
    sandbox.control("latency", {"ms": 500})
    assert _seconds(lambda: _list(client)) >= 0.5
    operation = _create(client, "k")
    name, made = operation.operation.name, time.perf_counter()
    pending = "done" not in send(sandbox, "GET", f"/v2/{name}").data
    assert pending or time.perf_counter() - made > 0.75  # it takes twice as long as a call; this machine may stand still
    operation.result(timeout=60)
    sandbox.control("latency", {"ms": 0})
    assert send(sandbox, "GET", f"/v2/{name}").data["done"] is True


def test_calls_wait_beside_each_other(sandbox: Running) -> None:
    from concurrent.futures import ThreadPoolExecutor

    sandbox.control("latency", {"ms": 800})
    with ThreadPoolExecutor(16) as pool:
        taken = _seconds(lambda: list(pool.map(lambda _: send(sandbox, "GET", KEYS), range(16))))
    assert 0.8 <= taken < 12.8  # what they would take one after another


def test_recorded_latency_lies_where_it_was_recorded(sandbox: Running) -> None:
    """GET 80 to 160 ms, create 380 to 560 (facts 3); the sandbox's own work comes on top."""
    sandbox.control("latency", {"ms": "recorded"})
    reads = [_seconds(lambda: send(sandbox, "GET", KEYS)) for _ in range(5)]
    writes = [_seconds(lambda: send(sandbox, "POST", KEYS, {})) for _ in range(3)]
    assert 0.080 <= min(reads) < 0.380 <= min(writes) < 1.0  # the quickest: a busy machine makes the others longer


def test_one_slow_method(sandbox: Running) -> None:
    create(sandbox, "k")
    sandbox.control("latency", {"ms": 250, "method": "GetKey"})
    assert _seconds(lambda: send(sandbox, "GET", f"{KEYS}/k")) >= 0.25
    assert "done" not in send(sandbox, "POST", KEYS, {}).data
    channel = grpc.insecure_channel(sandbox.grpc)
    data = api_keys_v2.GetKeyRequest.serialize(api_keys_v2.GetKeyRequest(name=f"{PARENT}/keys/k"))
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/{SERVICE}/GetKey")(data, timeout=0.1)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    channel.close()


def test_latency_from_the_start_survives_a_reset(start_sandbox: Callable[..., Running]) -> None:
    slow = start_sandbox(latency="200")
    assert _seconds(lambda: send(slow, "GET", KEYS)) >= 0.2
    slow.control("latency", {"ms": 0})
    slow.control("reset", {})
    assert _seconds(lambda: send(slow, "GET", KEYS)) >= 0.2


# Quotas


def test_past_the_quota_retry_info_says_how_long_to_wait(sandbox: Running) -> None:
    sandbox.control("quota", {"method": "ListKeys", "per_minute": 3})
    replies = [send(sandbox, "GET", KEYS) for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    error = replies[-1].data["error"]
    assert (error["status"], replies[-1].reason) == ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
    delay = next(item["retryDelay"] for item in error["details"] if item["@type"].endswith("RetryInfo"))
    assert 0 < float(delay.removesuffix("s")) <= 60

    channel = grpc.insecure_channel(sandbox.grpc)
    data = api_keys_v2.ListKeysRequest.serialize(api_keys_v2.ListKeysRequest(parent=PARENT))
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/{SERVICE}/ListKeys")(data, timeout=60)
    channel.close()
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    info = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    assert 0 < info.retry_delay.ToMilliseconds() <= 60_000

    sandbox.control("clock", {"advance": f"{delay.removesuffix('s')}s"})
    assert send(sandbox, "GET", KEYS).status == 200


def test_quotas_are_counted_by_who_pays(sandbox: Running) -> None:
    sandbox.control("quota", {"method": "ListKeys", "per_minute": 1})
    path = "/v2/projects/crowded-project/locations/global/keys"

    def status(**headers: str) -> int:
        return send(sandbox, "GET", path, None, {name.replace("_", "-"): value for name, value in headers.items()}).status

    assert [status(), status()] == [200, 429]
    assert status(X_Goog_User_Project="crowded-project") == 200
    assert status(X_Goog_User_Project="crowded-project") == 429
    assert status(X_Goog_User_Project="old-maps-site") == 200
    sandbox.control("quota", {"method": "ListKeys", "per_minute": None})
    assert status() == 200


# Propagation


def test_a_service_just_enabled_is_still_off(sandbox: Running) -> None:
    sandbox.control("propagation", {"service": "60s"})
    send(sandbox, "POST", "/v1/projects/demo-project/services/apikeys.googleapis.com:enable", {})
    headers = {"X-Goog-User-Project": "demo-project"}
    assert send(sandbox, "GET", KEYS, None, headers).reason == "SERVICE_DISABLED"
    sandbox.control("clock", {"advance": "61s"})
    assert send(sandbox, "GET", KEYS, None, headers).status == 200


def test_a_new_service_account_is_not_found_for_a_while(sandbox: Running) -> None:
    sandbox.control("propagation", {"serviceAccount": "5s"})
    seed = {"projectId": "young-project", "iam": {"roles/owner": ["user:owner@example.com"]}, "serviceAccounts": ["bot"]}
    sandbox.control("seed", {"projects": [seed]})
    body = {
        "serviceAccountEmail": "bot@young-project.iam.gserviceaccount.com",
        "restrictions": {"apiTargets": [{"service": "generativelanguage.googleapis.com"}]},
    }
    path = "/v2/projects/young-project/locations/global/keys"
    assert send(sandbox, "POST", path, body).status == 404
    sandbox.control("clock", {"advance": "6s"})
    assert send(sandbox, "POST", path, body).status == 200


# Clock, reset, log


def _soon(earlier: str, then: str, *, later: timedelta = timedelta()) -> bool:
    """Whether one time of the sandbox comes so much later than another, or within the minutes of a test."""
    passed = datetime.fromisoformat(then) - datetime.fromisoformat(earlier)
    return later <= passed < later + timedelta(minutes=10)


def test_the_clock_moves_what_is_written_from_then_on(sandbox: Running) -> None:
    before = create(sandbox, "a")["createTime"]
    answer = sandbox.control("clock", {"advance": "31d"})
    after = create(sandbox, "b")["createTime"]
    sandbox.control("clock", {"advance": "-31d"})
    again = create(sandbox, "c")["createTime"]
    assert _soon(before, again)
    assert _soon(answer["now"], after)
    assert _soon(before, after, later=timedelta(days=31))


def test_reset_brings_back_the_start_seed_and_clears_all_conditions(sandbox: Running) -> None:
    create(sandbox, "a")
    now = sandbox.control("")["now"]
    sandbox.control("clock", {"advance": "31d"})
    sandbox.control("faults", {"method": "*", "times": 99})
    sandbox.control("quota", {"method": "*", "per_minute": 0})
    sandbox.control("latency", {"ms": 5000})
    sandbox.control("latency", {"ms": 5000, "method": "ListKeys"})
    sandbox.control("propagation", {"key": "30s"})
    sandbox.control("reset", {})
    assert sandbox.control("requests") == []
    assert _soon(now, sandbox.control("")["now"])
    start = time.perf_counter()
    assert send(sandbox, "GET", KEYS).data == {"keys": []}
    assert time.perf_counter() - start < 5
    assert sandbox.control("faults", method="DELETE") == {}


def test_the_log_names_method_principal_status_and_sandbox_time(sandbox: Running) -> None:
    sandbox.control("clock", {"advance": "400d"})
    send(sandbox, "GET", f"{KEYS}/none")
    send(sandbox, "GET", KEYS, None, {"Authorization": "Bearer nobody@example.net"})
    send(sandbox, "GET", KEYS, None, {"Authorization": "Bearer secret-token"})
    send(sandbox, "GET", f"{KEYS}?bad=1")
    clients.grpc_client(api_keys_v2.ApiKeysClient, sandbox).list_keys(parent=PARENT)
    log = sandbox.control("requests")
    assert [(entry["method"], entry["principal"], entry["status"]) for entry in log] == [
        (f"{SERVICE}.GetKey", "owner@example.com", "NOT_FOUND"),
        (f"{SERVICE}.ListKeys", "nobody@example.net", "PERMISSION_DENIED"),
        (f"{SERVICE}.ListKeys", "", "UNAUTHENTICATED"),
        (f"{SERVICE}.ListKeys", "owner@example.com", "INVALID_ARGUMENT"),
        (f"{SERVICE}.ListKeys", "owner@example.com", "OK"),
    ]
    now = sandbox.control("")["now"]
    assert all(_soon(entry["at"], now) for entry in log)
    assert set(log[0]) == {"method", "principal", "status", "at"}


def test_where_it_is_and_what_it_is(sandbox: Running) -> None:
    from keyadmin import __version__

    info = sandbox.control("")
    assert info == {"rest": sandbox.rest, "grpc": sandbox.grpc, "version": __version__, "now": info["now"]}


# Guards


def test_pages_of_other_sites_cannot_steer_it(sandbox: Running) -> None:
    def ask(method: str, path: str, headers: dict[str, str], data: Any = None) -> int:
        return send(sandbox, method, f"/_sandbox{path}", data, headers).status

    assert ask("GET", "", {"Origin": "https://evil.example"}) == 403
    assert ask("POST", "/reset", {"Origin": "https://evil.example"}, {}) == 403
    assert ask("POST", "/reset", {"Origin": "null"}, {}) == 403
    assert ask("POST", "/reset", {"Content-Type": "text/plain"}, {}) == 400
    assert ask("POST", "/reset", {"Content-Type": "application/x-www-form-urlencoded"}, {}) == 400
    assert ask("DELETE", "/faults", {"Origin": "https://evil.example"}) == 403
    assert ask("POST", "/reset", {"Origin": sandbox.rest}, {}) == 200
    assert ask("POST", "/reset", {"Content-Type": "application/json; charset=utf-8"}, {}) == 200


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("PUT", "/clock", {}, 404),
        ("POST", "/requests", {}, 404),
        ("POST", "/clock", b"{", 400),
        ("POST", "/clock", b"[]", 400),
        ("POST", "/clock", b"[" * 100_000, 400),
        ("POST", "/seed", b"\xff", 400),
        ("POST", "/seed", b" " * (12 * 1024 * 1024), 400),
    ],
)
def test_what_the_control_surface_refuses(shared_sandbox: Running, method: str, path: str, data: Any, status: int) -> None:
    reply: Reply = send(shared_sandbox, method, f"/_sandbox{path}", data)
    assert reply.status == status
    assert reply.data["error"]["code"] == status


def test_a_pending_operation_is_pending_over_grpc_too(sandbox: Running) -> None:
    name = send(sandbox, "POST", KEYS, {}).data["name"]
    sandbox.control("clock", {"advance": "-1h"})  # it is done in an hour
    ask = operations_pb2.GetOperationRequest(name=name).SerializeToString()
    with grpc.insecure_channel(sandbox.grpc) as channel:
        raw = channel.unary_unary("/google.longrunning.Operations/GetOperation")(ask, timeout=60)
    assert not operations_pb2.Operation.FromString(raw).done
    sandbox.control("clock", {"advance": "1h"})
    assert done(sandbox, Reply(200, {}, json.dumps({"name": name}).encode()))["uid"]
