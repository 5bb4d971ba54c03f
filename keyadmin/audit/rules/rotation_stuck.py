"""The rule `rotation-stuck`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.commands import command
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of
from keyadmin.model.lineage import State
from keyadmin.rotation.decide import Action


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Lineages whose last run stopped, or that were changed by hand."""
    for lineage, decision in facts.rotations:
        newest = lineage.newest
        if decision.action is Action.STUCK:
            way = decision.ways_out[0].rpartition(": ")[2] if decision.ways_out else command("rotation adopt", newest.key)
            if lineage.in_question:  # which of the two ways is right only a person knows: status names both
                way = command("rotation status", newest.key)
            yield finding_of(RULE, facts, newest.key, f"the rotation does not go on: {decision.why}", way)
        elif newest.state is State.STUCK or (newest.cause and decision.action is not Action.REST):
            # The annotation can be written by others: a word of ours is repeated, nothing else.
            cause = f": {newest.cause}" if newest.cause else ""
            message = f"the last run of the rotation stopped{cause}"
            yield finding_of(RULE, facts, newest.key, message)


RULE: Final = AuditRule(
    id="rotation-stuck",
    severity=Severity.HIGH,
    title="A rotation that does not continue",
    help=(
        "The last run of a rotation stopped with an error, or somebody changed the keys or their annotations manually, so "
        "that keyadmin will not guess how to continue. The old key may still work, and the new one may not be where it is "
        "needed. Annotations count only where the key's id agrees with them."
    ),
    fix=(
        "keyadmin rotation status says why. Mend the cause and run the rotation again, or take the way out that the finding "
        "names."
    ),
    source=BEST_PRACTICES_PAGE,
    check=check,
)
