"""explain(): kinds of evidence that unseen texts taught (explain_corpus/rounds.json), each by a text that is not there."""

from __future__ import annotations

import pytest

from keyadmin.access.explain import explain, explain_all
from keyadmin.model.problem import Cause

_UNKNOWN = (
    '2026-01-01 10:00:00 ERROR {"error": {"code": 403, "message": "No.", "status": "PERMISSION_DENIED", "details": [{"@type": '
    '"type.googleapis.com/google.rpc.ErrorInfo", "reason": "QUITE_NEW", "domain": "x.googleapis.com", "metadata": {"service": '
    '"vision.googleapis.com"}}, {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"url": '
    '"https://cloud.google.com/vision/docs/x"}]}]}}\n'
)
_KNOWN = '2026-01-01 10:00:01 ERROR {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid."}}\n'
_OPENAI = "2026-01-01 10:00:02 ERROR 401 Incorrect API key provided: x. See https://platform.openai.com/account/api-keys\n"


def test_errors_that_are_not_known_stand_beside_known_ones() -> None:
    found = explain_all(_UNKNOWN + _KNOWN + _OPENAI)
    assert [each.cause.value for each in found] == ["unknown", "api-key-invalid", "unknown"]
    assert [each.others for each in found] == [2, 2, 2]
    assert explain(_KNOWN + _UNKNOWN).cause is Cause.UNKNOWN  # the last one
    assert explain(_UNKNOWN + _KNOWN).service is None  # names of one error say nothing of another


def test_an_echo_of_an_error_is_no_other_one() -> None:
    echo = '2026-01-01 10:00:02 ERROR failed: {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "see above"}}\n'
    assert Cause.UNKNOWN not in {each.cause for each in explain_all(_KNOWN + echo)}


def test_what_was_read_of_an_unknown_error_is_said() -> None:
    found = explain(_UNKNOWN)
    assert found.read == {
        "status": "PERMISSION_DENIED",
        "reason": "QUITE_NEW",
        "help": "https://cloud.google.com/vision/docs/x",
    }
    assert found.service == "vision.googleapis.com"
    older = explain("googleapi: Error 400: Nope (https://developers.google.com/gmail/x)., failedThing")
    assert older.read == {"status": "400", "reason": "failedThing", "help": "https://developers.google.com/gmail/x"}


