"""From what is known of an error to its cause, by evidence: details, whose error it is, anchors of no language, words.

A status is never a verdict: it decides only where it names the cause itself (NOT_FOUND), and in keyadmin's own calls. Pure: no
Google import, no I/O. `cloud/errors.py` fills ErrorFacts from exceptions, `explain` from pasted text. Reasons are those of the
`google.api.ErrorReason` enum (google/api/error_reason.proto) and of the services' own domains.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import names, quota, table, wording
from keyadmin.model.causes.facts import Classification, ErrorFacts, Origin, Violation

__all__ = ["Classification", "ErrorFacts", "Origin", "Violation", "classify"]

GEMINI: Final = "generativelanguage.googleapis.com"

# The projects that own the OAuth clients of gcloud, of Application Default Credentials and of Cloud Shell: a call charged to
# one
# of them had no quota project of its own (facts: reported in public threads).
GOOGLES_OWN_PROJECTS: Final = frozenset({"764086051850", "32555940559", "618104708054", "google.com:cloudsdktool"})

ACT_AS: Final = "iam.serviceAccounts.getAccessToken"
_POOL: Final = re.compile(
    r"principal(?:Set)?://|workloadIdentityPools|google-github-actions|federated token|workload.identity|external_account|"
    r"gha-creds|sts\.googleapis\.com|idtoken",
    re.IGNORECASE,
)
_AUTH_KEY: Final = re.compile(r"\bAQ\.|\bauth(?:orization)? key|bearer|new (?:format|style)? ?(?:api )?key", re.IGNORECASE)
# Which permission a refusal of these kinds is about, where it does not say so.
_IMPLIED: Final = {
    Cause.QUOTA_PROJECT_DENIED: "serviceusage.services.use",
    Cause.ENABLE_SERVICE_DENIED: "serviceusage.services.enable",
}
# Only these are about a permission: elsewhere a name of that form says nothing.
_OF_IAM: Final = frozenset({*_IMPLIED, Cause.MISSING_IAM_PERMISSION, Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS})


def classify(facts: ErrorFacts) -> Classification:
    """The one cause of this error. Never raises; `unknown` where neither details nor words say."""
    cause, variant = _decided(facts)
    if cause is Cause.UNKNOWN and facts.method is None:  # of somebody's error of which nothing is known names mislead
        return Classification(cause)
    found = Classification(
        cause=cause,
        permission=(_permission(facts) or _IMPLIED.get(cause)) if cause in _OF_IAM or variant == "act-as" else None,
        service=_service(facts),
        project=_project(facts),
        variant=variant,
        constraint=names.constraint_in(_text(facts)) if cause is Cause.ORG_POLICY_CONSTRAINT else None,
        model=names.model_in(facts.message)
        if cause in (Cause.MODEL_NOT_FOUND, Cause.MODEL_OVERLOADED, Cause.NO_FREE_TIER)
        else None,
    )
    if found.project in GOOGLES_OWN_PROJECTS:  # nobody can do anything there
        limited = "gcloud" if cause is Cause.RATE_LIMITED else found.variant
        found = replace(found, project=None, variant=limited)
    return found


def _decided(facts: ErrorFacts) -> tuple[Cause, str | None]:
    """The cause and its variant, in the order of the evidence."""
    for judge in (_by_constraint, _by_reason, _by_violations, _by_codes):
        if (found := judge(facts)) is not None:
            return found
    if facts.origin is Origin.OTHER:
        return Cause.UNKNOWN, None
    for judge in (_by_words, _by_anchor, _by_status):
        if (found := judge(facts)) is not None:
            return found
    return Cause.UNKNOWN, None


Verdict = tuple[Cause, str | None] | None


def _text(facts: ErrorFacts) -> str:
    """Everything said: where a constraint's name may stand."""
    parts = [facts.message, facts.reason or "", *facts.metadata.values()]
    for violation in facts.violations:
        parts += [violation.kind, violation.subject, violation.description]
    return "\n".join(parts)


# --- details ------------------------------------------------------------------------------------------------------------

