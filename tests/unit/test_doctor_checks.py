"""The conclusions of doctor from states that a sandbox cannot be in: real credentials, refusals, answers with holes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keyadmin.access.doctor import Diagnosis, conclude
from keyadmin.access.permissions import APIS, FEATURES, GEMINI, GET_PROJECT, USE_SERVICE, Feature
from keyadmin.access.probe import Asker, ProbedPermissions, ProbeResult
from keyadmin.cloud.credentials import CallerIdentity
from keyadmin.cloud.projects import Project
from keyadmin.model.problem import Cause, Problem

FEATURE = FEATURES["create-auth-key"]
USER = CallerIdentity("ada@example.com", "user", quota_project="demo-project")
ROBOT = CallerIdentity("robot@demo-project.iam.gserviceaccount.com", "service-account")
ALL_ON = dict.fromkeys(APIS, "ENABLED")


def refusal(cause: Cause, message: str = "No.", **names: Any) -> Problem:
    return Problem(cause, message, **names)


def seen(feature: Feature = FEATURE, **changes: Any) -> ProbeResult:
    """A project where everything is as it should be, but for the changes."""
    fine = ProbeResult(
        asked="demo-project",
        project=Project("demo-project", "123456789012"),
        held=ProbedPermissions(frozenset(feature.permissions) | frozenset(feature.studio)),
        apis=dict(ALL_ON),
        binding_enforced=False if feature.binds else None,
        keys=3 if feature.makes_keys else None,
    )
    return replace(fine, **changes)


def by(caller: CallerIdentity = USER, quota: ProbedPermissions | Problem | None = None, *, sandbox: bool = False) -> Asker:
    usable = ProbedPermissions(frozenset({USE_SERVICE})) if caller.quota_project else None
    return Asker(caller, quota or usable, sandbox)


def status(diagnosis: Diagnosis, identity: str) -> tuple[str, bool]:
    check = next(check for check in diagnosis.checks if check.id == identity)
    return check.status, check.required


def detail(diagnosis: Diagnosis, identity: str) -> str:
    return next(check.detail for check in diagnosis.checks if check.id == identity)


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_all_well_is_ready_with_an_empty_remedy(name: str) -> None:
    feature = FEATURES[name]
    found = conclude(seen(feature), by(), feature)
    assert found.ready
    assert not found.missing
    assert found.to_json()["remedy"]["roles"] == []


def test_user_credentials_without_a_quota_project_are_not_ready() -> None:
    found = conclude(seen(), by(replace(USER, quota_project=None)), FEATURE)
    assert status(found, "quota-project") == ("missing", True)
    assert not found.ready
    fix = next(check.fix for check in found.checks if check.id == "quota-project")
    assert fix
    assert "quota" in fix


def test_a_service_account_without_a_quota_project_is_charged_to_its_own() -> None:
    found = conclude(seen(), by(ROBOT), FEATURE)
    assert status(found, "quota-project") == ("ok", True)
    assert found.ready


def test_a_quota_project_that_may_not_be_used_is_missing() -> None:
    found = conclude(seen(), by(quota=ProbedPermissions(frozenset())), FEATURE)
    assert status(found, "quota-project") == ("missing", True)
    assert USE_SERVICE in detail(found, "quota-project")


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (Cause.QUOTA_PROJECT_DENIED, "failed"),
        (Cause.API_NOT_ENABLED, "failed"),
        (Cause.SERVICE_UNAVAILABLE, "unknown"),
        (Cause.RATE_LIMITED, "unknown"),
    ],
)
def test_a_quota_project_that_could_not_be_tested_is_no_ok(cause: Cause, expected: str) -> None:
    found = conclude(seen(), by(quota=refusal(cause)), FEATURE)
    assert status(found, "quota-project") == (expected, True)
    assert not found.ready


def test_a_refusal_on_account_of_the_quota_project_stands_at_the_quota_project() -> None:
    other = replace(USER, quota_project="billing-project")
    refused = refusal(Cause.API_NOT_ENABLED, "API Keys API is off in billing-project.")
    found = conclude(seen(keys=refused), by(other), FEATURE)
    assert status(found, "quota-project") == ("failed", True)
    assert "billing-project" in detail(found, "quota-project")


def test_the_policy_api_being_off_in_the_quota_project_is_in_nobodys_way() -> None:
    other = replace(USER, quota_project="billing-project")
    refused = refusal(Cause.API_NOT_ENABLED, "Organization Policy API is off in billing-project.")
    found = conclude(seen(binding_enforced=refused), by(other), FEATURE)
    assert status(found, "quota-project") == ("ok", True)
    assert status(found, "org-policy:key-binding") == ("unknown", False)
    assert found.ready


def test_credentials_whose_owner_is_not_known_say_so_and_do_not_block() -> None:
    found = conclude(seen(), by(replace(ROBOT, principal=None)), FEATURE)
    assert found.principal is None
    assert found.to_json()["principal"] is None
    assert status(found, "caller") == ("unknown", False)
    assert found.ready


def test_impersonation_is_named() -> None:
    caller = CallerIdentity("robot@demo-project.iam.gserviceaccount.com", "impersonated", impersonating="robot@x.example")
    assert "impersonating robot@x.example" in detail(conclude(seen(), by(caller), FEATURE), "caller")


def test_a_suspended_project_that_refuses_its_own_account_has_failed() -> None:
    found = conclude(seen(project=refusal(Cause.CONSUMER_SUSPENDED)), by(), FEATURE)
    assert status(found, "project") == ("failed", True)
    assert "suspended" in detail(found, "project")


@pytest.mark.parametrize(
    ("state", "expected"), [("DELETE_REQUESTED", "failed"), ("STATE_UNSPECIFIED", "unknown"), ("", "unknown")]
)
def test_states_other_than_active_are_never_ok(state: str, expected: str) -> None:
    found = conclude(seen(project=Project("demo-project", "1", state=state)), by(), FEATURE)
    assert status(found, "project") == (expected, True)
    assert not found.ready


def test_no_permission_at_all_and_no_project_to_see_are_told_as_one_answer() -> None:
    hidden = refusal(Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS)
    found = conclude(seen(project=hidden, held=ProbedPermissions(frozenset())), by(), FEATURE)
    assert status(found, "project") == ("failed", True)
    assert "does not exist, or" in detail(found, "project")
    assert set(found.missing) == set(FEATURE.permissions)


def test_a_project_that_cannot_be_read_but_where_something_is_held_exists() -> None:
    hidden = refusal(Cause.MISSING_IAM_PERMISSION, permission=GET_PROJECT)
    held = ProbedPermissions(frozenset(FEATURE.permissions) - {GET_PROJECT})
    found = conclude(seen(project=hidden, held=held), by(), FEATURE)
    assert status(found, "project") == ("unknown", True)
    assert found.missing == (GET_PROJECT,)
    lister = FEATURES["list"]
    only_listing = seen(lister, project=hidden, held=ProbedPermissions(frozenset({"apikeys.keys.list"})))
    found = conclude(only_listing, by(), lister)
    assert status(found, "project") == ("unknown", False)
    assert found.ready


def test_nothing_is_ok_when_every_call_fails() -> None:
    down = refusal(Cause.SERVICE_UNAVAILABLE, "The service is currently unavailable.")
    nothing = seen(project=down, held=down, apis=down, binding_enforced=down, keys=down)
    found = conclude(nothing, by(quota=down), FEATURE)
    assert {check.status for check in found.checks if check.id != "caller"} == {"unknown"}
    assert all(check.detail for check in found.checks)
    assert not found.ready
    assert not found.missing  # nothing is asked for that may be held already
    assert found.to_json()["remedy"]["roles"] == []


def test_a_permission_that_cannot_be_tested_is_unknown_with_the_reason_and_blocks() -> None:
    name = "iam.serviceAccountApiKeyBindings.create"
    held = ProbedPermissions(frozenset(FEATURE.permissions) - {name}, {name: "Permission is not valid for this resource."})
    found = conclude(seen(held=held), by(), FEATURE)
    assert status(found, f"permission:{name}") == ("unknown", True)
    assert "not valid" in detail(found, f"permission:{name}")
    assert not found.ready
    assert name not in found.missing


def test_an_api_that_service_usage_says_nothing_of_is_unknown() -> None:
    found = conclude(seen(apis={GEMINI: "ENABLED"}), by(), FEATURE)
    assert status(found, "api:apikeys.googleapis.com") == ("unknown", False)


def test_an_api_that_is_off_blocks_only_where_it_has_to_answer() -> None:
    rotate = FEATURES["rotate"]
    off = ALL_ON | {"apikeys.googleapis.com": "DISABLED"}
    identity = "api:apikeys.googleapis.com"
    assert status(conclude(seen(rotate, apis=off), by(), rotate), identity) == ("missing", True)
    elsewhere = replace(USER, quota_project="billing-project")
    assert status(conclude(seen(rotate, apis=off), by(elsewhere), rotate), identity) == ("missing", False)
    assert status(conclude(seen(apis=off), by(), FEATURE), identity) == ("missing", False)  # the command turns it on


def test_a_policy_whose_conditions_decide_is_unknown() -> None:
    found = conclude(seen(binding_enforced=refusal(Cause.UNKNOWN, "conditions decide it case by case")), by(), FEATURE)
    assert status(found, "org-policy:key-binding") == ("unknown", False)
    assert "conditions" in detail(found, "org-policy:key-binding")


@pytest.mark.parametrize(
    ("keys", "expected", "required", "words"),
    [
        (0, "ok", False, "0 keys"),
        (1, "ok", False, "1 key of"),
        (240, "ok", False, "240 keys"),
        (241, "ok", False, "nearly full"),
        (300, "failed", True, "no room"),
    ],
)
def test_how_near_the_limit_of_keys_is(keys: int, expected: str, required: bool, words: str) -> None:
    found = conclude(seen(keys=keys), by(), FEATURE)
    assert status(found, "key-limit") == (expected, required)
    assert words in detail(found, "key-limit")
    assert ("nearly" in detail(found, "key-limit")) is (words == "nearly full")
    assert found.ready is not required