@pytest.mark.parametrize(
    ("text", "cause", "step"),
    [
        # web sockets of the Live API, by their codes and by words
        (
            "Gemini Live: received 1007 (invalid frame payload data) Frobnicate must not be set",
            "invalid-argument",
            "message names",
        ),
        ("BidiGenerateContent: close 1011 (internal error): x", "service-unavailable", "resume the session"),
        ("BidiGenerateContent session not found", "not-found", "two hours"),
        ("wss://example.com closed with code 1011", "unknown", ""),
        # Google's sign-in page, in any language
        ("Erreur 403 : access_denied https://accounts.google.com/x", "oauth-client-misconfigured", "test user"),
        ("오류 400: invalid_request https://accounts.google.com/x", "oauth-client-misconfigured", "client_id"),
        ("Error 403: access_denied", "oauth-client-misconfigured", "test user"),
        (
            "Hiba (403): restricted_client accounts.google.com: is not yet configured to make OAuth requests",
            "",
            "consent screen",
        ),
        # Google Maps
        ("Google Maps JavaScript API error: ProjectDeniedMapError", "consumer-suspended", "appeal"),
        ("Google Maps JavaScript API warning: NoApiKeys #no-api-keys", "credentials-missing", "allowed-referrers"),
        (
            "https://developers.google.com/x?utm_source=maps_js&utm_medium=degraded&utm_campaign=billing",
            "billing-disabled",
            "link",
        ),
        ("Geocoding Service: This API project is not authorized to use this API.", "api-not-enabled", "maps/legacy"),
        # the token endpoint's own descriptions
        ('{"error": "invalid_grant", "error_description": "Bad Request"}', "credentials-expired", "sign in"),
        ('{"error": "invalid_grant", "error_description": "Malformed auth code."}', "credentials-expired", "%2F"),
        ('{"error": "invalid_grant", "error_description": "The grant is not valid"}', "unknown", ""),
        # quotas of other services, of nothing, of scripts
        ("youtube-dl: googleapi: Error 403: User Rate Limit Exceeded, userRateLimitExceeded", "rate-limited", "OAuth client"),
        ("Service invoked too many times for one day: gmail.", "daily-quota-exceeded", "24 hours"),
        ("429 googleapis.com reason: RATE_LIMIT_EXCEEDED metadata: { quota_limit_value: 0 }", "rate-limited", "does not help"),
        # a page of Cloud Run's, objects that are not public, a reader that gave up
        ("x.run.app: Your client does not have permission to get URL / from this server", "missing-iam-permission", "ID token"),
        ("Anonymous caller does not have storage.objects.get access", "credentials-missing", "sign-url"),
        ("google.genai: httpx.ReadTimeout: Read timed out", "network-unreachable", "longer timeout"),
        ("The user has not granted the app 1 write access to the file 2. googleapis.com", "scopes-insufficient", "file picker"),
        (
            "Gemini: The input token count (9) exceeds the maximum number of tokens allowed (8).",
            "invalid-argument",
            "send less",
        ),
    ],
)
def test_kinds_of_evidence(text: str, cause: str, step: str) -> None:
    found = explain(text)
    assert found.cause.value == (cause or found.cause.value)
    assert step in " ".join(found.fix)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("gspread.exceptions.APIError: The caller does not have permission", "share it with the account"),
        ("googleapi: Error 403: Delegation denied for x@example.com, forbidden", "domain-wide delegation"),
        ("<HttpError 403 Not Authorized to access this resource/api>", "Workspace domain"),
        ("Firebase: Error (auth/operation-not-allowed).", "sign-in method"),
        ("youtube.commentThread: reason commentsDisabled", "YouTube"),
        ("9 FAILED_PRECONDITION: The query requires an index.", "firestore.indexes.json"),
        ("gemini finishReason: SAFETY", "safety filters"),
        ("QuotaCheckError.INVALID_TOKEN_HEADER", "developer token"),
        ("downloadQuotaExceeded", "24 hours"),
    ],
)
def test_products_that_decide_for_themselves_are_named_with_where_to_look(text: str, where: str) -> None:
    found = explain(text)
    assert (found.cause, found.fix) == (Cause.UNKNOWN, ())
    assert where in found.explanation


@pytest.mark.parametrize(
    ("text", "vendor"),
    [
        ("This request would exceed your organization's rate limit of 9 input tokens per minute", "Anthropic"),
        ("Rate limit reached for gpt-9 in organization org-x on tokens per min (TPM): Limit 9", "OpenAI"),
        ("An error occurred (ValidationException) when calling the Converse operation: x", "AWS"),
        ('{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}', "Cloudflare"),
        ('{"error":{"message":"x","type":"y","fbtrace_id":"z"}}', "Meta"),
        ("Invalid model https://api.fireworks.ai/inference/v1/models", "Fireworks AI"),
    ],
)
def test_other_vendors_are_named(text: str, vendor: str) -> None:
    assert explain(text).read == {"vendor": vendor}


def test_masked_names_are_no_names() -> None:
    text = "Vertex AI API has not been used in project xxxxxxxxxx before or it is disabled."
    assert explain(text).project is None
    assert "--project PROJECT" in explain(text).fix[0]


def test_the_project_that_was_charged_wrongly_is_not_named_as_the_quota_project() -> None:
    text = 'googleapis.com: requires a quota project. {"reason": "SERVICE_DISABLED", "consumer": "projects/some-project-1"}'
    found = explain(text)
    assert found.cause is Cause.QUOTA_PROJECT_NOT_SET
    assert "some-project-1" not in " ".join(found.fix)


