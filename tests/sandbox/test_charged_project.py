"""The API must be on in the project that pays, for every API and whatever the call is about; how quotas are told.

https://cloud.google.com/docs/quotas/quota-project; python-resource-manager #129, terraform-provider-google #11435. The quota's
words are recorded (k8s-config-connector, Resource Manager).
"""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.api_core.exceptions import PermissionDenied, ResourceExhausted
from google.cloud.resourcemanager_v3 import ProjectsClient
from google.cloud.resourcemanager_v3.services.projects.transports import ProjectsGrpcTransport

from .conftest import Running
from .wire import send

PAYER, NUMBER = "paying-project", "300000000077"
EVERY_API = (
    ("GET", "/v2/projects/crowded-project/locations/global/keys?pageSize=1", "apikeys.googleapis.com"),
    ("GET", "/v3/projects/crowded-project", "cloudresourcemanager.googleapis.com"),
    ("GET", "/v1/projects/crowded-project", "cloudresourcemanager.googleapis.com"),
    ("GET", "/v3/organizations/1000", "cloudresourcemanager.googleapis.com"),
    ("GET", "/v1/projects/crowded-project/services?pageSize=1", "serviceusage.googleapis.com"),
    ("GET", "/v1/projects/crowded-project/serviceAccounts", "iam.googleapis.com"),
    ("GET", "/v1/projects/crowded-project/secrets", "secretmanager.googleapis.com"),
    ("GET", "/v1/organizations/1000:searchAllResources", "cloudasset.googleapis.com"),
)


@pytest.fixture
def paying(sandbox: Running) -> Running:
    """With a project that pays, in which nothing is on."""
    project = {"projectId": PAYER, "projectNumber": NUMBER, "iam": {"roles/owner": ["user:owner@example.com"]}}
    sandbox.control("seed", {"projects": [project | {"serviceAccounts": ["robot"]}]})
    return sandbox


def charged(sandbox: Running, method: str, path: str, **more: str) -> Any:
    return send(sandbox, method, path, None, {"X-Goog-User-Project": PAYER} | more)


@pytest.mark.parametrize(("method", "path", "service"), EVERY_API)
def test_every_api_must_be_on_in_the_project_that_pays(paying: Running, method: str, path: str, service: str) -> None:
    refused = charged(paying, method, path)
    assert (refused.status, refused.reason) == (403, "SERVICE_DISABLED")
    info = refused.data["error"]["details"][-1]["metadata"]
    assert (info["service"], info["consumer"]) == (service, f"projects/{NUMBER}")
    assert send(paying, method, path).status == 200  # nobody is named: gcloud's own project pays
    paying.control("seed", {"projects": [{"projectId": PAYER, "services": [service]}]})
    assert charged(paying, method, path).status == 200


def test_a_service_account_s_calls_count_for_its_own_project(paying: Running) -> None:
    robot = f"robot@{PAYER}.iam.gserviceaccount.com"
    paying.control("quota", {"method": "ListKeys", "per_minute": 0})
    refused = send(paying, "GET", EVERY_API[0][1], None, {"Authorization": f"Bearer {robot}"})
    assert refused.status == 429
    assert f"'project_number:{NUMBER}'" in refused.data["error"]["message"]


def test_over_grpc(paying: Running) -> None:
    client = ProjectsClient(transport=ProjectsGrpcTransport(channel=grpc.insecure_channel(paying.grpc)))
    with pytest.raises(PermissionDenied) as caught:
        client.get_project(name="projects/crowded-project", metadata=[("x-goog-user-project", PAYER)])
    assert (caught.value.reason, caught.value.metadata["consumer"]) == ("SERVICE_DISABLED", f"projects/{NUMBER}")
    paying.control("quota", {"method": "GetProject", "per_minute": 0})
    with pytest.raises(
        ResourceExhausted, match=r"of service 'cloudresourcemanager\.googleapis\.com' for consumer 'project_number"
    ):
        client.get_project(name="projects/crowded-project", retry=None)


@pytest.mark.parametrize(
    ("header", "number"), [({}, "764086051850"), ({"X-Goog-User-Project": "crowded-project"}, "100000000003")]
)
def test_a_quota_names_service_limit_and_who_pays(sandbox: Running, header: dict[str, str], number: str) -> None:
    sandbox.control("quota", {"method": "GetProject", "per_minute": 0})
    refused = send(sandbox, "GET", "/v3/projects/crowded-project", None, header)
    assert (refused.status, refused.data["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert refused.data["error"]["message"] == (
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service "
        f"'cloudresourcemanager.googleapis.com' for consumer 'project_number:{number}'."
    )
    info, _, retry = refused.data["error"]["details"]
    assert (info["reason"], info["metadata"]["consumer"]) == ("RATE_LIMIT_EXCEEDED", f"projects/{number}")
    assert info["metadata"]["service"] == "cloudresourcemanager.googleapis.com"
    assert retry["retryDelay"].endswith("s")
