"""What a reason or a wording means where it means one thing here and another there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import named, table, wording
from keyadmin.model.causes.facts import ErrorFacts

Verdict = tuple[Cause, str | None] | None

GEMINI: Final = "generativelanguage.googleapis.com"
SERVICE_USAGE: Final = "serviceusage.googleapis.com"

# The projects that own the OAuth clients of gcloud, of its credentials, Cloud Shell and Earth Engine: a call charged to
# one of them had no quota project of its own (facts: reported in public threads).
GOOGLES_OWN_PROJECTS: Final = frozenset(
    {
        *("764086051850", "32555940559", "618104708054", "google.com:cloudsdktool", "cloud-devshell-dev", "522309567947"),
        *(
            "usable-auth-library",
            "firebase-cli",
            "563584335869",
            "681255809395",
        ),  # the credentials' by its id; Firebase's and Gemini's CLI
    }
)

_OWN_PROJECT: Final = re.compile(
    rf"project[\s/='\"#:(]{{1,3}}(?:{'|'.join(map(re.escape, sorted(GOOGLES_OWN_PROJECTS)))})(?![\w-])", re.IGNORECASE
)

ACT_AS: Final = "iam.serviceAccounts.getAccessToken"
_POOL: Final = re.compile(
    r"principal(?:Set)?://|workloadIdentityPools|google-github-actions/(?:auth|get-)|federated token|workload.identity|"
    r"external_account|gha-creds|sts\.googleapis\.com|idtoken",
    re.IGNORECASE,
)
_AUTH_KEY: Final = re.compile(r"\bAQ\.|\bauth(?:orization)? key|bearer|new (?:format|style)? ?(?:api )?key", re.IGNORECASE)


def service_disabled(facts: ErrorFacts) -> Verdict:
    by_words = wording.cause_of(facts.message)
    own = named.project(facts) in GOOGLES_OWN_PROJECTS or _OWN_PROJECT.search(facts.message) is not None
    if own or by_words is Cause.QUOTA_PROJECT_NOT_SET:
        return Cause.QUOTA_PROJECT_NOT_SET, None
    if named.service(facts) == SERVICE_USAGE:
        return Cause.API_NOT_ENABLED, "service-usage"
    return Cause.API_NOT_ENABLED, variant(facts, Cause.API_NOT_ENABLED)


def _key_invalid(facts: ErrorFacts) -> Verdict:
    expired = wording.cause_of(facts.message) is Cause.API_KEY_EXPIRED
    return (Cause.API_KEY_EXPIRED if expired else Cause.API_KEY_INVALID), None


def token_type(facts: ErrorFacts) -> Verdict:
    """ACCESS_TOKEN_TYPE_UNSUPPORTED: at the Gemini API a key that was not taken; elsewhere a token of another kind."""
    service = named.service(facts)
    flat = f"{facts.message}\n{facts.around}".lower()
    gemini = ("generativelanguage", "gemini", "google.genai", "@google/genai", "generative language")
    if service == GEMINI or (service is None and any(word in flat for word in gemini)):
        return Cause.STANDARD_KEY_REJECTED, "auth-key" if _AUTH_KEY.search(f"{facts.message}\n{facts.around}") else None
    return Cause.CREDENTIALS_EXPIRED, variant(facts, Cause.CREDENTIALS_EXPIRED)


def _credentials_missing(facts: ErrorFacts) -> Verdict:
    no_keys = wording.cause_of(facts.message) is Cause.API_KEYS_NOT_SUPPORTED_BY_API
    return (Cause.API_KEYS_NOT_SUPPORTED_BY_API if no_keys else Cause.CREDENTIALS_MISSING), None


def _auth_permission_denied(facts: ErrorFacts) -> Verdict:
    """Service Usage's own reason: denied to enable, or denied something else."""
    enabling = facts.method in ("EnableService", "BatchEnableServices") or "enable" in facts.message.lower()
    return (Cause.ENABLE_SERVICE_DENIED if enabling else Cause.MISSING_IAM_PERMISSION), None


def _iam_denied(facts: ErrorFacts) -> Verdict:
    """A missing project and one without access look the same when the permission is the one to see the project at all."""
    permission = named.permission(facts)
    if permission == "resourcemanager.projects.get":
        return Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, None
    if permission == "serviceusage.services.enable":
        return Cause.ENABLE_SERVICE_DENIED, None
    if permission == "serviceusage.services.use":
        return Cause.QUOTA_PROJECT_DENIED, None
    return acting_as(facts, permission)


