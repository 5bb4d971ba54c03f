"""The forms of causes that take steps of their own (CauseEntry.variants), by what must all stand in the text."""

from __future__ import annotations

import re
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import forms_of_credentials
from keyadmin.model.causes.facts import ErrorFacts
from keyadmin.model.causes.forms_of_credentials import Forms

_EMPTY: Final = re.compile(r"<empty>|did not specify any", re.IGNORECASE)  # a call that says of no site or app that it is its

# The forms of causes: what must all stand in the text. The first that fits decides.
_VARIANTS: Final[Forms] = {
    **forms_of_credentials.FORMS,
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
        ("image", re.compile(r"must have permissions? (?:to read|on) the image", re.IGNORECASE)),
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
    Cause.QUOTA_PROJECT_NOT_SET: (("requester-pays", re.compile(r"requester pays", re.IGNORECASE)),),
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
        ("app-engine", re.compile(r"not contain an app engine application", re.IGNORECASE)),
        ("page", re.compile(r"was not found on this server", re.IGNORECASE)),
        ("key", re.compile(r'key "projects/|locations/global/keys', re.IGNORECASE)),
    ),
    Cause.ORG_POLICY_CONSTRAINT: (
        ("public", re.compile(r"public ?access ?prevention", re.IGNORECASE)),
        ("network", re.compile(r"by organization restriction\.", re.IGNORECASE)),
        ("members", re.compile(r"permitted customer|permitted organization|domain restriction", re.IGNORECASE)),
    ),
}


def variant(facts: ErrorFacts, cause: Cause) -> str | None:
    """The form of the cause that the words are of."""
    forms = _VARIANTS.get(cause, ())
    return next((name for name, *marks in forms if all(mark.search(facts.message) for mark in marks)), None)
