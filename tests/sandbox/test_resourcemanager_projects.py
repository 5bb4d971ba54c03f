"""Resource Manager v3, projects: made, changed, moved, deleted and brought back by Google's client over both transports."""

from __future__ import annotations

import re
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, Forbidden, TooManyRequests
from google.cloud import resourcemanager_v3 as rm
from google.protobuf.field_mask_pb2 import FieldMask

from .clients import async_client, bearer, finished, grpc_client, refused, rest_client
from .conftest import Running
from .wire import send

DEMO = "projects/demo-project"
NUMBER = "projects/100000000001"


@pytest.fixture(params=["grpc", "rest"])
def projects(request: pytest.FixtureRequest, sandbox: Running) -> Any:
    client = grpc_client if request.param == "grpc" else rest_client
    return client(rm.ProjectsClient, sandbox)


def make(projects: Any, project_id: str, caller: str = "owner@example.com", **fields: Any) -> Any:
    project = rm.Project(project_id=project_id, **({"parent": "folders/1001"} | fields))
    started = projects.create_project(project=project, metadata=bearer(caller))
    return finished(started, projects, rm.Project, bearer(caller))


def test_a_project_is_found_by_id_and_by_number(projects: Any) -> None:
    by_id = projects.get_project(name=DEMO)
    assert by_id == projects.get_project(name=NUMBER)
    assert (by_id.name, by_id.project_id, by_id.parent) == (NUMBER, "demo-project", "folders/1001")
    assert (by_id.display_name, by_id.state.name) == ("Demo project", "ACTIVE")
    assert by_id.update_time == by_id.create_time
    assert re.fullmatch(r'W/"[0-9a-f]{16}"', by_id.etag)


@pytest.mark.parametrize("name", ["projects/no-such-project", "projects/somebody-elses", "projects/9"])
def test_a_missing_project_and_one_without_access_look_the_same(projects: Any, name: str) -> None:
    words = f"Permission 'resourcemanager.projects.get' denied on resource '//cloudresourcemanager.googleapis.com/{name}'"
    with refused(Forbidden, words, "(or it may not exist)", reason="IAM_PERMISSION_DENIED") as caught:
        projects.get_project(name=name)
    assert caught.value.metadata == {"permission": "resourcemanager.projects.get", "resource": name}


def test_creation_is_an_operation_that_ends_with_the_project(projects: Any) -> None:
    project = rm.Project(
        project_id="tokyo-rain-123", display_name="Tokyo rain", parent="organizations/1000", labels={"color": "red"}
    )
    started = projects.create_project(project=project)
    assert re.fullmatch(r"operations/cp\.\d{19}", started.operation.name)
    assert not started.operation.done
    made = started.result(timeout=60)
    assert (made.project_id, made.display_name, made.parent) == ("tokyo-rain-123", "Tokyo rain", "organizations/1000")
    assert dict(made.labels) == {"color": "red"}
    assert (started.metadata.gettable, started.metadata.ready) == (True, True)
    assert projects.get_project(name=made.name) == made


async def test_the_asyncio_client_makes_and_searches(sandbox: Running) -> None:
    projects = async_client(rm.ProjectsAsyncClient, sandbox)
    started = await projects.create_project(project=rm.Project(project_id="async-project", parent="folders/1001"))
    made = await started.result(timeout=60)
    found = [project async for project in await projects.search_projects(query="id:async-project")]
    assert found == [made]


def test_creation_over_rest_is_answered_as_recorded(sandbox: Running) -> None:
    started = send(sandbox, "POST", "/v3/projects", {"projectId": "recorded-one", "parent": "folders/1001"}).data
    assert list(started) == ["name"]
    done = send(sandbox, "GET", f"/v3/{started['name']}").data
    assert send(sandbox, "GET", f"/v1/{started['name']}").data == done
    assert done["metadata"]["@type"] == "type.googleapis.com/google.cloud.resourcemanager.v3.CreateProjectMetadata"
    assert list(done["response"]) == [
        *("@type", "name", "parent", "projectId", "state", "displayName", "createTime", "updateTime", "etag"),
    ]


def test_the_creator_owns_the_project_and_nobody_else_sees_it(projects: Any) -> None:
    make(projects, "my-own-project", "boss@example.net", parent="")
    policy = projects.get_iam_policy(resource="projects/my-own-project", metadata=bearer("boss@example.net"))
    assert [(binding.role, list(binding.members)) for binding in policy.bindings] == [
        ("roles/owner", ["user:boss@example.net"])
    ]
    with refused(Forbidden):
        projects.get_project(name="projects/my-own-project", metadata=bearer("other@example.net"))


