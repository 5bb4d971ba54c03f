"""The rule `api-off`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.model import AuditFacts, Finding, Severity
from keyadmin.audit.rule import API_KEYS_PAGE, AuditRule, finding_of


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys restricted to APIs of which some are known to be off."""
    for key in facts.live:
        services = key.restrictions.services
        off = sorted(service for service in services if facts.is_on(service) is False)
        if off:
            what = "the API that it is for is" if len(services) == 1 else "APIs that it is for are"
            message = f"{what} off in {facts.project}: {', '.join(off)}"
            yield finding_of(RULE, facts, key, message)


RULE: Final = AuditRule(
    id="api-off",
    severity=Severity.LOW,
    title="A key for an API that is off",
    help=(
        "The key is restricted to an API that is off in its project, so no call with it succeeds there. It is left over, or "
        "waits: once somebody turns the API on, every copy of the key works again. Found only where the state of APIs can be "
        "read (serviceusage.services.get)."
    ),
    fix="Take the API off the key, or delete the key where no other API is left.",
    source=API_KEYS_PAGE,
    needs=frozenset({"apis"}),
    check=check,
)
