"""explain(): forms of a cause that take steps of their own, and whom a grant is for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keyadmin.access.explain import explain
from keyadmin.model.cause import Cause
from keyadmin.model.causes import table, wording

DENIED = "googleapi: Error 403:"


@pytest.mark.parametrize(
    ("text", "cause", "step"),
    [
        ("code: 7,\n details: 'User not authorized to perform this action.'", "missing-iam-permission", "pubsub.publisher"),
        (f"{DENIED} The client is not authorized to make this request., notAuthorized", "missing-iam-permission", "cloudsql"),
        ('firebase: {"code":"messaging/mismatched-credential","message":"The caller does not have permission"}', *("",) * 2),
        ("gcloud: Permission 'iam.serviceaccounts.actAs' denied on service account x", "missing-iam-permission", "AccountUser"),
        (
            f"{DENIED} The caller does not have permission\n in data google_service_account_access_token",
            "missing-iam-permission",
            "roles/iam.serviceAccountTokenCreator",
        ),
        ("[GEMINI] 403 The caller does not have permission gemini-3-pro", "missing-iam-permission", "keys verify"),
        ('Failed to pull image "gcr.io/x/y:1": failed with status code: 403 Forbidden', "missing-iam-permission", "docker"),
        ("Error 403: rate_limit_exceeded The app has reached its login count limit", "oauth-client-misconfigured", "your own"),
        ("PlatformException(sign_in_failed, com.google.android.gms.common.api.ApiException: 10: )", *("",) * 2),
        ("Exception: You do not have permission to call UrlFetchApp.fetch", "scopes-insufficient", "appsscript.json"),
        (
            "User has not enabled the Apps Script API. https://script.google.com/home/usersettings",
            "api-not-enabled",
            "home/user",
        ),
        ("google.auth: Token used too early, 1 < 2. Check that your computer's clock is set", "credentials-expired", "clock"),
        ("oauth2: token expired and refresh token is not set", "credentials-expired", "sign in again"),
        ("oauth2/google/externalaccount: unable to determine AWS region", *("workload-identity-misconfigured", "AWS_REGION")),
        ("googleapi: ID Token issued at 1749625771 is stale to sign-in.", "workload-identity-misconfigured", "new token"),
        ("429 https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429", "rate-limited", "location global"),
        (
            "googleapi: 400 permission denied while using the Eventarc Service Agent",
            "missing-iam-permission",
            "gcp-sa-eventarc",
        ),
        (
            "firebase: requires specific roles to be granted to service agents; failed to modify the IAM policy",
            "",
            "it printed",
        ),
        ("BigQuery BigQuery: Permission denied while globbing file pattern. google", "missing-iam-permission", "objectViewer"),
        (
            "Gemini: 400 GenerateContentRequest.tools[0].function_declarations[1].x: for OBJECT type",
            "",
            "parameters_json_schema",
        ),
        ("gemini: Please ensure that function call turn comes right after", "invalid-argument", "start a new conversation"),
        ("Gemini: Unable to submit request because Thought signature is not valid INVALID_ARGUMENT", "", "thought signature"),
        (
            "Project `x` is not allowed to use Publisher Model `publishers/anthropic/models/c`",
            "model-not-found",
            "model-garden",
        ),
        ("Youtube Error 403: Daily Limit Exceeded. The quota will be reset at midnight", "daily-quota-exceeded", "search.list"),
        (
            "Google drive root '': rclone: couldn't fetch token: invalid_grant: maybe token expired?",
            "",
            "rclone config reconnect",
        ),
        ("ValueError: Gemini API key is required. Set GEMINI_API_KEY", "credentials-missing", "keyadmin env set"),
        ("Google Maps API error: MissingKeyMapError", "credentials-missing", "(key=...)"),
        (
            "https://developers.google.com/maps/documentation/javascript/error-messages#referer-not-allowed-map-error",
            "",
            "SITE",
        ),
        ("firebase: HTTP Error: 401, Request had invalid authentication credentials. Expected OAuth 2 access", *("",) * 2),
        ("google: You have exceeded your StreamingPull connection quota", "rate-limited", "delete what is not needed"),
        ("drive: failed to create oauth client: empty token found", "credentials-missing", "rclone config reconnect"),
        (
            "in from_client_secrets_file\nFileNotFoundError: No such file or directory: 'c'",
            "credentials-missing",
            "Desktop app",
        ),
        (
            "Gemini has been disabled in this account for violation of Terms of Service",
            "consumer-suspended",
            "that the message",
        ),
        (
            "rclone: (error googleapi: Error 403: User Rate Limit Exceeded, userRateLimitExceeded)",
            "rate-limited",
            "make your own",
        ),
        ("post https://x-aiplatform.googleapis.com/v1/x failed with status 429 in 179ms", "rate-limited", "answer's body"),
        ("Gemini Code Assist: requests per day used up", "daily-quota-exceeded", "/auth in the Gemini CLI"),
        ('{"error":{"code":400,"message":"Request contains an invalid argument.","status":"INVALID_ARGUMENT"}}', *("",) * 2),
        (
            "gcloud: INVALID_ARGUMENT: Insufficient 'CPUS' quota. Requested 6.0, available 4.0.",
            "rate-limited",
            "waiting does not",
        ),
        (
            "Project has not activated the vision.googleapis.com API. Enable the API for project google.com:cloudsdktool",
            *("",) * 2,
        ),
    ],
)
def test_each_form_has_its_own_advice(text: str, cause: str, step: str) -> None:
    found = explain(text)
    assert found.cause.value == (cause or found.cause.value) != "unknown"
    assert step in " ".join(found.fix)


@pytest.mark.parametrize(
    ("text", "member"),
    [
        (
            "sa@p.iam.gserviceaccount.com does not have storage.objects.list access to b.",
            "serviceAccount:sa@p.iam.gserviceaccount.com",
        ),
        ("gcloud: You must grant Storage Object Viewer permission to b@p.iam.gserviceaccount.com.", "serviceAccount:b@p.iam"),
        (
            "BigQuery: The user me@example.com does not have bigquery.jobs.create permission in project p-x.",
            "user:me@example.com",
        ),
        ("gcloud: Permission 'storage.objects.get' denied on resource", "user:ADDRESS"),
        ("gcloud: x@$(id).example.com does not have storage.objects.get access to b", "user:ADDRESS"),
    ],
)
def test_a_grant_is_for_whom_the_text_names(text: str, member: str) -> None:
    assert f"--member={member}" in " ".join(explain(text).fix)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("gcloud: Permission 'storage.buckets.get' denied", "roles/storage.bucketViewer"),
        ("gcloud: Required 'compute.subnetworks.use' permission for 'x'", "roles/compute.networkUser"),
        ("gcloud: Permission 'Storage.buckets.list' or 'run.Routes.invoke' denied", ""),
        ("User does not have bigquery.jobs.create permission in project p-x", "a project of your own"),
        ("The principal lacks IAM permission cloudtasks.tasks.create google", "roles/cloudtasks.enqueuer"),
        ("gcloud: Permission 'secretmanager.versions.access' denied", "gcloud secrets add-iam-policy-binding"),
    ],
)
def test_the_role_is_the_one_that_people_grant(text: str, role: str) -> None:
    assert role in " ".join(explain(text).fix)


@pytest.mark.parametrize(
    "text",
    [
        '{"error": {"code": 401, "message": "Request is missing required authentication credential. Expected OAuth 2", '
        '"status": "UNAUTHENTICATED", "details": [{"errorCode": "THIRD_PARTY_AUTH_ERROR"}]}}',
        '{"protoPayload": {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "status": {"code": 3, "message": '
        '"Build failed: {}"}}}',
        "<HttpError 403 returned The user has exceeded their Drive storage quota. 'usageLimits', 'reason': 'quotaExceeded'>",
        "kubelet: while reading 'google-dockercfg-url' metadata: http status code: 404 from http://metadata.google.internal./x",
        "Please give service-1@serverless-robot-prod.iam.gserviceaccount.com permission to nobody",
    ],
)
def test_no_cause_is_made_of_these(text: str) -> None:
    found = explain(text)
    assert (found.cause.value, found.permission) == ("unknown", None)


def test_a_dead_credential_of_another_kind_is_not_a_key_file() -> None:
    text = (
        "google.auth.exceptions.MalformedError: Missing credential_source. A 'file', 'url', or 'certificate' must be provided."
    )
    assert explain(text).cause.value == "workload-identity-misconfigured"
    assert explain("google.auth.exceptions.MalformedError: Wrong number of segments in token: b''").cause.value == "unknown"


def test_the_project_that_google_names_goes_before_one_in_an_address() -> None:
    text = (
        "<HttpError 403 when requesting https://translation.googleapis.com/v3/projects/in-the-address:translateText returned "
        '"Cloud Translation API has not been used in project 234603848874 before or it is disabled.">'
    )
    assert explain(text).project == "234603848874"
    policy = (
        "Constraint constraints/compute.restrictVpcPeering violated for project 416438288258. projects/of-googles-own/global"
    )
    assert explain(policy).project == "416438288258"


def test_who_may_not_enable_an_api_is_told_so() -> None:
    text = (
        "ERROR: (gcloud.beta.tasks) User [x] does not have permission to access service [cloudtasks.googleapis.com:enable] "
        "(or it may not exist): The caller does not have permission"
    )
    assert explain(text).cause.value == "enable-service-denied"


def test_firebases_tools_are_told_their_own_command() -> None:
    text = "Error: HTTP Error: 401, Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie"
    assert "firebase login" in " ".join(explain(f"firebase deploy\n{text}").fix)


def test_ruling_patterns_out_by_their_words_rules_out_no_other() -> None:
    corpus = Path(__file__).parent / "explain_corpus"
    texts = [entry["text"] for file in sorted(corpus.glob("*.json"))[:6] for entry in json.loads(file.read_text("utf-8"))]
    lines = [wording.normal(text) for text in texts]
    flat = "\n".join(lines)
    parts = [(pattern, pattern.text.split(" * ")) for pattern, _ in table.patterns()]
    found = {pattern.text for pattern, pieces in parts if all(piece in flat for piece in pieces)}
    kept = {pattern.text for pattern, _ in wording.present(lines)}
    assert found <= kept
    assert len(kept) <= len(found) + 20  # those that differ by a figure
    assert len(found) > 100


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (
            "gcloud: Permission 'secretmanager.versions.access' denied on 'projects/my-shop/secrets/gemini/versions/1'",
            "an admin of the project runs: gcloud secrets add-iam-policy-binding gemini --project=my-shop --member=user:",
        ),
        (
            "gcloud: Permission 'secretmanager.versions.access' denied",
            "gcloud secrets add-iam-policy-binding SECRET --project=PROJECT --member=user:ADDRESS",
        ),
        ("gcloud: Permission 'run.routes.invoke' denied on project-x", "services add-iam-policy-binding SERVICE --project="),
        (
            "The provided API key has an IP address restriction. The originating IP address of the call (2001:db8::9) violates "
            "this restriction.",
            "--add-ips 2001:db8::9",
        ),
        (
            "The provided API key has an IP address restriction. The originating IP address of the call (1.2.3) violates it",
            "--add-ips ADDRESS",
        ),
        ("Requests from referer https://new.example/a?b=c are blocked.", "--add-referrers 'https://new.example/*'"),
        ("Requests from referer https://$(id).example/ are blocked.", "--add-referrers SITE"),
    ],
)
def test_a_command_names_what_the_text_names(text: str, command: str) -> None:
    assert command in "\n".join(explain(text).fix)


def test_iam_is_not_the_service_that_a_permission_is_of() -> None:
    refusal = {"reason": "IAM_PERMISSION_DENIED", "domain": "iam.googleapis.com"}
    said = "Permission 'secretmanager.versions.access' denied for resource 'projects/my-shop/secrets/gemini'"
    assert explain(f'google: "error": {said} {json.dumps(refusal)}').service == "secretmanager.googleapis.com"


def test_a_connection_within_one_machine_is_not_googles_turn() -> None:
    text = (
        "ServiceUnavailable: 503 failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:9: Connection refused"
    )
    assert explain(text).cause is Cause.UNKNOWN
    assert explain(text.replace("127.0.0.1:9", "142.250.1.95:443")).cause is Cause.NETWORK_UNREACHABLE