@pytest.mark.parametrize(
    ("project_id", "issue"),
    [
        ("short", "at least 6"),
        ("x" * 31, "at most 30"),
        ("Upper-case", "contains invalid characters"),
        ("1-digit-first", "contains invalid characters"),
        ("hyphen-last-", "contains invalid characters"),
        ("under_score", "contains invalid characters"),
        ("my-google-project", "contains prohibited words"),
        ("", "at least 6"),
    ],
)
def test_bad_project_ids_are_refused_at_once(projects: Any, project_id: str, issue: str) -> None:
    with refused(BadRequest, "field [project_id] has issue [project_id", issue):
        make(projects, project_id)


@pytest.mark.parametrize(
    ("name", "issue"),
    [("abc", "at least 4 characters"), ("x" * 31, "must be at most 30 characters"), ("semi;colon", "invalid characters")],
)
def test_bad_display_names_are_refused(projects: Any, name: str, issue: str) -> None:
    with refused(BadRequest, "field [display_name] has issue [project display name", issue):
        make(projects, "named-project", display_name=name)


@pytest.mark.parametrize("labels", [{"Upper": "x"}, {"k": "UPPER"}, {"1st": "x"}, {f"k{n}": "v" for n in range(65)}])
def test_bad_labels_are_refused(projects: Any, labels: dict[str, str]) -> None:
    with refused(BadRequest, "field [labels] has issue"):
        make(projects, "labelled-project", labels=labels)


def test_a_name_may_not_be_set_at_creation(projects: Any) -> None:
    with refused(BadRequest, "field [project.name] has issue [field should not be set for new projects]"):
        make(projects, "renamed-project", name="projects/1")


def test_an_id_is_given_once_in_the_whole_cloud(projects: Any) -> None:
    for taken in ("demo-project", "somebody-elses"):
        with refused(Conflict, "Requested entity already exists"):
            make(projects, taken)


def test_an_id_is_never_given_again_even_after_purge(projects: Any, sandbox: Running) -> None:
    made = make(projects, "short-lived-1")
    projects.delete_project(name=made.name).result(timeout=60)
    with refused(Conflict, "Requested entity already exists"):
        make(projects, "short-lived-1")
    sandbox.control("clock", {"advance": "29d"})
    assert projects.get_project(name=made.name).state.name == "DELETE_REQUESTED"
    sandbox.control("clock", {"advance": "2d"})
    for name in (made.name, "projects/short-lived-1"):
        with refused(Forbidden):
            projects.get_project(name=name)
    assert not list(projects.search_projects(query="id:short-lived-1"))
    with refused(Conflict, "Requested entity already exists"):
        make(projects, "short-lived-1")


def test_what_a_purged_project_held_is_gone_with_it(sandbox: Running) -> None:
    from google.cloud import api_keys_v2

    projects, keys = grpc_client(rm.ProjectsClient, sandbox), grpc_client(api_keys_v2.ApiKeysClient, sandbox)
    parent = f"{make(projects, 'doomed-project').name}/locations/global"
    key = keys.create_key(parent=parent, key=api_keys_v2.Key(display_name="doomed")).result(timeout=60)
    projects.delete_project(name="projects/doomed-project").result(timeout=60)
    assert keys.lookup_key(request={"key_string": key.key_string}).parent == parent
    sandbox.control("clock", {"advance": "31d"})
    with refused(Forbidden):
        keys.lookup_key(request={"key_string": key.key_string})
    number = parent.split("/")[1]
    owner = {"roles/owner": ["user:owner@example.com"]}
    sandbox.control("seed", {"projects": [{"projectId": "doomed-project", "projectNumber": number, "iam": owner}]})
    assert not list(keys.list_keys(request={"parent": parent, "show_deleted": True}))


def test_the_parent_must_let_one_create(projects: Any) -> None:
    words = "Permission 'resourcemanager.projects.create' denied on parent resource 'folders/1001'."
    with refused(Forbidden, words, reason="IAM_PERMISSION_DENIED"):
        make(projects, "intruding-project", "intruder@example.net")
    with refused(Forbidden, "denied on parent resource 'folders/404'"):
        make(projects, "homeless-project", parent="folders/404")
    with refused(BadRequest, "field [parent] has issue"):
        make(projects, "homeless-project", parent="projects/demo-project")


def test_without_a_parent_a_project_comes_under_the_callers_own_organisation(projects: Any) -> None:
    assert make(projects, "company-project", parent="").parent == "organizations/1000"
    assert make(projects, "private-project", "someone@example.net", parent="").parent == ""
    with refused(Forbidden, "denied on parent resource 'organizations/1000'"):
        make(projects, "intern-project", "intern@example.com", parent="")


