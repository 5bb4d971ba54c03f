"""Organisation policies beyond the boolean ones: lists, conditions on tags, custom constraints on keys, dry runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.sandbox.services.orgpolicy.fields import KEY, holds
from keyadmin.sandbox.state.conditions import compiled

from .conftest import Running
from .wire import send

ORG = "organizations/1000"
POLICIES = f"/v2/{ORG}/policies"
CUSTOM = f"/v2/{ORG}/customConstraints"
KEYS = "/v2/projects/p-one/locations/global/keys"
USAGE = "gcp.restrictServiceUsage"
GEMINI = {"apiTargets": [{"service": "generativelanguage.googleapis.com"}]}
CONSTRAINT = {
    "name": f"{ORG}/customConstraints/custom.needsTargets",
    "resourceTypes": [KEY],
    "methodTypes": ["CREATE", "UPDATE"],
    "condition": "!has(resource.restrictions) || size(resource.restrictions.apiTargets) == 0",
    "actionType": "DENY",
    "displayName": "Keys need API targets",
    "description": "Every key of this organisation is restricted to APIs.",
}
SEED: dict[str, Any] = {
    "organizations": [
        {"name": ORG, "displayName": "example.com", "iam": {"roles/orgpolicy.policyAdmin": ["user:owner@example.com"]}}
    ],
    "projects": [
        {
            "projectId": "p-one",
            "projectNumber": "100000000011",
            "parent": ORG,
            "services": ["apikeys.googleapis.com"],
            "iam": {"roles/owner": ["user:owner@example.com"]},
        }
    ],
}


@pytest.fixture
def box(shared_sandbox: Running) -> Running:
    shared_sandbox.control("reset", {})
    shared_sandbox.control("seed", SEED)
    return shared_sandbox


def _ok(sandbox: Running, method: str, path: str, body: Any = None) -> Any:
    reply = send(sandbox, method, path, body)
    assert reply.status == 200, reply.body
    return reply.data


def _policy(name: str, **parts: Any) -> dict[str, Any]:
    return {"name": f"{ORG}/policies/{name}", **parts}


def _enforced(**parts: Any) -> dict[str, Any]:
    return _policy("custom.needsTargets", **parts)


ON = {"rules": [{"enforce": True}]}
OFF = {"rules": [{"enforce": False}]}


def test_a_custom_constraint_refuses_keys_in_googles_form(box: Running) -> None:
    made = _ok(box, "POST", CUSTOM, CONSTRAINT)
    assert {name: made[name] for name in CONSTRAINT} == CONSTRAINT
    assert send(box, "POST", KEYS, {}).status == 200  # it enforces nothing without a policy
    _ok(box, "POST", POLICIES, _enforced(spec=ON))
    refused = send(box, "POST", KEYS, {"displayName": "open"})
    assert (refused.status, refused.data["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert refused.data["error"]["message"].startswith("Operation denied by org policy on resource 'projects/100000000011")
    assert f'["customConstraints/custom.needsTargets": "{CONSTRAINT["description"]}"]' in refused.data["error"]["message"]
    (info,) = refused.data["error"]["details"]
    assert (info["reason"], info["domain"]) == ("CUSTOM_ORG_POLICY_VIOLATION", "googleapis.com")
    assert info["metadata"]["customConstraints"] == "customConstraints/custom.needsTargets"
    assert send(box, "POST", KEYS, {"restrictions": GEMINI}).status == 200


def test_a_key_that_violates_is_changed_only_by_what_cures_it(box: Running) -> None:
    _ok(box, "POST", f"{KEYS}?keyId=old-key", {"displayName": "before the rule"})
    _ok(box, "POST", CUSTOM, CONSTRAINT)
    _ok(box, "POST", POLICIES, _enforced(spec=ON))
    assert send(box, "PATCH", f"{KEYS}/old-key?updateMask=annotations", {"annotations": {"a": "b"}}).status == 400
    _ok(box, "PATCH", f"{KEYS}/old-key?updateMask=restrictions", {"restrictions": GEMINI})
    _ok(box, "PATCH", f"{KEYS}/old-key?updateMask=annotations", {"annotations": {"a": "b"}})
    assert send(box, "PATCH", f"{KEYS}/old-key?updateMask=restrictions", {}).status == 400


def test_constraints_on_creation_alone_leave_updates_alone(box: Running) -> None:
    _ok(box, "POST", CUSTOM, CONSTRAINT | {"methodTypes": ["CREATE"]})
    _ok(box, "POST", f"{KEYS}?keyId=old-key", {})
    _ok(box, "POST", POLICIES, _enforced(spec=ON))
    _ok(box, "PATCH", f"{KEYS}/old-key?updateMask=annotations", {"annotations": {"a": "b"}})


def test_a_dry_run_refuses_nothing_and_is_logged(start_sandbox: Callable[..., Running]) -> None:
    dry = {"custom.needsTargets": {"dryRunSpec": ON}}
    box = start_sandbox(SEED | {"customConstraints": [CONSTRAINT], "orgPolicies": {ORG: dry}})
    _ok(box, "POST", KEYS, {"restrictions": GEMINI})
    _ok(box, "POST", KEYS, {"displayName": "open"})
    wanted = 'protoPayload.metadata.dryRunResult="DENIED" AND protoPayload.metadata.liveResult="ALLOWED"'
    send(box, "POST", "/v1/projects/p-one/services/logging.googleapis.com:enable", {})
    asked = {"resourceNames": ["projects/p-one"], "filter": wanted}
    (entry,) = _ok(box, "POST", "/v2/entries:list", asked)["entries"]
    assert entry["logName"].endswith("/logs/cloudaudit.googleapis.com%2Fpolicy")
    violation = entry["protoPayload"]["policyViolationInfo"]["orgPolicyViolationInfo"]
    assert violation["resourceType"] == KEY
    assert violation["violationInfo"][0]["constraint"] == "customConstraints/custom.needsTargets"


@pytest.mark.parametrize(
    "change",
    [
        {"condition": "resource.annotations.a == 'b'"},
        {"condition": "resource.restrictions.apiTargets.uid == 'b'"},
        {"condition": "resource.displayName =="},
        {"condition": "resource.displayName == 'a' || request.time < timestamp('2030-01-01T00:00:00Z')"},
        {"condition": "lookup(resource.displayName)"},
        {"condition": "x" * 1001},
        {"condition": ""},
        {"displayName": ""},
        {"displayName": "x" * 201},
        {"description": "x" * 2001},
        {"methodTypes": ["UPDATE"]},
        {"methodTypes": ["DELETE"]},
        {"methodTypes": []},
        {"actionType": "ACTION_TYPE_UNSPECIFIED"},
        {"resourceTypes": []},
        {"name": f"{ORG}/customConstraints/custom.has-dash"},
        {"name": f"{ORG}/customConstraints/plain"},
    ],
    ids=str,
)
def test_what_is_no_constraint_is_refused_with_the_reason(box: Running, change: dict[str, Any]) -> None:
    reply = send(box, "POST", CUSTOM, CONSTRAINT | change)
    assert reply.status == 400, reply.body
    assert reply.reason == "INVALID_CUSTOM_CONSTRAINT"


def test_custom_constraints_are_kept_replaced_and_deleted(box: Running) -> None:
    name = f"/v2/{CONSTRAINT['name']}"
    missing = send(box, "GET", name)
    assert (missing.status, missing.data["error"]["message"]) == (404, "Requested entity was not found.")
    _ok(box, "POST", CUSTOM, CONSTRAINT)
    assert send(box, "POST", CUSTOM, CONSTRAINT).status == 409
    plain = {name: value for name, value in CONSTRAINT.items() if name != "description"}
    changed = _ok(box, "PATCH", name, plain | {"actionType": "ALLOW"})
    assert "description" not in changed  # the whole object is replaced
    assert send(box, "PATCH", name, CONSTRAINT | {"resourceTypes": ["container.googleapis.com/NodePool"]}).status == 400
    numbers = _ok(box, "GET", f"{name}?$alt=json;enum-encoding=int")
    assert (numbers["actionType"], numbers["methodTypes"]) == (1, [1, 2])
    assert [found["name"] for found in _ok(box, "GET", CUSTOM)["customConstraints"]] == [CONSTRAINT["name"]]
    assert _ok(box, "DELETE", name) == {}
    assert send(box, "GET", name).status == 404
    assert _ok(box, "GET", CUSTOM) == {}


def test_at_most_twenty_of_a_type(box: Running) -> None:
    for number in range(20):
        _ok(box, "POST", CUSTOM, CONSTRAINT | {"name": f"{ORG}/customConstraints/custom.n{number}"})
    assert send(box, "POST", CUSTOM, CONSTRAINT).status == 429
    other = CONSTRAINT | {"resourceTypes": ["container.googleapis.com/NodePool"], "condition": "resource.x == 1"}
    _ok(box, "POST", CUSTOM, other)


def test_lists_are_inherited_merged_and_denied(box: Running) -> None:
    def effective() -> Any:
        return _ok(box, "GET", f"/v2/projects/p-one/policies/{USAGE}:getEffectivePolicy")["spec"]["rules"]

    assert effective() == [{"allowAll": True}]
    _ok(box, "POST", POLICIES, _policy(USAGE, spec={"rules": [{"values": {"deniedValues": ["is:apikeys.googleapis.com"]}}]}))
    assert effective() == [{"values": {"deniedValues": ["is:apikeys.googleapis.com"]}}]
    blocked = send(box, "GET", KEYS)
    assert (blocked.status, blocked.reason) == (403, "RESOURCE_USAGE_RESTRICTION_VIOLATED")
    message = blocked.data["error"]["message"]
    assert message.endswith("for 'projects/100000000011' attempting to use service 'apikeys.googleapis.com'.")
    own = {"name": f"projects/p-one/policies/{USAGE}", "spec": {"rules": [{"allowAll": True}]}}
    _ok(box, "POST", "/v2/projects/p-one/policies", own)
    assert send(box, "GET", KEYS).status == 200
    merged = {"inheritFromParent": True, "rules": [{"values": {"deniedValues": ["compute.googleapis.com"]}}]}
    _ok(box, "PATCH", f"/v2/projects/p-one/policies/{USAGE}", own | {"spec": merged})
    assert send(box, "GET", KEYS).status == 403
    _ok(box, "PATCH", f"/v2/projects/p-one/policies/{USAGE}", own | {"spec": {"reset": True}})
    assert effective() == [{"allowAll": True}]


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        (USAGE, {"rules": [{"values": {"allowedValues": ["a"], "deniedValues": ["b"]}}]}),
        (USAGE, {"rules": [{"enforce": True}]}),
        (USAGE, {"rules": [{"values": {}}]}),
        (USAGE, {"rules": [{"values": {"allowedValues": [f"s{n}.googleapis.com" for n in range(501)]}}]}),
        (USAGE, {"rules": [{"values": {"allowedValues": ["x" * 33_000]}}]}),
        (USAGE, {"reset": True, "rules": [{"allowAll": True}]}),
        ("iam.disableServiceAccountCreation", {"rules": [{"allowAll": True}]}),
        ("iam.disableServiceAccountCreation", {"inheritFromParent": True, "rules": [{"enforce": True}]}),
        ("iam.disableServiceAccountCreation", {"rules": [{"enforce": True}, {"enforce": False}]}),
        (
            "iam.disableServiceAccountCreation",
            {"rules": [{"enforce": True}, {"enforce": True, "condition": {"expression": "resource.matchTag('1000/a', 'b')"}}]},
        ),
        (
            "iam.disableServiceAccountCreation",
            {"rules": [{"enforce": True}, {"enforce": False, "condition": {"expression": "resource.name == 'x'"}}]},
        ),
        ("iam.disableServiceAccountCreation", {"rules": [{"enforce": True, "parameters": {"a": "b"}}]}),
    ],
    ids=str,
)
def test_policies_that_do_not_fit_their_constraint_are_refused(box: Running, name: str, spec: dict[str, Any]) -> None:
    assert send(box, "POST", POLICIES, _policy(name, spec=spec)).status == 400


def test_the_managed_constraint_lets_the_services_of_its_parameter_through(box: Running) -> None:
    box.control("seed", {"projects": [{"projectId": "p-one", "serviceAccounts": ["robot"]}]})
    name = "iam.managed.disableServiceAccountApiKeyCreation"
    key: dict[str, Any] = {
        "serviceAccountEmail": "robot@p-one.iam.gserviceaccount.com",
        "restrictions": {"apiTargets": [{"service": "translate.googleapis.com"}]},
    }
    refused = send(box, "POST", KEYS, key)
    assert (refused.status, refused.reason) == (400, "CUSTOM_ORG_POLICY_VIOLATION")
    assert f"constraints/{name}" in refused.data["error"]["message"]
    rule = {"enforce": True, "parameters": {"allowedServices": ["translate.googleapis.com"]}}
    _ok(box, "POST", POLICIES, _policy(name, spec={"rules": [rule]}))
    _ok(box, "POST", KEYS, key)
    key["restrictions"]["apiTargets"].append({"service": "maps-backend.googleapis.com"})
    assert send(box, "POST", KEYS, key).status == 400


def test_a_policy_takes_its_time_to_be_known(box: Running) -> None:
    box.control("propagation", {"policy": "2m"})
    _ok(box, "POST", CUSTOM, CONSTRAINT)
    _ok(box, "POST", POLICIES, _enforced(spec=ON))
    assert send(box, "POST", KEYS, {}).status == 200
    box.control("clock", {"advance": "121s"})
    assert send(box, "POST", KEYS, {}).status == 400
    _ok(box, "DELETE", f"{POLICIES}/custom.needsTargets")
    assert send(box, "GET", f"{POLICIES}/custom.needsTargets").status == 404
    assert send(box, "POST", KEYS, {}).status == 400  # a refusal right after the removal proves nothing
    box.control("clock", {"advance": "121s"})
    assert send(box, "POST", KEYS, {}).status == 200


def test_writes_that_overlap_at_one_place_are_refused(box: Running) -> None:
    box.control("latency", {"ms": 300})
    statuses: list[int] = []

    def write(number: int) -> None:
        body = CONSTRAINT | {"name": f"{ORG}/customConstraints/custom.n{number}"}
        statuses.append(send(box, "POST", CUSTOM, body).status)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409, 409, 409]


@pytest.mark.parametrize(
    ("condition", "key", "expected"),
    [
        ("!has(resource.restrictions)", {}, True),
        ("!has(resource.restrictions)", {"restrictions": GEMINI}, False),
        ("has(resource.restrictions.serverKeyRestrictions)", {"restrictions": GEMINI}, False),
        ("resource.restrictions.apiTargets.exists(t, t.service == 'generativelanguage.googleapis.com')", {}, False),
        ("resource.restrictions.apiTargets.all(t, t.service == 'generativelanguage.googleapis.com')", {}, True),
        ("size(resource.restrictions.apiTargets) == 1", {"restrictions": GEMINI}, True),
        ("resource.displayName.startsWith('prod-')", {"displayName": "prod-a"}, True),
        ("resource.displayName.matches('^[a-z]+$')", {"displayName": "A"}, False),
        ("resource.serviceAccountEmail == ''", {}, True),
        ("'*' in resource.restrictions.browserKeyRestrictions.allowedReferrers", {}, False),
        (
            "resource.restrictions.serverKeyRestrictions.allowedIps.exists(ip, ip == '0.0.0.0/0')",
            {"restrictions": {"serverKeyRestrictions": {"allowedIps": ["0.0.0.0/0"]}}},
            True,
        ),
        (
            "resource.restrictions.androidKeyRestrictions.allowedApplications.all(a, a.packageName.startsWith('com.example'))",
            {"restrictions": {"androidKeyRestrictions": {"allowedApplications": [{"packageName": "org.other"}]}}},
            False,
        ),
        ("resource.restrictions.iosKeyRestrictions.allowedBundleIds.size() > 0", {}, False),
    ],
    ids=str,
)
def test_the_nine_fields_of_a_key(condition: str, key: dict[str, Any], expected: bool) -> None:
    assert holds(KEY, compiled(condition), key) is expected


@given(st.dictionaries(st.sampled_from(["displayName", "serviceAccountEmail"]), st.text(max_size=8)))
def test_what_is_not_set_is_told_from_what_is(key: dict[str, str]) -> None:
    for field in ("displayName", "serviceAccountEmail"):
        assert holds(KEY, compiled(f"has(resource.{field})"), key) is bool(key.get(field))
        assert holds(KEY, compiled(f"resource.{field} == ''"), key) is not bool(key.get(field))