@pytest.mark.parametrize("project", ["usable-auth-library", "563584335869"])
def test_projects_of_googles_own_clients_are_nobodys(project: str) -> None:
    found = explain(f"Cloud Vision API has not been used in project {project} before or it is disabled.")
    assert (found.cause, found.project) == (Cause.QUOTA_PROJECT_NOT_SET, None)


@pytest.mark.parametrize(
    ("text", "permission"),
    [
        ("PERMISSION_DENIED: Access denied. Missing IAM permission: bigtable.tables.readRows.", "bigtable.tables.readRows"),
        ("googleapi: Error 403: it lacks storage.objects.get. Ask for it", "storage.objects.get"),
        ("Access Denied: Project some-project-1: User does not have bigquery.jobs.create permission", "bigquery.jobs.create"),
    ],
)
def test_a_permission_ends_before_the_full_stop_of_its_sentence(text: str, permission: str) -> None:
    found = explain(text)
    assert (found.cause, found.permission) == (Cause.MISSING_IAM_PERMISSION, permission)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('Signet::AuthorizationError {"error": "internal_failure"}', Cause.SERVICE_UNAVAILABLE),
        ('Signet::AuthorizationError {"error": "invalid_client"}', Cause.OAUTH_CLIENT_MISCONFIGURED),
        ('Signet::AuthorizationError {"error": "invalid_grant"}', Cause.CREDENTIALS_EXPIRED),
        ("google.auth: invalid_grant (Invalid issuer: Not a service account.)", Cause.SERVICE_ACCOUNT_KEY_INVALID),
        ("googleapi: Error 400: generic::not_found: account cannot be found.", Cause.NOT_FOUND),
        ("googleapi: Error 409: generic::already_exists: it is there", Cause.ALREADY_EXISTS),
    ],
)
def test_a_code_says_more_than_the_class_that_was_raised(text: str, cause: Cause) -> None:
    assert explain(text).cause is cause


@pytest.mark.parametrize(
    "text",
    [
        'Google Cloud {"message": "403:Forbidden", "code": 14, "status": "UNAVAILABLE"}',
        'google.api_core.exceptions.ServiceUnavailable: Status(StatusCode="Unavailable", Detail="HTTP status code: 403")',
        'googleapi "code": 3, "status": "INVALID_ARGUMENT" The replica exited with a non-zero status of 1. Training failed',
    ],
)
def test_a_status_that_was_made_of_something_else_decides_nothing(text: str) -> None:
    assert explain(text).cause is Cause.UNKNOWN


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("Requests from this iOS client application <empty> are blocked.", "X-Ios-Bundle-Identifier"),
        ("Requests from this Android client application <empty> are blocked.", "X-Android-Package"),
        ("Requests from referer <empty> are blocked.", "Referrer-Policy"),
    ],
)
def test_a_call_that_names_no_app_is_not_told_to_add_it_to_the_list(text: str, step: str) -> None:
    fix = " ".join(explain(text).fix)
    assert step in fix
    assert "keys restrict" not in fix


