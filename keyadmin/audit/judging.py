"""From what is known of a project and what the rules find in it to one judgement a key. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from keyadmin.audit.judgement import KeyJudgement
from keyadmin.audit.model import AuditFacts, Finding
from keyadmin.audit.steps import steps_of


def judge(facts: AuditFacts, every: Iterable[Finding], shown: frozenset[str]) -> list[KeyJudgement]:
    """The judgements of a project's keys that have a finding of the rules `shown`.

    `every` = what all rules find: the same key gets the same steps whichever of them are shown.
    """
    by_key: dict[str, list[Finding]] = {}
    for finding in every:
        by_key.setdefault(finding.key.name if finding.key else "", []).append(finding)
    return [_judged(facts, found, shown) for found in by_key.values() if any(each.rule in shown for each in found)]


def _judged(facts: AuditFacts, found: Sequence[Finding], shown: frozenset[str]) -> KeyJudgement:
    key = found[0].key
    steps = steps_of(facts, key, {finding.rule: finding for finding in found})
    mine = sorted((each for each in found if each.rule in shown), key=lambda each: -each.severity)
    return KeyJudgement(
        facts.project,
        key,
        tuple(replace(each, fix=steps[0].command) for each in mine),
        steps,
        use=facts.used.get(key.uid) if facts.used is not None and key is not None else None,
        not_read=("use",) if facts.used is None and key is not None and key.delete_time is None else (),
    )
