"""Conditions of role bindings in CEL, deny policies and tags: who may do what, seen through the calls that they allow."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import iam_v2, resourcemanager_v3
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.sandbox.state import conditions
from keyadmin.sandbox.state.conditions import NotACondition, NotEvaluable, compiled, evaluate, moment
from keyadmin.sandbox.state.policies import Situation

from .clients import grpc_client, rest_client
from .conftest import Running
from .wire import KEYS, send

ORG = "organizations/1000"
DEMO = "/v1/projects/demo-project"
FRIEND = {"Authorization": "Bearer friend@example.com"}


@pytest.fixture
def box(shared_sandbox: Running) -> Running:
    shared_sandbox.control("reset", {})
    roles = ("roles/owner", "roles/iam.denyAdmin", "roles/resourcemanager.tagAdmin", "roles/resourcemanager.tagUser")
    iam = {role: ["user:owner@example.com"] for role in roles}
    shared_sandbox.control("seed", {"organizations": [{"name": ORG, "iam": iam}]})
    send(shared_sandbox, "POST", f"{DEMO}/services/apikeys.googleapis.com:enable", {})
    return shared_sandbox


def _grant(box: Running, role: str, expression: str, target: str = DEMO) -> Any:
    policy = send(box, "POST", f"{target}:getIamPolicy", {"options": {"requestedPolicyVersion": 3}}).data
    condition = {"title": "while", "expression": expression}
    binding = {"role": role, "members": ["user:friend@example.com"], "condition": condition}
    policy |= {"version": 3, "bindings": [*policy.get("bindings", []), binding]}
    return send(box, "POST", f"{target}:setIamPolicy", {"policy": policy})


@pytest.mark.parametrize(
    ("expression", "status"),
    [
        ('request.time < timestamp("2100-01-01T00:00:00Z")', 200),
        ('request.time > timestamp("2100-01-01T00:00:00Z")', 403),
        ("request.time.getFullYear() > 2000 && request.time.getFullYear() < 2999", 200),
        ('resource.name.startsWith("projects/")', 200),
        ('resource.name.extract("projects/{number}") == "100000000001"', 200),
        ('resource.type == "cloudresourcemanager.googleapis.com/Project"', 200),
        ('resource.service == "secretmanager.googleapis.com"', 403),
        ('!(resource.type == "secretmanager.googleapis.com/Secret")', 200),
        ('api.getAttribute("iam.googleapis.com/modifiedGrantsByRole", []).hasOnly(["roles/viewer"])', 200),
        ('resource.matchTag("1000/env", "prod")', 403),
    ],
)
def test_a_binding_counts_where_its_condition_holds(box: Running, expression: str, status: int) -> None:
    assert _grant(box, "roles/serviceusage.apiKeysViewer", expression).status == 200
    assert send(box, "GET", KEYS, headers=FRIEND).status == status


def test_conditions_on_secrets_name_the_secret(box: Running) -> None:
    box.control("seed", {"projects": [{"projectId": "demo-project", "secrets": {"mine": ["a"], "other": ["b"]}}]})
    for name in ("serviceusage", "secretmanager"):
        send(box, "POST", f"{DEMO}/services/{name}.googleapis.com:enable", {})
    _grant(box, "roles/secretmanager.viewer", 'resource.name.endsWith("/secrets/mine")')
    assert send(box, "GET", f"{DEMO}/secrets/mine", headers=FRIEND).status == 200
    assert send(box, "GET", f"{DEMO}/secrets/other", headers=FRIEND).status == 403


def test_who_may_grant_one_role_alone_grants_no_other(box: Running) -> None:
    only = 'api.getAttribute("iam.googleapis.com/modifiedGrantsByRole", []).hasOnly(["roles/browser"])'
    assert _grant(box, "roles/resourcemanager.projectIamAdmin", only).status == 200
    policy = send(box, "POST", f"{DEMO}:getIamPolicy", {"options": {"requestedPolicyVersion": 3}}, FRIEND).data
    for role, status in (("roles/viewer", 403), ("roles/browser", 200)):
        more = {"role": role, "members": ["user:friend@example.com"]}
        changed = policy | {"bindings": [*policy["bindings"], more]}
        assert send(box, "POST", f"{DEMO}:setIamPolicy", {"policy": changed}, FRIEND).status == status


def test_what_cannot_be_evaluated_grants_nothing_and_says_so(box: Running) -> None:
    assert _grant(box, "roles/serviceusage.apiKeysViewer", 'request.path.startsWith("/v2")').status == 200
    refused = send(box, "GET", KEYS, headers=FRIEND)
    assert refused.status == 403
    said = refused.data["error"]["details"][-1]
    assert said["@type"] == "type.googleapis.com/google.rpc.DebugInfo"
    assert "roles/serviceusage.apiKeysViewer on projects/100000000001 could not be evaluated" in said["detail"]
    assert "DebugInfo" not in send(box, "GET", KEYS, headers={"Authorization": "Bearer x@example.com"}).body.decode()


@pytest.mark.parametrize(
    "expression",
    ["", "request.time <", "foo.bar == 1", "resource.colour == 'red'", 'request.time < timestamp("soon")', "(" * 500],
)
def test_what_is_no_condition_is_refused_when_it_is_set(box: Running, expression: str) -> None:
    assert _grant(box, "roles/viewer", expression).status == 400 if expression else True
    assert _grant(box, "roles/browser", expression).status == 400


def test_a_deny_policy_stands_before_every_role(box: Running) -> None:
    client = grpc_client(iam_v2.PoliciesClient, box)
    point = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fdemo-project/denypolicies"
    rule = iam_v2.DenyRule(
        denied_principals=["principalSet://goog/public:all"],
        exception_principals=["principal://goog/subject/keeper@example.com"],
        denied_permissions=["apikeys.googleapis.com/keys.create", "apikeys.googleapis.com/keys.delete"],
    )
    policy = iam_v2.Policy(display_name="No keys", rules=[iam_v2.PolicyRule(deny_rule=rule)])
    made = client.create_policy(request={"parent": point, "policy": policy, "policy_id": "no-keys"}).result()
    assert made.name == "policies/cloudresourcemanager.googleapis.com%2Fprojects%2F100000000001/denypolicies/no-keys"
    assert made.kind == "DenyPolicy"
    assert send(box, "POST", KEYS, {}).status == 403
    assert send(box, "GET", KEYS).status == 200
    keeper = {"Authorization": "Bearer keeper@example.com"}
    box.control("seed", {"projects": [{"projectId": "demo-project", "iam": {"roles/editor": ["user:keeper@example.com"]}}]})
    assert send(box, "POST", KEYS, {}, keeper).status == 200
    asked = {"permissions": ["apikeys.keys.create", "apikeys.keys.list"]}
    assert send(box, "POST", f"{DEMO}:testIamPermissions", asked).data == {"permissions": ["apikeys.keys.list"]}
    (listed,) = client.list_policies(request={"parent": point})
    assert (listed.name, list(listed.rules)) == (made.name, [])  # lists leave the rules out (recorded)
    assert client.get_policy(request={"name": made.name}).rules == made.rules
    client.delete_policy(request={"name": made.name}).result()
    assert send(box, "POST", KEYS, {}).status == 200


def test_denials_are_inherited_and_may_ask_for_tags(box: Running) -> None:
    keys, values = (
        grpc_client(client, box) for client in (resourcemanager_v3.TagKeysClient, resourcemanager_v3.TagValuesClient)
    )
    key = keys.create_tag_key(tag_key={"parent": ORG, "short_name": "env"}).result()
    value = values.create_tag_value(tag_value={"parent": key.name, "short_name": "prod"}).result()
    assert value.namespaced_name == "1000/env/prod"
    rule = {
        "deniedPrincipals": ["principal://goog/subject/owner@example.com"],
        "deniedPermissions": ["apikeys.googleapis.com/*.*"],
        "denialCondition": {"expression": "resource.matchTag('1000/env', 'prod')"},
    }
    point = "/v2/policies/cloudresourcemanager.googleapis.com%2Forganizations%2F1000/denypolicies?policyId=prod-keys"
    assert send(box, "POST", point, {"rules": [{"denyRule": rule}]}).status == 200
    assert send(box, "GET", KEYS).status == 200
    bindings = rest_client(resourcemanager_v3.TagBindingsClient, box)
    parent = "//cloudresourcemanager.googleapis.com/projects/demo-project"
    bound = bindings.create_tag_binding(tag_binding={"parent": parent, "tag_value_namespaced_name": "1000/env/prod"}).result()
    assert bound.tag_value == value.name
    assert send(box, "GET", KEYS).status == 403
    (effective,) = bindings.list_effective_tags(parent=parent)
    assert (effective.namespaced_tag_value, effective.inherited) == ("1000/env/prod", False)
    assert [found.tag_value for found in bindings.list_tag_bindings(parent=parent)] == [value.name]
    bindings.delete_tag_binding(name=bound.name).result()
    assert send(box, "GET", KEYS).status == 200
    values.delete_tag_value(name=value.name).result()
    assert keys.delete_tag_key(name=key.name).result().short_name == "env"


def test_an_exception_by_tag_from_an_organisations_constraint(box: Running) -> None:
    box.control("seed", {"organizations": [{"name": ORG, "iam": {"roles/orgpolicy.policyAdmin": ["user:owner@example.com"]}}]})
    name = "iam.disableServiceAccountCreation"
    rules = [{"enforce": True}, {"enforce": False, "condition": {"expression": "resource.matchTag('1000/robots', 'yes')"}}]
    policy = {"name": f"{ORG}/policies/{name}", "spec": {"rules": rules}}
    assert send(box, "POST", f"/v2/{ORG}/policies", policy).status == 200
    assert send(box, "POST", f"{DEMO}/serviceAccounts", {"accountId": "robot-one"}).status == 400
    key = send(box, "POST", "/v3/tagKeys", {"parent": ORG, "shortName": "robots"}).data
    key = send(box, "GET", f"/v3/{key['name']}").data["response"]["name"]
    assert send(box, "POST", "/v3/tagValues", {"parent": key, "shortName": "yes"}).status == 200
    body = {
        "parent": "//cloudresourcemanager.googleapis.com/projects/demo-project",
        "tagValueNamespacedName": "1000/robots/yes",
    }
    assert send(box, "POST", "/v3/tagBindings", body).status == 200
    assert send(box, "POST", f"{DEMO}/serviceAccounts", {"accountId": "robot-one"}).status == 200


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_is_refused(text: str) -> None:
    try:
        found = compiled(text)
        value = evaluate(found, Situation(10**15, "projects/1", "a/B").variables())
    except (NotACondition, NotEvaluable):
        return
    assert value in (True, False)


@given(st.integers(0, 4 * 10**15), st.integers(0, 4 * 10**15))
def test_times_are_compared_as_times(now: int, limit: int) -> None:
    text = moment(limit).isoformat().replace("+00:00", "Z")
    found = compiled(f'request.time < timestamp("{text}")')
    assert evaluate(found, Situation(now).variables()) is (now < limit)


def test_conditions_are_not_loaded_before_one_is_met() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from keyadmin.sandbox.cloud import LocalCloud; cloud = LocalCloud(); cloud.start();"
        "print('celpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert conditions.compiled("true").expression == "true"
