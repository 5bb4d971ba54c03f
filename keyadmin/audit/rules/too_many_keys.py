"""The rule `too-many-keys`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import API_KEYS_PAGE, AuditRule, finding_of
from keyadmin.model.command_line import typed

MOST_KEYS: Final = 300  # a project (facts 3)
NEARLY: Final = MOST_KEYS * 8 // 10


def check(facts: AuditFacts) -> Iterator[Finding]:
    """A project with more than 80 % of the keys it can have."""
    if len(facts.live) > NEARLY:
        message = f"{len(facts.live)} keys of at most {MOST_KEYS}"
        yield finding_of(RULE, facts, None, message, typed("keys list", all=True, usage=True, project=facts.project))


RULE: Final = AuditRule(
    id="too-many-keys",
    severity=Severity.LOW,
    title="A project near the limit of 300 keys",
    help=(
        "The project has more than 240 of at most 300 keys. At the limit no key can be made, and a rotation cannot make the "
        "successor that it needs."
    ),
    fix="Delete keys that nobody uses, or make new ones in another project.",
    source=API_KEYS_PAGE,
    check=check,
)
