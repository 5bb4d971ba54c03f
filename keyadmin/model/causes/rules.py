"""What a reason or a wording means where it means one thing here and another there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import forms, named, table, wording
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

_NO_PROJECT: Final = re.compile(r"project #?[\w-]{3,40} has been deleted", re.IGNORECASE)

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
    if _NO_PROJECT.search(facts.message):  # a project that is not there has no API on
        return Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, None
    if named.service(facts) == SERVICE_USAGE:
        return Cause.API_NOT_ENABLED, "service-usage"
    return Cause.API_NOT_ENABLED, forms.variant(facts, Cause.API_NOT_ENABLED)


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
    found = forms.variant(facts, Cause.CREDENTIALS_EXPIRED)
    return Cause.CREDENTIALS_EXPIRED, found or ("kind" if facts.reason == "ACCESS_TOKEN_TYPE_UNSUPPORTED" else None)


def _credentials_missing(facts: ErrorFacts) -> Verdict:
    no_keys = wording.cause_of(facts.message) is Cause.API_KEYS_NOT_SUPPORTED_BY_API
    if no_keys:
        of_gemini = named.service(facts) == GEMINI
        return Cause.API_KEYS_NOT_SUPPORTED_BY_API, "gemini" if of_gemini else forms.variant(
            facts, Cause.API_KEYS_NOT_SUPPORTED_BY_API
        )
    return Cause.CREDENTIALS_MISSING, forms.variant(facts, Cause.CREDENTIALS_MISSING)


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
        return Cause.MISSING_IAM_PERMISSION, None if permission else forms.variant(facts, Cause.MISSING_IAM_PERMISSION)
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
