"""The forms of causes that take steps of their own (CauseEntry.variants), by what must all stand in the text."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import forms_of_credentials
from keyadmin.model.causes.facts import ErrorFacts
from keyadmin.model.causes.forms_of_credentials import Forms

_EMPTY: Final = r"<empty>|did not specify any"  # a call that says of no site or app that it is its

# The forms of causes: what must all stand in the text. The first that fits decides.
_VARIANTS: Final[Forms] = {
    **forms_of_credentials.FORMS,
    Cause.MISSING_IAM_PERMISSION: (
        (
            "agent",
            (
                r"when acting as|using the .{1,30}service agent|granted to service agents|"
                r"service agent .{1,120}(?:does not have|missing) required|"
                r"service agents are being provisioned|missing (?:iam roles in|role roles/)|service agent needs|"
                r"gcf-admin-robot|container-engine-robot"
            ),
        ),
        ("external", r"globbing file pattern"),
        (
            "deploy",
            r"gcloud\.(?:beta\.|alpha\.)?(?:run|functions)\.(?:services\.)?(?:deploy|replace)",
            r"the caller does not have permission",
        ),
        ("billing-account", r"billingaccounts/|billing\.(?:accounts|resourceAssociations)\."),
        ("build-account", r"missing permission on the build service account"),
        ("nodes", r"failed to pull image|errimagepull|imagepullbackoff|failed to resolve reference|kubelet"),
        ("registry", r"needed permissions to perform this operation|from request \"/v2/"),
        (
            "act-as-user",
            (
                r"to act as (?:service account:? |service_account)?['\"\d\w]+[.@]|to act as (?:service account )?['\"\d]|"
                r"not have access to service account|iam\.serviceAccountUser|cannot act as service account"
            ),
        ),
        (
            "act-as",
            r"google_service_account_access_token|impersonat|iam\.serviceAccountTokenCreator",
        ),
        ("studio", r"failed to generate content"),
        ("pubsub", r"user not authorized to perform this action"),
        ("cloudsql", r"client is not authorized to make this request"),
        ("fcm", r"mismatched-credential"),
        ("image", r"must have permissions? (?:to read|on) the image"),
        ("invoker", r"not authorized to invoke this service|permission to get url"),
        (
            "named-role",
            (
                r"you must grant|ask a project owner to|encrypter/decrypter|must be granted the|requires the .{1,80}role|"
                r"on cloud kms key|permission to write logs|permissions are missing for the default service account|"
                r"missing permission on the build service account|"
                r"controller service account failed|permissions error fetching application|"
                r"unable to publish to cloud pub/sub"
            ),
        ),
        (
            "gemini",
            r"caller does not have permission",
            r"gemini|generativelanguage|genai|cloudcode|code assist",
        ),
        (
            "unnamed",
            (
                r"the caller does not have permission|missing or insufficient permissions|you must grant|"
                r"policy update access denied|not authorized|failed to write a file to temp|additional access to the project"
            ),
        ),
    ),
    Cause.API_KEY_REFERRER_BLOCKED: (("empty", _EMPTY),),
    Cause.API_KEY_ANDROID_BLOCKED: (("empty", _EMPTY),),
    Cause.API_KEY_IOS_BLOCKED: (("empty", _EMPTY),),
    Cause.API_KEY_IP_BLOCKED: (
        ("app", r"firebase.?installations|com\.google\.firebase|firebase|android"),
        ("any-kind", r"site or mobile application"),
    ),
    Cause.API_KEY_INVALID: (
        ("places", r"places_api_"),
        ("firebase", r"firebase|auth/api-key|auth/invalid-api-key|identitytoolkit"),
    ),
    Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS: (
        ("code-assist", r"cloudaicompanion|cloudcode-pa"),
        (
            "placeholder",
            (
                r"project(?:s/|:)?[ '\"`\[]{0,3}(?:\$?\{|\$[A-Z_]{4,}|<[A-Za-z]|your[-_ ]|undefined\b|null\b|None\b|"
                r"my[-_]project[-_]id)"
            ),
        ),
        ("deleted", r"project \S{1,80} (?:has been|was) deleted"),
    ),
    Cause.ACCOUNT_NOT_ELIGIBLE: (
        ("client", r"client is no longer supported"),
        ("location", r"(?:in|for) your (?:current )?(?:location|country|region)"),
        ("verify", r"verify your account|account validation|validation_required"),
        ("project", r"requires setting the google_cloud_project|valid google cloud project id"),
    ),
    Cause.API_NOT_ENABLED: (
        (
            "maps",
            (
                r"maperror|maprequesterror|mapsrequesterror|legacy api|this api project is not authorized|"
                r"webpage is not allowed|places_api_"
            ),
        ),
        ("reauth", r"\breauth\.googleapis\.com|\breauth api\b"),
        ("private", r"(?-i:[a-z]-pa\.googleapis\.com|\bPrivate API\b)"),
        ("user-setting", r"script\.google\.com/home/usersettings"),
    ),
    Cause.NETWORK_UNREACHABLE: (
        ("metadata", r"computemetadata"),
        (
            "authorities",
            r"x509|curl error 60|ssl certificate problem|local issuer certificate|unknown authority|pkix",
        ),
        (
            "passing",
            (
                r"econnreset|socket hang up|connection reset|: eof\b|disconnected|"
                r"remote end closed|tls handshake timeout|i/o timeout"
            ),
        ),
        ("slow", r"read ?timed ?out|readtimeout|read timeout|execution expired|awaiting headers"),
    ),
    Cause.MULTIPLE_CREDENTIALS: (("client", r"mutually exclusive"),),
    Cause.QUOTA_PROJECT_NOT_SET: (("requester-pays", r"requester pays"),),
    Cause.INVALID_ARGUMENT: (
        (
            "empty",
            r"contents is not specified|contents? (?:is|are) required|must include at least one parts field",
        ),
        (
            "not-of-model",
            (
                r"(?:developer instruction|function calling|json mode|thinking|tool use|system instruction) is not "
                r"(?:enabled|supported)"
            ),
        ),
        ("old-client", r"schema is no longer supported|is deprecated\. use audio, video"),
        ("managed", r"must be of the form: constraints/|managed constraint format"),
        ("secret", r"projects/[\w-]+/secrets/[\w-]+\] is not in a valid format"),
        ("placeholder", r"invalid list value"),
        ("fixed-location", r"location must equal"),
        ("uniform", r"uniform bucket-level access"),
        ("thought", r"thought.?signature"),
        ("turns", r"function (?:call|response) (?:turn|part)"),
        ("tokens", r"token count|number of tokens|payload size exceeds"),
        ("schema", r"function_?declarations|response_?schema|input_schema|for OBJECT type"),
        ("scopes", r"impersonated credentials", r"contains an invalid argument"),
        (
            "unsaid",
            r"contains an invalid argument",
            (
                r"google.?ads|grpc::|bigquery|compute|pubsub|spanner|firestore|drive|sheets|calendar|youtube|cloudfunctions|"
                r"cloudbuild|googleapi: |speech|dialogflow|messaging|"
                r"https://(?!generativelanguage|aiplatform|ai\.google|[a-z0-9-]+-aiplatform|cloudcode)[a-z0-9-]+\.googleapis\.com"
            ),
        ),
        ("unnamed", r"contains an invalid argument"),
    ),
    Cause.SERVICE_UNAVAILABLE: (
        (
            "stock",
            (
                r"_POOL_EXHAUSTED|STOCKOUT|enough resources available|(?:instance|accelerator\(s\)) is currently unavailable|"
                r"out\.of\.resources|machine type temporarily unavailable"
            ),
        ),
        ("console", r"failed to load api keys"),
        (
            "model",
            r"gemini|generativelanguage|genai|generative.?ai|ai_apicallerror|vertex",
            r"internal error|\binternal\b|deadline|\b50[04]\b",
        ),
        ("live", r"\b10(?:08|11)\b|live api|bidigenerate"),
    ),
    Cause.MODEL_NOT_FOUND: (
        ("version", r"for api version v1(?![\w.])"),
        (
            "garden",
            (
                r"allowed to use publisher model|publishers/(?!google\b)|(?:models/|\b)(?:claude|llama|mistral)\S* is not supp|"
                r"models/(?:claude|llama|mistral)"
            ),
        ),
    ),
    Cause.CONSUMER_SUSPENDED: (("account", r"disabled in this account"),),
    Cause.ALREADY_EXISTS: (
        ("deleted", r"in a deleted state|marked for deletion"),
        ("project", r"project id .{1,80}already in use|gcloud\.projects\.create|already in use by another project"),
    ),
    Cause.BILLING_DISABLED: (("key", r"\bmaps\b|geocod|places|api.?key|[?&]key=|weather"),),
    Cause.API_KEYS_NOT_SUPPORTED_BY_API: (("gemini", r"\b1008\b|bidigeneratecontent|generativelanguage|/v1beta/"),),
    Cause.NOT_FOUND: (
        ("constraint", r"error creating policy|google_org_policy_policy|org-?polic(?:y|ies)"),
        (
            "account",
            r"gaia id not found|(?:service account|user|group|principal) \S+ (?:does not|doesn't) exist",
        ),
        ("file", r"permission to access the file|cachedcontent not found"),
        ("session", r"bidigeneratecontent session"),
        ("location", r"permission denied on 'locations/"),
        ("app-engine", r"not contain an app engine application"),
        ("page", r"was not found on this server"),
        ("key", r'key "projects/|locations/global/keys'),
    ),
    Cause.ORG_POLICY_CONSTRAINT: (
        ("public", r"public ?access ?prevention"),
        ("network", r"by organization restriction\."),
        ("members", r"permitted customer|permitted organization|domain restriction"),
    ),
}


def variant(facts: ErrorFacts, cause: Cause) -> str | None:
    """The form of the cause that the words are of."""
    forms = _VARIANTS.get(cause, ())
    return next((name for name, *marks in forms if all(_form(mark).search(facts.message) for mark in marks)), None)


@cache
def _form(mark: str) -> re.Pattern[str]:
    """Compiled when it is first needed: an error needs those of its own cause alone."""
    return re.compile(mark, re.IGNORECASE)
