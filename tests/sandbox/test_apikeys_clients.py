"""API Keys v2: every method by Google's own clients: gRPC, asyncio gRPC, their REST transport, google-api-python-client."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import AlreadyExists, Forbidden, InvalidArgument, NotFound, PermissionDenied
from google.cloud import api_keys_v2
from google.protobuf import field_mask_pb2

from . import clients
from .conftest import Running

PARENT = "projects/demo-project/locations/global"
NUMBERED = "projects/100000000001/locations/global"
GEMINI = "generativelanguage.googleapis.com"


@pytest.fixture(params=["grpc", "rest"])
def client(request: pytest.FixtureRequest, sandbox: Running) -> Any:
    make = {"grpc": clients.grpc_client, "rest": clients.rest_client}[request.param]
    return make(api_keys_v2.ApiKeysClient, sandbox)


def _restrictions() -> api_keys_v2.Restrictions:
    return api_keys_v2.Restrictions(
        server_key_restrictions=api_keys_v2.ServerKeyRestrictions(allowed_ips=["203.0.113.7"]),
        api_targets=[api_keys_v2.ApiTarget(service=GEMINI)],
    )


def test_the_life_of_a_key(client: Any) -> None:
    operation = client.create_key(
        parent=PARENT, key=api_keys_v2.Key(display_name="first", restrictions=_restrictions()), key_id="first-key"
    )
    assert operation.operation.done is False
    assert operation.operation.name.startswith("operations/akmf.p7-100000000001-")
    key = operation.result(timeout=60)
    assert key.name == f"{NUMBERED}/keys/first-key"
    assert key.key_string.startswith("AIzaSANDBOX")
    assert len(key.key_string) == 39
    assert [one.name for one in client.list_keys(parent=PARENT)] == [key.name]
    assert next(iter(client.list_keys(parent=NUMBERED))).key_string == ""
    assert client.get_key(name=key.name).restrictions == _restrictions()
    assert client.get_key_string(name=f"{PARENT}/keys/first-key").key_string == key.key_string
    found = client.lookup_key(request={"key_string": key.key_string})
    assert (found.parent, found.name) == (NUMBERED, key.name)

    changed = client.update_key(
        key=api_keys_v2.Key(name=key.name, display_name="renamed"), update_mask=field_mask_pb2.FieldMask(paths=["display_name"])
    ).result(timeout=60)
    assert (changed.display_name, changed.key_string) == ("renamed", "")
    assert changed.etag != key.etag
    assert changed.restrictions == _restrictions()

    deleted = client.delete_key(name=key.name).result(timeout=60)
    assert deleted.delete_time is not None
    assert deleted.key_string == key.key_string
    assert deleted.etag == changed.etag
    assert list(client.list_keys(parent=PARENT)) == []
    request = api_keys_v2.ListKeysRequest(parent=PARENT, show_deleted=True)
    assert [one.name for one in client.list_keys(request=request)] == [key.name]
    back = client.undelete_key(request={"name": key.name}).result(timeout=60)
    assert "delete_time" not in back
    assert [one.name for one in client.list_keys(parent=PARENT)] == [key.name]


def test_errors_reach_the_client_as_its_own_exceptions(client: Any) -> None:
    with clients.refused(NotFound, f'key "{PARENT}/keys/missing" not found'):
        client.get_key(name=f"{PARENT}/keys/missing")
    client.create_key(parent=PARENT, key=api_keys_v2.Key(), key_id="twice").result(timeout=60)
    with clients.refused(AlreadyExists, "twice"):
        client.create_key(parent=PARENT, key=api_keys_v2.Key(), key_id="twice")
    with clients.refused(InvalidArgument, "63"):
        client.create_key(parent=PARENT, key=api_keys_v2.Key(display_name="x" * 64))
    with clients.refused(PermissionDenied, "apikeys.keys.list", reason="IAM_PERMISSION_DENIED") as caught:
        list(client.list_keys(parent="projects/somebody-elses/locations/global"))
    assert caught.value.domain == "iam.googleapis.com"
    assert caught.value.metadata["permission"] == "apikeys.keys.list"


def test_pages_are_followed(client: Any) -> None:
    request = api_keys_v2.ListKeysRequest(parent="projects/crowded-project/locations/global", page_size=100)
    pager = client.list_keys(request=request)
    sizes = [len(page.keys) for page in pager.pages]
    assert sizes == [100, 100, 96]
    names = [key.name for key in client.list_keys(request=request)]
    assert len(set(names)) == 296


def test_an_auth_key_of_the_seed_is_listed_though_the_protobuf_lacks_its_account(client: Any) -> None:
    keys = list(client.list_keys(parent="projects/suspended-project/locations/global"))
    assert [key.display_name for key in keys] == ["chatbot"]


async def test_asyncio_grpc(sandbox: Running) -> None:
    client = clients.async_client(api_keys_v2.ApiKeysAsyncClient, sandbox)
    operation = await client.create_key(parent=PARENT, key=api_keys_v2.Key(display_name="a"), key_id="from-asyncio")
    key = await operation.result(timeout=60)
    assert [one.name async for one in await client.list_keys(parent=PARENT)] == [key.name]
    assert (await client.get_key_string(name=key.name)).key_string == key.key_string
    assert (await client.lookup_key(request={"key_string": key.key_string})).name == key.name
    operation = await client.update_key(key=api_keys_v2.Key(name=key.name, annotations={"team": "a"}))
    assert (await operation.result(timeout=60)).annotations == {"team": "a"}
    deleted = await (await client.delete_key(name=key.name)).result(timeout=60)
    assert deleted.delete_time is not None
    back = await (await client.undelete_key(request={"name": key.name})).result(timeout=60)
    assert back.name == key.name
    with pytest.raises(NotFound):
        await client.get_key(name=f"{PARENT}/keys/missing")
    await client.transport.close()


def _finished(service: Any, operation: dict[str, Any]) -> dict[str, Any]:
    assert list(operation) == ["name"]
    result = service.operations().get(name=operation["name"]).execute()
    assert result["done"] is True
    response: dict[str, Any] = result["response"]
    return response


def test_google_api_python_client_with_auth_keys(sandbox: Running) -> None:
    """Its discovery document knows serviceAccountEmail and checkExistingUsage, which the protobuf lacks."""
    service = clients.discovered("apikeys", "v2", sandbox)
    keys = service.projects().locations().keys()
    parent = "projects/crowded-project/locations/global"
    account = "workers@crowded-project.iam.gserviceaccount.com"
    body = {"displayName": "auth", "serviceAccountEmail": account, "restrictions": {"apiTargets": [{"service": GEMINI}]}}
    key = _finished(service, keys.create(parent=parent, keyId="auth-key", body=body).execute())
    assert key["keyString"].startswith("AQ.SANDBOX-")
    assert key["serviceAccountEmail"] == account
    assert keys.get(name=key["name"]).execute()["serviceAccountEmail"] == account
    listed = keys.list(parent=parent, pageSize=300).execute()["keys"]
    assert {one["serviceAccountEmail"] for one in listed} == {account}
    first = keys.list(parent=parent, pageSize=200)
    assert len(keys.list_next(first, first.execute()).execute()["keys"]) == 97
    assert keys.getKeyString(name=key["name"]).execute() == {"keyString": key["keyString"]}
    assert service.keys().lookupKey(keyString=key["keyString"]).execute()["name"] == key["name"]
    patch = keys.patch(name=key["name"], updateMask="displayName", checkExistingUsage="SKIP", body={"displayName": "new"})
    changed = _finished(service, patch.execute())
    assert (changed["displayName"], changed["serviceAccountEmail"]) == ("new", account)
    deleted = _finished(service, keys.delete(name=key["name"], checkExistingUsage="CHECK", etag=changed["etag"]).execute())
    assert deleted["deleteTime"]
    assert _finished(service, keys.undelete(name=key["name"], body={}).execute())["name"] == key["name"]


def test_google_api_python_client_errors(sandbox: Running) -> None:
    from googleapiclient.errors import HttpError

    keys = clients.discovered("apikeys", "v2", sandbox, caller="nobody@example.net").projects().locations().keys()
    with pytest.raises(HttpError) as caught:
        keys.list(parent=PARENT).execute()
    assert caught.value.status_code == 403
    assert caught.value.error_details[0]["reason"] == "IAM_PERMISSION_DENIED"


def test_callers_are_told_apart_by_their_bearer_token(sandbox: Running) -> None:
    client = clients.grpc_client(api_keys_v2.ApiKeysClient, sandbox)
    assert len(list(client.list_keys(parent=PARENT))) == 0
    with pytest.raises(PermissionDenied):
        client.list_keys(parent=PARENT, metadata=clients.bearer("nobody@example.net"))
    rest = clients.rest_client(api_keys_v2.ApiKeysClient, sandbox)
    with pytest.raises(Forbidden):
        rest.list_keys(parent=PARENT, metadata=clients.bearer("nobody@example.net"))
