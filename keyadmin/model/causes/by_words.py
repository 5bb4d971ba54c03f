"""From words to a cause: wordings, anchors of no language, and, last, statuses that name their cause themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import forms, named, names, quota, rules, table, wording
from keyadmin.model.causes.facts import ErrorFacts, Origin
from keyadmin.model.causes.rules import Verdict


def by_words(facts: ErrorFacts) -> Verdict:
    match = wording.find(wording.normal(facts.message), google=facts.origin is Origin.GOOGLE)
    if match is None:
        return None
    special = _CORRECTED.get(match.cause)
    return special(facts) if special is not None else (match.cause, forms.variant(facts, match.cause))


def _limited(facts: ErrorFacts) -> Verdict:
    """Quotas on calls are RESOURCE_EXHAUSTED; those that are a precondition are of something else."""
    found = quota.state(facts)
    return None if facts.status == "FAILED_PRECONDITION" and found[1] != "things" else found


def _of_a_day(facts: ErrorFacts) -> Verdict:
    if "requires billing to be enabled" in facts.message:  # the quota of projects without it is none
        return Cause.BILLING_DISABLED, None
    return quota.day(facts)


def _unseen(facts: ErrorFacts) -> Verdict:
    """`resourcemanager.projects.get` is the permission to see a project; longer names that begin so are not."""
    permission = names.permission_in(facts.message) or ""
    other = permission.startswith("resourcemanager.projects.get") and permission != "resourcemanager.projects.get"
    found = Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS
    return _denied(facts) if other else (found, forms.variant(facts, found))


def _denied(facts: ErrorFacts) -> Verdict:
    """`Permission 'X' denied` and the like."""
    if _PAGE in facts.message.lower() and not _OF_RUN.search(facts.message):
        return None
    if _PAGE in facts.message.lower():
        return Cause.MISSING_IAM_PERMISSION, "invoker"
    permission = named.permission(facts)
    if "forbidden from accessing the bucket" in facts.message:  # gcloud then names services.use as one of several guesses
        return Cause.QUOTA_PROJECT_DENIED, "builds"
    if permission == "serviceusage.services.use":
        return Cause.QUOTA_PROJECT_DENIED, None
    return rules.acting_as(facts, permission)


_PAGE: Final = "permission to get url"  # a page of Google's web servers, which IAM decides for Cloud Run and functions alone
_OF_RUN: Final = re.compile(r"run\.app|cloudfunctions\.net|cloud.?run|cloud function", re.IGNORECASE)
_THIS_MACHINE: Final = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\]):\d+")


def _elsewhere(facts: ErrorFacts) -> Verdict:
    """A connection within one machine says nothing of the way to Google."""
    local = _THIS_MACHINE.search(facts.message) and "googleapis.com" not in facts.message
    return (Cause.UNKNOWN, None) if local else (Cause.NETWORK_UNREACHABLE, forms.variant(facts, Cause.NETWORK_UNREACHABLE))


def _malformed(facts: ErrorFacts) -> Verdict:
    """A header that cannot be sent: of a key for Google only where the text is about one."""
    about_keys = re.search(
        r"x-goog-api-key|firebaseoptions|gemini|genai|generativ|google_api_key", facts.message, re.IGNORECASE
    )
    return (Cause.MALFORMED_KEY, None) if about_keys else None


def _formed(facts: ErrorFacts) -> Verdict:
    """A job that failed is answered with the status of a request that is not well formed."""
    failed = _OUTCOME.search(facts.message)
    return None if failed else (Cause.INVALID_ARGUMENT, forms.variant(facts, Cause.INVALID_ARGUMENT))


_CORRECTED: Final[dict[Cause, Callable[[ErrorFacts], Verdict]]] = {
    Cause.STANDARD_KEY_REJECTED: rules.token_type,
    Cause.API_NOT_ENABLED: rules.service_disabled,
    Cause.RATE_LIMITED: _limited,
    Cause.DAILY_QUOTA_EXCEEDED: _of_a_day,
    Cause.MISSING_IAM_PERMISSION: _denied,
    Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS: _unseen,
    Cause.MALFORMED_KEY: _malformed,
    Cause.NETWORK_UNREACHABLE: _elsewhere,
    Cause.INVALID_ARGUMENT: _formed,
}


# What container runtimes print of a registry of Google's that lets nobody pull: they do not print its words.
_REGISTRIES: Final = ("gcr.io/", ".pkg.dev/")
_PULL_REFUSED: Final = re.compile(
    r"(?:failed to authorize|pull|push|manifest|resolve reference|token).{0,300}?(?:403 forbidden|no credentials on this)",
    re.IGNORECASE | re.DOTALL,
)
# What pip, uv, Poetry, npm and Maven print of a package in Artifact Registry: the HTTP code, near its host.
_PACKAGES: Final = re.compile(
    r"(?=.{0,200}[a-z0-9-]+-(?:python|pypi|npm|maven|apt|yum|go|kfp|generic)\.pkg\.dev)"
    r".{0,200}?\b(401\b|403 (?:Client Error|Forbidden)|[Ff]orbidden|[Uu]nauthorized|[Aa]uthorization error)",
    re.DOTALL,
)


def by_anchor(facts: ErrorFacts) -> Verdict:
    """What decides in any language: links of Google's consoles, permissions of a known service."""
    if re.search(r"/apis/(?:api|library)/[a-z0-9-]+\.googleapis\.com(?:/overview)?\?project=", facts.message):
        return rules.service_disabled(facts)
    if any(host in facts.message for host in _REGISTRIES) and _PULL_REFUSED.search(facts.message):
        return Cause.MISSING_IAM_PERMISSION, "registry"
    if ".pkg.dev" in facts.message and (refused := _PACKAGES.search(facts.message)) is not None:
        known = refused[1].startswith(("403", "Forbidden"))
        return (Cause.MISSING_IAM_PERMISSION, "registry") if known else (Cause.CREDENTIALS_MISSING, "packages")
    if facts.status in _BY_STATUS:  # a permission's name in an INVALID_ARGUMENT is the argument
        return None
    named = names.permission_in(facts.message)
    if named is not None and (names.service_of(named) is not None or names.is_permission(named)):
        return _denied(facts)
    bare = names.bare_permission_in(facts.message)
    if bare is not None and (facts.origin is Origin.GOOGLE or _OF_PERMISSIONS.search(facts.message)):
        return _denied(facts)
    return None


