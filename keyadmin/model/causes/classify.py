"""From what is known of an error to its cause, by evidence: details, whose error it is, anchors of no language, words.

A status is never a verdict: it decides only where it names the cause itself (NOT_FOUND), and in keyadmin's own calls. Pure: no
Google import, no I/O. `cloud/errors.py` fills ErrorFacts from exceptions, `explain` from pasted text. Reasons are those of the
`google.api.ErrorReason` enum (google/api/error_reason.proto) and of the services' own domains.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import by_details, by_words, filling, named, names, rules
from keyadmin.model.causes.facts import Classification, ErrorFacts, Origin, Violation

__all__ = ["Classification", "ErrorFacts", "Origin", "Violation", "classify"]

# Which permission a refusal of these kinds is about, where it does not say so.
_IMPLIED: Final = {
    Cause.QUOTA_PROJECT_DENIED: "serviceusage.services.use",
    Cause.ENABLE_SERVICE_DENIED: "serviceusage.services.enable",
}
# Only these are about a permission: elsewhere a name of that form says nothing.
_OF_IAM: Final = frozenset({*_IMPLIED, Cause.MISSING_IAM_PERMISSION, Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS})
_OF_CONSTRAINTS: Final = frozenset({Cause.ORG_POLICY_CONSTRAINT, Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY})


def classify(facts: ErrorFacts) -> Classification:
    """The one cause of this error. Never raises; `unknown` where neither details nor words say."""
    cause, variant = _decided(facts)
    if cause is Cause.UNKNOWN and facts.method is None:  # of somebody's error of which nothing is known names mislead
        return Classification(cause)
    found = Classification(
        cause=cause,
        permission=(named.permission(facts) or _IMPLIED.get(cause)) if cause in _OF_IAM or variant == "act-as" else None,
        service=named.service(facts),
        project=named.project(facts),
        variant=variant,
        constraint=names.constraint_in(named.everything(facts)) if cause in _OF_CONSTRAINTS else None,
        model=names.model_in(facts.message)
        if cause in (Cause.MODEL_NOT_FOUND, Cause.MODEL_OVERLOADED, Cause.NO_FREE_TIER)
        else None,
        role=names.role_in(facts.message) if cause is Cause.MISSING_IAM_PERMISSION else None,
        member=names.member_in(facts.message) if cause is Cause.MISSING_IAM_PERMISSION else None,
        secret=named.secret(facts) if cause is Cause.MISSING_IAM_PERMISSION else None,
        filling=filling.filling(facts, cause),
        callers=filling.callers(facts, cause),
    )
    if found.project in rules.GOOGLES_OWN_PROJECTS:  # nobody can do anything there
        limited = "gcloud" if cause is Cause.RATE_LIMITED and found.variant in (None, "other") else found.variant
        found = replace(found, project=None, variant=limited)
    return found


def _decided(facts: ErrorFacts) -> tuple[Cause, str | None]:
    """The cause and its variant, in the order of the evidence."""
    for judge in (by_details.by_constraint, by_details.by_reason, by_details.by_violations, by_details.by_codes):
        if (found := judge(facts)) is not None:
            return found
    if facts.origin is Origin.OTHER or by_details.is_new(facts):
        return Cause.UNKNOWN, None
    for judge in (by_words.by_words, by_words.by_anchor, by_words.by_status):
        if (found := judge(facts)) is not None:
            return found
    return Cause.UNKNOWN, None
