"""What clients and tools print in their own words, by cause: read from their sources, where servers' answers do not reach.

Names of libraries, of their settings and of their commands make a sentence Google's own (`says`); a sentence that another
vendor's client could print as well counts only beside a mark of Google's (`google_says`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import Pattern, google_says, says

_CREDENTIALS: Final[Mapping[Cause, tuple[Pattern, ...]]] = {
    Cause.CREDENTIALS_MISSING: (
        # before the words of a key that is not valid, which follow it
        *says(26, "no api key was provided. please pass a valid api key"),
        *says(
            32,
            # the google-auth libraries, by language
            "your credentials were not found. to set up application default",
            "credential file specified by google_application_credentials",
            "failed to get application default credentials",
            "metadata service; not running on gce",
            "oauth2/google: no such credentials for account",
            "oauth2/google: no token available for account",
            # Gemini's clients
            "set an api key for google generativeai",
            "must either be provided or set in the environment variable google_api_key",
            "api key should be set when using the gemini api",
            "api key is required for google ai backend",
            "provide either a project and location, or an api key",
            "incomplete google genai configuration",
            '"apikey" field is empty in the local firebase config',
            "failed to load google credentials",
            "gemini_api_key or google_api_key",
            "google_api_key or gemini_api_key",
            "google_api_key/gemini_api_key",
            "failed to get access token from google adc",
            "must provide api key or enterprise credentials",
            "api key is required for google gemini",
            "llm keys set gemini",
            # Maps, in apps
            "api key not found. check that * android:name=",
            "must be initialized via [gms * provideapikey",
            # what has to sign, and has no key to sign with
            "unable to detect default googleaccessid",
            # tools
            'have you run "firebase login',
            "requires authentication, please run firebase login",
            "gcr credentials not present in store",
            "access protected data with no configured credentials",
            "opening service account credentials file",
            "invalid gcloud credentials",
        ),
        *google_says(
            32,
            "unable to find credentials in current environment",
            "unable to read the default credential file",
            "unable to read the system default credential file",
            "failed to read credentials file",
            "error reading credential file from",
            "the keyfile ' * is not a valid file",
            "could not resolve api token from the environment",
            "api key is missing. please provide a valid api key",
            "does your boto config file contain all needed credentials",
            "all connection methods have failed!",
            "could not find or open the credentials file",
            "could not fetch an auth token to authenticate with google cloud",
            "oauth2 flow requires an interactive session",
            "non interactive mode (gdrive_non_interactive",
            "failed to determine service account",
            "no apikey configuration was passed",
            "please set either apikey or projectid and location",
            "requires an api key. please provide a valid api key",
            "registry credentials may not be set",
        ),
    ),
    Cause.CREDENTIALS_EXPIRED: (
        *says(
            33,
            "please run firebase login --reauth",
            "unable to refresh externalaccountauthorizeduser",
            "your credentials are invalid. please run $ gcloud",
            "refresh token must be passed in or set as part of setaccesstoken",
            "unable to refresh sourcecredentials",
            "oauth2credentials instance does not support refreshing",
        ),
        *google_says(
            33,
            "token is either not valid, or expired",
            "json key is missing the refresh_token",
            "unable to authenticate using the provided code",
            "no refresh token is set",
            "token signature is expired",
            "refresh token not available",
            'with "rclone config reconnect',
        ),
        *google_says(58, "could not refresh access token"),
    ),
    Cause.REAUTHENTICATION_REQUIRED: google_says(24, "re-authenticate with your saml idp"),
    Cause.SERVICE_ACCOUNT_KEY_INVALID: (
        *says(
            28,
            "does not have a valid type. type is * authorized_user",
            "missing 'type' field in credentials",
            "error reading credentials from stream, 'type'",
            "oauth client from service account: error processing credentials",
            "gs_service_key_file",
            "token server uri specified in 'token_uri'",
            "activate-service-account) could not read json file",
            "credentials: unsupported filetype",
        ),
        *google_says(
            28,
            "failed to parse service account json",
            "unknown or invalid credentials type",
            "cannot parse the credentials file",
            "but expected 'service_account'",
            "invalid service account certificate",
            "json key is missing the type field",
            "json is missing the 'type' field",
            "json is missing the 'private_key",
            "json is missing the 'client_email",
            "credentials type ' * is not supported",
            "credentials are not of type",
            "credentials were not of type",
            "invalid pkcs#8 data",
            "exception reading pkcs#8 data",
            "json credentials are not valid",
            "unable to parse credentials from '",
            "failed to process the provided json credentials",
        ),
    ),
    Cause.WORKLOAD_IDENTITY_MISCONFIGURED: (
        *says(
            14,
            "unable to generate gcp access token",
            "invalid workloadidentityfederation config",
            "workforce_pool_user_project should not be set",
            "workforcepooluserproject should not be set",
        ),
        *says(
            54,
            "refresherror: file ' * was not found",
            'identity pool "credential_source"',
            "subject_token_field_name",
            "subject_token from the credential_source",
            "options.credential_source.",
            "identitypoolsubjecttoken",
            "awssecuritycredentialssupplier",
            "workforce_pool_user_project",
        ),
        *google_says(
            54,
            "pluggableauth",
            "awscredentialsource",
            "subject_token from",
            "failed to retrieve aws ",
            "not supported external account type",
            "target principal from service account impersonation url",
            "extract target principal from",
            "executable exited with non-zero return code",
            "executable returned unsuccessful response",
            "token returned by the executable",
            "executable command must be provided",
            "the executable failed with exit code: * and error message",
            "failed to load external account credentials from",
            "unable to get region from env, and no region url",
            "could not find certificate configuration file",
        ),
    ),
    Cause.OAUTH_CLIENT_MISCONFIGURED: (
        *says(
            37,
            "client secrets must be for a web or installed app",
            "missing redirect url in the client_credentials.json",
            "[gsi_logger]: the given client id is not found",
        ),
        *google_says(
            37,
            "property 'installed' or 'web'",
            "field 'web' or 'installed'",
            "invalid client secret json file",
            "invalid client secrets file",
        ),
        *google_says(37, "json downloaded for an oauth client"),
        *google_says(37, "client id: * is authorized for the appropriate api or scopes"),
        *says(13, "idtoken: audience provided does not match"),
        *google_says(13, "token aud mismatch"),
        *says(40, "oauth2/google: no credentials found"),
    ),
    Cause.SCOPES_INSUFFICIENT: (
        *says(29, "invalid auth scopes. scopes must include"),
        *google_says(29, "invalid oauth scope or id token audience"),
        *google_says(50, "permission scopes specified"),
        *google_says(59, "insufficient_scope"),
    ),
}

_PROJECTS: Final[Mapping[Cause, tuple[Pattern, ...]]] = {
    Cause.API_NOT_ENABLED: (
        *says(
            46,
            "firebase ai * to be enabled in your firebase project",
            "firebase ai logic api has not been enabled",
        ),
        *google_says(46, "api is not enabled for the project"),
    ),
    Cause.ENABLE_SERVICE_DENIED: (
        *google_says(42, "permissions denied enabling", "not authorized to enable * or it does not exist"),
    ),
    Cause.BILLING_DISABLED: says(
        44, "without first having enabled billing for the project", "project to be upgraded to the blaze plan"
    ),
    Cause.MISSING_IAM_PERMISSION: (
        *says(
            60,
            'the "roles/iam.serviceaccounttokencreator" role',
            "deployment requires specific roles to be granted to service agents",
            "set the invoker for the iam policy",
        ),
        *google_says(60, "setting iam policy failed, try", "your service account has been denied access"),
    ),
}

_KEYS: Final[Mapping[Cause, tuple[Pattern, ...]]] = {
    Cause.API_KEY_INVALID: (
        *says(
            27,
            "error-messages#invalid-key",
            "invalidclientidmaperror",
            "a firebase api key is required to",
        ),
        *google_says(27, "invalid api key was supplied in the request", "error_invalid_api_key"),
    ),
    Cause.MALFORMED_KEY: says(27, "firebaseoptions.apikey` doesn't match the expected format"),
    Cause.MULTIPLE_CREDENTIALS: google_says(
        15, "credentials are mutually exclusive", "credentials and api key are mutually exclusive"
    ),
    Cause.API_KEYS_NOT_SUPPORTED_BY_API: says(15, "do not support express mode api keys"),
}

_GEMINI: Final[Mapping[Cause, tuple[Pattern, ...]]] = {
    Cause.MODEL_NOT_FOUND: google_says(
        47,
        'model "gemini * is not available in region',
        'model "gemini * was not found or is invalid',
        "don't have access to gemini-",
    ),
    Cause.REGION_NOT_SUPPORTED: google_says(19, "unsupporteduserlocation"),
    Cause.DAILY_QUOTA_EXCEEDED: (
        *says(11, "overquotamaperror", "#over-quota-map-error"),
        *google_says(58, "usage limit reached for gemini"),
    ),
    Cause.RATE_LIMITED: google_says(
        62,
        "prediction request quota is exceeded",
        "quota exhausted. please reach out",
        "insufficient quota(s) to execute",
        "project quotas don't allow for the current",
        "maximum number of concurrent sessions",
        "message rate exceeded",
    ),
}

_REQUESTS: Final[Mapping[Cause, tuple[Pattern, ...]]] = {
    Cause.INVALID_ARGUMENT: (
        *says(
            66,
            "expected project:region:instance",
            "must have format: project:region:instance",
            "the project property is set to the empty string",
            "project property must be set to a valid project id, not the project",
            "first content should be with role",
            "each item should include role field",
            '"projectid" field is empty in the local firebase config',
            '"appid" field is empty in the local firebase config',
        ),
        *google_says(
            66,
            "universe domain mismatch",
            "recursive schema detected",
            "does not support recursive",
            "invalid batch job name",
            "only supported in the gemini developer client",
            "only supported by the gemini developer api",
            "error: contents are required",
            "invalid request. invalid '",
            "provided region was mismatched",
            "must provide a model name",
            "does not support project/location",
            "project and location are not supported for gemini",
            "ephemeral tokens can only be used with the live api",
            "ephemeral tokens are only supported by the live api",
            "invalid request. missing the '",
        ),
    ),
    Cause.CONFLICT: google_says(61, "preconditionfailed: 412 patch"),  # an etag that is no longer the newest
    Cause.NOT_FOUND: says(64, "storage: object doesn't exist", "storage: bucket doesn't exist"),
    Cause.SERVICE_UNAVAILABLE: (
        *google_says(67, "a server error occurred. please wait a bit and try again"),
        *google_says(
            67,
            "service is unavailable. please try again later",
            "ioexception: service_not_available",
            "temporarily unavailable. please try again",
        ),
    ),
    Cause.NETWORK_UNREACHABLE: google_says(
        68,
        "error fetching from https:// * failed to fetch",
        "error fetching from https:// * fetch failed",
        "error fetching from https:// * load failed",
        "could not reach the login server",
        "interrupted connection or unreachable host",
        "could not process request. application offline",
    ),
}

WORDS: Final[Mapping[Cause, tuple[Pattern, ...]]] = {
    cause: tuple(pattern for part in (_CREDENTIALS, _PROJECTS, _KEYS, _GEMINI, _REQUESTS) for pattern in part.get(cause, ()))
    for cause in Cause
}
