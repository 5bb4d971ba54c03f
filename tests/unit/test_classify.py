"""classify(): structured details decide, then words, then the status."""

from __future__ import annotations

import re
from pathlib import Path

import google.api.error_reason_pb2 as reasons
import pytest

from keyadmin.access.advice import advice, problem_from
from keyadmin.model.causes.classify import ErrorFacts, Violation, classify
from keyadmin.model.causes.rules import reasons as known_reasons
from keyadmin.model.causes.table import entry
from keyadmin.model.problem import Cause, Problem


def test_each_cause_has_an_entry() -> None:
    for cause in Cause:
        found = entry(cause)
        assert found.title
        assert found.explanation
        assert found.source.startswith("https://")
        assert bool(found.steps) is (cause is not Cause.UNKNOWN)


PUBLISHED = set(reasons.ErrorReason.keys()) - {"ERROR_REASON_UNSPECIFIED"}


def test_each_published_reason_has_a_row() -> None:
    """A new version of the enum brings new values: each wants a cause, or a line here that says why not."""
    assert known_reasons() >= PUBLISHED


def test_reasons_outside_the_enum_are_sent_by_services_of_their_own_accord() -> None:
    assert known_reasons() - PUBLISHED == {
        "ACCOUNT_RESTRICTED",
        "API_KEY_EXPIRED",
        "AUTH_PERMISSION_DENIED",
        "CUSTOM_ORG_POLICY_VIOLATION",
        "INELIGIBLE_ACCOUNT",
        "INVALID_CUSTOM_CONSTRAINT",
        "MODEL_CAPACITY_EXHAUSTED",
        "NETWORK_NOT_IN_SAME_SERVICE_PERIMETER",
        "ORG_POLICY_VIOLATION",
        "QUOTA_EXHAUSTED",
        "RESOURCE_AVAILABILITY",
        "RESTRICTED_AGE",
        "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
        "SUBSCRIPTION_REQUIRED",
        "TERMS_OF_SERVICE_NOT_ACCEPTED",
        "TOS_NOT_ACCEPTED",
        "TOS_VIOLATION",
        "UNSUPPORTED_LOCATION",
        "UREQ_PROJECT_BILLING_NOT_FOUND",
        "UREQ_PROJECT_BILLING_NOT_OPEN",
        "VALIDATION_REQUIRED",
        "VPC_SERVICE_CONTROLS",
    }


@pytest.mark.parametrize("reason", sorted(PUBLISHED))
def test_no_reason_is_a_missing_permission_but_the_one_of_iam(reason: str) -> None:
    found = classify(
        ErrorFacts(code=403, status="PERMISSION_DENIED", reason=reason, domain="googleapis.com", message="Refused.")
    )
    assert found.cause is not Cause.UNKNOWN
    assert (found.cause is Cause.MISSING_IAM_PERMISSION) is (reason == "IAM_PERMISSION_DENIED")


def test_a_permission_that_is_an_argument_is_not_missing() -> None:
    facts = ErrorFacts(
        status="INVALID_ARGUMENT", message="Permission resourcemanager.projects.list is not valid for this resource."
    )
    assert classify(facts).cause is Cause.INVALID_ARGUMENT


