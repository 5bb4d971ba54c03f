"""explain(): reasons of google.rpc.ErrorInfo that ask for something else than their cause mostly does, and new ones."""

from __future__ import annotations

import pytest

from keyadmin.access.explain import Explanation, explain
from keyadmin.model.causes.entries.of_reasons import FORMS
from keyadmin.model.causes.entry import Turn
from keyadmin.model.problem import Cause

SERVICE = "pubsub.googleapis.com"


def in_json(reason: str, message: str = "Request denied.", domain: str = "googleapis.com") -> Explanation:
    return explain(
        f'{{"error": {{"code": 403, "message": "{message}", "status": "PERMISSION_DENIED", "details": [{{"@type": '
        f'"type.googleapis.com/google.rpc.ErrorInfo", "reason": "{reason}", "domain": "{domain}", "metadata": {{"consumer": '
        f'"projects/482913570011", "service": "{SERVICE}"}}}}, {{"@type": "type.googleapis.com/google.rpc.Help", "links": '
        '[{"description": "More", "url": "https://cloud.google.com/pubsub/docs/more"}]}]}}'
    )


def in_python(reason: str, message: str = "Request denied.", domain: str = "googleapis.com") -> Explanation:
    return explain(
        f'google.api_core.exceptions.PermissionDenied: 403 {message} [reason: "{reason}"\ndomain: "{domain}"\nmetadata {{\n'
        f'  key: "consumer"\n  value: "projects/482913570011"\n}}\nmetadata {{\n  key: "service"\n  value: "{SERVICE}"\n}}\n]'
    )


@pytest.mark.parametrize(("reason", "form"), [(reason, form) for form in FORMS for reason in form.reasons])
def test_a_reason_with_a_form_of_its_own_gets_its_steps(reason: str, form: object) -> None:
    known = next(each for each in FORMS if reason in each.reasons)
    for found in (in_json(reason), in_python(reason)):
        assert (found.cause, found.found.variant) == (known.cause, known.name)
        assert found.explanation == known.variant.explanation
        assert found.fix
        assert found.service == SERVICE
        assert found.project == "482913570011"


@pytest.mark.parametrize(
    ("reason", "first", "turn"),
    [
        ("USER_BLOCKED_BY_ADMIN", "administrator of the caller's Google Workspace", Turn.ADMIN),
        ("ACCOUNT_STATE_INVALID", "gcloud iam service-accounts enable", Turn.ADMIN),
        ("LOCATION_POLICY_VIOLATED", "take another region", Turn.PERSON),
        ("LOCATION_TAX_POLICY_VIOLATED", "take another region", Turn.BILLING),
        ("ORG_RESTRICTION_VIOLATION", "runs the company's proxy", Turn.ADMIN),
        ("MCP_SERVER_DISABLED", f"gcloud beta services mcp enable {SERVICE} --project=482913570011", Turn.PERSON),
        ("TLS_ORG_POLICY_VIOLATED", "TLS 1.2", Turn.ADMIN),
        ("CREDENTIAL_TYPE_UNSUPPORTED", "print-access-token", Turn.PERSON),
        ("ACCESS_TOKEN_TYPE_UNSUPPORTED", "print-access-token", Turn.PERSON),
    ],
)
def test_the_first_step_is_the_one_that_helps(reason: str, first: str, turn: Turn) -> None:
    found = in_json(reason)
    assert first in found.fix[0]
    assert found.turn is turn
    assert not any("application-default login" in step for step in found.fix)
    assert not any("aistudio" in step for step in found.fix)


def test_a_region_that_is_denied_is_not_where_the_caller_is() -> None:
    found = explain("googleapi: Error 403: Permission denied on 'locations/me-central2' (or it may not exist)., forbidden")
    assert (found.cause, found.found.variant) == (Cause.NOT_FOUND, "location")  # without the reason it may be a name


@pytest.mark.parametrize("reason", ["QUANTUM_SEAL_BROKEN", "TENANT_MOVED", "ACCESS_TOKEN_OF_ANOTHER_KIND"])
@pytest.mark.parametrize("domain", ["googleapis.com", "googleapis.com/policies/new"])
@pytest.mark.parametrize("message", ["The caller does not have permission", "Quota exceeded.", "Permission 'a.b.c' denied"])
def test_a_new_reason_is_unknown_and_says_so_whatever_the_words_sound_like(reason: str, domain: str, message: str) -> None:
    for found in (in_json(reason, message, domain), in_python(reason, message, domain)):
        assert found.cause is Cause.UNKNOWN
        assert reason in found.explanation
        assert found.read["reason"] == reason
        assert found.read["status"] == "PERMISSION_DENIED"
        assert found.service == SERVICE
        assert found.fix == ()
    assert in_json(reason, message, domain).read["help"] == "https://cloud.google.com/pubsub/docs/more"


def test_a_reason_of_a_services_own_leaves_the_words_to_decide() -> None:
    assert in_json("OWN_REASON", "Billing must be enabled.", "run.googleapis.com").cause is Cause.BILLING_DISABLED