def acting_as(facts: ErrorFacts, permission: str | None) -> Verdict:
    """Acting as a service account: an identity of a workload pool lacks another role than a person does."""
    if permission != ACT_AS:
        return Cause.MISSING_IAM_PERMISSION, None if permission else variant(facts, Cause.MISSING_IAM_PERMISSION)
    pool = _POOL.search(f"{facts.message}\n{facts.around}")
    return (Cause.WORKLOAD_IDENTITY_MISCONFIGURED if pool else Cause.MISSING_IAM_PERMISSION), "act-as"


def _things(facts: ErrorFacts) -> Verdict:
    """RESOURCE_QUOTA_EXCEEDED: so many of a thing exist. Of keys or of projects the words say, else what was called."""
    by_words = wording.cause_of(named.everything(facts))
    if by_words in (Cause.PROJECT_QUOTA_EXCEEDED, Cause.KEY_QUOTA_EXCEEDED):
        return by_words, None
    if facts.method == "CreateProject":
        return Cause.PROJECT_QUOTA_EXCEEDED, None
    # unsourced: that the API Keys service answers the 301st key with this reason; no recording of it was found.
    keys = facts.method == "CreateKey" or "apikeys.googleapis.com" in (named.service(facts), facts.domain)
    return (Cause.KEY_QUOTA_EXCEEDED, None) if keys else (Cause.RATE_LIMITED, "things")


def _consumer_suspended(facts: ErrorFacts) -> Verdict:
    """Gemini answers a leaked key and a refused project with this reason too; the words tell them apart."""
    by_words = wording.cause_of(facts.message)
    told = by_words in (Cause.API_KEY_LEAKED, Cause.PROJECT_DENIED_ACCESS)
    return (by_words if told and by_words is not None else Cause.CONSUMER_SUSPENDED), None


# Reasons that mean one thing here and another there. All others stand in the table of causes.
RULES: Final[dict[str, Callable[[ErrorFacts], Verdict]]] = {
    "SERVICE_DISABLED": service_disabled,
    "API_KEY_INVALID": _key_invalid,
    "RESOURCE_QUOTA_EXCEEDED": _things,
    "CONSUMER_SUSPENDED": _consumer_suspended,
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": token_type,
    "CREDENTIALS_MISSING": _credentials_missing,
    "IAM_PERMISSION_DENIED": _iam_denied,
    "AUTH_PERMISSION_DENIED": _auth_permission_denied,
}


def reasons() -> frozenset[str]:
    """Every reason that has a row."""
    return frozenset({*RULES, *table.by_reason()})


_EMPTY: Final = re.compile(r"<empty>|did not specify any", re.IGNORECASE)  # a call that says of no site or app that it is its

