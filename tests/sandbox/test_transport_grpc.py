"""The gRPC transport: statuses with details, malformed messages, unknown methods, operations after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.cloud import api_keys_v2
from google.longrunning import operations_pb2
from google.rpc import error_details_pb2, status_pb2

from . import clients
from .conftest import Running

PARENT = "projects/demo-project/locations/global"
SERVICE = "/google.api.apikeys.v2.ApiKeys"
OPERATIONS = "/google.longrunning.Operations"


@pytest.fixture
def channel(sandbox: Running) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(sandbox.grpc) as channel:
        yield channel


def _failed(channel: grpc.Channel, path: str, data: bytes, metadata: list[tuple[str, str]] | None = None) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(path)(data, timeout=60, metadata=metadata)
    return caught.value


def test_errors_carry_their_details(channel: grpc.Channel) -> None:
    data = api_keys_v2.ListKeysRequest.serialize(api_keys_v2.ListKeysRequest(parent=PARENT))
    error = _failed(channel, f"{SERVICE}/ListKeys", data, clients.bearer("nobody@example.net"))
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    assert (status.code, status.message) == (7, error.details())
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("IAM_PERMISSION_DENIED", "iam.googleapis.com")
    assert info.metadata["permission"] == "apikeys.keys.list"


def test_no_bearer_is_the_default_owner_and_a_bad_one_is_refused(channel: grpc.Channel) -> None:
    data = api_keys_v2.ListKeysRequest.serialize(api_keys_v2.ListKeysRequest(parent=PARENT))
    channel.unary_unary(f"{SERVICE}/ListKeys")(data, timeout=60)
    error = _failed(channel, f"{SERVICE}/ListKeys", data, [("authorization", "Bearer ya29.secret-token")])
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert "secret-token" not in str(error)


def test_what_is_not_there_and_what_is_no_message(channel: grpc.Channel) -> None:
    for path in (f"{SERVICE}/ListWidgets", "/google.cloud.kms.v1.KeyManagementService/ListKeyRings", "/x"):
        assert _failed(channel, path, b"").code() == grpc.StatusCode.UNIMPLEMENTED
    for data in (b"\xff\xff\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe"):
        assert _failed(channel, f"{SERVICE}/ListKeys", data).code() == grpc.StatusCode.INVALID_ARGUMENT


def test_unknown_protobuf_fields_are_ignored(channel: grpc.Channel) -> None:
    """As protobuf asks; a newer client may send fields that this server does not know."""
    data = api_keys_v2.ListKeysRequest.serialize(api_keys_v2.ListKeysRequest(parent=PARENT))
    channel.unary_unary(f"{SERVICE}/ListKeys")(data + b"\xfa\x7f\x03abc", timeout=60)


def test_operations_are_polled_on_their_own_service(channel: grpc.Channel) -> None:
    request = api_keys_v2.CreateKeyRequest(parent=PARENT, key=api_keys_v2.Key(display_name="x"))
    raw = channel.unary_unary(f"{SERVICE}/CreateKey")(api_keys_v2.CreateKeyRequest.serialize(request), timeout=60)
    started = operations_pb2.Operation.FromString(raw)
    assert not started.done
    assert started.WhichOneof("result") is None
    ask = operations_pb2.GetOperationRequest(name=started.name).SerializeToString()
    operation = operations_pb2.Operation.FromString(channel.unary_unary(f"{OPERATIONS}/GetOperation")(ask, timeout=60))
    assert operation.done
    key = api_keys_v2.Key.pb()()
    assert operation.response.Unpack(key)
    assert key.display_name == "x"
    missing = operations_pb2.GetOperationRequest(name="operations/akmf.p7-1-x").SerializeToString()
    assert _failed(channel, f"{OPERATIONS}/GetOperation", missing).code() == grpc.StatusCode.NOT_FOUND


def test_an_operation_can_be_polled_after_a_restart(start_sandbox: Callable[..., Running], tmp_path: Path) -> None:
    """A server that has served no key yet must know the type of a key all the same."""
    state = str(tmp_path / "state.db")
    first = start_sandbox(state=state)
    client = clients.grpc_client(api_keys_v2.ApiKeysClient, first)
    name = client.create_key(parent=PARENT, key=api_keys_v2.Key(display_name="kept")).operation.name
    first.stop()
    second = start_sandbox(state=state)
    with grpc.insecure_channel(second.grpc) as channel:
        ask = operations_pb2.GetOperationRequest(name=name).SerializeToString()
        answer = channel.unary_unary(f"{OPERATIONS}/GetOperation")(ask, timeout=60)
    key = api_keys_v2.Key.pb()()
    assert operations_pb2.Operation.FromString(answer).response.Unpack(key)
    assert key.display_name == "kept"


def test_reflection_of_the_two_doors(sandbox: Running) -> None:
    """What one transport makes the other shows, deletion time and restrictions included."""
    grpc_client = clients.grpc_client(api_keys_v2.ApiKeysClient, sandbox)
    rest_client = clients.rest_client(api_keys_v2.ApiKeysClient, sandbox)
    restrictions = api_keys_v2.Restrictions(
        android_key_restrictions=api_keys_v2.AndroidKeyRestrictions(
            allowed_applications=[api_keys_v2.AndroidApplication(package_name="com.example.app", sha1_fingerprint="AB" * 20)]
        )
    )
    for maker in (grpc_client, rest_client):
        key = api_keys_v2.Key(display_name="x", restrictions=restrictions, annotations={"a": "b"})
        name = maker.create_key(parent=PARENT, key=key).result(timeout=60).name
        maker.delete_key(name=name).result(timeout=60)
        assert grpc_client.get_key(name=name) == rest_client.get_key(name=name)
        assert grpc_client.get_key(name=name).restrictions == restrictions
