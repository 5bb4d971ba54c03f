"""Cloud Asset Inventory's search, through Google's own clients: gRPC, asyncio, REST, googleapiclient.

Over REST they raise the exception of the HTTP code, over gRPC a subclass of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.api_keys_v2 import ApiKeysClient, Key
from google.cloud.api_keys_v2.services.api_keys.transports import ApiKeysGrpcTransport
from google.cloud.asset_v1 import AssetServiceAsyncClient, AssetServiceClient
from google.cloud.asset_v1.services.asset_service.transports import (
    AssetServiceGrpcAsyncIOTransport,
    AssetServiceGrpcTransport,
    AssetServiceRestTransport,
)
from google.cloud.resourcemanager_v3 import Project, ProjectsClient
from google.cloud.resourcemanager_v3.services.projects.transports import ProjectsGrpcTransport
from google.protobuf.json_format import MessageToDict
from googleapiclient.discovery import build

from .conftest import Running, start

KEY = "apikeys.googleapis.com/Key"
PROJECT = "cloudresourcemanager.googleapis.com/Project"
SERVICE = "serviceusage.googleapis.com/Service"
ORGANIZATION = "organizations/1"
GEMINI = "generativelanguage.googleapis.com"
RESTRICTIONS = {"apiTargets": [{"service": GEMINI}], "serverKeyRestrictions": {"allowedIps": ["203.0.113.7"]}}
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
SEED: dict[str, Any] = {
    "organizations": [
        {"name": ORGANIZATION, "displayName": "example.com", "iam": {"roles/cloudasset.viewer": ["user:owner@example.com"]}},
        {"name": "organizations/9", "displayName": "example.net"},
    ],
    "folders": [
        {"name": "folders/2", "displayName": "Engineering", "parent": ORGANIZATION},
        {"name": "folders/3", "displayName": "Deep Engineering", "parent": "folders/2"},
    ],
    "projects": [
        {
            "projectId": "with-keys",
            "projectNumber": "200000000001",
            "displayName": "With Keys",
            "parent": "folders/3",
            "createTime": "2024-02-03T04:05:06.789Z",
            "services": [GEMINI, "apikeys.googleapis.com"],
            "iam": {"roles/owner": ["user:owner@example.com"]},
            "keys": [
                {"keyId": "restricted", "displayName": "Server key one", "restrictions": RESTRICTIONS},
                {
                    "keyId": "bound",
                    "displayName": "Bound",
                    "serviceAccountEmail": "a@with-keys.iam.gserviceaccount.com",
                    "createTime": "2025-01-01T00:00:00Z",
                },
                {"keyId": "nameless"},
                {"keyId": "gone", "displayName": "Gone", "deleteTime": YESTERDAY},
            ],
        },
        {
            "projectId": "going",
            "projectNumber": "200000000002",
            "displayName": "Going",
            "parent": "folders/2",
            "state": "DELETE_REQUESTED",
        },
        {
            "projectId": "outside",
            "projectNumber": "200000000003",
            "parent": "organizations/9",
            "services": [GEMINI],
            "keys": [{"keyId": "foreign", "displayName": "Foreign"}],
        },
    ],
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path: Path = tmp_path_factory.mktemp("assets") / "seed.json"
    path.write_text(json.dumps(SEED))
    running = start(seed=str(path))
    yield running
    running.stop()


@pytest.fixture
def sandbox(shared: Running) -> Running:
    shared.control("reset", {})
    return shared


def over_grpc(sandbox: Running) -> AssetServiceClient:
    return AssetServiceClient(transport=AssetServiceGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))


def over_rest(sandbox: Running) -> AssetServiceClient:
    host = sandbox.rest.removeprefix("http://")
    transport = AssetServiceRestTransport(host=host, url_scheme="http", credentials=AnonymousCredentials())
    return AssetServiceClient(transport=transport)


@pytest.fixture(params=[over_grpc, over_rest], ids=["grpc", "rest"])
def client(request: pytest.FixtureRequest, sandbox: Running) -> AssetServiceClient:
    make: Callable[[Running], AssetServiceClient] = request.param
    return make(sandbox)


def search(client: AssetServiceClient, *asset_types: str, scope: str = ORGANIZATION, **more: Any) -> list[dict[str, Any]]:
    pager = client.search_all_resources(request={"scope": scope, "asset_types": list(asset_types)} | more)
    return [MessageToDict(type(result).pb(result)) for result in pager]


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [result["name"].rpartition("/")[2] for result in found]


def test_a_key_as_the_inventory_shows_it(client: AssetServiceClient) -> None:
    found = {result["name"]: result for result in search(client, KEY, read_mask={"paths": ["*"]})}
    name = "projects/200000000001/locations/global/keys/restricted"
    assert len(found) == 4
    result = found[f"//apikeys.googleapis.com/{name}"]
    [versioned] = result.pop("versionedResources")
    assert versioned["version"] == "v2"
    assert versioned["resource"]["restrictions"] == RESTRICTIONS
    assert versioned["resource"]["name"] == name
    assert "keyString" not in versioned["resource"]
    assert result.pop("createTime").endswith("Z")
    assert result.pop("updateTime").endswith("Z")
    assert result == {
        "name": f"//apikeys.googleapis.com/{name}",
        "assetType": KEY,
        "project": "projects/200000000001",
        "folders": ["folders/3", "folders/2"],
        "organization": ORGANIZATION,
        "displayName": "Server key one",
        "location": "global",
        "parentFullResourceName": "//cloudresourcemanager.googleapis.com/projects/with-keys",
        "parentAssetType": PROJECT,
    }


def test_what_a_key_search_tells_an_audit(client: AssetServiceClient) -> None:
    found = search(client, KEY, read_mask={"paths": ["*"]})
    resources = {result["name"].rpartition("/")[2]: result["versionedResources"][0]["resource"] for result in found}
    assert resources["bound"]["serviceAccountEmail"] == "a@with-keys.iam.gserviceaccount.com"
    assert "restrictions" not in resources["nameless"]
    assert resources["gone"]["deleteTime"] == YESTERDAY  # deleted keys are among them
    assert resources["restricted"]["uid"]


def test_projects_folders_organisations_and_services(client: AssetServiceClient) -> None:
    [project] = [result for result in search(client, PROJECT) if result["displayName"] == "With Keys"]
    assert project == {
        "name": "//cloudresourcemanager.googleapis.com/projects/with-keys",
        "assetType": PROJECT,
        "project": "projects/200000000001",
        "folders": ["folders/3", "folders/2"],
        "organization": ORGANIZATION,
        "displayName": "With Keys",
        "location": "global",
        "additionalAttributes": {"projectId": "with-keys"},
        "createTime": "2024-02-03T04:05:06Z",
        "state": "ACTIVE",
        "parentFullResourceName": "//cloudresourcemanager.googleapis.com/folders/3",
        "parentAssetType": "cloudresourcemanager.googleapis.com/Folder",
    }
    services = search(client, SERVICE, query=f"state:ENABLED AND name:*{GEMINI}*")  # as public scripts ask
    assert [(result["project"], result["state"]) for result in services] == [("projects/200000000001", "ENABLED")]
    assert services[0]["name"] == f"//serviceusage.googleapis.com/projects/200000000001/services/{GEMINI}"
    kinds = {result["assetType"].rpartition("/")[2] for result in search(client)}
    assert kinds == {"Organization", "Folder", "Project", "Key", "Service"}
    versions = search(client, PROJECT, query="name:with-keys", read_mask={"paths": ["versioned_resources"]})
    assert versions[0]["versionedResources"][0]["resource"]["projectId"] == "with-keys"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (ORGANIZATION, ["folders/2", "folders/3", "going", "with-keys"]),
        ("folders/2", ["folders/2", "folders/3", "going", "with-keys"]),
        ("folders/3", ["folders/3", "with-keys"]),
        ("projects/with-keys", ["with-keys"]),
        ("projects/200000000001", ["with-keys"]),
    ],
)
def test_scopes(client: AssetServiceClient, sandbox: Running, scope: str, expected: list[str]) -> None:
    found = search(client, "cloudresourcemanager.*", scope=scope)
    names = {
        result["name"].removeprefix("//cloudresourcemanager.googleapis.com/").removeprefix("projects/") for result in found
    }
    assert names - {ORGANIZATION} == set(expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name:restricted", ["restricted"]),
        ("name:restr*", ["restricted"]),
        ("name:restr", []),
        ("displayName:key", ["restricted"]),
        ('displayName:"one key"', ["restricted"]),
        ('displayName="Server key one"', ["restricted"]),
        ('displayName="Server key"', []),
        ("displayName:(bound OR gone)", ["bound", "gone"]),
        ("NOT displayName:*", ["nameless"]),
        ("-displayName:bound displayName:*", ["gone", "restricted"]),
        ("project:200000000001 location:global", ["bound", "gone", "nameless", "restricted"]),
        ("project=projects/200000000001", ["bound", "gone", "nameless", "restricted"]),
        ("folders:(3 OR 77)", ["bound", "gone", "nameless", "restricted"]),
        ("createTime<2025-06-01", ["bound"]),
        ("createTime < 1748736000", ["bound"]),
        ('createTime >= "2025-06-01T00:00:00"', ["gone", "nameless", "restricted"]),
        ("Server", ["restricted"]),
        ("Serv*", ["restricted"]),
        ('"with keys"', ["bound", "gone", "nameless", "restricted"]),  # words of the parent's name
        ("labels:x", []),
        ("labels.env:*", []),
        ("tagKeys:env", []),
        ("state:ACTIVE", []),
    ],
)
def test_queries(shared: Running, query: str, expected: list[str]) -> None:
    assert sorted(ids(search(over_grpc(shared), KEY, query=query))) == expected


def test_states(client: AssetServiceClient) -> None:
    assert ids(search(client, PROJECT, query="state:ACTIVE")) == ["with-keys"]
    assert ids(search(client, PROJECT, query="NOT state:ACTIVE")) == ["going"]
    assert ids(search(client, PROJECT, query="state=DELETE_REQUESTED")) == ["going"]


def test_the_read_mask(client: AssetServiceClient) -> None:
    plain = search(client, KEY)
    assert all("versionedResources" not in result for result in plain)
    few = search(client, KEY, read_mask={"paths": ["name", "versioned_resources.version"]})
    assert {tuple(result) for result in few} == {("name", "versionedResources")}
    assert few[0]["versionedResources"] == [{"version": "v2"}]
    with pytest.raises(exceptions.BadRequest, match="read mask"):
        search(client, KEY, read_mask={"paths": ["nonsense"]})


def test_versioned_resources_can_be_turned_off_by_the_seed(client: AssetServiceClient, sandbox: Running) -> None:
    sandbox.control("seed", {"assetInventory": {"versionedResources": False}})
    found = search(client, KEY, read_mask={"paths": ["*"]})
    assert len(found) == 4
    assert all("versionedResources" not in result for result in found)


def test_pages(client: AssetServiceClient) -> None:
    request = {"scope": ORGANIZATION, "asset_types": [PROJECT, KEY], "page_size": 2}
    pages = list(client.search_all_resources(request=request).pages)
    assert [len(page.results) for page in pages] == [2, 2, 2]
    names = [result.name for page in pages for result in page.results]
    assert len(set(names)) == 6
    token = pages[0].next_page_token
    for wrong in ({"page_token": token, "query": "x"}, {"page_token": "bm9uc2Vuc2U"}):
        with pytest.raises(exceptions.BadRequest, match="page token"):
            client.search_all_resources(request=request | wrong)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("displayName", ["nameless", "bound", "gone", "restricted"]),
        ("displayName DESC", ["restricted", "gone", "bound", "nameless"]),
        ("createTime, name DESC", ["bound", "restricted", "nameless", "gone"]),
    ],
)
def test_orders(client: AssetServiceClient, order: str, expected: list[str]) -> None:
    assert ids(search(client, KEY, order_by=order, page_size=3)) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"order_by": "nonsense"},
        {"order_by": "name SIDEWAYS"},
        {"query": "nonsense:x"},
        {"query": "("},
        {"query": "createTime<yesterday"},
        {"asset_types": ["nonsense"]},
        {"asset_types": ["(a+)+$"]},
        {"scope": "nonsense/1"},
        {"scope": "folders/letters"},
    ],
    ids=str,
)
def test_what_is_refused(client: AssetServiceClient, wrong: dict[str, Any]) -> None:
    with pytest.raises(exceptions.BadRequest):
        client.search_all_resources(request={"scope": ORGANIZATION} | wrong)


def test_asset_types(client: AssetServiceClient) -> None:
    assert search(client, "compute.googleapis.com/Disk") == []  # Google has it, the sandbox has none
    assert ids(search(client, "apikeys.*", query="displayName:bound")) == ["bound"]
    assert ids(search(client, r"apikeys\.googleapis\.com/.*", query="displayName:bound")) == ["bound"]


def test_the_permission_is_needed_on_the_scope(client: AssetServiceClient, sandbox: Running) -> None:
    for scope in ("organizations/9", "organizations/404", "projects/outside"):
        with pytest.raises(exceptions.Forbidden) as caught:
            search(client, scope=scope)
        assert caught.value.reason == "IAM_PERMISSION_DENIED"
        assert "cloudasset.assets.searchAllResources" in str(caught.value)
    reader = [("authorization", "Bearer reader@example.net")]
    with pytest.raises(exceptions.Forbidden):
        client.search_all_resources(request={"scope": "folders/3"}, metadata=reader)
    sandbox.control(
        "seed",
        {
            "folders": [
                {"name": "folders/2", "parent": ORGANIZATION, "iam": {"roles/cloudasset.viewer": ["user:reader@example.net"]}}
            ]
        },
    )
    found = list(client.search_all_resources(request={"scope": "folders/3", "asset_types": [KEY]}, metadata=reader))
    assert len(found) == 4  # of keys that the reader may not list


def test_the_inventory_lags(client: AssetServiceClient, sandbox: Running) -> None:
    sandbox.control("propagation", {"search": "120s"})
    keys = ApiKeysClient(transport=ApiKeysGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))
    projects = ProjectsClient(transport=ProjectsGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))
    sandbox.control("clock", {"advance": "121s"})  # the seed is known by now
    parent = "projects/with-keys/locations/global"
    keys.create_key(parent=parent, key_id="fresh", key=Key()).result()
    keys.delete_key(name=f"{parent}/keys/bound").result()
    projects.update_project(project=Project(name="projects/with-keys", display_name="Renamed")).result()

    def seen() -> tuple[set[str], bool, str]:
        found = search(client, KEY, read_mask={"paths": ["*"]})
        [bound] = [result for result in found if result["name"].endswith("/bound")]
        [project] = search(client, PROJECT, query="name:with-keys")
        return set(ids(found)), "deleteTime" in bound["versionedResources"][0]["resource"], project["displayName"]

    assert seen() == ({"bound", "gone", "nameless", "restricted"}, False, "With Keys")
    sandbox.control("clock", {"advance": "121s"})
    assert seen() == ({"bound", "fresh", "gone", "nameless", "restricted"}, True, "Renamed")


def test_a_fleet_in_pages_of_five_hundred(start_sandbox: Callable[..., Running]) -> None:
    """As keyadmin's audit asks; a page reads little more than it shows."""
    seed = {
        "organizations": [
            {"name": ORGANIZATION, "displayName": "o", "iam": {"roles/cloudasset.viewer": ["user:owner@example.com"]}}
        ],
        "fleet": {"projects": 300, "keysPerProject": 5, "parent": ORGANIZATION},
    }
    sandbox = start_sandbox(seed)
    client = over_grpc(sandbox)
    request = {"scope": ORGANIZATION, "asset_types": [KEY], "page_size": 1000, "read_mask": {"paths": ["*"]}}
    pages = list(client.search_all_resources(request=request).pages)
    assert [len(page.results) for page in pages] == [500, 500, 500]
    found = [MessageToDict(type(result).pb(result)) for page in pages for result in page.results]
    assert len({result["name"] for result in found}) == 1500
    assert [result["name"] for result in found] == sorted(result["name"] for result in found)
    none = list(client.search_all_resources(request=request | {"query": "displayName:nothing"}))
    assert none == []
    ordered = list(client.search_all_resources(request=request | {"order_by": "createTime DESC"}))
    times = [result.create_time for result in ordered]
    assert len(times) == 1500
    assert times == sorted(times, reverse=True)


async def test_the_asyncio_client(sandbox: Running) -> None:
    async with grpc.aio.insecure_channel(sandbox.grpc) as channel:
        client = AssetServiceAsyncClient(transport=AssetServiceGrpcAsyncIOTransport(channel=channel))
        pager = await client.search_all_resources(request={"scope": ORGANIZATION, "asset_types": [KEY], "page_size": 3})
        assert len([result async for result in pager]) == 4


def test_googleapiclient_with_its_bundled_discovery_document(sandbox: Running) -> None:
    service = build(
        "cloudasset",
        "v1",
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=sandbox.rest),
        static_discovery=True,
    )
    search_all = service.v1().searchAllResources
    answer = search_all(scope=ORGANIZATION, assetTypes=[KEY], readMask="*", query="name:restricted").execute()
    [result] = answer["results"]
    assert result["versionedResources"][0]["resource"]["restrictions"] == RESTRICTIONS
    first = search_all(scope=ORGANIZATION, pageSize=3, fields="results/name,nextPageToken").execute()
    assert [list(result) for result in first["results"]] == [["name"]] * 3
    assert first["nextPageToken"]
    assert search_all(scope=ORGANIZATION, query="name:nothing").execute() == {}
