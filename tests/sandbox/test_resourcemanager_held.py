"""Resource Manager: which permissions a caller holds: inherited, moved, tested, and on what is not there."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, Forbidden
from google.cloud import api_keys_v2
from google.cloud import resourcemanager_v3 as rm

from .clients import bearer, grpc_client, refused, rest_client
from .conftest import Running
from .policies import CLIENTS, DEMO, KEYS, grant, policy_of
from .wire import send


@pytest.fixture(params=["grpc", "rest"])
def projects(request: pytest.FixtureRequest, sandbox: Running) -> Any:
    client = grpc_client if request.param == "grpc" else rest_client
    return client(rm.ProjectsClient, sandbox)


def test_bindings_inherit_from_organisation_to_folder_to_project(sandbox: Running) -> None:
    clients = {kind: grpc_client(client, sandbox) for kind, client in CLIENTS.items()}
    keys = grpc_client(api_keys_v2.ApiKeysClient, sandbox)

    def may(caller: str) -> list[str]:
        asked = ["apikeys.keys.list", "resourcemanager.projects.get"]
        answer = clients["projects"].test_iam_permissions(resource=DEMO, permissions=asked, metadata=bearer(caller))
        return list(answer.permissions)

    places = {"organizations": "organizations/1000", "folders": "folders/1001", "projects": DEMO}
    for kind, resource in places.items():
        caller = f"{kind}@example.net"
        assert may(caller) == []
        with refused(Forbidden):
            list(keys.list_keys(parent=KEYS, metadata=bearer(caller)))
        grant(clients[kind], "roles/serviceusage.apiKeysViewer", f"user:{caller}", resource=resource)
        assert "apikeys.keys.list" in may(caller)
        list(keys.list_keys(parent=KEYS, metadata=bearer(caller)))
    elsewhere = "projects/somebody-elses/locations/global"
    with refused(Forbidden):
        list(keys.list_keys(parent=elsewhere, metadata=bearer("organizations@example.net")))
    grant(clients["organizations"], "roles/browser", "domain:example.org", resource="organizations/1000")
    assert may("anyone@example.org") == ["resourcemanager.projects.get"]
    policy = policy_of(clients["organizations"], "organizations/1000")
    del policy.bindings[:]
    clients["organizations"].set_iam_policy(request={"resource": "organizations/1000", "policy": policy})
    assert may("organizations@example.net") == may("anyone@example.org") == []
    assert may("folders@example.net") != []


def test_moving_a_project_changes_what_it_inherits(sandbox: Running) -> None:
    projects, folders = grpc_client(rm.ProjectsClient, sandbox), grpc_client(rm.FoldersClient, sandbox)
    grant(folders, "roles/browser", "user:guest@example.net", resource="folders/1001")
    guest = bearer("guest@example.net")
    assert projects.get_project(name=DEMO, metadata=guest)
    projects.move_project(name=DEMO, destination_parent="organizations/1000").result(timeout=60)
    with refused(Forbidden):
        projects.get_project(name=DEMO, metadata=guest)


def test_permissions_are_tested_in_the_order_asked(projects: Any) -> None:
    asked = [
        "resourcemanager.projects.update",
        "apikeys.keys.create",
        "iam.serviceAccounts.getAccessToken",
        "apikeys.keys.create",
    ]
    owner = projects.test_iam_permissions(resource=DEMO, permissions=asked)
    assert list(owner.permissions) == asked[:2]
    grant(projects, "roles/viewer", "user:viewer@example.net")
    asked = ["apikeys.keys.list", "apikeys.keys.create", "resourcemanager.projects.get"]
    viewer = projects.test_iam_permissions(resource=DEMO, permissions=asked, metadata=bearer("viewer@example.net"))
    assert set(viewer.permissions) <= set(asked)
    assert "apikeys.keys.create" not in viewer.permissions
    assert not projects.test_iam_permissions(resource="projects/100000000001", permissions=[]).permissions


@pytest.mark.parametrize("resource", ["projects/no-such-project", "projects/somebody-elses"])
def test_nothing_is_held_on_what_is_missing_or_not_ones_own(projects: Any, resource: str) -> None:
    assert not projects.test_iam_permissions(resource=resource, permissions=["resourcemanager.projects.get"]).permissions


def test_an_empty_answer_is_empty(sandbox: Running) -> None:
    asked = {"permissions": ["resourcemanager.projects.get"]}
    assert send(sandbox, "POST", "/v3/projects/no-such-project:testIamPermissions", asked).data == {}


@pytest.mark.parametrize(
    "permission",
    [
        "resourcemanager.projects.create",
        "resourcemanager.projects.list",
        "resourcemanager.folders.get",
        "resourcemanager.organizations.get",
        "apikeys.keys.creat",
        "apikeys.keys",
        "apikeys.*",
        "roles/owner",
        "",
    ],
)
def test_permissions_that_do_not_apply_to_projects_are_refused(projects: Any, permission: str) -> None:
    with refused(BadRequest, f"Permission {permission} is not valid for this resource."):
        projects.test_iam_permissions(resource=DEMO, permissions=["resourcemanager.projects.get", permission])


def test_at_most_a_hundred_permissions_are_tested_at_once(projects: Any) -> None:
    names = [f"compute.instances.verb{number}" for number in range(101)]
    assert not projects.test_iam_permissions(resource=DEMO, permissions=names[:100]).permissions
    with refused(BadRequest, "At most 100 permissions"):
        projects.test_iam_permissions(resource=DEMO, permissions=names)


def test_folders_and_organisations_test_their_own_permissions(sandbox: Running) -> None:
    folders, organizations = grpc_client(rm.FoldersClient, sandbox), grpc_client(rm.OrganizationsClient, sandbox)
    asked = ["resourcemanager.projects.create", "resourcemanager.folders.create", "resourcemanager.projects.delete"]
    for client, resource in ((folders, "folders/1001"), (organizations, "organizations/1000")):
        assert list(client.test_iam_permissions(resource=resource, permissions=asked).permissions) == asked[:2]
    with refused(BadRequest, "is not valid for this resource"):
        folders.test_iam_permissions(resource="folders/1001", permissions=["resourcemanager.organizations.get"])
    held = organizations.test_iam_permissions(resource="organizations/1000", permissions=["resourcemanager.organizations.get"])
    assert list(held.permissions) == ["resourcemanager.organizations.get"]


def test_a_resource_without_a_policy_has_the_empty_ones_etag(sandbox: Running) -> None:
    folders = grpc_client(rm.FoldersClient, sandbox)
    policy = policy_of(folders, "folders/1001")
    assert (base64.b64encode(policy.etag), list(policy.bindings)) == (b"ACAB", [])
    assert send(sandbox, "POST", "/v3/folders/1001:getIamPolicy", {}).data == {"etag": "ACAB"}
    grant(folders, "roles/browser", "user:guest@example.net", resource="folders/1001")
    policy.bindings.add(role="roles/browser", members=["user:late@example.net"])
    with refused(Conflict, r"ETag '\000 \001' did not match"):
        folders.set_iam_policy(request={"resource": "folders/1001", "policy": policy})
