"""Any error text to its causes: what each means, what it names, what to do. No call is made, nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any, Final

from keyadmin.access.advice import fix_lines
from keyadmin.model.cause import Cause
from keyadmin.model.causes import hints, named, names, quota, vendors
from keyadmin.model.causes.entry import Turn
from keyadmin.model.causes.facts import Classification, Origin
from keyadmin.model.causes.products import BY_NAME, RULES
from keyadmin.model.causes.several import Occurrence, errors
from keyadmin.model.causes.table import entry
from keyadmin.model.secret import redact


@dataclass(frozen=True)
class Explanation:
    """The answer. `fix` is empty and the cause `unknown` where the text says nothing that is known.

    `read` = what could be read of an unknown error: status, reason, link, vendor. `turn` = whose turn it is. `count` = how
    often the error stands in the text, `others` = how many distinct errors besides it.
    `part` = what of a long text was read, "" for all of it: what stands elsewhere is not counted. `found` = what it was
    classified as.
    """

    cause: Cause
    title: str
    explanation: str
    permission: str | None
    service: str | None
    project: str | None
    fix: tuple[str, ...]
    source: str
    turn: Turn
    count: int = 1
    others: int = 0
    part: str = ""
    found: Classification = field(default_factory=lambda: Classification(Cause.UNKNOWN))
    read: dict[str, str] = field(default_factory=dict)

    def to_json(self, *, alone: bool = True) -> dict[str, Any]:
        """The object of contract 3; names that could not be read are left out, and the turn of an unknown error.

        `alone` = the text's other errors are not shown.
        """
        out: dict[str, Any] = {"cause": self.cause.value, "title": self.title, "explanation": self.explanation}
        for name in ("permission", "service", "project"):
            if value := getattr(self, name):
                out[name] = value
        out |= self.read | {"fix": list(self.fix)}
        if self.cause is not Cause.UNKNOWN:
            out["turn"] = self.turn.value
        out |= {"source": self.source, "count": self.count}
        return out | {"others": self.others} if alone else out


def explain(text: str, *, project: str | None = None) -> Explanation:
    """Explain the last error in a text of any origin and size. Never raises; key strings do not come out again.

    `project` = the one that the steps are for where the text names none.
    """
    found = errors(text)
    return _explained(found[-1], len(found) - 1, project)


def explain_all(text: str, *, project: str | None = None) -> list[Explanation]:
    """The distinct errors of the text, oldest first; at least one."""
    found = errors(text)
    return [_explained(each, len(found) - 1, project) for each in found]


def _explained(error: Occurrence, others: int, project: str | None) -> Explanation:
    found, facts = error.found, error.facts
    known = entry(found.cause)
    charged = replace(found, project=found.project or project)
    steps = () if found.cause is Cause.UNKNOWN else fix_lines(charged, unnamed=True)
    if known.passing and facts.retry_delay and found.variant in (None, "other") and found.cause is not Cause.NO_FREE_TIER:
        steps = (f"wait {ceil(facts.retry_delay)} seconds, as the answer asks, and try again", *steps[1:])
    variant = known.variants.get(found.variant or "")
    return Explanation(
        cause=found.cause,
        title=_titled(error),
        explanation=_said(error),
        permission=_safe(found.permission),
        service=_safe(found.service or _service(error)),
        project=_safe(found.project),
        fix=tuple(redact(line) for line in steps),
        source=variant.source if variant is not None and variant.source else known.source,
        turn=variant.turn if variant is not None and variant.turn is not None else known.turn,
        count=error.count,
        others=others,
        part=error.part,
        found=found,
        read=_read(error) if found.cause is Cause.UNKNOWN else {},
    )


def _titled(error: Occurrence) -> str:
    """The headline: of an unknown error whose it is, where that is known."""
    known, vendor = entry(error.found.cause), error.found.vendor
    variant = known.variants.get(error.found.variant or "")
    if known.cause is Cause.UNKNOWN and vendor is not None:
        return f"Up to {vendor}" if vendor == RULES or vendor in BY_NAME else f"An error of {vendor}, not of Google"
    return variant.title if variant is not None and variant.title else known.title


def _said(error: Occurrence) -> str:
    """What the error means."""
    known = entry(error.found.cause)
    variant = known.variants.get(error.found.variant or "")
    if known.cause is Cause.UNKNOWN:
        return _unknown(error)
    words = variant.explanation if variant is not None and variant.explanation else known.explanation
    details = quota.said(error.facts) if known.cause in _OF_QUOTAS else ""
    return f"{words} {redact(details)}".rstrip()


_OF_QUOTAS: Final = (Cause.RATE_LIMITED, Cause.DAILY_QUOTA_EXCEEDED, Cause.NO_FREE_TIER)


def _unknown(error: Occurrence) -> str:
    """Why there is no advice."""
    vendor = error.found.vendor
    if vendor == RULES:
        return (
            "Firebase's security rules turned it down. They are not IAM permissions: look at the rules of the database or "
            "bucket."
        )
    if vendor in BY_NAME:
        return f"This is up to {vendor}; IAM roles and API keys have no part in it: {BY_NAME[vendor].where}."
    if vendor is not None and vendors.copied(vendor, error.facts.message.lower()):
        return (
            f"This has the form of {vendor}'s errors, not of Google's: it is of {vendor}, or of a service that speaks its "
            "language. Which one, the address says that the program is set to (its base URL); look at the key and the account "
            "there."
        )
    if vendor is not None:
        return f"This is an error of {vendor}, not of Google: look at the accounts, keys and permissions there."
    if error.facts.reason is not None:
        return f"Google gives the reason {redact(error.facts.reason)}, which keyadmin does not know, so it gives no advice."
    return hints.of(error.facts) or entry(Cause.UNKNOWN).explanation


def _read(error: Occurrence) -> dict[str, str]:
    """What was read of an unknown error: it helps whoever is asked next."""
    facts = error.facts
    if error.found.vendor is not None:
        return {"vendor": error.found.vendor}
    out = {"status": facts.status or (str(facts.code) if facts.code else "")}
    if facts.origin is Origin.GOOGLE:
        out["reason"] = facts.reason or next(iter((*facts.legacy, *facts.codes)), "")
        out["help"] = next(iter((*facts.links, *names.help_links(facts.message))), "")
    return {name: redact(value) for name, value in out.items() if value}


def _service(error: Occurrence) -> str | None:
    """The service of an unknown error that is Google's."""
    facts, found = error.facts, error.found
    known = found.cause is Cause.UNKNOWN and found.vendor is None and facts.origin is Origin.GOOGLE
    return named.service(facts) if known else None


def _safe(name: str | None) -> str | None:
    return redact(name) if name else None
