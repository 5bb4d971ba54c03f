"""Resource Manager: allow policies of projects, folders and organisations, what they refuse, and how they inherit."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, Forbidden
from google.cloud import resourcemanager_v3 as rm
from google.iam.v1 import policy_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from .clients import async_client, bearer, grpc_client, refused, rest_client
from .conftest import Running
from .policies import DEMO, bound, grant, policy_of
from .wire import send


@pytest.fixture(params=["grpc", "rest"])
def projects(request: pytest.FixtureRequest, sandbox: Running) -> Any:
    client = grpc_client if request.param == "grpc" else rest_client
    return client(rm.ProjectsClient, sandbox)


def test_reading_adding_and_reading_again(projects: Any) -> None:
    before = policy_of(projects)
    assert (before.version, bound(before)) == (1, [("roles/owner", ["user:owner@example.com"])])
    after = grant(projects, "roles/viewer", "group:team@example.com")
    assert bound(after) == [("roles/owner", ["user:owner@example.com"]), ("roles/viewer", ["group:team@example.com"])]
    assert after.etag != before.etag
    assert policy_of(projects) == after


async def test_the_asyncio_client_reads_and_writes(sandbox: Running) -> None:
    projects = async_client(rm.ProjectsAsyncClient, sandbox)
    policy = await projects.get_iam_policy(resource=DEMO)
    policy.bindings.add(role="roles/viewer", members=["user:a@example.com"])
    assert await projects.set_iam_policy(request={"resource": DEMO, "policy": policy}) == await projects.get_iam_policy(
        resource=DEMO
    )


def test_bindings_are_merged_and_empty_ones_dropped(projects: Any) -> None:
    policy = policy_of(projects)
    for role, members in (
        ("roles/viewer", ["user:b@example.com", "user:a@example.com"]),
        ("roles/browser", []),
        ("roles/viewer", ["user:a@example.com", "user:c@example.com"]),
    ):
        policy.bindings.add(role=role, members=members)
    after = projects.set_iam_policy(request={"resource": DEMO, "policy": policy})
    assert bound(after)[1:] == [("roles/viewer", ["user:a@example.com", "user:b@example.com", "user:c@example.com"])]


def test_an_old_etag_is_a_conflict_in_googles_words(projects: Any) -> None:
    first = policy_of(projects)
    grant(projects, "roles/viewer", "user:quick@example.com")
    first.bindings.add(role="roles/viewer", members=["user:slow@example.com"])
    words = (
        "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's"
    )
    with refused(Conflict, words, r"ETag '\007", "did not match the current policy's ETag"):
        projects.set_iam_policy(request={"resource": DEMO, "policy": first})
    assert "user:slow@example.com" not in str(policy_of(projects))
    first.etag = b""
    overwritten = projects.set_iam_policy(request={"resource": DEMO, "policy": first})
    assert "user:slow@example.com" in str(overwritten)


def test_the_error_writes_etags_as_the_service_does(sandbox: Running) -> None:
    etag = base64.b64encode(b"\x07\x05\xe8',\xbbP\x11").decode()
    answer = send(sandbox, "POST", f"/v1/{DEMO}:setIamPolicy", {"policy": {"etag": etag}})
    assert (answer.status, answer.data["error"]["status"]) == (409, "ABORTED")
    assert r"ETag '\007\005\350\',\273P\021' did not match" in answer.data["error"]["message"]


def test_etags_may_come_in_the_other_base64(sandbox: Running) -> None:
    for _ in range(40):  # until an etag has a character that is written differently
        policy = send(sandbox, "POST", f"/v3/{DEMO}:getIamPolicy", {}).data
        other = policy["etag"].replace("+", "-").replace("/", "_").rstrip("=")
        answer = send(sandbox, "POST", f"/v3/{DEMO}:setIamPolicy", {"policy": policy | {"etag": other}})
        assert answer.status == 200
        assert answer.data["etag"] != policy["etag"]


def test_audit_settings_stay_unless_the_mask_names_them(projects: Any) -> None:
    policy = policy_of(projects)
    config = policy.audit_configs.add(service="allServices")
    config.audit_log_configs.add(log_type=policy_pb2.AuditLogConfig.DATA_READ, exempted_members=["user:a@example.com"])
    assert not projects.set_iam_policy(request={"resource": DEMO, "policy": policy}).audit_configs
    policy.etag = policy_of(projects).etag
    mask = FieldMask(paths=["audit_configs"])
    written = projects.set_iam_policy(request={"resource": DEMO, "policy": policy, "update_mask": mask})
    assert written.audit_configs == policy.audit_configs
    after = grant(projects, "roles/viewer", "user:b@example.com")
    assert after.audit_configs == policy.audit_configs


LATER = {"title": "for a while", "expression": 'request.time < timestamp("2099-01-01T00:00:00Z")'}


def test_a_condition_needs_version_3(projects: Any) -> None:
    policy = policy_of(projects)
    binding = policy.bindings.add(role="roles/browser", members=["user:guest@example.net"])
    binding.condition.title, binding.condition.expression = LATER["title"], LATER["expression"]
    for version in (0, 1):
        policy.version = version
        with refused(BadRequest, f"version ({version})"):
            projects.set_iam_policy(request={"resource": DEMO, "policy": policy})
    policy.version = 2
    with refused(BadRequest, "it must be 0, 1 or 3"):
        projects.set_iam_policy(request={"resource": DEMO, "policy": policy})
    policy.version = 3
    written = projects.set_iam_policy(request={"resource": DEMO, "policy": policy})
    assert (written.version, written.bindings[0].condition.title) == (3, "for a while")


def test_a_policy_with_conditions_is_not_read_or_written_as_one_without(projects: Any) -> None:
    grant(projects, "roles/browser", "user:guest@example.net", **LATER)
    plain = policy_of(projects, version=1)
    assert plain.version == 1
    assert plain.bindings[0].role.startswith("roles/browser_withcond_")
    assert not plain.bindings[0].HasField("condition")
    with refused(BadRequest, "Specified policy version (1) cannot be less than the existing policy version (3)."):
        projects.set_iam_policy(request={"resource": DEMO, "policy": plain})
    with refused(BadRequest, "it must be 0, 1 or 3"):
        policy_of(projects, version=2)


def test_a_condition_on_time_holds_for_that_time(projects: Any, sandbox: Running) -> None:
    until = sandbox.control("")["now"][:4]
    expression = f'request.time < timestamp("{int(until) + 1}-12-31T00:00:00Z")'
    grant(projects, "roles/browser", "user:guest@example.net", title="till then", expression=expression)
    guest = bearer("guest@example.net")
    assert projects.get_project(name=DEMO, metadata=guest).project_id == "demo-project"
    sandbox.control("clock", {"advance": "800d"})
    with refused(Forbidden):
        projects.get_project(name=DEMO, metadata=guest)


@pytest.mark.parametrize(
    ("role", "condition", "words"),
    [
        ("roles/viewer", LATER, "Conditions can't be set on primitive roles"),
        ("roles/browser", {"title": "", "expression": "true"}, "needs a title and an expression"),
        ("roles/browser", {"title": "x", "expression": ""}, "needs a title and an expression"),
        ("roles/browser", {"title": "x", "expression": 'request.time < timestamp("soon")'}, "not an RFC 3339 timestamp"),
    ],
)
def test_conditions_that_are_refused(projects: Any, role: str, condition: dict[str, str], words: str) -> None:
    with refused(BadRequest, words):
        grant(projects, role, "user:guest@example.net", **condition)


@pytest.mark.parametrize(
    "member", ["allUsers", "allAuthenticatedUsers", "guest@example.net", "usr:guest@example.net", "projectOwner:demo", "user:"]
)
def test_members_of_no_kind_are_refused_in_googles_words(projects: Any, member: str) -> None:
    with refused(
        BadRequest, 'Policy members must be of the form "<type>:<value>".', reason="PROJECT_SET_IAM_DISALLOWED_MEMBER_TYPE"
    ) as caught:
        grant(projects, "roles/viewer", member)
    assert len(caught.value.details) == 3  # BadRequest, ErrorInfo, ResourceInfo
    assert DEMO in str(caught.value.details[2])


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (
            "serviceAccount:jane@example.com",
            'Account jane@example.com is of type "user". Please set the type prefix to be "user:".',
        ),
        ("user:robot@demo-project.iam.gserviceaccount.com", 'is of type "serviceAccount"'),
        (
            "serviceAccount:robot@demo-project.iam.gserviceaccount.com",
            "Service account robot@demo-project.iam.gserviceaccount.com does not exist.",
        ),
        ("user:jane", "User jane does not exist."),
        ("domain:nodots", "Domain nodots does not exist."),
    ],
)
def test_members_that_are_not_there_or_of_another_kind_are_refused(projects: Any, member: str, words: str) -> None:
    with refused(BadRequest, words):
        grant(projects, "roles/viewer", member)


@pytest.mark.parametrize(
    "member",
    [
        "serviceAccount:workers@crowded-project.iam.gserviceaccount.com",
        "serviceAccount:service-1@gcp-sa-somewhere.iam.gserviceaccount.com",
        "serviceAccount:demo-project.svc.id.goog[default/app]",
        "domain:example.org",
        "group:admins@example.com",
        "deleted:user:old@example.com?uid=123456789012345678901",
        "principal://iam.googleapis.com/locations/global/workforcePools/p/subject/s",
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*",
    ],
)
def test_members_of_every_kind_are_taken(projects: Any, member: str) -> None:
    assert member in str(grant(projects, "roles/viewer", member))


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("roles/resourcemanager.nonsense", "Role roles/resourcemanager.nonsense is not supported for this resource."),
        ("roles/ownr", "Role roles/ownr is not supported for this resource."),
        ("roles/browser_withcond_0123456789abcdef0123", "is not supported for this resource."),
        (
            "projects/demo-project/roles/none",
            "Role (projects/demo-project/roles/none) does not exist in the resource's hierarchy.",
        ),
        ("organizations/9/roles/none", "does not exist in the resource's hierarchy"),
        ("owner", "The role name must be in the form"),
        ("", "The role name must be in the form"),
    ],
)
def test_roles_that_are_refused(projects: Any, role: str, words: str) -> None:
    with refused(BadRequest, words):
        grant(projects, role, "user:guest@example.net")


def test_custom_roles_of_the_project_and_of_what_lies_above_can_be_granted(projects: Any, sandbox: Running) -> None:
    sandbox.control(
        "seed",
        {
            "customRoles": {
                f"{holder}/roles/looker": ["resourcemanager.projects.get"] for holder in (DEMO, "organizations/1000")
            }
        },
    )
    for holder in (DEMO, "organizations/1000"):
        grant(projects, f"{holder}/roles/looker", f"user:{holder.split('/')[0]}@example.net")
    for caller in ("projects@example.net", "organizations@example.net"):
        assert projects.get_project(name=DEMO, metadata=bearer(caller)).project_id == "demo-project"
    with refused(BadRequest, "does not exist in the resource's hierarchy"):
        grant(projects, f"{DEMO}/roles/looker", "user:x@example.net", resource="projects/old-maps-site")


def test_strangers_become_owners_by_invitation_only(projects: Any, sandbox: Running) -> None:
    assert "user:colleague@example.com" in str(grant(projects, "roles/owner", "user:colleague@example.com"))
    with refused(BadRequest, "Request contains an invalid argument.") as caught:
        grant(projects, "roles/owner", "user:stranger@example.net")
    if projects.transport.kind == "rest":
        assert "ORG_MUST_INVITE_EXTERNAL_OWNERS" in str(caught.value.details)
    mine = rm.Project(project_id="solo-project")
    projects.create_project(project=mine, metadata=bearer("me@example.net"))
    answer = send(
        sandbox,
        "POST",
        "/v1/projects/solo-project:setIamPolicy",
        {"policy": {"bindings": [{"role": "roles/owner", "members": ["user:me@example.net", "user:you@example.net"]}]}},
        {"Authorization": "Bearer me@example.net"},
    )
    assert answer.data["error"]["details"] == [
        {
            "@type": "type.googleapis.com/google.cloudresourcemanager.v1.ProjectIamPolicyError",
            "type": "SOLO_MUST_INVITE_OWNERS",
            "member": "user:you@example.net",
            "role": "roles/owner",
        }
    ]


def test_a_project_outside_all_organisations_keeps_an_owner(sandbox: Running) -> None:
    projects = grpc_client(rm.ProjectsClient, sandbox)
    me = bearer("me@example.net")
    projects.create_project(project=rm.Project(project_id="solo-project"), metadata=me)
    with refused(BadRequest, "Request contains an invalid argument."):
        projects.set_iam_policy(request={"resource": "projects/solo-project", "policy": {}}, metadata=me)


def test_setting_needs_its_permission(projects: Any) -> None:
    grant(projects, "roles/editor", "user:editor@example.net")
    editor = bearer("editor@example.net")
    policy = projects.get_iam_policy(resource=DEMO, metadata=editor)
    with refused(Forbidden, "'resourcemanager.projects.setIamPolicy' denied", reason="IAM_PERMISSION_DENIED"):
        projects.set_iam_policy(request={"resource": DEMO, "policy": policy}, metadata=editor)
    with refused(Forbidden, "'resourcemanager.projects.getIamPolicy' denied"):
        projects.get_iam_policy(resource=DEMO, metadata=bearer("stranger@example.net"))


def test_the_policy_of_a_deleted_project_can_be_read_only(projects: Any) -> None:
    projects.delete_project(name=DEMO).result(timeout=60)
    assert bound(policy_of(projects))
    with refused(BadRequest, "Precondition check failed."):
        grant(projects, "roles/viewer", "user:guest@example.net")
