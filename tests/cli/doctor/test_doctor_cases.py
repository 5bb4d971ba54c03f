"""`doctor` in every state that issue threads tell of: who may what, which APIs are on, what stands above the project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keyadmin.access.permissions import APIS, FEATURES

DEV = "dev@example.com"
FIVE = set(FEATURES["create-auth-key"].permissions)
OLD_THREE = ["resourcemanager.projects.get", "apikeys.keys.create", "serviceusage.services.enable"]
GEMINI = "api:generativelanguage.googleapis.com"
POLICY = "org-policy:key-binding"
CONSTRAINT = "iam.managed.disableServiceAccountApiKeyCreation"
FIELDS = {"project", "feature", "ready", "principal", "checks", "missingPermissions", "remedy"}


def test_the_owner_of_a_fresh_project_is_ready(doctor: Callable[..., Any]) -> None:
    found = doctor("demo-project")
    assert found.code == 0
    assert found.ready
    assert found.missing == set()
    assert found.whole["principal"] == "owner@example.com"
    assert found.whole["remedy"]["roles"] == []
    assert all(found.status(f"permission:{name}") == "ok" for name in FIVE)


def test_the_json_is_the_contract_s(doctor: Callable[..., Any], served: Any) -> None:
    found = doctor("demo-project", user=DEV)
    assert set(found.whole) == FIELDS
    assert set(found.whole["remedy"]) == {"roles", "customRole", "commands", "message"}
    assert set(found.whole["remedy"]["customRole"]) == {"title", "includedPermissions"}
    ids = {"project", "caller", "quota-project", POLICY, "key-limit"}
    ids |= {f"permission:{name}" for name in FIVE} | {f"api:{name}" for name in APIS}
    assert set(found.checks) == ids
    for check in found.checks.values():
        assert set(check) <= {"id", "status", "required", "permission", "detail", "fix"}
        assert check["status"] in ("ok", "missing", "failed", "unknown")
        assert isinstance(check["required"], bool)
        assert check["detail"]


def test_a_viewer_lacks_four_of_five(doctor: Callable[..., Any], served: Any) -> None:
    served.seed(projects=[{"projectId": "demo-project", "iam": {"roles/viewer": [f"user:{DEV}"]}}])
    found = doctor("demo-project", user=DEV)
    assert found.code == 3
    assert not found.ready
    assert found.missing == FIVE - {"resourcemanager.projects.get"}
    assert found.status("project") == "ok"


def test_a_custom_role_of_the_three_old_permissions_lacks_the_two_new_ones(doctor: Callable[..., Any], served: Any) -> None:
    """The case that broke in 2026."""
    served.give(DEV, OLD_THREE)
    found = doctor("demo-project", user=DEV)
    assert found.code == 3
    assert found.missing == {"iam.serviceAccounts.create", "iam.serviceAccountApiKeyBindings.create"}
    assert set(found.whole["remedy"]["customRole"]["includedPermissions"]) == found.missing
    assert set(found.whole["remedy"]["roles"]) == {
        "roles/iam.serviceAccountApiKeyBindingAdmin",
        "roles/iam.serviceAccountCreator",
    }
    assert doctor("demo-project", "--for", "create-standard-key", user=DEV).ready


def test_exactly_the_five_are_ready_and_what_they_cannot_read_is_unknown(doctor: Callable[..., Any], served: Any) -> None:
    served.give(DEV, sorted(FIVE))
    found = doctor("demo-project", user=DEV)
    assert found.code == 0
    assert found.ready
    for identity in (GEMINI, POLICY, "key-limit"):
        assert found.status(identity) == "unknown"
        assert not found.checks[identity]["required"]
        assert "missing" in found.checks[identity]["detail"]  # the reason: which permission


def test_apis_off_and_on(doctor: Callable[..., Any], served: Any) -> None:
    found = doctor("demo-project")
    assert found.status(GEMINI) == "missing"
    assert not found.checks[GEMINI]["required"]  # keys create turns it on
    assert found.checks[GEMINI]["fix"] == "keyadmin projects enable generativelanguage.googleapis.com --project demo-project"
    served.seed(projects=[{"projectId": "demo-project", "services": ["generativelanguage.googleapis.com"]}])
    assert doctor("demo-project").status(GEMINI) == "ok"


def test_an_api_that_is_off_blocks_what_cannot_turn_it_on(doctor: Callable[..., Any], served: Any) -> None:
    """A key is verified by a Gemini call, which needs the API on in the key's project."""
    found = doctor("demo-project", "--for", "verify")
    assert found.code == 3
    assert found.checks[GEMINI]["required"]
    served.seed(projects=[{"projectId": "demo-project", "services": ["generativelanguage.googleapis.com"]}])
    assert doctor("demo-project", "--for", "verify").ready


