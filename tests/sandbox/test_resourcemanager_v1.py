"""Resource Manager v1 and v2 as google-api-python-client calls them with its bundled discovery documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from google.cloud import resourcemanager_v3 as rm
from google.longrunning import operations_pb2
from googleapiclient.errors import HttpError

from .clients import discovered, grpc_client
from .conftest import Running
from .wire import send


@pytest.fixture
def v1(sandbox: Running) -> Any:
    return discovered("cloudresourcemanager", "v1", sandbox)


@contextmanager
def refused(code: int, status: str, message: str) -> Iterator[Any]:
    """The block raises HttpError with this code, status and message."""
    caught: list[Any] = []
    with pytest.raises(HttpError) as raised:
        yield caught
    error = json.loads(raised.value.content)["error"]
    assert (error["code"], error["status"], error["message"]) == (code, status, message)
    caught.append(error)


def make(v1: Any, project_id: str, **fields: Any) -> Any:
    body = {"projectId": project_id, "name": project_id, "parent": {"type": "folder", "id": "1001"}} | fields
    started = v1.projects().create(body=body).execute()
    assert list(started) == ["name"]
    return v1.operations().get(name=started["name"]).execute()


def test_a_project_is_shown_as_recorded(v1: Any) -> None:
    done = make(v1, "recorded-project", labels={"env": "dev"})
    assert re.fullmatch(r"operations/cp\.\d{19}", done["name"])
    assert done["metadata"] == {
        "@type": "type.googleapis.com/google.cloudresourcemanager.v1.ProjectCreationStatus",
        "gettable": True,
        "ready": True,
    }
    project = v1.projects().get(projectId="recorded-project").execute()
    assert done["response"] == {"@type": "type.googleapis.com/google.cloudresourcemanager.v1.Project"} | project
    assert list(project) == ["projectNumber", "projectId", "lifecycleState", "name", "labels", "createTime", "parent"]
    assert project["projectNumber"].isdigit()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", project["createTime"])
    assert (project["lifecycleState"], project["parent"]) == ("ACTIVE", {"type": "folder", "id": "1001"})
    assert v1.projects().get(projectId=project["projectNumber"]).execute() == project


def test_v1_and_v3_show_the_same_project(v1: Any, sandbox: Running) -> None:
    make(v1, "one-project", name="One project")
    new = grpc_client(rm.ProjectsClient, sandbox).get_project(name="projects/one-project")
    old = v1.projects().get(projectId="one-project").execute()
    assert (new.name, new.display_name) == (f"projects/{old['projectNumber']}", old["name"])


def test_refusals_do_not_say_what_is_missing_but_their_details_do(v1: Any) -> None:
    for project in ("no-such-project", "somebody-elses"):
        with refused(403, "PERMISSION_DENIED", "The caller does not have permission") as caught:
            v1.projects().get(projectId=project).execute()
        assert caught[0]["details"] == [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "IAM_PERMISSION_DENIED",
                "domain": "iam.googleapis.com",
                "metadata": {"permission": "resourcemanager.projects.get", "resource": f"projects/{project}"},
            }
        ]
    with refused(403, "PERMISSION_DENIED", "The caller does not have permission"):
        v1.projects().getIamPolicy(resource="somebody-elses", body={}).execute()
    with refused(403, "PERMISSION_DENIED", "Policy update access denied."):
        v1.projects().setIamPolicy(resource="somebody-elses", body={"policy": {}}).execute()


def test_an_id_that_is_taken(v1: Any) -> None:
    with refused(409, "ALREADY_EXISTS", "Requested entity already exists"):
        make(v1, "demo-project")


def test_a_display_name_that_is_too_long_is_told_as_recorded(v1: Any) -> None:
    message = "field [display_name] has issue [project display name must be at most 30 characters]"
    with refused(400, "INVALID_ARGUMENT", message) as caught:
        make(v1, "long-named", name="x" * 31)
    assert [detail["@type"].rpartition(".")[2] for detail in caught[0]["details"]] == ["BadRequest", "Help"]
    assert caught[0]["details"][0]["fieldViolations"] == [
        {"field": "display_name", "description": "project display name must be at most 30 characters"}
    ]


def test_over_quota_the_operation_fails_as_recorded(v1: Any, sandbox: Running) -> None:
    sandbox.control("quota", {"projects": 0})
    done = make(v1, "one-too-many")
    text = "The project cannot be created because you have exceeded your allotted project quota."
    assert done == {
        "name": done["name"],
        "metadata": {"@type": "type.googleapis.com/google.cloudresourcemanager.v1.ProjectCreationStatus", "ready": True},
        "done": True,
        "error": {
            "code": 8,
            "message": text,
            "details": [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"description": text}]}],
        },
    }


def test_update_replaces_the_project(v1: Any) -> None:
    project = v1.projects().get(projectId="demo-project").execute()
    renamed = v1.projects().update(projectId="demo-project", body=project | {"name": "Other", "labels": {"a": "b"}}).execute()
    assert renamed == {**project, "name": "Other", "labels": {"a": "b"}}
    bare = v1.projects().update(projectId="demo-project", body={"parent": project["parent"], "name": "Other"}).execute()
    assert "labels" not in bare
    with refused(400, "INVALID_ARGUMENT", "field [Project.parent] has issue [Project parent cannot be empty.]"):
        v1.projects().update(projectId="demo-project", body={"name": "Orphan"}).execute()
    assert v1.projects().get(projectId="demo-project").execute() == bare


def test_update_moves_the_project_to_another_parent(v1: Any) -> None:
    project = v1.projects().get(projectId="demo-project").execute()
    above = {"type": "organization", "id": "1000"}
    assert v1.projects().update(projectId="demo-project", body=project | {"parent": above}).execute()["parent"] == above
    nowhere = {"type": "folder", "id": "404"}
    with refused(403, "PERMISSION_DENIED", "The caller does not have permission"):
        v1.projects().update(projectId="demo-project", body=project | {"parent": nowhere}).execute()


def test_delete_and_undelete_answer_nothing(v1: Any) -> None:
    projects = v1.projects()
    assert projects.delete(projectId="demo-project").execute() == {}
    assert projects.get(projectId="demo-project").execute()["lifecycleState"] == "DELETE_REQUESTED"
    assert projects.undelete(projectId="demo-project", body={}).execute() == {}
    assert projects.get(projectId="demo-project").execute()["lifecycleState"] == "ACTIVE"
    with refused(400, "FAILED_PRECONDITION", "Precondition check failed."):
        projects.undelete(projectId="demo-project", body={}).execute()


def test_lists_go_on_from_page_to_page(v1: Any) -> None:
    projects, request, ids = v1.projects(), v1.projects().list(pageSize=3), []
    while request is not None:
        answer = request.execute()
        ids.append([project["projectId"] for project in answer["projects"]])
        request = projects.list_next(request, answer)
    assert [len(page) for page in ids] == [3, 1]


def test_ancestry_goes_from_the_project_upwards(v1: Any) -> None:
    ancestry = v1.projects().getAncestry(projectId="100000000001", body={}).execute()
    assert [tuple(one["resourceId"].values()) for one in ancestry["ancestor"]] == [
        ("project", "demo-project"),
        ("folder", "1001"),
        ("organization", "1000"),
    ]


def test_policies_by_the_projects_id_alone(v1: Any) -> None:
    projects = v1.projects()
    policy = projects.getIamPolicy(resource="demo-project", body={"options": {"requestedPolicyVersion": 3}}).execute()
    assert list(policy) == ["version", "etag", "bindings"]
    policy["bindings"].append({"role": "roles/viewer", "members": ["user:viewer@example.net"]})
    after = projects.setIamPolicy(resource="demo-project", body={"policy": policy}).execute()
    assert after["bindings"] == policy["bindings"]
    asked = {"permissions": ["resourcemanager.projects.get"]}
    assert projects.testIamPermissions(resource="demo-project", body=asked).execute() == asked
    assert projects.testIamPermissions(resource="somebody-elses", body=asked).execute() == {}


def test_organisations(v1: Any) -> None:
    organizations = v1.organizations()
    found = organizations.search(body={"filter": "domain:example.com"}).execute()["organizations"]
    assert found == [organizations.get(name="organizations/1000").execute()]
    assert (found[0]["lifecycleState"], found[0]["displayName"]) == ("ACTIVE", "example.com")
    assert found[0]["owner"]["directoryCustomerId"].startswith("C0")
    assert organizations.search(body={"filter": "domain:example.org"}).execute() == {}
    assert organizations.getIamPolicy(resource="organizations/1000", body={}).execute()["bindings"]


def test_folders_of_v2(sandbox: Running) -> None:
    v2 = discovered("cloudresourcemanager", "v2", sandbox)
    folders = v2.folders()
    started = folders.create(parent="organizations/1000", body={"displayName": "Second"}).execute()
    assert started["metadata"] == {
        "@type": "type.googleapis.com/google.cloud.resourcemanager.v2.FolderOperation",
        "displayName": "Second",
        "operationType": "CREATE",
        "destinationParent": "organizations/1000",
    }
    made = v2.operations().get(name=started["name"]).execute()["response"]
    assert list(made) == ["@type", "name", "parent", "displayName", "lifecycleState", "createTime"]
    name = made["name"]
    assert folders.get(name=name).execute() == {field: value for field, value in made.items() if field != "@type"}
    assert folders.patch(name=name, updateMask="displayName", body={"displayName": "2nd"}).execute()["displayName"] == "2nd"
    assert [one["name"] for one in folders.list(parent="organizations/1000").execute()["folders"]] == [name, "folders/1001"]
    assert folders.search(body={"query": "displayName=2nd"}).execute()["folders"][0]["name"] == name
    moving = folders.move(name=name, body={"destinationParent": "folders/1001"}).execute()
    assert moving["metadata"]["sourceParent"] == "organizations/1000"
    assert folders.delete(name=name).execute()["lifecycleState"] == "DELETE_REQUESTED"
    with refused(400, "FAILED_PRECONDITION", "Precondition check failed."):
        folders.delete(name=name).execute()
    assert folders.undelete(name=name, body={}).execute()["lifecycleState"] == "ACTIVE"
    assert folders.getIamPolicy(resource=name, body={}).execute() == {"etag": "ACAB"}


def test_operations_of_v1_and_v2_can_be_polled_over_grpc(v1: Any, sandbox: Running) -> None:
    projects = grpc_client(rm.ProjectsClient, sandbox)

    def poll(name: str) -> Any:
        return projects.get_operation(operations_pb2.GetOperationRequest(name=name))

    done = make(v1, "polled-project")
    operation = poll(done["name"])
    assert operation.done
    assert operation.response.type_url.endswith("google.cloudresourcemanager.v1.Project")
    assert b"polled-project" in operation.response.value
    folder = send(sandbox, "POST", "/v2/folders?parent=organizations/1000", {"displayName": "Polled"}).data
    assert poll(folder["name"]).response.type_url.endswith("google.cloud.resourcemanager.v2.Folder")


def test_fault_inside_a_v1_creation(v1: Any, sandbox: Running) -> None:
    sandbox.control("faults", {"method": "CreateProject", "code": "RESOURCE_EXHAUSTED", "when": "operation", "message": "no"})
    assert make(v1, "failing-project")["error"] == {"code": 8, "message": "no"}
    assert make(v1, "failing-project")["response"]["projectId"] == "failing-project"
