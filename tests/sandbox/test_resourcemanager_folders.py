"""Resource Manager v3, folders and organisations, by Google's clients over both transports."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, Forbidden
from google.cloud import resourcemanager_v3 as rm
from google.protobuf.field_mask_pb2 import FieldMask

from .clients import async_client, bearer, grpc_client, refused, rest_client
from .conftest import Running
from .wire import send

ORGANISATION, ENGINEERING = "organizations/1000", "folders/1001"


@pytest.fixture(params=["grpc", "rest"])
def transport(request: pytest.FixtureRequest) -> Any:
    return grpc_client if request.param == "grpc" else rest_client


@pytest.fixture
def folders(transport: Any, sandbox: Running) -> Any:
    return transport(rm.FoldersClient, sandbox)


def make(folders: Any, name: str, parent: str = ENGINEERING, caller: str = "owner@example.com") -> Any:
    folder = rm.Folder(display_name=name, parent=parent)
    return folders.create_folder(folder=folder, metadata=bearer(caller)).result(timeout=60)


def rename(folders: Any, folder: str, name: str, mask: str = "display_name", etag: str = "") -> Any:
    wanted = rm.Folder(name=folder, display_name=name, etag=etag)
    return folders.update_folder(folder=wanted, update_mask=FieldMask(paths=[mask] if mask else [])).result(timeout=60)


def test_a_folder_is_made_renamed_moved_deleted_and_brought_back(folders: Any) -> None:
    made = make(folders, "Team A")
    assert (made.display_name, made.parent, made.state.name) == ("Team A", ENGINEERING, "ACTIVE")
    assert folders.get_folder(name=made.name) == made
    renamed = rename(folders, made.name, "Team B", etag=made.etag)
    assert (renamed.display_name, renamed.etag == made.etag) == ("Team B", False)
    with refused(Conflict, "etag"):
        rename(folders, made.name, "Team C", etag=made.etag)
    moved = folders.move_folder(name=made.name, destination_parent=ORGANISATION).result(timeout=60)
    assert moved.parent == ORGANISATION
    for _ in range(2):  # the second time it changes nothing (documented)
        gone = folders.delete_folder(name=made.name).result(timeout=60)
        assert (gone.state.name, gone.delete_time is not None) == ("DELETE_REQUESTED", True)
    for _ in range(2):
        back = folders.undelete_folder(name=made.name).result(timeout=60)
        assert (back.state.name, back.delete_time) == ("ACTIVE", None)


async def test_the_asyncio_clients(sandbox: Running) -> None:
    folders = async_client(rm.FoldersAsyncClient, sandbox)
    started = await folders.create_folder(folder=rm.Folder(display_name="Async", parent=ENGINEERING))
    made = await started.result(timeout=60)
    assert made in [folder async for folder in await folders.list_folders(parent=ENGINEERING)]
    organizations = async_client(rm.OrganizationsAsyncClient, sandbox)
    assert [found.name async for found in await organizations.search_organizations()] == [ORGANISATION]


def test_a_purged_folder_is_gone(folders: Any, sandbox: Running) -> None:
    made = make(folders, "Short-lived")
    folders.delete_folder(name=made.name).result(timeout=60)
    sandbox.control("clock", {"advance": "31d"})
    with refused(
        Forbidden, f"'resourcemanager.folders.get' denied on resource '//cloudresourcemanager.googleapis.com/{made.name}'"
    ):
        folders.get_folder(name=made.name)


@pytest.mark.parametrize("name", ["", "-start", "end_", "x" * 31, "semi;colon"])
def test_bad_display_names_are_refused(folders: Any, name: str) -> None:
    with refused(BadRequest, "field [display_name] has issue"):
        make(folders, name)


def test_siblings_have_different_names(folders: Any) -> None:
    first = make(folders, "Twins")
    with refused(BadRequest, "A folder with the display name 'Twins' exists"):
        make(folders, "Twins")
    other = make(folders, "Twins", ORGANISATION)
    with refused(BadRequest, "A folder with the display name 'Twins' exists"):
        folders.move_folder(name=other.name, destination_parent=ENGINEERING)
    folders.delete_folder(name=first.name).result(timeout=60)
    again = make(folders, "Twins")
    with refused(BadRequest, "A folder with the display name 'Twins' exists"):
        folders.undelete_folder(name=first.name)
    assert rename(folders, again.name, "Twins").display_name == "Twins"


def test_ten_levels_are_the_most(folders: Any) -> None:
    parent = ENGINEERING
    for level in range(2, 11):
        parent = make(folders, f"Level {level}", parent).name
    with refused(BadRequest, "levels deep"):
        make(folders, "Level 11", parent)
    above = make(folders, "Above", ORGANISATION)
    with refused(BadRequest, "levels deep"):
        folders.move_folder(name=ENGINEERING, destination_parent=above.name)


def test_a_folder_does_not_go_below_itself(folders: Any) -> None:
    child = make(folders, "Child")
    for place in (ENGINEERING, child.name):
        with refused(BadRequest, "below itself"):
            folders.move_folder(name=ENGINEERING, destination_parent=place)


def test_only_an_empty_folder_is_deleted(folders: Any) -> None:
    with refused(BadRequest, "The folder is not empty."):
        folders.delete_folder(name=ENGINEERING)


def test_nothing_is_made_in_a_deleted_folder(folders: Any, transport: Any, sandbox: Running) -> None:
    gone = make(folders, "Gone")
    folders.delete_folder(name=gone.name).result(timeout=60)
    with refused(BadRequest, "is not active"):
        make(folders, "Inside", gone.name)
    with refused(BadRequest, "is not active"):
        transport(rm.ProjectsClient, sandbox).create_project(project=rm.Project(project_id="inside-gone", parent=gone.name))
    with refused(BadRequest):
        rename(folders, gone.name, "Ghost")


@pytest.mark.parametrize("mask", ["parent", "display_name,parent"])
def test_the_mask_names_the_display_name_alone(folders: Any, mask: str) -> None:
    with refused(BadRequest, "update mask"):
        rename(folders, ENGINEERING, "Other", mask)


def test_without_a_mask_the_display_name_is_meant(folders: Any) -> None:
    assert rename(folders, ENGINEERING, "Other", "").display_name == "Other"


def test_everything_needs_its_permission(folders: Any) -> None:
    stranger = bearer("stranger@example.net")
    for call, permission in (
        (lambda: folders.get_folder(name=ENGINEERING, metadata=stranger), "get"),
        (lambda: list(folders.list_folders(parent=ENGINEERING, metadata=stranger)), "list"),
        (lambda: make(folders, "Mine", caller="stranger@example.net"), "create"),
        (lambda: folders.delete_folder(name=ENGINEERING, metadata=stranger), "delete"),
        (lambda: folders.undelete_folder(name=ENGINEERING, metadata=stranger), "undelete"),
        (lambda: folders.get_iam_policy(resource=ENGINEERING, metadata=stranger), "getIamPolicy"),
    ):
        with refused(Forbidden, f"'resourcemanager.folders.{permission}' denied", reason="IAM_PERMISSION_DENIED"):
            call()
    assert not list(folders.search_folders(metadata=stranger))


def test_listing_and_searching(folders: Any) -> None:
    names = ["Zeta team", "Alpha team", "Alpha squad"]
    made = {name: make(folders, name).name for name in names}
    listed = [folder.display_name for folder in folders.list_folders(parent=ENGINEERING)]
    assert listed == sorted(names)
    assert [folder.display_name for folder in folders.list_folders(parent=ORGANISATION)] == ["Engineering"]
    folders.delete_folder(name=made["Zeta team"]).result(timeout=60)

    def search(query: str) -> set[str]:
        return {folder.display_name for folder in folders.search_folders(query=query)}

    assert search("") == {*names, "Engineering"}
    assert search("displayName=Alpha*") == {"Alpha team", "Alpha squad"}
    assert search('displayName="squad alpha"') == {"Alpha squad"}  # all the words, in any order (documented)
    assert search("displayName=Alph") == set()
    assert search("state=ACTIVE AND parent=folders/1001") == {"Alpha team", "Alpha squad"}
    assert search("state:ACTIVE parent:folders/1001") == {"Alpha team", "Alpha squad"}
    assert search("lifecycleState=DELETE_REQUESTED") == {"Zeta team"}
    assert search(f"NOT parent={ENGINEERING}") == {"Engineering"}
    with refused(BadRequest, "Invalid query"):
        search("size>3")
    assert "Zeta team" not in {folder.display_name for folder in folders.list_folders(parent=ENGINEERING)}
    request = {"parent": ENGINEERING, "show_deleted": True, "page_size": 2}
    assert [len(page.folders) for page in folders.list_folders(request).pages] == [2, 1]


def test_operations_of_folders_are_answered_as_recorded(sandbox: Running) -> None:
    started = send(sandbox, "POST", "/v3/folders", {"displayName": "Recorded", "parent": ENGINEERING}).data
    assert list(started) == ["name"]
    done = send(sandbox, "GET", f"/v1/{started['name']}").data
    assert list(done) == ["name", "done", "response"]
    assert done["response"]["@type"] == "type.googleapis.com/google.cloud.resourcemanager.v3.Folder"
    moving = send(sandbox, "POST", f"/v3/{done['response']['name']}:move", {"destinationParent": ORGANISATION}).data
    assert moving["metadata"] == {"@type": "type.googleapis.com/google.cloud.resourcemanager.v3.MoveFolderMetadata"}


@pytest.mark.parametrize("name", ["folders/404", "organizations/404"])
def test_what_is_missing_is_denied(sandbox: Running, transport: Any, name: str) -> None:
    kind = name.split("/")[0]
    with refused(Forbidden, f"'resourcemanager.{kind}.get' denied", "(or it may not exist)"):
        if kind == "folders":
            transport(rm.FoldersClient, sandbox).get_folder(name=name)
        else:
            transport(rm.OrganizationsClient, sandbox).get_organization(name=name)


def test_organisations(sandbox: Running, transport: Any) -> None:
    organizations = transport(rm.OrganizationsClient, sandbox)
    found = organizations.get_organization(name=ORGANISATION)
    assert (found.display_name, found.state.name) == ("example.com", "ACTIVE")
    assert found.directory_customer_id.startswith("C0")
    for query in ("", "domain:example.com", "domain:EXAMPLE.com", f"directoryCustomerId:{found.directory_customer_id}"):
        assert list(organizations.search_organizations(query=query)) == [found]
    for query in ("domain:example.org", "directoryCustomerId:C0000"):
        assert not list(organizations.search_organizations(query=query))
    assert not list(organizations.search_organizations(metadata=bearer("stranger@example.net")))
    with refused(BadRequest, "Invalid query"):
        list(organizations.search_organizations(query="colour:red"))
    with refused(Forbidden, "'resourcemanager.organizations.get' denied"):
        organizations.get_organization(name=ORGANISATION, metadata=bearer("stranger@example.net"))
    with refused(BadRequest, "field [name] has issue"):
        organizations.get_organization(name="organizations/example.com")