def test_the_policy_enforced_matters_to_other_keys_only(doctor: Callable[..., Any], served: Any) -> None:
    found = doctor("demo-project")
    assert found.status(POLICY) == "failed"  # enforced by default
    assert not found.checks[POLICY]["required"]
    assert found.ready
    served.seed(orgPolicies={"organizations/1000": {CONSTRAINT: False}})
    assert doctor("demo-project").status(POLICY) == "ok"


def test_a_missing_project_and_one_without_access_are_named_together(doctor: Callable[..., Any]) -> None:
    absent = doctor("no-such-project-here", user=DEV)
    closed = doctor("demo-project", user=DEV)
    for found in (absent, closed):
        assert found.code == 3
        assert found.status("project") == "failed"
        assert found.checks["project"]["required"]
        assert found.missing == FIVE
        assert "outside the organisation" in found.whole["remedy"]["message"]
    assert absent.checks["project"]["detail"] == closed.checks["project"]["detail"]
    assert "does not exist, or" in closed.checks["project"]["detail"]


def test_a_project_of_which_only_the_rest_is_held_is_told_apart_from_a_missing_one(
    doctor: Callable[..., Any], served: Any
) -> None:
    served.give(DEV, sorted(FIVE - {"resourcemanager.projects.get"}))
    found = doctor("demo-project", user=DEV)
    assert found.status("project") == "unknown"
    assert "it exists" in found.checks["project"]["detail"]
    assert found.missing == {"resourcemanager.projects.get"}
    assert "outside the organisation" not in found.whole["remedy"]["message"]


@pytest.mark.parametrize(("state", "words"), [("DELETE_REQUESTED", "being deleted"), ("SUSPENDED", "suspended")])
def test_projects_that_are_not_active(doctor: Callable[..., Any], served: Any, state: str, words: str) -> None:
    owner = {"roles/owner": ["user:owner@example.com"]}
    served.seed(projects=[{"projectId": "gone-project", "state": state, "iam": owner}])
    found = doctor("gone-project")
    assert found.code == 3
    assert found.status("project") == "failed"
    assert words in found.checks["project"]["detail"]
    assert found.checks["project"]["fix"]


@pytest.mark.parametrize("above", ["folders/1001", "organizations/1000"])
def test_grants_inherited_from_above_count(doctor: Callable[..., Any], served: Any, above: str) -> None:
    served.seed(projects=[{"projectId": "child-project", "parent": "folders/1001"}])
    assert not doctor("child-project", user=DEV).ready
    served.give(DEV, sorted(FIVE), on=above)
    assert doctor("child-project", user=DEV).ready


def test_no_quota_project_is_said(doctor: Callable[..., Any]) -> None:
    found = doctor("demo-project")
    assert found.status("quota-project") == "ok"
    assert "none is named" in found.checks["quota-project"]["detail"]
    assert "no quota project" in found.checks["caller"]["detail"]


def test_a_quota_project_that_may_not_be_used(doctor: Callable[..., Any], served: Any) -> None:
    owner = {"roles/owner": ["user:owner@example.com"]}
    served.seed(projects=[{"projectId": "payer-project", "iam": owner}])
    served.give(DEV, sorted(FIVE))
    found = doctor("demo-project", "--quota-project", "payer-project", user=DEV)
    assert found.code == 3
    assert found.status("quota-project") == "failed"
    assert "serviceusage.services.use" in found.checks["quota-project"]["detail"]
    assert found.checks["quota-project"]["fix"]
    assert found.status("permission:apikeys.keys.create") == "unknown"  # nothing could be asked
    assert found.missing == set()


