"""The rule `gemini-exposed-key`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.commands import about_use
from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import GEMINI_KEYS_PAGE, AuditRule, finding_of, open_keys


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys that may call every API, Gemini among them."""
    if facts.gemini:
        for key in open_keys(facts):
            message = (
                f"the key has no API restriction, and the Gemini API is on in {facts.project}: whoever has it can call Gemini"
            )
            yield finding_of(RULE, facts, key, message + about_use(facts))


RULE: Final = AuditRule(
    id="gemini-exposed-key",
    severity=Severity.HIGH,
    title="Any API can be called with the key, and Gemini is one of them",
    help=(
        "The key has no API restriction, and the Generative Language API is on in its project. A key that was made for a "
        "map on a website, and is public for that reason, then opens Gemini: the project's bill, its uploaded files, its "
        "cached prompts (Truffle Security, February 2026: Google API keys weren't secrets, but then Gemini changed the "
        "rules). It makes no difference that the Gemini API refuses unrestricted standard keys today: restricted later, or "
        "of another type, the key is let in again. CIS Google Cloud Foundation Benchmark 1.14."
    ),
    fix=(
        "Restrict the key to the APIs that it is used for (keyadmin keys usage KEY says which). Where it is used for "
        "Gemini, give Gemini a key of its own. Keep Gemini in a project without public keys."
    ),
    source=GEMINI_KEYS_PAGE,
    needs=frozenset({"gemini"}),
    check=check,
)
