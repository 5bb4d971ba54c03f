"""From what is known of an error to its cause: structured details first, words only where there are none.

Pure: no Google import, no I/O. `cloud/errors.py` fills ErrorFacts from exceptions, `explain` from pasted text.
Reasons are those of the `google.api.ErrorReason` enum (google/api/error_reason.proto) and of the services' own domains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from keyadmin.model.causes import wording
from keyadmin.model.problem import Cause

GEMINI: Final = "generativelanguage.googleapis.com"

# The projects that own gcloud's and Application Default Credentials' OAuth clients: a call charged to one of them had no
# quota project of its own (facts: reported in public threads).
GCLOUD_OWN_PROJECTS: Final = frozenset({"764086051850", "32555940559", "google.com:cloudsdktool"})


@dataclass(frozen=True)
class Violation:
    """One violation of a PreconditionFailure or QuotaFailure."""

    kind: str = ""
    subject: str = ""
    description: str = ""


@dataclass(frozen=True)
class ErrorFacts:
    """What is known of one error. `code` is the HTTP code, `status` the canonical gRPC code name.

    `retry_delay` is in seconds. `service` (a host such as apikeys.googleapis.com), `method` (such as CreateKey) and
    `project` (id or number) are what the caller knows of the call; details in the error win over them.
    """

    code: int | None = None
    status: str | None = None
    message: str = ""
    reason: str | None = None
    domain: str | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    violations: tuple[Violation, ...] = ()
    links: tuple[str, ...] = ()
    retry_delay: float | None = None
    service: str | None = None
    method: str | None = None
    project: str | None = None


@dataclass(frozen=True)
class Classification:
    """The cause, and what could be read. `fix` replaces the catalogue's advice where the error says something better."""

    cause: Cause
    permission: str | None = None
    service: str | None = None
    project: str | None = None
    fix: tuple[str, ...] = ()


_OWN_QUOTA: Final = (
    "the quota that ran out is shared by all users of gcloud: name a project of your own, --quota-project PROJECT",
    "gcloud auth application-default set-quota-project PROJECT    # for every client on this machine",
)


def classify(facts: ErrorFacts) -> Classification:
    """The one cause of this error. Never raises; `unknown` where neither details nor words nor status say."""
    finding = Classification(
        cause=_cause(facts),
        permission=_permission(facts),
        service=_service(facts),
        project=_project(facts),
    )
    if finding.project in GCLOUD_OWN_PROJECTS:  # nobody can mend anything there
        finding = replace(finding, project=None, fix=_OWN_QUOTA if finding.cause is Cause.RATE_LIMITED else ())
    if finding.cause is Cause.QUOTA_PROJECT_DENIED and finding.permission is None:
        finding = replace(finding, permission="serviceusage.services.use")
    if finding.cause is Cause.ENABLE_SERVICE_DENIED and finding.permission is None:
        finding = replace(finding, permission="serviceusage.services.enable")
    return finding


def _cause(facts: ErrorFacts) -> Cause:
    by_policy = wording.policy_cause(_details_text(facts))
    if by_policy is not None and facts.reason != "IAM_PERMISSION_DENIED":  # a permission on the policy itself is no violation
        return by_policy
    if facts.reason is not None:
        rule = _REASONS.get(facts.reason.upper())
        if rule is not None:
            found = rule(facts) if callable(rule) else rule
            if found is not None:
                return found
    by_words = wording.cause_of(facts.message)
    if by_words is not None:
        return _corrected(facts, by_words)
    return _by_status(facts)


def _details_text(facts: ErrorFacts) -> str:
    """Where a constraint's name may stand."""
    parts = [facts.message, facts.reason or "", *facts.metadata.values()]
    for violation in facts.violations:
        parts += [violation.kind, violation.subject, violation.description]
    return "\n".join(parts)


def _corrected(facts: ErrorFacts, cause: Cause) -> Cause:
    """Words that mean one thing for one service and another for the next."""
    if cause is Cause.STANDARD_KEY_REJECTED:
        return _token_type(facts)
    if cause is Cause.API_NOT_ENABLED:
        return _service_disabled(facts)
    return cause


