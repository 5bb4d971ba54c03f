"""Keys of service accounts, workload identity pools and service agents, as Google's clients and Terraform ask for them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.api_core.exceptions import FailedPrecondition, NotFound
from google.cloud import iam_admin_v1
from google.oauth2 import service_account

from .clients import discovered, grpc_client, refused
from .conftest import Running
from .wire import send

DEMO = "projects/demo-project"
EMAIL = "robot-one@demo-project.iam.gserviceaccount.com"
NAME = f"{DEMO}/serviceAccounts/{EMAIL}"
POOLS = "/v1/projects/demo-project/locations/global/workloadIdentityPools"


@pytest.fixture
def client(sandbox: Running) -> Any:
    sandbox.control("seed", {"projects": [{"projectId": "demo-project", "serviceAccounts": ["robot-one"]}]})
    return grpc_client(iam_admin_v1.IAMClient, sandbox)


def test_the_private_key_is_given_once(client: Any) -> None:
    made = client.create_service_account_key(request={"name": NAME})
    file = json.loads(made.private_key_data)
    assert (file["client_email"], file["private_key_id"]) == (EMAIL, made.name.rpartition("/")[2])
    assert service_account.Credentials.from_service_account_info(file).service_account_email == EMAIL
    (listed,) = client.list_service_account_keys(request={"name": NAME}).keys
    assert (listed.name, listed.private_key_data) == (made.name, b"")
    assert client.get_service_account_key(request={"name": made.name}).valid_before_time.year == 9999
    client.disable_service_account_key(request={"name": made.name})
    assert client.get_service_account_key(request={"name": made.name}).disabled
    client.delete_service_account_key(request={"name": made.name})
    with refused(NotFound):
        client.get_service_account_key(request={"name": made.name})


@pytest.mark.parametrize("constraint", ["iam.disableServiceAccountKeyCreation", "iam.managed.disableServiceAccountKeyCreation"])
def test_an_organisation_may_forbid_keys(client: Any, sandbox: Running, constraint: str) -> None:
    sandbox.control("seed", {"orgPolicies": {"organizations/1000": {constraint: True}}})
    with refused(FailedPrecondition, "Key creation is not allowed on this service account."):
        client.create_service_account_key(request={"name": NAME})


def test_ten_keys_and_no_more(client: Any) -> None:
    for _ in range(10):
        client.create_service_account_key(request={"name": NAME})
    with refused(FailedPrecondition):
        client.create_service_account_key(request={"name": NAME})


def test_the_discovery_client_reads_the_key_as_base64(client: Any, sandbox: Running) -> None:
    keys = discovered("iam", "v1", sandbox).projects().serviceAccounts().keys()
    made = keys.create(name=f"projects/-/serviceAccounts/{EMAIL}", body={}).execute()
    assert json.loads(base64.b64decode(made["privateKeyData"]))["type"] == "service_account"


def _done(sandbox: Running, reply: Any) -> Any:
    assert reply.status == 200, reply.body
    assert "done" not in reply.data
    operation = send(sandbox, "GET", f"/v1/{reply.data['name']}").data
    assert operation["done"] is True
    return operation["response"]


def test_pools_and_providers_are_kept(sandbox: Running) -> None:
    assert send(sandbox, "GET", f"{POOLS}/ci-pool").status == 404
    pool = {"displayName": "CI", "description": "For builds"}
    made = _done(sandbox, send(sandbox, "POST", f"{POOLS}?workloadIdentityPoolId=ci-pool", pool))
    name = "projects/100000000001/locations/global/workloadIdentityPools/ci-pool"
    assert {field: made[field] for field in ("name", "displayName", "state")} == {
        "name": name,
        "displayName": "CI",
        "state": "ACTIVE",
    }
    assert send(sandbox, "POST", f"{POOLS}?workloadIdentityPoolId=ci-pool", pool).status == 409
    provider = {"attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://example.com/"}}
    where = f"{POOLS}/ci-pool/providers"
    _done(sandbox, send(sandbox, "POST", f"{where}?workloadIdentityPoolProviderId=github", provider))
    change = {"oidc": {"allowedAudiences": ["a"]}}
    _done(sandbox, send(sandbox, "PATCH", f"{where}/github?updateMask=oidc.allowedAudiences", change))
    kept = send(sandbox, "GET", f"{where}/github").data
    assert kept["oidc"] == {"issuerUri": "https://example.com/", "allowedAudiences": ["a"]}
    assert [found["name"] for found in send(sandbox, "GET", where).data["workloadIdentityPoolProviders"]] == [kept["name"]]
    _done(sandbox, send(sandbox, "DELETE", f"{POOLS}/ci-pool"))
    assert send(sandbox, "GET", f"{POOLS}/ci-pool").data["state"] == "DELETED"
    assert send(sandbox, "GET", POOLS).data == {}
    _done(sandbox, send(sandbox, "POST", f"{POOLS}/ci-pool:undelete", {}))
    assert send(sandbox, "GET", POOLS).data["workloadIdentityPools"][0]["state"] == "ACTIVE"


@pytest.mark.parametrize(
    ("new_id", "provider"),
    [
        ("x", {"oidc": {"issuerUri": "https://example.com/"}}),
        ("gcp-mine", {"oidc": {"issuerUri": "https://example.com/"}}),
        ("plain", {"oidc": {"issuerUri": "http://example.com/"}}),
        ("plain", {}),
        ("plain", {"oidc": {"issuerUri": "https://example.com/"}, "aws": {"accountId": "1"}}),
    ],
)
def test_what_is_no_provider_is_refused(sandbox: Running, new_id: str, provider: Any) -> None:
    _done(sandbox, send(sandbox, "POST", f"{POOLS}?workloadIdentityPoolId=ci-pool", {}))
    where = f"{POOLS}/ci-pool/providers?workloadIdentityPoolProviderId={new_id}"
    assert send(sandbox, "POST", where, provider).status == 400


@pytest.mark.parametrize(("service", "email"), [("secretmanager", True), ("bigquery", False)])
def test_the_agent_of_a_service_is_always_the_same(sandbox: Running, service: str, email: bool) -> None:
    path = f"/v1beta1/projects/demo-project/services/{service}.googleapis.com:generateServiceIdentity"
    first, second = (_done(sandbox, send(sandbox, "POST", path)) for _ in range(2))
    assert first == second
    expected = f"service-100000000001@gcp-sa-{service}.iam.gserviceaccount.com" if email else None
    assert first.get("email") == expected
