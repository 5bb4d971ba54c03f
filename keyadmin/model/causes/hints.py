"""What a text that names no cause tells all the same: whose connection failed, what was not printed, what it would mean."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import wording
from keyadmin.model.causes.facts import ErrorFacts, Origin
from keyadmin.model.causes.table import entry

_HOST: Final = re.compile(
    r"https?://(?P<url>[a-z0-9][a-z0-9.-]{2,100}\.[a-z]{2,20}|localhost|\d{1,3}(?:\.\d{1,3}){3})\b|\bhost=['\"](?P<pool>[\w.-]{4,100})['\"]",
    re.IGNORECASE,
)
_GOOGLES: Final = re.compile(
    r"(?:^|\.)(?:google(?:apis)?|gstatic|googleusercontent|firebaseio|firebase)\.[a-z]+$|\.internal$", re.IGNORECASE
)
# Pages about an error, which the call did not go to.
_ABOUT: Final = re.compile(
    r"^(?:curl\.(?:se|haxx\.se)|(?:docs?|help|support|developer)\.|.*\.readthedocs\.io|github\.com|stackoverflow\.com|go\.dev|pkg\.go\.dev)",
    re.IGNORECASE,
)
_REFUSED: Final = frozenset(
    {"INVALID_ARGUMENT", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"}
)
_CLIENT_CODES: Final = range(400, 500)
_UNREADABLE: Final = "\ufffd"  # what stands for bytes that are no UTF-8
_MOST_WITHOUT_SIGN: Final = 0.1  # of a text's characters
_SHORT: Final = 120  # characters of a first step that fits behind a sentence


# Texts that name no cause of the table, by what only they say.
_SENTENCES: Final = (
    (
        ("products are not yet authorized to access your account", "gemini code assist 进行身份验证"),
        "The sign-in of Gemini Code Assist (and of the Gemini CLI) was not finished, or not everything was allowed: sign in "
        "again in the browser with the account that is meant and allow all that is asked; update the program and delete its "
        "stored sign-in (~/.gemini/oauth_creds.json); or use a Gemini API key.",
    ),
    (
        (
            *(
                "unable to detect a project id",
                "project was not passed and could not be determined",
                "required property [project]",
            ),
            *("project could not be determined", "unable to determine project", "no project id could be determined"),
            *("project id is required for this service but", "could not determine the project id"),
        ),
        "No project is named. Programs: set GOOGLE_CLOUD_PROJECT to the id of one of yours (keyadmin projects list shows "
        "them), or name it in their settings; gcloud: gcloud config set project PROJECT.",
    ),
    (
        (
            *("open 'service-account", 'open "service-account', "credentials.json: no such file", "credentials.json'"),
            *("open 'credentials", "open './credentials", "serviceaccountkey.json"),
        ),
        "The file of the credentials is not where the program runs: put it there under that name (a deployed function or "
        "container has its own files), name it by its whole path, or let the program use the service account that is "
        "attached there.",
    ),
    (
        ("zsh: no matches found: https://", "zsh: no matches found: http"),
        "The shell took the ? of the address for a pattern, so nothing was called: put quotes around the address. A key "
        "does not belong into it: send it as a header (-H 'x-goog-api-key: ...').",
    ),
    (
        ("the remote server returned an error: (4", "response status code does not indicate success: 4"),
        "The program prints the HTTP code alone; the reason is in the answer's body. PowerShell: $_.ErrorDetails.Message "
        "in the catch (or -SkipHttpErrorCheck); .NET: read the response's content; else repeat the call with curl -i. "
        "Then explain that.",
    ),
    (
        ("access was blocked due to an organization policy", "context-aware access", "context aware access"),
        "The organisation lets its accounts in from certain devices or networks alone (context-aware access): its "
        "administrator can say which, or exempt the app: https://support.google.com/a/answer/9275380.",
    ),
    (
        (
            "[errno 13] permission denied",
            "eacces: permission denied",
            "operation not permitted, open",
            "access is denied. (os error 5)",
        ),
        "The machine's own file permissions refused it, not Google: let the user that the program runs as read or write "
        "that path.",
    ),
    (
        (
            *("cannot import name", "incomplete json segment", "unhandled format for ", "failed to load: module"),
            *("cannot read properties of undefined", "cannot read property '", "is not a function", "object has no attribute"),
            *(
                "modulenotfounderror:",
                "importerror:",
                "nullpointerexception",
                "nil pointer dereference",
                "err_module_not_found",
            ),
        ),
        "The program failed in its own code (often at an answer that it did not expect), so no key and no permission is "
        "named: update or reinstall it, read what it printed before this, and tell its makers.",
    ),
)


def of(facts: ErrorFacts) -> str | None:
    """A sentence or two, or None where nothing more can be said."""
    if not facts.message.strip():
        return "The text is empty. Programs write errors to stderr: SOME-COMMAND 2>&1 | keyadmin explain -"
    if (unread := _unreadable(facts.message)) is not None:
        return f"{unread} Give what the program printed: SOME-COMMAND 2>&1 | keyadmin explain -"
    low = facts.message.lower()
    if (page := next((said for marks, said in _SENTENCES if any(mark in low for mark in marks)), None)) is not None:
        return page
    host = _elsewhere(facts.message)
    match = wording.find(wording.normal(facts.message), google=True)
    if host is not None and match is not None and match.cause is Cause.NETWORK_UNREACHABLE:
        return (
            f"The connection to {host} failed, and that host is not Google's: whoever runs it, or the network on the way, can "
            "tell why. A certificate that is not trusted: let the program trust the authority that issued it."
        )
    if facts.origin is Origin.GOOGLE:
        return _unprinted(facts)
    if host is not None and (match is not None or facts.code is not None):
        return f"The text names {host}, which is not Google's: look at the key, the account and the permissions there."
    if match is None or facts.origin is Origin.OTHER or entry(match.cause).general:
        return None
    return _if_googles(match.cause)


def _unreadable(text: str) -> str | None:
    """What is said of something whose characters stand for no sign, a good part of them; None of a text."""
    unread = text.count(_UNREADABLE)
    controls = sum(unicodedata.category(each) == "Cc" for each in text)
    if unread + controls <= len(text) * _MOST_WITHOUT_SIGN:
        return None
    if controls:
        return "This is not text: it holds bytes that no text has, as programs, pictures and compressed files do."
    return "This cannot be read: it is not text, or text in another encoding than UTF-8."


def _elsewhere(text: str) -> str | None:
    """The host that was called, where it is not Google's."""
    found = [(each["url"] or each["pool"]).lower() for each in _HOST.finditer(text[:20_000])]
    hosts = [host for host in found if not _ABOUT.search(host)]
    return None if not hosts or any(_GOOGLES.search(host) for host in hosts) else hosts[-1]