# The forms of causes: what must all stand in the text. The first that fits decides.
_VARIANTS: Final[Mapping[Cause, tuple[tuple[str, *tuple[re.Pattern[str], ...]], ...]]] = {
    Cause.OAUTH_CLIENT_MISCONFIGURED: (
        (
            "delegation",
            re.compile(r"retrieve access tokens using this method|unauthorized client or scope in request", re.IGNORECASE),
        ),
        ("android", re.compile(r"developer_error|apiexception: 1(?:0:|2500)", re.IGNORECASE)),
        ("cap", re.compile(r"login count limit|error 403: rate_limit_exceeded", re.IGNORECASE)),
        ("consent", re.compile(r"not yet configured to make oauth", re.IGNORECASE)),
        ("client", re.compile(r"(?:disabled|deleted)_client", re.IGNORECASE)),
        (
            "redirect",
            re.compile(
                r"mismatch|redirect uri|registered origin|origin is not allowed|valid origin|oauth 2\.0 policy",
                re.IGNORECASE,
            ),
        ),
        (
            "blocked",
            re.compile(r"admin_policy|org_internal|restricted_client|within its organization|app is blocked", re.IGNORECASE),
        ),
        ("request", re.compile(r"invalid_request|required parameter|disallowed_useragent", re.IGNORECASE)),
        ("testing", re.compile(r"access_denied|verification process|being tested|hasn.t verified", re.IGNORECASE)),
        ("redirect", re.compile(r"redirect_uri|origin", re.IGNORECASE)),
        ("client", re.compile(r"client", re.IGNORECASE)),
    ),
    Cause.MISSING_IAM_PERMISSION: (
        (
            "agent",
            re.compile(
                r"using the .{1,30}service agent|granted to service agents|service agent .{1,120}does not have required",
                re.IGNORECASE,
            ),
        ),
        ("external", re.compile(r"globbing file pattern", re.IGNORECASE)),
        ("registry", re.compile(r"needed permissions to perform this operation|from request \"/v2/", re.IGNORECASE)),
        (
            "act-as-user",
            re.compile(
                r"to act as (?:service account )?['\"\d]|not have access to service account|iam\.serviceAccountUser",
                re.IGNORECASE,
            ),
        ),
        (
            "act-as",
            re.compile(r"google_service_account_access_token|impersonat|iam\.serviceAccountTokenCreator", re.IGNORECASE),
        ),
        ("pubsub", re.compile(r"user not authorized to perform this action", re.IGNORECASE)),
        ("cloudsql", re.compile(r"client is not authorized to make this request", re.IGNORECASE)),
        ("fcm", re.compile(r"mismatched-credential", re.IGNORECASE)),
        ("image", re.compile(r"must have permission to read the image", re.IGNORECASE)),
        ("invoker", re.compile(r"not authorized to invoke this service|permission to get url", re.IGNORECASE)),
        (
            "named-role",
            re.compile(
                r"you must grant|ask a project owner to|encrypter/decrypter|must be granted the|requires the .{1,80}role|"
                r"controller service account failed|permissions error fetching application|"
                r"unable to publish to cloud pub/sub",
                re.IGNORECASE,
            ),
        ),
        (
            "gemini",
            re.compile(r"caller does not have permission", re.IGNORECASE),
            re.compile(r"gemini|generativelanguage|genai|cloudcode|code assist", re.IGNORECASE),
        ),
        (
            "unnamed",
            re.compile(
                r"the caller does not have permission|missing or insufficient permissions|you must grant|"
                r"policy update access denied|not authorized",
                re.IGNORECASE,
            ),
        ),
    ),
    Cause.WORKLOAD_IDENTITY_MISCONFIGURED: (
        ("stale", re.compile(r"is stale to sign-in", re.IGNORECASE)),
        (
            "source",
            re.compile(
                r"subject.?token|credential_source|externalaccount|\baws\b|executable|identitypoolcredentials", re.IGNORECASE
            ),
        ),
        ("no-token", re.compile(r"ACTIONS_ID_TOKEN_REQUEST", re.IGNORECASE)),
        ("gke", re.compile(r"unable to generate access token; IAM returned|identitybindingtoken", re.IGNORECASE)),
        ("act-as", re.compile(r"google cloud (?:access|id) token", re.IGNORECASE)),
    ),
    Cause.API_KEY_REFERRER_BLOCKED: (("empty", _EMPTY),),
    Cause.API_KEY_ANDROID_BLOCKED: (("empty", _EMPTY),),
    Cause.API_KEY_IOS_BLOCKED: (("empty", _EMPTY),),
    Cause.API_KEY_IP_BLOCKED: (("any-kind", re.compile(r"site or mobile application", re.IGNORECASE)),),
    Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS: (("code-assist", re.compile(r"cloudaicompanion|cloudcode-pa", re.IGNORECASE)),),
    Cause.ACCOUNT_NOT_ELIGIBLE: (("project", re.compile(r"requires setting the google_cloud_project", re.IGNORECASE)),),
    Cause.API_NOT_ENABLED: (
        (
            "maps",
            re.compile(
                r"maperror|maprequesterror|mapsrequesterror|legacy api|this api project is not authorized", re.IGNORECASE
            ),
        ),
        ("user-setting", re.compile(r"script\.google\.com/home/usersettings", re.IGNORECASE)),
    ),
    Cause.NETWORK_UNREACHABLE: (
        ("slow", re.compile(r"read ?timed ?out|readtimeout|read timeout|execution expired|awaiting headers", re.IGNORECASE)),
    ),
    Cause.CREDENTIALS_MISSING: (
        ("anonymous", re.compile(r"anonymous (?:caller|users) does not have", re.IGNORECASE)),
        ("invoke", re.compile(r"either allow unauthenticated invocations", re.IGNORECASE)),
        ("rclone", re.compile(r"empty token found", re.IGNORECASE)),
        ("packages", re.compile(r"[a-z0-9-]+\.pkg\.dev\b", re.IGNORECASE)),
        ("maps", re.compile(r"missing.?key.?map|maps platform|must use an api key|no.?api.?keys|=keyless", re.IGNORECASE)),
        (
            "no-key",
            re.compile(r"api.?key", re.IGNORECASE),
            re.compile(r"gemini|generativelanguage|google_api_key|genai|generative.?ai", re.IGNORECASE),
        ),
        ("client-file", re.compile(r"from_client_secrets_file", re.IGNORECASE)),
    ),
    Cause.QUOTA_PROJECT_NOT_SET: (("requester-pays", re.compile(r"requester pays", re.IGNORECASE)),),
    Cause.SCOPES_INSUFFICIENT: (
        ("drive-file", re.compile(r"has not granted the app|appnotauthorizedto", re.IGNORECASE)),
        ("apps-script", re.compile(r"(?:sufficient|permission) to call|script\.external_request", re.IGNORECASE)),
        (
            "app",
            re.compile(
                r"google.?photos|photoslibrary|(?:sheets|docs|slides|gmail|people|tasks|photospicker|calendar-json)\.googleapis|"
                r"sheets\.v4|spreadsheets|gargle|/auth/photos|/calendar/v3|/gmail/v1|/drive/v[23]|/youtube/v3",
                re.IGNORECASE,
            ),
        ),
    ),
    Cause.CREDENTIALS_EXPIRED: (
        ("rclone", re.compile(r"rclone|failed to create file system for", re.IGNORECASE)),
        ("firebase", re.compile(r"http error: 401, request had invalid authentication", re.IGNORECASE)),
        ("clock", re.compile(r"token used too early|computer's clock", re.IGNORECASE)),
        (
            "code",
            re.compile(
                r"malformed (?:auth )?code|already redeemed|fetch_token\(|callback\S*[?&]code=|[?&]code=4|"
                r"exchang\w+ (?:the )?(?:auth|code)|fetchaccesstokenwithauthcode|authorization code",
                re.IGNORECASE,
            ),
        ),
        (
            "stored",
            re.compile(
                r"authorized user info|necessary fields need to refresh|no refresh token|no access, refresh token|"
                r"refresh token is not set",
                re.IGNORECASE,
            ),
        ),
    ),
    Cause.INVALID_ARGUMENT: (
        ("thought", re.compile(r"thought.?signature", re.IGNORECASE)),
        ("turns", re.compile(r"function (?:call|response) (?:turn|part)", re.IGNORECASE)),
        ("tokens", re.compile(r"token count|number of tokens|payload size exceeds", re.IGNORECASE)),
        ("schema", re.compile(r"function_?declarations|response_?schema|input_schema|for OBJECT type", re.IGNORECASE)),
        (
            "unsaid",
            re.compile(r"contains an invalid argument", re.IGNORECASE),
            re.compile(
                r"google.?ads|grpc::|bigquery|compute|pubsub|spanner|firestore|drive|sheets|calendar|youtube|cloudfunctions|"
                r"cloudbuild|googleapi: |speech|dialogflow|messaging",
                re.IGNORECASE,
            ),
        ),
        ("unnamed", re.compile(r"contains an invalid argument", re.IGNORECASE)),
    ),
    Cause.SERVICE_UNAVAILABLE: (
        (
            "stock",
            re.compile(r"_POOL_EXHAUSTED|STOCKOUT|enough resources available|instance is currently unavailable", re.IGNORECASE),
        ),
        ("live", re.compile(r"\b10(?:08|11)\b|live api|bidigenerate", re.IGNORECASE)),
    ),
    Cause.MODEL_NOT_FOUND: (
        (
            "garden",
            re.compile(
                r"allowed to use publisher model|publishers/(?!google\b)|(?:models/|\b)(?:claude|llama|mistral)\S* is not supp|"
                r"models/(?:claude|llama|mistral)",
                re.IGNORECASE,
            ),
        ),
    ),
    Cause.CONSUMER_SUSPENDED: (("account", re.compile(r"disabled in this account", re.IGNORECASE)),),
    Cause.NOT_FOUND: (
        ("file", re.compile(r"permission to access the file|cachedcontent not found", re.IGNORECASE)),
        ("session", re.compile(r"bidigeneratecontent session", re.IGNORECASE)),
        ("key", re.compile(r'key "projects/|locations/global/keys', re.IGNORECASE)),
    ),
    Cause.ORG_POLICY_CONSTRAINT: (
        ("members", re.compile(r"permitted customer|permitted organization|domain restriction", re.IGNORECASE)),
    ),
}


def variant(facts: ErrorFacts, cause: Cause) -> str | None:
    """The form of the cause that the words are of."""
    forms = _VARIANTS.get(cause, ())
    return next((name for name, *marks in forms if all(mark.search(facts.message) for mark in marks)), None)
