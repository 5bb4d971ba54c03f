"""Organization Policy v2 through Google's own client: gRPC, asyncio gRPC and its REST transport."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import Aborted, AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from google.cloud import api_keys_v2, orgpolicy_v2
from google.cloud.orgpolicy_v2 import Constraint

from .clients import async_client, bearer, discovered, grpc_client, refused, rest_client
from .conftest import Running

BINDING = "iam.managed.disableServiceAccountApiKeyCreation"
CREATION = "iam.disableServiceAccountCreation"
DEMO, NUMBER, FOLDER, ORGANISATION = "projects/demo-project", "projects/100000000001", "folders/1001", "organizations/1000"


@pytest.fixture(params=[pytest.param(grpc_client, id="grpc"), pytest.param(rest_client, id="rest")])
def client(request: pytest.FixtureRequest, sandbox: Running) -> Any:
    return request.param(orgpolicy_v2.OrgPolicyClient, sandbox)


def _effective(client: Any, parent: str, constraint: str = BINDING) -> bool:
    policy = client.get_effective_policy(request={"name": f"{parent}/policies/{constraint}"})
    assert not policy.etag
    assert not policy.spec.etag
    (rule,) = policy.spec.rules
    return bool(rule.enforce)


def _create(client: Any, parent: str, enforce: bool, constraint: str = BINDING) -> Any:
    policy = {"name": f"{parent}/policies/{constraint}", "spec": {"rules": [{"enforce": enforce}]}}
    return client.create_policy(request={"parent": parent, "policy": policy})


def test_key_binding_is_forbidden_by_default_and_other_things_are_not(client: Any) -> None:
    for parent in (DEMO, FOLDER, ORGANISATION):
        assert _effective(client, parent)
        assert not _effective(client, parent, CREATION)
    answer = client.get_effective_policy(request={"name": f"{DEMO}/policies/{BINDING}"})
    assert answer.name == f"{NUMBER}/policies/{BINDING}"


def test_effective_policies_are_inherited_and_overridden(client: Any) -> None:
    _create(client, ORGANISATION, False)
    assert [_effective(client, parent) for parent in (ORGANISATION, FOLDER, DEMO)] == [False, False, False]
    _create(client, FOLDER, True)
    assert [_effective(client, parent) for parent in (ORGANISATION, FOLDER, DEMO)] == [False, True, True]
    _create(client, DEMO, False)
    assert [_effective(client, parent) for parent in (ORGANISATION, FOLDER, DEMO)] == [False, True, False]
    client.delete_policy(request={"name": f"{FOLDER}/policies/{BINDING}"})
    client.delete_policy(request={"name": f"{NUMBER}/policies/{BINDING}"})
    assert [_effective(client, parent) for parent in (ORGANISATION, FOLDER, DEMO)] == [False, False, False]


def test_reset_goes_back_to_the_default(client: Any) -> None:
    _create(client, ORGANISATION, False)
    policy = {"name": f"{DEMO}/policies/{BINDING}", "spec": {"reset": True}}
    client.create_policy(request={"parent": DEMO, "policy": policy})
    assert _effective(client, DEMO)
    _create(client, ORGANISATION, True, CREATION)
    policy = {"name": f"{DEMO}/policies/{CREATION}", "spec": {"reset": True}}
    client.create_policy(request={"parent": DEMO, "policy": policy})
    assert _effective(client, FOLDER, CREATION)
    assert not _effective(client, DEMO, CREATION)


def test_a_dry_run_and_conditions_decide_nothing(client: Any) -> None:
    policy = {"name": f"{DEMO}/policies/{BINDING}", "dry_run_spec": {"rules": [{"enforce": False}]}}
    made = client.create_policy(request={"parent": DEMO, "policy": policy})
    assert not made.spec
    assert made.dry_run_spec.etag
    assert _effective(client, DEMO)
    condition = {"expression": "resource.matchTag('1000/env', 'prod')"}
    policy = {
        "name": f"{FOLDER}/policies/{BINDING}",
        "spec": {"rules": [{"enforce": False}, {"enforce": True, "condition": condition}]},
    }
    client.create_policy(request={"parent": FOLDER, "policy": policy})
    assert not _effective(client, FOLDER)


def test_get_list_update_with_etag(client: Any) -> None:
    name = f"{DEMO}/policies/{BINDING}"
    with refused(NotFound):
        client.get_policy(request={"name": name})
    with refused(NotFound):
        client.update_policy(request={"policy": {"name": name, "spec": {"rules": [{"enforce": True}]}}})
    made = _create(client, DEMO, True)
    assert made.name == f"{DEMO}/policies/{BINDING}"  # as it was asked for (recorded)
    assert made.etag == made.spec.etag
    assert client.get_policy(request={"name": name}) == made
    assert list(client.list_policies(request={"parent": DEMO})) == [made]
    assert list(client.list_policies(request={"parent": FOLDER})) == []
    with refused(AlreadyExists):
        _create(client, DEMO, True)
    changed = {"name": name, "spec": {"rules": [{"enforce": False}], "etag": made.spec.etag}}
    updated = client.update_policy(request={"policy": changed})
    assert updated.etag != made.etag
    assert not _effective(client, DEMO)
    with refused(Aborted):
        client.update_policy(request={"policy": changed})
    with refused(Aborted):
        client.delete_policy(request={"name": name, "etag": made.etag})
    client.delete_policy(request={"name": name, "etag": updated.etag})


def test_update_by_mask_keeps_the_other_spec(client: Any) -> None:
    name = f"{DEMO}/policies/{BINDING}"
    _create(client, DEMO, False)
    dry = {"name": name, "dry_run_spec": {"rules": [{"enforce": True}]}}
    both = client.update_policy(request={"policy": dry, "update_mask": {"paths": ["policy.dry_run_spec"]}})
    assert [rule.enforce for rule in both.spec.rules] == [False]
    assert [rule.enforce for rule in both.dry_run_spec.rules] == [True]
    alone = client.update_policy(request={"policy": dry})
    assert not alone.spec
    with refused(InvalidArgument):
        client.update_policy(request={"policy": dry, "update_mask": {"paths": ["alternate"]}})


@pytest.mark.parametrize(
    "spec",
    [
        {"rules": []},
        {"rules": [{"enforce": True}, {"enforce": False}]},
        {"rules": [{"allow_all": True}]},
        {"rules": [{"values": {"allowed_values": ["x"]}}]},
        {"rules": [{"enforce": True}], "inherit_from_parent": True},
        {"rules": [{"enforce": True}], "reset": True},
    ],
)
def test_specs_that_a_boolean_constraint_cannot_have(client: Any, spec: dict[str, Any]) -> None:
    with refused(InvalidArgument):
        client.create_policy(request={"parent": DEMO, "policy": {"name": f"{DEMO}/policies/{BINDING}", "spec": spec}})


def test_unknown_constraints_are_not_found(client: Any) -> None:
    with refused(NotFound, "Requested entity was not found."):
        _effective(client, DEMO, "iam.noSuchThing")
    with refused(NotFound):
        _create(client, DEMO, True, "iam.noSuchThing")
    with refused(InvalidArgument):
        client.create_policy(
            request={"parent": DEMO, "policy": {"name": f"{FOLDER}/policies/{BINDING}", "spec": {"rules": [{"enforce": True}]}}}
        )


def test_constraints_are_listed_with_their_default(client: Any) -> None:
    found = {constraint.name: constraint for constraint in client.list_constraints(request={"parent": DEMO})}
    assert found[f"{NUMBER}/constraints/{BINDING}"].constraint_default == Constraint.ConstraintDefault.DENY
    assert found[f"{NUMBER}/constraints/{CREATION}"].constraint_default == Constraint.ConstraintDefault.ALLOW
    assert "boolean_constraint" in found[f"{NUMBER}/constraints/{CREATION}"]


async def test_asyncio_client(sandbox: Running) -> None:
    client = async_client(orgpolicy_v2.OrgPolicyAsyncClient, sandbox)
    policy = await client.get_effective_policy(request={"name": f"{DEMO}/policies/{BINDING}"})
    assert [rule.enforce for rule in policy.spec.rules] == [True]
    assert [policy async for policy in await client.list_policies(request={"parent": DEMO})] == []


def test_discovery_client_reads_false_as_false(sandbox: Running) -> None:
    policies = discovered("orgpolicy", "v2", sandbox).projects().policies()
    answer = policies.getEffectivePolicy(name=f"{DEMO}/policies/{CREATION}").execute()
    assert answer == {"name": f"{NUMBER}/policies/{CREATION}", "spec": {"rules": [{"enforce": False}]}}


@pytest.mark.parametrize(
    ("permission", "call"),
    [
        (
            "orgpolicy.policy.get",
            lambda c, m: c.get_effective_policy(request={"name": f"{DEMO}/policies/{BINDING}"}, metadata=m),
        ),
        ("orgpolicy.policy.get", lambda c, m: c.get_policy(request={"name": f"{DEMO}/policies/{BINDING}"}, metadata=m)),
        ("orgpolicy.policies.list", lambda c, m: list(c.list_policies(request={"parent": DEMO}, metadata=m))),
        ("orgpolicy.constraints.list", lambda c, m: list(c.list_constraints(request={"parent": DEMO}, metadata=m))),
        (
            "orgpolicy.policies.create",
            lambda c, m: c.create_policy(
                request={
                    "parent": DEMO,
                    "policy": {"name": f"{DEMO}/policies/{CREATION}", "spec": {"rules": [{"enforce": True}]}},
                },
                metadata=m,
            ),
        ),
        (
            "orgpolicy.policies.update",
            lambda c, m: c.update_policy(
                request={"policy": {"name": f"{DEMO}/policies/{BINDING}", "spec": {"rules": [{"enforce": True}]}}}, metadata=m
            ),
        ),
        (
            "orgpolicy.policies.delete",
            lambda c, m: c.delete_policy(request={"name": f"{DEMO}/policies/{BINDING}"}, metadata=m),
        ),
    ],
)
def test_each_method_needs_its_permission(
    client: Any, sandbox: Running, permission: str, call: Callable[[Any, Any], Any]
) -> None:
    sandbox.control("seed", {"orgPolicies": {DEMO: {BINDING: True}}})
    with refused(
        PermissionDenied, permission, "orgpolicy.googleapis.com/projects/demo-project", reason="IAM_PERMISSION_DENIED"
    ):
        call(client, bearer("stranger@example.com"))
    role = f"{DEMO}/roles/justThat"
    sandbox.control(
        "seed",
        {
            "customRoles": {role: [permission]},
            "projects": [{"projectId": "demo-project", "iam": {role: ["user:stranger@example.com"]}}],
        },
    )
    call(client, bearer("stranger@example.com"))


def test_it_decides_whether_keys_may_be_bound(client: Any, sandbox: Running) -> None:
    sandbox.control("seed", {"projects": [{"projectId": "demo-project", "serviceAccounts": ["robot-one"]}]})
    body = {"displayName": "bound", "serviceAccountEmail": "robot-one@demo-project.iam.gserviceaccount.com"}

    def bind() -> str:
        url = f"{sandbox.rest}/v2/{DEMO}/locations/global/keys"
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            return str(urllib.request.urlopen(request, timeout=60).status)
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read().decode()}"

    assert BINDING in bind()
    _create(client, DEMO, False)
    assert bind() == "200"
    keys = grpc_client(api_keys_v2.ApiKeysClient, sandbox)
    assert len(list(keys.list_keys(parent=f"{DEMO}/locations/global"))) == 1
    client.delete_policy(request={"name": f"{DEMO}/policies/{BINDING}"})
    assert BINDING in bind()


def test_a_seed_of_policies_is_what_the_api_shows(client: Any, sandbox: Running) -> None:
    sandbox.control("seed", {"orgPolicies": {FOLDER: {BINDING: False}}})
    (policy,) = client.list_policies(request={"parent": FOLDER})
    assert policy.name == f"{FOLDER}/policies/{BINDING}"
    assert policy.spec.update_time.year >= 2025