def test_an_unknown_reason_is_unknown() -> None:
    assert classify(ErrorFacts(code=403, status="PERMISSION_DENIED", reason="SOMETHING_NEW")).cause is Cause.UNKNOWN


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (ErrorFacts(reason="SERVICE_DISABLED", metadata={"consumer": "projects/123456789012"}), Cause.API_NOT_ENABLED),
        (ErrorFacts(reason="SERVICE_DISABLED", metadata={"consumer": "projects/764086051850"}), Cause.QUOTA_PROJECT_NOT_SET),
        (ErrorFacts(reason="SERVICE_DISABLED", message="The x API requires a quota project"), Cause.QUOTA_PROJECT_NOT_SET),
        (ErrorFacts(reason="API_KEY_INVALID", message="API key expired. Please renew the API key."), Cause.API_KEY_EXPIRED),
        (ErrorFacts(reason="API_KEY_INVALID"), Cause.API_KEY_INVALID),
        (ErrorFacts(reason="CONSUMER_SUSPENDED", message="Your API key was reported as leaked."), Cause.API_KEY_LEAKED),
        (ErrorFacts(reason="CONSUMER_SUSPENDED"), Cause.CONSUMER_SUSPENDED),
        (
            ErrorFacts(reason="ACCESS_TOKEN_TYPE_UNSUPPORTED", metadata={"service": "generativelanguage.googleapis.com"}),
            Cause.STANDARD_KEY_REJECTED,
        ),
        (
            ErrorFacts(reason="ACCESS_TOKEN_TYPE_UNSUPPORTED", metadata={"service": "apikeys.googleapis.com"}),
            Cause.CREDENTIALS_EXPIRED,
        ),
        (ErrorFacts(reason="CREDENTIALS_MISSING"), Cause.CREDENTIALS_MISSING),
        (
            ErrorFacts(reason="CREDENTIALS_MISSING", message="API keys are not supported by this API."),
            Cause.API_KEYS_NOT_SUPPORTED_BY_API,
        ),
        (
            ErrorFacts(reason="IAM_PERMISSION_DENIED", metadata={"permission": "resourcemanager.projects.get"}),
            Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
        ),
        (
            ErrorFacts(reason="IAM_PERMISSION_DENIED", metadata={"permission": "serviceusage.services.enable"}),
            Cause.ENABLE_SERVICE_DENIED,
        ),
        (
            ErrorFacts(reason="IAM_PERMISSION_DENIED", metadata={"permission": "serviceusage.services.use"}),
            Cause.QUOTA_PROJECT_DENIED,
        ),
        (ErrorFacts(reason="IAM_PERMISSION_DENIED", metadata={"permission": "apikeys.keys.get"}), Cause.MISSING_IAM_PERMISSION),
        (ErrorFacts(reason="AUTH_PERMISSION_DENIED", method="EnableService"), Cause.ENABLE_SERVICE_DENIED),
        (ErrorFacts(reason="AUTH_PERMISSION_DENIED", method="ListServices"), Cause.MISSING_IAM_PERMISSION),
        (ErrorFacts(reason="RESOURCE_QUOTA_EXCEEDED", method="CreateKey"), Cause.KEY_QUOTA_EXCEEDED),
        (ErrorFacts(reason="RATE_LIMIT_EXCEEDED", method="CreateKey"), Cause.RATE_LIMITED),
        (ErrorFacts(reason="RESOURCE_QUOTA_EXCEEDED", method="CreateProject"), Cause.PROJECT_QUOTA_EXCEEDED),
        (ErrorFacts(status="RESOURCE_EXHAUSTED", method="CreateKey"), Cause.RATE_LIMITED),
        (
            ErrorFacts(
                status="FAILED_PRECONDITION",
                violations=(Violation("constraints/iam.managed.disableServiceAccountApiKeyCreation"),),
                reason="CUSTOM_ORG_POLICY_VIOLATION",
            ),
            Cause.ORG_POLICY_BLOCKS_KEY_BINDING,
        ),
        (
            ErrorFacts(
                status="FAILED_PRECONDITION", violations=(Violation("constraints/iam.disableServiceAccountKeyCreation"),)
            ),
            Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY,
        ),
        (ErrorFacts(status="PERMISSION_DENIED", method="GetProject"), Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS),
        (ErrorFacts(code=403), Cause.UNKNOWN),
        (ErrorFacts(status="PERMISSION_DENIED", method="GetKey"), Cause.MISSING_IAM_PERMISSION),
        (ErrorFacts(code=412), Cause.UNKNOWN),
        (ErrorFacts(code=429), Cause.UNKNOWN),
        (ErrorFacts(code=401), Cause.UNKNOWN),
        (ErrorFacts(status="FAILED_PRECONDITION"), Cause.UNKNOWN),
        (ErrorFacts(status="ABORTED"), Cause.CONFLICT),
        (ErrorFacts(code=409, status="ALREADY_EXISTS"), Cause.ALREADY_EXISTS),
        (ErrorFacts(code=503), Cause.SERVICE_UNAVAILABLE),
        (ErrorFacts(reason="SOMETHING_NEW", code=404, status="NOT_FOUND"), Cause.NOT_FOUND),
        (ErrorFacts(), Cause.UNKNOWN),
    ],
)
def test_causes(facts: ErrorFacts, cause: Cause) -> None:
    assert classify(facts).cause is cause


