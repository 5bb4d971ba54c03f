"""The rule `standard-key`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.commands import about_use
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import GEMINI_KEYS_PAGE, AuditRule, finding_of


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live standard keys: high where Gemini is among the targets or the key is exposed, else low."""
    for key in facts.live:
        if key.key_type != "standard":
            continue
        kind = key.restricted
        if kind in ("gemini", "mixed"):
            severity, message = Severity.HIGH, "a standard key meant for the Gemini API, which refuses standard keys"
        elif kind == "none" and facts.gemini:
            severity, message = Severity.HIGH, "a standard key open to the Gemini API, which refuses standard keys"
        else:
            severity, message = Severity.LOW, "a standard key: it names the project, and nobody who calls"
        if kind == "none" and facts.gemini:
            message += about_use(facts)
        yield finding_of(RULE, facts, key, message, severity=severity)


RULE: Final = AuditRule(
    id="standard-key",
    severity=Severity.HIGH,
    title="A standard key, not bound to a service account",
    help=(
        "A standard key only names a project. Since September 2026 the Gemini API refuses all of them, so one that is meant "
        "for Gemini no longer works (high). For other APIs it works, but the service cannot tell who calls (low)."
    ),
    fix=(
        "Migrate what calls Gemini: keyadmin keys migrate KEY makes an auth key with the same restrictions, hands it over, "
        "and retires the old one. Keep other standard keys restricted to their API and their clients."
    ),
    source=GEMINI_KEYS_PAGE,
    needs=frozenset({"gemini"}),
    check=check,
)
