"""The rule `unused-key`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.commands import days
from keyadmin.audit.model import UNUSED_AFTER, AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys, 30 days old or more, without use in 30 days, where use is known."""
    if facts.used is None:
        return
    limit = facts.now - UNUSED_AFTER
    for key in facts.live:
        use = facts.used.get(key.uid)
        last = use.last if use else None
        if key.create_time is not None and key.create_time <= limit and (last is None or last < limit):
            message = "not used in six weeks" if last is None else f"last used {days(facts.now - last)} ago ({last:%Y-%m-%d})"
            yield finding_of(RULE, facts, key, message)


RULE: Final = AuditRule(
    id="unused-key",
    severity=Severity.LOW,
    title="A key that nobody has used for 30 days",
    help=(
        "No call was made with the key in the last 30 days, as far as Cloud Monitoring tells. It is of use to those who "
        "should not have it alone. Found only where the use of keys can be read (monitoring.timeSeries.list). CIS Google "
        "Cloud Foundation Benchmark 1.12."
    ),
    fix=(
        "Delete it where no call is known at all (Cloud Monitoring keeps six weeks); for 30 days keyadmin keys undelete brings "
        "it back. One that was called in these six weeks: keyadmin keys usage KEY says for what."
    ),
    source=BEST_PRACTICES_PAGE,
    needs=frozenset({"usage"}),
    check=check,
)
