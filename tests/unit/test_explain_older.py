"""explain(): the reasons of older APIs (`errors[].reason`) in a text whose words say nothing."""

from __future__ import annotations

import pytest

from keyadmin.access.explain import explain
from keyadmin.model.problem import Cause

PRINTS = {
    "json": '{{"error": {{"errors": [{{"domain": "global", "reason": "{reason}", "message": "x"}}], "code": {code}}}}}',
    "go": "googleapi: Error {code}: メッセージ, {reason}",
    "java": "com.google.api.client.googleapis.json.GoogleJsonResponseException: {code} X\n{{\n  "
    '"code" : {code},\n  "errors" : [ {{\n    "domain" : "global",\n    "reason" : "{reason}"\n  }} ]\n}}',
    ".NET": "Google.GoogleApiException: The service drive has thrown an exception.\nx [{code}]\nErrors [\n\tMessage[x] "
    "Location[ - ] Reason[{reason}] Domain[global]\n]",
}


@pytest.mark.parametrize("form", PRINTS)
@pytest.mark.parametrize(
    ("code", "reason", "cause"),
    [
        (401, "authError", Cause.CREDENTIALS_EXPIRED),
        (401, "expired", Cause.CREDENTIALS_EXPIRED),
        (401, "required", Cause.CREDENTIALS_MISSING),
        (400, "required", Cause.UNKNOWN),
        (404, "notFound", Cause.NOT_FOUND),
        (409, "duplicate", Cause.ALREADY_EXISTS),
        (409, "alreadyExists", Cause.ALREADY_EXISTS),
        (409, "conflict", Cause.CONFLICT),
        (412, "conditionNotMet", Cause.CONFLICT),
        (503, "backendError", Cause.SERVICE_UNAVAILABLE),
        (403, "forbidden", Cause.UNKNOWN),
    ],
)
def test_an_older_reason_decides_where_its_code_does_not_speak_against_it(
    form: str, code: int, reason: str, cause: Cause
) -> None:
    assert explain(PRINTS[form].format(code=code, reason=reason)).cause is cause


def test_a_constraint_goes_before_the_reason_beside_it() -> None:
    text = "googleapi: Error 412: Request violates constraint 'constraints/storage.uniformBucketLevelAccess', conditionNotMet"
    assert explain(text).cause is Cause.ORG_POLICY_CONSTRAINT
