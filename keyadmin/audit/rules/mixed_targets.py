"""The rule `mixed-targets`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.commands import about_use
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of
from keyadmin.model.key import GEMINI


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys for Gemini and other APIs."""
    for key in facts.live:
        if key.restricted == "mixed":
            others = sorted(key.restrictions.services - {GEMINI})
            message = f"one key for the Gemini API and for {', '.join(others)}"
            yield finding_of(RULE, facts, key, message + about_use(facts))


RULE: Final = AuditRule(
    id="mixed-targets",
    severity=Severity.MEDIUM,
    title="One key for Gemini and for other APIs",
    help=(
        "Anybody who has the key for one of its APIs can call the others too: a key in a web page for its map pays for Gemini. "
        "AI Studio does not show such keys, and the organisation policy on binding keys lets through keys for Gemini alone."
    ),
    fix="Give Gemini a key of its own, and restrict this one to the rest. keyadmin keys migrate splits a standard key so.",
    source=BEST_PRACTICES_PAGE,
    check=check,
)