@pytest.mark.parametrize(
    ("text", "cause", "step"),
    [
        (
            '{"error": "unauthorized_client", "error_description": "Client is unauthorized to retrieve access tokens '
            'using this method."}',
            Cause.OAUTH_CLIENT_MISCONFIGURED,
            "domainwidedelegation",
        ),
        (
            '{"reason": "CONSUMER_INVALID", "consumer": "projects/default", "service": "cloudaicompanion.googleapis.com"}',
            Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
            "GOOGLE_CLOUD_PROJECT",
        ),
        (
            "Cloud Code Assist API error (403): The caller does not have permission",
            Cause.MISSING_IAM_PERMISSION,
            "sign in again",
        ),
        ("404 Publisher Model `publishers/google/models/claude-3` is not found.", Cause.MODEL_NOT_FOUND, "Model Garden"),
        ("Exception: Limit Exceeded: Drive.", Cause.RATE_LIMITED, "Utilities.sleep"),
        (
            'denied: Permission denied for "v1" from request "/v2/p/i/manifests/v1" gcr.io',
            Cause.MISSING_IAM_PERMISSION,
            "docker",
        ),
        # Google's sign-in page in another language: its link names the error
        (
            "Zugriff blockiert https://developers.google.com/identity/protocols/oauth2/web-server"
            "#authorization-errors-redirect-uri-mismatch",
            Cause.OAUTH_CLIENT_MISCONFIGURED,
            "redirect",
        ),
        (
            "Error 401: disabled_client redirect_uri: https://a.example/callback",
            Cause.OAUTH_CLIENT_MISCONFIGURED,
            "tell its developer",
        ),
        (
            "HTTP status client error (401 Unauthorized) https://eu-python.pkg.dev/p/r/simple/",
            Cause.CREDENTIALS_MISSING,
            "keyring",
        ),
        ("403 Client Error: Forbidden for url: https://us-npm.pkg.dev/p/r/x", Cause.MISSING_IAM_PERMISSION, "artifactregistry"),
        ('google.ads "RESOURCE_EXHAUSTED" Too many requests. Retry in 40591 seconds.', Cause.DAILY_QUOTA_EXCEEDED, "midnight"),
        (
            "google/api_core/grpc_helpers.py InvalidArgument('Unable to submit request because it must')",
            Cause.INVALID_ARGUMENT,
            "value",
        ),
        ('googleapi: Error 400: Service account "a@b" does not exist., badRequest', Cause.NOT_FOUND, "letter"),
        (
            "7 PERMISSION_DENIED: Dialogflow API has not been used in project firebase-cli before or it is disabled. "
            "https://console.developers.google.com/apis/api/dialogflow.googleapis.com/overview?project=firebase-cli",
            Cause.QUOTA_PROJECT_NOT_SET,
            "set-quota-project",
        ),
        (
            "Google::Apis::ClientError: dailyLimitExceeded: This API requires billing to be enabled on the project.",
            Cause.BILLING_DISABLED,
            "billing",
        ),
        (
            "https://photoslibrary.googleapis.com/v1/x 403 Request had insufficient authentication scopes.",
            Cause.SCOPES_INSUFFICIENT,
            "Picker",
        ),
        (
            "gcloud: Permission denied on secret: projects/p/secrets/S/versions/latest for Revision service account a@p.iam",
            Cause.MISSING_IAM_PERMISSION,
            "roles/secretmanager.secretAccessor",
        ),
        ("google DefaultCredentialsError: ('File x.json is not a valid json file.')", Cause.SERVICE_ACCOUNT_KEY_INVALID, "key"),
        ("Gemini API HTTP 429", Cause.RATE_LIMITED, "the answer's body"),
        ("HTTP 400: EmbedContentRequest.content: \u7a7a\u7684 Part", Cause.INVALID_ARGUMENT, "value"),
    ],
)
def test_kinds_that_the_last_rounds_taught(text: str, cause: Cause, step: str) -> None:
    found = explain(text)
    assert found.cause is cause
    assert step in f"{found.explanation} {' '.join(found.fix)}"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("FirebaseError: Firebase: Error (auth/unauthorized-domain).", "Authorized domains"),
        ('{"code": 403, "message": "App attestation failed.", "status": "PERMISSION_DENIED"}', "App Check"),
        ('{"authenticationError": "NOT_ADS_USER"} Request is missing required authentication credential.', "login-customer-id"),
        ("{'results': [{'error': 'MismatchSenderId'}]}", "another Firebase project"),
    ],
)
def test_more_products_that_decide_for_themselves(text: str, where: str) -> None:
    found = explain(text)
    assert (found.cause, found.fix) == (Cause.UNKNOWN, ())
    assert where in found.explanation
