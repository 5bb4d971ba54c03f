"""What the wording of an error says where no structured detail is to be had, and the names that stand in it.

A phrase is lower case; ` * ` in it stands for up to GAP characters. Phrases are looked for by plain string search, which
keeps a megabyte of log within a few milliseconds a phrase. The order matters: the first rule that matches wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from keyadmin.problem import Cause

GAP: Final = 300
_NAME_WINDOW: Final = 20_000  # names are looked for in this many characters: an error message, not a whole log

# Wordings: public issue threads, client library sources and vendor pages; tests/unit/explain_corpus cites them.
RULES: Final[tuple[tuple[Cause, tuple[str, ...]], ...]] = (
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
            "constraint * iam.disableserviceaccountkey",
            "constraint * iam.managed.disableserviceaccountkey",
            "denied by org policy * disableserviceaccountkey",
        ),
    ),
    (Cause.API_KEY_LEAKED, ("api key was reported as leaked", "key has been reported as leaked")),
    (Cause.API_KEY_EXPIRED, ("api key expired", "api key has expired")),
    (Cause.PROJECT_DENIED_ACCESS, ("project has been denied access",)),
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
        ("requests to this api * are blocked", "api key is not authorized to use this service or api"),
    ),
    (
        Cause.API_KEY_INVALID,
        ("api key not valid", "api_key_invalid", "api key not found. please pass a valid", "provided api key is invalid"),
    ),
    (Cause.SCOPES_INSUFFICIENT, ("insufficient authentication scopes", "access_token_scope_insufficient")),
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
            "missing key inputs argument",
            "no api_key or adc found",
            "no api key was provided",
            "request is missing a valid api key",
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
            "token expired",
        ),
    ),
    (Cause.STANDARD_KEY_REJECTED, ("request had invalid authentication credentials", "access_token_type_unsupported")),
    (
        Cause.QUOTA_PROJECT_NOT_SET,
        (
            "requires a quota project",
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
            "has billing disabled",
            "billing_disabled",
            "billing account for project * is not found",
            "billing account for project * is not open",
        ),
    ),
    (
        Cause.API_NOT_ENABLED,
        (
            "has not been used in project * before or it is disabled",
            "it is disabled. enable it by visiting",
            "api has not been used in project",
            "api is not enabled for project",
            "api is not enabled on project",
            "api not enabled",
            "service_disabled",
        ),
    ),
    (Cause.PROJECT_QUOTA_EXCEEDED, ("exceeded your allotted project quota",)),
    (
        Cause.KEY_QUOTA_EXCEEDED,
        ("maximum number of api keys", "api keys per project", "too many api keys", "limit of 300 api keys"),
    ),
    (
        Cause.CONSUMER_SUSPENDED,
        ("consumer * has been suspended", "consumer * is suspended", "project * has been suspended", "consumer_suspended"),
    ),
    (
        Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
        (
            "permission 'resourcemanager.projects.get' denied",
            "permission resourcemanager.projects.get",
            "resourcemanager.projects.get access to",
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
    (
        Cause.MISSING_IAM_PERMISSION,
        (
            "permission ' * denied",
            "permission denied on resource",
            "permissions denied on",
            "required ' * permission",
            "does not have permission to access",
            "do not have permission to create a key",
            "the caller does not have permission",
            "caller is missing permission",
            "lacks permission",
            "missing necessary permission",
            "missing permission",
            "policy update access denied",
            "iam_permission_denied",
            "does not have * access to the google cloud",
        ),
    ),
    (
        Cause.RATE_LIMITED,
        (
            "quota exceeded for quota metric",
            "quota exceeded for quota group",
            "quota exceeded for metric",
            "rate limit exceeded",
            "rate_limit_exceeded",
            "ratelimitexceeded",
            "exceeded your current quota",
            "resource has been exhausted",
            "too many requests",
        ),
    ),
    (Cause.CONFLICT, ("concurrent policy changes", "concurrent modification", "etag mismatch", "etag does not match")),
    (Cause.ALREADY_EXISTS, ("requested entity already exists", "alreadyexists: 409", "error 409 * already exists")),
    (Cause.NOT_FOUND, ("requested entity was not found", "requested entity not found", 'key "projects/ * not found')),
    (
        Cause.SERVICE_UNAVAILABLE,
        (
            "the service is currently unavailable",
            "service unavailable",
            "model is overloaded",
            "internal error encountered",
            "failed to connect to all addresses",
            "deadline exceeded",
        ),
    ),
    (Cause.INVALID_ARGUMENT, ("request contains an invalid argument", "invalid json payload received")),
)

_KEY_BINDING: Final = "disableserviceaccountapikeycreation"
_SERVICE_ACCOUNT_KEY: Final = ("disableserviceaccountkeycreation", "disableserviceaccountkeyupload")
_POLICY_TALK: Final = (
    "constraint",
    "violat",
    "not allowed",
    "org policy",
    "organization polic",
    "organisation polic",
    "enforced",
)

_PERMISSION: Final = r"[a-z][A-Za-z0-9]*\.[a-zA-Z][A-Za-z0-9]*\.[a-z][A-Za-z0-9]*"
_PERMISSION_IN: Final = (
    re.compile(rf"[Pp]ermission(?:s|\(s\))?:?\s*[\[('\"`]*\s*({_PERMISSION})(?![\w.])"),
    re.compile(rf"[\"'`\[]?({_PERMISSION})[\"'`\]]?\s+(?:permission|access|denied)"),
    re.compile(rf"(?:lacks?|missing|requires?d?)\s+[\"'`\[]?({_PERMISSION})(?![\w.])"),
)
_SERVICE_IN: Final = (
    re.compile(r"services?\s*\[?\(?s?\)?:?\s*[\"'`\[]*([a-z][a-z0-9-]*\.googleapis\.com)"),
    re.compile(r"/apis/(?:api|library)/([a-z][a-z0-9-]*\.googleapis\.com)"),
    re.compile(r"\b([a-z][a-z0-9-]*\.googleapis\.com)"),
)
_PROJECT_ID: Final = r"(?:[a-z0-9.-]+:)?(?:[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{6,16})"
_PROJECT_IN: Final = (
    re.compile(rf"\bprojects/({_PROJECT_ID})(?![\w-])"),
    re.compile(rf"\bprojects? instance \[({_PROJECT_ID})\]"),
    re.compile(rf"[?&](?:project|consumerId)=(?:project:)?({_PROJECT_ID})(?![\w-])"),
    re.compile(
        rf"\bproject(?:[_ ]?id|[_ ]number)?\s*(?:is|:|=|#)?\s*[\"'`\[#(]+\s*(?:project:)?({_PROJECT_ID})[\"'`\])]",
        re.IGNORECASE,
    ),
    re.compile(r"\b[Pp]roject(?: number)?:? #?(\d{6,16})\b"),
    re.compile(r"\b[Pp]roject(?: id:?| named)? ([a-z][a-z0-9]*-[a-z0-9-]{0,24}[a-z0-9])(?= |[.,:;)]|$)"),
    re.compile(r"\bconsumer\s+[\"'`]?project(?:_number)?:([a-z0-9-]{6,30})"),
)
# Placeholders, and hosts that say nothing of the service called.
_NOT_NAMES: Final = frozenset(
    ["project", "projects", "project-id", "your-project", "locations", "instance", "type.googleapis.com", "www.googleapis.com"]
)


@dataclass(frozen=True)
class Match:
    """A phrase found: what it means and where it begins."""

    cause: Cause
    start: int


def normal(text: str) -> str:
    """Lower case and single spaces: what the phrases are written against. Typographic apostrophes become plain ones."""
    return " ".join(_lower(text).split())


def _lower(text: str) -> str:
    """Lower case of the same length (of all letters only the dotted capital I grows), so that places stay."""
    return text.replace("\u0130", "I").lower().replace("’", "'").replace("‘", "'")


def cause_of(text: str) -> Cause | None:
    """The cause that the wording names, or None."""
    match = _first_rule(normal(text))
    return match.cause if match else None


def find(flat: str) -> Match | None:
    """The same with the place, for a text whose blanks are single already."""
    return _first_rule(_lower(flat))


def _first_rule(flat: str) -> Match | None:
    for cause, phrases in RULES:
        places = [place for phrase in phrases if (place := _find(flat, phrase)) >= 0]
        if places:
            return Match(cause, min(places))
    return None


def _find(flat: str, phrase: str) -> int:
    """Where a phrase begins, -1 for nowhere."""
    head, *rest = phrase.split(" * ")
    start = flat.find(head) if all(part in flat for part in rest) else -1
    while start >= 0:
        at = start + len(head)
        for part in rest:
            found = flat.find(part, at, at + GAP + len(part))
            at = found + len(part) if found >= 0 else -1
            if at < 0:
                break
        if at >= 0:
            return start
        start = flat.find(head, start + 1)
    return -1


def policy_cause(text: str) -> Cause | None:
    """The organisation-policy constraint that blocks, when the text says that one does."""
    flat = text.lower()
    if _KEY_BINDING in flat:
        cause = Cause.ORG_POLICY_BLOCKS_KEY_BINDING
    elif any(name in flat for name in _SERVICE_ACCOUNT_KEY) or "key creation is not allowed on this service account" in flat:
        cause = Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY
    else:
        return None
    return cause if any(word in flat for word in _POLICY_TALK) else None


def says_quota_project(text: str) -> bool:
    """Whether the text says that the call had no quota project of its own."""
    flat = normal(text)
    return "requires a quota project" in flat or _find(flat, "end user credentials * not supported by") >= 0


def says_enabling(text: str) -> bool:
    """Whether the text is about enabling a service."""
    return "enable" in text.lower()


def mentions_gemini(text: str) -> bool:
    """Whether the text names the Gemini API by its host, its models or its clients."""
    flat = text.lower()
    return any(
        word in flat for word in ("generativelanguage", "gemini", "google.genai", "@google/genai", "generative language")
    )


def permission_in(text: str) -> str | None:
    """The first IAM permission that the text says is lacking."""
    text = text[:_NAME_WINDOW]
    found = [match for pattern in _PERMISSION_IN if (match := pattern.search(text))]
    return min(found, key=lambda match: match.start(1)).group(1) if found else None


def service_in(text: str) -> str | None:
    """The first service (host name under googleapis.com) in the text."""
    return _first(_SERVICE_IN, text)


def project_in(text: str) -> str | None:
    """The first project id or number in the text."""
    return _first(_PROJECT_IN, text)


def project_in_name(name: str) -> str | None:
    """The project in a resource name, a consumer (`projects/123`, `project_number:123`) or a bare number."""
    if name.isdigit():
        return name
    found = re.search(rf"(?:projects/|project_number:|project:)({_PROJECT_ID})(?![\w-])", name)
    return found.group(1) if found else None


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> str | None:
    text = text[:_NAME_WINDOW]
    for pattern in patterns:
        for found in pattern.finditer(text):
            value = found.group(1)
            if value and value not in _NOT_NAMES:
                return value
    return None
