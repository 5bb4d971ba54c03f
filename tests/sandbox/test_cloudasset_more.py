"""Cloud Asset Inventory beyond searches of resources: lists, allow policies, analyses; Google's client and gcloud."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import InvalidArgument, PermissionDenied
from google.cloud.asset_v1 import AssetServiceClient, ContentType
from google.cloud.asset_v1.services.asset_service.transports import AssetServiceGrpcTransport

from .conftest import Running
from .wire import send

KEY, GEMINI = "apikeys.googleapis.com/Key", "generativelanguage.googleapis.com"
ANN, ROBOT = "user:ann@example.com", "serviceAccount:robot@one-project.iam.gserviceaccount.com"
INSPECTOR = "organizations/5/roles/inspector"
RIGHTS = ("listResource", "listIamPolicy", "searchAllResources", "searchAllIamPolicies", "analyzeIamPolicy")
SEED: dict[str, Any] = {
    "customRoles": {INSPECTOR: [f"cloudasset.assets.{right}" for right in RIGHTS]},
    "organizations": [
        {
            "name": "organizations/5",
            "displayName": "example.com",
            "iam": {INSPECTOR: ["user:owner@example.com"], "roles/browser": ["domain:example.com"]},
        }
    ],
    "folders": [{"name": "folders/6", "displayName": "f", "parent": "organizations/5", "iam": {"roles/viewer": [ANN]}}],
    "projects": [
        {
            "projectId": "one-project",
            "projectNumber": "500000000001",
            "parent": "folders/6",
            "services": [GEMINI],
            "serviceAccounts": ["robot"],
            "secrets": {"s": ["v"]},
            "iam": {"roles/owner": ["user:owner@example.com"], "roles/serviceusage.apiKeysAdmin": [ANN, ROBOT]},
            "keys": [
                {"keyId": f"k{number}", "displayName": f"key {number}", "restrictions": {"apiTargets": [{"service": GEMINI}]}}
                for number in range(5)
            ],
        },
        {"projectId": "two-project", "projectNumber": "500000000002", "parent": "organizations/5"},
    ],
}


@pytest.fixture
def sandbox(start_sandbox: Callable[..., Running]) -> Running:
    return start_sandbox(SEED)


@pytest.fixture
def client(sandbox: Running) -> AssetServiceClient:
    return AssetServiceClient(transport=AssetServiceGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))


def get(sandbox: Running, path: str, caller: str = "owner@example.com") -> Any:
    return send(sandbox, "GET", f"/v1/{path}", None, {"Authorization": f"Bearer {caller}"})


def test_keys_are_listed_with_their_resources(sandbox: Running, client: AssetServiceClient) -> None:
    request = {"parent": "organizations/5", "asset_types": [KEY], "content_type": ContentType.RESOURCE, "page_size": 2}
    pages = list(client.list_assets(request=request).pages)
    assert [len(page.assets) for page in pages] == [2, 2, 1]
    assets = [asset for page in pages for asset in page.assets]
    first = assets[0]
    assert first.name == "//apikeys.googleapis.com/projects/500000000001/locations/global/keys/k0"
    assert first.resource.parent == "//cloudresourcemanager.googleapis.com/projects/500000000001"
    assert list(first.ancestors) == ["projects/500000000001", "folders/6", "organizations/5"]
    data = dict(first.resource.data)
    assert data["displayName"] == "key 0"
    assert "keyString" not in data
    (raw, *_) = get(sandbox, f"organizations/5/assets?assetTypes={KEY}&contentType=RESOURCE").data["assets"]
    assert raw["resource"]["data"]["restrictions"] == {"apiTargets": [{"service": GEMINI}]}
    assert raw["resource"]["discoveryName"] == "Key"


def test_without_a_content_type_there_is_no_resource(sandbox: Running) -> None:
    answer = get(sandbox, "projects/one-project/assets").data
    assert {asset["assetType"] for asset in answer["assets"]} >= {KEY, "serviceusage.googleapis.com/Service"}
    assert not any({"resource", "iamPolicy"} & asset.keys() for asset in answer["assets"])
    assert "readTime" in answer


def test_pages_of_a_hundred_and_of_a_thousand(sandbox: Running) -> None:
    keys = [{"keyId": f"many-{number:04}", "displayName": "m"} for number in range(1100)]
    sandbox.control("seed", {"projects": [{"projectId": "two-project", "keys": keys}]})
    path = f"projects/two-project/assets?assetTypes={KEY}"
    assert len(get(sandbox, path).data["assets"]) == 100
    first = get(sandbox, f"{path}&pageSize=5000").data
    assert len(first["assets"]) == 1000
    rest = get(sandbox, f"{path}&pageSize=5000&pageToken={first['nextPageToken']}").data
    assert len(rest["assets"]) == 100
    assert "nextPageToken" not in rest
    assert len({asset["name"] for asset in first["assets"] + rest["assets"]}) == 1100


def test_policies_are_listed(client: AssetServiceClient) -> None:
    request = {"parent": "organizations/5", "content_type": ContentType.IAM_POLICY}
    found = {asset.name.rpartition(".com/")[2]: asset.iam_policy for asset in client.list_assets(request=request)}
    assert set(found) == {"organizations/5", "folders/6", "projects/500000000001"}
    assert {binding.role for binding in found["projects/500000000001"].bindings} == {
        "roles/owner",
        "roles/serviceusage.apiKeysAdmin",
    }


def test_what_a_list_refuses(sandbox: Running, client: AssetServiceClient) -> None:
    with pytest.raises(PermissionDenied, match=r"cloudasset\.assets\.listResource"):
        client.list_assets(request={"parent": "projects/two-project"}, metadata=[("authorization", "Bearer ann@example.com")])
    old = (datetime.now(UTC) - timedelta(days=36)).isoformat().replace("+00:00", "Z")
    assert get(sandbox, f"organizations/5/assets?readTime={old}").status == 400
    assert get(sandbox, "organizations/5/assets?pageSize=-1").status == 400
    assert get(sandbox, "organizations/x/assets").status == 400
    assert get(sandbox, "organizations/5/assets?contentType=OS_INVENTORY").status == 501
    assert send(sandbox, "POST", "/v1/organizations/5:queryAssets", {}).status == 501


def test_one_kind_may_be_listed_with_its_own_permission(sandbox: Running) -> None:
    role = "organizations/5/roles/keyLister"
    sandbox.control("seed", {"customRoles": {role: ["cloudasset.assets.listApikeysKeys"]}})
    sandbox.control("seed", {"projects": [{"projectId": "one-project", "iam": {role: [ANN]}}]})
    path = "projects/one-project/assets?contentType=RESOURCE"
    assert get(sandbox, path, "ann@example.com").status == 403
    assert get(sandbox, f"{path}&assetTypes={KEY}", "ann@example.com").status == 200


def test_the_inventory_lags_where_it_is_told_to(sandbox: Running) -> None:
    sandbox.control("propagation", {"inventory": "3h"})
    path = f"organizations/5/assets?assetTypes={KEY}"
    assert "assets" not in get(sandbox, path).data
    assert "results" not in get(sandbox, f"organizations/5:searchAllResources?assetTypes={KEY}").data
    sandbox.control("clock", {"advance": "4h"})
    assert len(get(sandbox, path).data["assets"]) == 5
    assert len(get(sandbox, f"organizations/5:searchAllResources?assetTypes={KEY}").data["results"]) == 5


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"organizations/5", "folders/6", "projects/one-project"}),
        ('policy:"user:ann@example.com"', {"folders/6", "projects/one-project"}),
        ("policy:roles/owner", {"projects/one-project"}),
        ("roles=roles/viewer", {"folders/6"}),
        ("memberTypes:domain", {"organizations/5"}),
        ("policy.role.permissions:apikeys.keys.create", {"projects/one-project"}),
        ("policy:ann policy:roles/owner", set()),  # in one binding
        ("NOT policy:ann project:*", {"projects/one-project"}),
    ],
)
def test_policies_are_searched(client: AssetServiceClient, query: str, found: set[str]) -> None:
    results = list(client.search_all_iam_policies(request={"scope": "organizations/5", "query": query}))
    assert {result.resource.rpartition(".com/")[2] for result in results} == found


def test_a_search_by_permission_explains_which_roles_have_it(client: AssetServiceClient) -> None:
    query = "policy.role.permissions:apikeys.keys.create policy:ann"
    (result,) = client.search_all_iam_policies(request={"scope": "organizations/5", "query": query})
    assert [binding.role for binding in result.policy.bindings] == ["roles/serviceusage.apiKeysAdmin"]
    assert dict(result.explanation.matched_permissions)["roles/serviceusage.apiKeysAdmin"].permissions == [
        "apikeys.keys.create"
    ]
    assert (result.project, list(result.folders), result.organization) == (
        "projects/500000000001",
        ["folders/6"],
        "organizations/5",
    )
    with pytest.raises(InvalidArgument):
        client.search_all_iam_policies(request={"scope": "organizations/5", "query": "nonsense:x"})


def test_what_a_principal_may_do(client: AssetServiceClient) -> None:
    query = {"scope": "organizations/5", "identity_selector": {"identity": ANN}}
    answer = client.analyze_iam_policy(request={"analysis_query": query})
    assert answer.fully_explored
    seen = {
        (result.attached_resource_full_name.rpartition(".com/")[2], result.iam_binding.role): [
            identity.name for identity in result.identity_list.identities
        ]
        for result in answer.main_analysis.analysis_results
    }
    assert seen == {
        ("folders/6", "roles/viewer"): [ANN],
        ("organizations/5", "roles/browser"): ["domain:example.com"],
        ("projects/500000000001", "roles/serviceusage.apiKeysAdmin"): [ANN],
    }


def test_who_may_do_something_with_a_resource(client: AssetServiceClient) -> None:
    resource = "//cloudresourcemanager.googleapis.com/projects/one-project"
    query = {
        "scope": "organizations/5",
        "resource_selector": {"full_resource_name": resource},
        "access_selector": {"permissions": ["apikeys.keys.delete", "apikeys.keys.list"]},
    }
    answer = client.analyze_iam_policy(request={"analysis_query": query})
    whole = {
        result.iam_binding.role: (
            [one.permission for one in result.access_control_lists[0].accesses],
            [one.full_resource_name for one in result.access_control_lists[0].resources],
        )
        for result in answer.main_analysis.analysis_results
    }
    assert whole["roles/owner"] == (["apikeys.keys.delete", "apikeys.keys.list"], [resource])
    assert whole["roles/viewer"] == (["apikeys.keys.list"], [resource])  # from the folder above
    assert "roles/browser" not in whole


def test_a_policy_below_a_project_and_what_is_not_analysed(sandbox: Running, client: AssetServiceClient) -> None:
    name = "/v1/projects/one-project/secrets/s"
    policy = {"policy": {"bindings": [{"role": "roles/secretmanager.secretAccessor", "members": [ANN]}]}}
    assert send(sandbox, "POST", f"{name}:setIamPolicy", policy).status == 200
    query = {
        "scope": "projects/one-project",
        "resource_selector": {"full_resource_name": "//secretmanager.googleapis.com/projects/one-project/secrets/s"},
        "access_selector": {"permissions": ["secretmanager.versions.access"]},
        "identity_selector": {"identity": ANN},
    }
    (result,) = client.analyze_iam_policy(request={"analysis_query": query}).main_analysis.analysis_results
    assert result.attached_resource_full_name == "//secretmanager.googleapis.com/projects/500000000001/secrets/s"
    with pytest.raises(InvalidArgument):
        client.analyze_iam_policy(request={"analysis_query": {"scope": "organizations/5"}})
    path = "organizations/5:analyzeIamPolicy?analysisQuery.identitySelector.identity=user:a@b.c"
    assert get(sandbox, f"{path}&analysisQuery.options.analyzeServiceAccountImpersonation=true").status == 501
    denied = get(sandbox, path, "ann@example.com")
    assert (denied.status, denied.reason) == (403, "IAM_PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("time", "value"), [(None, "CONDITIONAL"), ("2025-01-01T00:00:00Z", "TRUE"), ("2031-01-01T00:00:00Z", "FALSE")]
)
def test_conditions_are_evaluated_for_a_time(sandbox: Running, time: str | None, value: str) -> None:
    name = "/v1/projects/one-project/secrets/s"
    condition = {"title": "until", "expression": 'request.time < timestamp("2030-01-01T00:00:00Z")'}
    binding = {"role": "roles/secretmanager.viewer", "members": ["user:eve@example.net"], "condition": condition}
    policy = {"policy": {"version": 3, "bindings": [binding]}}
    assert send(sandbox, "POST", f"{name}:setIamPolicy", policy).status == 200
    path = "organizations/5:analyzeIamPolicy?analysisQuery.identitySelector.identity=user:eve@example.net"
    answer = get(sandbox, path + (f"&analysisQuery.conditionContext.accessTime={time}" if time else "")).data
    (result,) = answer["mainAnalysis"]["analysisResults"]
    assert result["accessControlLists"][0]["conditionEvaluation"] == {"evaluationValue": value}
    assert result["iamBinding"]["condition"] == condition


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_gcloud_asset(sandbox: Running, tmp_path: Path) -> None:
    environment = os.environ | {
        "CLOUDSDK_CONFIG": str(tmp_path),
        "CLOUDSDK_AUTH_ACCESS_TOKEN": "owner@example.com",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDASSET": f"{sandbox.rest}/",
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "0",
        "CLOUDSDK_METRICS_ENVIRONMENT": "local-emulator",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
        "GCE_METADATA_ROOT": "127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }

    def gcloud(*words: str) -> Any:
        done = subprocess.run(
            ["gcloud", "asset", *words, "--format=json"], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    listed = gcloud("list", "--organization=5", f"--asset-types={KEY}", "--content-type=resource")
    assert sorted(asset["resource"]["data"]["displayName"] for asset in listed) == [f"key {number}" for number in range(5)]
    assert len(gcloud("list", "--project=one-project", "--content-type=iam-policy")) == 1
    found = gcloud("search-all-resources", "--scope=organizations/5", f"--asset-types={KEY}")
    assert len(found) == 5
    policies = gcloud("search-all-iam-policies", "--scope=organizations/5", '--query=policy:"user:ann@example.com"')
    assert {policy["assetType"].rpartition("/")[2] for policy in policies} == {"Folder", "Project"}
    acls = gcloud("analyze-iam-policy", "--organization=5", f"--identity={ANN}")
    assert {entry["policy"]["binding"]["role"] for entry in acls} == {
        "roles/viewer",
        "roles/browser",
        "roles/serviceusage.apiKeysAdmin",
    }
    resource = "//cloudresourcemanager.googleapis.com/projects/one-project"
    acls = gcloud("analyze-iam-policy", "--project=one-project", f"--full-resource-name={resource}")
    assert {identity["name"] for entry in acls for acl in entry["ACLs"] for identity in acl["identities"]} >= {ANN, ROBOT}
