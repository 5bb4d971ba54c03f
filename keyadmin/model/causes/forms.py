"""The forms of causes that take steps of their own (CauseEntry.variants), by what must all stand in the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import consent
from keyadmin.model.causes.facts import ErrorFacts

_EMPTY: Final = re.compile(r"<empty>|did not specify any", re.IGNORECASE)  # a call that says of no site or app that it is its

# The forms of causes: what must all stand in the text. The first that fits decides.
_VARIANTS: Final[Mapping[Cause, tuple[tuple[str, *tuple[re.Pattern[str], ...]], ...]]] = {
    Cause.OAUTH_CLIENT_MISCONFIGURED: (
        (
            "delegation",
            re.compile(
                r"retrieve access tokens using this method|for the appropriate api or scopes|"
                r"unauthorized client or scope in request|"
                r"requested client not authorized|invalid email or user id|domain-wide delegation",
                re.IGNORECASE,
            ),
        ),
        ("audience", re.compile(r"payload audience|wrong audience|\(audience\) claim", re.IGNORECASE)),
        ("android", re.compile(r"developer_error|apiexception: 1(?:0:|2500)", re.IGNORECASE)),
        (
            "cap",
            re.compile(r"login count limit|error 403: rate_limit_exceeded|temporarily disabled for this app", re.IGNORECASE),
        ),
        ("consent", re.compile(r"not yet configured to make oauth", re.IGNORECASE)),
        (
            "gcloud",
            re.compile(r"gcloud crashed|\(gcloud\.", re.IGNORECASE),
            re.compile(r"client was (?:not found|deleted)|_client", re.IGNORECASE),
        ),
        ("client", re.compile(r"(?:disabled|deleted)_client|oauth client was|invalid_client", re.IGNORECASE)),
        ("scope", re.compile(r"invalid_scope|requested scopes (?:were invalid|cannot be shown)", re.IGNORECASE)),
        (
            "redirect",
            re.compile(
                r"mismatch|redirect uri|registered origin|origin is not allowed|valid origin|oauth 2\.0 policy",
                re.IGNORECASE,
            ),
        ),
        (
            "blocked",
            re.compile(
                r"admin_policy|org_internal|restricted_client|within its organization|app is blocked|"
                r"已被阻止|遭封鎖|ブロックされ|"
                r"차단되었|app ist blockiert|est bloquée|está bloquead|è bloccata|заблокировано|zablokowana|engellendi|"
                r"diblokir|bị chặn|geblokkeerd|"
                r"institution.s admin|policy_enforced|access_not_conf",
                re.IGNORECASE,
            ),
        ),
        (
            "request",
            re.compile(r"invalid_request|required parameter|disallowed_useragent|unsupported_grant_type", re.IGNORECASE),
        ),
        (
            "testing",
            re.compile(
                r"access_denied|verification process|being tested|hasn.t verified|" + "|".join(map(re.escape, consent.TESTING)),
                re.IGNORECASE,
            ),
        ),
        ("redirect", re.compile(r"redirect_uri|origin", re.IGNORECASE)),
        ("client", re.compile(r"client", re.IGNORECASE)),
    ),
    Cause.MISSING_IAM_PERMISSION: (
        (
            "agent",
            re.compile(
                r"using the .{1,30}service agent|granted to service agents|"
                r"service agent .{1,120}(?:does not have|missing) required|"
                r"service agents are being provisioned|missing (?:iam roles in|role roles/)|service agent needs|"
                r"gcf-admin-robot|container-engine-robot",
                re.IGNORECASE,
            ),
        ),
        ("external", re.compile(r"globbing file pattern", re.IGNORECASE)),
        (
            "deploy",
            re.compile(r"gcloud\.(?:beta\.|alpha\.)?(?:run|functions)\.(?:services\.)?(?:deploy|replace)", re.IGNORECASE),
            re.compile(r"the caller does not have permission", re.IGNORECASE),
        ),
        ("billing-account", re.compile(r"billingaccounts/|billing\.(?:accounts|resourceAssociations)\.", re.IGNORECASE)),
        ("registry", re.compile(r"needed permissions to perform this operation|from request \"/v2/", re.IGNORECASE)),
        (
            "act-as-user",
            re.compile(
                r"to act as (?:service account:? |service_account)?['\"\d\w]+[.@]|to act as (?:service account )?['\"\d]|"
                r"not have access to service account|iam\.serviceAccountUser|cannot act as service account",
                re.IGNORECASE,
            ),
        ),
        (
            "act-as",
            re.compile(r"google_service_account_access_token|impersonat|iam\.serviceAccountTokenCreator", re.IGNORECASE),
        ),
        ("studio", re.compile(r"failed to generate content", re.IGNORECASE)),
        ("pubsub", re.compile(r"user not authorized to perform this action", re.IGNORECASE)),
        ("cloudsql", re.compile(r"client is not authorized to make this request", re.IGNORECASE)),
        ("fcm", re.compile(r"mismatched-credential", re.IGNORECASE)),
        ("image", re.compile(r"must have permission to read the image", re.IGNORECASE)),
        ("invoker", re.compile(r"not authorized to invoke this service|permission to get url", re.IGNORECASE)),
        (
            "named-role",
            re.compile(
                r"you must grant|ask a project owner to|encrypter/decrypter|must be granted the|requires the .{1,80}role|"
                r"on cloud kms key|permission to write logs|permissions are missing for the default service account|"
                r"missing permission on the build service account|"
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
                r"policy update access denied|not authorized|failed to write a file to temp|additional access to the project",
                re.IGNORECASE,
            ),
        ),
    ),
    Cause.WORKLOAD_IDENTITY_MISCONFIGURED: (
        ("stale", re.compile(r"is stale to sign-in", re.IGNORECASE)),
        (
            "source",
            re.compile(
                r"subject.?token|credential_source|external.?account|\baws\b|executable|identitypool|pluggable|workforce_?pool|"
                r"certificate configuration|target principal|refresherror: file|workloadidentityfederation config",
                re.IGNORECASE,
            ),
        ),
        ("unfilled", re.compile(r"\$\{{1,2} ?(?:secrets|vars|env)\b|\$\{\{", re.IGNORECASE)),
        ("no-token", re.compile(r"ACTIONS_ID_TOKEN_REQUEST", re.IGNORECASE)),
        (
            "mapping",
            re.compile(r"mapped attribute|value for google\.subject|samlresponse|saml assertion|nameid|saml rp", re.IGNORECASE),
        ),
        (
            "gke",
            re.compile(r"unable to generate (?:gcp )?access token(?:; IAM returned|: rpc)|identitybindingtoken", re.IGNORECASE),
        ),
        ("act-as", re.compile(r"google cloud (?:access|id) token", re.IGNORECASE)),
    ),
    Cause.API_KEY_REFERRER_BLOCKED: (("empty", _EMPTY),),
    Cause.API_KEY_ANDROID_BLOCKED: (("empty", _EMPTY),),
    Cause.API_KEY_IOS_BLOCKED: (("empty", _EMPTY),),
    Cause.API_KEY_IP_BLOCKED: (
        ("app", re.compile(r"firebase.?installations|com\.google\.firebase|firebase|android", re.IGNORECASE)),
        ("any-kind", re.compile(r"site or mobile application", re.IGNORECASE)),
    ),
    Cause.API_KEY_INVALID: (
        ("places", re.compile(r"places_api_", re.IGNORECASE)),
        ("firebase", re.compile(r"firebase|auth/api-key|auth/invalid-api-key|identitytoolkit", re.IGNORECASE)),
    ),
    Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS: (
        ("code-assist", re.compile(r"cloudaicompanion|cloudcode-pa", re.IGNORECASE)),
        (
            "placeholder",
            re.compile(
                r"project(?:s/|:)?[ '\"`\[]{0,3}(?:\$?\{|\$[A-Z_]{4,}|<[A-Za-z]|your[-_ ]|undefined\b|null\b|None\b|"
                r"my[-_]project[-_]id)",
                re.IGNORECASE,
            ),
        ),
        ("deleted", re.compile(r"project \S{1,80} (?:has been|was) deleted", re.IGNORECASE)),
    ),
    Cause.ACCOUNT_NOT_ELIGIBLE: (
        ("location", re.compile(r"(?:in|for) your (?:current )?(?:location|country|region)", re.IGNORECASE)),
        ("verify", re.compile(r"verify your account|account validation|validation_required", re.IGNORECASE)),
        ("project", re.compile(r"requires setting the google_cloud_project|valid google cloud project id", re.IGNORECASE)),
    ),
    Cause.API_NOT_ENABLED: (
        (
            "maps",
            re.compile(
                r"maperror|maprequesterror|mapsrequesterror|legacy api|this api project is not authorized|"
                r"webpage is not allowed|places_api_",
                re.IGNORECASE,
            ),
        ),
        ("reauth", re.compile(r"\breauth\.googleapis\.com|\breauth api\b", re.IGNORECASE)),
        ("private", re.compile(r"[a-z]-pa\.googleapis\.com|\bPrivate API\b")),
        ("user-setting", re.compile(r"script\.google\.com/home/usersettings", re.IGNORECASE)),
    ),
    Cause.NETWORK_UNREACHABLE: (
        ("metadata", re.compile(r"computemetadata", re.IGNORECASE)),
        (
            "authorities",
            re.compile(
                r"x509|curl error 60|ssl certificate problem|local issuer certificate|unknown authority|pkix", re.IGNORECASE
            ),
        ),
        (
            "passing",
            re.compile(
                r"econnreset|socket hang up|connection reset|: eof\b|disconnected|"
                r"remote end closed|tls handshake timeout|i/o timeout",
                re.IGNORECASE,
            ),
        ),
        ("slow", re.compile(r"read ?timed ?out|readtimeout|read timeout|execution expired|awaiting headers", re.IGNORECASE)),
    ),
    Cause.MULTIPLE_CREDENTIALS: (("client", re.compile(r"mutually exclusive", re.IGNORECASE)),),
    Cause.SERVICE_ACCOUNT_KEY_INVALID: (
        (
            "form",
            re.compile(
                r"valid json|valid type|json key is missing|json is missing|missing (?:required )?fields?|missing 'type'|"
                r"type'? (?:field|value)|of type|type '|unexpected (?:format|end)|expected format|filetype|expecting\b|"
                r"pars(?:e|ing) (?:credentials|service account|the credentials)|read json file|credentials? type|must contain|"
                r"client_email field|private_key field|json credential|account (?:info|certificate|key json)",
                re.IGNORECASE,
            ),
        ),
    ),
    Cause.CREDENTIALS_MISSING: (
        ("iap", re.compile(r"invalid iap credentials", re.IGNORECASE)),
        ("instance", re.compile(r"not enabled on this instance", re.IGNORECASE)),
        ("ai-logic", re.compile(r"firebase ai logic|genai-config-not-found", re.IGNORECASE)),
        ("anonymous", re.compile(r"anonymous (?:caller|users) does not have", re.IGNORECASE)),
        ("invoke", re.compile(r"either allow unauthenticated invocations", re.IGNORECASE)),
        ("rclone", re.compile(r"empty token found", re.IGNORECASE)),
        ("firebase", re.compile(r"firebase login", re.IGNORECASE)),
        (
            "gcloud",
            re.compile(
                r"active account selected|no credentialed accounts|does not have any valid credentials|"
                r"with no configured credentials|boto config",
                re.IGNORECASE,
            ),
        ),
        ("client-file", re.compile(r"from_client_secrets_file", re.IGNORECASE)),
        (
            "file",
            re.compile(r"credentials? file|keyfile|google_application_credentials|credentialserror: file", re.IGNORECASE),
            re.compile(
                r"no such file|does not exist|not find file|file \S+ was not found|is not a valid file|not found or invalid|"
                r"could not find or open|unable to read|failed to read",
                re.IGNORECASE,
            ),
        ),
        ("packages", re.compile(r"[a-z0-9-]+\.pkg\.dev\b", re.IGNORECASE)),
        (
            "maps",
            re.compile(
                r"missing.?key.?map|maps platform|must use an api key|no.?api.?keys|=keyless|googlemaps|google maps|"
                r"com\.google\.android\.(?:geo|maps)|gms(?:services|placesclient)",
                re.IGNORECASE,
            ),
        ),
        (
            "no-key",
            re.compile(r"api.?key|gemini models", re.IGNORECASE),
            re.compile(r"gemini|generativelanguage|google_api_key|genai|generative.?ai|googleai|llm keys", re.IGNORECASE),
        ),
    ),
    Cause.QUOTA_PROJECT_NOT_SET: (("requester-pays", re.compile(r"requester pays", re.IGNORECASE)),),
    Cause.SCOPES_INSUFFICIENT: (
        ("drive-file", re.compile(r"has not granted the app|appnotauthorizedto", re.IGNORECASE)),
        ("none-asked", re.compile(r"invalid oauth scope or id token audience", re.IGNORECASE)),
        ("apps-script", re.compile(r"(?:sufficient|permission) to call|script\.external_request", re.IGNORECASE)),
        ("photos", re.compile(r"google.?photos|photoslibrary|/auth/photos", re.IGNORECASE)),
        (
            "app",
            re.compile(
                r"(?:sheets|docs|slides|gmail|people|tasks|photospicker|calendar-json)\.googleapis|"
                r"sheets\.v4|spreadsheets|gargle|/auth/photos|/calendar/v3|/gmail/v1|/drive/v[23]|/youtube/v3",
                re.IGNORECASE,
            ),
        ),
    ),
    Cause.CREDENTIALS_EXPIRED: (
        ("rclone", re.compile(r"rclone|failed to create file system for", re.IGNORECASE)),
        ("firebase", re.compile(r"http error: 401, request had invalid authentication|firebase login", re.IGNORECASE)),
        ("user", re.compile(r"auth/(?:user-token|invalid-user|id-token)|firebase id token", re.IGNORECASE)),
        ("connection", re.compile(r"zapier|failed to verify connection|\bn8n|nodeapierror", re.IGNORECASE)),
        ("audience", re.compile(r"invalid iap credentials", re.IGNORECASE)),
        ("account", re.compile(r"account has been (?:deleted|disabled)", re.IGNORECASE)),
        ("clock", re.compile(r"token used too early|computer's clock|reasonable timeframe", re.IGNORECASE)),
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
        (
            "empty",
            re.compile(
                r"contents is not specified|contents? (?:is|are) required|must include at least one parts field", re.IGNORECASE
            ),
        ),
        (
            "not-of-model",
            re.compile(
                r"(?:developer instruction|function calling|json mode|thinking|tool use|system instruction) is not "
                r"(?:enabled|supported)",
                re.IGNORECASE,
            ),
        ),
        ("old-client", re.compile(r"schema is no longer supported|is deprecated\. use audio, video", re.IGNORECASE)),
        ("managed", re.compile(r"must be of the form: constraints/|managed constraint format", re.IGNORECASE)),
        ("secret", re.compile(r"projects/[\w-]+/secrets/[\w-]+\] is not in a valid format", re.IGNORECASE)),
        ("placeholder", re.compile(r"invalid list value", re.IGNORECASE)),
        ("fixed-location", re.compile(r"location must equal", re.IGNORECASE)),
        ("uniform", re.compile(r"uniform bucket-level access", re.IGNORECASE)),
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
            re.compile(
                r"_POOL_EXHAUSTED|STOCKOUT|enough resources available|(?:instance|accelerator\(s\)) is currently unavailable|"
                r"out\.of\.resources|machine type temporarily unavailable",
                re.IGNORECASE,
            ),
        ),
        ("console", re.compile(r"failed to load api keys", re.IGNORECASE)),
        (
            "model",
            re.compile(r"gemini|generativelanguage|genai|generative.?ai|ai_apicallerror|vertex", re.IGNORECASE),
            re.compile(r"internal error|\binternal\b|deadline|\b50[04]\b", re.IGNORECASE),
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
    Cause.ALREADY_EXISTS: (("deleted", re.compile(r"in a deleted state|marked for deletion", re.IGNORECASE)),),
    Cause.API_KEYS_NOT_SUPPORTED_BY_API: (
        ("gemini", re.compile(r"\b1008\b|bidigeneratecontent|generativelanguage|/v1beta/", re.IGNORECASE)),
    ),
    Cause.NOT_FOUND: (
        ("constraint", re.compile(r"error creating policy|google_org_policy_policy|org-?polic(?:y|ies)", re.IGNORECASE)),
        (
            "account",
            re.compile(
                r"gaia id not found|(?:service account|user|group|principal) \S+ (?:does not|doesn't) exist", re.IGNORECASE
            ),
        ),
        ("file", re.compile(r"permission to access the file|cachedcontent not found", re.IGNORECASE)),
        ("session", re.compile(r"bidigeneratecontent session", re.IGNORECASE)),
        ("location", re.compile(r"permission denied on 'locations/", re.IGNORECASE)),
        ("page", re.compile(r"was not found on this server", re.IGNORECASE)),
        ("key", re.compile(r'key "projects/|locations/global/keys', re.IGNORECASE)),
    ),
    Cause.ORG_POLICY_CONSTRAINT: (
        ("public", re.compile(r"public ?access ?prevention", re.IGNORECASE)),
        ("members", re.compile(r"permitted customer|permitted organization|domain restriction", re.IGNORECASE)),
    ),
}


def variant(facts: ErrorFacts, cause: Cause) -> str | None:
    """The form of the cause that the words are of."""
    forms = _VARIANTS.get(cause, ())
    return next((name for name, *marks in forms if all(mark.search(facts.message) for mark in marks)), None)
