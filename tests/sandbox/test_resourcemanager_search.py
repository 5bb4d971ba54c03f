"""Resource Manager v3, search: the query language, who sees what, pages over many projects, eventual consistency."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import resourcemanager_v3 as rm

from .clients import bearer, discovered, grpc_client, refused, rest_client
from .conftest import Running, start

OWNER = {"roles/owner": ["user:owner@example.com"]}
SEED = {
    "organizations": [{"name": "organizations/1", "displayName": "example.com", "iam": OWNER}],
    "folders": [{"name": "folders/11", "displayName": "Apps", "parent": "organizations/1"}],
    "projects": [
        {"projectId": "howl-one", "displayName": "Howl", "parent": "folders/11", "labels": {"color": "red", "size": "big"}},
        {"projectId": "howl-two", "displayName": "how long", "parent": "organizations/1", "labels": {"color": "blue"}},
        {"projectId": "percent-x", "displayName": "100% sure", "iam": OWNER, "state": "SUSPENDED"},
        {"projectId": "under-gone", "displayName": "Gone one", "parent": "folders/11", "state": "DELETE_REQUESTED"},
        {"projectId": "of-somebody", "displayName": "Howl", "iam": {"roles/owner": ["user:somebody@example.net"]}},
    ],
}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    import json

    path = tmp_path_factory.mktemp("seed") / "seed.json"
    path.write_text(json.dumps(SEED))
    running = start(seed=str(path))
    yield running
    running.stop()


@pytest.fixture(params=["grpc", "rest", "v1"])
def search(request: pytest.FixtureRequest, searched: Running) -> Callable[[str], set[str]]:
    """The ids of the projects that a query finds, by v3 over both transports and by v1's list."""
    if request.param == "v1":
        listing = discovered("cloudresourcemanager", "v1", searched).projects()
        return lambda query: {project["projectId"] for project in listing.list(filter=query).execute().get("projects", [])}
    client: Any = (grpc_client if request.param == "grpc" else rest_client)(rm.ProjectsClient, searched)
    return lambda query: {project.project_id for project in client.search_projects(query=query)}


EVERY = {"howl-one", "howl-two", "percent-x", "under-gone"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", EVERY),
        ("name:how*", {"howl-one", "howl-two"}),
        ("name:Howl", {"howl-one"}),
        ("name:HOWL", {"howl-one"}),
        ("NAME:howl", {"howl-one"}),
        ("displayName:*one", {"under-gone"}),
        ('displayName="how long"', {"howl-two"}),
        ("displayName:100%*", {"percent-x"}),
        ("displayName:100_*", set()),
        ("id:howl-one", {"howl-one"}),
        ("projectId:howl*", {"howl-one", "howl-two"}),
        ("id:HOWL-ONE", {"howl-one"}),
        ("labels.color:*", {"howl-one", "howl-two"}),
        ("labels.color:red", {"howl-one"}),
        ("labels.color:red labels.color:blue", {"howl-one", "howl-two"}),
        ("labels.color:blue labels.size:big", {"howl-one", "howl-two"}),
        ("labels:big", {"howl-one"}),
        ("labels:color", {"howl-one", "howl-two"}),
        ("state:ACTIVE", {"howl-one", "howl-two", "percent-x"}),
        ("state:DELETE_REQUESTED", {"under-gone"}),
        ("lifecycleState:ACTIVE", {"howl-one", "howl-two", "percent-x"}),
        ("lifecycleState:ACTIVE AND (id:howl* )", {"howl-one", "howl-two"}),
        ("parent:folders/11", {"howl-one", "under-gone"}),
        ("parent:organizations/*", {"howl-two"}),
        ("parent.type:folder", {"howl-one", "under-gone"}),
        ("parent.id:11", {"howl-one", "under-gone"}),
        ("parent.type:organization parent.id:11", set()),
        ("parent.type:folder parent.id:11", {"howl-one", "under-gone"}),
        ("state:ACTIVE AND parent=folders/11", {"howl-one"}),
        ("id:howl-one OR id:percent-x", {"howl-one", "percent-x"}),
        ("( id:howl-one OR id:percent-x ) AND NOT name:howl", {"percent-x"}),
        ("NOT (id=howl-one)", EVERY - {"howl-one"}),
        ("NOT parent.type:folder", {"howl-two", "percent-x"}),
        ("id!=howl-one", EVERY - {"howl-one"}),
        ("-labels.color:red", EVERY - {"howl-one"}),
        ("howl", {"howl-one", "howl-two"}),
        ("id:of-somebody", set()),
        ("id:'quo\\'te'", set()),
    ],
)
def test_queries(search: Callable[[str], set[str]], query: str, expected: set[str]) -> None:
    assert search(query) == expected


@pytest.mark.parametrize("query", ["(", "id:", "AND", "id:a AND", "shoe-size:44", ")", "id:a )", "(" * 300, "id>3"])
def test_queries_that_cannot_be_read_are_refused(searched: Running, query: str) -> None:
    for client in (grpc_client, rest_client):
        with refused(BadRequest, "Invalid query"):
            list(client(rm.ProjectsClient, searched).search_projects(query=query))