def _unprinted(facts: ErrorFacts) -> str | None:
    """Google refused, and the text does not hold its words."""
    if facts.code not in _CLIENT_CODES and facts.status not in _REFUSED:
        return None
    return (
        f"Google answered {facts.status or facts.code}, in words that keyadmin does not know: read the message itself, if the "
        "text has one. Where it has none, the answer's body does: let the program print it, read the lines above, or "
        "repeat the call with curl -i; then explain that."
    )


# What helps whoever it was that answered.
_WHOEVERS: Final = {
    Cause.CREDENTIALS_EXPIRED: (
        "Any OAuth server means the same by it: sign in again to that program; a code is good for one use and some minutes, "
        "with the verifier and the address of the same sign-in, and the machine's clock has to be right."
    ),
    Cause.OAUTH_CLIENT_MISCONFIGURED: (
        "Any OAuth server means the same by it: compare client id, secret and redirect address, letter by letter and without "
        "blanks, with what is registered at the server that answered."
    ),
    Cause.MALFORMED_KEY: (
        "Whoever's key it is: it holds a line break, a quote or a blank, or is empty. Store it again without (printf %s, "
        "echo -n)."
    ),
    Cause.NETWORK_UNREACHABLE: (
        "Whoever was called: try again; give the client a longer timeout for long answers; then look at proxy, DNS and "
        "certificates (to Google: keyadmin doctor --connection)."
    ),
    Cause.RATE_LIMITED: (
        "Wait and try again, more slowly. If it is the Gemini API: the limit is that of the key's project; billing there "
        "raises it (https://aistudio.google.com/projects), a subscription to the Gemini app does not."
    ),
}


def _if_googles(cause: Cause) -> str:
    """What the words would mean, for whoever can tell whose they are."""
    known = entry(cause)
    out = (
        f'The words are those of "{known.title}" ({cause.value}), but nothing in the text shows whose they are: the '
        "program that printed it, and the address it called, tell. "
    )
    if cause in _WHOEVERS:
        return out + _WHOEVERS[cause]
    step = next((str(step) for step in known.steps if len(str(step)) <= _SHORT), None)
    return out + (
        f"If they are Google's, begin with: {step}" if step else "If they are Google's, explain it with the lines around."
    )
