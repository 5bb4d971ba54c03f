"""The rule `unused-target`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.model import UNUSED_AFTER, AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys, 30 days old or more, that are used, but not for all that they are restricted to."""
    if facts.used is None:
        return
    limit = facts.now - UNUSED_AFTER
    for key in facts.live:
        use = facts.used.get(key.uid)
        if use is None or key.create_time is None or key.create_time > limit:
            continue
        idle = sorted(key.restrictions.services - use.services)
        if idle and len(idle) < len(key.restrictions.services):
            yield finding_of(RULE, facts, key, f"not used in six weeks for {', '.join(idle)}, which it may call")


RULE: Final = AuditRule(
    id="unused-target",
    severity=Severity.LOW,
    title="A key that may call an API that it does not use",
    help=(
        "The key is restricted to several APIs, and in the last six weeks it called only some of them, as far as Cloud "
        "Monitoring tells. The others help nobody but whoever finds a copy of it. Found only where the use of keys can be "
        "read (monitoring.timeSeries.list)."
    ),
    fix="Take the APIs off the key that it does not use: keyadmin keys restrict KEY --remove-api-target SERVICE.",
    source=BEST_PRACTICES_PAGE,
    needs=frozenset({"usage"}),
    check=check,
)