_POLICY_TALK: Final = re.compile(
    r"constraint|violat|not allowed|org(?:anization|anisation)? polic|enforced|disallowed|denied by|prevents|"
    r"FAILED_PRECONDITION|"
    r"conditionNotMet|prohibit|forbid|disabled|ポリシー|策略|政策|정책|política|politique|richtlinie|политик|policy",
    re.IGNORECASE,
)
_KEY_BINDING: Final = "disableserviceaccountapikeycreation"
_SERVICE_ACCOUNT_KEY: Final = ("disableserviceaccountkeycreation", "disableserviceaccountkeyupload", "serviceaccountkeyexpiry")


def _by_constraint(facts: ErrorFacts) -> Verdict:
    """An organisation policy's constraint decides in any language, unless a permission on the policy itself is missing."""
    if facts.origin is Origin.OTHER or (facts.reason or "").upper() == "IAM_PERMISSION_DENIED":
        return None
    text = _text(facts)
    constraint = names.constraint_in(text)
    flat = text.lower()
    if constraint is None and _KEY_BINDING not in flat and "disableserviceaccountkey" not in flat:
        return None
    if re.search(r"Permission '?orgpolicy\.", text) or not _POLICY_TALK.search(text):
        return None
    if _KEY_BINDING in flat:
        return Cause.ORG_POLICY_BLOCKS_KEY_BINDING, None
    if any(name in flat for name in _SERVICE_ACCOUNT_KEY):
        return Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY, None
    return Cause.ORG_POLICY_CONSTRAINT, _policy_variant(text)


def _policy_variant(text: str) -> str | None:
    if "allowedPolicyMemberDomains" in text or "permitted customer" in text or "not in permitted organization" in text:
        return "members"
    return "service-usage" if "restrictServiceUsage" in text or "RESOURCE_USAGE_RESTRICTION" in text else None


def _by_reason(facts: ErrorFacts) -> Verdict:
    """ErrorInfo: by its reason, whatever its domain."""
    reason = (facts.reason or "").upper()
    rule = _RULES.get(reason)
    if rule is not None:
        return rule(facts)
    cause = table.by_reason().get(reason)
    if cause in (Cause.RATE_LIMITED, Cause.DAILY_QUOTA_EXCEEDED):
        return quota.state(facts)
    return (cause, _policy_variant(_text(facts)) or _variant(facts, cause)) if cause is not None else None


def _by_violations(facts: ErrorFacts) -> Verdict:
    """QuotaFailure and PreconditionFailure without a reason that says more."""
    kinds = {violation.kind.upper() for violation in facts.violations}
    if "VPC_SERVICE_CONTROLS" in kinds:
        return Cause.VPC_SERVICE_CONTROLS, None
    if "TOS" in kinds:
        return Cause.TERMS_NOT_ACCEPTED, None
    if any(violation.quota_id or violation.metric for violation in facts.violations):
        return quota.state(facts)
    return None


def _by_codes(facts: ErrorFacts) -> Verdict:
    """Codes in words, and the reasons of older APIs: those that name a cause. Both need Google's marks: others use them too."""
    if facts.origin is not Origin.GOOGLE:
        return None
    for code in facts.codes:
        cause = table.by_code().get(code)
        if cause in (Cause.RATE_LIMITED, Cause.DAILY_QUOTA_EXCEEDED):
            return quota.state(facts)
        if cause is not None and cause is not Cause.CREDENTIALS_EXPIRED and not table.entry(cause).general:
            return cause, _variant(facts, cause)
    for reason in facts.legacy:
        cause = table.by_legacy_reason().get(reason)
        if cause is Cause.RATE_LIMITED:  # old APIs give it for blocked keys too: words that say more come first
            said = wording.find(wording.normal(facts.message), google=True)
            return _by_words(facts) if said is not None and said.pattern.rank < _VAGUE else quota.state(facts)
        if cause is Cause.API_NOT_ENABLED:
            return _service_disabled(facts)
        if cause is not None and not table.entry(cause).general and not table.entry(cause).credentials:
            return cause, _variant(facts, cause)
    return None


_VAGUE: Final = 40  # wordings of a lower rank name their cause beyond doubt


