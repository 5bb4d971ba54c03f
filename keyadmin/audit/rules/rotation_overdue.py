"""The rule `rotation-overdue`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from keyadmin.audit.commands import days
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of
from keyadmin.model.lineage import State
from keyadmin.rotation.decide import Action

OVERDUE: Final = timedelta(days=7)
"""How long a rotation may take, grace included. The policy's grace is not written on the keys; 24 h is the default."""


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Lineages that keyadmin rotates and that should be further: too old, or unfinished for long."""
    for lineage, decision in facts.rotations:
        newest = lineage.newest
        if decision.overdue:
            message = decision.why
            yield finding_of(RULE, facts, newest.key, message)
            continue
        if decision.action in (Action.REST, Action.STUCK) or newest.state is State.STUCK or newest.cause:
            continue  # what is stuck is told as such
        if decision.action is Action.CREATE:
            message = f"keyadmin rotates this key, and no rotation was begun: {decision.why}"
        else:
            since = newest.published or newest.key.create_time
            if since is None or facts.now - since <= OVERDUE:
                continue
            message = f"the rotation began {days(facts.now - since)} ago and is not complete: {decision.why}"
        yield finding_of(RULE, facts, newest.key, message)


RULE: Final = AuditRule(
    id="rotation-overdue",
    severity=Severity.MEDIUM,
    title="A rotation that should be further by now",
    help=(
        "keyadmin rotates this key, but its newest generation is over the longest age allowed, or a successor was made more "
        "than 7 days ago and the rotation is not complete: the old key still works. The schedule does not run, or runs "
        "without this key. Or an annotation on the key says that it was rolled back to, so that no schedule rotates it: "
        "whoever may change the key may have written that."
    ),
    fix="See that the schedule runs: keyadmin rotation plan, then keyadmin rotation run.",
    source=BEST_PRACTICES_PAGE,
    check=check,
)
