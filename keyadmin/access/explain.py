"""Any error text to its one cause: what it means, what it names, what mends it. No call is made, nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from keyadmin.model.causes import reading
from keyadmin.model.causes.catalogue import entry, fix_lines
from keyadmin.model.causes.classify import Classification, ErrorFacts, classify
from keyadmin.model.problem import Cause
from keyadmin.model.secret import redact

# Causes that pass by themselves, and causes that say little: where a text holds several errors, another one decides.
_PASSING: Final = (Cause.RATE_LIMITED, Cause.SERVICE_UNAVAILABLE, Cause.CONFLICT)
_GENERAL: Final = (Cause.INVALID_ARGUMENT, Cause.NOT_FOUND, Cause.ALREADY_EXISTS)


@dataclass(frozen=True)
class Explanation:
    """The answer. `fix` is empty and the cause `unknown` where the text says nothing that is known."""

    cause: Cause
    title: str
    explanation: str
    permission: str | None
    service: str | None
    project: str | None
    fix: tuple[str, ...]
    source: str

    def to_json(self) -> dict[str, Any]:
        """The object of contract 3; names that could not be read are left out."""
        out: dict[str, Any] = {"cause": self.cause.value, "title": self.title, "explanation": self.explanation}
        for name in ("permission", "service", "project"):
            if value := getattr(self, name):
                out[name] = value
        return out | {"fix": list(self.fix), "source": self.source}


def explain(text: str) -> Explanation:
    """Explain an error text of any origin and size. Never raises; key strings do not come out again."""
    text = reading.plain(text)
    facts, finding = _decide(text)
    known = entry(finding.cause)
    fix = finding.fix or fix_lines(
        finding.cause, permission=finding.permission, service=finding.service, project=finding.project
    )
    if finding.cause is Cause.RATE_LIMITED and facts.retry_delay:
        fix = (f"wait {facts.retry_delay:g} seconds, as the answer asks, and try again", *fix[1:])
    return Explanation(
        cause=finding.cause,
        title=known.title,
        explanation=known.explanation,
        permission=_safe(finding.permission),
        service=_safe(finding.service),
        project=_safe(finding.project),
        fix=tuple(redact(line) for line in fix),
        source=known.source,
    )


def _decide(text: str) -> tuple[ErrorFacts, Classification]:
    """Details win over words, words over a bare status. Of several details the first that says most decides."""
    found = [(facts, classify(facts)) for facts in reading.details(text)]
    known = [each for each in found if each[1].cause is not Cause.UNKNOWN]
    if known:
        return min(known, key=lambda each: _weight(each[1].cause))
    facts = reading.loose(text) or ErrorFacts()
    finding = classify(facts)
    if finding.cause is Cause.UNKNOWN:
        finding = replace(finding, permission=None, service=None, project=None)
    return facts, finding


def _weight(cause: Cause) -> int:
    return 2 if cause in _GENERAL else 1 if cause in _PASSING else 0


def _safe(name: str | None) -> str | None:
    return redact(name) if name else None
