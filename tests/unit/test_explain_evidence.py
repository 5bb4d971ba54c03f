"""explain(): which evidence decides, and the advice that comes of it."""

from __future__ import annotations

import pytest

from keyadmin.access.explain import explain
from keyadmin.model.problem import Cause


@pytest.mark.parametrize(
    ("text", "cause", "permission"),
    [
        (
            '{"protoPayload": {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "status": {"code": 7, "message": '
            '"PERMISSION_DENIED"}, "authorizationInfo": [{"resource": "projects/p", '
            '"permission": "compute.instances.create"}]}}',
            Cause.MISSING_IAM_PERMISSION,
            "compute.instances.create",
        ),
        (
            "組織のポリシーで許可されていません。制約: iam.disableServiceAccountKeyCreation",
            Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY,
            None,
        ),
        ("組織のポリシー 制約: constraints/compute.vmExternalIpAccess", Cause.ORG_POLICY_CONSTRAINT, None),
        ("Google Cloud: 缺少权限 storage.buckets.create", Cause.MISSING_IAM_PERMISSION, "storage.buckets.create"),
        ("このプロジェクトでキーを作成する権限がありません", Cause.MISSING_IAM_PERMISSION, None),
        ("Failed to generate API key: please try again", Cause.MISSING_IAM_PERMISSION, None),
        ('{"error":{"code":"model_not_found","message":"gemini-9"}}', Cause.MODEL_NOT_FOUND, None),
        ('{"error":{"code":"model_not_found","type":"invalid_request_error","message":"gpt-9"}}', Cause.UNKNOWN, None),
        ("Firebase: Error (auth/too-many-requests).", Cause.RATE_LIMITED, None),
        ("Firebase: Error (auth/wrong-password).", Cause.UNKNOWN, None),
        ("GenerativeAIException: User location is not supported for the API use.", Cause.REGION_NOT_SUPPORTED, None),
        ("Error in `gemini()`: HTTP 429 Too Many Requests. generativelanguage.googleapis.com", Cause.RATE_LIMITED, None),
        ("grpc: received message larger than max (5242880 vs. 4194304) code = ResourceExhausted", Cause.UNKNOWN, None),
        (
            'pods is forbidden: User "x@example.com" cannot list resource "pods": requires one of ["container.pods.list"] '
            "permission(s).",
            Cause.MISSING_IAM_PERMISSION,
            "container.pods.list",
        ),
        ('pods is forbidden: User "x" cannot list resource "pods" in API group "" at the cluster scope', Cause.UNKNOWN, None),
    ],
)
def test_evidence_of_every_kind(text: str, cause: Cause, permission: str | None) -> None:
    found = explain(text)
    assert (found.cause, found.permission) == (cause, permission)


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        ("free_tier_requests, limit: 0, model: gemini-9", "free tier"),
        ("quotaId: GenerateRequestsPerDayPerProjectPerModel-FreeTier", "midnight Pacific"),
        ("You exceeded your spend-based rate limit. ai.studio", "ten minutes"),
        ("Quota 'CPUS' exceeded.  Limit: 24.0 in region us-central1. googleapi: Error 403", "waiting does not help"),
        ("Quota exceeded for quota metric 'Read requests' of consumer 'project_number:618104708054'", "set-quota-project"),
    ],
)
def test_each_state_of_a_quota_has_its_own_advice(words: str, steps: str) -> None:
    assert steps in " ".join(explain(f"429 generativelanguage.googleapis.com {words}").fix)


def test_a_foreign_permission_gets_its_smallest_role_and_no_doctor() -> None:
    fix = explain("googleapi: Error 403: Required 'compute.zones.list' permission for 'projects/demo-project', forbidden").fix
    assert "--role=roles/compute." in fix[0]
    assert not any("doctor" in step for step in fix)


def test_an_identity_of_a_pool_is_told_of_its_own_role() -> None:
    text = "principal://iam.googleapis.com/x: Permission 'iam.serviceAccounts.getAccessToken' denied on resource"
    assert "roles/iam.workloadIdentityUser" in explain(text).fix[0]


