"""The rule `no-client-restriction`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys that work from anywhere."""
    for key in facts.live:
        if key.restrictions.client_kind is None:
            yield finding_of(RULE, facts, key, "no client restriction: the key works from everywhere")


RULE: Final = AuditRule(
    id="no-client-restriction",
    severity=Severity.LOW,
    title="A key that works from anywhere",
    help=(
        "The key may be used from every address, site and app: a copy of it works wherever it turns up. CIS Google Cloud "
        "Foundation Benchmark 1.13."
    ),
    fix="Restrict it to the addresses, web sites or apps that use it, where they are known.",
    source=BEST_PRACTICES_PAGE,
    check=check,
)