def _service_disabled(facts: ErrorFacts) -> Verdict:
    by_words = wording.cause_of(facts.message)
    own = _project(facts) in GOOGLES_OWN_PROJECTS or by_words is Cause.QUOTA_PROJECT_NOT_SET
    return (Cause.QUOTA_PROJECT_NOT_SET if own else Cause.API_NOT_ENABLED), None


def _key_invalid(facts: ErrorFacts) -> Verdict:
    expired = wording.cause_of(facts.message) is Cause.API_KEY_EXPIRED
    return (Cause.API_KEY_EXPIRED if expired else Cause.API_KEY_INVALID), None


def _token_type(facts: ErrorFacts) -> Verdict:
    """ACCESS_TOKEN_TYPE_UNSUPPORTED: at the Gemini API a key that was not taken; elsewhere a token of another kind."""
    service = _service(facts)
    flat = f"{facts.message}\n{facts.around}".lower()
    gemini = ("generativelanguage", "gemini", "google.genai", "@google/genai", "generative language")
    if service == GEMINI or (service is None and any(word in flat for word in gemini)):
        return Cause.STANDARD_KEY_REJECTED, "auth-key" if _AUTH_KEY.search(f"{facts.message}\n{facts.around}") else None
    return Cause.CREDENTIALS_EXPIRED, None


def _credentials_missing(facts: ErrorFacts) -> Verdict:
    no_keys = wording.cause_of(facts.message) is Cause.API_KEYS_NOT_SUPPORTED_BY_API
    return (Cause.API_KEYS_NOT_SUPPORTED_BY_API if no_keys else Cause.CREDENTIALS_MISSING), None


def _auth_permission_denied(facts: ErrorFacts) -> Verdict:
    """Service Usage's own reason: denied to enable, or denied something else."""
    enabling = facts.method in ("EnableService", "BatchEnableServices") or "enable" in facts.message.lower()
    return (Cause.ENABLE_SERVICE_DENIED if enabling else Cause.MISSING_IAM_PERMISSION), None


def _iam_denied(facts: ErrorFacts) -> Verdict:
    """A missing project and one without access look the same when the permission is the one to see the project at all."""
    permission = _permission(facts)
    if permission == "resourcemanager.projects.get":
        return Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, None
    if permission == "serviceusage.services.enable":
        return Cause.ENABLE_SERVICE_DENIED, None
    if permission == "serviceusage.services.use":
        return Cause.QUOTA_PROJECT_DENIED, None
    return _acting_as(facts, permission)


def _acting_as(facts: ErrorFacts, permission: str | None) -> Verdict:
    """Acting as a service account: an identity of a workload pool lacks another role than a person does."""
    if permission != ACT_AS:
        return Cause.MISSING_IAM_PERMISSION, None
    pool = _POOL.search(f"{facts.message}\n{facts.around}")
    return (Cause.WORKLOAD_IDENTITY_MISCONFIGURED if pool else Cause.MISSING_IAM_PERMISSION), "act-as"


def _things(facts: ErrorFacts) -> Verdict:
    """RESOURCE_QUOTA_EXCEEDED: so many of a thing exist. Of keys or of projects the words say, else what was called."""
    by_words = wording.cause_of(_text(facts))
    if by_words in (Cause.PROJECT_QUOTA_EXCEEDED, Cause.KEY_QUOTA_EXCEEDED):
        return by_words, None
    if facts.method == "CreateProject":
        return Cause.PROJECT_QUOTA_EXCEEDED, None
    # unsourced: that the API Keys service answers the 301st key with this reason; no recording of it was found.
    keys = facts.method == "CreateKey" or "apikeys.googleapis.com" in (_service(facts), facts.domain)
    return (Cause.KEY_QUOTA_EXCEEDED, None) if keys else (Cause.RATE_LIMITED, "things")


def _consumer_suspended(facts: ErrorFacts) -> Verdict:
    """Gemini answers a leaked key and a refused project with this reason too; the words tell them apart."""
    by_words = wording.cause_of(facts.message)
    told = by_words in (Cause.API_KEY_LEAKED, Cause.PROJECT_DENIED_ACCESS)
    return (by_words if told and by_words is not None else Cause.CONSUMER_SUSPENDED), None


