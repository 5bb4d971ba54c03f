"""IAM v1, roles and permissions, through Google's own client over gRPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from google.cloud import api_keys_v2, iam_admin_v1
from google.cloud.iam_admin_v1 import Role, RoleView

from keyadmin.data import predefined_role_names

from .clients import async_client, bearer, grpc_client, refused
from .conftest import Running

DEMO = "projects/demo-project"
ORGANISATION = "organizations/1000"
FIVE = [
    "apikeys.keys.create",
    "iam.serviceAccountApiKeyBindings.create",
    "iam.serviceAccounts.create",
    "resourcemanager.projects.get",
    "serviceusage.services.enable",
]


@pytest.fixture
def client(sandbox: Running) -> Any:
    sandbox.control(
        "seed",
        {
            "organizations": [
                {"name": ORGANISATION, "iam": {"roles/iam.organizationRoleAdmin": ["user:owner@example.com"]}},
            ]
        },
    )
    return grpc_client(iam_admin_v1.IAMClient, sandbox)


def _create(client: Any, role_id: str = "keyMaker", parent: str = DEMO, **fields: Any) -> Any:
    role = {"title": "Key maker", "included_permissions": FIVE, "stage": "GA"} | fields
    return client.create_role(request={"parent": parent, "role_id": role_id, "role": role})


@pytest.mark.parametrize("parent", [DEMO, ORGANISATION])
def test_create_get_and_list(client: Any, parent: str) -> None:
    made = _create(client, parent=parent, description="makes keys", included_permissions=[*FIVE, FIVE[0]])
    assert made.name == f"{parent}/roles/keyMaker"
    assert (made.title, made.description, made.stage) == ("Key maker", "makes keys", Role.RoleLaunchStage.GA)
    assert list(made.included_permissions) == FIVE
    assert len(made.etag) == 8
    assert made.etag[0] == 7
    assert client.get_role(request={"name": made.name}) == made
    (basic,) = client.list_roles(request={"parent": parent})
    assert (basic.name, list(basic.included_permissions)) == (made.name, [])
    (full,) = client.list_roles(request={"parent": parent, "view": RoleView.FULL})
    assert full == made


def test_project_roles_are_named_by_id(client: Any) -> None:
    assert _create(client, parent="projects/100000000001").name == f"{DEMO}/roles/keyMaker"
    assert client.get_role(request={"name": "projects/100000000001/roles/keyMaker"}).name == f"{DEMO}/roles/keyMaker"


def test_stage_alpha_is_not_shown(client: Any) -> None:
    assert _create(client, stage="ALPHA").stage == Role.RoleLaunchStage.ALPHA


def test_a_role_of_exactly_five_permissions_makes_an_auth_key_possible(client: Any, sandbox: Running) -> None:
    """What is granted with it holds at once, and no longer once the role is disabled or deleted."""
    name = _create(client, included_permissions=["apikeys.keys.list"]).name
    sandbox.control("seed", {"projects": [{"projectId": "demo-project", "iam": {name: ["user:friend@example.com"]}}]})
    keys = grpc_client(api_keys_v2.ApiKeysClient, sandbox)
    parent, friend = f"{DEMO}/locations/global", bearer("friend@example.com")
    assert list(keys.list_keys(parent=parent, metadata=friend)) == []
    client.update_role(request={"name": name, "role": {"stage": "DISABLED"}, "update_mask": {"paths": ["stage"]}})
    with refused(PermissionDenied):
        keys.list_keys(parent=parent, metadata=friend)
    client.update_role(request={"name": name, "role": {"stage": "GA"}, "update_mask": {"paths": ["stage"]}})
    assert list(keys.list_keys(parent=parent, metadata=friend)) == []
    client.delete_role(request={"name": name})
    with refused(PermissionDenied):
        keys.list_keys(parent=parent, metadata=friend)
    client.undelete_role(request={"name": name})
    assert list(keys.list_keys(parent=parent, metadata=friend)) == []


def test_the_same_id_again_already_exists(client: Any) -> None:
    _create(client)
    with refused(AlreadyExists, "A role named keyMaker in projects/demo-project already exists."):
        _create(client)


@pytest.mark.parametrize("role_id", ["", "ab", "a" * 65, "key-maker", "key maker", "rôle"])
def test_role_ids_are_checked(client: Any, role_id: str) -> None:
    with refused(InvalidArgument, "role ID"):
        _create(client, role_id)


@pytest.mark.parametrize("permission", ["resourcemanager.projects.list", "apikeys.keys.make", "nonsense", "a.b"])
def test_permissions_that_a_project_does_not_have_are_refused(client: Any, permission: str) -> None:
    with refused(InvalidArgument, f"Permission {permission} is not valid."):
        _create(client, included_permissions=[*FIVE, permission])
    name = _create(client).name
    with refused(InvalidArgument, f"Permission {permission} is not valid."):
        client.update_role(request={"name": name, "role": {"included_permissions": [permission]}})


def test_an_organisation_role_may_list_projects(client: Any) -> None:
    _create(client, parent=ORGANISATION, included_permissions=["resourcemanager.projects.list"])


def test_update_by_mask_and_without(client: Any) -> None:
    name = _create(client, description="old").name
    masked = {"paths": ["title", "included_permissions"]}
    first = client.update_role(request={"name": name, "role": {"title": "New", "description": "x"}, "update_mask": masked})
    assert (first.title, first.description, list(first.included_permissions)) == ("New", "old", [])
    second = client.update_role(request={"name": name, "role": {"description": "new", "included_permissions": FIVE}})
    assert (second.title, second.description, list(second.included_permissions)) == ("New", "new", FIVE)
    assert first.etag != second.etag
    with refused(Aborted):
        client.update_role(request={"name": name, "role": {"title": "Late", "etag": first.etag}})
    assert client.update_role(request={"name": name, "role": {"title": "Now", "etag": second.etag}}).title == "Now"
    with refused(InvalidArgument, "deleted"):
        client.update_role(request={"name": name, "role": {}, "update_mask": {"paths": ["deleted"]}})


def test_deleted_roles_can_be_brought_back_for_seven_days_and_keep_their_id_for_thirty_seven(
    client: Any, sandbox: Running
) -> None:
    name = _create(client).name
    deleted = client.delete_role(request={"name": name})
    assert deleted.deleted
    assert client.get_role(request={"name": name}).deleted
    assert list(client.list_roles(request={"parent": DEMO})) == []
    assert [role.name for role in client.list_roles(request={"parent": DEMO, "show_deleted": True})] == [name]
    with refused(FailedPrecondition, "You can't create a role_id (keyMaker) which has been marked for deletion."):
        _create(client)
    for call in (client.delete_role, client.update_role):
        with refused(FailedPrecondition):
            call(request={"name": name})
    sandbox.control("clock", {"advance": "6d"})
    back = client.undelete_role(request={"name": name})
    assert not back.deleted
    assert list(back.included_permissions) == FIVE
    with refused(FailedPrecondition):
        client.undelete_role(request={"name": name})
    client.delete_role(request={"name": name})
    sandbox.control("clock", {"advance": "7d"})
    with refused(NotFound, f"The role named {name} was not found."):
        client.undelete_role(request={"name": name})
    assert list(client.list_roles(request={"parent": DEMO, "show_deleted": True})) == []
    sandbox.control("clock", {"advance": "29d"})
    with refused(FailedPrecondition, "marked for deletion"):
        _create(client)
    sandbox.control("clock", {"advance": "1d"})
    assert not _create(client).deleted


def test_predefined_roles_are_for_everybody_to_see(client: Any) -> None:
    stranger = bearer("stranger@example.com")
    roles = list(client.list_roles(request={}, metadata=stranger))
    names = [role.name for role in roles]
    assert names == sorted(names)
    assert {"roles/owner", "roles/editor", "roles/serviceusage.apiKeysAdmin"} <= set(names)
    assert not any(role.included_permissions for role in roles)
    one = client.get_role(request={"name": "roles/serviceusage.apiKeysAdmin"}, metadata=stranger)
    assert (one.title, one.stage, one.etag) == ("API Keys Admin", Role.RoleLaunchStage.GA, b"\x00")
    assert "apikeys.keys.create" in one.included_permissions
    with refused(NotFound, "The role named roles/no.such was not found."):
        client.get_role(request={"name": "roles/no.such"})


def test_lists_come_in_pages(client: Any) -> None:
    pages = list(client.list_roles(request={"page_size": 1000}).pages)
    assert [len(page.roles) for page in pages] == [1000, 1000, len(predefined_role_names()) - 2000]
    assert [len(page.roles) for page in list(client.list_roles(request={}).pages)[:2]] == [300, 300]
    with refused(InvalidArgument, "page token"):
        client.list_roles(request={"parent": DEMO, "page_token": pages[0].next_page_token})


@pytest.mark.parametrize(
    ("verb", "call", "words"),
    [
        (
            "create",
            lambda c, n, m: c.create_role(request={"parent": DEMO, "role_id": "new.role"}, metadata=m),
            "create a role in",
        ),
        ("get", lambda c, n, m: c.get_role(request={"name": n}, metadata=m), "get the role at"),
        ("list", lambda c, n, m: list(c.list_roles(request={"parent": DEMO}, metadata=m)), "list roles in"),
        (
            "update",
            lambda c, n, m: c.update_role(request={"name": n, "role": {"title": "x"}}, metadata=m),
            "update the role at",
        ),
        ("delete", lambda c, n, m: c.delete_role(request={"name": n}, metadata=m), "delete the role at"),
    ],
)
def test_each_method_needs_its_permission(
    client: Any, sandbox: Running, verb: str, call: Callable[[Any, str, Any], Any], words: str
) -> None:
    name = _create(client).name
    resource = DEMO if verb in ("create", "list") else name
    stranger = bearer("stranger@example.com")
    with refused(
        PermissionDenied, f"You don't have permission to {words} {resource}.", reason="IAM_PERMISSION_DENIED"
    ) as caught:
        call(client, name, stranger)
    assert caught.value.metadata == {"permission": f"iam.roles.{verb}", "resource": resource}
    role = f"{DEMO}/roles/justThat"
    sandbox.control(
        "seed",
        {
            "customRoles": {role: [f"iam.roles.{verb}"]},
            "projects": [{"projectId": "demo-project", "iam": {role: ["user:stranger@example.com"]}}],
        },
    )
    call(client, name, stranger)


def test_a_missing_role_is_not_found(client: Any) -> None:
    with refused(NotFound, f"The role named {DEMO}/roles/none was not found."):
        client.get_role(request={"name": f"{DEMO}/roles/none"})
    with refused(PermissionDenied):
        client.get_role(request={"name": "projects/no-such-project/roles/none"})


async def test_testable_permissions_tell_which_apis_are_off(sandbox: Running) -> None:
    client = async_client(iam_admin_v1.IAMAsyncClient, sandbox)
    full_name = "//cloudresourcemanager.googleapis.com/projects/old-maps-site"
    pager = await client.query_testable_permissions(request={"full_resource_name": full_name, "page_size": 500})
    found = {permission.name: permission async for permission in pager}
    assert set(FIVE) <= set(found)
    assert "resourcemanager.projects.list" not in found
    assert not found["apikeys.keys.create"].api_disabled
    assert found["secretmanager.secrets.get"].api_disabled
    organisation = "//cloudresourcemanager.googleapis.com/organizations/1000"
    pager = await client.query_testable_permissions(request={"full_resource_name": organisation, "page_size": 1000})
    assert "resourcemanager.projects.list" in {permission.name async for permission in pager}
    with refused(NotFound):
        await client.query_testable_permissions(request={"full_resource_name": full_name + "-not"})
    with refused(InvalidArgument):
        await client.query_testable_permissions(request={"full_resource_name": "//compute.googleapis.com/projects/x"})


def test_grantable_roles_are_predefined_and_custom_ones_of_the_hierarchy(client: Any) -> None:
    _create(client, "ofProject")
    _create(client, "ofOrganisation", ORGANISATION)
    _create(client, "elsewhere", "projects/old-maps-site")
    request = {"full_resource_name": "//cloudresourcemanager.googleapis.com/projects/demo-project", "page_size": 7}
    names = [role.name for role in client.query_grantable_roles(request=request)]
    assert names == sorted(names)
    assert {"roles/owner", f"{DEMO}/roles/ofProject", f"{ORGANISATION}/roles/ofOrganisation"} <= set(names)
    assert not {"projects/old-maps-site/roles/elsewhere", "roles/resourcemanager.organizationAdmin"} & set(names)