def test_an_auth_key_that_was_sent_as_a_token_is_not_to_be_migrated() -> None:
    text = "generativelanguage.googleapis.com ACCESS_TOKEN_TYPE_UNSUPPORTED Authorization: Bearer AQ.xxxx"
    assert not any("migrate" in step for step in explain(text).fix)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("fastlane: Google Api Error: forbidden: The caller does not have permission", "Play Console"),
        ("<HttpError 403: User does not have sufficient permission for site 'https://example.com/'.>", "Search Console"),
        (
            "googleapi: Error 403: The user does not have sufficient permissions for this file., insufficientFilePermissions",
            "Drive",
        ),
        ('{"error": {"code": 403, "message": "SenderId mismatch", "status": "PERMISSION_DENIED"}}', "Firebase Cloud Messaging"),
    ],
)
def test_products_with_lists_of_users_of_their_own_send_nobody_to_iam(text: str, where: str) -> None:
    found = explain(text)
    assert (found.cause, found.fix) == (Cause.UNKNOWN, ())
    assert where in found.explanation


def test_an_api_that_is_off_is_that_for_such_products_too() -> None:
    text = "fastlane: Google Play Android Developer API has not been used in project 123456789012 before or it is disabled."
    assert explain(text + " reason: SERVICE_DISABLED").cause is Cause.API_NOT_ENABLED


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            "googleapi: Error 400: constraints/gcp.x constraint must be of the form: constraints/[a].[b], badRequest",
            "invalid-argument",
        ),
        (
            "googleapi: Error 412: Constraint constraints/compute.requireOsLogin violated, conditionNotMet",
            "org-policy-constraint",
        ),
        ("googleapi: Error 400: Operation denied by org policy: constraints/gcp.x, badRequest", "org-policy-constraint"),
    ],
)
def test_a_request_about_a_policy_is_not_forbidden_by_it(text: str, cause: str) -> None:
    assert explain(text).cause.value == cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("googleapis.com: TypeError: Failed to fetch", "network-unreachable"),
        ("Error: failed to Fetch: Access to bucket b denied. You must grant Storage Object Viewer permission to x", "unknown"),
        ("gcloud: failed to Fetch: Access to bucket b denied. You must grant Viewer permission to x", "missing-iam-permission"),
        ("error=redirect_uri_mismatch&error_description=The+redirect_uri+MUST+match", "unknown"),
        ("Error 400: redirect_uri_mismatch", "oauth-client-misconfigured"),
        ("Verify your account to continue", "unknown"),
        ("Your project is not active", "unknown"),
        ("gcloud: Get http://localhost:8080/api: dial tcp [::1]:8080: connect: connection refused", "unknown"),
        ("gcloud: Get https://oauth2.googleapis.com/token: dial tcp 192.0.2.1:443: i/o timeout", "network-unreachable"),
        ("google: Your client does not have permission to get URL /x from this server.", "unknown"),
        ("https://x.run.app: Your client does not have permission to get URL / from this server.", "missing-iam-permission"),
        ('{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}', "unknown"),
        ("OpenRouter: Rate limit exceeded: free-models-per-day google/gemini-2.0-flash-exp:free", "unknown"),
    ],
)
def test_words_that_are_anybodys_need_marks_of_googles(text: str, cause: str) -> None:
    assert explain(text).cause.value == cause


def test_a_name_of_a_quota_that_was_cut_off_leaves_the_words_to_decide() -> None:
    text = (
        "429 googleapis.com Quota exceeded for quota metric 'Requests' and limit 'Requests per day per user' "
        '"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit": "Gemini25ProReques'
    )
    assert explain(text).cause is Cause.DAILY_QUOTA_EXCEEDED


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("Error: $ACTIONS_ID_TOKEN_REQUEST_TOKEN is not set", "id-token: write"),
        ("google-github-actions/auth failed with: failed to generate Google Cloud access token for x", "workloadIdentityUser"),
        ("googleapis.com: compute: Received 403 `Unable to generate access token; IAM returned 403 Forbidden", "svc.id.goog"),
    ],
)
def test_each_way_in_from_another_system_has_its_own_advice(text: str, step: str) -> None:
    found = explain(text)
    assert found.cause is Cause.WORKLOAD_IDENTITY_MISCONFIGURED
    assert step in " ".join(found.fix)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("gcr.io/x: unauthorized: You don't have the needed permissions to perform this operation", "configure-docker"),
        ("googleapi: Error 403: The caller does not have permission, forbidden", "gcloud auth list"),
        ("apikeys.googleapis.com: The caller does not have permission", "doctor"),
        ("You do not have permission to create a key in this project. Google AI Studio", "doctor"),
    ],
)
def test_doctor_comes_first_only_where_it_looks(text: str, first: str) -> None:
    found = explain(text)
    assert found.cause is Cause.MISSING_IAM_PERMISSION
    assert first in found.fix[0]