def _service_disabled(facts: ErrorFacts) -> Cause:
    own = _project(facts) in GCLOUD_OWN_PROJECTS
    return Cause.QUOTA_PROJECT_NOT_SET if own or wording.says_quota_project(facts.message) else Cause.API_NOT_ENABLED


def _key_invalid(facts: ErrorFacts) -> Cause:
    return Cause.API_KEY_EXPIRED if wording.cause_of(facts.message) is Cause.API_KEY_EXPIRED else Cause.API_KEY_INVALID


def _token_type(facts: ErrorFacts) -> Cause:
    """ACCESS_TOKEN_TYPE_UNSUPPORTED: at the Gemini API a rejected standard key; elsewhere a token that is no access token."""
    service = _service(facts)
    if service == GEMINI or (service is None and wording.mentions_gemini(facts.message)):
        return Cause.STANDARD_KEY_REJECTED
    return Cause.CREDENTIALS_EXPIRED


def _credentials_missing(facts: ErrorFacts) -> Cause:
    by_words = wording.cause_of(facts.message)
    return Cause.API_KEYS_NOT_SUPPORTED_BY_API if by_words is Cause.API_KEYS_NOT_SUPPORTED_BY_API else Cause.CREDENTIALS_MISSING


def _auth_permission_denied(facts: ErrorFacts) -> Cause:
    """Service Usage's own reason: denied to enable, or denied something else."""
    enabling = facts.method in ("EnableService", "BatchEnableServices") or wording.says_enabling(facts.message)
    return Cause.ENABLE_SERVICE_DENIED if enabling else Cause.MISSING_IAM_PERMISSION


def _iam_denied(facts: ErrorFacts) -> Cause:
    """A missing project and one without access look the same when the permission is the one to see the project at all."""
    permission = _permission(facts)
    if permission == "resourcemanager.projects.get":
        return Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS
    if permission == "serviceusage.services.enable":
        return Cause.ENABLE_SERVICE_DENIED
    return Cause.QUOTA_PROJECT_DENIED if permission == "serviceusage.services.use" else Cause.MISSING_IAM_PERMISSION


def _quota(facts: ErrorFacts) -> Cause:
    """RESOURCE_QUOTA_EXCEEDED: so many of a thing exist. Of keys or of projects the words say, else what was called."""
    by_words = wording.cause_of(_details_text(facts))
    if by_words in (Cause.PROJECT_QUOTA_EXCEEDED, Cause.KEY_QUOTA_EXCEEDED):
        return by_words
    if facts.method == "CreateProject":
        return Cause.PROJECT_QUOTA_EXCEEDED
    # unsourced: that the API Keys service answers the 301st key with this reason; no recording of it was found.
    keys = facts.method == "CreateKey" or "apikeys.googleapis.com" in (_service(facts), facts.domain)
    return Cause.KEY_QUOTA_EXCEEDED if keys else Cause.RATE_LIMITED


def _consumer_suspended(facts: ErrorFacts) -> Cause:
    """Gemini answers a leaked key and a refused project with this reason too; the words tell them apart."""
    by_words = wording.cause_of(facts.message)
    return by_words if by_words in (Cause.API_KEY_LEAKED, Cause.PROJECT_DENIED_ACCESS) else Cause.CONSUMER_SUSPENDED


