"""The wordings that Google's errors are known by, for texts without structured details.

A phrase is lower case with single blanks; ` * ` in it stands for up to GAP characters. The order matters: the first rule with
a phrase that is found wins, so what says much stands before what says little.

Sources: public issue threads (tests/unit/explain_corpus cites them), client library sources, vendor pages (for the Maps
errors: https://developers.google.com/maps/documentation/javascript/error-messages).
"""

from __future__ import annotations

from typing import Final

from keyadmin.model.problem import Cause

GAP: Final = 300

Rules = tuple[tuple[Cause, tuple[str, ...]], ...]

_POLICIES: Final[Rules] = (
    (
        Cause.ORG_POLICY_BLOCKS_KEY_BINDING,
        (
            "constraint * disableserviceaccountapikeycreation",
            "disableserviceaccountapikeycreation * violated",
            "disableserviceaccountapikeycreation * is enforced",
            "denied by org policy * disableserviceaccountapikeycreation",
        ),
    ),
    (
        Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY,
        (
            "key creation is not allowed on this service account",
            "service account key creation is disabled",
            "constraint * iam.disableserviceaccountkey",
            "constraint * iam.managed.disableserviceaccountkey",
            "denied by org policy * disableserviceaccountkey",
        ),
    ),
)

_KEYS: Final[Rules] = (
    (Cause.RATE_LIMITED, ("exceeded your daily request quota",)),  # this one names expired keys as well
    (Cause.API_KEY_LEAKED, ("api key was reported as leaked", "key has been reported as leaked", "key was leaked")),
    (
        Cause.API_KEY_EXPIRED,
        ("api key expired", "api key has expired", "api key is expired", "expiredkeymaperror", '"keyexpired"'),
    ),
    (
        Cause.PROJECT_DENIED_ACCESS,
        ("project has been denied access",),
    ),
    (Cause.API_KEYS_NOT_SUPPORTED_BY_API, ("api keys are not supported by this api",)),
    (Cause.MULTIPLE_CREDENTIALS, ("multiple authentication credentials",)),
    (Cause.REGION_NOT_SUPPORTED, ("user location is not supported", "location is not supported for the api use")),
    (
        Cause.API_KEY_REFERRER_BLOCKED,
        (
            "requests from referer * blocked",
            "api keys with referer restrictions cannot be used",
            "did not specify any referer",
            "per-ip or per-referer restriction",
            "referernotallowedmaperror",
            "iprefererblocked",
        ),
    ),
    (
        Cause.API_KEY_ANDROID_BLOCKED,
        ("requests from this android client application * blocked", "did not specify any android package name"),
    ),
    (
        Cause.API_KEY_IOS_BLOCKED,
        ("requests from this ios client application * blocked", "did not specify any ios bundle id"),
    ),
    (
        Cause.API_KEY_IP_BLOCKED,
        ("api key has an ip address restriction", "this ip, site or mobile application is not authorized to use this api key"),
    ),
    (
        Cause.API_KEY_SERVICE_BLOCKED,
        (
            "requests to this api * are blocked",
            "api key is not authorized to use this service or api",
            "apitargetblockedmaperror",
        ),
    ),
    (
        Cause.API_KEY_INVALID,
        (
            "api key not valid",
            "api_key_invalid",
            "api key not found. please pass a valid",
            "provided api key is invalid",
            "is not a valid google api key",
            "invalidkeymaperror",
            '"keyinvalid"',
        ),
    ),
)

_CREDENTIALS: Final[Rules] = (
    (
        Cause.SCOPES_INSUFFICIENT,
        (
            "insufficient authentication scopes",
            "access_token_scope_insufficient",
            "403: insufficient permission",
            '"insufficient permission"',
            '"insufficientpermissions"',
        ),
    ),
    (
        Cause.CREDENTIALS_MISSING,
        (
            "missing required authentication credential",
            "could not automatically determine credentials",
            "default credentials were not found",
            "could not find default credentials",
            "could not load the default credentials",
            "do not currently have an active account selected",
            "method doesn't allow unregistered callers",
            "anonymous caller does not have",
            "missing key inputs argument",
            "no api_key or adc found",
            "no api key was provided",
            "request is missing a valid api key",
            "must use an api key to authenticate",
            "missingkeymaperror",
            "did not find google_api_key",
            "gemini_api_key * not set",
            "google_api_key * not set",
            "gemini_api_key environment variable",
            "google_api_key environment variable",
            "gemini api key is required",
            "gemini api key is missing",
        ),
    ),
    (
        Cause.CREDENTIALS_EXPIRED,
        (
            "invalid_grant",
            "invalid_rapt",
            "reauthentication is needed",
            "reauthentication required",
            "reauthentication failed",
            "token has been expired or revoked",
            "problem refreshing your current auth tokens",
            "problem refreshing auth tokens",
            "refresh token is invalid",
            "refresh token has expired",
            "invalid jwt signature",
            "token expired",
        ),
    ),
    (Cause.STANDARD_KEY_REJECTED, ("request had invalid authentication credentials", "access_token_type_unsupported")),
)