# Of what a text that names a permission of Google's speaks, in the languages of Google's consoles.
_OF_PERMISSIONS: Final = re.compile(
    r"permission|permissão|permiss|permiso|berechtig|autoris|autoriz|zugriff|accès|acceso|acesso|accesso|toestemming|machtiging|"
    r"uprawnie|oprávněn|jogosult|behörighet|tilladelse|tillatelse|käyttöoike|izin|izni|quyền|права|прав |разрешен|дозв[оі]л|"
    r"権限|权限|權限|권한|สิทธิ์|إذن|أذون|صلاحي|הרשא|अनुमति|άδεια",
    re.IGNORECASE,
)


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


_BAD_REQUEST: Final = 400
# The Gemini API's own client prints what Google says behind the code: of 400s all but those with words of their own are this.
_OF_GEMINI: Final = re.compile(r"GoogleGenerativeAI Error\]?: .{0,300}?\[400 Bad Request\] \w", re.DOTALL)
_TOO_MANY: Final = 429  # which of the limits it does not say
_API_NAMED: Final = re.compile(
    r"googleapis\.com|(?:Gemini|Maps|YouTube|PageSpeed Insights|Sheets|Drive|Gmail|Calendar) API|gemini-\d"
)
# A job that failed has a code too; it says nothing of the request.
_OUTCOME: Final = re.compile(
    r"(?:build|training|user code|deployment) failed|failed to start|health check|startup probe|non-zero (?:status|exit)",
    re.IGNORECASE,
)
# What stands between a client and a service of gRPC answers in HTTP, and the client makes a status of it.
_HTTP_ANSWER: Final = re.compile(
    r"\b4\d\d: ?(?:Forbidden|Unauthorized|Not Found)|http status code: 4\d\d|status: 4\d\d", re.IGNORECASE
)
# Identity Toolkit says in a code what is wrong (`EMAIL_NOT_FOUND`): nothing of the request's form.
_CODE_AS_MESSAGE: Final = re.compile(r"""\bmessage["']?: ?["'][A-Z][A-Z_]{6,}\b""")
_NOT_OF_FORM: Final = re.compile(
    r"authori[sz]|permission|billing|quota|\bdenied\b|credential|enabled|precondition", re.IGNORECASE
)


def _malformed_request(facts: ErrorFacts) -> Cause | None:
    """Older APIs say so by their reason (`badRequest`); none of the others that are general says more than the status."""
    causes = {table.by_legacy_reason().get(reason) for reason in facts.legacy}
    about_form = facts.status is None and causes == {Cause.INVALID_ARGUMENT} and not _NOT_OF_FORM.search(facts.message)
    about_form = about_form and not _CODE_AS_MESSAGE.search(facts.message)
    return Cause.INVALID_ARGUMENT if about_form else None


_UNAUTHENTICATED: Final = 401


def _older_reason(facts: ErrorFacts) -> Cause | None:
    """What a general reason of an older API says more than its status: a 409 that is a `duplicate` is no conflict.

    Of credentials it speaks only where the status does: `required` is also what a call without a parameter is answered.
    """
    for reason in facts.legacy:
        cause = table.by_legacy_reason().get(reason)
        if cause is None or cause is Cause.INVALID_ARGUMENT:
            continue
        if not table.entry(cause).credentials or facts.status == "UNAUTHENTICATED" or facts.code == _UNAUTHENTICATED:
            return cause
    return None


def by_status(facts: ErrorFacts) -> Verdict:
    """The last resort, of errors that are Google's: statuses that name their cause themselves.

    PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAUTHENTICATED and FAILED_PRECONDITION have many causes. The first two decide only
    in keyadmin's own calls (`method`), where nothing else is known to answer so.
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
    if status == "INVALID_ARGUMENT" and _OUTCOME.search(facts.message):
        return None
    if status == "UNAVAILABLE" and _HTTP_ANSWER.search(facts.message):
        return None
    if status is None and facts.code == _BAD_REQUEST and _OF_GEMINI.search(facts.message):
        return Cause.INVALID_ARGUMENT, forms.variant(facts, Cause.INVALID_ARGUMENT)
    if status is None and facts.code == _TOO_MANY and _API_NAMED.search(facts.message):
        return Cause.RATE_LIMITED, "unsaid"
    found = (
        _older_reason(facts)
        or _BY_STATUS.get(status or "")
        or _malformed_request(facts)
        or next(
            (cause for code in facts.codes if (cause := table.by_code().get(code)) is not None and table.entry(cause).general),
            None,
        )
    )
    return (found, forms.variant(facts, found)) if found is not None else None
