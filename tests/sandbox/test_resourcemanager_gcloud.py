"""The unmodified gcloud command against the sandbox: projects, organisations, folders and their policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .clients import Gcloud
from .conftest import Running


@pytest.fixture
def gcloud(sandbox: Running, tmp_path: Path) -> Gcloud:
    return Gcloud(sandbox, tmp_path)


def answer(gcloud: Gcloud, *words: str) -> Any:
    """What a command that succeeds prints, as JSON."""
    done = gcloud(*words, "--format=json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def failure(gcloud: Gcloud, *words: str) -> str:
    """What a command that fails says."""
    done = gcloud(*words)
    assert done.returncode == 1, done.stdout
    return done.stderr


def test_projects_are_listed_with_filters_and_described(gcloud: Gcloud) -> None:
    ids = {project["projectId"] for project in answer(gcloud, "projects", "list")}
    assert ids == {"crowded-project", "demo-project", "old-maps-site", "suspended-project"}
    found = answer(gcloud, "projects", "list", "--filter=projectId:demo* AND NOT name:nothing", "--page-size=1")
    assert [project["projectId"] for project in found] == ["demo-project"]
    assert answer(gcloud, "projects", "list", "--filter=lifecycleState:DELETE_REQUESTED") == []
    assert answer(gcloud, "projects", "describe", "100000000001") == found[0]


def test_a_project_is_made_renamed_deleted_and_brought_back(gcloud: Gcloud) -> None:
    made = answer(gcloud, "projects", "create", "gc-project-1", "--folder=1001", "--name=Made here", "--labels=a=b")
    assert (made["name"], made["labels"], made["parent"]) == ("Made here", {"a": "b"}, {"type": "folder", "id": "1001"})
    changed = answer(gcloud, "projects", "update", "gc-project-1", "--name=Renamed")
    assert (changed["name"], changed["labels"]) == ("Renamed", {"a": "b"})
    assert "already in use by another project" in failure(gcloud, "projects", "create", "gc-project-1")
    assert gcloud("projects", "delete", "gc-project-1").returncode == 0
    assert answer(gcloud, "projects", "describe", "gc-project-1")["lifecycleState"] == "DELETE_REQUESTED"
    assert gcloud("projects", "undelete", "gc-project-1").returncode == 0
    assert answer(gcloud, "projects", "describe", "gc-project-1")["lifecycleState"] == "ACTIVE"


def test_refusals(gcloud: Gcloud, sandbox: Running, tmp_path: Path) -> None:
    said = failure(gcloud, "projects", "describe", "no-such-project")
    assert "(or it may not exist): The caller does not have permission" in said
    assert "project_id contains prohibited words" in failure(gcloud, "projects", "create", "my-google-app")
    sandbox.control("quota", {"projects": 0})
    assert "exceeded your allotted project quota" in failure(gcloud, "projects", "create", "one-too-many")
    stranger = Gcloud(sandbox, tmp_path, "stranger@example.net")
    assert answer(stranger, "projects", "list") == []


def test_policies(gcloud: Gcloud) -> None:
    member, role = "--member=user:guest@example.net", "--role=roles/browser"
    until = "--condition=title=till then,expression=request.time < timestamp('2099-01-01T00:00:00Z')"
    assert len(answer(gcloud, "projects", "add-iam-policy-binding", "demo-project", member, role, until)["bindings"]) == 2
    added = answer(
        gcloud, "projects", "add-iam-policy-binding", "demo-project", member, "--role=roles/viewer", "--condition=None"
    )
    assert added["version"] == 3
    assert answer(gcloud, "projects", "get-iam-policy", "demo-project") == added
    removed = answer(gcloud, "projects", "remove-iam-policy-binding", "demo-project", member, role, "--all")
    assert [binding["role"] for binding in removed["bindings"]] == ["roles/owner", "roles/viewer"]
    assert "is not supported for this resource" in failure(
        gcloud, "projects", "add-iam-policy-binding", "demo-project", member, "--role=roles/iam.nonsense"
    )
    everybody = failure(gcloud, "projects", "add-iam-policy-binding", "demo-project", "--member=allUsers", role)
    assert 'Policy members must be of the form "<type>:<value>".' in everybody
    assert "PROJECT_SET_IAM_DISALLOWED_MEMBER_TYPE" in everybody


def test_what_lies_above(gcloud: Gcloud) -> None:
    ancestors = answer(gcloud, "projects", "get-ancestors", "demo-project")
    assert [one["type"] for one in ancestors] == ["project", "folder", "organization"]
    above = answer(gcloud, "projects", "get-ancestors-iam-policy", "demo-project")
    assert [one["type"] for one in above] == ["project", "folder", "organization"]
    organisations = answer(gcloud, "organizations", "list")
    assert [found["name"] for found in organisations] == ["organizations/1000"]
    assert answer(gcloud, "organizations", "describe", "example.com") == organisations[0]
    assert answer(gcloud, "organizations", "get-iam-policy", "1000")["bindings"]


def test_folders(gcloud: Gcloud) -> None:
    where = "--organization=1000"
    made = answer(gcloud, "resource-manager", "folders", "create", "--display-name=By gcloud", where)
    number = made["name"].removeprefix("folders/")
    listed = answer(gcloud, "resource-manager", "folders", "list", where)
    assert {folder["displayName"] for folder in listed} == {"By gcloud", "Engineering"}
    assert gcloud("resource-manager", "folders", "move", number, "--folder=1001").returncode == 0
    assert answer(gcloud, "resource-manager", "folders", "describe", number)["parent"] == "folders/1001"
    assert gcloud("resource-manager", "folders", "delete", number).returncode == 0
    assert gcloud("resource-manager", "folders", "undelete", number).returncode == 0


def test_commands_that_are_still_alpha_or_beta(gcloud: Gcloud) -> None:
    if gcloud("alpha", "projects", "list", "--help").returncode != 0:
        pytest.skip("gcloud's alpha commands are not installed")
    found = answer(gcloud, "alpha", "projects", "search", "--query=id:demo*")
    assert [project["name"] for project in found] == ["projects/100000000001"]
    listed = answer(gcloud, "alpha", "projects", "list", "--folder=1001")
    assert len(listed) == 4
    assert answer(gcloud, "alpha", "projects", "update", "demo-project", "--update-labels=a=b")["labels"] == {"a": "b"}
    moved = answer(gcloud, "beta", "projects", "move", "demo-project", "--organization=1000")
    assert moved["parent"] == {"type": "organization", "id": "1000"}