def test_service_accounts_must_name_a_parent(projects: Any, sandbox: Running) -> None:
    on = {"projectId": "demo-project", "services": ["cloudresourcemanager.googleapis.com"]}  # the robot's project pays
    sandbox.control("seed", {"projects": [on]})
    with refused(Forbidden, "Service accounts cannot create projects without a parent."):
        make(projects, "robot-project", "robot@demo-project.iam.gserviceaccount.com", parent="")


def test_over_quota_the_operation_fails(projects: Any, sandbox: Running) -> None:
    make(projects, "first-project")
    sandbox.control("quota", {"projects": 2})
    make(projects, "second-project")
    project = rm.Project(project_id="third-project", parent="folders/1001")
    started = projects.create_project(project=project)
    with refused(TooManyRequests, "you have exceeded your allotted project quota") as caught:
        started.result(timeout=60)
    assert caught.value.code == 429
    assert started.metadata.ready
    assert not started.metadata.gettable
    with refused(Forbidden):
        projects.get_project(name="projects/third-project")
    make(projects, "others-project", "someone@example.net", parent="")
    sandbox.control("quota", {"projects": None})
    make(projects, "third-project")


def test_a_creation_can_be_made_to_fail_inside_its_operation(projects: Any, sandbox: Running) -> None:
    sandbox.control("faults", {"method": "CreateProject", "code": "INTERNAL", "when": "operation", "message": "no disk"})
    started = projects.create_project(project=rm.Project(project_id="failing-project", parent="folders/1001"))
    with refused(Exception, "no disk"):  # type: ignore[arg-type]
        started.result(timeout=60)
    make(projects, "failing-project")


def update(projects: Any, mask: str | None, **fields: Any) -> Any:
    request: dict[str, Any] = {"project": {"name": fields.pop("name", DEMO), **fields}}
    if mask is not None:
        request["update_mask"] = FieldMask(paths=[mask])
    return projects.update_project(request=request).result(timeout=60)


def test_a_project_is_renamed_by_id_and_its_etag_changes(projects: Any) -> None:
    before = projects.get_project(name=DEMO)
    after = update(projects, "display_name", display_name="Renamed", labels={"not": "masked"})
    assert (after.display_name, dict(after.labels), after.name) == ("Renamed", {}, NUMBER)
    assert after.etag != before.etag
    assert after.update_time > before.update_time == before.create_time
    assert projects.get_project(name=DEMO) == after


def test_labels_are_replaced_and_cleared_by_mask_only(projects: Any) -> None:
    assert dict(update(projects, "labels", labels={"a": "1", "b": ""}).labels) == {"a": "1", "b": ""}
    kept = update(projects, None, display_name="No mask")
    assert (kept.display_name, dict(kept.labels)) == ("No mask", {"a": "1", "b": ""})
    cleared = update(projects, "labels")
    assert (cleared.display_name, dict(cleared.labels)) == ("No mask", {})


@pytest.mark.parametrize("mask", ["project_id", "state", "parent", "display_name.x", "nonsense"])
def test_other_fields_cannot_be_updated(projects: Any, mask: str) -> None:
    with refused(BadRequest, "cannot be updated"):
        update(projects, mask, display_name="Whatever")


def test_an_old_etag_stops_an_update(projects: Any) -> None:
    etag = projects.get_project(name=DEMO).etag
    update(projects, "display_name", display_name="Once", etag=etag)
    with refused(Conflict, "etag"):
        update(projects, "display_name", display_name="Twice", etag=etag)


def test_updating_needs_its_permission(projects: Any, sandbox: Running) -> None:
    sandbox.control("seed", {"projects": [{"projectId": "demo-project", "iam": {"roles/viewer": ["user:viewer@example.net"]}}]})
    with refused(Forbidden, "'resourcemanager.projects.update' denied"):
        projects.update_project(
            request={"project": {"name": DEMO, "display_name": "Mine now"}}, metadata=bearer("viewer@example.net")
        )


def test_a_deleted_project_stays_to_be_seen_and_can_be_brought_back(projects: Any) -> None:
    gone = projects.delete_project(name=DEMO).result(timeout=60)
    assert (gone.state.name, gone.name) == ("DELETE_REQUESTED", NUMBER)
    assert gone.delete_time == gone.update_time
    for change in (lambda: projects.delete_project(name=DEMO), lambda: update(projects, "display_name", display_name="Ghost")):
        with refused(BadRequest):
            change()
    back = projects.undelete_project(name=DEMO).result(timeout=60)
    assert (back.state.name, back.delete_time) == ("ACTIVE", None)
    with refused(BadRequest, "Precondition check failed."):
        projects.undelete_project(name=DEMO)


def test_a_suspended_project_is_shown_as_active_and_cannot_pay(projects: Any) -> None:
    assert projects.get_project(name="projects/suspended-project").state.name == "ACTIVE"
    paying = [("x-goog-user-project", "suspended-project")]
    with refused(Forbidden, "has been suspended", reason="CONSUMER_SUSPENDED"):
        projects.get_project(name=DEMO, metadata=paying)


