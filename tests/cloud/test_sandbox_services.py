"""The wrappers of every other service against the real sandbox server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from keyadmin.cloud.connect import Cloud, connect
from keyadmin.cloud.policies import AllowPolicy, AuditConfig, AuditLog, Binding, Condition
from keyadmin.cloud.secrets import crc32c
from keyadmin.model.key import GEMINI_ONLY
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import KeyString

PROJECT = "demo-project"
GEMINI = "generativelanguage.googleapis.com"
APIKEYS = "apikeys.googleapis.com"
SECRET = f"projects/{PROJECT}/secrets/gemini"
ROBOT = f"robot@{PROJECT}.iam.gserviceaccount.com"


async def listed(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


async def lose(sandbox: Any, method: str) -> None:
    """The next answer of this method gets lost after the change was made."""
    await sandbox.control("faults", {"method": method, "code": "UNAVAILABLE", "times": 1, "when": "after"})


# --- projects -----------------------------------------------------------------------------------------------------------


async def test_a_project_by_id_and_by_number(cloud: Cloud) -> None:
    project = await cloud.projects.get(PROJECT)
    assert (project.project_id, project.state, project.parent) == (PROJECT, "ACTIVE", "folders/1001")
    assert project.create_time is not None
    assert project.create_time.tzinfo is not None
    assert await cloud.projects.get(project.number) == project


async def test_missing_and_forbidden_projects_look_the_same(cloud: Cloud) -> None:
    for name in ("no-such-project", "somebody-elses"):
        with pytest.raises(Problem) as caught:
            await cloud.projects.get(name)
        assert caught.value.cause is Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS
        assert caught.value.project == name


async def test_search_and_list(cloud: Cloud, sandbox: Any) -> None:
    await sandbox.control("seed", {"fleet": {"projects": 1200, "keysPerProject": 0}})
    everything = await listed(cloud.projects.search())
    assert len(everything) == len({project.project_id for project in everything}) > 1200
    assert {project.project_id for project in await listed(cloud.projects.search("id:demo-project"))} == {PROJECT}
    children = await listed(cloud.projects.list("folders/1001"))
    assert PROJECT in {project.project_id for project in children}
    assert {project.parent for project in children} == {"folders/1001"}


async def test_the_life_of_a_project(cloud: Cloud) -> None:
    made = await cloud.projects.create("brand-new-1", display_name="Brand new", parent="folders/1001", labels={"a": "b"})
    assert (made.project_id, made.display_name, made.parent, dict(made.labels)) == (
        "brand-new-1",
        "Brand new",
        "folders/1001",
        {"a": "b"},
    )
    assert (await cloud.projects.rename("brand-new-1", "Newer yet")).display_name == "Newer yet"
    assert (await cloud.projects.delete("brand-new-1")).state == "DELETE_REQUESTED"
    assert (await cloud.projects.undelete("brand-new-1")).state == "ACTIVE"
    with pytest.raises(Problem) as caught:
        await cloud.projects.create("brand-new-1", display_name="Brand new")
    assert caught.value.cause is Cause.ALREADY_EXISTS


@pytest.mark.parametrize("method", ["CreateProject", "UpdateProject", "DeleteProject", "UndeleteProject"])
async def test_lost_answers_about_projects(method: str, cloud: Cloud, sandbox: Any) -> None:
    if method != "CreateProject":
        await cloud.projects.create("brand-new-1", display_name="Brand new")
    if method == "UndeleteProject":
        await cloud.projects.delete("brand-new-1")
    await lose(sandbox, method)
    if method == "CreateProject":
        project = await cloud.projects.create("brand-new-1", display_name="Brand new")
    elif method == "UpdateProject":
        project = await cloud.projects.rename("brand-new-1", "Newer yet")
    else:
        project = await getattr(cloud.projects, method.removesuffix("Project").lower())("brand-new-1")
    assert project == await cloud.projects.get("brand-new-1")
    assert len(await sandbox.asked(method)) == 2


async def test_held_permissions(cloud: Cloud, sandbox: Any) -> None:
    names = ["apikeys.keys.create", "apikeys.keys.list", "serviceusage.services.enable"]
    assert await cloud.projects.test_permissions(PROJECT, names) == frozenset(names)
    stranger = replace(sandbox.target, sandbox_user="stranger@example.com")
    async with connect(stranger) as other:
        assert await other.projects.test_permissions(PROJECT, names) == frozenset()
    with pytest.raises(Problem) as caught:
        await cloud.projects.test_permissions(PROJECT, ["resourcemanager.projects.list", *names])
    assert caught.value.cause is Cause.INVALID_ARGUMENT


async def test_folders_and_organisations(cloud: Cloud) -> None:
    folder = await cloud.folders.get("folders/1001")
    assert (folder.display_name, folder.parent, folder.state) == ("Engineering", "organizations/1000", "ACTIVE")
    assert folder in await listed(cloud.folders.search())
    assert await listed(cloud.folders.list("organizations/1000")) == [folder]
    (organization,) = await listed(cloud.organizations.search())
    assert organization.display_name == "example.com"
    assert await cloud.organizations.get(organization.name) == organization


# --- policies -----------------------------------------------------------------------------------------------------------

UNUSUAL = AllowPolicy(
    bindings=(
        Binding("roles/owner", ("user:owner@example.com",)),
        Binding(
            "roles/browser",
            ("user:temp@example.com",),
            Condition('request.time < timestamp("2030-01-01T00:00:00Z")', "until 2030", "while the project lasts"),
        ),
    ),
    audit_configs=(AuditConfig("allServices", (AuditLog("DATA_READ", ("user:quiet@example.com",)), AuditLog("ADMIN_READ"))),),
    version=3,
)


async def test_a_grant_leaves_everything_else_as_it_was(cloud: Cloud) -> None:
    before = await cloud.projects.get_policy(f"projects/{PROJECT}")
    stored = await cloud.projects.set_policy(f"projects/{PROJECT}", replace(UNUSUAL, etag=before.etag))
    assert (set(stored.bindings), stored.version) == (set(UNUSUAL.bindings), 3)
    after = await cloud.projects.edit_policy(
        f"projects/{PROJECT}", lambda policy: policy.grant("user:new@example.com", ["roles/browser", "roles/owner"])
    )
    assert {replace(binding, members=tuple(sorted(binding.members))) for binding in after.bindings} == {
        Binding("roles/owner", ("user:new@example.com", "user:owner@example.com")),
        UNUSUAL.bindings[1],
        Binding("roles/browser", ("user:new@example.com",)),
    }
    assert after.audit_configs == stored.audit_configs
    assert (await cloud.projects.get_policy(f"projects/{PROJECT}")).bindings == after.bindings


def test_a_policy_is_written_in_googles_form_and_nothing_is_lost() -> None:
    from google.iam.v1.policy_pb2 import Policy
    from google.protobuf.json_format import MessageToDict, ParseDict

    from keyadmin.cloud.policies import policy_from_json, policy_to_json

    policy = replace(UNUSUAL, etag=b"abc")
    assert policy_from_json(policy_to_json(policy)) == policy
    assert policy_from_json(MessageToDict(ParseDict(policy_to_json(policy), Policy()))) == policy


async def test_somebody_elses_change_in_between_is_not_overwritten(cloud: Cloud) -> None:
    resource = f"projects/{PROJECT}"
    stale = await cloud.projects.get_policy(resource)
    await cloud.projects.edit_policy(resource, lambda policy: policy.grant("user:a@example.com", ["roles/viewer"]))
    with pytest.raises(Problem) as caught:
        await cloud.projects.set_policy(resource, stale.grant("user:b@example.com", ["roles/viewer"]))
    assert caught.value.cause is Cause.CONFLICT


async def test_edits_side_by_side_all_land(cloud: Cloud, sandbox: Any) -> None:
    resource = f"projects/{PROJECT}"
    members = [f"user:person{number}@example.com" for number in range(4)]

    def granting(member: str) -> Any:
        return lambda policy: policy.grant(member, ["roles/viewer"])

    await lose(sandbox, "SetIamPolicy")  # and one lost answer among them
    await asyncio.gather(*(cloud.projects.edit_policy(resource, granting(member)) for member in members))
    policy = await cloud.projects.get_policy(resource)
    assert sorted(policy.bindings[1].members) == members


async def test_nothing_is_written_if_nothing_changes(cloud: Cloud, sandbox: Any) -> None:
    await cloud.projects.edit_policy("folders/1001", lambda policy: policy)
    assert await sandbox.asked("SetIamPolicy") == []
    with pytest.raises(Problem):
        await cloud.projects.get_policy("buckets/b")


# --- services -----------------------------------------------------------------------------------------------------------


async def test_services_on_and_off(cloud: Cloud) -> None:
    assert await cloud.services.states(PROJECT, [GEMINI, APIKEYS]) == {GEMINI: "DISABLED", APIKEYS: "DISABLED"}
    await cloud.services.enable(PROJECT, [GEMINI])
    await cloud.services.enable(PROJECT, [GEMINI, APIKEYS])
    assert await cloud.services.states(PROJECT, [GEMINI, APIKEYS]) == {GEMINI: "ENABLED", APIKEYS: "ENABLED"}
    assert {GEMINI, APIKEYS} <= set(await listed(cloud.services.enabled(PROJECT)))
    await cloud.services.disable(PROJECT, GEMINI)
    assert await cloud.services.states(PROJECT, [GEMINI]) == {GEMINI: "DISABLED"}


async def test_more_services_than_one_call_may_name(cloud: Cloud) -> None:
    from keyadmin.sandbox.services.serviceusage import catalogue as service_catalogue

    names = service_catalogue.names()[:45]
    await cloud.services.enable(PROJECT, names)
    assert set((await cloud.services.states(PROJECT, names)).values()) == {"ENABLED"}


@pytest.mark.parametrize("method", ["EnableService", "BatchEnableServices", "DisableService"])
async def test_lost_answers_about_services(method: str, cloud: Cloud, sandbox: Any) -> None:
    names = [GEMINI] if method == "EnableService" else [GEMINI, APIKEYS]
    if method == "DisableService":
        await cloud.services.enable(PROJECT, [GEMINI])
    await lose(sandbox, method)
    if method == "DisableService":
        await cloud.services.disable(PROJECT, GEMINI)
    else:
        await cloud.services.enable(PROJECT, names)
    expected = "DISABLED" if method == "DisableService" else "ENABLED"
    assert (await cloud.services.states(PROJECT, [GEMINI]))[GEMINI] == expected


async def test_enabling_without_permission_is_told_apart(sandbox: Any) -> None:
    async with connect(replace(sandbox.target, sandbox_user="stranger@example.com")) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.services.enable(PROJECT, [GEMINI])
    assert caught.value.cause is Cause.ENABLE_SERVICE_DENIED
    assert caught.value.permission == "serviceusage.services.enable"


# --- service accounts, and keys bound to them ---------------------------------------------------------------------------


async def test_service_accounts(cloud: Cloud) -> None:
    made = await cloud.service_accounts.create(PROJECT, "keyadmin-gemini", "Gemini keys")
    assert made.email == f"keyadmin-gemini@{PROJECT}.iam.gserviceaccount.com"
    assert made.display_name == "Gemini keys"
    assert await cloud.service_accounts.get(PROJECT, made.email) == made
    assert await listed(cloud.service_accounts.list(PROJECT)) == [made]
    with pytest.raises(Problem) as caught:
        await cloud.service_accounts.create(PROJECT, "keyadmin-gemini", "Gemini keys")
    assert caught.value.cause is Cause.ALREADY_EXISTS
    await cloud.service_accounts.delete(PROJECT, made.email)
    assert await listed(cloud.service_accounts.list(PROJECT)) == []


@pytest.mark.parametrize("method", ["CreateServiceAccount", "DeleteServiceAccount"])
async def test_lost_answers_about_service_accounts(method: str, cloud: Cloud, sandbox: Any) -> None:
    await lose(sandbox, method)
    made = await cloud.service_accounts.create(PROJECT, "keyadmin-gemini", "Gemini keys")
    await cloud.service_accounts.delete(PROJECT, made.email)
    assert await listed(cloud.service_accounts.list(PROJECT)) == []


async def test_an_auth_key_works_and_keeps_its_account(cloud: Cloud) -> None:
    await cloud.services.enable(PROJECT, [GEMINI])
    account = await cloud.service_accounts.create(PROJECT, "keyadmin-gemini", "Gemini keys")
    key = await cloud.keys.create(
        PROJECT, "k1", display_name="First", restrictions=GEMINI_ONLY, service_account_email=account.email
    )
    assert key.key_type == "auth"
    assert key.key_string is not None
    await cloud.gemini.check(key.key_string)
    await cloud.keys.delete(key.name)
    back = await cloud.keys.undelete(key.name)  # over gRPC, whose messages know no service account
    assert back.service_account_email == account.email
    await cloud.services.disable(PROJECT, GEMINI)
    with pytest.raises(Problem) as caught:
        await cloud.gemini.check(key.key_string)
    assert caught.value.cause is Cause.API_NOT_ENABLED


async def test_a_rejected_standard_key_is_named_so(cloud: Cloud) -> None:
    (key,) = await listed(cloud.keys.list("old-maps-site"))
    with pytest.raises(Problem) as caught:
        await cloud.gemini.check(await cloud.keys.key_string(key.name))
    assert caught.value.cause is Cause.STANDARD_KEY_REJECTED


async def test_a_service_account_is_impersonated(cloud: Cloud, sandbox: Any) -> None:
    account = await cloud.service_accounts.create(PROJECT, "robot-one", "")
    resource = f"projects/{PROJECT}"
    await cloud.projects.edit_policy(
        resource, lambda policy: policy.grant("user:owner@example.com", ["roles/iam.serviceAccountTokenCreator"])
    )
    async with connect(replace(sandbox.target, impersonate=account.email)) as robot:
        assert robot.caller.principal == account.email
        assert await robot.projects.test_permissions(PROJECT, ["apikeys.keys.list"]) == frozenset()
        await cloud.projects.edit_policy(
            resource, lambda policy: policy.grant(f"serviceAccount:{account.email}", ["roles/serviceusage.apiKeysAdmin"])
        )
        assert await listed(robot.keys.list(PROJECT)) == []
    principals = {entry["principal"] for entry in await sandbox.control("requests")}
    assert account.email in principals


async def test_impersonating_without_permission_is_refused(cloud: Cloud, sandbox: Any) -> None:
    account = await cloud.service_accounts.create(PROJECT, "robot-one", "")
    stranger = replace(sandbox.target, sandbox_user="stranger@example.com", impersonate=account.email)
    async with connect(stranger) as robot:
        with pytest.raises(Problem) as caught:
            await listed(robot.keys.list(PROJECT))
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
    assert caught.value.permission == "iam.serviceAccounts.getAccessToken"


# --- secrets ------------------------------------------------------------------------------------------------------------


async def test_secrets(cloud: Cloud) -> None:
    first, second = KeyString("AQ.SANDBOX-" + "f" * 30), KeyString("AQ.SANDBOX-" + "g" * 30)
    assert not await cloud.secrets.exists(SECRET)
    await cloud.secrets.create(SECRET)
    await cloud.secrets.create(SECRET)  # made already
    assert await cloud.secrets.exists(SECRET)
    assert await cloud.secrets.access(SECRET) is None
    older = await cloud.secrets.add_version(SECRET, first)
    await cloud.secrets.add_version(SECRET, second)
    assert await cloud.secrets.access(SECRET) == second
    assert (await cloud.secrets.disable_version(older)).state == "DISABLED"
    assert [version.state for version in await listed(cloud.secrets.versions(SECRET))] == ["ENABLED", "DISABLED"]
    assert (await cloud.secrets.enable_version(older)).state == "ENABLED"


async def test_a_version_whose_answer_was_lost_is_not_added_again(cloud: Cloud, sandbox: Any) -> None:
    value = KeyString("AQ.SANDBOX-" + "h" * 30)
    await cloud.secrets.create(SECRET)
    await lose(sandbox, "AddSecretVersion")
    with pytest.raises(Problem) as caught:
        await cloud.secrets.add_version(SECRET, value)
    assert caught.value.cause is Cause.SERVICE_UNAVAILABLE
    assert await sandbox.asked("AddSecretVersion") == ["UNAVAILABLE"]
    assert await cloud.secrets.access(SECRET) == value  # so reading back tells whether it got there


async def test_no_access_to_a_secret_is_not_its_absence(cloud: Cloud, sandbox: Any) -> None:
    await cloud.secrets.create(SECRET)
    async with connect(replace(sandbox.target, sandbox_user="stranger@example.com")) as other:
        for call in (other.secrets.exists(SECRET), other.secrets.access(SECRET)):
            with pytest.raises(Problem) as caught:
                await call
            assert caught.value.cause is Cause.MISSING_IAM_PERMISSION


def test_the_checksum_is_crc32c() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, B.4's check value
    assert crc32c(bytes(32)) == 0x8A9136AA


# --- policies of the organisation ---------------------------------------------------------------------------------------


async def test_the_key_binding_constraint(cloud: Cloud, sandbox: Any) -> None:
    assert await cloud.org_policy.enforced(f"projects/{PROJECT}") is True
    off = {"organizations/1000": {"iam.managed.disableServiceAccountApiKeyCreation": False}}
    await sandbox.control("seed", {"orgPolicies": off})
    assert await cloud.org_policy.enforced(f"projects/{PROJECT}") is False
    async with connect(replace(sandbox.target, sandbox_user="stranger@example.com")) as other:
        with pytest.raises(Problem) as caught:
            await other.org_policy.enforced(f"projects/{PROJECT}")
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
