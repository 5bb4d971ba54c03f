"""The rule `unrestricted-key`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.commands import about_use
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of, open_keys


def check(facts: AuditFacts) -> Iterator[Finding]:
    """The same where the Gemini API is known to be off."""
    if facts.gemini is False:
        for key in open_keys(facts):
            message = "the key has no API restriction: it opens every API that is turned on in the project"
            yield finding_of(RULE, facts, key, message + about_use(facts))


RULE: Final = AuditRule(
    id="unrestricted-key",
    severity=Severity.MEDIUM,
    title="Any API of the project can be called with the key",
    help=(
        "The key has no API restriction. Whatever API somebody turns on in the project, Gemini included, is open to whoever "
        "has the key. CIS Google Cloud Foundation Benchmark 1.14."
    ),
    fix="Restrict the key to the APIs that it is used for (keyadmin keys usage KEY says which).",
    source=BEST_PRACTICES_PAGE,
    needs=frozenset({"gemini"}),
    check=check,
)