def test_everybody_finds_what_is_theirs(searched: Running) -> None:
    projects = grpc_client(rm.ProjectsClient, searched)
    found = projects.search_projects(query="name:howl", metadata=bearer("somebody@example.net"))
    assert [project.project_id for project in found] == ["of-somebody"]
    assert not list(projects.search_projects(metadata=bearer("nobody@example.net")))


def test_an_empty_page_has_no_field_at_all(searched: Running) -> None:
    from .wire import send

    assert send(searched, "GET", "/v3/projects:search?query=id:nothing-here").data == {}
    assert send(searched, "GET", "/v1/projects?filter=id:nothing-here").data == {}


def test_pages_over_many_projects(start_sandbox: Callable[..., Running]) -> None:
    sandbox = start_sandbox(
        {
            "organizations": [{"name": "organizations/1", "displayName": "example.com"}],
            "fleet": {"projects": 1201, "keysPerProject": 0, "parent": "organizations/1"},
        }
    )
    for client in (grpc_client(rm.ProjectsClient, sandbox), rest_client(rm.ProjectsClient, sandbox)):
        pages = list(client.search_projects(request={"page_size": 1000}).pages)
        assert [len(page.projects) for page in pages] == [500, 500, 201]  # a page holds 500 at most
        ids = [project.project_id for page in pages for project in page.projects]
        assert sorted(ids) == [f"fleet-{number:05}" for number in range(1201)]
        with refused(BadRequest, "page token"):
            list(client.search_projects(request={"query": "id:x", "page_token": pages[0].next_page_token}))
        with refused(BadRequest, "page token"):
            list(client.search_projects(request={"page_token": "bm9uc2Vuc2U"}))
        with refused(BadRequest, "page size"):
            list(client.search_projects(request={"page_size": -1}))


def test_a_page_skips_what_the_caller_may_not_see(start_sandbox: Callable[..., Running]) -> None:
    sandbox = start_sandbox({"fleet": {"projects": 130, "keysPerProject": 0}})
    seen = [f"fleet-{number:05}" for number in range(5, 130, 14)]
    guest = {"roles/viewer": ["user:guest@example.net"]}
    sandbox.control("seed", {"projects": [{"projectId": project_id, "iam": guest} for project_id in seen]})
    projects = grpc_client(rm.ProjectsClient, sandbox)
    pages = list(projects.search_projects(request={"page_size": 4}, metadata=bearer("guest@example.net")).pages)
    assert [len(page.projects) for page in pages] == [4, 4, 1]
    assert [project.project_id for page in pages for project in page.projects] == seen


def test_search_lags_behind_and_get_does_not(sandbox: Running) -> None:
    projects = grpc_client(rm.ProjectsClient, sandbox)
    sandbox.control("propagation", {"search": "60s"})
    projects.create_project(project=rm.Project(project_id="late-project", parent="folders/1001")).result(timeout=60)
    projects.update_project(project=rm.Project(name="projects/demo-project", display_name="Newer name")).result(timeout=60)
    projects.delete_project(name="projects/old-maps-site").result(timeout=60)

    def seen() -> dict[str, tuple[str, str]]:
        return {found.project_id: (found.display_name, found.state.name) for found in projects.search_projects()}

    assert projects.get_project(name="projects/late-project").project_id == "late-project"
    assert projects.get_project(name="projects/demo-project").display_name == "Newer name"
    listed = {found.project_id for found in projects.list_projects(parent="folders/1001")}
    assert "late-project" in listed
    assert "old-maps-site" not in listed
    before = seen()
    assert "late-project" not in before
    assert before["demo-project"] == ("Demo project", "ACTIVE")
    assert before["old-maps-site"] == ("Old maps site", "ACTIVE")
    assert not list(projects.search_projects(query='name:"Newer name"'))

    sandbox.control("clock", {"advance": "61s"})
    after = seen()
    assert after["late-project"] == ("late-project", "ACTIVE")
    assert after["demo-project"] == ("Newer name", "ACTIVE")
    assert after["old-maps-site"] == ("Old maps site", "DELETE_REQUESTED")


def test_v1_asked_for_one_parents_projects_does_not_lag(sandbox: Running) -> None:
    sandbox.control("propagation", {"search": "60s"})
    projects = grpc_client(rm.ProjectsClient, sandbox)
    projects.create_project(project=rm.Project(project_id="late-project", parent="folders/1001")).result(timeout=60)
    listing = discovered("cloudresourcemanager", "v1", sandbox).projects()
    by_parent = listing.list(filter="parent.type:folder parent.id:1001").execute()["projects"]
    assert "late-project" in [project["projectId"] for project in by_parent]
    assert "late-project" not in [project["projectId"] for project in listing.list().execute()["projects"]]
