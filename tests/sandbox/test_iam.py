"""IAM v1, service accounts, through Google's own client: gRPC and asyncio gRPC (it has no REST transport)."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
)
from google.cloud import iam_admin_v1, resourcemanager_v3, service_usage_v1
from google.iam.v1.policy_pb2 import Binding, Policy
from googleapiclient.errors import HttpError

from .clients import async_client, bearer, discovered, grpc_client, refused
from .conftest import Running

DEMO = "projects/demo-project"
NUMBER = "projects/100000000001"
EMAIL = "robot-one@demo-project.iam.gserviceaccount.com"
NAME = f"{DEMO}/serviceAccounts/{EMAIL}"


@pytest.fixture
def client(sandbox: Running) -> Any:
    return grpc_client(iam_admin_v1.IAMClient, sandbox)


def _create(client: Any, account_id: str = "robot-one", **fields: str) -> Any:
    return client.create_service_account(request={"name": DEMO, "account_id": account_id, "service_account": fields})


def test_create_gives_address_unique_id_and_name_by_project_id(client: Any) -> None:
    made = client.create_service_account(
        request={"name": NUMBER, "account_id": "robot-one", "service_account": {"display_name": "Robot", "description": "one"}}
    )
    assert (made.name, made.email, made.project_id) == (NAME, EMAIL, "demo-project")
    assert (made.display_name, made.description, made.disabled) == ("Robot", "one", False)
    assert made.unique_id == made.oauth2_client_id
    assert len(made.unique_id) == 21
    assert made.etag == b"01021920"
    for name in (NAME, f"{NUMBER}/serviceAccounts/{EMAIL}", f"projects/-/serviceAccounts/{made.unique_id}"):
        assert client.get_service_account(request={"name": name}) == made


def test_the_same_id_again_already_exists(client: Any) -> None:
    _create(client)
    with refused(AlreadyExists, "Service account robot-one already exists within project projects/demo-project.") as caught:
        _create(client)
    assert caught.value.details[0].resource_name == NAME


@pytest.mark.parametrize("account_id", ["", "robot", "r" * 31])
def test_ids_have_six_to_thirty_characters(client: Any, account_id: str) -> None:
    with refused(InvalidArgument, f'The account ID "{account_id}" does not have a length between 6 and 30.'):
        _create(client, account_id)
    for edge in ("robots", "r" * 30):
        _create(client, edge)


@pytest.mark.parametrize("account_id", ["1robot", "Robot-one", "robot-one-", "robot_one", "robót-one"])
def test_ids_are_lower_case_letters_digits_and_dashes(client: Any, account_id: str) -> None:
    with refused(InvalidArgument, account_id):
        _create(client, account_id)


def test_texts_have_limits(client: Any) -> None:
    with refused(InvalidArgument, "100 bytes"):
        _create(client, display_name="é" * 51)
    with refused(InvalidArgument, "256 bytes"):
        _create(client, description="d" * 257)
    _create(client, display_name="é" * 50, description="d" * 256)


def test_a_project_has_a_hundred_at_most(start_sandbox: Callable[..., Running]) -> None:
    names = [f"robot-{number:03}" for number in range(100)]
    sandbox = start_sandbox(
        {
            "projects": [
                {"projectId": "demo-project", "serviceAccounts": names, "iam": {"roles/owner": ["user:owner@example.com"]}}
            ]
        }
    )
    with refused(ResourceExhausted, "Maximum number of service accounts on project reached."):
        _create(grpc_client(iam_admin_v1.IAMClient, sandbox))


async def test_asyncio_client_lists_in_pages(sandbox: Running) -> None:
    client = async_client(iam_admin_v1.IAMAsyncClient, sandbox)
    for number in range(23):
        await client.create_service_account(request={"name": DEMO, "account_id": f"robot-{number:03}"})
    pager = await client.list_service_accounts(request={"name": DEMO})
    assert len(pager.accounts) == 20
    emails = [account.email async for account in pager]
    assert emails == [f"robot-{number:03}@demo-project.iam.gserviceaccount.com" for number in range(23)]
    short = await client.list_service_accounts(request={"name": DEMO, "page_size": 4})
    with refused(InvalidArgument, "page token"):
        await client.list_service_accounts(request={"name": "projects/old-maps-site", "page_token": short.next_page_token})
    assert not (await client.list_service_accounts(request={"name": "projects/old-maps-site"})).accounts


def test_a_missing_account_is_not_found_by_project_and_denied_by_wildcard(client: Any) -> None:
    with refused(NotFound, "Unknown service account"):
        client.get_service_account(request={"name": NAME})
    wildcard = f"projects/-/serviceAccounts/{EMAIL}"
    for name, caller in ((wildcard, "owner@example.com"), (NAME, "stranger@example.com"), (wildcard, "stranger@example.com")):
        with refused(
            PermissionDenied,
            "Permission 'iam.serviceAccounts.get' denied on resource (or it may not exist).",
            reason="IAM_PERMISSION_DENIED",
        ) as caught:
            client.get_service_account(request={"name": name}, metadata=bearer(caller))
        assert caught.value.metadata == {"permission": "iam.serviceAccounts.get"}
    _create(client)
    with refused(NotFound, "Unknown service account"):
        client.get_service_account(request={"name": f"projects/old-maps-site/serviceAccounts/{EMAIL}"})


def test_update_changes_the_display_name_patch_what_the_mask_says(client: Any) -> None:
    _create(client, display_name="a", description="b")
    updated = client.update_service_account(request={"name": NAME, "display_name": "A", "description": "B"})
    assert (updated.display_name, updated.description) == ("A", "b")
    patched = client.patch_service_account(
        request={
            "service_account": {"name": NAME, "display_name": "AA", "description": "BB"},
            "update_mask": {"paths": ["description"]},
        }
    )
    assert (patched.name, patched.display_name, patched.description, patched.email) == (NAME, "", "BB", "")
    assert client.get_service_account(request={"name": NAME}).display_name == "A"
    cleared = client.patch_service_account(
        request={"service_account": {"name": NAME}, "update_mask": {"paths": ["display_name", "description"]}}
    )
    assert (cleared.display_name, cleared.description) == ("", "")
    now = client.get_service_account(request={"name": NAME})
    assert (now.display_name, now.description) == ("", "")
    for mask in (["email"], []):
        with refused(InvalidArgument):
            client.patch_service_account(request={"service_account": {"name": NAME}, "update_mask": {"paths": mask}})


def test_delete_frees_the_address_and_undelete_goes_by_unique_id(client: Any) -> None:
    first = _create(client, display_name="first")
    client.delete_service_account(request={"name": NAME})
    with refused(NotFound):
        client.get_service_account(request={"name": NAME})
    with refused(NotFound):
        client.delete_service_account(request={"name": NAME})
    assert not client.list_service_accounts(request={"name": DEMO}).accounts
    second = _create(client, display_name="second")
    assert second.unique_id != first.unique_id
    with refused(FailedPrecondition, EMAIL):
        client.undelete_service_account(request={"name": f"{DEMO}/serviceAccounts/{first.unique_id}"})
    client.delete_service_account(request={"name": f"projects/-/serviceAccounts/{second.unique_id}"})
    restored = client.undelete_service_account(request={"name": f"projects/-/serviceAccounts/{first.unique_id}"})
    assert restored.restored_account == first
    assert client.get_service_account(request={"name": NAME}) == first


def test_a_deleted_account_is_gone_after_thirty_days(client: Any, sandbox: Running) -> None:
    made = _create(client)
    client.delete_service_account(request={"name": NAME})
    sandbox.control("clock", {"advance": "30d"})
    with refused(NotFound):
        client.undelete_service_account(request={"name": f"{DEMO}/serviceAccounts/{made.unique_id}"})


def test_disable_and_enable(client: Any) -> None:
    _create(client)
    for _ in range(2):
        client.disable_service_account(request={"name": NAME})
        assert client.get_service_account(request={"name": NAME}).disabled
    for _ in range(2):
        client.enable_service_account(request={"name": NAME})
        assert not client.get_service_account(request={"name": NAME}).disabled


@pytest.mark.parametrize(
    ("permission", "call"),
    [
        ("create", lambda c, m: c.create_service_account(request={"name": DEMO, "account_id": "robot-two"}, metadata=m)),
        ("get", lambda c, m: c.get_service_account(request={"name": NAME}, metadata=m)),
        ("list", lambda c, m: c.list_service_accounts(request={"name": DEMO}, metadata=m)),
        ("update", lambda c, m: c.update_service_account(request={"name": NAME}, metadata=m)),
        ("delete", lambda c, m: c.delete_service_account(request={"name": NAME}, metadata=m)),
        ("enable", lambda c, m: c.enable_service_account(request={"name": NAME}, metadata=m)),
        ("disable", lambda c, m: c.disable_service_account(request={"name": NAME}, metadata=m)),
        ("getIamPolicy", lambda c, m: c.get_iam_policy(request={"resource": NAME}, metadata=m)),
        ("setIamPolicy", lambda c, m: c.set_iam_policy(request={"resource": NAME, "policy": Policy()}, metadata=m)),
    ],
)
def test_each_method_needs_its_permission(
    client: Any, sandbox: Running, permission: str, call: Callable[[Any, Any], Any]
) -> None:
    _create(client)
    with refused(PermissionDenied, f"'iam.serviceAccounts.{permission}'", reason="IAM_PERMISSION_DENIED"):
        call(client, bearer("stranger@example.com"))
    role = f"{DEMO}/roles/justThat"
    sandbox.control(
        "seed",
        {
            "customRoles": {role: [f"iam.serviceAccounts.{permission}"]},
            "projects": [{"projectId": "demo-project", "iam": {role: ["user:stranger@example.com"]}}],
        },
    )
    call(client, bearer("stranger@example.com"))


def test_the_account_has_a_policy_of_its_own(client: Any) -> None:
    _create(client)
    friend = bearer("friend@example.com")
    assert client.get_iam_policy(request={"resource": NAME}) == Policy(etag=b"\x00\x20\x01")
    with refused(PermissionDenied):
        client.get_service_account(request={"name": NAME}, metadata=friend)
    binding = Binding(role="roles/iam.serviceAccountUser", members=["user:friend@example.com"])
    kept = client.set_iam_policy(request={"resource": NAME, "policy": Policy(bindings=[binding])})
    assert (kept.version, list(kept.bindings)) == (1, [binding])
    assert client.get_iam_policy(request={"resource": NAME}) == kept
    assert client.get_service_account(request={"name": NAME}, metadata=friend).email == EMAIL
    asked = ["iam.serviceAccounts.actAs", "iam.serviceAccounts.delete", "iam.serviceAccounts.get"]
    held = client.test_iam_permissions(request={"resource": NAME, "permissions": asked}, metadata=friend)
    assert list(held.permissions) == ["iam.serviceAccounts.actAs", "iam.serviceAccounts.get"]
    with refused(Aborted, "concurrent policy changes"):
        client.set_iam_policy(request={"resource": NAME, "policy": Policy(etag=b"\x07" + bytes(7))})
    with refused(InvalidArgument, "resourcemanager.projects.get is not valid"):
        client.test_iam_permissions(request={"resource": NAME, "permissions": ["resourcemanager.projects.get"]})


@pytest.mark.parametrize("role", ["roles/editor", "roles/viewer", "roles/iam.workloadIdentityUser", "roles/iam.admin"])
def test_basic_roles_and_those_of_iam_can_be_granted_on_an_account(client: Any, role: str) -> None:
    _create(client)
    binding = Binding(role=role, members=["user:friend@example.com"])
    assert list(client.set_iam_policy(request={"resource": NAME, "policy": Policy(bindings=[binding])}).bindings) == [binding]


@pytest.mark.parametrize(
    "role", ["roles/container.clusterAdmin", "roles/monitoring.viewer", "roles/storage.objectViewer", "roles/no.suchRole"]
)
def test_roles_for_what_an_account_shall_do_are_refused_on_the_account_itself(client: Any, role: str) -> None:
    """The commonest mistake of beginners: the role belongs on the project, with the account as its member."""
    _create(client)
    binding = Binding(role=role, members=[f"serviceAccount:{EMAIL}"])
    with refused(InvalidArgument, f"Role {role} is not supported for this resource."):
        client.set_iam_policy(request={"resource": NAME, "policy": Policy(bindings=[binding])})


def test_an_account_made_again_does_not_inherit_the_old_policy(client: Any) -> None:
    _create(client)
    binding = Binding(role="roles/iam.serviceAccountUser", members=["user:friend@example.com"])
    client.set_iam_policy(request={"resource": NAME, "policy": Policy(bindings=[binding])})
    client.delete_service_account(request={"name": NAME})
    _create(client)
    assert not client.get_iam_policy(request={"resource": NAME}).bindings


def test_nothing_is_held_on_an_account_that_does_not_exist(client: Any) -> None:
    asked = {"resource": NAME, "permissions": ["iam.serviceAccounts.get"]}
    assert not client.test_iam_permissions(request=asked, metadata=bearer("stranger@example.com")).permissions


def test_a_new_account_is_found_only_after_a_while(client: Any, sandbox: Running) -> None:
    sandbox.control("propagation", {"serviceAccount": "5s"})
    _create(client)
    with refused(NotFound):
        client.get_service_account(request={"name": NAME})
    with refused(PermissionDenied):
        client.get_service_account(request={"name": f"projects/-/serviceAccounts/{EMAIL}"})
    assert not client.list_service_accounts(request={"name": DEMO}).accounts
    with refused(AlreadyExists):
        _create(client)
    sandbox.control("clock", {"advance": "5s"})
    assert client.get_service_account(request={"name": NAME}).email == EMAIL
    assert [account.email for account in client.list_service_accounts(request={"name": DEMO}).accounts] == [EMAIL]


@pytest.mark.parametrize("constraint", ["iam.disableServiceAccountCreation", "iam.managed.disableServiceAccountCreation"])
def test_an_organisation_may_forbid_new_accounts(client: Any, sandbox: Running, constraint: str) -> None:
    sandbox.control("seed", {"orgPolicies": {"folders/1001": {constraint: True}}})
    with refused(FailedPrecondition, "Service account creation is not allowed on this project.") as caught:
        _create(client)
    assert caught.value.details[0].violations[0].type == f"constraints/{constraint}"
    sandbox.control("seed", {"orgPolicies": {DEMO: {constraint: False}}})
    _create(client)


def _gemini(sandbox: Running, key_string: str) -> int:
    request = urllib.request.Request(f"{sandbox.rest}/v1beta/models?pageSize=1", headers={"x-goog-api-key": key_string})
    try:
        return int(urllib.request.urlopen(request, timeout=60).status)
    except urllib.error.HTTPError as error:
        return error.code


def _auth_key(sandbox: Running, caller: str) -> Any:
    """An auth key restricted to Gemini, made over REST: the protobuf has no service account."""
    restrictions = {"apiTargets": [{"service": "generativelanguage.googleapis.com"}]}
    operation = (
        discovered("apikeys", "v2", sandbox, caller)
        .projects()
        .locations()
        .keys()
        .create(parent=f"{DEMO}/locations/global", body={"serviceAccountEmail": EMAIL, "restrictions": restrictions})
        .execute()
    )
    return discovered("apikeys", "v2", sandbox, caller).operations().get(name=operation["name"]).execute()["response"]


def test_api_keys_bound_to_an_account_stop_working_with_it(client: Any, sandbox: Running) -> None:
    sandbox.control("seed", {"projects": [{"projectId": "demo-project", "services": ["generativelanguage.googleapis.com"]}]})
    made = _create(client)
    key_string = _auth_key(sandbox, "owner@example.com")["keyString"]
    assert _gemini(sandbox, key_string) == 200
    client.disable_service_account(request={"name": NAME})
    assert _gemini(sandbox, key_string) == 401
    client.enable_service_account(request={"name": NAME})
    assert _gemini(sandbox, key_string) == 200
    client.delete_service_account(request={"name": NAME})
    assert _gemini(sandbox, key_string) == 401
    client.undelete_service_account(request={"name": f"{DEMO}/serviceAccounts/{made.unique_id}"})
    assert _gemini(sandbox, key_string) == 200


FIVE = [
    "apikeys.keys.create",
    "iam.serviceAccountApiKeyBindings.create",
    "iam.serviceAccounts.create",
    "resourcemanager.projects.get",
    "serviceusage.services.enable",
]


@pytest.mark.parametrize("missing", [None, *FIVE])
def test_exactly_the_five_permissions_make_an_auth_key(client: Any, sandbox: Running, missing: str | None) -> None:
    role = f"{DEMO}/roles/keyMaker"
    sandbox.control(
        "seed",
        {
            "customRoles": {role: [permission for permission in FIVE if permission != missing]},
            "projects": [{"projectId": "demo-project", "iam": {role: ["user:maker@example.com"]}}],
        },
    )
    maker = bearer("maker@example.com")

    def run() -> None:
        grpc_client(resourcemanager_v3.ProjectsClient, sandbox).get_project(name=DEMO, metadata=maker)
        usage = grpc_client(service_usage_v1.ServiceUsageClient, sandbox)
        services = ["apikeys.googleapis.com", "generativelanguage.googleapis.com", "iam.googleapis.com"]
        operation = usage.batch_enable_services(request={"parent": DEMO, "service_ids": services}, metadata=maker)
        done = usage.transport.operations_client.get_operation(operation.operation.name, metadata=maker)
        assert done.done
        client.create_service_account(request={"name": DEMO, "account_id": "robot-one"}, metadata=maker)
        assert _auth_key(sandbox, "maker@example.com")["serviceAccountEmail"] == EMAIL

    if missing is None:
        run()
    else:
        with pytest.raises((PermissionDenied, HttpError), match=missing.replace(".", "[.]")):
            run()


def test_keys_of_an_account_that_is_not_there(client: Any) -> None:
    with refused(NotFound):
        client.list_service_account_keys(request={"name": NAME})