def test_a_permission_about_a_constraint_is_no_violation_of_it() -> None:
    facts = ErrorFacts(
        reason="IAM_PERMISSION_DENIED",
        message="Permission 'orgpolicy.policies.update' denied on resource "
        "'//orgpolicy.googleapis.com/projects/demo-project/policies/iam.managed.disableServiceAccountApiKeyCreation' "
        "(or it may not exist). The constraint was not changed.",
        metadata={"permission": "orgpolicy.policies.update"},
    )
    assert classify(facts).cause is Cause.MISSING_IAM_PERMISSION


def test_names_of_the_details_win_over_what_the_caller_knows() -> None:
    facts = ErrorFacts(
        reason="SERVICE_DISABLED",
        metadata={"service": "iam.googleapis.com", "consumer": "projects/123456789012"},
        service="apikeys.googleapis.com",
        project="demo-project",
    )
    finding = classify(facts)
    assert (finding.service, finding.project) == ("iam.googleapis.com", "123456789012")


def test_what_the_caller_knows_fills_the_gaps() -> None:
    finding = classify(ErrorFacts(code=404, status="NOT_FOUND", service="apikeys.googleapis.com", project="demo-project"))
    assert (finding.service, finding.project) == ("apikeys.googleapis.com", "demo-project")


def test_the_problem_masks_keys_and_names_the_way_out() -> None:
    key = "AIza" + "SyB" + "w9" * 16
    facts = ErrorFacts(
        code=403,
        status="PERMISSION_DENIED",
        reason="SERVICE_DISABLED",
        message=f"with {key}",
        metadata={"service": "iam.googleapis.com", "consumer": "projects/demo-project"},
    )
    problem = problem_from(facts)
    assert key not in problem.message
    assert problem.fix[0] == "keyadmin projects enable iam.googleapis.com --project demo-project"


def test_advice_completes_an_empty_fix_only() -> None:
    assert advice(Problem(Cause.RATE_LIMITED, "x", fix=("own words",))) == ("own words",)
    assert advice(Problem(Cause.API_NOT_ENABLED, "x", service="iam.googleapis.com", project="demo-project"))[0].endswith(
        "iam.googleapis.com --project demo-project"
    )


def test_advice_has_no_open_placeholder() -> None:
    for cause in Cause:
        for line in advice(Problem(cause, "x")):
            assert not re.search(r"[{}]", line), line


def test_classify_imports_nothing_of_google() -> None:
    import keyadmin.model

    for path in Path(keyadmin.model.__file__).parent.rglob("*.py"):
        text = path.read_text("utf-8")
        assert not re.search(r"^\s*(?:import|from) (?:google|grpc|aiohttp|yaml)", text, re.MULTILINE), path


@pytest.mark.parametrize(
    ("permission", "option"),
    [
        ("apikeys.keys.delete", " --for delete"),
        ("apikeys.keys.create", ""),
        ("iam.serviceAccountApiKeyBindings.create", ""),
        (None, ""),
    ],
)
def test_a_refusal_ends_with_the_doctor_s_short_form(permission: str | None, option: str) -> None:
    lines = advice(Problem(Cause.MISSING_IAM_PERMISSION, "x", permission=permission, project="demo-project"))
    assert lines[0].startswith(f"keyadmin doctor demo-project{option}    #")
    assert any("roles/serviceusage.apiKeysAdmin" in line for line in lines) is str(permission).startswith("apikeys.")
    assert any("five permissions" in line for line in lines) is (permission is None)


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        ("secretmanager.versions.add", "--role=roles/secretmanager.secretVersionAdder"),
        ("secretmanager.versions.access", "add-iam-policy-binding demo-project"),
        ("resourcemanager.folders.list", "gcloud organizations add-iam-policy-binding"),
        ("compute.instances.create", "--role=roles/compute."),
    ],
)
def test_what_doctor_does_not_look_for_is_not_sent_to_it(permission: str, words: str) -> None:
    """It would find nothing missing."""
    lines = advice(Problem(Cause.MISSING_IAM_PERMISSION, "x", permission=permission, project="demo-project"))
    assert words in lines[0]
    assert not any("keyadmin doctor" in line for line in lines)