_PROJECTS: Final[Rules] = (
    (
        Cause.QUOTA_PROJECT_NOT_SET,
        (
            "requires a quota project",
            "cannot find a quota project",
            "end user credentials from the google cloud sdk * which are not supported",
            "user credentials * quota project, which is not set",
        ),
    ),
    (
        Cause.QUOTA_PROJECT_DENIED,
        (
            "does not have required permission to use project",
            "does not have serviceusage.services.use access",
            "user_project_denied",
        ),
    ),
    (Cause.ENABLE_SERVICE_DENIED, ("permission denied to enable service", "permission denied to enable the service")),
    (
        Cause.BILLING_DISABLED,
        (
            "billing must be enabled",
            "requires billing to be enabled",
            "billing to be enabled on project",
            "billing account for the owning project is disabled",
            "billing has not been enabled",
            "billing is not enabled",
            "has billing disabled",
            "billing_disabled",
            "billing account for project * is not found",
            "billing account for project * is not open",
            "absent billing account",
            "enable billing on the google cloud project",
            "billingnotenabledmaperror",
        ),
    ),
    (
        Cause.API_NOT_ENABLED,
        (
            "has not been used in project * before or it is disabled",
            "it is disabled. enable it by visiting",
            "api has not been used in project",
            "has not enabled the api",
            "api is not enabled for project",
            "api is not enabled on project",
            "api not enabled",
            "api project is not authorized to use this api",
            "apinotactivatedmaperror",
            "access not configured",
            "accessnotconfigured",
            "service_disabled",
        ),
    ),
    (
        Cause.PROJECT_QUOTA_EXCEEDED,
        ("exceeded your allotted project quota", "projects created quota exceeded", "exceeded your project quota"),
    ),
    (
        Cause.KEY_QUOTA_EXCEEDED,
        ("maximum number of api keys", "api keys per project", "too many api keys", "limit of 300 api keys"),
    ),
    (
        Cause.CONSUMER_SUSPENDED,
        (
            "consumer * has been suspended",
            "consumer * is suspended",
            "project * has been suspended",
            "consumer_suspended",
            "disabled in this account for violation of terms of",
        ),
    ),
    (
        Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
        (
            "permission 'resourcemanager.projects.get' denied",
            "permission resourcemanager.projects.get",
            "resourcemanager.projects.get access to",
            "permission denied on resource project",
            "access projects instance [ * (or it may not exist): the caller does not have permission",
            "access project [ * (or it may not exist): the caller does not have permission",
            "do not appear to have access to project [ * or it does not exist",
            "unknown project id",
            "project not found or deleted",
            "project * not found or permission denied",
            "project * not found or deleted",
            "is not found and cannot be used for api calls",
            "project * has been deleted",
            "project * is pending deletion",
            "failed to find project",
        ),
    ),
)

_GENERAL: Final[Rules] = (
    (
        Cause.MISSING_IAM_PERMISSION,
        (
            "permission ' * denied",
            "permission denied on resource",
            "permissions denied on",
            "permission denied to get service",
            "permission denied to list services",
            "permission denied to disable service",
            "required ' * permission",
            "does not have permission to access",
            "do not have permission to create a key",
            "caller does not have permission",
            "caller is missing permission",
            "lacks permission",
            "missing necessary permission",
            "missing permission",
            "missing required permission",
            "you must have permission",
            "policy update access denied",
            "iam_permission_denied",
            "insufficient permission to",
            "insufficient permissions",
            "does not have * access to the google cloud",
        ),
    ),
    (
        Cause.RATE_LIMITED,
        (
            "quota exceeded for quota metric",
            "quota exceeded for quota group",
            "quota exceeded for metric",
            "insufficient tokens for quota",
            "rate limit exceeded",
            "rate_limit_exceeded",
            "ratelimitexceeded",
            "dailylimitexceeded",
            "exceeded your current quota",
            "gone over the requests limit",
            "resource has been exhausted",
            "overquotamaperror",
            "too many requests",
        ),
    ),
    (Cause.CONFLICT, ("concurrent policy changes", "concurrent modification", "etag mismatch", "etag does not match")),
    (Cause.ALREADY_EXISTS, ("requested entity already exists", "alreadyexists: 409", "error 409 * already exists")),
    (
        Cause.NOT_FOUND,
        (
            "requested entity was not found",
            "requested entity not found",
            "not found or permission denied",
            'key "projects/ * not found',
            "is not found for api version",
        ),
    ),
    (
        Cause.SERVICE_UNAVAILABLE,
        (
            "the service is currently unavailable",
            "service unavailable",
            "model is overloaded",
            "internal error encountered",
            "an internal error has occurred",
            "failed to connect to all addresses",
            "deadline exceeded",
        ),
    ),
    (Cause.INVALID_ARGUMENT, ("request contains an invalid argument", "invalid json payload received")),
    # google.auth's exceptions by their names, whatever their words
    (Cause.CREDENTIALS_MISSING, ("defaultcredentialserror",)),
    (Cause.CREDENTIALS_EXPIRED, ("google.auth.exceptions.refresherror", "tokenresponseexception")),
)

RULES: Final[Rules] = _POLICIES + _KEYS + _CREDENTIALS + _PROJECTS + _GENERAL
