"""Secret Manager, through Google's own clients: gRPC, asyncio, REST, googleapiclient.

Over REST they raise the exception of the HTTP code, over gRPC a subclass of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import secretmanager_v1
from google.cloud.secretmanager_v1 import Secret, SecretManagerServiceAsyncClient, SecretManagerServiceClient, SecretPayload
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport,
    SecretManagerServiceGrpcTransport,
    SecretManagerServiceRestTransport,
)
from googleapiclient.discovery import build

from .conftest import Running
from .wire import send

PROJECT = "projects/demo-project"
NUMBER = "projects/100000000001"
AUTOMATIC: dict[str, Any] = {"replication": {"automatic": {}}}
ENABLED = secretmanager_v1.SecretVersion.State.ENABLED
DISABLED = secretmanager_v1.SecretVersion.State.DISABLED
DESTROYED = secretmanager_v1.SecretVersion.State.DESTROYED
CHECK = 0xE3069283  # CRC-32C of "123456789" (RFC 3720)


def over_grpc(sandbox: Running) -> SecretManagerServiceClient:
    return SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))


def over_rest(sandbox: Running) -> SecretManagerServiceClient:
    host = sandbox.rest.removeprefix("http://")
    transport = SecretManagerServiceRestTransport(host=host, url_scheme="http", credentials=AnonymousCredentials())
    return SecretManagerServiceClient(transport=transport)


@pytest.fixture(params=[over_grpc, over_rest], ids=["grpc", "rest"])
def client(request: pytest.FixtureRequest, sandbox: Running) -> SecretManagerServiceClient:
    make: Callable[[Running], SecretManagerServiceClient] = request.param
    return make(sandbox)


def make(client: SecretManagerServiceClient, secret_id: str = "gemini-key", *values: bytes) -> str:
    secret = client.create_secret(request={"parent": PROJECT, "secret_id": secret_id, "secret": AUTOMATIC})
    for value in values:
        client.add_secret_version(request={"parent": secret.name, "payload": {"data": value}})
    return str(secret.name)


def test_a_secret_from_its_making_to_its_end(client: SecretManagerServiceClient) -> None:
    secret = client.create_secret(
        request={"parent": PROJECT, "secret_id": "gemini-key", "secret": AUTOMATIC | {"labels": {"team": "a"}}}
    )
    assert secret.name == f"{NUMBER}/secrets/gemini-key"
    assert dict(secret.labels) == {"team": "a"}
    assert "automatic" in secret.replication
    assert secret.etag
    assert secret.create_time is not None
    version = client.add_secret_version(
        request={"parent": secret.name, "payload": {"data": b"123456789", "data_crc32c": CHECK}}
    )
    assert version.name == f"{secret.name}/versions/1"
    assert version.state == ENABLED
    assert version.client_specified_payload_checksum
    assert "automatic" in version.replication_status
    answer = client.access_secret_version(name=f"{PROJECT}/secrets/gemini-key/versions/latest")
    assert (answer.name, answer.payload.data, answer.payload.data_crc32c) == (version.name, b"123456789", CHECK)
    assert client.get_secret(name=secret.name).name == secret.name
    client.delete_secret(name=secret.name)
    with pytest.raises(exceptions.NotFound, match=r"Secret \[projects/100000000001/secrets/gemini-key\] not found."):
        client.get_secret(name=secret.name)
    assert list(client.list_secrets(parent=PROJECT)) == []


def test_states_of_versions(client: SecretManagerServiceClient) -> None:
    name = make(client, "s", b"one", b"two")
    latest = f"{name}/versions/latest"
    disabled = client.disable_secret_version(name=f"{name}/versions/2")
    assert disabled.state == DISABLED
    with pytest.raises(exceptions.BadRequest, match=r"Secret Version \[.*/versions/2\] is in DISABLED state."):
        client.access_secret_version(name=latest)  # the newest one, not the newest enabled one
    assert client.access_secret_version(name=f"{name}/versions/1").payload.data == b"one"
    assert client.enable_secret_version(name=f"{name}/versions/2").state == ENABLED
    assert client.access_secret_version(name=latest).payload.data == b"two"
    destroyed = client.destroy_secret_version(name=f"{name}/versions/2")
    assert (destroyed.state, destroyed.destroy_time is not None) == (DESTROYED, True)
    for call in (client.enable_secret_version, client.disable_secret_version, client.destroy_secret_version):
        with pytest.raises(exceptions.BadRequest, match="DESTROYED"):
            call(name=f"{name}/versions/2")
    with pytest.raises(exceptions.BadRequest, match="is in DESTROYED state"):
        client.access_secret_version(name=latest)
    assert [v.state for v in client.list_secret_versions(parent=name)] == [DESTROYED, ENABLED]
    found = client.list_secret_versions(request={"parent": name, "filter": "state:ENABLED"})
    assert [v.name.rpartition("/")[2] for v in found] == ["1"]
    client.add_secret_version(request={"parent": name, "payload": {"data": b"three"}})
    assert client.get_secret_version(name=latest).name == f"{name}/versions/3"


def test_checksums_and_sizes(client: SecretManagerServiceClient) -> None:
    name = make(client)
    for payload, words in (
        ({"data": b"123456789", "data_crc32c": CHECK + 1}, "does not match its checksum"),
        ({"data": b""}, "Secret Payload cannot be empty."),
        ({"data": b"x" * 65537}, "at most 65536 bytes"),
    ):
        with pytest.raises(exceptions.BadRequest, match=words):
            client.add_secret_version(request={"parent": name, "payload": payload})
    binary = bytes(range(256)) * 256
    client.add_secret_version(request={"parent": name, "payload": {"data": binary}})
    answer = client.access_secret_version(name=f"{name}/versions/latest")
    assert answer.payload.data == binary
    assert not client.get_secret_version(name=answer.name).client_specified_payload_checksum


def test_etags(client: SecretManagerServiceClient) -> None:
    name = make(client, "s", b"one")
    version = f"{name}/versions/1"
    old = client.get_secret_version(name=version).etag
    new = client.disable_secret_version(request={"name": version, "etag": old}).etag
    assert new != old
    for call in (client.enable_secret_version, client.destroy_secret_version):
        with pytest.raises(exceptions.BadRequest, match="etag"):
            call(request={"name": version, "etag": old})
    assert client.enable_secret_version(request={"name": version, "etag": new}).state == ENABLED
    secret = client.get_secret(name=name)
    with pytest.raises(exceptions.BadRequest, match="etag"):
        client.delete_secret(request={"name": name, "etag": '"0"'})
    changed = {"name": name, "etag": '"0"', "labels": {"a": "b"}}
    with pytest.raises(exceptions.BadRequest, match="etag"):
        client.update_secret(request={"secret": changed, "update_mask": {"paths": ["labels"]}})
    client.delete_secret(request={"name": name, "etag": secret.etag})


def test_updates(client: SecretManagerServiceClient, sandbox: Running) -> None:
    name = make(client, "s", b"one", b"two")

    def update(*paths: str, **fields: Any) -> secretmanager_v1.Secret:
        return client.update_secret(request={"secret": {"name": name} | fields, "update_mask": {"paths": list(paths)}})

    assert dict(update("labels", "annotations", labels={"a": "b"}, annotations={"c": "d"}).labels) == {"a": "b"}
    assert dict(update("labels").labels) == {}  # named and absent: cleared
    assert dict(client.get_secret(name=name).annotations) == {"c": "d"}
    assert dict(update("version_aliases", version_aliases={"stable": 1}).version_aliases) == {"stable": 1}
    assert client.access_secret_version(name=f"{name}/versions/stable").payload.data == b"one"
    for paths, fields, words in (
        ((), {}, "mask is missing"),
        (("replication",), {"replication": {"automatic": {}}}, "cannot be updated"),
        (("version_aliases",), {"version_aliases": {"x": 9}}, "names no version"),
        (("version_aliases",), {"version_aliases": {"latest": 1}}, "Invalid version alias"),
        (("ttl",), {"ttl": {"seconds": 0}}, "must be in the future"),
    ):
        with pytest.raises(exceptions.BadRequest, match=words):
            update(*paths, **fields)
    expiring = update("ttl", ttl={"seconds": 3600})
    assert expiring.expire_time is not None
    sandbox.control("clock", {"advance": "61m"})
    with pytest.raises(exceptions.NotFound):
        client.get_secret(name=name)


def test_destruction_can_be_put_off(client: SecretManagerServiceClient, sandbox: Running) -> None:
    secret = client.create_secret(
        request={
            "parent": PROJECT,
            "secret_id": "careful",
            "secret": AUTOMATIC | {"version_destroy_ttl": {"seconds": 86400}},
        }
    )
    client.add_secret_version(request={"parent": secret.name, "payload": {"data": b"one"}})
    version = f"{secret.name}/versions/1"
    put_off = client.destroy_secret_version(name=version)
    assert put_off.state == DISABLED
    assert put_off.scheduled_destroy_time is not None
    client.enable_secret_version(name=version)  # changed one's mind
    sandbox.control("clock", {"advance": "25h"})
    assert client.get_secret_version(name=version).state == ENABLED
    client.destroy_secret_version(name=version)
    sandbox.control("clock", {"advance": "25h"})
    assert client.get_secret_version(name=version).state == DESTROYED


def test_names_and_ids(client: SecretManagerServiceClient) -> None:
    name = make(client, "s")
    with pytest.raises(exceptions.Conflict, match=r"Secret \[projects/100000000001/secrets/s\] already exists."):
        make(client, "s")
    with pytest.raises(exceptions.NotFound, match="not found or has no versions"):
        client.access_secret_version(name=f"{name}/versions/latest")
    with pytest.raises(exceptions.NotFound, match=r"Secret Version \[.*/versions/7\] not found."):
        client.get_secret_version(name=f"{name}/versions/7")
    with pytest.raises(exceptions.BadRequest, match="must match"):
        make(client, "no.dots")
    with pytest.raises(exceptions.BadRequest, match="replication policy"):
        client.create_secret(request={"parent": PROJECT, "secret_id": "x", "secret": {}})
    places = {"replication": {"user_managed": {"replicas": [{"location": "us-east1"}, {"location": "us-west1"}]}}}
    placed = client.create_secret(request={"parent": PROJECT, "secret_id": "placed", "secret": places})
    version = client.add_secret_version(request={"parent": placed.name, "payload": {"data": b"x"}})
    assert [r.location for r in version.replication_status.user_managed.replicas] == ["us-east1", "us-west1"]


def test_lists_in_pages(client: SecretManagerServiceClient) -> None:
    for number in range(5):
        make(client, f"secret-{number}")
    pages = list(client.list_secrets(request={"parent": PROJECT, "page_size": 2}).pages)
    ids = [[secret.name.rpartition("/")[2] for secret in page.secrets] for page in pages]
    assert ids == [["secret-4", "secret-3"], ["secret-2", "secret-1"], ["secret-0"]]  # the newest first
    assert pages[0].total_size == 5
    found = client.list_secrets(request={"parent": PROJECT, "filter": "name:secret-1 OR name:secret-3"})
    assert [secret.name.rpartition("/")[2] for secret in found] == ["secret-3", "secret-1"]
    with pytest.raises(exceptions.BadRequest, match="page token"):
        client.list_secrets(request={"parent": PROJECT, "page_size": 2, "page_token": "bm9uc2Vuc2U"})
    for wrong in ("(", "nonsense:x", "createTime:x"):
        with pytest.raises(exceptions.BadRequest, match="Invalid"):
            client.list_secrets(request={"parent": PROJECT, "filter": wrong})


def bearer(email: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {email}")]


def test_permissions_on_the_project_and_on_the_secret(client: SecretManagerServiceClient, sandbox: Running) -> None:
    name = make(client, "s", b"one")
    version, reader = f"{name}/versions/latest", bearer("reader@example.net")
    message = f"Permission 'secretmanager.versions.access' denied for resource '{version}' (or it may not exist)."
    with pytest.raises(exceptions.Forbidden) as caught:
        client.access_secret_version(name=version, metadata=reader)
    assert message in str(caught.value)
    assert caught.value.reason == "IAM_PERMISSION_DENIED"
    with pytest.raises(exceptions.Forbidden, match="or it may not exist"):
        client.get_secret(name=f"{PROJECT}/secrets/none", metadata=reader)
    with pytest.raises(exceptions.Forbidden, match="denied for resource 'projects/no-such-project'"):
        client.list_secrets(parent="projects/no-such-project")
    policy = client.get_iam_policy(request={"resource": name})
    assert list(policy.bindings) == []
    policy.bindings.add(role="roles/secretmanager.secretAccessor", members=["user:reader@example.net"])
    stored = client.set_iam_policy(request={"resource": name, "policy": policy})
    assert stored.bindings[0].members == ["user:reader@example.net"]
    assert client.access_secret_version(name=version, metadata=reader).payload.data == b"one"
    with pytest.raises(exceptions.Forbidden):
        client.get_secret(name=name, metadata=reader)
    asked = ["secretmanager.versions.access", "secretmanager.secrets.get"]
    held = client.test_iam_permissions(request={"resource": name, "permissions": asked}, metadata=reader)
    assert list(held.permissions) == ["secretmanager.versions.access"]
    with pytest.raises(exceptions.Conflict):
        client.set_iam_policy(request={"resource": name, "policy": policy})  # its etag is the old one
    client.delete_secret(name=name)
    make(client, "s", b"two")
    with pytest.raises(exceptions.Forbidden):  # the policy went with the first one
        client.access_secret_version(name=version, metadata=reader)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("roles/secretmanager.secretVersionAdder", {"add"}),
        ("roles/secretmanager.secretAccessor", {"access"}),
        ("roles/secretmanager.viewer", {"get", "list"}),
        ("roles/secretmanager.secretVersionManager", {"add", "disable", "list"}),
        ("roles/secretmanager.admin", {"add", "access", "get", "list", "disable", "create"}),
    ],
)
def test_what_the_predefined_roles_may(sandbox: Running, role: str, allowed: set[str]) -> None:
    client = over_grpc(sandbox)
    name = make(client, "s", b"one")
    sandbox.control("seed", {"projects": [{"projectId": "demo-project", "iam": {role: ["user:x@example.net"]}}]})
    who = bearer("x@example.net")
    calls: dict[str, Callable[[], Any]] = {
        "add": lambda: client.add_secret_version(request={"parent": name, "payload": {"data": b"2"}}, metadata=who),
        "access": lambda: client.access_secret_version(name=f"{name}/versions/1", metadata=who),
        "get": lambda: client.get_secret(name=name, metadata=who),
        "list": lambda: list(client.list_secret_versions(parent=name, metadata=who)),
        "create": lambda: client.create_secret(
            request={"parent": PROJECT, "secret_id": "n", "secret": AUTOMATIC}, metadata=who
        ),
        "disable": lambda: client.disable_secret_version(name=f"{name}/versions/1", metadata=who),
    }
    may = set()
    for what, call in calls.items():
        try:
            call()
            may.add(what)
        except exceptions.Forbidden:
            continue
    assert may == allowed


def test_secrets_from_a_seed(start_sandbox: Callable[..., Running]) -> None:
    seed = {
        "projects": [
            {"projectId": "seeded", "iam": {"roles/owner": ["user:owner@example.com"]}, "secrets": {"s": ["one", "two"]}}
        ]
    }
    sandbox = start_sandbox(seed)
    client = over_grpc(sandbox)
    assert client.access_secret_version(name="projects/seeded/secrets/s/versions/1").payload.data == b"one"
    assert client.access_secret_version(name="projects/seeded/secrets/s/versions/latest").payload.data == b"two"
    sandbox.control("seed", seed)  # merged: nothing twice
    assert len(list(client.list_secret_versions(parent="projects/seeded/secrets/s"))) == 2


async def test_the_asyncio_client(sandbox: Running) -> None:
    async with grpc.aio.insecure_channel(sandbox.grpc) as channel:
        client = SecretManagerServiceAsyncClient(transport=SecretManagerServiceGrpcAsyncIOTransport(channel=channel))
        secret = await client.create_secret(request={"parent": PROJECT, "secret_id": "a", "secret": AUTOMATIC})
        await client.add_secret_version(request={"parent": secret.name, "payload": {"data": b"one"}})
        assert (await client.access_secret_version(name=f"{secret.name}/versions/latest")).payload.data == b"one"
        assert [v.name async for v in await client.list_secret_versions(parent=secret.name)] == [f"{secret.name}/versions/1"]


def test_googleapiclient_with_its_bundled_discovery_document(sandbox: Running) -> None:
    service = build(
        "secretmanager",
        "v1",
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=sandbox.rest),
        static_discovery=True,
    )
    secrets = service.projects().secrets()
    made = secrets.create(parent=PROJECT, secretId="s", body=AUTOMATIC).execute()
    assert made["name"] == f"{NUMBER}/secrets/s"
    assert set(made) == {"name", "createTime", "etag", "replication"}
    secrets.addVersion(parent=made["name"], body={"payload": {"data": "b25l"}}).execute()
    answer = secrets.versions().access(name=f"{made['name']}/versions/latest").execute()
    assert answer["payload"]["data"] == "b25l"
    assert isinstance(answer["payload"]["dataCrc32c"], str)  # int64 as JSON has it
    assert secrets.delete(name=made["name"]).execute() == {}


def test_values_are_never_in_the_request_log(sandbox: Running) -> None:
    client = over_grpc(sandbox)
    make(client, "s", b"hush-hush")
    client.access_secret_version(name=f"{PROJECT}/secrets/s/versions/latest")
    log = sandbox.control("requests")
    assert log[-1]["method"] == "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion"
    assert "hush" not in str(log)


REGIONAL = "projects/demo-project/locations/us-east1"


def test_a_regional_secret_s_life(sandbox: Running) -> None:
    """As Google's sample tests of regional secrets do, over gRPC."""
    client = over_grpc(sandbox)
    made = client.create_secret(parent=REGIONAL, secret_id="r", secret=Secret(labels={"a": "b"}))
    assert made.name == "projects/100000000001/locations/us-east1/secrets/r"
    assert not made.replication
    version = client.add_secret_version(parent=made.name, payload=SecretPayload(data=b"value"))
    assert version.name == f"{made.name}/versions/1"
    assert client.access_secret_version(name=f"{REGIONAL}/secrets/r/versions/latest").payload.data == b"value"
    assert [secret.name for secret in client.list_secrets(parent=REGIONAL)] == [made.name]
    assert list(client.list_secrets(parent="projects/demo-project")) == []  # not among the global ones
    assert list(client.list_secrets(parent="projects/demo-project/locations/us-west1")) == []
    assert client.disable_secret_version(name=version.name).state.name == "DISABLED"
    assert client.destroy_secret_version(name=version.name).state.name == "DESTROYED"
    client.delete_secret(name=made.name)
    with pytest.raises(exceptions.NotFound):
        client.get_secret(name=made.name)