# Reasons that mean one thing here and another there. All others stand in the table of causes.
_RULES: Final[dict[str, Callable[[ErrorFacts], Verdict]]] = {
    "SERVICE_DISABLED": _service_disabled,
    "API_KEY_INVALID": _key_invalid,
    "RESOURCE_QUOTA_EXCEEDED": _things,
    "CONSUMER_SUSPENDED": _consumer_suspended,
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": _token_type,
    "CREDENTIALS_MISSING": _credentials_missing,
    "IAM_PERMISSION_DENIED": _iam_denied,
    "AUTH_PERMISSION_DENIED": _auth_permission_denied,
}


def reasons() -> frozenset[str]:
    """Every reason that has a row."""
    return frozenset({*_RULES, *table.by_reason()})


# --- words, anchors, status ---------------------------------------------------------------------------------------------


def _by_words(facts: ErrorFacts) -> Verdict:
    match = wording.find(wording.normal(facts.message), google=facts.origin is Origin.GOOGLE)
    if match is None:
        return None
    special = _CORRECTED.get(match.cause)
    return special(facts) if special is not None else (match.cause, _variant(facts, match.cause))


def _limited(facts: ErrorFacts) -> Verdict:
    """Quotas on calls are RESOURCE_EXHAUSTED; those that are a precondition are of something else."""
    return None if facts.status == "FAILED_PRECONDITION" else quota.state(facts)


def _denied(facts: ErrorFacts) -> Verdict:
    """`Permission 'X' denied` and the like."""
    permission = _permission(facts)
    if permission == "serviceusage.services.use":
        return Cause.QUOTA_PROJECT_DENIED, None
    return _acting_as(facts, permission)


def _malformed(facts: ErrorFacts) -> Verdict:
    """A header that cannot be sent: of a key for Google only where the text is about one."""
    about_keys = re.search(r"x-goog-api-key|gemini|genai|generativ|google_api_key", facts.message, re.IGNORECASE)
    return (Cause.MALFORMED_KEY, None) if about_keys else None


_CORRECTED: Final[dict[Cause, Callable[[ErrorFacts], Verdict]]] = {
    Cause.STANDARD_KEY_REJECTED: _token_type,
    Cause.API_NOT_ENABLED: _service_disabled,
    Cause.RATE_LIMITED: _limited,
    Cause.MISSING_IAM_PERMISSION: _denied,
    Cause.MALFORMED_KEY: _malformed,
}

_VARIANTS: Final = {
    Cause.OAUTH_CLIENT_MISCONFIGURED: (
        ("redirect", re.compile(r"redirect_uri|redirect uri|origin|oauth 2\.0 policy", re.IGNORECASE)),
        (
            "blocked",
            re.compile(r"admin_policy|org_internal|restricted_client|within its organization|app is blocked", re.IGNORECASE),
        ),
        ("testing", re.compile(r"access_denied|verification process|being tested|hasn.t verified", re.IGNORECASE)),
        ("client", re.compile(r"client", re.IGNORECASE)),
    ),
    Cause.SERVICE_UNAVAILABLE: (
        (
            "stock",
            re.compile(r"_POOL_EXHAUSTED|STOCKOUT|enough resources available|instance is currently unavailable", re.IGNORECASE),
        ),
    ),
    Cause.API_KEY_IP_BLOCKED: (("any-kind", re.compile(r"site or mobile application", re.IGNORECASE)),),
    Cause.ACCOUNT_NOT_ELIGIBLE: (("project", re.compile(r"requires setting the google_cloud_project", re.IGNORECASE)),),
    Cause.NOT_FOUND: (("key", re.compile(r'key "projects/|locations/global/keys', re.IGNORECASE)),),
    Cause.ORG_POLICY_CONSTRAINT: (("members", re.compile(r"permitted customer|permitted organization", re.IGNORECASE)),),
}


def _variant(facts: ErrorFacts, cause: Cause) -> str | None:
    """The form of the cause that the words are of."""
    return next((name for name, mark in _VARIANTS.get(cause, ()) if mark.search(facts.message)), None)


