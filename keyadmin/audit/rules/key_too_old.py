"""The rule `key-too-old`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.commands import days
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys over the longest age allowed, by the server's clock."""
    limit = facts.now - facts.max_age
    for key in facts.live:
        if key.create_time is not None and key.create_time < limit:
            message = f"the key is {days(facts.now - key.create_time)} old; the limit is {days(facts.max_age)}"
            if (under_way := facts.replaced.get(key.name)) is not None:
                message += under_way.words
            yield finding_of(RULE, facts, key, message)


RULE: Final = AuditRule(
    id="key-too-old",
    severity=Severity.MEDIUM,
    title="A key older than the longest age allowed",
    help=(
        "A key never expires, and every copy ever made of it works as long as it does. Replacing keys in time bounds what a "
        "lost copy is worth. The age allowed is 90 days unless --max-age says otherwise. CIS Google Cloud Foundation "
        "Benchmark 1.15."
    ),
    fix=(
        "Rotate it: keyadmin keys rotate KEY --to SINK, or a policy with keyadmin rotation init; of a public key, in a page or "
        "an app: keyadmin keys clone KEY, publish it with the new one, then delete the old one."
    ),
    source=BEST_PRACTICES_PAGE,
    check=check,
)
