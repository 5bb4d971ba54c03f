"""The rule `use-anomaly`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from keyadmin.audit.commands import command
from keyadmin.audit.model import USUAL_AFTER, AuditFacts, Finding, Severity, Use
from keyadmin.audit.rule import BEST_PRACTICES_PAGE, AuditRule, finding_of
from keyadmin.cloud.usage import DELAY, KEPT, RECENT
from keyadmin.model.key import Key

LEAST: Final = 100
"""Calls in the last hours that a finding takes at the least: a key that is called once a week has no usual use."""


def check(facts: AuditFacts) -> Iterator[Finding]:
    """Live keys, a week old or more, that are called more than usual, or for an API that is new to them."""
    if facts.used is None or facts.anomaly is None:
        return
    for key in facts.live:
        use = facts.used.get(key.uid)
        if use is None or key.create_time is None or facts.now - key.create_time < USUAL_AFTER:
            continue
        if signs := list(_signs(facts, key, use, facts.anomaly)):
            hours, late = RECENT.total_seconds() / 3600, DELAY.total_seconds() / 60
            message = f"in the last {hours:g} hours {' and '.join(signs)} (calls are seen up to {late:g} minutes late)"
            # One that a page or an app bears cannot be handed over, and deleted at once it stops them all.
            way = command("keys clone", key) if key.public else command("keys compromised", key, to="SINK")
            yield finding_of(RULE, facts, key, message, way)


def _signs(facts: AuditFacts, key: Key, use: Use, times: float) -> Iterator[str]:
    assert key.create_time is not None
    if use.fresh:
        yield f"it called {', '.join(sorted(use.fresh))}, which it had not called before"
    known = min(facts.now - key.create_time, KEPT) - RECENT
    usual = use.earlier / (known / RECENT)
    if use.recent >= LEAST and use.recent > times * usual:
        yield f"it was called {use.recent:,} times; usual are {usual:,.3g}"


RULE: Final = AuditRule(
    id="use-anomaly",
    severity=Severity.LOW,
    title="A key that is used otherwise than usual",
    help=(
        "In the last six hours the key was called more than N times as often as usual in the weeks before (--anomaly N; "
        "from 100 calls on), or for an API that it had not called before. That is a launch, a loop, or somebody who found a "
        "copy. Calls are seen up to 30 minutes late, and the last hours are never complete: nothing is changed because of "
        "it. Off unless --anomaly is given; found only where the use of keys can be read (monitoring.timeSeries.list), and "
        "for keys that are a week old."
    ),
    fix=(
        "See who calls: keyadmin keys usage KEY. If it is not you: keyadmin keys compromised KEY --to SINK; of a public key, "
        "in a page or an app: keyadmin keys clone KEY, publish it with the new one, then delete the old one."
    ),
    source=BEST_PRACTICES_PAGE,
    needs=frozenset({"usage"}),
    check=check,
    default=False,
)
