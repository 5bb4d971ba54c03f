"""doctor and its grants: nothing unknown is called right, and no more is granted than what is missing."""

from __future__ import annotations

from tests.guards.guard import Guard

CHECKS = "tests/unit/test_doctor_checks.py"
GRANTS = "tests/cli/doctor/test_doctor_grants.py"
REMEDY = "tests/unit/test_remedy.py"
_CHECKS = "access/checks.py"

GUARDS = [
    Guard(
        "a suspended project has failed",
        _CHECKS,
        '    if state == "SUSPENDED":\n',
        "    if False:\n",
        (f"{CHECKS}::test_a_suspended_project_that_refuses_its_own_account_has_failed",),
    ),
    Guard(
        "an unknown state is not active",
        _CHECKS,
        'return Check("project", "unknown", True, f"{name} is in the state',
        'return Check("project", "ok", True, f"{name} is in the state',
        (f"{CHECKS}::test_states_other_than_active_are_never_ok",),
    ),
    Guard(
        "a project that nothing is held in is told as missing or hidden",
        _CHECKS,
        "    if not seen.held.permissions:\n",
        "    if False:\n",
        (f"{CHECKS}::test_no_permission_at_all_and_no_project_to_see_are_told_as_one_answer",),
    ),
    Guard(
        "a permission that could not be tested is unknown",
        _CHECKS,
        "    if name in held.unknown:\n",
        "    if False:\n",
        (f"{CHECKS}::test_a_permission_that_cannot_be_tested_is_unknown_with_the_reason_and_blocks",),
    ),
    Guard(
        "a policy whose conditions decide is unknown",
        _CHECKS,
        'return Check(identity, "unknown", False, f"cannot be read: {_reason(enforced)}")',
        'return Check(identity, "ok", False, f"cannot be read: {_reason(enforced)}")',
        (f"{CHECKS}::test_a_policy_whose_conditions_decide_is_unknown",),
    ),
    Guard(
        "people need a quota project",
        _CHECKS,
        'if by.caller.kind != "user" and not (',
        "if not (",
        (f"{CHECKS}::test_user_credentials_without_a_quota_project_are_not_ready",),
    ),
    Guard(
        "a quota project that could not be tested is not right",
        _CHECKS,
        'status: Status = "failed" if found.cause in (Cause.QUOTA_PROJECT_DENIED, Cause.API_NOT_ENABLED) else "unknown"',
        'status: Status = "ok"',
        (f"{CHECKS}::test_a_quota_project_that_could_not_be_tested_is_no_ok",),
    ),
    Guard(
        "a quota project that may not be used is missing",
        _CHECKS,
        "if found is not None and USE_SERVICE in found.permissions:",
        "if found is not None:",
        (f"{CHECKS}::test_a_quota_project_that_may_not_be_used_is_missing",),
    ),
    Guard(
        "a refusal for the quota project stands there",
        _CHECKS,
        "    if refused is not None:\n",
        "    if False:\n",
        (f"{CHECKS}::test_a_refusal_on_account_of_the_quota_project_stands_at_the_quota_project",),
    ),
    Guard(
        "the policy API is in nobody's way where it is off in the quota project",
        _CHECKS,
        "quota != seen.asked and answer is not seen.binding_enforced)",
        "quota != seen.asked)",
        (f"{CHECKS}::test_the_policy_api_being_off_in_the_quota_project_is_in_nobodys_way",),
    ),
    Guard(
        "an API that nothing is said of is unknown",
        _CHECKS,
        "    if state is None:\n",
        "    if False:\n",
        (f"{CHECKS}::test_an_api_that_service_usage_says_nothing_of_is_unknown",),
    ),
    Guard(
        "an API that is off blocks what needs it",
        _CHECKS,
        "    charged = by.caller.quota_project in (seen.asked, seen.name)\n",
        "    charged = False\n",
        (f"{CHECKS}::test_an_api_that_is_off_blocks_only_where_it_has_to_answer",),
    ),
    Guard(
        "a full project has no room",
        _CHECKS,
        "    if count >= MOST_KEYS:\n",
        "    if False:\n",
        (f"{CHECKS}::test_how_near_the_limit_of_keys_is",),
    ),
    Guard(
        "a basic role is marked as a last resort",
        "access/remedy.py",
        "    if found.basic:\n        held",
        "    if False:\n        held",
        (f"{REMEDY}::test_basic_roles_are_a_last_resort_and_marked",),
    ),
    Guard(
        "half a remedy is none",
        "access/remedy.py",
        "for name in found.roles) if not found.uncovered else ()",
        "for name in found.roles)",
        (f"{REMEDY}::test_what_no_role_holds_is_said",),
    ),
    Guard(
        "a service account is granted as one",
        "access/remedy.py",
        'kind = "serviceAccount" if principal.endswith("gserviceaccount.com") else "user"',
        'kind = "user"',
        (f"{REMEDY}::test_members",),
    ),
]
