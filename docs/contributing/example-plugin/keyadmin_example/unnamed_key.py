"""The rule `unnamed-key`: a key without a display name."""

from __future__ import annotations

from collections.abc import Iterator

from keyadmin.audit.commands import command
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys without a name."""
    for key in facts.live:
        if not key.display_name:
            yield finding_of(RULE, facts, key, "the key has no display name", command("keys rename", key, "NAME"))


RULE = AuditRule(
    id="unnamed-key",
    severity=Severity.LOW,
    title="A key without a name",
    help="Nobody can tell what a key without a display name is for.",
    fix="Name the key.",
    source=BEST_PRACTICES_PAGE,
    check=check,
)
