"""The rule `deleted-key-recoverable`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.model import RETENTION, AuditFacts, Finding, Severity
from keyadmin.audit.rule import API_KEYS_PAGE, AuditRule, finding_of


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Deleted keys that are not purged yet."""
    for key in facts.keys:
        if key.delete_time is not None and facts.now < key.delete_time + RETENTION:
            purged = key.delete_time + RETENTION
            message = f"deleted {key.delete_time:%Y-%m-%d}; it can be brought back until {purged:%Y-%m-%d}"
            yield finding_of(RULE, facts, key, message)


RULE: Final = AuditRule(
    id="deleted-key-recoverable",
    severity=Severity.INFO,
    title="A deleted key that can be brought back",
    help=(
        "The key was deleted in the last 30 days. Until it is purged, whoever may undelete keys can make it work again; so "
        "can you, if it was deleted by mistake."
    ),
    fix="Nothing, where it was meant. A leaked key has to be checked again after it is purged.",
    source=API_KEYS_PAGE,
    check=check,
)
