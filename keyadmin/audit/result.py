"""The outcome of an audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

from keyadmin.audit.judgement import KeyJudgement, in_order
from keyadmin.audit.known import AsOf, UseRead
from keyadmin.audit.model import MAX_AGE, Finding, Severity, Source, Unseen
from keyadmin.model.key_codec import format_time
from keyadmin.model.lazy import MadeLater
from keyadmin.model.problem import Problem

SCHEMA_VERSION: Final = 1  # of the report as JSON, which baselines are read from


class TrendPoint(NamedTuple):
    """What an earlier audit of the same scope found: the number of findings of each severity."""

    time: datetime
    by_severity: Mapping[str, int]


@dataclass(frozen=True, repr=False)  # asyncio spells results out: seconds, for a large one
class AuditReport:
    """The outcome of an audit, the worst first. `keys` = those looked at, deleted ones that can be brought back included.

    `judgements` = the same by key, the worst key first; `where` = what was audited, in words; `notes` = where it came from;
    `unknown` = what could not be judged and is no error of a project; `failed` = how many projects could not be checked at
    all, `failure` = why the first could not; `compared` = with a baseline; `checked` = ids and numbers of the projects that
    were checked; `trend` = earlier audits of the same scope, the oldest first.

    `use`, `deleted` = what of that was read, as in AsOf.

    Where only a part is shown, `findings` and `judgements` are that part, and all counts are those of `whole`.
    """

    findings: tuple[Finding, ...]
    errors: tuple[Unseen, ...]
    projects: int
    keys: int
    rules: tuple[str, ...]
    source: Source
    where: str
    now: datetime
    max_age: timedelta = MAX_AGE
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    failed: int = 0
    failure: Problem | None = None
    sandbox: bool = False
    version: str = field(default="", compare=False)
    judgements: Sequence[KeyJudgement] = ()
    compared: bool = False
    checked: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()
    """The projects whose keys the API Keys API listed; those of the others are as an inventory had them."""
    trend: Sequence[TrendPoint] = ()
    whole: AuditReport | None = None
    use: UseRead = "none"
    deleted: bool = True

    @property
    def known(self) -> AsOf:
        """As of when what is known, and what was not looked at."""
        return AsOf(self.source, self.now, self.use, self.deleted)

    @property
    def _counted(self) -> tuple[Finding, ...]:
        return self.findings if self.whole is None else self.whole.findings

    @cached_property
    def _tally(self) -> Counter[tuple[Severity, str, bool, bool | None]]:
        """How many findings there are of each severity and rule, accepted or not, new or not."""
        return Counter((each.severity, each.rule, each.accepted is None, each.new) for each in self._counted)

    @cached_property
    def accepted(self) -> int:
        """How many findings somebody has accepted: they are in no other count but `findings`."""
        return sum(count for (_, _, open_, _), count in self._tally.items() if not open_)

    @cached_property
    def new(self) -> int | None:
        """How many findings the baseline has not, accepted ones left out; None without a baseline."""
        if not self.compared:
            return None
        return sum(count for (_, _, open_, new), count in self._tally.items() if open_ and new)

    def marked(self, mark: Callable[[Finding], None], *, compared: bool = False) -> AuditReport:
        """The same report, each finding as `mark` leaves it; `compared` = with a baseline."""
        for finding in self.findings:
            mark(finding)
        return replace(self, judgements=tuple(in_order(self.judgements)), compared=self.compared or compared)

    def at_least(self, severity: Severity) -> int:
        """How many findings are this bad or worse, accepted ones left out; with a baseline only new ones."""
        return sum(
            count for (bad, _, open_, new), count in self._tally.items() if bad >= severity and open_ and new is not False
        )

    @cached_property
    def by_severity(self) -> dict[str, int]:
        """The number of findings of each severity, the worst first; 0 where there is none."""
        counts = {severity.word: 0 for severity in sorted(Severity, reverse=True)}
        for (severity, _, open_, _), count in self._tally.items():
            counts[severity.word] += count * open_
        return counts

    @cached_property
    def by_rule(self) -> dict[str, int]:
        """The number of findings of each rule that was applied."""
        counts = Counter(dict.fromkeys(self.rules, 0))
        for (_, rule, open_, _), count in self._tally.items():
            counts[rule] += count * open_
        return dict(counts)

    def summary(self) -> dict[str, Any]:
        """The contract's object."""
        return {
            "projects": self.projects,
            "keys": self.keys,
            "findings": len(self._counted),
            "bySeverity": self.by_severity,
            "byRule": self.by_rule,
            "errors": len(self.errors),
            "accepted": self.accepted,
            **({} if self.new is None else {"new": self.new}),
        }

    def to_json(self) -> dict[str, Any]:
        """The contract's document, and beside it what the audit went by. What was found stands at the end."""
        return {
            **self.about(),
            "findings": MadeLater(self.findings, Finding.to_json),
            "errors": [error.to_json() for error in self.errors],
        }

    def about(self) -> dict[str, Any]:
        """The document without what was found: its version, the summary, what the audit went by."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "summary": self.summary(),
            "scan": {
                "time": format_time(self.now),
                "scope": self.where,
                "inventory": self.source,
                "known": self.known.to_json(),
                "maxAge": f"{self.max_age.total_seconds():.0f}s",
                "notes": [*self.notes, *self.unknown],
            },
            **({"sandbox": True} if self.sandbox else {}),
        }

    def words(self) -> str:
        """The summary in one line."""
        found = ", ".join(f"{count} {word}" for word, count in self.by_severity.items() if count)
        line = f"{_count(self.projects, 'project')}, {_count(self.keys, 'key')}, {_count(len(self._counted), 'finding')}"
        line += f" ({found})" if found else ""
        return line + (f", {_count(len(self.errors), 'error')}" if self.errors else "")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