def test_a_quota_project_that_may_be_used(doctor: Callable[..., Any], served: Any) -> None:
    apis = [f"{name}.googleapis.com" for name in ("apikeys", "orgpolicy", "cloudresourcemanager", "serviceusage", "iam")]
    owner = {"roles/owner": ["user:owner@example.com"]}
    served.seed(projects=[{"projectId": "payer-project", "iam": owner, "services": apis}])
    found = doctor("demo-project", "--quota-project", "payer-project")
    assert found.status("quota-project") == "ok"
    assert found.ready


def test_a_quota_project_in_which_an_api_is_off(doctor: Callable[..., Any], served: Any) -> None:
    owner = {"roles/owner": ["user:owner@example.com"]}
    served.seed(projects=[{"projectId": "payer-project", "iam": owner}])
    found = doctor("demo-project", "--quota-project", "payer-project")
    assert found.status("quota-project") == "failed"
    assert not found.ready


def test_the_key_limit(doctor: Callable[..., Any], served: Any) -> None:
    owner = {"roles/owner": ["user:owner@example.com"]}
    full = [{"displayName": f"key {number}"} for number in range(300)]
    served.seed(projects=[{"projectId": "full-project", "iam": owner, "keys": full}])
    served.seed(projects=[{"projectId": "nearly-full", "iam": owner, "keys": full[:250]}])
    found = doctor("full-project")
    assert found.code == 3
    assert found.status("key-limit") == "failed"
    assert found.checks["key-limit"]["required"]
    nearly = doctor("nearly-full")
    assert nearly.ready
    assert "nearly full" in nearly.checks["key-limit"]["detail"]
    assert "key-limit" not in doctor("full-project", "--for", "delete").checks


def test_a_name_that_does_not_apply_to_projects_is_dropped_and_unknown(
    doctor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    feature = FEATURES["create-auth-key"]
    strange = replace(feature, permissions=(*feature.permissions, "resourcemanager.projects.list"))
    monkeypatch.setitem(FEATURES, "create-auth-key", strange)
    found = doctor("demo-project")
    assert found.status("permission:resourcemanager.projects.list") == "unknown"
    assert all(found.status(f"permission:{name}") == "ok" for name in FIVE)
    assert not found.ready  # never ok


@pytest.mark.parametrize("method", ["TestIamPermissions", "GetProject", "BatchGetServices", "ListKeys", "GetEffectivePolicy"])
def test_what_a_faulty_service_hides_is_unknown_with_the_reason(doctor: Callable[..., Any], served: Any, method: str) -> None:
    served.control("faults", {"method": method, "code": "UNIMPLEMENTED", "times": 100})  # not tried again for half a minute
    found = doctor("demo-project")
    unknown = [check for check in found.checks.values() if check["status"] == "unknown"]
    assert unknown
    assert all(len(check["detail"]) > 10 for check in unknown)
    if method in ("TestIamPermissions", "GetProject"):
        assert not found.ready


def test_at_most_four_round_trips_deep(doctor: Callable[..., Any], served: Any) -> None:
    """At a second a call the whole check takes less than five, so no more than four stand one behind the other."""
    import time

    doctor("demo-project")  # imports
    served.control("latency", {"ms": 1000})
    begun = time.perf_counter()
    doctor("demo-project")
    spent = time.perf_counter() - begun
    served.control("latency", {"ms": 0})
    assert spent < 5
    assert len(served.methods("owner@example.com")) <= 2 * 6


def test_many_projects_in_the_order_given(run: Callable[..., Any], served: Any) -> None:
    served.seed(fleet={"projects": 40, "keysPerProject": 1})
    names = [f"fleet-{number:05}" for number in reversed(range(40))]
    result = run("doctor", *names, "demo-project", "--format", "json")
    assert [each["project"] for each in result.json] == [*names, "demo-project"]
    assert result.code == 0
    table = run("doctor", *names)
    assert len(table.out.splitlines()) == 41


def test_one_project_that_fails_does_not_end_the_others(run: Callable[..., Any]) -> None:
    result = run("doctor", "demo-project", "no-such-project-here", "--format", "json")
    assert result.code == 3
    assert [each["ready"] for each in result.json] == [True, False]


def test_the_default_project_is_checked_when_none_is_named(doctor: Callable[..., Any]) -> None:
    assert doctor().whole["project"] == "demo-project"
    assert doctor(env={"KEYADMIN_PROJECT": "no-such-project-here"}).whole["project"] == "no-such-project-here"


def test_by_project_number(doctor: Callable[..., Any]) -> None:
    assert doctor("100000000001").whole["project"] == "demo-project"


def test_the_text_for_people(run: Callable[..., Any]) -> None:
    ready = run("doctor", "demo-project")
    assert ready.code == 0
    assert "demo-project: ready to create an auth key" in ready.out
    lacking = run("doctor", "demo-project", user=DEV)
    assert lacking.code == 3
    assert "not ready" in lacking.out
    assert "gcloud iam roles create" in lacking.out
    assert "--message" in lacking.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("Demo-Project",),
        ("abc.def",),
        ("demo_project",),
        ("demo-project", "ends-in-"),
        ("demo-project", "--for", "nonsense"),
        ("demo-project", "--apply"),
        ("demo-project", "--member", "a@example.com"),
        ("demo-project", "--apply", "--member", "a@example.com"),
        ("demo-project", "--apply", "--member", "allUsers"),
        ("demo-project", "--nonsense"),
    ],
)
def test_bad_input_is_refused_before_any_call(run: Callable[..., Any], served: Any, arguments: tuple[str, ...]) -> None:
    result = run("doctor", *arguments)
    assert result.code == 2
    assert result.out == ""
    assert served.methods("owner@example.com") == []