_REASONS: Final[dict[str, Cause | Callable[[ErrorFacts], Cause | None]]] = {
    "SERVICE_DISABLED": _service_disabled,
    "BILLING_DISABLED": Cause.BILLING_DISABLED,
    "API_KEY_INVALID": _key_invalid,
    "API_KEY_EXPIRED": Cause.API_KEY_EXPIRED,
    "API_KEY_SERVICE_BLOCKED": Cause.API_KEY_SERVICE_BLOCKED,
    "API_KEY_HTTP_REFERRER_BLOCKED": Cause.API_KEY_REFERRER_BLOCKED,
    "API_KEY_IP_ADDRESS_BLOCKED": Cause.API_KEY_IP_BLOCKED,
    "API_KEY_ANDROID_APP_BLOCKED": Cause.API_KEY_ANDROID_BLOCKED,
    "CREDENTIAL_ANDROID_APP_INVALID": Cause.API_KEY_ANDROID_BLOCKED,
    "API_KEY_IOS_APP_BLOCKED": Cause.API_KEY_IOS_BLOCKED,
    "RATE_LIMIT_EXCEEDED": Cause.RATE_LIMITED,
    "RESOURCE_QUOTA_EXCEEDED": _quota,
    "USER_PROJECT_DENIED": Cause.QUOTA_PROJECT_DENIED,
    "CONSUMER_SUSPENDED": _consumer_suspended,
    "GCP_SUSPENDED": Cause.CONSUMER_SUSPENDED,
    "CONSUMER_INVALID": Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
    "RESOURCE_PROJECT_INVALID": Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
    "ACCESS_TOKEN_EXPIRED": Cause.CREDENTIALS_EXPIRED,
    "JWT_TOKEN_INVALID": Cause.CREDENTIALS_EXPIRED,
    "SESSION_COOKIE_INVALID": Cause.CREDENTIALS_EXPIRED,
    "ACCOUNT_STATE_INVALID": Cause.CREDENTIALS_EXPIRED,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Cause.SCOPES_INSUFFICIENT,
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": _token_type,
    "CREDENTIALS_MISSING": _credentials_missing,
    "OVERLOADED_CREDENTIALS": Cause.MULTIPLE_CREDENTIALS,
    "IAM_PERMISSION_DENIED": _iam_denied,
    "AUTH_PERMISSION_DENIED": _auth_permission_denied,
    "UREQ_PROJECT_BILLING_NOT_FOUND": Cause.BILLING_DISABLED,
    "UREQ_PROJECT_BILLING_NOT_OPEN": Cause.BILLING_DISABLED,
    "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED": Cause.NOT_FOUND,
}

_BY_STATUS: Final[dict[str, Cause]] = {
    "PERMISSION_DENIED": Cause.MISSING_IAM_PERMISSION,
    "NOT_FOUND": Cause.NOT_FOUND,
    "ALREADY_EXISTS": Cause.ALREADY_EXISTS,
    "INVALID_ARGUMENT": Cause.INVALID_ARGUMENT,
    "OUT_OF_RANGE": Cause.INVALID_ARGUMENT,
    "ABORTED": Cause.CONFLICT,
    "RESOURCE_EXHAUSTED": Cause.RATE_LIMITED,
    "UNAVAILABLE": Cause.SERVICE_UNAVAILABLE,
    "INTERNAL": Cause.SERVICE_UNAVAILABLE,
    "DEADLINE_EXCEEDED": Cause.SERVICE_UNAVAILABLE,
}

# google/rpc/code.proto gives each canonical code's HTTP code; 409 is both ALREADY_EXISTS and ABORTED.
_STATUS_OF_HTTP: Final[dict[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    412: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def _by_status(facts: ErrorFacts) -> Cause:
    """The last resort. UNAUTHENTICATED and FAILED_PRECONDITION have too many causes to name one."""
    status = facts.status or _STATUS_OF_HTTP.get(facts.code or 0)
    if status in ("PERMISSION_DENIED", "NOT_FOUND") and facts.method == "GetProject":
        return Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS
    if facts.status is None and facts.code == 400 and "precondition" in facts.message.lower():  # 400 is both of them
        return Cause.UNKNOWN
    return _BY_STATUS.get(status or "", Cause.UNKNOWN)


def _permission(facts: ErrorFacts) -> str | None:
    named = facts.metadata.get("permission") or facts.metadata.get("permissions")
    return named.split(",")[0].strip() if named else wording.permission_in(facts.message)


def _service(facts: ErrorFacts) -> str | None:
    named = facts.metadata.get("service") or wording.service_in(facts.message) or facts.service
    if named is None and facts.domain and facts.domain not in ("googleapis.com", "iam.googleapis.com"):
        return facts.domain if facts.domain.endswith(".googleapis.com") else None
    return named


def _project(facts: ErrorFacts) -> str | None:
    for key in ("consumer", "resource", "containerInfo", "project"):
        found = wording.project_in_name(facts.metadata.get(key, ""))
        if found is not None:
            return found
    for violation in facts.violations:
        found = wording.project_in_name(violation.subject)
        if found is not None:
            return found
    return wording.project_in(facts.message) or facts.project
