"""The rule `undisplayable-key`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import GEMINI_KEYS_PAGE, AuditRule, finding_of
from keyadmin.keys import ai_studio
from keyadmin.model.command_line import typed


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys that AI Studio's page leaves out."""
    for key in facts.live:
        if not key.studio_visible:
            what = "other APIs too" if key.restricted == "mixed" else "other APIs"
            yield finding_of(RULE, facts, key, f"AI Studio does not show it: it is for {what}")
    if over := ai_studio.shown(facts.live).over_limit:
        message = f"AI Studio shows {ai_studio.LIMIT} keys: {over} more are for Gemini and are not shown"
        yield finding_of(RULE, facts, None, message, typed("keys list", all=True, project=facts.project))


RULE: Final = AuditRule(
    id="undisplayable-key",
    severity=Severity.INFO,
    title="A key that AI Studio does not show",
    help=(
        "AI Studio's page shows at most 100 keys, and only those with no API restriction or restricted to the Generative "
        "Language API alone. People who look there think that the list is complete."
    ),
    fix="keyadmin keys list --all shows every key.",
    source=GEMINI_KEYS_PAGE,
    check=check,
)