def _by_anchor(facts: ErrorFacts) -> Verdict:
    """What decides in any language: links of Google's consoles, permissions of a known service."""
    if re.search(r"/apis/(?:api|library)/[a-z0-9-]+\.googleapis\.com(?:/overview)?\?project=", facts.message):
        return _service_disabled(facts)
    if facts.status in _BY_STATUS:  # a permission's name in an INVALID_ARGUMENT is the argument
        return None
    named = names.permission_in(facts.message)
    if named is not None and names.service_of(named) is not None:
        return _denied(facts)
    if facts.origin is Origin.GOOGLE and names.bare_permission_in(facts.message):
        return _denied(facts)
    return None


_BY_STATUS: Final[dict[str, Cause]] = {
    "NOT_FOUND": Cause.NOT_FOUND,
    "ALREADY_EXISTS": Cause.ALREADY_EXISTS,
    "INVALID_ARGUMENT": Cause.INVALID_ARGUMENT,
    "OUT_OF_RANGE": Cause.INVALID_ARGUMENT,
    "ABORTED": Cause.CONFLICT,
    "UNAVAILABLE": Cause.SERVICE_UNAVAILABLE,
    "INTERNAL": Cause.SERVICE_UNAVAILABLE,
    "DEADLINE_EXCEEDED": Cause.SERVICE_UNAVAILABLE,
}
# google/rpc/code.proto gives each canonical code's HTTP code; 409 is both ALREADY_EXISTS and ABORTED. 400 and 412 are left out:
# they have too many causes.
_STATUS_OF_HTTP: Final[dict[int, str]] = {
    404: "NOT_FOUND",
    409: "ABORTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_STATUS_OF_OWN_CALLS: Final[dict[int, str]] = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}


def _by_status(facts: ErrorFacts) -> Verdict:
    """The last resort, of errors that are Google's: statuses that name their cause themselves.

    PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAUTHENTICATED and FAILED_PRECONDITION have many causes. The first two decide only
    in
    keyadmin's own calls (`method`), where nothing else is known to answer so.
    """
    if facts.origin is not Origin.GOOGLE:
        return None
    status = facts.status or _STATUS_OF_HTTP.get(facts.code or 0)
    if facts.method is not None:
        status = status or _STATUS_OF_OWN_CALLS.get(facts.code or 0)
        if status in ("PERMISSION_DENIED", "NOT_FOUND") and facts.method == "GetProject":
            return Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, None
        if status == "PERMISSION_DENIED":
            return Cause.MISSING_IAM_PERMISSION, None
        if status == "RESOURCE_EXHAUSTED":
            return quota.state(facts)
    found = _BY_STATUS.get(status or "") or next(
        (cause for code in facts.codes if (cause := table.by_code().get(code)) is not None and table.entry(cause).general), None
    )
    return (found, _variant(facts, found)) if found is not None else None


# --- names --------------------------------------------------------------------------------------------------------------


def _permission(facts: ErrorFacts) -> str | None:
    named = facts.metadata.get("permission") or facts.metadata.get("permissions")
    if named:
        return named.split(",")[0].strip()
    return names.permission_in(facts.message) or (
        names.bare_permission_in(facts.message) if facts.origin is Origin.GOOGLE else None
    )


def _service(facts: ErrorFacts) -> str | None:
    named = facts.metadata.get("service") or names.service_in(facts.message) or facts.service
    if named is None and facts.domain and facts.domain not in ("googleapis.com", "iam.googleapis.com"):
        named = facts.domain if facts.domain.endswith(".googleapis.com") else None
    if named is None and (permission := _permission(facts)):
        named = names.service_of(permission)
    return named or names.service_in(facts.around)


def _project(facts: ErrorFacts) -> str | None:
    for key in ("consumer", "resource", "containerInfo", "project"):
        found = names.project_in_name(facts.metadata.get(key, ""))
        if found is not None:
            return found
    for violation in facts.violations:
        found = names.project_in_name(violation.subject)
        if found is not None:
            return found
    return names.project_in(facts.message) or facts.project or names.project_in(facts.around)
