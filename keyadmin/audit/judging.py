"""From what is known of a project and what the rules find in it to one judgement a key. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

from keyadmin.audit.judgement import KeyJudgement
from keyadmin.audit.model import AuditFacts, Finding
from keyadmin.audit.steps import StepBook

_NOT_READ: Final = ("use",)
_RULE: Final = attrgetter("rule")


def judge(facts: AuditFacts, every: Iterable[Finding], shown: frozenset[str], book: StepBook) -> list[KeyJudgement]:
    """The judgements of a project's keys that have a finding of the rules `shown`.

    `every` = what all rules find: the same key gets the same steps whichever of them are shown.
    """
    by_key: dict[str, list[Finding]] = {}
    for finding in every:
        by_key.setdefault(finding.key.name if finding.key else "", []).append(finding)
    return [_judged(facts, found, shown, book) for found in by_key.values() if not shown.isdisjoint(map(_RULE, found))]


def _judged(facts: AuditFacts, found: Sequence[Finding], shown: frozenset[str], book: StepBook) -> KeyJudgement:
    key = found[0].key
    steps = book.steps_of(facts, key, {finding.rule: finding for finding in found})
    fix, not_read = steps.command(0), steps.not_read(0)
    mine = sorted([each for each in found if each.rule in shown], key=_worst)
    for each in mine:  # a finding gets its key's next step here, before anybody sees it: a copy would take as long as the rest
        each.fix, each.not_read = fix, not_read
    use = facts.used.get(key.uid) if facts.used is not None and key is not None else None
    unread = facts.used is None and key is not None and key.delete_time is None
    return KeyJudgement(facts.project, key, tuple(mine), steps, use, _NOT_READ if unread else ())


def _worst(finding: Finding) -> int:
    return -finding.severity