def test_a_deleted_project_cannot_pay(projects: Any) -> None:
    projects.delete_project(name="projects/old-maps-site").result(timeout=60)
    with refused(Forbidden, "has been deleted", reason="CONSUMER_INVALID"):
        projects.get_project(name=DEMO, metadata=[("x-goog-user-project", "old-maps-site")])


def test_a_suspended_project_that_is_brought_back_is_still_suspended(projects: Any) -> None:
    name = "projects/suspended-project"
    projects.delete_project(name=name).result(timeout=60)
    projects.undelete_project(name=name).result(timeout=60)
    with refused(Forbidden, reason="CONSUMER_SUSPENDED"):
        projects.get_project(name=DEMO, metadata=[("x-goog-user-project", "suspended-project")])


def test_moving_needs_the_permission_on_both_parents(projects: Any, sandbox: Running) -> None:
    moved = projects.move_project(name=DEMO, destination_parent="organizations/1000").result(timeout=60)
    assert moved.parent == "organizations/1000"
    assert "demo-project" in [project.project_id for project in projects.list_projects(parent="organizations/1000")]
    seed = {
        "organizations": [{"name": "organizations/2000", "displayName": "example.org"}],
        "folders": [{"name": "folders/2001", "displayName": "Theirs", "parent": "organizations/2000"}],
    }
    sandbox.control("seed", seed)
    with refused(Forbidden, "'resourcemanager.projects.move' denied", "folders/2001"):
        projects.move_project(name=DEMO, destination_parent="folders/2001")
    with refused(BadRequest, "field [destination_parent] has issue"):
        projects.move_project(name=DEMO, destination_parent="")


def test_listing_shows_direct_children_by_display_name(projects: Any) -> None:
    make(projects, "zebra-project", display_name="A first one")
    names = [project.display_name for project in projects.list_projects(parent="folders/1001")]
    assert names == sorted(names)
    assert names[0] == "A first one"
    assert not list(projects.list_projects(parent="organizations/1000"))
    projects.delete_project(name="projects/zebra-project").result(timeout=60)
    assert "A first one" not in [project.display_name for project in projects.list_projects(parent="folders/1001")]
    deleted = projects.list_projects(request={"parent": "folders/1001", "show_deleted": True})
    assert next(project.state.name for project in deleted) == "DELETE_REQUESTED"


def test_listing_needs_a_parent_and_its_permission(projects: Any) -> None:
    with refused(BadRequest, "field [parent] has issue"):
        list(projects.list_projects())
    with refused(Forbidden, "'resourcemanager.projects.list' denied", "folders/1001"):
        list(projects.list_projects(parent="folders/1001", metadata=bearer("stranger@example.net")))


def test_listing_goes_on_from_page_to_page(projects: Any) -> None:
    whole = [project.project_id for project in projects.list_projects(parent="folders/1001")]
    pages = list(projects.list_projects(request={"parent": "folders/1001", "page_size": 3}).pages)
    assert [len(page.projects) for page in pages] == [3, 1]
    assert [project.project_id for page in pages for project in page.projects] == whole
    with refused(BadRequest, "page token"):
        list(projects.list_projects(request={"parent": "organizations/1000", "page_token": pages[0].next_page_token}))


def test_seeds_may_carry_labels_and_the_time_of_deletion(sandbox: Running) -> None:
    old = {"projectId": "old-seeded", "state": "DELETE_REQUESTED", "createTime": "2020-01-01T00:00:00Z"}
    now = sandbox.control("")["now"]
    sandbox.control(
        "seed",
        {
            "projects": [
                old | {"deleteTime": now, "labels": {"team": "red"}, "iam": {"roles/owner": ["user:owner@example.com"]}},
                old | {"projectId": "long-gone", "deleteTime": "2020-02-01T00:00:00Z"},
            ]
        },
    )
    projects = grpc_client(rm.ProjectsClient, sandbox)
    seeded = projects.get_project(name="projects/old-seeded")
    assert (dict(seeded.labels), seeded.state.name) == ({"team": "red"}, "DELETE_REQUESTED")
    assert seeded.delete_time.isoformat()[:19] == now[:19]
    with refused(Conflict):
        make(projects, "long-gone")


@pytest.mark.parametrize("labels", [{"team": 1}, {"Team": "red"}, ["team"]])
def test_seeds_with_bad_labels_are_refused_with_their_place(sandbox: Running, labels: Any) -> None:
    answer = send(sandbox, "POST", "/_sandbox/seed", {"projects": [{"projectId": "demo-project", "labels": labels}]})
    assert answer.status == 400
    assert "projects[0].labels" in answer.data["error"]["message"]
