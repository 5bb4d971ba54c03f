"""From details to a cause: constraints, reasons, violations, codes."""

from __future__ import annotations

import re
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import by_words, forms, named, names, quota, rules, table, wording
from keyadmin.model.causes.entries.of_reasons import form_of
from keyadmin.model.causes.facts import ErrorFacts, Origin
from keyadmin.model.causes.rules import Verdict

_CERTAIN: Final = 20  # and these more surely than a code that several causes share
_VAGUE: Final = 40  # wordings of a lower rank name their cause beyond doubt
_OF_SEVERAL: Final = ("invalid_grant",)  # what is not granted, and why, the description says
_POLICY_TALK: Final = re.compile(
    r"constraint|violat|not allowed|org(?:anization|anisation)? polic|enforced|disallowed|denied by|prevents|"
    r"FAILED_PRECONDITION|"
    r"conditionNotMet|prohibit|forbid|disabled|ポリシー|策略|政策|정책|política|politique|richtlinie|политик|policy",
    re.IGNORECASE,
)
# A request about a policy that is not well formed: it names a constraint, which forbids nothing here.
_MALFORMED_POLICY: Final = re.compile(
    r"must be of the form|managed constraint format|invalid list value|google\.rpc\.BadRequest|, (?:badRequest|invalid)\b|"
    r"constraint\S* (?:was |is )?not found|unknown constraint|invalid constraint",
    re.IGNORECASE,
)
_FORBIDS: Final = re.compile(
    r"(?<!field)violat|not allowed|disallowed|denied by|operation denied|conditionNotMet|failed_?precondition|permitted",
    re.IGNORECASE,
)
_KEY_BINDING: Final = "disableserviceaccountapikeycreation"
_SERVICE_ACCOUNT_KEY: Final = ("disableserviceaccountkeycreation", "disableserviceaccountkeyupload", "serviceaccountkeyexpiry")


def by_constraint(facts: ErrorFacts) -> Verdict:
    """An organisation policy's constraint decides in any language, unless a permission on the policy itself is missing."""
    if facts.origin is Origin.OTHER or (facts.reason or "").upper() == "IAM_PERMISSION_DENIED":
        return None
    text = named.everything(facts)
    constraint = names.constraint_in(text)
    flat = text.lower()
    if constraint is None and _KEY_BINDING not in flat and "disableserviceaccountkey" not in flat:
        return None
    if re.search(r"Permission '?orgpolicy\.|ServiceAccountCheck\b", text) or not _POLICY_TALK.search(text):
        return None
    if _MALFORMED_POLICY.search(text) and not _FORBIDS.search(text):
        return None
    if _KEY_BINDING in flat:
        return Cause.ORG_POLICY_BLOCKS_KEY_BINDING, None
    if any(name in flat for name in _SERVICE_ACCOUNT_KEY):
        return Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY, None
    return Cause.ORG_POLICY_CONSTRAINT, _policy_variant(text)


def _policy_variant(text: str) -> str | None:
    if "allowedPolicyMemberDomains" in text or "permitted customer" in text or "not in permitted organization" in text:
        return "members"
    if "publicAccessPrevention" in text:
        return "public"
    return "service-usage" if "restrictServiceUsage" in text or "RESOURCE_USAGE_RESTRICTION" in text else None


def by_reason(facts: ErrorFacts) -> Verdict:
    """ErrorInfo: by its reason, whatever its domain."""
    reason = (facts.reason or "").upper()
    rule = rules.RULES.get(reason)
    if rule is not None:
        return rule(facts)
    cause = table.by_reason().get(reason)
    if cause in (Cause.RATE_LIMITED, Cause.DAILY_QUOTA_EXCEEDED):
        return quota.state(facts)
    if cause is None:
        return None
    return cause, form_of(reason) or _policy_variant(named.everything(facts)) or forms.variant(facts, cause)


def is_new(facts: ErrorFacts) -> bool:
    """Whether the reason is one of google.api.ErrorReason (by its domain) that the table does not have yet.

    Then nobody knows what it asks for, whatever its words (`The caller does not have permission`) sound like.
    """
    domain = facts.domain or ""
    of_all_apis = domain == "googleapis.com" or domain.startswith("googleapis.com/")
    reason = (facts.reason or "").upper()  # the beginning of a known one was cut off, by the end of a line or of the text
    return of_all_apis and reason != "" and not any(known.startswith(reason) for known in rules.reasons())


def by_violations(facts: ErrorFacts) -> Verdict:
    """QuotaFailure and PreconditionFailure without a reason that says more."""
    kinds = {violation.kind.upper() for violation in facts.violations}
    if "VPC_SERVICE_CONTROLS" in kinds:
        return Cause.VPC_SERVICE_CONTROLS, None
    if "TOS" in kinds:
        return Cause.TERMS_NOT_ACCEPTED, None
    if any(violation.quota_id or violation.metric for violation in facts.violations):
        return quota.state(facts)
    return None


_PAGES_OWN: Final = frozenset(
    f"page-{code}"
    for code in (
        *("redirect_uri_mismatch", "origin_mismatch", "deleted_client", "disabled_client", "restricted_client"),
        *("org_internal", "admin_policy_enforced", "disallowed_useragent"),
    )
)


def _of_the_page(facts: ErrorFacts) -> Verdict:
    """Google's sign-in page says so in any language, often without a mark of Google's.

    What other servers answer too (`HTTP 400: invalid_request`) does not count; `access_denied` does where the page's own
    sentence is in another language (in English it is among the wordings).
    """
    own = _PAGES_OWN if facts.message.isascii() else _PAGES_OWN | {"page-access_denied"}
    pages = (table.by_code().get(code) for code in facts.codes if code in own)
    cause = next((cause for cause in pages if cause is not None), None)
    return (cause, forms.variant(facts, cause)) if cause is not None else None


def by_codes(facts: ErrorFacts) -> Verdict:
    """Codes in words, and older APIs' reasons: those that name a cause. Both need Google's marks: others use them too."""
    if facts.origin is not Origin.GOOGLE:
        return _of_the_page(facts) if facts.origin is Origin.ANYBODY else None
    for code in facts.codes:
        cause = table.by_code().get(code)
        if cause in (Cause.RATE_LIMITED, Cause.DAILY_QUOTA_EXCEEDED):
            return quota.state(facts)
        if cause is not None and code not in _OF_SEVERAL and not table.entry(cause).general:
            said = wording.find(wording.normal(facts.message), google=True)
            if said is not None and said.pattern.rank < _CERTAIN:
                return by_words.by_words(facts)
            return cause, forms.variant(facts, cause)
    for reason in facts.legacy:
        cause = table.by_legacy_reason().get(reason)
        if cause is Cause.RATE_LIMITED:  # old APIs give it for blocked keys too: words that say more come first
            said = wording.find(wording.normal(facts.message), google=True)
            return by_words.by_words(facts) if said is not None and said.pattern.rank < _VAGUE else quota.state(facts)
        if cause is Cause.DAILY_QUOTA_EXCEEDED:
            billing = wording.cause_of(facts.message) is Cause.BILLING_DISABLED  # that the day is over is then not the reason
            return (Cause.BILLING_DISABLED, None) if billing else quota.day(facts)
        if cause is Cause.API_NOT_ENABLED:
            gone = "is not found and cannot be used for API calls" in facts.message  # its APIs are off with it
            return (Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS, None) if gone else rules.service_disabled(facts)
        if cause is not None and not table.entry(cause).general and not table.entry(cause).credentials:
            return cause, forms.variant(facts, cause)
    return None