@pytest.mark.parametrize(
    ("member", "meant"),
    [
        ("you@example.com", "write user:you@example.com, serviceAccount:you@example.com or group:you@example.com"),
        ("a@p.iam.gserviceaccount.com", "write serviceAccount:a@p.iam.gserviceaccount.com"),
        ("allUsers", "write user:ADDRESS, serviceAccount:ADDRESS or group:ADDRESS"),
    ],
)
def test_a_bare_address_is_told_what_to_write(run: Callable[..., Any], member: str, meant: str) -> None:
    result = run("doctor", "demo-project", "--member", member)
    assert result.code == 2
    assert f"{meant}\n" in result.err
    assert "not a member" not in result.err


def test_a_project_in_the_variable_that_cannot_be_one(run: Callable[..., Any], served: Any) -> None:
    assert run("doctor", env={"KEYADMIN_PROJECT": "NO"}).code == 2
    assert served.methods("owner@example.com") == []


def test_in_a_terminal_no_line_of_the_checks_is_wider_than_it(run: Callable[..., Any]) -> None:
    shown = run("doctor", "demo-project", terminal=True, env={"COLUMNS": "80", "NO_COLOR": "1"}).out.splitlines()
    assert max(map(len, shown)) <= 80
    place = shown.index("  note      org-policy:key-binding")
    assert shown[place + 1].startswith(f"            {CONSTRAINT} is enforced: only")
    assert shown[place + 2].startswith("            ")
    assert any(line.startswith("  ok        permission:apikeys.keys.create  ") and line.endswith("held") for line in shown)
    piped = run("doctor", "demo-project").out.splitlines()
    assert any(line.startswith("  note ") and f"  {CONSTRAINT} is enforced: only keys for" in line for line in piped)


def test_the_two_ways_to_grant_are_told_apart(run: Callable[..., Any]) -> None:
    shown = run("doctor", "demo-project", user=DEV).out
    both, _, custom = shown.partition("To grant what is missing, one of these two:")[2].partition(
        "\n  a custom role of exactly that\n"
    )
    assert both.startswith("\n\n  predefined roles, the smallest set that holds it\n    gcloud projects add-iam-policy-binding")
    assert "iam roles create" not in both
    assert custom.startswith("    gcloud iam roles create keyadminCreateAuthKey")