def test_what_regional_secrets_cannot_be(sandbox: Running) -> None:
    path = f"/v1/{REGIONAL}/secrets?secretId=r"
    assert send(sandbox, "POST", path, {"replication": {"automatic": {}}}).status == 400
    assert send(sandbox, "POST", path.replace("us-east1", "moon-1"), {}).status == 400
    assert send(sandbox, "POST", "/v1/projects/demo-project/secrets?secretId=r", {}).status == 400  # a global one needs it
    found = send(sandbox, "GET", "/v1/projects/demo-project/locations?pageSize=100").data["locations"]
    assert {"name": "projects/100000000001/locations/us-east1", "locationId": "us-east1"} in found
    assert send(sandbox, "GET", f"/v1/{REGIONAL}").data["locationId"] == "us-east1"


def test_times_and_etags_as_google_writes_them(sandbox: Running) -> None:
    """Recorded: an etag of 14 digits that begins with 1, nine digits of a second where the server's clock speaks."""
    path = "/v1/projects/demo-project/secrets"
    body = {"replication": {"automatic": {}}, "ttl": "3600s"}
    made = send(sandbox, "POST", f"{path}?secretId=t", body).data
    assert re.fullmatch(r'"1[0-9a-f]{13}"', made["etag"])
    assert re.fullmatch(r"[^.]+\.\d{9}Z", made["expireTime"])
    kept = send(sandbox, "PATCH", f"{path}/t?updateMask=labels", {"labels": {"a": "b"}}).data
    assert kept["expireTime"] == made["expireTime"]
    named = send(sandbox, "PATCH", f"{path}/t?updateMask=expireTime", {"expireTime": "2090-01-01T00:00:00+01:00"}).data
    assert named["expireTime"] == "2089-12-31T23:00:00Z"
    send(sandbox, "POST", f"{path}/t:addVersion", {"payload": {"data": "eA=="}})
    gone = send(sandbox, "POST", f"{path}/t/versions/1:destroy", {}).data
    assert re.fullmatch(r"[^.]+\.\d{9}Z", gone["destroyTime"])
