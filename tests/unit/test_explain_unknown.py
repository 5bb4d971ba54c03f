"""explain(): what an unknown error is told all the same, without advice that rests on a guess."""

from __future__ import annotations

import pytest

from keyadmin.access.explain import explain
from keyadmin.model.cause import Cause


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "SSLError(MaxRetryError(\"HTTPSConnectionPool(host='sso.example.rw', port=443): Max retries exceeded with "
            'url: /t"',
            "The connection to sso.example.rw failed",
        ),
        (
            'I/O error on POST request for "https://api.example.com:8001/login": Connection refused',
            "The connection to api.example.com failed",
        ),
        ('POST https://vision.googleapis.com/v1/images:annotate "HTTP/1.1 403 Forbidden"', "Google answered 403"),
        ("google.api_core.exceptions.PermissionDenied: 403", "Google answered PERMISSION_DENIED"),
        ('{"error": "invalid_grant"}', "(credentials-expired), but nothing in the text shows"),
        ("Invalid API key", "(api-key-invalid), but nothing in the text shows"),
        ("getaddrinfo ENOTFOUND", "(network-unreachable), but nothing in the text shows"),
        ("getaddrinfo ENOTFOUND", "Whoever was called: try again"),
        ("ValueError: Invalid header value b'c199575edf58088f\\n'", "Whoever's key it is"),
        ('{"error": "invalid_client"}', "compare client id, secret and redirect address"),
        ("Rate limit exceeded: Too many requests. Please wait a moment", "a subscription to the Gemini app does not"),
        ('{"error": "invalid_grant"}', "sign in again to that program"),
        ('{"error":{"message":"no","type":"invalid_request_error"}}', "or of a service that speaks its language"),
        ('{"error":{"message":"no","type":"authentication_error"}}', "has the form of Anthropic's errors"),
        ("https://api.openai.com/v1 invalid_request_error", "This is an error of OpenAI, not of Google"),
        ("Error: EMFILE: too many open files, watch", "ulimit -n"),
        ("Message is being blocked for reason: SAFETY", "safetySettings"),
        ("Error: Unable to detect a Project Id in the current environment.", "set GOOGLE_CLOUD_PROJECT"),
        ("ERROR: (gcloud.run.deploy) The required property [project] is not currently set.", "gcloud config set project"),
        ("Access was blocked due to an organization policy, please contact your admin", "context-aware access"),
        ("PermissionError: [Errno 13] Permission denied: '/home/a'", "own file permissions"),
        ("Gemini: TypeError: Cannot read properties of undefined (reading 'candidates')", "in its own code"),
        ("Loaded GEMINI_API_KEY environment variable", "names no cause that keyadmin knows"),
        ("  \n", "SOME-COMMAND 2>&1 | keyadmin explain -"),
        ("The moon is full", "names no cause that keyadmin knows"),
    ],
)
def test_what_is_known_of_an_unknown_error_is_printed(text: str, sentence: str) -> None:
    found = explain(text)
    assert (found.cause, found.fix, found.permission) == (Cause.UNKNOWN, (), None)
    assert sentence in found.explanation


def test_a_reason_that_was_cut_off_is_no_new_one() -> None:
    text = (
        '{"error":{"code":403,"message":"Requests from this Android client application <empty> are blocked.","details":[{'
        '"reason":"API_KEY_ANDR\nOID_APP_BLOCKED","domain":"googleapis.com"'
    )
    assert explain(text).cause is Cause.API_KEY_ANDROID_BLOCKED
    new = explain(
        '{"reason": "SOMETHING_OF_TOMORROW", "domain": "googleapis.com", "message": "The caller does not have permission"}'
    )
    assert new.cause is Cause.UNKNOWN
    assert "SOMETHING_OF_TOMORROW" in new.explanation


@pytest.mark.parametrize(
    "text",
    [
        "fetch https://www.googleapis.com/x failed: certificate verify failed: unable to get local issuer certificate",
        "cURL error 60: SSL certificate problem (see https://curl.haxx.se/libcurl/c/libcurl-errors.html) for "
        "https://oauth2.googleapis.com/token",
    ],
)
def test_a_connection_to_google_is_not_somebody_elses(text: str) -> None:
    found = explain(text)
    assert (found.cause, found.found.variant) == (Cause.NETWORK_UNREACHABLE, "authorities")


@pytest.mark.parametrize("text", ["Error 500: backend exploded at Google Cloud", "something in google cloud is odd"])
def test_nothing_is_said_where_nothing_is_known(text: str) -> None:
    assert "names no cause" in explain(text).explanation or explain(text).cause is Cause.SERVICE_UNAVAILABLE


@pytest.mark.parametrize(
    ("text", "permission", "project"),
    [
        (
            "ERROR: (gcloud.projects.add-iam-policy-binding) [a@example.com] does not have permission to access projects "
            "instance "
            "[demo-eval:setIamPolicy] (or it may not exist): Policy update access denied.",
            "resourcemanager.projects.setIamPolicy",
            "demo-eval",
        ),
        (
            'Error retrieving IAM policy for project "demo-kb": googleapi: Error 403: The caller does not have permission',
            "resourcemanager.projects.getIamPolicy",
            "demo-kb",
        ),
        (
            'Error applying IAM policy for project "demo-kb": Error setting IAM policy for project "demo-kb": googleapi: '
            "Error 403: Policy update access denied., forbidden",
            "resourcemanager.projects.setIamPolicy",
            "demo-kb",
        ),
    ],
)
def test_a_projects_policy_names_its_permission(text: str, permission: str, project: str) -> None:
    found = explain(text)
    assert (found.cause, found.permission, found.project) == (Cause.MISSING_IAM_PERMISSION, permission, project)


def test_a_role_on_a_billing_account_is_granted_there() -> None:
    found = explain('missing permission on "billingAccounts/000000-000000-000000": billing.resourceAssociations.create')
    assert found.permission == "billing.resourceAssociations.create"
    assert "gcloud billing accounts add-iam-policy-binding BILLING_ACCOUNT" in found.fix[0]
    assert "--role=roles/billing.user" in found.fix[0]
